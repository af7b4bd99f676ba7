"""Ticks that MetaTrader 5 exports: quotes, and trades where the symbol has them.

An empty field repeats the last value above it. FLAGS adds up what changed (2 bid, 4 ask, 8 last, 16 volume)
and who dealt (32 a buyer, 64 a seller), as `MqlTick` in the MQL5 reference has it.
"""

from typing import Final

import numpy as np
import polars as pl

from engine.columns import Aggressor, Columns, Int64, Quotes, Trades
from engine.feeds.decoded import Decoded, Undecodable
from engine.feeds.formats import Head, SourceFile
from engine.feeds.rows import Rows
from engine.feeds.tables import Table
from engine.feeds.vendors.bar_rows import decoded
from engine.feeds.vendors.metatrader import first_line, opened, server_times
from engine.store.merging import Mask

_BUY, _SELL = 32, 64
_BITS: Final = {"bid": 2, "ask": 4, "last": 8, "volume": 16}
_QUOTED: Final = _BITS["bid"] | _BITS["ask"]
_TRADED: Final = _BITS["last"] | _BITS["volume"]


def matches(head: Head) -> bool:
    """Whether its first line is the header of MetaTrader's ticks."""
    line = first_line(head)
    return line.startswith("<DATE>") and "<BID>" in line


def decode(file: SourceFile) -> Decoded:
    """Quotes and trades of one file.

    Raises
    ------
    Undecodable
        Damaged, or of other columns.
    """
    table, columns = opened(file)
    missing = next((name for name in ("date", "time", "bid", "ask") if name not in columns), None)
    if missing:
        raise Undecodable(f"it has no column <{missing.upper()}>, as MetaTrader's ticks have")
    changed = _changed(columns)
    filled = columns | {name: columns[name].forward_fill() for name in _BITS if name in columns}
    rows = Rows(table, filled)
    _, times = server_times(rows, file.zone)
    rows.reject(changed & (_QUOTED | _TRADED) == 0, "neither quote nor trade changed in it")
    quoted, traded = changed & _QUOTED != 0, changed & _TRADED != 0
    parts: dict[str, Columns] = {
        "quotes": _quotes(rows, quoted, times.ns[quoted]),
        "trades": _trades(rows, traded, times.ns[traded], changed[traded]),
    }
    return decoded(rows, parts, times.said)


def _changed(columns: dict[str, pl.Series]) -> Int64:
    """FLAGS of each row; where they are missing or 0, which of its own fields are filled and not 0."""
    filled = np.zeros(len(columns["date"]), np.int64)
    for name, bit in _BITS.items():
        if name in columns:
            zero = (columns[name].cast(pl.Float64, strict=False) == 0).fill_null(value=False)
            filled |= np.where((columns[name].is_not_null() & ~zero).to_numpy(), bit, 0)
    if "flags" not in columns:
        return filled
    flags = columns["flags"].cast(pl.Int64, strict=False).fill_null(0).to_numpy()
    return np.where(flags & (_QUOTED | _TRADED), flags, filled)


def _some(rows: Rows, which: Mask) -> Rows:
    """Those of `rows` that `which` marks."""
    kept = Rows(
        Table([], None, rows.lines[which]),
        {name: column.filter(pl.Series(which)) for name, column in rows.columns.items()},
    )
    kept.good &= rows.good[which]
    return kept


def _quotes(rows: Rows, quoted: Mask, ts: Int64) -> Quotes:
    some = _some(rows, quoted)
    (bid, ask), precision = some.numbers("bid", "ask", positive=True)
    none = np.zeros(len(bid), np.int64)
    quotes = Quotes(
        ts_event=ts,
        ts_init=ts,
        bid=bid,
        ask=ask,
        bid_size=none,
        ask_size=none,
        price_precision=precision,
        size_precision=0,
    )
    if len(bid):
        rows.notes.append("The quotes have no sizes; they are stored with size 0.")
    rows.rejected += some.rejected
    return some.taken(quotes)


def _trades(rows: Rows, traded: Mask, ts: Int64, flags: Int64) -> Trades:
    some = _some(rows, traded)
    for name in ("last", "volume"):
        some.columns.setdefault(name, pl.Series([None] * len(ts), dtype=pl.String))
    price, size = some.number("last", positive=True), some.number("volume", positive=True)
    bought, sold = flags & _BUY != 0, flags & _SELL != 0
    aggressor = np.select(
        [bought & ~sold, sold & ~bought], [Aggressor.BUYER, Aggressor.SELLER], Aggressor.NONE
    )
    trades = Trades(
        ts_event=ts,
        ts_init=ts,
        price=price.integers,
        size=size.integers,
        aggressor=aggressor.astype(np.uint8),
        trade_id=np.zeros(len(ts), np.int64),
        price_precision=price.precision,
        size_precision=size.precision,
    )
    rows.rejected += some.rejected
    return some.taken(trades)
