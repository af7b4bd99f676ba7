"""The depth heatmap as bytes per pixel, from tiles of the history at the zoom that the screen needs.

A column of depth is some eighty levels; an hour has 3,600 of them. Each tile holds 128 columns of one zoom as
an image of price rows; a coarser tile is made of two finer ones. A view is then cut out of at most some
sixteen tiles, however long the history is, and each tile is made once. A level's byte is its size on a
logarithmic scale with fixed steps, so colours may be re-tuned without touching the tiles.
"""

from collections import OrderedDict
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
import numpy.typing as npt

from widgets.chart.state import Depth
from widgets.chart.view import View

type Bytes = npt.NDArray[np.uint8]

_TILE: Final = 128
_STEPS_PER_OCTAVE: Final = 8
_ROOM_BELOW: Final = 64
"""Steps under the first column's smallest size that are still told apart."""

_MAX_ROWS: Final = 8192
"""Rows of one tile: levels farther than half of that from the tile's middle are not painted."""

_KEPT_BYTES: Final = 96 << 20
_BUILT_PER_FRAME: Final = 24
_HOLD: Final = 3
"""A column counts until the next one, at most for so many intervals."""


@dataclass(frozen=True, slots=True, eq=False)
class _Tile:
    """`cells` is uint8 `[rows, 128]`, row 0 has the number `base`; `columns` is how many it was made of."""

    cells: Bytes
    base: int
    columns: int


_EMPTY = _Tile(np.zeros((0, _TILE), np.uint8), 0, 0)


