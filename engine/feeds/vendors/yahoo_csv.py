"""Yahoo's bars as tables: the site's old CSV download, and what yfinance's tables are saved as.

The columns tell which prices they are: beside an `Adj Close` they are adjusted for splits only; where
yfinance gives no adjusted close, it has adjusted the prices for dividends, too. `yfinance.download` writes
three lines of names, the second one of tickers. A day is taken from midnight to midnight of the file's zone
(the one that the user says, else UTC, where it has none), for no table tells when the exchange was open.
"""

from typing import Final

import numpy as np
import polars as pl

from engine.columns import ACTIONS, Columns, bars_kind
from engine.feeds.decimals import Scaled
from engine.feeds.decoded import Decoded, Rejected, Undecodable
from engine.feeds.formats import Head, SourceFile
from engine.feeds.rows import Rows, bare_symbol
from engine.feeds.tables import Table, normalised, text_table
from engine.feeds.timestamps import TimeRule, Times
from engine.feeds.unpacking import gunzipped
from engine.feeds.vendors.bar_rows import DAY_NS, MINUTE_NS, PRICES, decoded, interval_of, spec_of
from engine.feeds.vendors.yahoo_bars import (
    ADJUSTED_NOTE,
    FLOAT_NOTE,
    SPLIT_NOTE,
    actions,
    dividend_adjusted,
    shortest_text,
    split_adjusted,
)
from engine.store.schema import restated

_TIMES: Final = ("date", "datetime")
_HEADERS: Final = frozenset(_TIMES)
_RATIO: Final = ("numerator", "denominator")
_GIVEN: Final = frozenset({"dividends", "stock_splits"})
_MINUTES: Final = tuple(MINUTE_NS * n for n in (1, 2, 5, 15, 30, 60))
_DAY_NOTE: Final = (
    "The file does not tell when its exchange is open: each day is stored from midnight to midnight; Yahoo's "
    "own answers (JSON) tell the session, so do not import both."
)
_ADJUSTED_BY_YFINANCE: Final = (
    "yfinance has adjusted these prices for splits and dividends; for those that were traded, download with "
    "auto_adjust=False."
)


def matches(head: Head) -> bool:
    """Whether its first lines name Yahoo's columns."""
    first, _, rest = head.data.removeprefix(b"\xef\xbb\xbf").partition(b"\n")
    names = {normalised(name.decode("utf-8", "replace")) for name in first.split(b",")}
    if {"price", "close", "open"} <= names:
        return rest.startswith(b"Ticker,")
    return not names.isdisjoint(_TIMES) and {*PRICES} <= names and ("adj_close" in names or names >= _GIVEN)


def decode(file: SourceFile) -> Decoded:
    """Bars, and splits and dividends where the table has them.

    Raises
    ------
    Undecodable
        Damaged, without a column, or of another symbol.
    """
    data = gunzipped(file.data).removeprefix(b"\xef\xbb\xbf")
    table = text_table(data, _HEADERS)
    if table.names is None:
        raise Undecodable("it has no header, as Yahoo's tables have")
    table, columns = _downloaded(table, file) if table.names[0] == "Price" else (table, _named(table))
    missing = next((name for name in ("time", *PRICES, "volume") if name not in columns), None)
    if missing:
        raise Undecodable(f"it has no column {missing.title()}, as Yahoo's tables have")
    rows = Rows(table, columns)
    daily = _is_daily(columns["time"])
    rows.columns["time"] = columns["time"].str.strip_chars().str.replace(r"^(\d{4}-\d{2}-\d{2})$", "$1 00:00")
    opens = rows.time("time", rule=TimeRule(zone=file.zone))
    interval_ns = DAY_NS if daily else interval_of(rows, opens.ns, None, _MINUTES)
    spec, closes = spec_of(interval_ns, "LAST"), opens.ns + interval_ns
    made = split_adjusted(rows, opens.ns, closes)
    parts: dict[str, Columns] = {bars_kind(spec): made}
    rows.notes += [FLOAT_NOTE, *([_DAY_NOTE] if daily else [])]
    if "adjusted close" in columns:
        again = Rows(table, rows.columns)
        again.rejected.clear()
        again.good &= rows.good
        parts[bars_kind(spec, adjusted=True)] = dividend_adjusted(again, opens.ns, closes)
        rows.rejected += again.rejected
        rows.notes += [SPLIT_NOTE, ADJUSTED_NOTE]
    elif daily:
        parts = {bars_kind(spec, adjusted=True): made}
        rows.notes.append(_ADJUSTED_BY_YFINANCE)
    acted, faults = _acted(table, columns, opens)
    rows.rejected += faults
    return decoded(rows, parts | acted, opens.said)


