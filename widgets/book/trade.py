"""The ladder to trade on: what a click, a drag or a right click means, shown before it is done."""

from decimal import Decimal
from typing import override

from PySide6.QtCore import QEvent, QPoint, Qt, Signal
from PySide6.QtGui import QColor, QGuiApplication, QKeyEvent, QMouseEvent, QPaintEvent
from PySide6.QtWidgets import QWidget

from engine.messages.commands import AnyCommand
from engine.messages.frames import Control
from widgets.book.hand import Hand, Spot, own_text, spot_at
from widgets.book.layout import FOOT_LINE
from widgets.book.paint import Touch
from widgets.book.rows import Own, Picture, Row
from widgets.book.state import BookMarket, Queues, WorkingOrders
from widgets.book.view import BookView
from widgets.theme import Theme


class LadderView(BookView):
    """Rows of prices on which orders are placed, moved and cancelled.

    Signals
    -------
    command_asked(AnyCommand)
        An order is to be placed, moved or cancelled.
    """

    command_asked = Signal(object)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(theme, parent)
        self.hand = Hand()
        self._mouse: QPoint | None = None
        self._on_screen: Picture | None = None

    @override
    def show_market(
        self, market: BookMarket | None, orders: WorkingOrders | None, queues: Queues | None = None
    ) -> None:
        self._on_screen = None
        self.hand.hold(market.instrument if market else None, orders)
        super().show_market(market, orders, queues)

    def set_control(self, control: Control) -> None:
        """Take over whether orders pass."""
        before, self.hand.control = self.hand.off, control
        self._turned(before)

    def set_stale(self, *, stale: bool) -> None:
        """Take over whether what is shown has grown old, so that nothing may be placed by it."""
        before, self.hand.stale = self.hand.off, stale
        self._turned(before)

    def _turned(self, before: str) -> None:
        if self.hand.off != before:
            self.hand.said = ""
            self.update()

    def set_quantity(self, quantity: Decimal | None, problem: str = "") -> None:
        """Place orders of this size; None none, for the reason that `problem` says."""
        self.hand.quantity, self.hand.quantity_problem = quantity, problem
        self._update_hint()

    # What is under the mouse

    @property
    def _seen(self) -> Picture | None:
        """Rows that the person sees: what was computed since is not painted yet."""
        return self._on_screen or self.shown

    def _spot(self) -> Spot | None:
        if self._mouse is None or self._seen is None:
            return None
        return spot_at(self.layout_now, self._seen, self._mouse.x(), self._mouse.y())

    def _point(self, event: QMouseEvent) -> Spot | None:
        self._mouse = event.position().toPoint()
        return self._spot()

    def _own_of(self, spot: Spot) -> Own | None:
        shown = self.shown
        index = -1 if shown is None else shown.rows[0].row - spot.row
        if shown is None or not 0 <= index < len(shown.rows):
            return None
        return shown.rows[index].own_bid if spot.side == "BUY" else shown.rows[index].own_ask

    # What is shown of it

    @property
    @override
    def _is_held(self) -> bool:
        return self.hand.press is not None

    @override
    def _touch(self, index: int) -> Touch:
        shown, hand = self.shown, self.hand
        press, hovered = hand.press, super()._touch(index)
        if shown is None or (press is None and not hovered.hover):
            return hovered
        row, spot = shown.rows[index].row, self._spot()
        aim = taken = 0
        if spot is not None and spot.row == row and not spot.own and self._would_place(spot):
            aim = _column(spot)
        ghost = None
        if press is not None and hand.target is not None:
            taken = _column(press.spot) if press.spot.row == row else 0
            own = self._own_of(press.spot)
            ghost = (_column(press.spot), own) if own is not None and hand.target.row == row else None
        return Touch(hovered.hover, aim, taken, ghost)

    def _would_place(self, spot: Spot) -> bool:
        pressed = self.hand.press
        meant = pressed is None or pressed.spot == spot
        return meant and self.hand.quantity is not None and not self.hand.off

    @override
    def _hint(self) -> tuple[str, QColor]:
        brushes, shown, hand = self._rows.brushes, self.shown, self.hand
        if hand.said:
            return hand.said, brushes.warning
        off, spot = hand.off, self._spot()
        if shown is not None and spot is not None:
            held = QGuiApplication.keyboardModifiers() & Qt.KeyboardModifier.ControlModifier
            text = hand.hint(shown, spot, self._own_of(spot), stop=bool(held))
            if text:
                return text, brushes.quiet if off else brushes.text
        how = self.tr("Click: limit, Ctrl: stop, drag: move, right: cancel")
        if self._rows.text.width(how) + 12 > self.width():
            how = self.tr("Click: limit, Ctrl: stop")
        return off or how, brushes.quiet

    def _update_hint(self) -> None:
        self.update(0, self.layout_now.foot_top, self.width(), FOOT_LINE)

    @override
    def _own_lines(self, row: Row) -> list[str]:
        lines: list[str] = []
        if self.shown is None or self._market is None:
            return lines
        price = self.shown.grid.price(row.row)
        for own, spot in (
            (row.own_bid, Spot("BUY", own=True, row=row.row, price=price)),
            (row.own_ask, Spot("SELL", own=True, row=row.row, price=price)),
        ):
            if own is not None:
                orders = self.hand.own_at(self.shown, spot)
                lines.append(own_text(own, orders, self._market.instrument))
        return lines

    # What is done

    def _let_go(self) -> None:
        """Give up what is pressed or dragged."""
        self.hand.let_go()
        self.rebuild()
        self.update()

    def _ask(self, commands: list[AnyCommand]) -> None:
        for command in commands:
            self.command_asked.emit(command)

    @override
    def mousePressEvent(self, event: QMouseEvent) -> None:
        spot, seen = self._point(event), self._seen
        if event.button() == Qt.MouseButton.MiddleButton:
            self.back_to_now()
        elif self._is_held:  # another button gives a drag up
            self._let_go()
        elif spot is None or seen is None:
            super().mousePressEvent(event)
        elif event.button() == Qt.MouseButton.LeftButton:
            held = event.modifiers() & Qt.KeyboardModifier.ControlModifier
            self.hand.down(seen, spot, stop=bool(held))
            self.update()
        elif event.button() == Qt.MouseButton.RightButton:
            self._ask(self.hand.cancel(seen, spot))
            self.update()

    @override
    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        before = self._spot()
        spot = self._point(event)
        super().mouseMoveEvent(event)
        if self._is_held:
            if self.hand.drag(spot):
                self.update()
        elif spot != before:
            self.hand.said = ""
        self._update_hint()

    @override
    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        spot = self._point(event)
        if event.button() == Qt.MouseButton.LeftButton and self._is_held:
            commands = self.hand.up(spot)
            self.rebuild()
            self.update()
            self._ask(commands)

    @override
    def leaveEvent(self, event: QEvent) -> None:
        self._mouse = None
        self._update_hint()
        super().leaveEvent(event)

    @override
    def paintEvent(self, event: QPaintEvent) -> None:
        self._on_screen = self.shown
        super().paintEvent(event)

    @override
    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape and self._is_held:
            self._let_go()
        else:
            super().keyPressEvent(event)

    @override
    def event(self, event: QEvent) -> bool:
        if (
            isinstance(event, QKeyEvent)
            and event.type() == QEvent.Type.ShortcutOverride
            and event.key() == Qt.Key.Key_Escape
            and self._is_held
        ):
            event.accept()  # the window's own use of the key waits for the end of a drag
            return True
        return super().event(event)


def _column(spot: Spot) -> int:
    return 1 if spot.side == "BUY" else 2
