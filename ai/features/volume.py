"""Features of what was traded; on quotes, of the sizes that were shown."""

# ruff: noqa: RUF009 - `window(…)` and its like declare a parameter; what they make is immutable

from dataclasses import dataclass
from typing import override

import numpy as np
import polars as pl

from ai.features.feature import Feature, Market, Row, Takes, Update, WarmUp, choice, kernel, window
from ai.features.rolling import Total, over_window, shared_first
from ai.features.windows import NAN, Floats, Window, summing

_BPS = 10_000.0


@dataclass(frozen=True)
class RollingVolume(Feature):
    """Sum of sizes over a window: of trades, of bars, or of bid and ask sizes shown by quotes."""

    name = "rolling_volume"
    takes = Takes.TICK
    source = "definition"
    nan = "never"

    window: Window = window(100, "rows or time that are summed")

    @property
    def warm_up(self) -> WarmUp:
        """A whole window."""
        return whole_window(self.window)

    def shared(self) -> dict[str, pl.Expr]:
        """First rows of the windows."""
        return shared_first(self.window)

    @override
    def exprs(self, market: Market) -> tuple[pl.Expr, ...]:
        return (over_window(lambda total, size: total(size), ("size",), self.window),)

    @override
    def stream(self, market: Market, out: Row, at: int) -> Update:
        add = summing(self.window)

        def update(ts: int, _price: float, size: float) -> None:
            out[at] = add(ts, size)

        return update


def whole_window(window: Window) -> WarmUp:
    """Warm-up of a sum that has a term in every row, the first included."""
    return WarmUp(max(window.rows - 1, 0), window.ns)


@dataclass(frozen=True)
class VwapDeviation(Feature):
    """Distance of the price from the volume-weighted average price of a window, in bps of that average."""

    name = "vwap_deviation"
    takes = Takes.TICK
    source = "Berkowitz, Logue, Noser (1988), The total cost of transactions on the NYSE (VWAP)"
    nan = "while the window's volume is 0"

    window: Window = window(100, "rows or time that are averaged")

    @property
    def warm_up(self) -> WarmUp:
        """A whole window."""
        return whole_window(self.window)

    def shared(self) -> dict[str, pl.Expr]:
        """First rows of the windows."""
        return shared_first(self.window)

    @override
    def exprs(self, market: Market) -> tuple[pl.Expr, ...]:
        return (over_window(_vwap_deviation, ("price", "size"), self.window),)

    @override
    def stream(self, market: Market, out: Row, at: int) -> Update:
        add_value, add_size = summing(self.window), summing(self.window)

        def update(ts: int, price: float, size: float) -> None:
            value, volume = add_value(ts, price * size), add_size(ts, size)
            vwap = value / volume if volume > 0.0 else NAN
            out[at] = (price - vwap) / vwap * _BPS if vwap else NAN

        return update


def _vwap_deviation(total: Total, price: Floats, size: Floats) -> Floats:
    value, volume = total(price * size), total(size)
    with np.errstate(invalid="ignore", divide="ignore"):
        vwap = np.where(volume > 0.0, value / volume, NAN)
        return np.where(vwap != 0.0, (price - vwap) / vwap * _BPS, NAN)


@dataclass(frozen=True)
class TradeSign(Feature):
    """+1 for a trade that a buyer started, -1 for a seller, by the venue's word or by the tick rule.

    `aggressor` takes the venue's word and the tick rule where it gave none; `tick` always the tick rule: the
    sign of the last change of price, 0 before the first.
    """

    name = "trade_sign"
    takes = Takes.TRADE
    source = "Lee, Ready (1991), Inferring trade direction from intraday data (tick test)"
    nan = "never"

    rule: str = choice(("aggressor", "tick"), "whose word is taken")

    @override
    def exprs(self, market: Market) -> tuple[pl.Expr, ...]:
        by_tick = self.rule == "tick"
        return (kernel(lambda price, taker: signs(price, taker, by_tick=by_tick), "price", "aggressor"),)

    @override
    def stream(self, market: Market, out: Row, at: int) -> Update:
        by_tick = self.rule == "tick"
        before, last = NAN, 0.0

        def update(_ts: int, price: float, _size: float, aggressor: float) -> None:
            nonlocal before, last
            if price > before:
                last = 1.0
            elif price < before:
                last = -1.0
            before = price
            out[at] = last if by_tick or not aggressor else 3.0 - 2.0 * aggressor

        return update


def signs(price: Floats, aggressor: Floats, *, by_tick: bool) -> Floats:
    """Sign of each trade; `aggressor` is 1 for a buyer, 2 for a seller, 0 where the venue does not tell."""
    change = np.zeros(len(price))
    change[1:] = np.sign(price[1:] - price[:-1])
    moved = np.maximum.accumulate(np.where(change != 0.0, np.arange(len(price)), 0))
    by_price = change[moved]
    return by_price if by_tick else np.where(aggressor == 0.0, by_price, 3.0 - 2.0 * aggressor)


@dataclass(frozen=True)
class SignedVolume(Feature):
    """Sum of `sign * size` over a window of trades, buyers positive."""

    name = "signed_volume"
    takes = Takes.TRADE
    source = "definition; the sign as in trade_sign"
    nan = "never"

    window: Window = window(100, "trades or time that are summed")
    rule: str = choice(("aggressor", "tick"), "whose word is taken")

    @property
    def warm_up(self) -> WarmUp:
        """A whole window."""
        return whole_window(self.window)

    def shared(self) -> dict[str, pl.Expr]:
        """First rows of the windows."""
        return shared_first(self.window)

    @override
    def exprs(self, market: Market) -> tuple[pl.Expr, ...]:
        by_tick = self.rule == "tick"

        def signed(total: Total, price: Floats, size: Floats, aggressor: Floats) -> Floats:
            return total(signs(price, aggressor, by_tick=by_tick) * size)

        return (over_window(signed, Takes.TRADE.value, self.window),)

    @override
    def stream(self, market: Market, out: Row, at: int) -> Update:
        add = summing(self.window)
        sign = TradeSign(rule=self.rule).stream(market, out, at)

        def update(ts: int, price: float, size: float, aggressor: float) -> None:
            sign(ts, price, size, aggressor)
            out[at] = add(ts, out[at] * size)

        return update
