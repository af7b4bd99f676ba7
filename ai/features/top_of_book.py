"""Features of the best bid and ask, from quotes or from the book's first level."""

# ruff: noqa: RUF009 - `window(…)` and its like declare a parameter; what they make is immutable

from dataclasses import dataclass
from typing import override

import numpy as np
import polars as pl

from ai.features.feature import Feature, Market, Row, Takes, Update, WarmUp, choice, window
from ai.features.rolling import over_window, shared_first
from ai.features.windows import NAN, Floats, Window, summing

_BID, _ASK, _BID_SIZE, _ASK_SIZE = pl.col("bid"), pl.col("ask"), pl.col("bid_size"), pl.col("ask_size")
_BPS = 10_000.0


@dataclass(frozen=True)
class Mid(Feature):
    """Middle of the best bid and ask, `(bid + ask) / 2`."""

    name = "mid"
    takes = Takes.TOP
    source = "definition"
    nan = "where a side is empty"

    @override
    def exprs(self, market: Market) -> tuple[pl.Expr, ...]:
        return ((_BID + _ASK) * 0.5,)

    @override
    def stream(self, market: Market, out: Row, at: int) -> Update:
        def update(_ts: int, bid: float, ask: float, _bid_size: float, _ask_size: float) -> None:
            out[at] = (bid + ask) * 0.5

        return update


@dataclass(frozen=True)
class Spread(Feature):
    """`ask - bid` in ticks of the instrument or in basis points of the mid."""

    name = "spread"
    takes = Takes.TOP
    source = "definition"
    nan = "where a side is empty"

    unit: str = choice(("ticks", "bps"), "what it is counted in")

    @override
    def exprs(self, market: Market) -> tuple[pl.Expr, ...]:
        if self.unit == "ticks":
            return ((_ASK - _BID) * (1.0 / market.tick_size),)
        return ((_ASK - _BID) / ((_BID + _ASK) * 0.5) * _BPS,)

    @override
    def stream(self, market: Market, out: Row, at: int) -> Update:
        per_tick = 1.0 / market.tick_size

        def in_ticks(_ts: int, bid: float, ask: float, _bid_size: float, _ask_size: float) -> None:
            out[at] = (ask - bid) * per_tick

        def in_bps(_ts: int, bid: float, ask: float, _bid_size: float, _ask_size: float) -> None:
            mid = (bid + ask) * 0.5
            out[at] = (ask - bid) / mid * _BPS if mid else NAN

        return in_ticks if self.unit == "ticks" else in_bps


@dataclass(frozen=True)
class Microprice(Feature):
    """`(bid * ask_size + ask * bid_size) / (bid_size + ask_size)`, or its distance from the mid in bps."""

    name = "microprice"
    takes = Takes.TOP
    source = "Gatheral, Oomen (2010), Zero-intelligence realized variance estimation, eq. 5"
    nan = "where a side is empty or the source gives no sizes"

    unit: str = choice(("price", "bps"), "the price, or its distance from the mid")

    @override
    def exprs(self, market: Market) -> tuple[pl.Expr, ...]:
        price = (_BID * _ASK_SIZE + _ASK * _BID_SIZE) / (_BID_SIZE + _ASK_SIZE)
        if self.unit == "price":
            return (price,)
        mid = (_BID + _ASK) * 0.5
        return ((price - mid) / mid * _BPS,)

    @override
    def stream(self, market: Market, out: Row, at: int) -> Update:
        def price(_ts: int, bid: float, ask: float, bid_size: float, ask_size: float) -> None:
            both = bid_size + ask_size
            out[at] = (bid * ask_size + ask * bid_size) / both if both else NAN

        def bps(_ts: int, bid: float, ask: float, bid_size: float, ask_size: float) -> None:
            both, mid = bid_size + ask_size, (bid + ask) * 0.5
            if both and mid:
                out[at] = ((bid * ask_size + ask * bid_size) / both - mid) / mid * _BPS
            else:
                out[at] = NAN

        return price if self.unit == "price" else bps


@dataclass(frozen=True)
class TopImbalance(Feature):
    """`(bid_size - ask_size) / (bid_size + ask_size)` at the best prices; from -1 to 1."""

    name = "top_imbalance"
    takes = Takes.TOP
    source = "Cao, Hansch, Wang (2009), The information content of an open limit-order book"
    nan = "where the source gives no sizes"

    @override
    def exprs(self, market: Market) -> tuple[pl.Expr, ...]:
        return ((_BID_SIZE - _ASK_SIZE) / (_BID_SIZE + _ASK_SIZE),)

    @override
    def stream(self, market: Market, out: Row, at: int) -> Update:
        def update(_ts: int, _bid: float, _ask: float, bid_size: float, ask_size: float) -> None:
            both = bid_size + ask_size
            out[at] = (bid_size - ask_size) / both if both else NAN

        return update


@dataclass(frozen=True)
class OrderFlowImbalance(Feature):
    """Net size that arrived at the best prices over a window, bids positive.

    Each event n adds `e_n = I[P^B_n >= P^B_{n-1}] q^B_n - I[P^B_n <= P^B_{n-1}] q^B_{n-1}
    - I[P^A_n <= P^A_{n-1}] q^A_n + I[P^A_n >= P^A_{n-1}] q^A_{n-1}`. A side that empties or fills counts as
    its size leaving or arriving.
    """

    name = "order_flow_imbalance"
    takes = Takes.TOP
    source = "Cont, Kukanov, Stoikov (2014), The price impact of order book events, eq. 2 to 4"
    nan = "never"

    window: Window = window(100, "events or time that are summed")

    @property
    def warm_up(self) -> WarmUp:
        """The first event has none before it."""
        return WarmUp(self.window.rows, self.window.ns)

    def shared(self) -> dict[str, pl.Expr]:
        """First rows of the windows."""
        return shared_first(self.window)

    @override
    def exprs(self, market: Market) -> tuple[pl.Expr, ...]:
        return (over_window(lambda total, *top: total(_flow(*top)), Takes.TOP.value, self.window),)

    @override
    def stream(self, market: Market, out: Row, at: int) -> Update:
        add = summing(self.window)
        old_bid = old_ask = old_bid_size = old_ask_size = NAN

        def update(ts: int, bid: float, ask: float, bid_size: float, ask_size: float) -> None:
            nonlocal old_bid, old_ask, old_bid_size, old_ask_size
            event = (
                (0.0 if bid < old_bid else bid_size)
                - (0.0 if bid > old_bid else old_bid_size)
                - (0.0 if ask > old_ask else ask_size)
                + (0.0 if ask < old_ask else old_ask_size)
            )
            old_bid, old_ask, old_bid_size, old_ask_size = bid, ask, bid_size, ask_size
            out[at] = add(ts, event)

        return update


def _flow(bid: Floats, ask: Floats, bid_size: Floats, ask_size: Floats) -> Floats:
    """`e_n` of every row; NaN in the first. A missing price is NaN, and not being lower or higher."""
    event = np.full(len(bid), NAN)
    for start in range(0, max(len(bid) - 1, 0), 8_192):
        now, before = slice(start + 1, start + 8_193), slice(start, min(start + 8_192, len(bid) - 1))
        value = np.where(bid[now] < bid[before], 0.0, bid_size[now])
        value -= np.where(bid[now] > bid[before], 0.0, bid_size[before])
        value -= np.where(ask[now] > ask[before], 0.0, ask_size[now])
        value += np.where(ask[now] < ask[before], 0.0, ask_size[before])
        event[now] = value
    return event
