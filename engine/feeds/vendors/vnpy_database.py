"""Bars and ticks in vn.py's SQLite database (`database.db`: `dbbardata` and `dbtickdata`).

The file is opened from its bytes, in memory, so nothing is ever written to it. One database holds all that
vn.py has; the rows of the instrument are taken, and the others told.
"""

import sqlite3
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl

from engine.columns import Columns, bars_kind
from engine.feeds.decoded import Decoded, Undecodable
from engine.feeds.formats import Head, SourceFile
from engine.feeds.rows import Rows, bare_symbol
from engine.feeds.tables import Table
from engine.feeds.timestamps import TimeRule
from engine.feeds.vendors.bar_rows import PRICES, decoded, spec_of
from engine.feeds.vendors.vnpy import (
    BAR_COLUMNS,
    BARS_NOTE,
    LENGTHS,
    TICK_COLUMNS,
    TICKS_NOTE,
    ZONE_NOTE,
    books,
    vendor_bars,
)
from engine.messages.instrument import Instrument

_BARS, _TICKS = "dbbardata", "dbtickdata"
_HELD: Final = {
    _TICKS: "SELECT DISTINCT symbol, exchange, '' FROM dbtickdata",
    _BARS: "SELECT DISTINCT symbol, exchange, interval FROM dbbardata",
}
_MAGIC: Final = b"SQLite format 3\x00"
_JOURNAL_MODE: Final = slice(18, 20)
_ROLLBACK: Final = b"\x01\x01"
_DOUBLE_DIGITS: Final = 15
_TEXTS: Final = ("datetime", "localtime")
_OPTIONAL: Final = frozenset(TICK_COLUMNS) - {"datetime", "bid_price_1", "ask_price_1"}
_MOST_LISTED: Final = 8


@dataclass(frozen=True, slots=True)
class _Series:
    """Rows of one symbol; `interval` is empty for ticks."""

    symbol: str
    exchange: str
    interval: str


def matches(head: Head) -> bool:
    """Whether it is SQLite, and begins with one of vn.py's tables."""
    return head.data.startswith(_MAGIC) and any(name.encode() in head.data for name in (_BARS, _TICKS))


def decode(file: SourceFile) -> Decoded:
    """Bars of all lengths, and ticks, of the instrument.

    Raises
    ------
    Undecodable
        Damaged, still open in vn.py, none of its databases, or without rows of the instrument.
    """
    if file.sibling(f"{file.path.name}-wal"):
        raise Undecodable(
            f"vn.py still writes to it ({file.path.name}-wal lies beside it); close vn.py first"
        )
    data = bytearray(file.data)
    data[_JOURNAL_MODE] = _ROLLBACK  # a database in memory has no write-ahead log
    try:
        with closing(sqlite3.connect(":memory:")) as database:
            database.deserialize(bytes(data))
            return _read(database, file.instrument, file.zone)
    except (sqlite3.Error, UnicodeDecodeError, OverflowError) as error:
        raise Undecodable("the SQLite database is damaged or cut off; copy it again") from error


def _read(database: sqlite3.Connection, instrument: Instrument, zone: str) -> Decoded:
    if database.execute("PRAGMA quick_check(1)").fetchone() != ("ok",):
        raise Undecodable("the SQLite database is damaged or cut off; copy it again")
    held = _held(database)
    chosen = _chosen(held, instrument)
    parts: dict[str, Columns] = {}
    together = Rows(Table([], None, np.zeros(0, np.int64)), {})
    together.notes += _others_note(held, chosen)
    said: list[str] = []
    for series in chosen:
        rows = _rows(database, series)
        opens = rows.time("datetime", rule=TimeRule(zone=zone))
        if not zone and opens.assumes_utc:
            together.notes.append(ZONE_NOTE)
        if series.interval:
            length_ns = LENGTHS[series.interval]
            parts[bars_kind(spec_of(length_ns, "LAST"))] = vendor_bars(rows, opens.ns, length_ns)
        else:
            parts |= books(rows, opens, zone)
        together.notes.append(BARS_NOTE if series.interval else TICKS_NOTE)
        together.rejected += rows.rejected
        said.append(opens.said)
    together.notes = list(dict.fromkeys(together.notes))
    return decoded(together, parts, "; ".join(dict.fromkeys(said)))


def _held(database: sqlite3.Connection) -> list[_Series]:
    """What the database has: ticks and bars of each symbol."""
    tables = {name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    if tables.isdisjoint(_HELD):
        raise Undecodable(f"it has no table {_BARS} or {_TICKS}, as vn.py's databases have")
    return [
        _Series(*(str(each) for each in row))
        for table, query in _HELD.items()
        if table in tables
        for row in database.execute(query)
    ]


def _chosen(held: list[_Series], instrument: Instrument) -> list[_Series]:
    """Those of the instrument, of its venue where several exchanges have the symbol."""
    mine = [each for each in held if bare_symbol(each.symbol) == bare_symbol(instrument.symbol)]
    exchanges = sorted({each.exchange for each in mine})
    if not mine:
        raise Undecodable(
            f"it holds {_listed(held) or 'nothing'}, not {instrument.symbol}; give one of them as "
            "--instrument"
        )
    if len(exchanges) > 1:
        mine = [each for each in mine if each.exchange == instrument.venue]
        if not mine:
            raise Undecodable(
                f"it holds {instrument.symbol} of {' and '.join(exchanges)}; give one of them as the venue "
                "of --instrument"
            )
    kept = [each for each in mine if not each.interval or each.interval in LENGTHS]
    if not kept:
        raise Undecodable("its bars are of weeks only; those of minutes, hours and days are kept")
    return kept


def _others_note(held: list[_Series], chosen: list[_Series]) -> list[str]:
    others = [each for each in held if each not in chosen]
    return [f"Left for imports of their own, or not kept: {_listed(others)}."] if others else []


def _listed(held: list[_Series]) -> str:
    names = sorted({f"{each.symbol}.{each.exchange} {each.interval or 'ticks'}" for each in held})
    more = f" and {len(names) - _MOST_LISTED:,} more" if len(names) > _MOST_LISTED else ""
    return ", ".join(names[:_MOST_LISTED]) + more


def _rows(database: sqlite3.Connection, series: _Series) -> Rows:
    table, wanted = (_BARS, BAR_COLUMNS) if series.interval else (_TICKS, TICK_COLUMNS)
    there = {name for _, name, *_ in database.execute(f"PRAGMA table_info({table})")}
    where, given = "symbol = ? AND exchange = ?", [series.symbol, series.exchange]
    if series.interval:
        where, given = f"{where} AND interval = ?", [*given, series.interval]
    columns: dict[str, pl.Series] = {}
    for role in wanted:
        name = f"{role}_price" if role in PRICES else role
        if name in there:
            found = database.execute(f"SELECT {name} FROM {table} WHERE {where} ORDER BY rowid", given)  # noqa: S608 - the names are our own
            columns[role] = _column(role, (value for (value,) in found))
        elif role not in _OPTIONAL:
            raise Undecodable(f"its table {table} has no column {name}, as vn.py's databases have")
    return Rows(Table([], None, np.arange(1, len(columns["datetime"]) + 1)), columns)


def _column(role: str, values: Iterable[object]) -> pl.Series:
    if role in _TEXTS:
        return pl.Series([each if isinstance(each, str) else None for each in values], dtype=pl.String)
    numbers = [float(each) if isinstance(each, int | float) else None for each in values]
    return pl.Series(numbers, dtype=pl.Float64).round_sig_figs(_DOUBLE_DIGITS)
