"""The ladder to look at: one painted widget that repaints only the rows whose content changed."""

import time
from typing import Final, override

from PySide6.QtCore import QEvent, QPoint, QRect, Qt, QTimer, Signal
from PySide6.QtGui import (
    QColor,
    QHelpEvent,
    QHideEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QToolTip, QWidget

from widgets.book.flash import Flashes
from widgets.book.foot import notice_text, paint_foot
from widgets.book.layout import Layout
from widgets.book.paint import UNTOUCHED, Brushes, RowPainter, Touch
from widgets.book.rows import Grid, Picture, Row, choose_group, mid_points, picture
from widgets.book.state import Book, BookMarket, Queues, WorkingOrders
from widgets.book.window import RowWindow
from widgets.chrome import paint_empty
from widgets.numbers import size_text
from widgets.theme import Theme

_WHEEL_ROWS: Final = 3


class BookView(QWidget):
    """Rows of prices with the book around them.

    Signals
    -------
    follow_changed(bool)
        The user scrolled away from the market, or came back to it.
    """

    follow_changed = Signal(bool)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self.setMinimumSize(224, 120)
        self.window_rows = RowWindow()
        self.group: int | None = None
        self._theme = theme
        self._rows = RowPainter(Brushes(theme))
        self._market: BookMarket | None = None
        self._orders: WorkingOrders | None = None
        self._queues: Queues | None = None
        self._picture: Picture | None = None
        self._notice = ""
        self._hovered: int | None = None
        self._price_width = 0
        self._flashes = Flashes()
        self._flash_end = QTimer(self)
        self._flash_end.setSingleShot(True)
        self._flash_end.setTimerType(Qt.TimerType.PreciseTimer)
        self._flash_end.timeout.connect(self._on_flash_ended)

    # What is shown

    @property
    def shown(self) -> Picture | None:
        """What is on the screen; None while there is nothing to show."""
        return self._picture

    @property
    def layout_now(self) -> Layout:
        """Where its rows and columns lie."""
        return self._rows.layout

    def set_theme(self, theme: Theme) -> None:
        """Repaint in another theme."""
        self._theme = theme
        self._rows.brushes = Brushes(theme)
        self.update()

    def set_logarithmic(self, on: bool) -> None:  # noqa: FBT001 -- a Qt slot
        """Draw size bars on a logarithmic scale."""
        self._rows.sizes.logarithmic = on
        self.update()

    def set_group(self, group: int | None) -> None:
        """Show this many ticks per row; None chooses so that the book fits."""
        self.group = group
        self.window_rows.place_anew()
        self.rebuild()

    def back_to_now(self) -> None:
        """Centre on the market and follow it again."""
        self.window_rows.back_to_now()
        self.rebuild()
        self.follow_changed.emit(True)

    def show_market(
        self, market: BookMarket | None, orders: WorkingOrders | None, queues: Queues | None = None
    ) -> None:
        """Show another instrument (or another run of it), from its centre."""
        self._market, self._orders, self._queues = market, orders, queues
        self._rows.instrument = market.instrument if market else None
        self._rows.forget_prices()
        self._rows.sizes.full = self._rows.traded.full = 0.0
        self._flashes.clear()
        self._picture = None
        self.window_rows.back_to_now()
        self.rebuild()

    def rebuild(self) -> None:
        """Compute the rows from the book and repaint those that differ."""
        new = self._compute()
        old, self._picture = self._picture, new
        if new is None:
            self.update()
            return
        rescaled = self._rows.sizes.settle(new.largest) | self._rows.traded.settle(new.largest_traded)
        comparable = old is not None and old.grid == new.grid and len(old.rows) == len(new.rows)
        if old is None or not comparable or rescaled or old.rows[0].row != new.rows[0].row:
            if old is not None and comparable:
                self._flash(old, new)
            self.update()
            return
        self._flash(old, new)
        bests_moved = (old.best_bid, old.best_ask) != (new.best_bid, new.best_ask)
        for index, (before, after) in enumerate(zip(old.rows, new.rows, strict=True)):
            if bests_moved or before != after:
                self._update_row(index)
        self.update(0, self._rows.layout.foot_top, self.width(), self.height())

    def _compute(self) -> Picture | None:
        if self._market is None or self._orders is None:
            return None
        book, instrument = self._market.book, self._market.instrument
        ticks = Grid.of(instrument)
        mid = mid_points(ticks, book)
        if mid is None and self._picture is None:
            return None
        self._notice = notice_text(book)
        self._fit(ticks, mid)
        # What is pressed stays under the mouse until it is let go.
        held = self._picture if self._is_held else None
        grid = held.grid if held else Grid.of(instrument, self.group or self._automatic_group(ticks, book))
        if self._picture is not None and self._picture.grid != grid:
            self.window_rows.top = self.window_rows.top * self._picture.grid.group // grid.group
            self.window_rows.place_anew()
            self._rows.sizes.full = self._rows.traded.full = 0.0
        if mid is not None and held is None:
            self.window_rows.follow(mid / grid.row_points)
        orders, window = self._orders.working(instrument.id), self.window_rows
        return picture(grid, book, orders, window.top, window.count, self._queues)

    def _automatic_group(self, ticks: Grid, book: Book) -> int:
        shown, window = self._picture, self.window_rows
        kept = shown.grid.group if shown and window.placed and len(shown.rows) == window.count else None
        return choose_group(ticks, book, window.rows_a_side, kept)

    def _fit(self, ticks: Grid, mid: float | None) -> None:
        width = self._rows.price_width(ticks, mid) if mid is not None else self._price_width
        self._price_width = width
        fitted = Layout.fit(self.width(), self.height(), width, 4 if self._notice else 3)
        if fitted != self._rows.layout:
            self._rows.layout = fitted
            self.update()
        self.window_rows.resize(fitted.count)

    def _update_row(self, index: int) -> None:
        layout = self._rows.layout
        self.update(0, layout.row_top(index), layout.width, layout.row_height)

    # Flashes

    def _flash(self, old: Picture, new: Picture) -> None:
        if not self.isVisible():
            return
        now = time.monotonic()
        self._flashes.note(old, new, now)
        rest = self._flashes.rest_ms(now)
        if rest is not None and not self._flash_end.isActive():
            self._flash_end.start(rest)

    def _on_flash_ended(self) -> None:
        now = time.monotonic()
        for row in self._flashes.end(now):
            if self._picture is not None:
                self._update_row(self._picture.rows[0].row - row)
        rest = self._flashes.rest_ms(now)
        if rest is not None:
            self._flash_end.start(rest)

    # Scrolling and pointing

    def scroll_rows(self, rows: int) -> None:
        """Move the view up by so many rows, away from the market."""
        if self._picture is None:
            return
        was_following = self.window_rows.following
        self.window_rows.scroll(rows)
        self.rebuild()
        if was_following:
            self.follow_changed.emit(False)

    def _hover(self, index: int | None) -> None:
        for changed in {self._hovered, index} - {None}:
            if changed is not None:
                self._update_row(changed)
        self._hovered = index

    def _tip(self, position: QPoint) -> str:
        index = self._rows.layout.row_at(position.y())
        if index is None or self._picture is None or self._market is None:
            return ""
        row = self._picture.rows[index]
        precision = self._market.instrument.size_precision
        lines = [str(self._picture.grid.price(row.row))]
        for title, size in (
            (self.tr("Bid"), row.bid),
            (self.tr("Ask"), row.ask),
            (self.tr("Bought"), row.bought),
            (self.tr("Sold"), row.sold),
            (self.tr("Last trade"), row.last_size),
        ):
            if size:
                lines.append(f"{title} {size_text(size, precision)}")
        return "\n".join(lines + self._own_lines(row))

    # What trading adds

    @property
    def _is_held(self) -> bool:
        """Whether rows must stay where they are."""
        return False

    def _touch(self, index: int) -> Touch:
        """What the mouse does to a row."""
        return Touch(hover=True) if index == self._hovered else UNTOUCHED

    def _hint(self) -> tuple[str, QColor]:
        """What a click would do, and its colour."""
        return "", self._rows.brushes.quiet

    def _own_lines(self, _row: Row) -> list[str]:
        """Own orders of a row, for its tip."""
        return []

    # Qt

    @override
    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        if self._picture is None:
            self._paint_nothing(painter)
            return
        layout, area = self._rows.layout, event.rect()
        now = time.monotonic()
        damaged = event.region()
        for index in range(len(self._picture.rows)):
            place = QRect(0, layout.row_top(index), layout.width, layout.row_height)
            if damaged.intersects(place):
                row = self._picture.rows[index].row
                self._rows.row(
                    painter,
                    self._picture,
                    index,
                    flash=self._flashes.on(row, now),
                    touch=self._touch(index),
                )
        bottom = layout.row_top(len(self._picture.rows))
        painter.fillRect(0, bottom, layout.width, layout.foot_top - bottom, self._rows.brushes.panel)
        if area.top() < layout.row_top(0):
            painter.setFont(self._rows.text.font)
            self._rows.head(painter, self._titles())
        if area.bottom() >= layout.foot_top:
            paint_foot(painter, self._rows, self._picture, self._notice, self._hint())

    def _titles(self) -> tuple[str, ...]:
        own = self.tr("Own")
        return own, self.tr("Bid"), self.tr("Price"), self.tr("Ask"), own, self.tr("Volume")

    def _paint_nothing(self, painter: QPainter) -> None:
        if self._market is None:
            title = self.tr("No instrument")
            hint = self.tr(
                "Start a replay or the demo; its order book appears here, best prices in the middle."
            )
        else:
            title = self.tr("No order book yet")
            hint = self.tr("It fills with the first quote or book update: press play, or step.")
        paint_empty(painter, self.rect(), self._theme, title, hint)

    @override
    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.rebuild()

    @override
    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._flash_end.stop()
        self._flashes.clear()

    @override
    def wheelEvent(self, event: QWheelEvent) -> None:
        notches = event.angleDelta().y() / 120
        rows = round(notches * _WHEEL_ROWS) or (1 if notches > 0 else -1 if notches < 0 else 0)
        self.scroll_rows(rows)
        event.accept()

    @override
    def keyPressEvent(self, event: QKeyEvent) -> None:
        page = max(1, self.window_rows.count - 2)
        steps = {
            Qt.Key.Key_Up: 1,
            Qt.Key.Key_Down: -1,
            Qt.Key.Key_PageUp: page,
            Qt.Key.Key_PageDown: -page,
        }
        if event.key() == Qt.Key.Key_Home:
            self.back_to_now()
        elif (rows := steps.get(Qt.Key(event.key()))) is not None:
            self.scroll_rows(rows)
        else:
            super().keyPressEvent(event)

    @override
    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self._hover(self._rows.layout.row_at(round(event.position().y())))

    @override
    def leaveEvent(self, event: QEvent) -> None:
        self._hover(None)
        super().leaveEvent(event)

    @override
    def event(self, event: QEvent) -> bool:
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            QToolTip.showText(event.globalPos(), self._tip(event.pos()), self)
            return True
        return super().event(event)
