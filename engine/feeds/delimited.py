"""Tables: TrueFX, HistData, LEAN zips, any CSV, Parquet or Arrow file whose columns can be named.

Columns are found by a saved mapping, by the names in the header, by the layout of a known vendor, or as the
user says. Nothing is
guessed that could be either: a table without a header and without a known layout is refused with what to say.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date

import msgspec
import polars as pl

from engine.columns import Columns
from engine.errors import UserError, unknown_name
from engine.feeds.decoded import ColumnsUnknown, Decoded, Undecodable
from engine.feeds.formats import Head, SourceFile
from engine.feeds.mapping import Kind, Mappings, TableMapping, mapped_columns
from engine.feeds.rows import bare_symbol
from engine.feeds.table_rows import TableRows
from engine.feeds.tables import (
    ARROW_FILE,
    ARROW_STREAM,
    PARQUET,
    Table,
    header_line,
    normalised,
    table_of,
)
from engine.feeds.unpacking import contents, head_of
from engine.feeds.vendors.bar_rows import PRICES
from engine.store.schema import restated

_NAMES = {
    "time": "timestamp time datetime date_time ts ts_event gmt_time utc_time timestamp_ns timestamp_ms",
    "date": "date",
    "received": "local_timestamp ts_init received receive_time ts_recv",
    "bid": "bid bid_price bidprice best_bid best_bid_price b",
    "ask": "ask ask_price askprice best_ask best_ask_price offer a",
    "bid_size": "bid_size bidsize bid_volume bidvolume bid_amount bid_qty bidqty best_bid_qty",
    "ask_size": "ask_size asksize ask_volume askvolume ask_amount ask_qty askqty best_ask_qty",
    "price": "price last trade_price px",
    "size": "size qty quantity amount volume vol base_volume",
    "side": "side aggressor taker_side aggressor_side",
    "maker": "is_buyer_maker isbuyermaker buyer_maker",
    "id": "id trade_id tradeid agg_trade_id",
    "symbol": "symbol pair instrument ticker",
}
ROLES = tuple(_NAMES)
ROLE_OF = {name: role for role, names in _NAMES.items() for name in names.split()}
HEADER_WORDS = frozenset(ROLE_OF)

_LAYOUTS: Mapping[tuple[str, int], tuple[str, ...]] = {
    ("truefx", 4): ("symbol", "time", "bid", "ask"),
    ("histdata", 3): ("time", "bid", "ask"),
    ("histdata", 4): ("time", "bid", "ask", ""),
    ("lean-quote", 3): ("time", "bid", "ask"),
    ("lean-quote", 5): ("time", "bid", "bid_size", "ask", "ask_size"),
    ("lean-trade", 3): ("time", "price", "size"),
    ("quotes", 3): ("time", "bid", "ask"),
    ("quotes", 5): ("time", "bid", "ask", "bid_size", "ask_size"),
    ("trades", 3): ("time", "price", "size"),
    ("trades", 4): ("time", "price", "size", "side"),
    ("trades", 5): ("time", "price", "size", "side", "id"),
}
"""Columns of tables without a header, by format and number of columns."""

_LEAN_NAME = re.compile(r"^(\d{8})(?:_([a-z0-9]+))?(?:_tick)?_(quote|trade)", re.IGNORECASE)
_DAY_IN_NAME = re.compile(r"(?:^|[^0-9])((?:19|20)\d{2})-?(\d{2})-?(\d{2})(?:[^0-9]|$)")
BOOK_CHANGES = frozenset({"is_snapshot", "update_type", "action", "flags"})
"""Names that tell a table of book changes, whose price and size are no trade's."""

