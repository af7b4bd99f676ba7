"""The chart's colours as pixels, made once per theme: the heatmap's colour map, the lines' mixes."""

from typing import Final

import numpy as np
import numpy.typing as npt
from PySide6.QtGui import QColor

from widgets.chart.raster import Pixels, mixed, pixel
from widgets.theme import Theme

_FLOOR: Final = 0.07
"""Where on the colour map the smallest level starts: the book's extent shall be visible against no book."""

_BEND: Final = 1.6
"""Above 1, middling sizes stay dark and large ones stand out."""


class Palette:
    """Pixels of one theme."""

    def __init__(self, theme: Theme) -> None:
        panel = QColor(theme.panel)
        self.ground = pixel(panel)
        self.bid, self.ask = pixel(QColor(theme.bid)), pixel(QColor(theme.ask))
        self.bid_line, self.ask_line = (mixed(QColor(c), panel, 0.9) for c in (theme.bid, theme.ask))
        self.bar_bought, self.bar_sold = (mixed(QColor(c), panel, 0.7) for c in (theme.bid, theme.ask))
        self.text = mixed(QColor(theme.text), panel, 0.88)
        self.total = pixel(QColor(theme.quiet))
        self.ramp = _ramp(theme.heat, 256)

    def heat(self, low: float, high: float) -> Pixels:
        """Pixel of each byte of the heatmap, uint32 `[256]`; `low` is dark, `high` and above bright."""
        part = np.clip((np.arange(256) - low) / max(high - low, 1.0), 0.0, 1.0)
        entries: Pixels = self.ramp[np.rint(255 * (_FLOOR + (1 - _FLOOR) * part**_BEND)).astype(np.int64)]
        entries[0] = self.ground
        return entries


def legend_steps(low: float, high: float, count: int) -> npt.NDArray[np.float64]:
    """Bytes of `count` evenly spaced places of the legend, from `low` to `high`."""
    return np.linspace(low, high, count)


def _ramp(colours: list[str], entries: int) -> Pixels:
    """Colours of a map, interpolated between neighbours."""
    parts = [QColor(colour) for colour in colours]
    table = np.array([(c.red(), c.green(), c.blue()) for c in parts], np.float64)
    places = np.linspace(0, len(colours) - 1, entries)
    red, green, blue = (
        np.rint(np.interp(places, np.arange(len(colours)), table[:, channel])).astype(np.uint32)
        for channel in range(3)
    )
    return np.uint32(0xFF000000) | (red << np.uint32(16)) | (green << np.uint32(8)) | blue
