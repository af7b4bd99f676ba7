"""Features of what was traded; on quotes, of the sizes that were shown."""

# ruff: noqa: RUF009 - `window(…)` and its like declare a parameter; what they make is immutable

from dataclasses import dataclass
from typing import override

from ai.features.feature import Feature, Market, WarmUp, choice, window
from ai.features.sources import Source
from ai.features.values import Value, aggressor_sign, held_sign, total
from ai.features.windows import Window

_BPS = 10_000.0
_SIZED = ("trades", "quotes", "bars")
_RULES = ("aggressor", "tick")


def _whole(window: Window) -> WarmUp:
    """Warm-up of a sum that has a term in every row, the first included."""
    return WarmUp(max(window.rows - 1, 0), window.ns)


@dataclass(frozen=True)
class RollingVolume(Feature):
    """Sum of sizes over a window: of trades, of bars, or of bid and ask sizes shown by quotes."""

    name = "rolling_volume"
    streams = _SIZED
    source = "definition"
    nan = "never"

    window: Window = window(100, "rows or time that are summed")

    @property
    @override
    def warm_up(self) -> WarmUp:
        return _whole(self.window)

    @override
    def formula(self, of: Source, market: Market) -> tuple[Value, ...]:
        return (total(of.size, self.window),)


@dataclass(frozen=True)
class VwapDeviation(Feature):
    """Distance of the price from the volume-weighted average price of a window, in bps of that average."""

    name = "vwap_deviation"
    streams = _SIZED
    source = "Berkowitz, Logue, Noser (1988), The total cost of transactions on the NYSE (VWAP)"
    nan = "while the window's volume is 0"

    window: Window = window(100, "rows or time that are averaged")

    @property
    @override
    def warm_up(self) -> WarmUp:
        return _whole(self.window)

    @override
    def formula(self, of: Source, market: Market) -> tuple[Value, ...]:
        vwap = total(of.price * of.size, self.window) / total(of.size, self.window)
        return ((of.price - vwap) / vwap * _BPS,)


@dataclass(frozen=True)
class TradeSign(Feature):
    """+1 for a trade that a buyer started, -1 for a seller, by the venue's word or by the tick rule.

    `aggressor` takes the venue's word and the tick rule where it gave none; `tick` always the tick rule: the
    sign of the last change of price, 0 before the first.
    """

    name = "trade_sign"
    streams = ("trades",)
    source = "Lee, Ready (1991), Inferring trade direction from intraday data (tick test)"
    nan = "never"

    rule: str = choice(_RULES, "whose word is taken")

    @override
    def formula(self, of: Source, market: Market) -> tuple[Value, ...]:
        return (_sign(of, self.rule),)


def _sign(of: Source, rule: str) -> Value:
    by_tick = held_sign(of.price)
    return by_tick if rule == "tick" else aggressor_sign(of["aggressor"], by_tick)


@dataclass(frozen=True)
class SignedVolume(Feature):
    """Sum of `sign * size` over a window of trades, buyers positive; the sign is that of `trade_sign`."""

    name = "signed_volume"
    streams = ("trades",)
    source = "definition"
    nan = "never"

    window: Window = window(100, "trades or time that are summed")
    rule: str = choice(_RULES, "whose word is taken")

    @property
    @override
    def warm_up(self) -> WarmUp:
        return _whole(self.window)

    @override
    def formula(self, of: Source, market: Market) -> tuple[Value, ...]:
        return (total(_sign(of, self.rule) * of.size, self.window),)