_NAMES_SHOWN = 8
_BARS_BY_MAPPING = (
    "how long a bar is and of which price it is made; have a mapping proposed with --propose, which says that"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Described:
    """What is known of a table beside its bytes: name, format, and what the user said of it."""

    name: str
    format: str
    day: date | None
    columns: tuple[tuple[str, str], ...]
    symbol: str
    zone: str
    mappings: Mappings
    is_whole: bool = False
    """Whether a zip archive proves that it was not cut off."""


_TRUEFX_LINE = re.compile(rb"^[A-Z]{3}/?[A-Z]{3},\d{8} \d{2}:\d{2}:\d{2}")
_HISTDATA_LINE = re.compile(rb"^\d{8} \d{9}[,;]")
_UTF16 = (b"\xff\xfe", b"\xfe\xff")
_BINARY = (PARQUET, ARROW_FILE, ARROW_STREAM)


def matches(head: Head) -> bool:
    """Whether it is text, Parquet or Arrow, which its columns must tell."""
    if head.data.startswith((*_BINARY, *_UTF16)):
        return True
    return bool(head.data.strip()) and head.data.lstrip()[:1] not in {b"{", b"["} and b"\x00" not in head.data


def header(head: Head) -> bytes | None:
    """Line of names that pieces of the table begin with; None for Parquet, Arrow and UTF-16."""
    if head.data.startswith((*_BINARY, *_UTF16)):
        return None
    return header_line(head.data, HEADER_WORDS)


def decode(file: SourceFile) -> Decoded:
    """Quotes or trades of one table; of a zip archive, of all tables in it, in their order.

    Raises
    ------
    Undecodable
        Damaged, empty, no table, or its columns or times cannot be told.
    UserError
        `file.columns` or the mapping names a column or role that there is not.
    """
    data = file.data
    table = Described(
        name=file.path.name,
        format=_layout_name(file),
        day=file.day,
        columns=file.columns,
        symbol=file.instrument.symbol,
        zone=file.zone,
        mappings=file.mappings,
    )
    if not data:
        raise Undecodable("it is empty")
    if not data.startswith(b"PK"):
        return _decode_one(contents(file.path.name, data)[0][1], table)
    inside = contents(file.path.name, data)
    tables = [each for each in inside if each[0].lower().endswith(".csv")] or inside
    table = replace(table, is_whole=True)
    parts = [
        _decode_one(unpacked, replace(table, name=name if _LEAN_NAME.match(name) else f"{table.name}/{name}"))
        for name, unpacked in tables
    ]
    return parts[0] if len(parts) == 1 else _together(parts)


def _layout_name(file: SourceFile) -> str:
    """Which vendor's layout a table without a header has, where the user did not say."""
    if file.format != "delimited":
        return file.format
    name, head = head_of(file.path.name, file.data)
    if _TRUEFX_LINE.match(head):
        return "truefx"
    if _HISTDATA_LINE.match(head):
        return "histdata"
    if any(_LEAN_NAME.match(each) for each in (name, file.path.name)):
        return "lean"
    return "delimited"


def _together(parts: list[Decoded]) -> Decoded:
    joined: dict[str, Columns] = {}
    for kind in dict.fromkeys(kind for part in parts for kind in part.columns):
        columns = [part.columns[kind] for part in parts if kind in part.columns]
        price, size = (max(getattr(each, f"{of}_precision") for each in columns) for of in ("price", "size"))
        joined[kind] = type(columns[0]).concat([restated(each, price, size) for each in columns])
    return Decoded(
        columns=joined,
        timestamps="; ".join(dict.fromkeys(part.timestamps for part in parts)),
        rejected=tuple(each for part in parts for each in part.rejected),
        notes=tuple(dict.fromkeys(note for part in parts for note in part.notes)),
    )


def _decode_one(data: bytes, described: Described) -> Decoded:
    if not data.strip():
        raise Undecodable("it is empty")
    separator = described.mappings.separator()
    table = table_of(data, HEADER_WORDS, separator, is_whole=described.is_whole)
    if not len(table.lines):
        raise Undecodable("it has a header but no rows")
    named = described.mappings.chosen(table)
    if named is not None:
        columns = _with_date(mapped_columns(table, tuple(named.mapping.columns.items())))
        found = _read(table, columns, described, named.mapping)
        return replace(found, notes=(*found.notes, f"Its columns were read by the mapping {named.name}."))
    columns = _columns(table, described)
    kinds: tuple[tuple[Kind, set[str]], ...] = (("quotes", {"bid", "ask"}), ("trades", {"price", "size"}))
    for kind, needed in kinds:
        if needed <= set(columns):
            _check_changes(table, kind)
            return _read(table, columns, described, TableMapping(kind=kind, columns={}))
    if set(PRICES) <= {normalised(name) for name in table.names or ()}:
        raise ColumnsUnknown(f"its columns are those of bars, but not {_BARS_BY_MAPPING}")
    names = ", ".join(table.names[:_NAMES_SHOWN]) if table.names else ""
    more = ", …" if table.names and len(table.names) > _NAMES_SHOWN else ""
    raise ColumnsUnknown(
        f"its columns {f'({names}{more}) ' if names else ''}are neither time, bid and ask nor time, "
        "price and size; say which is which with --columns time=…,bid=…,ask=…, or have a mapping proposed "
        "with --propose"
    )


def _check_changes(table: Table, kind: Kind) -> None:
    changes = BOOK_CHANGES & {normalised(name) for name in table.names or ()}
    if kind == "trades" and changes:
        raise ColumnsUnknown(
            f"its column {min(changes)} tells that its rows may be book changes, which are no trades; if "
            "they are trades, say so by a mapping, as --propose prints one"
        )


def _read(
    table: Table, columns: Mapping[str, pl.Series], described: Described, mapping: TableMapping
) -> Decoded:
    """Rows of the table; a zone that the user says stands above the mapping's."""
    if described.zone:
        rule = msgspec.structs.replace(mapping.time, zone=described.zone)
        mapping = msgspec.structs.replace(mapping, time=rule)
    return TableRows(table, columns, described.symbol, _day(described), mapping).read()


def _columns(table: Table, described: Described) -> dict[str, pl.Series]:
    """Columns by role, `date` already joined to `time`."""
    if described.columns:
        for ours, _ in described.columns:
            if ours in {*PRICES, "volume"}:
                raise UserError(f"--columns {ours}=… names a column of bars, but not {_BARS_BY_MAPPING}.")
            if ours not in ROLES:
                raise unknown_name("column role", ours, ROLES)
        found = mapped_columns(table, described.columns)
    elif table.names is not None:
        found = {}
        for name, column in zip(table.names, table.columns, strict=True):
            role = ROLE_OF.get(normalised(name))
            if role is not None:
                found.setdefault(role, column)
    else:
        found = dict(zip(_layout(table, described), table.columns, strict=True))
        found.pop("", None)
    return _with_date(found)


def _with_date(found: dict[str, pl.Series]) -> dict[str, pl.Series]:
    """Columns with the date in front of the time."""
    if "date" in found:
        day = found.pop("date")
        found["time"] = day + " " + found["time"] if "time" in found else day
    if "time" not in found:
        raise ColumnsUnknown(
            "no column of it is a time; say which with --columns time=…, or have a mapping proposed with "
            "--propose"
        )
    return found


def _layout(table: Table, described: Described) -> tuple[str, ...]:
    width = len(table.columns)
    name = described.format
    lean = _LEAN_NAME.match(described.name)
    if name == "lean" or (name in {"quotes", "trades"} and lean):
        if lean is None:
            raise Undecodable("its name is not YYYYMMDD_SYMBOL_tick_quote.csv, as LEAN's are; keep that name")
        _check_symbol(lean[2], described.symbol)
        name = f"lean-{lean[3].lower()}"
    layout = _LAYOUTS.get((name, width))
    if layout is None:
        raise ColumnsUnknown(
            f"it has no header line and {width} columns; say --format quotes or --format trades, or which "
            "column is which with --columns time=1,bid=2,ask=3"
        )
    return layout


def _check_symbol(theirs: str | None, symbol: str) -> None:
    if theirs is not None and bare_symbol(theirs) not in {bare_symbol(symbol), "TICK"}:
        raise Undecodable(f"its name says {theirs.upper()}, not {symbol}; import it as that instrument")


def _day(described: Described) -> date | None:
    if described.day is not None:
        return described.day
    found = _DAY_IN_NAME.search(described.name)
    try:
        return date(int(found[1]), int(found[2]), int(found[3])) if found else None
    except ValueError as error:
        raise Undecodable(
            f"the date in its name ({described.name}) is no day; add --date YYYY-MM-DD"
        ) from error
