"""Features of the best bid and ask, from quotes or from the book's first level."""

# ruff: noqa: RUF009 - `window(…)` and its like declare a parameter; what they make is immutable

from dataclasses import dataclass
from typing import override

from ai.features.feature import Feature, Market, WarmUp, choice, window
from ai.features.sources import Source
from ai.features.values import Value, before, total, where_less
from ai.features.windows import Window

_TOP = ("quotes", "book")
_BPS = 10_000.0


@dataclass(frozen=True)
class Mid(Feature):
    """Middle of the best bid and ask, `(bid + ask) / 2`."""

    name = "mid"
    streams = _TOP
    source = "definition"
    nan = "where a side is empty"

    @override
    def formula(self, of: Source, market: Market) -> tuple[Value, ...]:
        return (of.price,)


@dataclass(frozen=True)
class Spread(Feature):
    """`ask - bid` in ticks of the instrument or in basis points of the mid."""

    name = "spread"
    streams = _TOP
    source = "definition"
    nan = "where a side is empty"

    unit: str = choice(("ticks", "bps"), "what it is counted in")

    @override
    def formula(self, of: Source, market: Market) -> tuple[Value, ...]:
        spread = of.ask - of.bid
        if self.unit == "ticks":
            return (spread * (1.0 / market.tick_size),)
        return (spread / of.price * _BPS,)


@dataclass(frozen=True)
class Microprice(Feature):
    """`(bid * ask_size + ask * bid_size) / (bid_size + ask_size)`, or its distance from the mid in bps."""

    name = "microprice"
    streams = _TOP
    source = "Gatheral, Oomen (2010), Zero-intelligence realized variance estimation, eq. 5"
    nan = "where a side is empty or the source gives no sizes"

    unit: str = choice(("price", "bps"), "the price, or its distance from the mid")

    @override
    def formula(self, of: Source, market: Market) -> tuple[Value, ...]:
        price = (of.bid * of.ask_size + of.ask * of.bid_size) / (of.bid_size + of.ask_size)
        if self.unit == "price":
            return (price,)
        return ((price - of.price) / of.price * _BPS,)


@dataclass(frozen=True)
class TopImbalance(Feature):
    """`(bid_size - ask_size) / (bid_size + ask_size)` at the best prices; from -1 to 1."""

    name = "top_imbalance"
    streams = _TOP
    source = "Cao, Hansch, Wang (2009), The information content of an open limit-order book"
    nan = "where the source gives no sizes"

    @override
    def formula(self, of: Source, market: Market) -> tuple[Value, ...]:
        return ((of.bid_size - of.ask_size) / (of.bid_size + of.ask_size),)


@dataclass(frozen=True)
class OrderFlowImbalance(Feature):
    """Net size that arrived at the best prices over a window, bids positive.

    Each event n adds `e_n = I[P^B_n >= P^B_{n-1}] q^B_n - I[P^B_n <= P^B_{n-1}] q^B_{n-1}
    - I[P^A_n <= P^A_{n-1}] q^A_n + I[P^A_n >= P^A_{n-1}] q^A_{n-1}`. A side that empties or fills counts as
    its size leaving or arriving.
    """

    name = "order_flow_imbalance"
    streams = _TOP
    source = "Cont, Kukanov, Stoikov (2014), The price impact of order book events, eq. 2 to 4"
    nan = "never"

    window: Window = window(100, "events or time that are summed")

    @property
    @override
    def warm_up(self) -> WarmUp:
        return WarmUp(self.window.rows, self.window.ns)

    @override
    def formula(self, of: Source, market: Market) -> tuple[Value, ...]:
        # Written with < and > because a missing price (NaN) then counts as neither lower nor higher.
        bid, ask, old_bid, old_ask = of.bid, of.ask, before(of.bid), before(of.ask)
        bid_size, ask_size = of.bid_size, of.ask_size
        event = (
            where_less(bid, old_bid, 0.0, bid_size)
            - where_less(old_bid, bid, 0.0, before(bid_size))
            - where_less(old_ask, ask, 0.0, ask_size)
            + where_less(ask, old_ask, 0.0, before(ask_size))
        )
        return (total(event, self.window),)
