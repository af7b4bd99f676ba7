"""Features of one price, whatever stream it comes from: a quote's mid, a trade's price or a bar's close."""

# ruff: noqa: RUF009 - `window(…)` and its like declare a parameter; what they make is immutable

from dataclasses import dataclass
from math import log1p, sqrt
from typing import override

import numpy as np
import polars as pl

from ai.features.feature import Feature, Market, Row, Takes, Update, WarmUp, kernel, window
from ai.features.rolling import over_window, shared_first
from ai.features.windows import NAN, Floats, Int64, Window, delaying, summing


def log_ratio(price: Floats, before: Floats) -> Floats:
    """`ln(price / before)` as log1p of the relative change, exact for small ones; NaN unless both > 0."""
    with np.errstate(invalid="ignore", divide="ignore"):
        change = np.log1p((price - before) / before)
    return np.where((price > 0.0) & (before > 0.0), change, NAN)


def log_returns(price: Floats) -> Floats:
    """Log return of each row from the row before; NaN in the first."""
    returns = np.full(len(price), NAN)
    returns[1:] = log_ratio(price[1:], price[:-1])
    return returns


RETURN = {"_return": kernel(log_returns, "price")}
"""The shared column of log returns."""


@dataclass(frozen=True)
class Return(Feature):
    """Log return over a number of rows, or since the last price at or before `ts` minus a time."""

    name = "return"
    takes = Takes.PRICE
    source = "definition"
    nan = "where either price is missing or not above 0"

    window: Window = window(1, "rows or time that it reaches back")

    @property
    def warm_up(self) -> WarmUp:
        """The price that it starts from."""
        return WarmUp(self.window.rows, self.window.ns)

    def shared(self) -> dict[str, pl.Expr]:
        """First rows of the windows."""
        return shared_first(self.window)

    @override
    def exprs(self, market: Market) -> tuple[pl.Expr, ...]:
        if self.window.ns:
            return (kernel(_since, self.window.first_column, "price"),)
        rows = self.window.rows

        def over_rows(price: Floats) -> Floats:
            out = np.full(len(price), NAN)
            out[rows:] = log_ratio(price[rows:], price[:-rows])
            return out

        return (kernel(over_rows, "price"),)

    @override
    def stream(self, market: Market, out: Row, at: int) -> Update:
        delayed = delaying(self.window)

        def update(ts: int, price: float) -> None:
            before = delayed(ts, price)
            out[at] = log1p((price - before) / before) if price > 0.0 and before > 0.0 else NAN

        return update


def _since(first: Int64, price: Floats) -> Floats:
    before = np.where(first > 0, price[first - 1], NAN)
    return log_ratio(price, before)


@dataclass(frozen=True)
class RealisedVolatility(Feature):
    """Square root of the sum of squared log returns, row to row, over a window; not annualised."""

    name = "realised_volatility"
    takes = Takes.PRICE
    source = "Andersen, Bollerslev, Diebold, Labys (2003), Modeling and forecasting realized volatility"
    nan = "while a missing price or one not above 0 is in the window"

    window: Window = window(100, "returns or time that are summed")

    @property
    def warm_up(self) -> WarmUp:
        """The first price has no return."""
        return WarmUp(self.window.rows, self.window.ns)

    def shared(self) -> dict[str, pl.Expr]:
        """Log returns, and the first rows of the windows."""
        return RETURN | shared_first(self.window)

    @override
    def exprs(self, market: Market) -> tuple[pl.Expr, ...]:
        return (over_window(lambda total, r: np.sqrt(total(r * r)), ("_return",), self.window),)

    @override
    def stream(self, market: Market, out: Row, at: int) -> Update:
        add = summing(self.window)
        before = NAN

        def update(ts: int, price: float) -> None:
            nonlocal before
            change = log1p((price - before) / before) if price > 0.0 and before > 0.0 else NAN
            before = price
            out[at] = sqrt(add(ts, change * change))

        return update
