"""The price layer: bid and ask as tick lines, or candles, as runs of pixels."""

from typing import Final

import numpy as np

from engine.messages.columns import Rows
from widgets.chart.raster import Pixels, fill_boxes, fill_runs
from widgets.chart.state import Envelope, Floats, Times
from widgets.chart.view import View

PIXELS_PER_CANDLE: Final = 4
"""Narrower candles are merged by twos."""


def carried_on(envelope: Envelope) -> Floats:
    """Last value at the end of each pixel, carried over those in which nothing happened."""
    filled = np.where(envelope.count > 0, np.arange(len(envelope.count)), -1)
    newest = np.maximum.accumulate(filled)
    return np.where(newest >= 0, envelope.last[newest], envelope.before)


def draw_line(
    pixels: Pixels, envelope: Envelope, view: View, last_x: int, colour: int, thickness: int
) -> None:
    """Draw a step line: a price holds until the next one; nothing is drawn after pixel `last_x`."""
    end = min(last_x + 1, view.width)
    if end <= 0:
        return
    values = carried_on(envelope)[:end]
    before = np.concatenate([(envelope.before,), values[:-1]])
    # fmin and fmax pass over the missing value before the first tick.
    low = np.fmin(np.fmin(envelope.low[:end], before), values)
    high = np.fmax(np.fmax(envelope.high[:end], before), values)
    known = np.flatnonzero(np.isfinite(values))
    top, bottom = view.y_array(high[known]), view.y_array(low[known]) + thickness
    fill_runs(pixels, known, top, bottom, colour)


def apart(bid: Envelope, ask: Envelope, distance: float) -> bool:
    """Whether bid and ask are mostly seen as two lines, `distance` or more apart.

    Where they are not, whichever is drawn last would hide the other and colour the chart by accident.
    """
    gap = ask.low - bid.high
    known = np.isfinite(gap)
    if not known.any():
        return bool(ask.before - bid.before >= distance)
    return bool((gap[known] >= distance).mean() > 0.7)


def candle_edges(candles: Rows, view: View, gap: int) -> tuple[Times, Times]:
    """Left and right pixel of each body, at least one pixel wide."""
    left, right = view.x_array(candles["ts"]), view.x_array(candles["end"])
    gaps = np.where(right - left > 2 * gap, gap, 0)
    return left + gaps, np.maximum(right - gaps, left + gaps + 1)


def draw_candles(pixels: Pixels, candles: Rows, view: View, colours: tuple[int, int], scale: int) -> None:
    """Draw wicks and bodies; `colours` are those of a rising and a falling bar."""
    if not len(candles):
        return
    left, right = candle_edges(candles, view, scale)
    rises = candles["close"] >= candles["open"]
    colour = np.where(rises, *colours).astype(np.uint32)
    middle = (left + right - scale) // 2
    high, low = view.y_array(candles["high"]), view.y_array(candles["low"]) + 1
    fill_boxes(pixels, middle, middle + scale, high, low, colour)
    body = np.stack([view.y_array(candles["open"]), view.y_array(candles["close"])])
    fill_boxes(pixels, left, right, body.min(axis=0), body.max(axis=0) + scale, colour)


def price_range(envelopes: list[Envelope], candles: Rows | None) -> tuple[float, float]:
    """Lowest and highest price visible; NaN where there is none."""
    # Without a tick in sight a line still runs at the price before.
    lows = [np.append(envelope.low, envelope.before) for envelope in envelopes]
    highs = [np.append(envelope.high, envelope.before) for envelope in envelopes]
    if candles is not None:
        lows, highs = [candles["low"]], [candles["high"]]
    low = np.concatenate(lows) if lows else np.empty(0)
    if not np.isfinite(low).any():
        return np.nan, np.nan
    return float(np.nanmin(low)), float(np.nanmax(np.concatenate(highs)))
