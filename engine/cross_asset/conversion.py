"""Money of one currency in another, by the stored rates of the time: what an account in EUR owns in USDT.

A rate comes from an instrument that prices one currency in the other, directly, inverted, or through other
currencies on the shortest way. Of several instruments that price the same two currencies, the one that was
quoted last counts; of those quoted at the same time a spot rate before a perpetual, then the first by name.
Equally short ways are chosen from likewise by kind and name. Currencies and the stable coins that follow them
are not equal: USDT is converted by a rate like any other.
"""

from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import Final, cast

import numpy as np

from engine.columns import Int64, Quotes
from engine.cross_asset.sampling import Float64
from engine.errors import UserError
from engine.messages.instrument import Instrument
from engine.quality.spells import duration
from engine.store.merging import Mask
from engine.store.row_groups import row_groups
from engine.store.store import Store

CURRENCY_KINDS: Final = frozenset({"fx", "spot", "perpetual"})
"""Kinds of instruments whose base is a currency, so that their price is a rate."""

OLDEST_NS: Final = 3 * 86_400_000_000_000
"""Age at which a rate no longer counts: a day, and the weekend of a market that closes for it."""

_NEVER: Final = -(2**63)
_ANY_AGE: Final = 2**62
"""No rate is older; a time less this is still a time of 64 bits."""


@dataclass(frozen=True, slots=True)
class Step:
    """One rate on the way.

    Attributes
    ----------
    instrument : str
    inverted : bool
        It divides by the mid.
    mid : Decimal
        Exact, in quote currency.
    ts_ns : int
        `ts_init` of its quote, ns UTC.
    """

    instrument: str
    inverted: bool
    mid: Decimal
    ts_ns: int


def rate_of(way: Sequence[Step]) -> Decimal:
    """Units of the last currency for one of the first, to 28 digits."""
    rate = Decimal(1)
    for step in way:
        rate = rate / step.mid if step.inverted else rate * step.mid
    return rate


@dataclass(frozen=True, slots=True, eq=False)
class _Rates:
    """Last quotes of instruments at some times: int64 `[instruments, times]`, ns UTC (or `_NEVER`).

    `twice_mid` is bid plus ask, scaled as the instrument's prices.
    """

    instruments: list[Instrument]
    at: Int64
    ts: Int64
    twice_mid: Int64

    def freshest(self, oldest_ns: int) -> Mask:
        """Which rates count, `[instruments, times]`: of two currencies the last known, if not too old."""
        counts = np.zeros(self.ts.shape, np.bool_)
        pairs = [frozenset((each.base, each.quote)) for each in self.instruments]
        for pair in set(pairs):
            rows = np.flatnonzero([each == pair for each in pairs])
            best = rows[np.argmax(self.ts[rows], axis=0)]  # the first of equals, so by kind and name
            counts[best, np.arange(len(self.at))] = True
        return counts & (self.ts > _NEVER) & (self.ts >= self.at - oldest_ns)


