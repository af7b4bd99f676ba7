"""LOBSTER's pairs of files: every message of a share's day, and the book's levels after each.

Prices are dollars x 10,000; times are seconds since midnight in New York. The book file is the truth of the
book: a level beyond its last one comes back into view without a message. So the deltas are what changes from
one of its rows to the next, and the trades are what its message file tells.
"""

import re
from datetime import date, datetime
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl

from engine.columns import Aggressor, Columns, Deltas, Int64, Trades
from engine.feeds.decimals import fewest_decimals
from engine.feeds.decoded import Decoded, Rejected, Undecodable
from engine.feeds.formats import Head, SourceFile
from engine.feeds.rows import Rows, bare_symbol
from engine.feeds.tables import Table, text_table
from engine.feeds.unpacking import contents
from engine.feeds.vendors.level_changes import level_changes

_NAME: Final = re.compile(
    r"^(?P<symbol>.+)_(?P<day>\d{4}-\d{2}-\d{2})_\d+_\d+_(?P<what>message|orderbook)_\d+\.csv", re.IGNORECASE
)
_ZONE: Final = ZoneInfo("America/New_York")
_DECIMALS: Final = 4
_NS_DECIMALS: Final = 9
_DAY_SECONDS: Final = 86_400
_COLUMNS: Final = ("time", "type", "id", "size", "price", "direction")
_EXECUTED, _HIDDEN, _CROSS, _HALT = 4, 5, 6, 7
_TYPES: Final = range(1, 8)
_BUY_ORDER, _SELL_ORDER = 1, -1
_LEVEL_COLUMNS: Final = 4
_NO_LEVEL: Final = 9_999_999_999
"""Price of a level that there is not, negative among the bids."""

_SAID: Final = "seconds since midnight in New York, turned to UTC"


def matches(head: Head) -> bool:
    """Whether it is named as a message or book file of LOBSTER is."""
    return _NAME.match(head.path.name) is not None and head.data[:1].isdigit()


def decode(file: SourceFile) -> Decoded:
    """Book and trades of a message file and the book file beside it; of a book file nothing but a note.

    Raises
    ------
    Undecodable
        Renamed, damaged, of another symbol, or the two files have not the same number of rows.
    """
    name = _NAME.match(file.path.name)
    if name is None:
        raise Undecodable("its name is not SYMBOL_DAY_START_END_message_LEVELS.csv; keep LOBSTER's name")
    if bare_symbol(name["symbol"]) != bare_symbol(file.instrument.symbol):
        raise Undecodable(
            f"its name says {name['symbol']}, not {file.instrument.symbol}; import it as that instrument"
        )
    is_book = name["what"].lower() == "orderbook"
    beside = _other_name(file.path.name, is_book=is_book)
    other = file.sibling(beside)
    if is_book:
        if other is None:
            raise Undecodable(f"it is read with its message file, and {beside} is not beside it")
        if not file.is_imported(beside):
            raise Undecodable(f"it is read with its message file; import {beside} instead")
        return Decoded({}, _SAID, notes=(f"{file.path.name} is read with {beside}.",))
    messages = _Messages(_table(file.path.name, file.data, len(_COLUMNS)), _day(file.day, name["day"]))
    book = None if other is None else _book(beside, other, messages)
    columns: dict[str, Columns] = {"trades": messages.trades()}
    if book is None:
        messages.notes.append(f"{beside} is not beside it, so no book was stored.")
    else:
        columns["deltas"] = book
    return Decoded(
        {kind: rows for kind, rows in columns.items() if len(rows)},
        _SAID,
        rejected=tuple(messages.rejected),
        notes=tuple(messages.notes),
    )


def _other_name(name: str, *, is_book: bool) -> str:
    """Name of the other file of the pair."""
    this, other = ("orderbook", "message") if is_book else ("message", "orderbook")
    head, _, tail = name.rpartition(this)
    return f"{head}{other}{tail}"


def _day(said: date | None, named: str) -> date:
    try:
        day = date.fromisoformat(named)
    except ValueError as error:
        if said is not None:
            return said
        raise Undecodable(f"the date in its name ({named}) is no day; add --date YYYY-MM-DD") from error
    if said not in {None, day}:
        raise Undecodable(f"its name says {day} but --date says {said}; leave --date out")
    return day


