"""Money of one currency in another, by the stored rates of the time: what an account in EUR owns in USDT.

A rate comes from an instrument that prices one currency in the other, directly, inverted, or through other
currencies on the shortest way; of equally short ways the one of spot rates, then
the first by name. Currencies and the stable coins that
follow them are not equal: USDT is converted by a rate like any other.
"""

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property

import numpy as np

from engine.columns import Columns, Int64, Quotes
from engine.cross_asset.sampling import Float64
from engine.errors import UserError
from engine.messages.instrument import Instrument
from engine.store.store import Store

CURRENCY_KINDS = frozenset({"fx", "spot", "perpetual"})
"""Kinds of instruments whose base is a currency, so that their price is a rate."""


@dataclass(frozen=True, slots=True)
class Step:
    """One instrument on the way; `inverted` divides by its price."""

    instrument: str
    inverted: bool


def way(instruments: Iterable[Instrument], source: str, target: str) -> list[Step]:
    """Shortest chain of rates from one currency to another; empty where they are the same.

    Raises
    ------
    UserError
        No chain of these instruments leads there.
    """
    edges: dict[str, list[tuple[str, Step]]] = {}
    for each in sorted(instruments, key=lambda each: (each.kind == "perpetual", each.id)):
        if each.kind in CURRENCY_KINDS and not each.inverse:
            edges.setdefault(each.base, []).append((each.quote, Step(each.id, inverted=False)))
            edges.setdefault(each.quote, []).append((each.base, Step(each.id, inverted=True)))
    reached: dict[str, list[Step]] = {source: []}
    waiting = deque([source])
    while waiting and target not in reached:
        at = waiting.popleft()
        for currency, step in edges.get(at, ()):
            if currency not in reached:
                reached[currency] = [*reached[at], step]
                waiting.append(currency)
    if target not in reached:
        raise UserError(
            f"No stored rates lead from {source} to {target}; import quotes of {source}{target} or of a pair "
            "that connects them."
        )
    return reached[target]


class CurrencyConverter:
    """Converts amounts at the mid rates of a store.

    A rate is the last mid at or before a time (`ts_init`: what could be known then), never a later one.

    Parameters
    ----------
    store : Store
    account : str
        Currency of the account.
    """

    def __init__(self, store: Store, account: str) -> None:
        self._store, self.account = store, account
        self._rates: dict[str, tuple[Quotes, int]] = {}

    @cached_property
    def _instruments(self) -> Mapping[str, Instrument]:
        found = (self._store.instrument(name) for name in self._store.instruments())
        return {each.id: each for each in found if self._store.files(each.id, "quotes")}

    def way(self, currency: str) -> list[Step]:
        """Instruments whose rates lead from `currency` to the account's; see `way`."""
        return way(self._instruments.values(), currency, self.account)

    def rate(self, currency: str, ts_ns: int) -> Decimal:
        """Units of the account's currency for one of `currency` at `ts_ns`, to 28 digits.

        Raises
        ------
        UserError
            No chain of stored rates leads there, or one of them begins later than `ts_ns`.
        """
        rate = Decimal(1)
        for step in self.way(currency):
            quotes, precision = self._quotes(step.instrument)
            place = int(np.searchsorted(quotes.ts_init, ts_ns, side="right")) - 1
            if place < 0:
                raise _too_early(step.instrument, quotes, ts_ns)
            mid = Decimal(int(quotes.bid[place]) + int(quotes.ask[place])).scaleb(-precision) / 2
            rate = rate / mid if step.inverted else rate * mid
        return rate

    def convert(self, amount: Decimal, currency: str, ts_ns: int) -> Decimal:
        """`amount` of `currency` in the account's currency at `ts_ns`; see `rate`."""
        return amount * self.rate(currency, ts_ns)

    def rates(self, currency: str, at: Int64) -> Float64:
        """Rates at many times (ascending, ns UTC) for statistics: float64, NaN before the first known."""
        found = np.ones(len(at))
        for step in self.way(currency):
            quotes, precision = self._quotes(step.instrument)
            place = np.searchsorted(quotes.ts_init, at, side="right") - 1
            mid = (quotes.bid + quotes.ask)[np.maximum(place, 0)] / (2 * 10.0**precision)
            mid = np.where(place >= 0, mid, np.nan)
            found = found / mid if step.inverted else found * mid
        return found

    def _quotes(self, instrument: str) -> tuple[Quotes, int]:
        if instrument not in self._rates:
            quotes = self._store.read(instrument, "quotes")
            self._rates[instrument] = quotes, quotes.price_precision
        return self._rates[instrument]


def _too_early(instrument: str, quotes: Columns, ts_ns: int) -> UserError:
    first = np.datetime64(int(quotes.ts_init[0]), "ns").astype("datetime64[s]")
    asked = np.datetime64(ts_ns, "ns").astype("datetime64[s]")
    return UserError(
        f"The stored rates of {instrument} begin at {first} UTC, after {asked}; import earlier quotes of it."
    )
