"""Reliability diagram: how often a side came of all rows that gave it about this probability, with counts."""

from dataclasses import dataclass
from typing import Final

from PySide6.QtCore import QPointF, QRect, QRectF, Qt
from PySide6.QtGui import QPainter, QPen, QPolygonF

from engine.messages.frames import CalibrationBin
from widgets.numbers import compact_text, size_text
from widgets.page import PAD, Ink

_SIDE: Final = 132
_FOOT: Final = 18
_ROW: Final = 13
_TABLE: Final = 118
_COUNTS_PART: Final = 0.22
_LEAST_RADIUS: Final = 2.0
_MORE_RADIUS: Final = 3.0


@dataclass(frozen=True, slots=True)
class Reliability:
    """The diagram, and where there is room its numbers beside it.

    `said` and `came` name the axes.
    """

    bins: tuple[CalibrationBin, ...]
    said: str
    came: str

    @property
    def tip(self) -> str:
        """Its numbers."""
        return self.plain()

    def height(self, _ink: Ink, _width: int) -> int:
        """Height at any width, px."""
        return _SIDE + _FOOT + PAD

    def plain(self) -> str:
        """Numbers of each group, columns parted by tabs."""
        rows = [f"{group.predicted:.3f}\t{group.realised:.3f}\t{group.count}" for group in self.bins]
        return "\n".join([f"{self.said}\t{self.came}\tn", *rows])

    def paint(self, ink: Ink, painter: QPainter, area: QRect) -> None:
        """Paint it."""
        axis = ink.numbers.width("1.0") + 4
        has_table = area.width() >= 2 * PAD + axis + _SIDE + PAD + _TABLE
        square = QRectF(PAD + axis, area.top() + PAD / 2, _SIDE, _SIDE)
        self._paint_frame(ink, painter, square)
        self._paint_counts(ink, painter, square)
        self._paint_curve(ink, painter, square)
        if has_table:
            self._paint_table(ink, painter, int(square.right()) + PAD, area)

    def _paint_frame(self, ink: Ink, painter: QPainter, square: QRectF) -> None:
        painter.setPen(ink.theme.colour("line"))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRect(square)
        painter.setPen(QPen(ink.theme.colour("quiet"), 1, Qt.PenStyle.DashLine))
        painter.drawLine(square.bottomLeft(), square.topRight())
        left, foot = int(square.left()), int(square.bottom()) + 1
        glyphs = ink.dip(painter, ink.numbers, "quiet")
        glyphs.right(painter, left - 3, int(square.top()), 12, "1")
        glyphs.right(painter, left - 3, foot - 13, 12, "0")
        glyphs.left(painter, left, foot, _FOOT - 4, "0")
        glyphs.right(painter, int(square.right()), foot, _FOOT - 4, "1")
        words = ink.dip(painter, ink.words, "quiet")
        words.centre(painter, int(square.center().x()), foot, _FOOT - 4, self.said)
        words.left(painter, left + 4, int(square.top()) + 2, 14, self.came)

    def _paint_counts(self, ink: Ink, painter: QPainter, square: QRectF) -> None:
        """Show how many rows each group has, as bars from the foot."""
        most = max(group.count for group in self.bins)
        width = square.width() / 10
        for group in self.bins:
            tall = max(1.0, _COUNTS_PART * square.height() * group.count / most)
            place = min(int(group.predicted * 10), 9)
            bar = QRectF(square.left() + place * width + 1, square.bottom() - tall, width - 2, tall)
            painter.fillRect(bar, ink.theme.colour("quiet", 0.35))

    def _paint_curve(self, ink: Ink, painter: QPainter, square: QRectF) -> None:
        most = max(group.count for group in self.bins)
        points = [
            QPointF(
                square.left() + group.predicted * square.width(),
                square.bottom() - group.realised * square.height(),
            )
            for group in self.bins
        ]
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(ink.theme.colour("signal", 0.6), 1.2))
        painter.drawPolyline(QPolygonF(points))
        painter.setPen(ink.theme.colour("panel"))
        painter.setBrush(ink.theme.colour("signal"))
        for point, group in zip(points, self.bins, strict=True):
            radius = _LEAST_RADIUS + _MORE_RADIUS * (group.count / most) ** 0.5
            painter.drawEllipse(point, radius, radius)
        painter.restore()

    def _paint_table(self, ink: Ink, painter: QPainter, left: int, area: QRect) -> None:
        """Write said, came and count of each group."""
        stops = (left + 30, left + 66, left + _TABLE)
        words = ink.dip(painter, ink.words, "quiet")
        top = area.top() + PAD // 2
        for stop, text in zip(stops, (self.said, self.came, "n"), strict=True):
            words.right(painter, stop, top, _ROW, text)
        numbers = ink.dip(painter, ink.numbers, "text")
        for group in self.bins:
            top += _ROW
            count = size_text(group.count, 0)
            cells = f"{group.predicted:.2f}", f"{group.realised:.2f}", compact_text(group.count, characters=7)
            for stop, text in zip(stops, (*cells[:2], count if len(count) <= 7 else cells[2]), strict=True):
                numbers.right(painter, stop, top, _ROW, text)