class HeatTiles:
    """Tiles of one depth history.

    Parameters
    ----------
    depth : Depth
    tick : float
        Price step of one row at the finest zoom.

    Attributes
    ----------
    incomplete : bool
        Whether the last picture lacks tiles that the next ones will bring.
    columns_read : int
        Depth columns read since the start, for the tests.
    """

    def __init__(self, depth: Depth, tick: float) -> None:
        self._depth, self._tick = depth, tick
        self._tiles: OrderedDict[tuple[int, int, int], _Tile] = OrderedDict()
        self._bytes = 0
        self._budget = _BUILT_PER_FRAME
        self._anchor: float | None = None
        self._interval = self._interval_of = 0
        self.incomplete = False
        self.columns_read = 0

    def sizes_of(self, steps: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Sizes that these bytes stand for."""
        return (self._anchor or 1.0) * 2.0 ** ((steps - 1 - _ROOM_BELOW) / _STEPS_PER_OCTAVE)

    def sample(self) -> Bytes:
        """Bytes of levels from 64 columns spread over the history, to tune colours by."""
        count = len(self._depth)
        if not count:
            return np.zeros(0, np.uint8)
        sizes = self._depth.rows["size"][np.unique(np.linspace(0, count - 1, 64).astype(np.int64))]
        return self._steps(sizes[sizes > 0])

    def zoom(self, view: View) -> tuple[int, int]:
        """How often columns, and rows, are merged by twos so that at most one falls on a pixel."""
        self._learn_interval()
        coarse = _octaves(view.scale_ns / self._interval) if self._interval else 0
        return coarse, _octaves(view.price_per_pixel / self._tick)

    def open_ns(self, view: View) -> int:
        """Time from which the next column may change a picture of this view."""
        if not len(self._depth):
            return view.left_ns
        merged = self.zoom(view)[0]
        newest = self._depth.dropped + len(self._depth) - 1
        first = max((newest >> merged << merged) - self._depth.dropped, 0)
        return int(self._depth.times[first])

    def begin_picture(self) -> None:
        """Allow as many new tiles as one picture may cost; `incomplete` is about it from now on."""
        self._budget, self.incomplete = _BUILT_PER_FRAME, False

    def compose(self, view: View, now_ns: int, begin: int = 0, end: int | None = None) -> Bytes:
        """Cut pixel columns `begin` to below `end` of the view out of the tiles.

        Returns
        -------
        uint8 array `[view.height, end - begin]`
            0 where there is no level.
        """
        end = view.width if end is None else end
        out = np.zeros((view.height, end - begin), np.uint8)
        columns, first, last = self._columns_of_pixels(view, now_ns, begin, end)
        if first >= last:
            return out
        coarse, coarse_rows = self.zoom(view)
        centres = view.high - (np.arange(view.height) + 0.5) * view.price_per_pixel
        rows = np.floor(centres / self._tick + 0.5).astype(np.int64) >> coarse_rows
        texels = columns[first:last] >> coarse
        tiles = texels // _TILE
        bounds = [0, *(np.flatnonzero(np.diff(tiles)) + 1).tolist(), len(tiles)]
        # The newest first: where the budget ends, what is missing is the oldest.
        for start, stop in reversed(list(pairwise(bounds))):
            tile = self._tile(coarse, coarse_rows, int(tiles[start]))
            _cut(tile, rows, texels[start:stop] % _TILE, out[:, first + start : first + stop])
        self._blank_gaps(view, columns, begin, out)
        return out

    def _learn_interval(self) -> None:
        """Median time between columns; the session's own interval, so it is learnt from the first few."""
        if self._interval_of < 64 and len(self._depth) > max(1, 2 * self._interval_of):
            self._interval_of = len(self._depth)
            self._interval = int(np.median(np.diff(self._depth.times[:256])))

    def _columns_of_pixels(
        self, view: View, now_ns: int, begin: int, end: int
    ) -> tuple[npt.NDArray[np.int64], int, int]:
        """Newest column at the end of each pixel (its number ever), and the first and last pixel with one."""
        times = self._depth.times
        ends = view.left_ns + np.arange(begin + 1, end + 1, dtype=np.int64) * view.scale_ns
        known = times.searchsorted(ends) - 1
        if not len(times):
            return known, 0, 0
        last = min(end, view.x_of(max(now_ns, int(times[-1]))) + 1) - begin
        return known + self._depth.dropped, int((known < 0).sum()), last

    def _blank_gaps(self, view: View, columns: npt.NDArray[np.int64], begin: int, out: Bytes) -> None:
        """Clear the pixels where the book was not recorded: the last column is too old there."""
        if not self._interval:
            return
        local = np.maximum(columns - self._depth.dropped, 0)
        ages = view.left_ns + np.arange(begin, begin + len(columns), dtype=np.int64) * view.scale_ns
        ages -= self._depth.times[local]
        gaps = ages > _HOLD * self._interval
        if gaps.any():
            out[:, gaps] = 0

    def _tile(self, coarse: int, coarse_rows: int, number: int) -> _Tile:
        """Tile of this zoom, from the cache where it is up to date."""
        width = _TILE << coarse
        total = self._depth.dropped + len(self._depth)
        due = min(max(total - number * width, 0), width)
        key = coarse, coarse_rows, number
        known = self._tiles.get(key)
        if known is not None and known.columns == due:
            self._tiles.move_to_end(key)
            return known
        if due == 0:
            return _EMPTY
        if coarse == 0:
            tile = self._from_depth(coarse_rows, number)
        else:
            tile = _joined(
                self._tile(coarse - 1, coarse_rows, 2 * number),
                self._tile(coarse - 1, coarse_rows, 2 * number + 1),
            )
        if tile.columns == due or known is None:
            self._keep(key, tile)
        return tile

    def _keep(self, key: tuple[int, int, int], tile: _Tile) -> None:
        old = self._tiles.pop(key, None)
        self._bytes += tile.cells.size - (old.cells.size if old else 0)
        self._tiles[key] = tile
        while self._bytes > _KEPT_BYTES and len(self._tiles) > 1:
            self._bytes -= self._tiles.popitem(last=False)[1].cells.size

    def _from_depth(self, coarse_rows: int, number: int) -> _Tile:
        if self._budget <= 0:
            self.incomplete = True
            return _EMPTY
        self._budget -= 1
        start = number * _TILE - self._depth.dropped
        some = self._depth.rows[max(start, 0) : max(start + _TILE, 0)]
        self.columns_read += len(some)
        sizes = some["size"].reshape(len(some), -1)
        column, level = np.nonzero(sizes > 0)
        if not len(column):
            return _Tile(_EMPTY.cells, 0, len(some))
        prices = some["price"].reshape(len(some), -1)[column, level]
        row = np.rint(prices / self._tick).astype(np.int64) >> coarse_rows
        base, top = _row_range(row)
        inside = (row >= base) & (row < top)
        cells = np.zeros((top - base, _TILE), np.uint8)
        place = (row - base) * _TILE + column - min(start, 0)
        np.maximum.at(cells.reshape(-1), place[inside], self._steps(sizes[column, level])[inside])
        return _Tile(cells, base, len(some) - min(start, 0))

    def _steps(self, sizes: npt.NDArray[np.float32]) -> Bytes:
        """Sizes on the logarithmic scale of bytes, 1 to 255."""
        if self._anchor is None and len(sizes):
            self._anchor = float(sizes.min())
        steps = np.rint(_STEPS_PER_OCTAVE * np.log2(sizes / (self._anchor or 1.0))) + 1 + _ROOM_BELOW
        cells: Bytes = np.clip(steps, 1, 255).astype(np.uint8)
        return cells


def _octaves(ratio: float) -> int:
    """How often to halve so that at most one cell falls on a pixel."""
    return max(0, int(np.ceil(np.log2(ratio)))) if ratio > 1 else 0


def _row_range(rows: npt.NDArray[np.int64]) -> tuple[int, int]:
    base, top = int(rows.min()), int(rows.max()) + 1
    if top - base > _MAX_ROWS:
        middle = int(np.median(rows))
        base, top = middle - _MAX_ROWS // 2, middle + _MAX_ROWS // 2
    return base, top


def _cut(tile: _Tile, rows: npt.NDArray[np.int64], columns: npt.NDArray[np.int64], out: Bytes) -> None:
    """Write a tile's cells where `rows` (descending) and `columns` ask for them."""
    wanted = rows - tile.base
    inside = (wanted >= 0) & (wanted < len(tile.cells))
    if not inside.any():
        return
    first = int(inside.argmax())
    last = len(inside) - int(inside[::-1].argmax())
    out[first:last] = tile.cells.take(wanted[first:last], axis=0).take(columns, axis=1)


def _joined(left: _Tile, right: _Tile) -> _Tile:
    """One coarser tile of two neighbours: the larger of each two columns."""
    parts = [part for part in (left, right) if len(part.cells)]
    columns = left.columns + right.columns
    if not parts:
        return _Tile(_EMPTY.cells, 0, columns)
    base = min(part.base for part in parts)
    top = max(part.base + len(part.cells) for part in parts)
    cells = np.zeros((top - base, _TILE), np.uint8)
    for part, offset in ((left, 0), (right, _TILE // 2)):
        rows = slice(part.base - base, part.base - base + len(part.cells))
        np.maximum(part.cells[:, 0::2], part.cells[:, 1::2], out=cells[rows, offset : offset + _TILE // 2])
    return _Tile(cells, base, columns)
