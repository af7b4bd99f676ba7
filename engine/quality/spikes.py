"""Prices that leave and come back at once, and prices that jump.

The price is the mid of quotes and books, or the trade's; only its changes count, or a market that mostly
stands still would have no spread of returns at all. Of the log returns r between changes in a piece of
`engine.quality.rows.PIECE_ROWS` rows, the robust z score is

    |r - median(r)| / s,   s = max(1.4826 median(|r - median(r)|), half a tick / price)

(the modified z score of Iglewicz and Hoaglin, "How to detect and handle outliers", 1993: 1.4826 times the
median absolute deviation estimates a normal law's standard deviation). A z above `Limits.spike_z` of a return
no smaller than `Limits.spike_return` is a spike if within `Limits.spike_rows` changes and `Limits.spike_ns` a
return against it, as unusual as itself, has brought the price back by `Limits.spike_back` of the way; its
rows are those before it came back. Else it is a jump, which news makes too, and only noted. A move over a
silence longer than `Limits.spike_ns`, as every night's and weekend's, is neither.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import override

import numpy as np
import numpy.typing as npt

from engine.columns import Columns, Int64, Trades
from engine.quality.limits import Limits
from engine.quality.quotes import best
from engine.quality.rows import Piece, after, pieces, stored
from engine.quality.stretches import DayCount, Naming, Stretch, Stretches
from engine.store import Store
from engine.store.corrections import Rows

type Floats = npt.NDArray[np.float64]

_LEAST_RETURNS = 20
"""Of fewer returns no spread can be told."""
_ENOUGH_RETURNS = 256
"""With fewer than this the piece before is taken too."""
_MAD_OF_NORMAL = 1.4826


@dataclass(frozen=True, slots=True, eq=False)
class _Changes:
    """Where the price changes in a piece; `since` is the time of the last price before the change."""

    piece: Piece
    at: Int64
    since: Int64
    log_price: Floats
    returns: Floats
    z: Floats

    @property
    def times(self) -> Int64:
        """`ts_event` of the changes."""
        return self.piece.columns.ts_event[self.at]


class Spikes:
    """Finds spikes and jumps; a piece is judged when the next one has shown what followed."""

    def __init__(self, spike: Naming, jump: Naming, limits: Limits, tick: Decimal) -> None:
        self._namings = (spike, jump)
        self._limits = limits
        self._half_tick = float(tick) / 2
        self._spikes, self._jumps = Stretches(limits), Stretches(limits)
        self._last: tuple[float, int] | None = None
        """Log price and time of the last row with a price."""
        self._returns: Floats = np.zeros(0)
        self._held: _Changes | None = None
        self._back_at: tuple[str, int] | None = None
        """File and row at which the last spike had come back."""

    def take(self, piece: Piece) -> None:
        """Judge the piece before, now that it is known what followed."""
        changes = self._changes(piece)
        if self._held is not None:
            self._judge(self._held, changes)
        self._held = changes

    def found(self, _days: list[str]) -> Iterator[tuple[Naming, dict[str, DayCount]]]:
        """Spikes, then jumps, by day."""
        if self._held is not None:
            self._judge(self._held, None)
            self._held = None
        for naming, stretches in zip(self._namings, (self._spikes, self._jumps), strict=True):
            yield naming, stretches.by_day(naming)

    def _changes(self, piece: Piece) -> _Changes:
        price = prices(piece.columns)
        rows = np.flatnonzero(price > 0)
        if not len(rows):
            none = np.zeros(0)
            return _Changes(piece, rows, rows, none, none, none)
        log_price, times = np.log(price[rows]), piece.columns.ts_event[rows]
        before, since = self._last or (float(log_price[0]), int(times[0]))
        self._last = (float(log_price[-1]), int(times[-1]))
        returns = np.diff(log_price, prepend=before)
        moved = returns != 0
        since = after(since, times)[moved]
        at, log_price, returns = rows[moved], log_price[moved], returns[moved]
        return _Changes(piece, at, since, log_price, returns, self._z(log_price, returns))

    def _z(self, log_price: Floats, returns: Floats) -> Floats:
        known = returns if len(returns) >= _ENOUGH_RETURNS else np.concatenate([self._returns, returns])
        self._returns = known[-_ENOUGH_RETURNS:]
        if len(known) < _LEAST_RETURNS:
            return np.zeros(len(returns))
        middle = float(np.median(known))
        spread = _MAD_OF_NORMAL * float(np.median(np.abs(known - middle)))
        floor = self._half_tick / np.exp(log_price)
        return np.abs(returns - middle) / np.maximum(spread, floor)

    def _judge(self, held: _Changes, following: _Changes | None) -> None:
        limits = self._limits
        unusual = (held.z > limits.spike_z) & (np.abs(held.returns) >= limits.spike_return)
        unusual &= held.times - held.since <= limits.spike_ns
        if not unusual.any():
            return
        log_price, times, returns, z = held.log_price, held.times, held.returns, held.z
        if following is not None:
            head = slice(0, limits.spike_rows)
            log_price = np.concatenate([log_price, following.log_price[head]])
            times = np.concatenate([times, following.times[head]])
            returns = np.concatenate([returns, following.returns[head]])
            z = np.concatenate([z, following.z[head]])
        for place in np.flatnonzero(unusual).tolist():
            row = held.piece.row(int(held.at[place]))
            if self._back_at is not None and self._back_at >= (held.piece.day, row):
                continue
            back = self._back(place, log_price, times, returns, z)
            if back is None:
                at = held.at[place : place + 1]
                size = np.abs(returns[place : place + 1])
                self._jumps.add(held.piece.day, times[place : place + 1], held.piece.first_row + at, size)
            else:
                self._mark(held, following, place, back)

    def _back(self, place: int, log_price: Floats, times: Int64, returns: Floats, z: Floats) -> int | None:
        """Change at which the price has come back from its move at `place`, or None."""
        limits = self._limits
        ahead = slice(place + 1, place + 1 + limits.spike_rows)
        move = returns[place]
        left = log_price[place] - move
        against = np.maximum.accumulate((z[ahead] > limits.spike_z) & (returns[ahead] * move < 0))
        returned = (log_price[ahead] - left) / move <= 1 - limits.spike_back
        soon = times[ahead] - times[place] <= limits.spike_ns
        found = np.flatnonzero(against & returned & soon)
        return place + 1 + int(found[0]) if len(found) else None

    def _mark(self, held: _Changes, following: _Changes | None, place: int, back: int) -> None:
        """Mark all rows from the change at `place` to the one before the change at `back`."""
        size = abs(float(held.returns[place]))
        inside = back < len(held.at)
        end = int(held.at[back]) if inside else len(held.piece.columns)
        self._add(held.piece, int(held.at[place]), end, size)
        if inside:
            self._back_at = (held.piece.day, held.piece.row(end))
        elif following is not None:
            end = int(following.at[back - len(held.at)])
            self._add(following.piece, 0, end, size)
            self._back_at = (following.piece.day, following.piece.row(end))

    def _add(self, piece: Piece, start: int, end: int, size: float) -> None:
        times = piece.columns.ts_event[start:end]
        rows = piece.first_row + np.arange(start, end)
        self._spikes.add(piece.day, times, rows, np.full(len(times), size))


def spiked_rows(store: Store, instrument: str, kind: str, limits: Limits) -> tuple[Rows, ...]:
    """All rows that lie in spikes, and no others, for a repair to drop or fill; jumps are none."""
    facts = store.instrument(instrument)
    naming = Naming(instrument, kind, "spike", "error", spike_words)
    spikes = _Marked(naming, naming, limits, facts.tick_size)
    for piece in pieces(stored(store, instrument, kind, store.files(instrument, kind))):
        spikes.take(piece)
    list(spikes.found([]))
    return tuple(spikes.rows)


class _Marked(Spikes):
    """Keeps the very rows of spikes, where a finding may span good ones."""

    def __init__(self, spike: Naming, jump: Naming, limits: Limits, tick: Decimal) -> None:
        super().__init__(spike, jump, limits, tick)
        self.rows: list[Rows] = []

    @override
    def _add(self, piece: Piece, start: int, end: int, size: float) -> None:
        super()._add(piece, start, end, size)
        if end > start:
            start_ns = int(piece.columns.ts_event[start])
            self.rows.append(
                Rows(day=piece.day, first_row=piece.row(start), rows=end - start, start_ns=start_ns)
            )


def prices(columns: Columns) -> Floats:
    """Mid of quotes and books, or price of trades, float64; 0 where there is none."""
    scale = 10.0**columns.price_precision
    if isinstance(columns, Trades):
        return columns.price / scale
    sides = best(columns)
    return np.where(sides.both, (sides.bid + sides.ask) / (2 * scale), 0.0)


def spike_words(stretch: Stretch) -> tuple[float, str]:
    """Log return in basis points, and the sentence."""
    bp = stretch.worst * 10_000
    rows = "1 row" if stretch.count == 1 else f"{stretch.count:,} rows"
    return bp, f"The price leaves by {bp:,.1f} basis points for {rows} and comes back."


def jump_words(stretch: Stretch) -> tuple[float, str]:
    """Log return in basis points, and the sentence."""
    bp = stretch.worst * 10_000
    times = "once" if stretch.count == 1 else f"{stretch.count:,} times"
    return bp, f"The price jumps {times}, by up to {bp:,.1f} basis points, and stays."
