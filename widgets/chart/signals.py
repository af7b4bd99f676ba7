"""Signals over the chart: a mark at each change of the model's decision, hollow where no order came of it."""

from typing import Final

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QLineF, QPointF, Qt
from PySide6.QtGui import QColor, QPainter, QPen, QPixmap, QPolygonF

from widgets.chart.layout import Layout
from widgets.chart.marks import Sprites, one_per_pixel
from widgets.chart.state import ChartSignals
from widgets.chart.view import View
from widgets.signals.words import SignalRecord
from widgets.theme import Theme

_HALF: Final = 6.0
_SMALL_HALF: Final = 3.5
_CROWDED: Final = 10
"""Logical pixels of width per mark below which marks are small, so that prices stay in sight."""

_AWAY: Final = 20
"""Logical pixels between an entry's mark and its price: fills stand in between."""

_CELL: Final = 5
_REACH: Final = 8
"""Logical pixels from a mark within which the mouse points at it."""

type _Pixels = npt.NDArray[np.int64]


def kind_of(direction: npt.NDArray[np.int8]) -> _Pixels:
    """Column of the sprites: long, short, exit."""
    return np.where(direction > 0, 0, np.where(direction < 0, 1, 2)).astype(np.int64)


def signal_sprites(theme: Theme, scale: float, half: float = _HALF) -> Sprites:
    """Arrows up and down and a cross, each hollow in the first row and full in the second.

    `half` is half their size, logical pixels.
    """
    cell = int(2 * (half + 3) * scale)
    sheet = QPixmap(3 * cell, 2 * cell)
    sheet.fill(Qt.GlobalColor.transparent)
    colour, ground = QColor(theme.signal), QColor(theme.panel)
    half *= scale
    with QPainter(sheet) as painter:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for row in (0, 1):
            full = row == 1
            for column, way in enumerate((1, -1)):
                middle = QPointF((column + 0.5) * cell, (row + 0.5) * cell)
                painter.setBrush(colour if full else theme.colour("panel", 0.75))
                painter.setPen(QPen(ground if full else colour, 1.5 * scale))
                tip, foot = QPointF(0, -half * way), half * way
                corners = [tip, QPointF(-half, foot), QPointF(half, foot)]
                painter.drawPolygon(QPolygonF([middle + corner for corner in corners]))
            arm = 0.7 * half
            middle = QPointF(2.5 * cell, (row + 0.5) * cell)
            for pen in (QPen(ground, 0.7 * half), QPen(colour, (0.4 if full else 0.2) * half)):
                painter.setPen(pen)
                for rise in (arm, -arm):
                    painter.drawLine(QLineF(middle + QPointF(-arm, -rise), middle + QPointF(arm, rise)))
    return Sprites(sheet, cell)


class SignalLayer:
    """Marks of one market's signals.

    Attributes
    ----------
    drawn : int
        Marks of the last drawing, for the tests.
    """

    def __init__(self, signals: ChartSignals) -> None:
        self.signals = signals
        self.drawn = 0
        self._sprites: dict[float, Sprites] = {}
        self._made_for: tuple[Theme, int] | None = None

    @property
    def version(self) -> int:
        """Grows with every change of any signal of the epoch."""
        return self.signals.records.version

    def draw(self, painter: QPainter, view: View, layout: Layout, theme: Theme) -> None:
        """Draw the marks in sight, the newest where several would lie on each other."""
        if self._made_for != (theme, layout.scale):
            self._made_for = theme, layout.scale
            self._sprites = {half: signal_sprites(theme, layout.scale, half) for half in (_HALF, _SMALL_HALF)}
        first, x, y = self._places(view, layout.scale)
        marks = self.signals.marks[first : first + len(x)]
        kind = kind_of(marks["direction"])
        some = one_per_pixel(x, y, kind, _CELL * layout.scale)
        self.drawn = len(some)
        if len(some):
            painter.setClipRect(0, 0, layout.price.right, layout.price.bottom)
            full = marks["traded"][some].astype(np.int64)
            is_crowded = len(some) * _CROWDED * layout.scale > view.width
            sprites = self._sprites[_SMALL_HALF if is_crowded else _HALF]
            sprites.draw(painter, x[some] + 0.5, y[some] + 0.5, kind[some], full)
            painter.setClipping(False)

    def at(self, view: View, layout: Layout, point: tuple[int, int]) -> SignalRecord | None:
        """Signal whose mark is under a point, the newest of several; None where there is none."""
        first, x, y = self._places(view, layout.scale)
        reach = _REACH * layout.scale
        near = np.flatnonzero((np.abs(x - point[0]) <= reach) & (np.abs(y - point[1]) <= reach))
        return self.signals.records.rows[first + int(near[-1])] if len(near) else None

    def _places(self, view: View, scale: int) -> tuple[int, _Pixels, _Pixels]:
        """Index of the first signal in sight, and the pixels of all of them."""
        marks = self.signals.marks
        first, last = np.searchsorted(marks["ts"], (view.left_ns, view.right_ns))
        marks = marks[first:last]
        y = view.y_array(marks["price"]) + _AWAY * scale * marks["direction"].astype(np.int64)
        return int(first), view.x_array(marks["ts"]), y
