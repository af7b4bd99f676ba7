"""The heatmap's pixels, kept from picture to picture: following and panning make only new ones."""

from typing import Final

import numpy as np

from widgets.chart.heatmap import HeatTiles
from widgets.chart.palette import Palette
from widgets.chart.raster import Pixels
from widgets.chart.state import Depth
from widgets.chart.view import View

_PERCENTILES: Final = (35, 99.8)
"""Sizes at the ends of the colour map: a good part of all levels is background, the walls stand out."""

_LEAST_STEPS: Final = 16
_STEPS_LET_BE: Final = 4


class HeatLayer:
    """Heatmap of one depth history.

    Attributes
    ----------
    tiles : HeatTiles
    ends : tuple of float
        Bytes at the dark and at the bright end of the colours.
    columns_made : int
        Pixel columns made by the last drawing, for the tests.
    """

    def __init__(self, depth: Depth, tick: float) -> None:
        self._depth = depth
        self.tiles = HeatTiles(depth, tick)
        self.ends = (0.0, 0.0)
        self.columns_made = 0
        self._tuned_at = 0
        self._key: tuple[object, ...] = ()
        self._left_ns = 0
        self._open_ns = 0
        self._pixels: Pixels = np.empty((0, 0), np.uint32)

    def draw(self, target: Pixels, view: View, palette: Palette, now_ns: int) -> None:
        """Fill `target`, uint32 `[view.height, view.width]`."""
        self._tune()
        key = (
            view.scale_ns,
            view.low,
            view.high,
            view.width,
            view.height,
            self.ends,
            palette,
            self.tiles.zoom(view),
        )
        begin, end = self._reuse(view) if key == self._key and not self.tiles.incomplete else (0, 0)
        if self._pixels.shape != target.shape:
            self._pixels = np.empty(target.shape, np.uint32)
        self.tiles.begin_picture()
        colours = palette.heat(*self.ends)
        self.columns_made = 0
        for first, last in ((0, begin), (end, view.width)):
            if last > first:
                cells = self.tiles.compose(view, now_ns, first, last)
                self._pixels[:, first:last] = colours.take(cells)
                self.columns_made += last - first
        target[...] = self._pixels
        self._key, self._left_ns, self._open_ns = key, view.left_ns, self.tiles.open_ns(view)

    def _reuse(self, view: View) -> tuple[int, int]:
        """Move the kept pixels to where they are now; returns the columns that need no making."""
        shift = (view.left_ns - self._left_ns) // view.scale_ns
        width = view.width
        if abs(shift) >= width:
            return 0, 0
        if shift > 0:
            self._pixels[:, : width - shift] = self._pixels[:, shift:].copy()
        elif shift < 0:
            self._pixels[:, -shift:] = self._pixels[:, :shift].copy()
        begin, end = max(0, -shift), min(width, width - shift)
        return begin, max(begin, min(end, view.x_of(self._open_ns)))

    def _tune(self) -> None:
        """Set the colours' ends by the sizes seen; small changes are let be, so that colours keep still."""
        count = self._depth.dropped + len(self._depth)
        if count <= self._tuned_at * 1.1:
            return
        self._tuned_at = count
        sample = self.tiles.sample()
        if not len(sample):
            return
        low, high = (float(value) for value in np.percentile(sample, _PERCENTILES))
        high = max(high, low + _LEAST_STEPS)
        if abs(low - self.ends[0]) > _STEPS_LET_BE or abs(high - self.ends[1]) > _STEPS_LET_BE:
            self.ends = low, high
