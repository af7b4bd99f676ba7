"""The formats of files that the station reads: one row each, one module each, told by their first bytes.

A format's module has two functions. `matches(head) -> bool` tells whether a file begins as one of this
format; it never raises. `decode(file) -> Decoded` is pure: bytes in, columns out, `Undecodable` for what it
cannot take. The first format that matches wins, so narrow ones stand before wide ones.

A text whose lines mean the same whatever stands before them may be decoded in pieces: its module has a third
function, `header(head) -> bytes | None`, the line that each piece must begin with (empty: none), or None
where this file cannot be cut.
"""

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final, Protocol, cast

from engine.errors import unknown_name
from engine.feeds.decoded import Decoded, Undecodable
from engine.feeds.mapping import NO_MAPPINGS, Mappings
from engine.feeds.unpacking import head_of
from engine.messages.instrument import Instrument


@dataclass(frozen=True, slots=True)
class Head:
    """How a file begins.

    Attributes
    ----------
    path : Path
        The file itself; only its names mean anything.
    name : str
        Of the first file in a zip archive, else the file's own.
    data : bytes
        First 64 KiB, unpacked where the file is gzip, zip or Zstandard.
    """

    path: Path
    name: str
    data: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceFile:
    """One file and what is known of it beside its bytes.

    Attributes
    ----------
    path : Path
        Its names may tell day, symbol or market; a decoder never opens it.
    data : bytes
        As it lies on disk; `engine.feeds.unpacking.contents` unpacks it.
    instrument : Instrument
        What the rows are to be of.
    format : str
        Name of the format it was found (or said) to have.
    day : date or None
        What the user said of its day.
    columns : tuple of (ours, theirs)
        What the user said of a table's columns.
    zone : str
        Time zone that the user said times without one are of; empty where they did not.
    mappings : Mappings
        What the user saved of tables' columns.
    book_continues : callable
        Tells whether the book up to an update number is known from before.
    sibling : callable
        Bytes of a file of this name in the same folder, None where there is none.
    is_imported : callable
        Tells whether the file of this name in the same folder is imported together with this one.
    """

    path: Path
    data: bytes
    instrument: Instrument
    format: str = ""
    day: date | None = None
    columns: tuple[tuple[str, str], ...] = ()
    zone: str = ""
    mappings: Mappings = NO_MAPPINGS
    book_continues: Callable[[int], bool] = lambda _number: False
    sibling: Callable[[str], bytes | None] = lambda _name: None
    is_imported: Callable[[str], bool] = lambda _name: True


class _Module(Protocol):
    def matches(self, head: Head) -> bool: ...
    def decode(self, file: SourceFile) -> Decoded: ...


@dataclass(frozen=True, slots=True)
class Format:
    """One format: its name for `--format`, its module in `engine.feeds`, and what it is in a few words."""

    name: str
    module: str
    summary: str

    def matches(self, head: Head) -> bool:
        """Whether a file that begins so has this format."""
        return self._module().matches(head)

    def decode(self, file: SourceFile) -> Decoded:
        """Rows of one file; raises `Undecodable`."""
        return self._module().decode(file)

    def header(self, head: Head) -> bytes | None:
        """What pieces of a file that begins so must begin with; None where it can only be decoded whole."""
        header: Callable[[Head], bytes | None] = getattr(self._module(), "header", lambda _head: None)
        return header(head)

    def _module(self) -> _Module:
        return cast("_Module", importlib.import_module(f"engine.feeds.{self.module}"))


FORMATS: Final = (
    Format("dukascopy-candles", "vendors.dukascopy_candles", "Dukascopy bi5: candles"),
    Format("dukascopy", "vendors.dukascopy", "Dukascopy bi5: ticks"),
    Format("freqtrade", "vendors.freqtrade", "candles and trades that freqtrade keeps"),
    Format("vnpy", "vendors.vnpy_csv", "bars and ticks that vn.py's data manager exports"),
    Format("vnpy-database", "vendors.vnpy_database", "bars and ticks in vn.py's database.db"),
    Format(
        "dukascopy-feed",
        "vendors.dukascopy_feed",
        "JSON of Dukascopy's chart feed",
    ),
    Format("dukascopy-json", "vendors.dukascopy_json", "JSON of dukascopy-node: ticks and candles"),
    Format("metatrader-ticks", "vendors.metatrader_ticks", "ticks that MetaTrader 5 exports"),
    Format("metatrader-bars", "vendors.metatrader_bars", "bars that MetaTrader 4 and 5 export"),
    Format("histdata-bars", "vendors.histdata", "HistData minute bars"),
    Format("yahoo", "vendors.yahoo", "Yahoo's chart answers: bars, splits and dividends"),
    Format("yahoo-csv", "vendors.yahoo_csv", "Yahoo's bars as tables, and those that yfinance saves"),
    Format("binance-raw", "vendors.binance_raw", "recorded websocket lines of Binance"),
    Format("tardis", "vendors.tardis", "Tardis CSV: trades, quotes, book snapshots, incremental books"),
    Format("bybit-book", "vendors.bybit_book", "Bybit's order-book archives: ob200, ob500"),
    Format("bybit-trades", "vendors.bybit_trades", "Bybit's public trade archives"),
    Format(
        "binance-archive",
        "vendors.binance_archive",
        "Binance's archives: trades, quotes, depth, klines",
    ),
    Format("lobster", "vendors.lobster", "LOBSTER's message and book files"),
    Format("databento", "vendors.databento", "Databento: trades, quotes, depth, orders, bars, facts"),
    Format("nexttick", "exported", "CSV that nexttick data export writes"),
    Format("delimited", "delimited", "a table whose header names time, bid and ask, or time, price and size"),
    Format("quotes", "delimited", "a table of quotes without a header"),
    Format("trades", "delimited", "a table of trades without a header"),
    Format("truefx", "delimited", "TrueFX ticks"),
    Format("histdata", "delimited", "HistData ticks"),
    Format("lean", "delimited", "LEAN tick zips"),
)

CHOICES: Final = ("auto", *(each.name for each in FORMATS if each.name != "delimited"))
"""What a user can say with `--format`."""

DATA_SUFFIXES: Final = frozenset(
    f".{each}"
    for each in (
        *("gz", "zip", "zst"),
        *("csv", "txt", "tsv", "json", "jsonl", "data"),
        *("parquet", "arrow", "feather", "ipc", "bi5", "dbn", "db"),
    )
)
"""Files in a folder that are taken for data."""


def checked_format(name: str) -> str:
    """`name` if it is one of `CHOICES`; raises UserError with the nearest ones."""
    if name not in CHOICES:
        raise unknown_name("format", name, CHOICES)
    return name


def format_named(name: str) -> Format:
    """Format of this name."""
    return next(each for each in FORMATS if each.name == name)


def detect(path: Path, data: bytes) -> Format:
    """Format of the file `path` that holds `data`.

    Raises
    ------
    Undecodable
        It is empty, damaged, or of no format that the station reads.
    """
    head = Head(path, *head_of(path.name, data))
    found = next((each for each in FORMATS if each.matches(head)), None)
    if found is not None:
        return found
    if not data or not head.data.strip():
        raise Undecodable("it is empty")
    if head.data.lstrip()[:1] in {b"{", b"["}:
        raise Undecodable("it is JSON of no known form; save it as a table, or name its format")
    raise Undecodable("it is of no known format; save it as a table, or name its format")
