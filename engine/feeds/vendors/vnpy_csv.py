"""The CSV that vn.py's data manager writes: bars, whose length only the steps between them tell, or ticks."""

import re
from typing import Final

import polars as pl

from engine.columns import bars_kind
from engine.feeds.decoded import Decoded, Undecodable
from engine.feeds.formats import Head, SourceFile
from engine.feeds.rows import Rows, bare_symbol
from engine.feeds.tables import Table, normalised, text_table
from engine.feeds.timestamps import TimeRule
from engine.feeds.unpacking import gunzipped
from engine.feeds.vendors.bar_rows import PRICES, clock_times, decoded, interval_of, spec_of
from engine.feeds.vendors.vnpy import BARS_NOTE, LENGTHS, TICKS_NOTE, ZONE_NOTE, books, vendor_bars

_KEYS: Final = frozenset({"symbol", "exchange", "datetime"})
_IN_NAME = re.compile(r"(?<![a-z0-9])(1m|1h|d)(?![a-z0-9])")


def matches(head: Head) -> bool:
    """Whether its header names vn.py's columns."""
    first = head.data.removeprefix(b"\xef\xbb\xbf").partition(b"\n")[0]
    names = {_role(normalised(name.decode("utf-8", "replace"))) for name in first.split(b",")}
    return names >= _KEYS and ("bid_price_1" in names or names >= {*PRICES, "turnover"})


def decode(file: SourceFile) -> Decoded:
    """Bars or ticks of the instrument; those of other symbols are left out and told.

    Raises
    ------
    Undecodable
        Damaged, of other columns, without rows of the symbol, or nothing tells how long a bar is.
    """
    table = text_table(gunzipped(file.data), _KEYS)
    names = [_role(normalised(name)) for name in table.names or ()]
    columns = dict(zip(names, table.columns, strict=True)) if names else {}
    missing = next((name for name in sorted(_KEYS) if name not in columns), None)
    if missing:
        raise Undecodable(f"it has no column {missing}, as vn.py's tables have")
    rows = _of_symbol(table, columns, file.instrument.symbol)
    shown, opens = clock_times(rows, "datetime", TimeRule(zone=file.zone))
    if not file.zone and opens.assumes_utc:
        rows.notes.append(ZONE_NOTE)
    if "bid_price_1" in columns:
        rows.notes.append(TICKS_NOTE)
        return decoded(rows, books(rows, opens, file.zone), opens.said)
    lacking = next((name for name in (*PRICES, "volume") if name not in columns), None)
    if lacking:
        raise Undecodable(f"it has no column {lacking}, as vn.py's tables have")
    rows.notes.append(BARS_NOTE)
    told = _IN_NAME.search(file.path.name.lower())
    interval_ns = interval_of(rows, shown, LENGTHS[told[1]] if told else None, tuple(LENGTHS.values()))
    made = vendor_bars(rows, opens.ns, interval_ns)
    return decoded(rows, {bars_kind(spec_of(interval_ns, "LAST")): made}, opens.said)


def _role(name: str) -> str:
    """Our word for a column: prices of bars are called open or open_price."""
    short = name.removesuffix("_price")
    return short if short in PRICES else name


def _of_symbol(table: Table, columns: dict[str, pl.Series], symbol: str) -> Rows:
    theirs = columns["symbol"].fill_null("")
    wanted = {each: bare_symbol(each) == bare_symbol(symbol) for each in theirs.unique().to_list()}
    mine = theirs.is_in([each for each, ours in wanted.items() if ours])
    others = sorted(each for each, ours in wanted.items() if not ours)
    if not mine.any():
        raise Undecodable(f"its rows are of {', '.join(others)}, not {symbol}; import it as that instrument")
    kept = Table([], None, table.lines[mine.to_numpy()], table.rejected, table.notes)
    rows = Rows(kept, {name: column.filter(mine) for name, column in columns.items()})
    if others:
        rows.notes.append(f"Its rows of {', '.join(others)} are left for imports of their own.")
    return rows
