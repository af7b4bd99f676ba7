"""The run as a line: where it is, what was filled where, bookmarks and loop marks; drag on it to seek."""

from collections.abc import Sequence
from typing import Final, override

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QLineF, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFontMetrics, QMouseEvent, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from widgets.numbers import date_time_text, mono_font, time_text
from widgets.theme import Theme

_TRACK_Y: Final = 11.5
_TOP: Final = 1
_BOTTOM: Final = 22
_LABELS: Final = 23
"""Below everything that moves along the line, so that no mark hides a time."""
_MARGIN: Final = 8
_DAY_NS: Final = 86_400_000_000_000

type Times = npt.NDArray[np.int64]


class Timeline(QWidget):
    """Shows a run's span and asks to seek; every time is ns UTC.

    Signals
    -------
    sought(int)
        The person let go at this market time.
    """

    sought = Signal(object)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._start = self._end = self._now = 0
        self._loop: tuple[int, int] | None = None
        self._loop_start: int | None = None
        self._bookmarks: tuple[int, ...] = ()
        self._buys: Times = np.empty(0, np.int64)
        self._sells: Times = np.empty(0, np.int64)
        self._dragged_to: int | None = None
        self._precision = 3
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setMouseTracking(True)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setAccessibleName(self.tr("Timeline"))

    def set_theme(self, theme: Theme) -> None:
        """Paint in these colours."""
        self._theme = theme
        self.update()

    def set_span(self, start: int, end: int, now: int) -> None:
        """Show a run from `start` to `end` that stands at `now`; equal ends are no run."""
        moved = self._x(now) != self._x(self._now) or (start, end) != (self._start, self._end)
        self._start, self._end, self._now = start, end, now
        if moved:
            self.update()

    def set_loop(self, loop: tuple[int, int] | None, pending_start: int | None) -> None:
        """Shade the loop, or show its first mark while the second is not set."""
        if (loop, pending_start) != (self._loop, self._loop_start):
            self._loop, self._loop_start = loop, pending_start
            self.update()

    def set_bookmarks(self, bookmarks: Sequence[int]) -> None:
        """Flag these times."""
        self._bookmarks = tuple(bookmarks)
        self.update()

    def set_fills(self, buys: Times, sells: Times) -> None:
        """Mark fills: buys above the line, sells below it."""
        self._buys, self._sells = buys, sells
        self.update()

    def set_time_precision(self, digits: int) -> None:
        """Digits of the second that hovered times show."""
        self._precision = digits

    def time_at(self, x: float) -> int:
        """Market time under a pixel."""
        share = min(max((x - _MARGIN) / max(self.width() - 2 * _MARGIN, 1), 0.0), 1.0)
        return self._start + round(share * (self._end - self._start))

    def _x(self, ts: int) -> int:
        span = self._end - self._start
        share = (ts - self._start) / span if span > 0 else 0.0
        return _MARGIN + round(share * (self.width() - 2 * _MARGIN))

    def _columns(self, times: Times) -> npt.NDArray[np.int64]:
        share = (times - self._start) / max(self._end - self._start, 1)
        return np.unique(np.rint(_MARGIN + share * (self.width() - 2 * _MARGIN)).astype(np.int64))

    def _label(self, ts: int, precision: int) -> str:
        spans_days = self._end // _DAY_NS != self._start // _DAY_NS
        return date_time_text(ts, precision) if spans_days else time_text(ts, precision)

    # Qt

    @override
    def sizeHint(self) -> QSize:
        return QSize(400, 36)

    @override
    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() is Qt.MouseButton.LeftButton and self._end > self._start:
            self._dragged_to = self.time_at(event.position().x())
            self.update()

    @override
    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._end <= self._start:
            return
        ts = self.time_at(event.position().x())
        if self._dragged_to is not None:
            self._dragged_to = ts
            self.update()
        QToolTip.showText(event.globalPosition().toPoint(), self._label(ts, self._precision), self)

    @override
    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if event.button() is Qt.MouseButton.LeftButton and self._dragged_to is not None:
            self._dragged_to = None
            self.update()
            self.sought.emit(self.time_at(event.position().x()))

    @override
    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        theme = self._theme
        painter.fillRect(self.rect(), theme.colour("panel"))
        right = self.width() - _MARGIN
        painter.setPen(QPen(theme.colour("line"), 2))
        painter.drawLine(QPointF(_MARGIN, _TRACK_Y), QPointF(right, _TRACK_Y))
        if self._end <= self._start:
            return
        self._paint_loop(painter)
        painter.setPen(QPen(theme.colour("signal"), 2))
        painter.drawLine(QPointF(_MARGIN, _TRACK_Y), QPointF(self._x(self._now), _TRACK_Y))
        self._paint_fills(painter)
        self._paint_bookmarks(painter)
        self._paint_head(painter, self._x(self._now), "text")
        if self._dragged_to is not None:
            self._paint_head(painter, self._x(self._dragged_to), "signal")
        self._paint_labels(painter)

    def _paint_labels(self, painter: QPainter) -> None:
        painter.setFont(mono_font(10))
        painter.setPen(self._theme.colour("quiet"))
        start, end = self._label(self._start, 0), self._label(self._end, 0)
        box = QRectF(_MARGIN, _LABELS, self.width() - 2 * _MARGIN, self.height() - _LABELS)
        painter.drawText(box, Qt.AlignmentFlag.AlignLeft, start)
        if QFontMetrics(painter.font()).horizontalAdvance(f"{start}  {end}") <= box.width():
            painter.drawText(box, Qt.AlignmentFlag.AlignRight, end)

    def _paint_loop(self, painter: QPainter) -> None:
        colour = self._theme.colour("warning")
        if self._loop is not None:
            left, right = self._x(self._loop[0]), self._x(self._loop[1])
            painter.fillRect(
                QRectF(left, _TOP, max(right - left, 1), _BOTTOM - _TOP), self._theme.colour("warning", 0.18)
            )
        marks = self._loop or ((self._loop_start,) if self._loop_start is not None else ())
        painter.setPen(QPen(colour, 1))
        for mark in marks:
            painter.drawLine(QPointF(self._x(mark) + 0.5, _TOP), QPointF(self._x(mark) + 0.5, _BOTTOM))

    def _paint_fills(self, painter: QPainter) -> None:
        for times, token, near, far in (
            (self._buys, "bid", _TRACK_Y - 2, _TRACK_Y - 8),
            (self._sells, "ask", _TRACK_Y + 2, _TRACK_Y + 8),
        ):
            if len(times):
                painter.setPen(QPen(self._theme.colour(token), 1))
                painter.drawLines(
                    [QLineF(x + 0.5, near, x + 0.5, far) for x in self._columns(times).tolist()]
                )

    def _paint_bookmarks(self, painter: QPainter) -> None:
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self._theme.colour("warning"))
        for ts in self._bookmarks:
            if self._start <= ts <= self._end:
                x = self._x(ts)
                painter.drawPolygon(QPolygonF([QPointF(x - 3, 0), QPointF(x + 4, 0), QPointF(x + 0.5, 6)]))

    def _paint_head(self, painter: QPainter, x: int, token: str) -> None:
        painter.fillRect(QRectF(x - 1, _TOP, 3, _BOTTOM - _TOP), self._theme.colour(token))
