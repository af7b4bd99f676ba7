"""Bars with the time at which each was complete, for whoever must not know one any earlier."""

from typing import cast

import numpy as np

from engine.bars import Aggregation, BarBuilder, Bars, BarSpec, PricedTicks, price_and_size
from engine.columns import Columns, Int64


class CompletedBars:
    """Closed bars of ticks that come in chunks, and when each was complete.

    A bar is complete when its interval is over and its last tick was received, yet nobody knows it before the
    first tick of a later bar.
    """

    def __init__(self, spec: BarSpec) -> None:
        self._spec = spec
        self._builder: BarBuilder | None = None
        self._completion: _Completion | None = None

    def closed(self, columns: Columns) -> tuple[Bars, Int64]:
        """Bars that these ticks closed, and their times: int64 ns UTC, as `ts_init` is."""
        ticks = price_and_size(self._spec, columns)
        if self._builder is None or self._completion is None:
            self._builder = BarBuilder(
                self._spec, price_precision=ticks.price_precision, size_precision=ticks.size_precision
            )
            self._completion = _Completion(self._spec, ticks.size_precision)
        bars = self._builder.append(ticks.ts_event, ticks.price, ticks.size)
        return bars, self._completion.times(bars, ticks, columns)


class _Completion:
    """Finds the tick that completed each bar, over successive chunks."""

    def __init__(self, spec: BarSpec, size_precision: int) -> None:
        self._spec = spec
        self._step = spec.step * (10**size_precision if spec.aggregation == Aggregation.VOLUME else 1)
        self._filled = 0
        self._newest_start = self._last_received = -(2**63)

    def times(self, bars: Bars, ticks: PricedTicks, columns: Columns) -> Int64:
        """`ts` of the bars that these ticks closed."""
        interval = self._spec.interval_ns
        received = np.maximum.accumulate(columns.ts_init)
        if interval is None:
            amounts = ticks.size if self._spec.aggregation == Aggregation.VOLUME else np.ones_like(received)
            filled = self._filled + amounts.cumsum()
            done = np.arange(1, len(bars) + 1) * self._step
            self._filled = int(filled[-1]) - len(bars) * self._step
            return cast("Int64", received[filled.searchsorted(done)])
        starts = np.maximum.accumulate(ticks.ts_event // interval * interval)
        starts = np.maximum(starts, self._newest_start)
        before = np.concatenate([(self._last_received,), received])
        last = before[starts.searchsorted(bars.ts_open, side="right")]
        self._newest_start, self._last_received = int(starts[-1]), int(received[-1])
        return cast("Int64", np.maximum(last, bars.ts_open + interval))
