"""The chart beside its peer: the same ticks and depth panned in a pyqtgraph plot of the same size.

The peer is set up as its documentation advises for long data: peak downsampling, clipping to the view, one
image for the depth. It paints neither trades, fills, volume delta nor tags, so the comparison favours it.
"""

import time
from collections.abc import Callable
from typing import Any, Final

import numpy as np
import pyqtgraph as pg
from PySide6.QtWidgets import QApplication, QWidget

from app.state.market import MarketState
from widgets.chart.canvas import Canvas

_STEPS: Final = 60
_STEP_PIXELS: Final = 12
_ROWS: Final = 240


def beside_pyqtgraph(
    application: QApplication, canvas: Canvas, market: MarketState, drag: Callable[[int], None]
) -> dict[str, Any]:
    """Milliseconds per painted pan step over the whole history, of both, and their ratio (peer / ours).

    `drag` moves the canvas's picture by so many pixels, as a mouse does.
    """
    times = market.quotes.times
    start, end = int(times[0]), int(times[-1])
    canvas.view.show_times(start, end)
    ours = _timed(canvas, drag)
    plot = _plot(market)
    plot.resize(canvas.size())
    plot.show()
    plot.setXRange(start / 1e9, end / 1e9, padding=0)
    application.processEvents()  # it has no size, and so nothing to paint, before it was laid out
    view, per_pixel = plot.getViewBox(), (end - start) / 1e9 / canvas.width()
    theirs = _timed(plot, lambda pixels: view.translateBy(x=-pixels * per_pixel))
    plot.close()
    plot.deleteLater()
    return {"station_ms": ours, "pyqtgraph_ms": theirs, "ratio": round(theirs["p50"] / ours["p50"], 2)}


def _timed(widget: QWidget, pan: Callable[[int], object]) -> dict[str, float]:
    spent = []
    for step in range(_STEPS):
        started = time.perf_counter()
        pan(_STEP_PIXELS if step % 20 < 10 else -_STEP_PIXELS)
        widget.grab()
        spent.append((time.perf_counter() - started) * 1e3)
    return {"p50": round(float(np.median(spent)), 1), "p95": round(float(np.percentile(spent, 95)), 1)}


def _plot(market: MarketState) -> Any:
    seconds = market.quotes.times / 1e9
    plot = pg.PlotWidget()
    plot.setDownsampling(auto=True, mode="peak")
    plot.setClipToView(True)
    prices, sizes = market.depth.rows["price"], market.depth.rows["size"]
    low, high = float(np.nanmin(prices)), float(np.nanmax(prices))
    image = np.zeros((len(prices), _ROWS), np.float32)
    row = np.nan_to_num((prices - low) / max(high - low, 1e-12) * (_ROWS - 1)).astype(np.int64)
    column = np.broadcast_to(np.arange(len(prices))[:, None, None], row.shape)
    np.maximum.at(image, (column, row), np.log1p(np.nan_to_num(sizes)))
    heat = pg.ImageItem(image)
    heat.setRect(seconds[0], low, seconds[-1] - seconds[0], high - low)
    plot.addItem(heat)
    for side, pen in (("bid", "g"), ("ask", "r")):
        plot.plot(seconds, np.ascontiguousarray(market.quotes.rows[side]), pen=pen)
    return plot
