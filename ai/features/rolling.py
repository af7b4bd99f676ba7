"""The batch form of windowed sums as polars expressions, shared by every feature that sums over a window."""

from collections.abc import Callable
from typing import Any

import polars as pl

from ai.features.feature import kernel
from ai.features.windows import Floats, Int64, Window, first_rows, sum_rows, sum_since

type Total = Callable[[Floats], Floats]
"""Sums an array over each row's window."""


def shared_first(window: Window) -> dict[str, pl.Expr]:
    """The shared column of a window of time: index of the first row in each row's window."""
    if not window.ns:
        return {}

    def call(ts: pl.Series) -> pl.Series:
        return pl.Series(first_rows(ts.to_numpy(), window.ns))

    return {window.first_column: pl.col("ts").map_batches(call, return_dtype=pl.Int64)}


def over_window(function: Callable[..., Floats], columns: tuple[str, ...], window: Window) -> pl.Expr:
    """Expression of `function(total, *columns)`, where `total(x)` sums an array over the window."""
    if not window.ns:

        def by_rows(*arrays: Any) -> Floats:
            return function(lambda x: sum_rows(x, window.rows), *arrays)

        return kernel(by_rows, *columns)

    def by_time(ts: Int64, first: Int64, *arrays: Any) -> Floats:
        return function(lambda x: sum_since(x, ts, first, window.ns), *arrays)

    return kernel(by_time, "ts", window.first_column, *columns)
