"""A vendor's bars against the bars of the stored ticks: prices must be equal, volumes nearly.

Compared are the bars between a tick file's first row and its last. Ticks may begin or end inside a bar, so
the bars at both ends of a file count only where they agree. A bar that a vendor fills in where nothing
happened (no volume, one price) has no ticks and agrees. Volumes are compared where both sides have one; where
more than half of them differ, the vendor counts something else (ticks, lots, money), which is only noted.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from engine.bars import BarBuilder, Bars, BarSpec, PriceType, price_and_size
from engine.columns import ADJUSTED, Int64, VendorBars, bars_spec
from engine.errors import UserError
from engine.quality.limits import Limits
from engine.quality.rows import Piece, period, stored
from engine.quality.stretches import DayCount, Naming, Stretch, Stretches
from engine.store import Store
from engine.store.book_check import exact
from engine.store.merging import Mask

_PRICES = ("open", "high", "low", "close")


def comparable(kind: str) -> BarSpec | None:
    """Specification of a vendor's bars; None for adjusted ones and those that no ticks are made into."""
    if kind.endswith(ADJUSTED):
        return None
    try:
        spec = BarSpec.parse(bars_spec(kind))
    except UserError:
        return None
    return spec if spec.interval_ns else None


def ticks_of(spec: BarSpec) -> str:
    """Kind of the ticks that bars of `spec` are made of."""
    return "trades" if spec.price_type == PriceType.LAST else "quotes"


@dataclass(frozen=True, slots=True, eq=False)
class _Made:
    """Bars of one tick file, and the times of its first and last tick."""

    bars: Bars
    first_ns: int
    last_ns: int


class BarsAgainstTicks:
    """Compares a vendor's bars, a file of theirs and a file of ticks at a time."""

    def __init__(self, naming: Naming, limits: Limits, store: Store, spec: BarSpec) -> None:
        self._naming, self._limits, self._store, self._spec = naming, limits, store, spec
        self._wrong, self._volumes = Stretches(limits), Stretches(limits)
        self._with_volume = self._other_volume = 0
        self.compared = self.equal = 0

    def take(self, piece: Piece) -> None:
        """Compare these bars with the ticks of their time."""
        bars = piece.columns
        if not isinstance(bars, VendorBars):
            raise TypeError(f"{type(bars).__name__} are no bars")
        for path in self._ticks(int(bars.ts_event[0]), int(bars.ts_init[-1])):
            made = self._made(path)
            if made is not None:
                self._compare(piece.day, piece.first_row, bars, made)

    def found(self, _days: list[str]) -> Iterator[tuple[Naming, dict[str, DayCount]]]:
        """Bars with other prices, then bars with another volume, by day."""
        yield self._naming, self._wrong.by_day(self._naming)
        other = self._other_volume > self._with_volume / 2
        naming = replace(self._naming, words=volume_words, severity="note" if other else "warning")
        yield naming, self._volumes.by_day(naming)

    def _ticks(self, start_ns: int, end_ns: int) -> Iterator[Path]:
        kind = ticks_of(self._spec)
        for path in self._store.files(self._naming.instrument, kind):
            first, last = period(kind, path.stem)
            if first < end_ns and last > start_ns:
                yield path

    def _made(self, path: Path) -> _Made | None:
        builder: BarBuilder | None = None
        parts: list[Bars] = []
        first = last = 0
        for piece in stored(self._store, self._naming.instrument, path.parent.name, [path]):
            ticks = price_and_size(self._spec, piece.columns)
            if builder is None:
                first = int(ticks.ts_event[0])
                builder = BarBuilder(
                    self._spec, price_precision=ticks.price_precision, size_precision=ticks.size_precision
                )
            last = int(ticks.ts_event[-1])
            parts.append(builder.append(ticks.ts_event, ticks.price, ticks.size))
        if builder is None:
            return None
        bars = parts[0]
        for part in [*parts[1:], builder.current]:
            bars = bars.then(part)
        return _Made(bars, first, last)

    def _compare(self, day: str, first_row: int, theirs: VendorBars, made: _Made) -> None:
        interval, ours = self._spec.interval_ns or 1, made.bars
        inside = (theirs.ts_event > made.first_ns - interval) & (theirs.ts_event <= made.last_ns)
        rows = np.flatnonzero(inside & (theirs.ts_event % interval == 0))
        theirs = theirs.take(rows)
        at = np.minimum(np.searchsorted(ours.ts_open, theirs.ts_event), len(ours) - 1)
        both = ours.ts_open[at] == theirs.ts_event
        apart = _furthest(ours, at, theirs)
        prices_differ = np.where(both, apart > 0, ~_filled_in(theirs))
        volume_differs = self._other(ours, at, theirs) & both & ~prices_differ
        at_the_ends = (theirs.ts_event == ours.ts_open[0]) | (theirs.ts_event == ours.ts_open[-1])
        counted = ~(at_the_ends & (prices_differ | volume_differs))
        self.compared += int(counted.sum())
        self.equal += int((counted & ~prices_differ & ~volume_differs).sum())
        for differs, stretches in ((prices_differ, self._wrong), (volume_differs, self._volumes)):
            wrong = np.flatnonzero(differs & counted)
            measure = np.where(both, apart, 0)[wrong]
            stretches.add(day, theirs.ts_event[wrong], first_row + rows[wrong], measure)

    def _other(self, ours: Bars, at: Int64, theirs: VendorBars) -> Mask:
        volume = ours.volume[at]
        given = theirs.volume * 10 ** (ours.size_precision - theirs.size_precision)
        known = (volume > 0) & (given > 0)
        far: Mask = known & (np.abs(volume - given) > self._limits.volume_tolerance * given)
        self._with_volume += int(known.sum())
        self._other_volume += int(far.sum())
        return far


def _furthest(ours: Bars, at: Int64, theirs: VendorBars) -> Int64:
    """Largest difference of a price of each bar, scaled as the ticks' bars are."""
    scale = 10 ** (ours.price_precision - theirs.price_precision)
    apart = [np.abs(getattr(ours, name)[at] - getattr(theirs, name) * scale) for name in _PRICES]
    furthest: Int64 = np.max(apart, axis=0)
    return furthest


def _filled_in(bars: VendorBars) -> Mask:
    """Bars that a vendor makes up where there was no tick."""
    filled: Mask = (bars.volume == 0) & (bars.high == bars.low)
    return filled


def bars_words(stretch: Stretch, price_precision: int) -> tuple[float, str]:
    """Difference at most, in the quote currency, and the sentence."""
    by = int(stretch.worst)
    bars = "1 bar differs" if stretch.count == 1 else f"{stretch.count:,} bars differ"
    if not by:
        return 0.0, f"{bars} from the ticks: there are none in that time."
    return by / 10**price_precision, f"{bars} from the ticks' prices by up to {exact(by, price_precision)}."


def volume_words(stretch: Stretch) -> tuple[None, str]:
    """Return the sentence of bars with another volume."""
    bars = "1 bar has" if stretch.count == 1 else f"{stretch.count:,} bars have"
    return None, f"{bars} another volume than the ticks."