def _table(name: str, data: bytes, width: int) -> Table:
    """Table of numbers only; `width` 0 is any number of levels."""
    inside = contents(name, data)
    # The last line never has an end; that the direction, 1 or -1, and both files agree shows they are whole.
    table = text_table(inside[0][1], frozenset(), is_whole=True)
    count = len(table.columns)
    if len(inside) > 1 or table.names or (count != width if width else count % _LEVEL_COLUMNS):
        raise Undecodable(f"{name} has not the columns of a LOBSTER file")
    return table


class _Messages(Rows):
    """The message file's rows; `ns` holds their times, UTC."""

    def __init__(self, table: Table, day: date) -> None:
        super().__init__(table, dict(zip(_COLUMNS, table.columns, strict=True)))
        seconds = self.number("time", positive=False)
        late = seconds.integers >= _DAY_SECONDS * 10**seconds.precision
        self.reject(late | (seconds.precision > _NS_DECIMALS), "the time is no time of day in nanoseconds")
        midnight = int(datetime(day.year, day.month, day.day, tzinfo=_ZONE).timestamp()) * 10**_NS_DECIMALS
        exact = seconds.integers if seconds.precision > _NS_DECIMALS else seconds.at(_NS_DECIMALS)
        self.ns: Int64 = midnight + np.where(self.good, exact, 0)
        self.types = self.whole("type")
        self.reject(~np.isin(self.types, _TYPES), "its type is none of LOBSTER's")
        self._note_halts()

    def trades(self) -> Trades:
        """Executions, hidden ones and crosses; a resting sell order is executed by a buyer."""
        executed = np.isin(self.types, (_EXECUTED, _HIDDEN, _CROSS))
        direction, price, size = self.whole("direction"), self.whole("price"), self.whole("size")
        self.reject(executed & ((price <= 0) | (price >= _NO_LEVEL)), "the price is not above 0")
        self.reject(executed & (size <= 0), "the size is not above 0")
        rows = executed & self.good
        (price,), digits = fewest_decimals(price[rows], decimals=_DECIMALS)
        resting = np.where(self.types == _CROSS, 0, direction)[rows]
        return Trades(
            ts_event=self.ns[rows],
            ts_init=self.ns[rows],
            price=price,
            size=size[rows],
            aggressor=np.select(
                [resting == _SELL_ORDER, resting == _BUY_ORDER],
                [Aggressor.BUYER, Aggressor.SELLER],
                Aggressor.NONE,
            ).astype(np.uint8),
            trade_id=np.zeros(int(rows.sum()), np.int64),
            price_precision=digits,
            size_precision=0,
        )

    def _note_halts(self) -> None:
        halts = self.ns[(self.types == _HALT) & self.good]
        if len(halts):
            first = datetime.fromtimestamp(int(halts[0]) / 10**_NS_DECIMALS, _ZONE)
            self.notes.append(
                f"Trading was halted or resumed {len(halts)} times, first at {first:%H:%M:%S} in New York."
            )


def _book(name: str, data: bytes, messages: _Messages) -> Deltas:
    """Deltas of the book file's rows, each of the time of its message."""
    table = _table(name, data, 0)
    if set(table.lines.tolist()) != set(messages.lines.tolist()):
        raise Undecodable(f"{name} has not a row for each of its messages; fetch both again")
    levels = np.stack([_whole(column) for column in table.columns], axis=1)
    good = messages.good & (levels >= -_NO_LEVEL).all(axis=1)
    if not good.all():
        messages.rejected.append(
            Rejected(f"{name} has no numbers there", int((~good).sum()), int(np.flatnonzero(~good)[0]) + 1)
        )
    levels, ns = levels[good], messages.ns[good]
    ask, ask_size, bid, bid_size = (levels[:, at::_LEVEL_COLUMNS] for at in range(_LEVEL_COLUMNS))
    prices = np.stack([bid, ask])
    there = (prices > 0) & (prices < _NO_LEVEL)
    ((bid, ask),), digits = fewest_decimals(np.where(there, prices, 0), decimals=_DECIMALS)
    messages.notes.append(f"The book holds the {levels.shape[1] // _LEVEL_COLUMNS} best levels of each side.")
    sizes = np.where(there, np.stack([bid_size, ask_size]), 0)
    return level_changes(ns, (bid, ask), (sizes[0], sizes[1]), (digits, 0))


def _whole(column: pl.Series) -> Int64:
    """Whole numbers; one below all that can be where there is none."""
    numbers = column.str.strip_chars().str.to_integer(strict=False).cast(pl.Int64)
    return numbers.fill_null(-_NO_LEVEL - 1).to_numpy()
