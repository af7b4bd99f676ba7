"""The tables that the batch form reads; whoever owns the data (the store, a test) turns them into these.

All columns but the times are Float64 in the instrument's own units, no value is null, and rows are in the
order of `ts`: int64 ns UTC, the time at which the row was known here (the recorder's, not the venue's).

======  ===========================================================================================
quotes  `ts`, `bid`, `ask`, `bid_size`, `ask_size`; sizes are 0 where the source has none
trades  `ts`, `price`, `size`, `aggressor` (1 buyer, 2 seller, 0 where the venue does not tell)
book    `ts`, then `bid_price_k`, `bid_size_k`, `ask_price_k`, `ask_size_k` for k = 1 … L, best first;
        one row per book update; a missing level has the price NaN and the size 0
bars    `ts` (the first moment at which the bar is complete), `ts_open`, `open`, `high`, `low`, `close`,
        `volume`
======  ===========================================================================================

A set on one clock may read other streams, of its own instrument or of another: such a feature's value is the
one after the last row with an **earlier** `ts`. Rows of two streams at the same `ts` do not see each other,
since which of them came first is not known.
"""

from collections.abc import Mapping
from typing import Final

import polars as pl

from engine.errors import UserError

STREAM_NAMES: Final = ("quotes", "trades", "book", "bars")

_MID = ((pl.col("bid") + pl.col("ask")) * 0.5).alias("price")
_DERIVED: Final[Mapping[str, tuple[tuple[pl.Expr, ...], ...]]] = {
    "quotes": ((_MID, (pl.col("bid_size") + pl.col("ask_size")).alias("size")),),
    "trades": (),
    "book": (
        tuple(
            pl.col(theirs).alias(ours)
            for ours, theirs in (
                ("bid", "bid_price_1"),
                ("ask", "ask_price_1"),
                ("bid_size", "bid_size_1"),
                ("ask_size", "ask_size_1"),
            )
        ),
        (_MID,),
    ),
    "bars": ((pl.col("close").alias("price"), pl.col("volume").alias("size")),),
}
"""Columns that features read besides those of the table, in the order in which they need each other."""


def columns_of(stream: str, levels: int) -> tuple[str, ...]:
    """Columns of a table; `levels` a side for the book."""
    if stream == "quotes":
        return ("ts", "bid", "ask", "bid_size", "ask_size")
    if stream == "trades":
        return ("ts", "price", "size", "aggressor")
    if stream == "bars":
        return ("ts", "ts_open", "open", "high", "low", "close", "volume")
    fields = ("bid_price", "bid_size", "ask_price", "ask_size")
    return ("ts", *(f"{each}_{level}" for level in range(1, levels + 1) for each in fields))


def prepared(table: pl.LazyFrame, stream: str, levels: int) -> pl.LazyFrame:
    """Return the table with the columns that features read; raises `UserError` where one is missing."""
    present = table.collect_schema().names()
    missing = [name for name in columns_of(stream, levels) if name not in present]
    if missing:
        raise UserError(
            f"The table of {stream} lacks the column {missing[0]!r}, which these features need; "
            f"it has {', '.join(present[:8])}."
        )
    for step in _DERIVED[stream]:
        table = table.with_columns(step)
    return table
