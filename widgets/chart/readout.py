"""What the crosshair reads: the market at a time and price, in words and numbers."""

import numpy as np
from PySide6.QtCore import QCoreApplication

from engine.messages.columns import Rows
from widgets.chart.axes import Axes
from widgets.chart.flow import Flow
from widgets.chart.scene import Scene, Shown
from widgets.chart.view import View
from widgets.numbers import (
    compact_text,
    duration_text,
    percent_text,
    price_text,
    signed_text,
    time_text,
)


def depth_at(scene: Scene, ts: int, price: float) -> float:
    """Size of the level at a price in the newest depth column at a time; 0 where there is none."""
    depth = scene.market.depth
    at = int(depth.times.searchsorted(ts, "right")) - 1
    if at < 0:
        return 0.0
    column = depth.rows[at]
    near = np.abs(column["price"] - price) < 0.5 * scene.tick
    return float(column["size"][near].sum())


def delta_at(flow: Flow, ts: int) -> float | None:
    """Volume bought minus sold of the bar at a time; None outside."""
    bar = int(flow.edges.searchsorted(ts, "right")) - 1
    return float(flow.delta[bar]) if 0 <= bar < len(flow.delta) else None


def candle_at(scene: Scene, view: View, ts: int) -> Rows | None:
    """Return the candle that is painted at a time, the one on top where several share a pixel, as one row."""
    candles = scene.candles
    if candles is None or not len(candles):
        return None
    x = view.x_of(ts)
    left = view.x_array(candles["ts"])
    at = int(left.searchsorted(x, "right")) - 1
    if at < 0 or x >= max(view.x_of(int(candles["end"][at])), int(left[at]) + 1):
        return None
    return candles[at : at + 1]


def _candle_texts(candle: Rows, precision: int) -> list[str]:
    return [
        f"{letter} {price_text(float(candle[name][0]), precision)}"
        for letter, name in (("O", "open"), ("H", "high"), ("L", "low"), ("C", "close"))
    ]


def _price_texts(scene: Scene, view: View, shown: Shown, ts: int, axes: Axes) -> list[str]:
    """Prices at a time: the candle's four, or bid and ask, or the last trade."""
    if shown.spec is not None:
        candle = candle_at(scene, view, ts)
        # The middle of two prices may lie on half a digit.
        half_digit = shown.spec.endswith("-MID")
        return [] if candle is None else _candle_texts(candle, axes.precision + half_digit)
    if ts > scene.market.now:
        return []
    end = ts + view.scale_ns
    tape, columns = (
        (scene.market.quotes, ("bid", "ask"))
        if len(scene.market.quotes)
        else (scene.market.trades, ("price",))
    )
    texts = []
    for column in columns:
        envelope = tape.envelope(column, ts, end, 1)
        value = float(envelope.last[0]) if envelope.count[0] else envelope.before
        if not np.isnan(value):
            texts.append(price_text(value, axes.precision))
    return [" / ".join(texts)] if texts else []


def lines(scene: Scene, view: View, shown: Shown, axes: Axes, at: tuple[int, float]) -> list[str]:
    """Parts of the readout at a time and price."""
    ts, price = at
    parts = [time_text(ts, time_digits(view.scale_ns))]
    parts += _price_texts(scene, view, shown, ts, axes)
    if not np.isnan(price):
        size = depth_at(scene, ts, price) if shown.heatmap and len(scene.market.depth) else 0.0
        if size > 0:
            parts.append(
                QCoreApplication.translate("ChartReadout", "depth {size}").format(
                    size=compact_text(size, axes.size_precision)
                )
            )
    if shown.flow and scene.flow is not None and len(scene.market.trades):
        delta = delta_at(scene.flow, ts)
        if delta is not None:
            parts.append(
                QCoreApplication.translate("ChartReadout", "Δ {delta}").format(
                    delta=signed_text(delta, min(axes.size_precision, 3))
                )
            )
            total = float(scene.flow.total[min(max(view.x_of(ts) + 1, 0), len(scene.flow.total) - 1)])
            parts.append(
                QCoreApplication.translate("ChartReadout", "Σ {total}").format(
                    total=signed_text(total, min(axes.size_precision, 3))
                )
            )
    return parts


def time_digits(scale_ns: int) -> int:
    """Digits of the second that a pixel of this length can tell apart."""
    return next((digits for digits, unit in ((0, 10**9), (3, 10**6), (6, 10**3)) if scale_ns >= unit), 9)


def measure_text(scene: Scene, axes: Axes, start: tuple[int, float], end: tuple[int, float]) -> str:
    """Distance between two points: price, ticks, percent, time, and the volume traded meanwhile."""
    change = end[1] - start[1]
    ticks = round(change / scene.tick)
    parts = [
        signed_text(change, axes.precision),
        QCoreApplication.translate("ChartReadout", "{ticks} ticks").format(ticks=signed_text(ticks, 0)),
        percent_text(change / start[1], 3, signed=True) if start[1] else "",
        duration_text(abs(end[0] - start[0])),
    ]
    first, last = sorted((start[0], end[0]))
    bought, sold = scene.market.trades.volumes(np.array([first, last]))
    volume = float(np.diff(bought)[0] + np.diff(sold)[0])
    if volume > 0:
        parts.append(
            QCoreApplication.translate("ChartReadout", "volume {size}").format(
                size=compact_text(volume, axes.size_precision)
            )
        )
    return "   ".join(part for part in parts if part)
