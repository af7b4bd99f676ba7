"""Indicators in TA-Lib's conventions: seeds, first rows and formulas as there.

A missing price stays in a recurrence for good, so they belong on clean input: bars are.
"""

from dataclasses import dataclass
from typing import override

from ai.features.averages import exponential, wilder
from ai.features.feature import ANY_PRICE, Feature, Market, WarmUp, real, whole
from ai.features.sources import Source
from ai.features.values import (
    Value,
    absolute,
    before,
    first_of,
    larger,
    root,
    stepped,
    total,
    where_equal,
    where_less,
)
from ai.features.windows import Window

_FOR_GOOD = "for good after a missing price"


@dataclass(frozen=True)
class Ema(Feature):
    """Exponential moving average of the price."""

    name = "ema"
    streams = ANY_PRICE
    source = "TA-Lib, EMA"
    nan = _FOR_GOOD

    period: int = whole(20, 1, 100_000, "rows; the weight of a new price is 2 / (period + 1)")

    @property
    @override
    def warm_up(self) -> WarmUp:
        return WarmUp(self.period - 1)

    @override
    def formula(self, of: Source, market: Market) -> tuple[Value, ...]:
        return (stepped(of.price, exponential, self.period),)


@dataclass(frozen=True)
class Rsi(Feature):
    """Relative strength index, 0 to 100; 0 where the price never moved."""

    name = "rsi"
    streams = ANY_PRICE
    source = "TA-Lib, RSI; Wilder (1978), New concepts in technical trading systems"
    nan = _FOR_GOOD

    period: int = whole(14, 2, 100_000, "changes of price")

    @property
    @override
    def warm_up(self) -> WarmUp:
        return WarmUp(self.period)

    @override
    def formula(self, of: Source, market: Market) -> tuple[Value, ...]:
        change = of.price - before(of.price)
        gain = stepped(where_less(change, 0.0, 0.0, change), wilder, self.period)
        loss = stepped(where_less(0.0, change, 0.0, change * -1.0), wilder, self.period)
        both = gain + loss
        return (where_equal(both, 0.0, 0.0, gain / both * 100.0),)


@dataclass(frozen=True)
class Macd(Feature):
    """Difference of a fast and a slow EMA, its signal line (an EMA of it), and the difference of the two.

    TA-Lib seeds both averages at the same row: the fast one with the mean of the last `fast` of the first
    `slow` prices. All three lines begin where the signal line does.
    """

    name = "macd"
    streams = ANY_PRICE
    source = "TA-Lib, MACD"
    nan = _FOR_GOOD

    fast: int = whole(12, 2, 100_000, "rows of the fast average")
    slow: int = whole(26, 3, 100_000, "rows of the slow average")
    signal: int = whole(9, 1, 100_000, "rows of the signal line")

    def __post_init__(self) -> None:
        """Raise `ValueError` where the periods are in the wrong order."""
        if self.fast >= self.slow:
            raise ValueError(f"fast={self.fast} must be smaller than slow={self.slow}")

    @property
    @override
    def outputs(self) -> tuple[str, ...]:
        stem = f"macd_{self.fast}_{self.slow}_{self.signal}"
        return (stem, f"{stem}_signal", f"{stem}_histogram")

    @property
    @override
    def warm_up(self) -> WarmUp:
        return WarmUp(self.slow + self.signal - 2)

    @override
    def formula(self, of: Source, market: Market) -> tuple[Value, ...]:
        fast = stepped(of.price, exponential, self.fast, self.slow - self.fast)
        line = fast - stepped(of.price, exponential, self.slow)
        signal = stepped(line, exponential, self.signal)
        return where_equal(signal, signal, line, signal), signal, line - signal


@dataclass(frozen=True)
class Atr(Feature):
    """Average true range, in units of price."""

    name = "atr"
    streams = ("bars",)
    source = "TA-Lib, ATR; Wilder (1978), New concepts in technical trading systems"
    nan = _FOR_GOOD

    period: int = whole(14, 1, 100_000, "bars")

    @property
    @override
    def warm_up(self) -> WarmUp:
        return WarmUp(self.period)

    @override
    def formula(self, of: Source, market: Market) -> tuple[Value, ...]:
        high, low, close = of["high"], of["low"], before(of["close"])
        # The distances from the close come first, as `larger` keeps a first that is NaN: the first bar's.
        gap = larger(absolute(high - close), absolute(low - close))
        return (stepped(larger(gap, high - low), wilder, self.period),)


@dataclass(frozen=True)
class Bollinger(Feature):
    """Moving average of the price and the bands `deviations` population standard deviations from it.

    Sums are taken of the distance from the first price, which keeps the digits that TA-Lib's sums of squared
    prices lose.
    """

    name = "bollinger"
    streams = ANY_PRICE
    source = "TA-Lib, BBANDS with a simple average"
    nan = "while a missing price is in the window"

    period: int = whole(20, 2, 100_000, "rows")
    deviations: float = real(2.0, 0.0, 100.0, "standard deviations from the average to a band")

    @property
    @override
    def outputs(self) -> tuple[str, ...]:
        stem = f"bollinger_{self.period}_{self.deviations:g}"
        return (f"{stem}_upper", f"{stem}_middle", f"{stem}_lower")

    @property
    @override
    def warm_up(self) -> WarmUp:
        return WarmUp(self.period - 1)

    @override
    def formula(self, of: Source, market: Market) -> tuple[Value, ...]:
        origin, window = first_of(of.price), Window(self.period, rows=self.period)
        distance, share = of.price - origin, 1.0 / self.period
        mean = total(distance, window) * share
        width = root(total(distance * distance, window) * share - mean * mean) * self.deviations
        middle = origin + mean
        return middle + width, middle, middle - width
