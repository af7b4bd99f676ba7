"""Dukascopy's ticks and candles as dukascopy-node decodes them to JSON.

Rows are `[ms, ask, bid, ask volume, bid volume]` or `[ms, open, high, low, close, volume]`, or the same as
objects; volumes are in millions of the base currency. Which side candles are of, and how long one is, stands
only in the file's name: `eurusd-m1-bid-2019-02-04-2019-02-05.json`.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import numpy as np

from engine.columns import Quotes
from engine.feeds.decimals import Scaled
from engine.feeds.decoded import Decoded, Undecodable
from engine.feeds.formats import Head, SourceFile
from engine.feeds.rows import Rows
from engine.feeds.tables import Table
from engine.feeds.unpacking import gunzipped
from engine.feeds.vendors.bar_rows import DAY_NS, HOUR_NS, MINUTE_NS, PRICES, SECOND_NS, decoded, interval_of
from engine.feeds.vendors.dukascopy import in_units
from engine.feeds.vendors.dukascopy_candles import candle_bars
from engine.feeds.vendors.json_text import loaded, text_column

TICKS: Final[tuple[str, ...]] = ("ask", "bid", "ask volume", "bid volume")
BARS: Final[tuple[str, ...]] = (*PRICES, "volume")

_ROW = re.compile(rb"^\[\s*\[\s*\d{12,13}\s*(,\s*-?\d[\d.eE+-]*\s*){4,5}\]")
_OBJECT = re.compile(rb'^\[\s*\{\s*"timestamp"\s*:\s*\d{12,13}\s*,\s*"(askPrice|open)"')
_KEYS: Final = {
    "time": "timestamp",
    "ask": "askPrice",
    "bid": "bidPrice",
    "ask volume": "askVolume",
    "bid volume": "bidVolume",
    **{name: name for name in BARS},
}

_UNITS: Final = {"s": SECOND_NS, "m": MINUTE_NS, "h": HOUR_NS, "d": DAY_NS}
_LENGTHS: Final = (
    *(SECOND_NS * n for n in (1, 10)),
    *(MINUTE_NS * n for n in (1, 5, 10, 15, 30)),
    *(HOUR_NS * n for n in (1, 4)),
    DAY_NS,
)
_LENGTH_IN_NAME = re.compile(r"(?<![a-z0-9])([smhd])(\d{1,2})(?![a-z0-9])")
_SIDE_IN_NAME = re.compile(r"(?<![a-z])(bid|ask)(?![a-z])")
_OURS = re.compile(r"(?<![a-z])(bid|ask|ticks?|dukascopy)(?![a-z])")
"""Others write rows of a time and five numbers, too, with volumes that are not in millions."""

_FOLDERS: Final = 5
"""Folders above a file that may tell its side: the chart feed's are BID/YYYY/MM/DD."""


def matches(head: Head) -> bool:
    """Whether it begins with such a row, and its name or a folder says what rows of numbers do not."""
    data = head.data.removeprefix(b"\xef\xbb\xbf").lstrip()
    if _ROW.match(data) is None and _OBJECT.match(data) is None:
        return False
    return any(_OURS.search(name) for name in _names(head.path))


def decode(file: SourceFile) -> Decoded:
    """Quotes or bars of one file.

    Raises
    ------
    Undecodable
        Damaged, of other rows, or its name does not tell how long a candle is.
    """
    document = loaded(gunzipped(file.data))
    if not isinstance(document, list):
        raise Undecodable("its JSON is no list of rows")
    if not document:
        return Decoded(columns={}, timestamps="")
    rows = Rows(Table([], None, np.arange(1, len(document) + 1)), {})
    roles = ("time", *_roles(document[0]))
    for place, role in enumerate(roles):
        rows.columns[role] = text_column(_value(row, place, _KEYS[role], len(roles)) for row in document)
    volumes = {role: rows.number(role, positive=False) for role in roles if "volume" in role}
    prices = {role: rows.number(role, positive=True) for role in roles if role in {"ask", "bid", *PRICES}}
    return ticks_or_bars(rows, prices, volumes, file.path)


def _roles(first: object) -> tuple[str, ...]:
    """What stands after the time in rows like the first one."""
    for roles in (TICKS, BARS):
        if isinstance(first, dict) and all(_KEYS[role] in first for role in roles):
            return roles
        if isinstance(first, list) and len(first) == 1 + len(roles):
            return roles
    raise Undecodable(
        "its rows are neither time, ask, bid and volumes nor time, open, high, low, close and volume"
    )


def _value(row: object, place: int, key: str, width: int) -> object:
    if isinstance(row, dict):
        return row.get(key)
    return row[place] if isinstance(row, list) and len(row) == width else None


def ticks_or_bars(
    rows: Rows,
    prices: Mapping[str, Scaled],
    volumes: Mapping[str, Scaled],
    path: Path,
    interval_ns: int | None = None,
) -> Decoded:
    """Quotes where `prices` has an ask and a bid, else bars.

    Parameters
    ----------
    rows : Rows
        With the times in ms as its column `time`.
    volumes : mapping of str to Scaled
        In millions of the base currency.
    path : Path
        Tells the side of bars, and their length where `interval_ns` is not known.
    """
    times = rows.time("time")
    if "ask" not in prices:
        side = _side(rows, path)
        known_ns = interval_ns or interval_of(rows, times.ns, _length_in(path.name), _LENGTHS)
        return candle_bars(rows, times.ns, known_ns, side, prices, volumes["volume"], times.said)
    digits = max(each.precision for each in prices.values())
    sizes = {role: in_units(each) for role, each in volumes.items()}
    size_digits = max(each.precision for each in sizes.values())
    quotes = Quotes(
        ts_event=times.ns,
        ts_init=times.ns,
        bid=prices["bid"].at(digits),
        ask=prices["ask"].at(digits),
        bid_size=sizes["bid volume"].at(size_digits),
        ask_size=sizes["ask volume"].at(size_digits),
        price_precision=digits,
        size_precision=size_digits,
    )
    return decoded(rows, {"quotes": rows.taken(quotes)}, times.said)


def _side(rows: Rows, path: Path) -> str:
    for name in _names(path):
        found = _SIDE_IN_NAME.search(name)
        if found:
            return found[1].upper()
    rows.notes.append(
        "Neither its name nor its folders say bid or ask; the candles are taken as those of the bid."
    )
    return "BID"


def _names(path: Path) -> list[str]:
    """Name of the file and of its folders, nearest first, in lower case."""
    return [each.name.lower() for each in (path, *list(path.parents)[:_FOLDERS])]


def _length_in(name: str) -> int | None:
    found = _LENGTH_IN_NAME.search(name.lower())
    return int(found[2]) * _UNITS[found[1]] or None if found else None
