"""Where the next step ends: the market time of the next tick, book update or bar.

Steps to the next order or fill are not here: what a strategy does is known only after it did it.
"""

from collections.abc import Mapping

import numpy as np

from engine.bars import Aggregation, BarSpec, PriceType, price_and_size
from engine.columns import Columns, Int64
from engine.messages.commands import Step
from engine.session.playhead import Playhead

_TICKS = frozenset({"quotes", "trades"})
_BOOK = frozenset({"deltas"})


class BarCounter:
    """How far the open bar is, counted as `engine.bars.BarBuilder` does from the run's start.

    Parameters
    ----------
    spec : BarSpec
    kinds : frozenset of str
        Kinds of columns that the session has.
    """

    def __init__(self, spec: BarSpec, kinds: frozenset[str]) -> None:
        self._spec = spec
        wanted = "trades" if spec.price_type == PriceType.LAST else "quotes"
        self._kind = wanted if wanted in kinds or spec.interval_ns is None else min(kinds & _TICKS or kinds)
        self._filled = 0

    @property
    def kind(self) -> str:
        """Kind of columns whose rows make the bars; time bars make do with what there is."""
        return self._kind

    def absorb(self, part: Mapping[str, Columns]) -> None:
        """Count rows that happened."""
        if self._spec.interval_ns is None and self._kind in part:
            amounts, _ = self._amounts(part[self._kind])
            self._filled += int(amounts.sum())

    def next_close(self, now: int, ahead: Columns) -> int | None:
        """Market time of the row of `ahead` that closes the open bar; None where none does."""
        interval = self._spec.interval_ns
        if interval is not None:
            # The first row of a later interval: before it, nobody knows that the bar is complete.
            at = int(np.searchsorted(ahead.ts_init, (now // interval + 1) * interval))
        else:
            amounts, unit = self._amounts(ahead)
            wanted = self._spec.step * unit
            at = int(np.searchsorted(self._filled % wanted + amounts.cumsum(), wanted))
        return int(ahead.ts_init[at]) if at < len(ahead) else None

    def _amounts(self, columns: Columns) -> tuple[Int64, int]:
        """How much each row adds to a bar, and the scale of that."""
        if self._spec.aggregation != Aggregation.VOLUME:
            return np.ones(len(columns), np.int64), 1
        ticks = price_and_size(self._spec, columns)
        return ticks.size, 10**ticks.size_precision


def next_stop(unit: Step, playhead: Playhead, bars: BarCounter, kinds: frozenset[str]) -> int | None:
    """Market time at which this step ends; None where the chunk at hand does not say."""
    if unit == Step.BAR:
        ahead = playhead.ahead(bars.kind)
        return None if ahead is None else bars.next_close(playhead.now, ahead)
    wanted = _BOOK if unit == Step.BOOK else _TICKS
    return playhead.next_ts_of(wanted & kinds or kinds)
