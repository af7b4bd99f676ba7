"""Which times and prices are on the canvas, in exact integers, and how wheel, drag and the clock move them.

A pixel is a whole number of nanoseconds wide and the left edge is a multiple of it. So every pixel stands for
the same stretch of time wherever the view is: panning and following move a picture, they never redraw it
differently.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

_SPANS_NS: Final = tuple(seconds * 1_000_000_000 for seconds in (20, 40, 75, 150, 300))
"""Lengths of the first view: the shortest that holds the history so far, so that a young one fills it."""

_BARS_SHOWN: Final = (30, 60, 120)
"""The same for bars of one length: how many of them."""

_NOW_AT: Final = 0.92
"""Where now stands while following, as a part of the width: the rest is room for the price tag."""

_MAX_SCALE_NS: Final = 86_400_000_000_000
_PADDING: Final = 0.12


@dataclass(frozen=True, slots=True)
class TimeWindow:
    """Which times a chart shows, for panels that share them.

    Attributes
    ----------
    left_ns, scale_ns : int
        Time of the left edge, and nanoseconds per device pixel.
    plot, whole : int
        Device pixels of the part that shows the times, and of the whole chart.
    """

    left_ns: int
    scale_ns: int
    plot: int
    whole: int


@dataclass(slots=True)
class View:
    """Times and prices of the price pane; pixels are device pixels, y runs down.

    Attributes
    ----------
    width, height : int
    scale_ns : int
        Nanoseconds per pixel.
    left_ns : int
        Time of the left edge, a multiple of `scale_ns`.
    low, high : float
        Prices of the bottom and the top edge.
    following : bool
        Whether the view moves with the clock.
    auto_time : bool
        Whether the time per pixel grows with the history, until a person chooses one.
    bar_ns : int or None
        Length of the bars that are shown, None for a line and for bars of no fixed length.
    auto_price : bool
        Whether the price range follows what is visible.
    """

    width: int = 1
    height: int = 1
    scale_ns: int = 0
    left_ns: int = 0
    low: float = 0.0
    high: float = 1.0
    following: bool = True
    auto_time: bool = True
    bar_ns: int | None = None
    auto_price: bool = True

    @property
    def right_ns(self) -> int:
        """Time of the right edge."""
        return self.left_ns + self.width * self.scale_ns

    @property
    def price_per_pixel(self) -> float:
        """Height of one pixel in price."""
        return (self.high - self.low) / self.height

    def resize(self, width: int, height: int) -> None:
        """Take a new size; the right edge and the time per pixel stay."""
        if self.scale_ns == 0:
            self.scale_ns = max(1, _SPANS_NS[0] // max(width, 1))
        self.left_ns += (self.width - width) * self.scale_ns
        self.width, self.height = max(width, 1), max(height, 1)

    def x_of(self, ts: int) -> int:
        """Pixel column of a time; may lie outside."""
        return (ts - self.left_ns) // self.scale_ns

    def x_array(self, ts: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """Pixel columns of times."""
        return (ts - self.left_ns) // self.scale_ns

    def time_at(self, x: float) -> int:
        """Time at the left of a pixel column."""
        return self.left_ns + int(x * self.scale_ns)

    def y_of(self, price: float) -> float:
        """Pixel row of a price."""
        return (self.high - price) / self.price_per_pixel

    def y_array(self, prices: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
        """Pixel rows of prices, kept near the canvas so that they fit in a drawing call."""
        rows = np.floor((self.high - prices) / self.price_per_pixel)
        return np.clip(rows, -8.0, self.height + 8.0).astype(np.int64)

    def price_at(self, y: float) -> float:
        """Price at a pixel row."""
        return self.high - y * self.price_per_pixel

    def follow(self, now_ns: int, since_ns: int) -> None:
        """Put now in its place, where the view follows; `since_ns` is where the history began."""
        if self.following:
            if self.auto_time:
                self.scale_ns = self._fitting_scale(now_ns - since_ns)
            left = now_ns - int(self.width * _NOW_AT) * self.scale_ns
            self.left_ns = left - left % self.scale_ns

    def _fitting_scale(self, history_ns: int) -> int:
        """Time per pixel of the shortest view that holds the history, or of the longest."""
        spans = _SPANS_NS if self.bar_ns is None else tuple(many * self.bar_ns for many in _BARS_SHOWN)
        span = next((span for span in spans if span * _NOW_AT >= history_ns), spans[-1])
        return min(max(1, span // self.width), _MAX_SCALE_NS)

    def pan(self, dx: int, dy: int) -> None:
        """Move the picture by pixels; a sideways move ends following, a vertical one the automatic range."""
        if dx:
            self.following = False
            self.left_ns -= dx * self.scale_ns
        if dy and not self.auto_price:
            shift = dy * self.price_per_pixel
            self.low, self.high = self.low + shift, self.high + shift

    def zoom_time(self, x: float, factor: float) -> None:
        """Make pixels `factor` times as long; the time at `x` stays there."""
        scale = round(self.scale_ns * factor)
        self.auto_time = False
        if scale == self.scale_ns:
            scale += 1 if factor > 1 else -1
        scale = min(max(scale, 1), _MAX_SCALE_NS)
        left = self.left_ns + int(x) * (self.scale_ns - scale)
        self.scale_ns = scale
        self.left_ns = left - left % scale

    def show_times(self, start_ns: int, end_ns: int) -> None:
        """Show all of a stretch of time, and stop following."""
        self.following = self.auto_time = False
        self.scale_ns = min(max(1, -(-(end_ns - start_ns) // self.width)), _MAX_SCALE_NS)
        self.left_ns = start_ns - start_ns % self.scale_ns

    def show_bars(self, interval_ns: int | None) -> None:
        """Give bars of this length a width at which they can be read; None leaves the time per pixel."""
        if interval_ns is None:
            self.auto_time &= self.bar_ns is None
        elif self.following:
            self.auto_time = True
        elif self.scale_ns:  # before the first size there is no width to share out
            bars_now = self.scale_ns * self.width / interval_ns
            self.zoom_time(self.width * _NOW_AT, _BARS_SHOWN[-1] / bars_now)
        self.bar_ns = interval_ns

    def zoom_price(self, y: float, factor: float, tick: float) -> None:
        """Make the price range `factor` times as high about `y`; ends the automatic range."""
        self.auto_price = False
        anchor = self.price_at(y)
        span = (self.high - self.low) * factor
        if span < 2 * tick or span > 1e9 * tick:
            return
        part = y / self.height
        self.high = anchor + part * span
        self.low = self.high - span

    def fit_price(self, low: float, high: float, least: float) -> bool:
        """Show prices `low` to `high`, with room, where the range is automatic; returns whether it changed.

        The range stays while what is visible lies inside it and fills a good part of it: an axis that moves
        with every tick cannot be read.
        """
        if not self.auto_price or not low <= high:
            return False
        needed = max(high - low, least)
        span = self.high - self.low
        inside = self.low + 0.02 * span <= low and high <= self.high - 0.02 * span
        if inside and needed >= 0.45 * span:
            return False
        middle, half = (low + high) / 2, needed / 2 * (1 + 2 * _PADDING)
        self.low, self.high = middle - half, middle + half
        return True