class CurrencyConverter:
    """Converts amounts at the mid rates of a store.

    A rate is the last mid at or before a time (`ts_init`: what could be known then), never a later one and
    never one that is too old. Of the quotes, what lies around the times asked for is read, a part at a time.

    Parameters
    ----------
    store : Store
    account : str
        Currency of the account.
    oldest_ns : int
        Greatest age of a rate, ns.
    """

    def __init__(self, store: Store, account: str, oldest_ns: int = OLDEST_NS) -> None:
        self._store, self.account, self._oldest_ns = store, account, min(oldest_ns, _ANY_AGE)

    @cached_property
    def _instruments(self) -> list[Instrument]:
        """All that have rates, in the order in which equals are preferred."""
        found = (self._store.instrument(name) for name in self._store.instruments())
        rates = (each for each in found if each.kind in CURRENCY_KINDS and not each.inverse)
        stored = [each for each in rates if self._store.files(each.id, "quotes")]
        return sorted(stored, key=lambda each: (each.kind == "perpetual", each.id))

    def way(self, currency: str, ts_ns: int) -> list[Step]:
        """Rates that lead from `currency` to the account's at `ts_ns`; empty where they are the same.

        Raises
        ------
        UserError
            No chain of stored rates leads there, or at that time none that is not too old.
        """
        if currency == self.account:
            return []
        rates = self._rates(currency, np.array([ts_ns], np.int64))
        for oldest_ns in (self._oldest_ns, _ANY_AGE):
            counts = rates.freshest(oldest_ns)[:, 0]
            chain = _chain(rates.instruments, np.flatnonzero(counts), currency, self.account)
            if chain is not None:
                way = [_step(rates, row, inverted=inverted) for row, inverted in chain]
                self._check_age(way, ts_ns)
                return way
        raise self._too_early(rates, currency, ts_ns)

    def rate(self, currency: str, ts_ns: int) -> Decimal:
        """Units of the account's currency for one of `currency` at `ts_ns`, to 28 digits; see `way`."""
        return rate_of(self.way(currency, ts_ns))

    def convert(self, amount: Decimal, currency: str, ts_ns: int) -> Decimal:
        """`amount` of `currency` in the account's currency at `ts_ns`; see `way`."""
        return amount * self.rate(currency, ts_ns)

    def rates(self, currency: str, at: Int64) -> Float64:
        """Rates at many times (ascending, ns UTC) for statistics: float64, NaN where `rate` has none.

        Raises
        ------
        UserError
            No chain of stored rates leads there at any time.
        """
        if currency == self.account:
            return np.ones(len(at))
        rates = self._rates(currency, at)
        scale = np.array([2 * 10.0**each.price_precision for each in rates.instruments])
        mids = rates.twice_mid / scale[:, np.newaxis]
        found = np.full(len(at), np.nan)
        patterns, of_time = np.unique(rates.freshest(self._oldest_ns), axis=1, return_inverse=True)
        for number, counts in enumerate(patterns.T):
            chain = _chain(rates.instruments, np.flatnonzero(counts), currency, self.account)
            if chain is None:
                continue
            times = of_time == number
            found[times] = 1.0
            for row, inverted in chain:
                found[times] *= 1 / mids[row, times] if inverted else mids[row, times]
        return found

    def _rates(self, currency: str, at: Int64) -> _Rates:
        """Last quotes at the times `at` of all that may lie on a way from `currency`."""
        if _chain(self._instruments, range(len(self._instruments)), currency, self.account) is None:
            raise UserError(
                f"No stored rates lead from {currency} to {self.account}; import quotes of "
                f"{currency}{self.account} or of a pair that connects them."
            )
        instruments = _between(self._instruments, currency, self.account)
        shape = (len(instruments), len(at))
        rates = _Rates(instruments, at, np.full(shape, _NEVER), np.zeros(shape, np.int64))
        if len(at):
            for row, each in enumerate(instruments):
                self._read(each.id, at, rates.ts[row], rates.twice_mid[row])
        return rates

    def _read(self, instrument: str, at: Int64, ts: Int64, twice_mid: Int64) -> None:
        """Fill in the last quotes of one instrument at the times `at`."""
        begins = [group.first_init_ns for group in row_groups(self._store.files(instrument, "quotes"))]
        # A quote was received at this time, so none before it is the last one.
        start = max((begin for begin in begins if begin <= at[0]), default=int(at[0]))
        for chunk in self._store.chunks(instrument, ("quotes",), start, int(at[-1]) + 1):
            quotes = cast("Quotes", chunk.columns["quotes"])
            first = int(np.searchsorted(at, quotes.ts_init[0]))
            place = np.searchsorted(quotes.ts_init, at[first:], side="right") - 1
            ts[first:] = quotes.ts_init[place]
            twice_mid[first:] = quotes.bid[place] + quotes.ask[place]

    def _check_age(self, way: Sequence[Step], ts_ns: int) -> None:
        oldest = min(way, key=lambda step: step.ts_ns)
        if ts_ns - oldest.ts_ns > self._oldest_ns:
            raise UserError(
                f"The last rate of {oldest.instrument} before {_stamp(ts_ns)} is of {_stamp(oldest.ts_ns)}, "
                f"more than {duration(self._oldest_ns / 1e9)} old; import later quotes of it, or allow "
                "older rates with --oldest."
            )

    def _too_early(self, rates: _Rates, currency: str, ts_ns: int) -> UserError:
        is_unknown = rates.ts[:, 0] == _NEVER
        known_first = np.argsort(is_unknown, kind="stable")
        chain = _chain(rates.instruments, known_first, currency, self.account) or []
        unknown = [rates.instruments[row].id for row, _ in chain if is_unknown[row]]
        groups = row_groups(self._store.files(unknown[0], "quotes"))
        begin = min(group.first_init_ns for group in groups)
        return UserError(
            f"The stored rates of {unknown[0]} begin at {_stamp(begin)}, after {_stamp(ts_ns)}; "
            "import earlier quotes of it."
        )


def _chain(
    instruments: Sequence[Instrument], rows: Sequence[int] | Int64, source: str, target: str
) -> list[tuple[int, bool]] | None:
    """Row of each instrument on the shortest way, and whether it is inverted; None where there is no way.

    Of equally short ways that of the earlier of `rows`.
    """
    edges: dict[str, list[tuple[str, int, bool]]] = {}
    for row in map(int, rows):
        each = instruments[row]
        edges.setdefault(each.base, []).append((each.quote, row, False))
        edges.setdefault(each.quote, []).append((each.base, row, True))
    reached: dict[str, list[tuple[int, bool]]] = {source: []}
    waiting = deque([source])
    while waiting and target not in reached:
        at = waiting.popleft()
        for currency, row, inverted in edges.get(at, ()):
            if currency not in reached:
                reached[currency] = [*reached[at], (row, inverted)]
                waiting.append(currency)
    return reached.get(target)


def _between(instruments: Sequence[Instrument], source: str, target: str) -> list[Instrument]:
    """Those that may lie on a way: not the ones of a currency that nothing leads on from."""
    left = list(instruments)
    while True:
        pairs = {frozenset((each.base, each.quote)) for each in left}
        ends = Counter(currency for pair in pairs for currency in pair) + Counter((source, target))
        kept = [each for each in left if ends[each.base] > 1 and ends[each.quote] > 1]
        if len(kept) == len(left):
            return kept
        left = kept


def _step(rates: _Rates, row: int, *, inverted: bool) -> Step:
    instrument = rates.instruments[row]
    mid = Decimal(int(rates.twice_mid[row, 0])).scaleb(-instrument.price_precision) / 2
    return Step(instrument.id, inverted, mid, int(rates.ts[row, 0]))


def _stamp(ts_ns: int) -> str:
    return f"{np.datetime64(ts_ns, 'ns').astype('datetime64[s]')} UTC"
