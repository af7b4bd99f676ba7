"""Small shapes: trades as discs by size, own fills as triangles; all of a kind are drawn in one call."""

from typing import Any, Final

import numpy as np
import numpy.typing as npt
import shiboken6
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QPainter, QPen, QPixmap, QPolygonF

from engine.messages.columns import Rows
from widgets.chart.view import View
from widgets.theme import Theme

_LARGEST_RADIUS: Final = 12.0
_LEAST_RADIUS: Final = 1.3
_USUAL_PERCENT: Final = 95
_OUTSTANDING: Final = 2.5
"""Times the size that so many percent of the trades do not exceed: from there on discs grow no more."""

_RADII: Final = 28
_FRAGMENT_FLOATS: Final = 10
"""x, y, source left, top, width, height, scale x, scale y, rotation, opacity: Qt's `PixmapFragment`."""


class Sprites:
    """Pictures of one kind in a row, and a buffer that places many of them in one drawing call."""

    def __init__(self, sheet: QPixmap, cell: int) -> None:
        self._sheet, self._cell = sheet, cell
        self._fragments = np.empty((0, _FRAGMENT_FLOATS))

    def draw(
        self,
        painter: QPainter,
        x: npt.NDArray[np.floating],
        y: npt.NDArray[np.floating],
        column: npt.NDArray[np.int64],
        row: npt.NDArray[np.int64],
    ) -> None:
        """Draw the picture at `[row, column]` of the sheet centred on each point."""
        if not len(x):
            return
        if len(x) > len(self._fragments):
            self._fragments = np.empty((2 * len(x), _FRAGMENT_FLOATS))
        table = self._fragments[: len(x)]
        table[:, 0], table[:, 1] = x, y
        table[:, 2], table[:, 3] = column * self._cell, row * self._cell
        table[:, 4] = table[:, 5] = self._cell
        table[:, 6:8] = 1.0
        table[:, 8], table[:, 9] = 0.0, 1.0
        # Qt takes an array of fragments; each is ten doubles, so NumPy's buffer is one already.
        fragments: Any = shiboken6.wrapInstance(table.ctypes.data, QPainter.PixmapFragment)
        painter.drawPixmapFragments(fragments, len(x), self._sheet)


def _sheet(columns: int, rows: int, cell: int) -> QPixmap:
    sheet = QPixmap(columns * cell, rows * cell)
    sheet.fill(Qt.GlobalColor.transparent)
    return sheet


def disc_sprites(theme: Theme, scale: float) -> Sprites:
    """Discs: a row for each aggressor (none, buyer, seller), a column for each of the radii."""
    cell = int(2 * (_LARGEST_RADIUS + 2) * scale)
    sheet = _sheet(_RADII, 3, cell)
    with QPainter(sheet) as painter:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(theme.colour("panel", 0.9), scale))
        for row, token in enumerate(("quiet", "bid", "ask")):
            painter.setBrush(theme.colour(token, 0.78))
            for column in range(_RADII):
                radius = _radius(column) * scale
                painter.drawEllipse(QPointF((column + 0.5) * cell, (row + 0.5) * cell), radius, radius)
    return Sprites(sheet, cell)


def _radius(column: int) -> float:
    return max(_LEAST_RADIUS, _LARGEST_RADIUS * column / (_RADII - 1))


def triangle_sprites(theme: Theme, scale: float) -> Sprites:
    """Two triangles whose tips are at the middle of the cell: buys point up to their price, sells down."""
    cell = int(26 * scale)
    sheet = _sheet(2, 1, cell)
    with QPainter(sheet) as painter:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(theme.colour("panel"), 1.5 * scale))
        for column, (token, down) in enumerate((("bid", 1), ("ask", -1))):
            tip = QPointF((column + 0.5) * cell, 0.5 * cell)
            painter.setBrush(theme.colour(token))
            half, tall = 6 * scale, 10 * scale * down
            painter.drawPolygon(QPolygonF([tip, tip + QPointF(-half, tall), tip + QPointF(half, tall)]))
    return Sprites(sheet, cell)


def draw_trades(painter: QPainter, sprites: Sprites, trades: Rows, view: View) -> None:
    """Draw trades as discs whose area grows with the size, the large ones first.

    The largest few have all the same disc, or one block trade would shrink all others to dots.
    """
    if not len(trades):
        return
    trades = trades[np.argsort(-trades["size"], kind="stable")]
    largest = _OUTSTANDING * float(trades["size"][len(trades) * (100 - _USUAL_PERCENT) // 100])
    part = np.sqrt(np.minimum(trades["size"] / max(largest, 1e-300), 1.0))
    x = view.x_array(trades["ts"]) + 0.5
    y = (view.high - trades["price"]) / view.price_per_pixel
    sprites.draw(painter, x, y, np.rint(part * (_RADII - 1)).astype(np.int64), trades["aggressor"])


def one_per_pixel(
    x: npt.NDArray[np.int64], y: npt.NDArray[np.int64], kind: npt.NDArray[np.int64], cell: int
) -> npt.NDArray[np.intp]:
    """Indices of the newest of all marks of a kind that lie on each other, to the nearest `cell` pixels."""
    key = ((x // cell) << 24) + ((y // cell + (1 << 20)) << 2) + kind
    _, newest = np.unique(key[::-1], return_index=True)
    return np.sort(len(key) - 1 - newest)