def _named(table: Table) -> dict[str, pl.Series]:
    assert table.names is not None  # noqa: S101 - the caller has looked
    found = {normalised(name): column for name, column in zip(table.names, table.columns, strict=True)}
    return {_role(name): column for name, column in found.items()}


def _role(name: str) -> str:
    if name in _TIMES:
        return "time"
    return "adjusted close" if name == "adj_close" else name


def _downloaded(table: Table, file: SourceFile) -> tuple[Table, dict[str, pl.Series]]:
    """Rows of the instrument in a table of `yfinance.download`, below its three lines of names."""
    assert table.names is not None  # noqa: S101 - the caller has looked
    if (
        len(table.lines) < 2
        or table.columns[0][0] != "Ticker"
        or table.columns[0][1] not in {"Date", "Datetime"}
    ):
        raise Undecodable("its second and third line are not Ticker and Date, as yfinance writes them")
    mine = bare_symbol(file.instrument.symbol)
    tickers = [str(column[0]) for column in table.columns[1:]]
    chosen = [
        place
        for place, ticker in enumerate(tickers, start=1)
        if bare_symbol(ticker.partition("=")[0]) == mine
    ]
    if not chosen:
        raise Undecodable(f"its tickers are {', '.join(sorted(set(tickers)))}, not {file.instrument.symbol}")
    others = sorted({ticker for place, ticker in enumerate(tickers, start=1) if place not in chosen})
    notes = (f"Its other tickers ({', '.join(others)}) are left for imports of their own.",) if others else ()
    columns = {"time": table.columns[0].slice(2)}
    columns |= {_role(normalised(table.names[place])): table.columns[place].slice(2) for place in chosen}
    return Table([], None, table.lines[2:], table.rejected, (*table.notes, *notes)), columns


def _is_daily(times: pl.Series) -> bool:
    """Whether all times are dates, or midnights in their own zone."""
    first = times.str.strip_chars().str.extract(r"^\d{4}-\d{2}-\d{2}(?:[ T]00:00:00(?:[+-].*)?)?$", 0)
    return first.is_not_null().sum() * 2 > len(times)


def _acted(
    table: Table, columns: dict[str, pl.Series], opens: Times
) -> tuple[dict[str, Columns], list[Rejected]]:
    """Splits, dividends and (as dividends) capital gains of the rows that have one."""
    found: list[Columns] = []
    rejected: list[Rejected] = []
    for name in ("dividends", "capital_gains", "stock_splits"):
        if name not in columns:
            continue
        none = (columns[name].cast(pl.Float64, strict=False) == 0).fill_null(value=False)
        given = (columns[name].is_not_null() & ~none).to_numpy() & opens.valid
        rows = Rows(Table([], None, table.lines[given]), {name: shortest_text(columns[name].filter(given))})
        value = rows.number(name, positive=True)
        nothing = Scaled(np.zeros(len(rows.lines), np.int64), value.valid, 0)
        one = Scaled(nothing.integers + 1, value.valid, 0)
        is_split = name == "stock_splits"
        ratio = {"numerator": value, "denominator": one} if is_split else dict.fromkeys(_RATIO, nothing)
        found.append(actions(rows, opens.ns[given], nothing if is_split else value, ratio))
        rejected += rows.rejected
    if not found:
        return {}, rejected
    digits = max(each.price_precision for each in found)
    together = type(found[0]).concat([restated(each, digits, 0) for each in found])
    return {ACTIONS: together.take(np.argsort(together.ts_event, kind="stable"))}, rejected
