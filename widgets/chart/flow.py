"""The lower pane: volume bought minus sold, as bars and as a running total, over the same axis of time."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from widgets.chart.raster import Pixels, fill_boxes, fill_runs
from widgets.chart.state import Floats, Times, Trades
from widgets.chart.view import View

_BAR_PIXELS: Final = 6


@dataclass(frozen=True, slots=True, eq=False)
class Flow:
    """What the lower pane shows.

    Attributes
    ----------
    edges : int64 array `[bars + 1]`, ns
    delta : float64 array `[bars]`
        Volume bought minus volume sold by aggressors.
    total : float64 array `[width + 1]`
        The same, summed since the first trade, at each pixel's edge.
    """

    edges: Times
    delta: Floats
    total: Floats

    @property
    def peak(self) -> float:
        """Largest bar, up or down."""
        return float(np.abs(self.delta).max(initial=0.0))


def flow_of(trades: Trades, view: View, edges: Times | None, scale: int) -> Flow:
    """Sum the visible trades between `edges` (the candles' own), or per few pixels without them.

    Bars of pixels begin at multiples of their own length, so that panning does not re-cut them.
    """
    if edges is None:
        step = view.scale_ns * _BAR_PIXELS * scale
        edges = np.arange(view.left_ns // step, view.right_ns // step + 2, dtype=np.int64) * step
    pixels = view.left_ns + np.arange(view.width + 1, dtype=np.int64) * view.scale_ns
    bought, sold = trades.volumes(edges)
    total_bought, total_sold = trades.volumes(pixels)
    return Flow(edges, np.diff(bought) - np.diff(sold), total_bought - total_sold)


def draw_flow(
    pixels: Pixels, flow: Flow, view: View, peak: float, colours: tuple[int, int, int], scale: int
) -> None:
    """Draw the bars from the middle line, and the running total; `colours` are bought, sold and total."""
    height = len(pixels)
    middle = height // 2
    if peak > 0:
        reach = np.rint(flow.delta / peak * (middle - 2 * scale)).astype(np.int64)
        some = np.flatnonzero(flow.delta)
        reach = np.where(reach[some] == 0, np.sign(flow.delta[some]).astype(np.int64), reach[some])
        left, right = view.x_array(flow.edges[:-1])[some], view.x_array(flow.edges[1:])[some]
        right = np.maximum(right - scale, left + 1)
        colour = np.where(reach > 0, colours[0], colours[1]).astype(np.uint32)
        fill_boxes(pixels, left, right, middle - np.maximum(reach, 0), middle - np.minimum(reach, 0), colour)


def draw_total(pixels: Pixels, flow: Flow, last_x: int, colour: int, scale: int) -> None:
    """Draw the running total, scaled to its own visible range."""
    end = min(last_x + 1, len(flow.total) - 1)
    if end <= 0:
        return
    total = flow.total[: end + 1]
    low, high = float(total.min()), float(total.max())
    if high <= low:
        return
    room = 4 * scale
    y = room + (high - total) / (high - low) * (len(pixels) - 2 * room)
    rows = np.rint(y).astype(np.int64)
    top, bottom = np.minimum(rows[:-1], rows[1:]), np.maximum(rows[:-1], rows[1:]) + scale
    fill_runs(pixels, np.arange(end), top, bottom, colour)
