"""Features of one price, whatever stream it comes from: a quote's mid, a trade's price or a bar's close."""

# ruff: noqa: RUF009 - `window(…)` and its like declare a parameter; what they make is immutable

from dataclasses import dataclass
from typing import override

from ai.features.feature import ANY_PRICE, Feature, Market, WarmUp, window
from ai.features.sources import Source
from ai.features.values import Value, ago, before, log_ratio, root, total
from ai.features.windows import Window


@dataclass(frozen=True)
class Return(Feature):
    """Log return over a number of rows, or since the last price at or before `ts` minus a time."""

    name = "return"
    streams = ANY_PRICE
    source = "definition"
    nan = "where either price is missing or not above 0"

    window: Window = window(1, "rows or time that it reaches back")

    @property
    @override
    def warm_up(self) -> WarmUp:
        return WarmUp(self.window.rows, self.window.ns)

    @override
    def formula(self, of: Source, market: Market) -> tuple[Value, ...]:
        return (log_ratio(of.price, ago(of.price, self.window)),)


@dataclass(frozen=True)
class RealisedVolatility(Feature):
    """Square root of the sum of squared log returns, row to row, over a window; not annualised."""

    name = "realised_volatility"
    streams = ANY_PRICE
    source = "Andersen, Bollerslev, Diebold, Labys (2003), Modeling and forecasting realized volatility"
    nan = "while a missing price or one not above 0 is in the window"

    window: Window = window(100, "returns or time that are summed")

    @property
    @override
    def warm_up(self) -> WarmUp:
        return WarmUp(self.window.rows, self.window.ns)

    @override
    def formula(self, of: Source, market: Market) -> tuple[Value, ...]:
        change = log_ratio(of.price, before(of.price))
        return (root(total(change * change, self.window)),)
