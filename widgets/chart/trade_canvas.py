"""The canvas to trade on: own orders follow the mouse that takes them by line or tag; all else stays."""

from typing import Final, override

from PySide6.QtCore import QEvent, Qt, QTimer, Signal
from PySide6.QtGui import QHideEvent, QKeyEvent, QMouseEvent
from PySide6.QtWidgets import QWidget

from engine.messages.commands import AnyCommand
from engine.messages.events import OrderChanged
from engine.messages.frames import Control
from widgets.chart.canvas import Canvas
from widgets.chart.trade_layer import Hit, TradeLayer
from widgets.theme import Theme

_NOTE_MS: Final = 8_000


class TradeCanvas(Canvas):
    """Chart of one market on which own orders are dragged and cancelled.

    Signals
    -------
    command_asked : AnyCommand
        An order is to be placed, moved or cancelled.
    """

    command_asked = Signal(object)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(theme, parent)
        self._offset = 0.0
        self._crossed: OrderChanged | None = None
        self._over_line = False
        self._note_end = QTimer(self, singleShot=True, interval=_NOTE_MS)
        self._note_end.timeout.connect(self._on_note_ended)

    def set_control(self, control: Control) -> None:
        """Take over whether orders pass."""
        self.trading.control = control

    @override
    def refresh(self) -> None:
        changed, due = self.trading.settle()
        if changed or due:
            self._ask(due)
        super().refresh()

    def _say(self) -> None:
        """Let what became of a deed stand for a while."""
        if self.trading.note and self.isVisible():
            self._note_end.start()
        self.update()

    def _on_note_ended(self) -> None:
        self.trading.note = ""
        self.update()

    def _ask(self, commands: list[AnyCommand]) -> None:
        for command in commands:
            self.command_asked.emit(command)
        self._say()

    def _hit(self, x: int, y: int) -> Hit | None:
        if self.scene is None or self._axes is None or self._layout is None or not self.scene.has_data:
            return None
        instrument = self.scene.market.instrument
        return TradeLayer(self.trading, instrument, self.view, self._axes, self._layout).at(x, y)

    def _grab(self, hit: Hit, y: int, *, shift: bool) -> bool:
        """Take the line under the mouse; False where it is none that can be taken so."""
        if shift != (hit.order is None):
            return False
        if self.trading.off and not hit.on_tag and not shift:
            return False  # who pans from beside a line does not mean it
        if not self.trading.grab(hit.order):
            self._say()
            return False
        drag = self.trading.drag
        self._offset = 0.0 if drag is None else float(drag.start) - self.view.price_at(y)
        self.setFocus(Qt.FocusReason.MouseFocusReason)
        return True

    @override
    def mousePressEvent(self, event: QMouseEvent) -> None:
        x, y = self._position(event)
        hit = self._hit(x, y)
        held = event.modifiers()
        if self.trading.drag is not None:  # another button gives a drag up
            self.trading.give_up()
            self.update()
        elif event.button() == Qt.MouseButton.RightButton:
            if hit is not None and hit.order is not None and hit.on_tag:
                self._ask(self.trading.cancel(hit.order))
        elif event.button() != Qt.MouseButton.LeftButton or hit is None:
            super().mousePressEvent(event)
        elif hit.on_cross:
            self._crossed = hit.order
        elif held & Qt.KeyboardModifier.ControlModifier or not self._grab(
            hit, y, shift=bool(held & Qt.KeyboardModifier.ShiftModifier)
        ):
            super().mousePressEvent(event)

    @override
    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        x, y = self._position(event)
        if self.trading.drag is not None:
            self.trading.pull(self.view.price_at(y) + self._offset)
        super().mouseMoveEvent(event)
        if self.trading.drag is None and not event.buttons():
            self._show_cursor(self._hit(x, y))

    def _show_cursor(self, hit: Hit | None) -> None:
        """Show that a line can be taken."""
        over = hit is not None and hit.order is not None and not hit.on_cross
        if over != self._over_line:
            self._over_line = over
            self.setCursor(Qt.CursorShape.SizeVerCursor if over else Qt.CursorShape.CrossCursor)

    @override
    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton and self.trading.drag is not None:
            self._ask(self.trading.drop())
            return
        crossed, self._crossed = self._crossed, None
        hit = None if crossed is None else self._hit(*self._position(event))
        if crossed is not None and hit is not None and hit.on_cross and hit.order is not None:
            if hit.order.order_id == crossed.order_id:
                self._ask(self.trading.cancel(hit.order))
            return
        super().mouseReleaseEvent(event)

    @override
    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape and self.trading.drag is not None:
            self.trading.give_up()
            self.update()
        else:
            super().keyPressEvent(event)

    @override
    def event(self, event: QEvent) -> bool:
        if (
            isinstance(event, QKeyEvent)
            and event.type() == QEvent.Type.ShortcutOverride
            and event.key() == Qt.Key.Key_Escape
            and self.trading.drag is not None
        ):
            event.accept()  # the window's own use of the key waits for the end of a drag
            return True
        return super().event(event)

    @override
    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._note_end.stop()
        self.trading.give_up()
