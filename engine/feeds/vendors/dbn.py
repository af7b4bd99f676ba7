"""Databento's binary encoding (DBN): what its header says, and its records as structured arrays.

The layout is that of Databento's public specification, versions 1 to 3. It is read here and not by the
engine's own loader, because that aborts the whole process at a record which breaks one of the engine's rules
(a trade of size 0, a bar whose high lies below its close), reads Zstandard only, and makes an object of each
row; the tests hold both against each other.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from engine.columns import Int64
from engine.feeds.decimals import fewest_decimals
from engine.feeds.decoded import Damaged, Undecodable
from engine.store.merging import Mask

type Records = npt.NDArray[np.void]

UNDEFINED: Final = 2**63 - 1
"""A price, a limit or a time that there is not."""

PRICE_DECIMALS: Final = 9

TRADE: Final = ord("T")
BID, ASK = b"BA"
"""A record's action and sides; of a trade, the side is the aggressor's."""

MAGIC: Final = b"DBN"
_VERSIONS: Final = (1, 2, 3)
_HEADER_BYTES: Final = 8
_FIXED_BYTES: Final = 100
_TS_OUT_BYTES: Final = 8
_WORD_BYTES: Final = 4
_V1_SYMBOL_BYTES: Final = 22
_DATASET_BYTES: Final = 16
_INSTRUMENT_ID: Final = 0
"""Type of symbols that are instrument numbers."""

_DAMAGED: Final = "the DBN file is damaged or cut off"

_RECORD: Final = (
    ("length", "u1"),
    ("rtype", "u1"),
    ("publisher_id", "<u2"),
    ("instrument_id", "<u4"),
    ("ts_event", "<u8"),
)
_HEAD: Final = np.dtype([*_RECORD])
_MESSAGE: Final = (
    *_RECORD,
    ("price", "<i8"),
    ("size", "<u4"),
    ("action", "u1"),
    ("side", "u1"),
    ("flags", "u1"),
    ("depth", "u1"),
    ("ts_recv", "<u8"),
    ("ts_in_delta", "<i4"),
    ("sequence", "<u4"),
)
_LEVEL: Final = np.dtype(
    [
        ("bid", "<i8"),
        ("ask", "<i8"),
        ("bid_size", "<u4"),
        ("ask_size", "<u4"),
        ("bid_count", "<u4"),
        ("ask_count", "<u4"),
    ]
)
_TRADE: Final = np.dtype([*_MESSAGE])
_MBP_1: Final = np.dtype([*_MESSAGE, ("levels", _LEVEL, (1,))])
_MBP_10: Final = np.dtype([*_MESSAGE, ("levels", _LEVEL, (10,))])
_OHLCV: Final = np.dtype(
    [*_RECORD, *((name, "<i8") for name in ("open", "high", "low", "close")), ("volume", "<u8")]
)
_MBO: Final = np.dtype(
    [
        *_RECORD,
        ("order_id", "<u8"),
        ("price", "<i8"),
        ("size", "<u4"),
        ("flags", "u1"),
        ("channel_id", "u1"),
        ("action", "u1"),
        ("side", "u1"),
        ("ts_recv", "<u8"),
        ("ts_in_delta", "<i4"),
        ("sequence", "<u4"),
    ]
)


def _definition(size: int, *fields: tuple[str, str, int]) -> np.dtype[np.void]:
    """The fields that are read of a definition: name, type and offset, after those of every record."""
    offsets = [(name, form, _HEAD.fields[name][1]) for name, form in _RECORD]  # type: ignore[index]
    names, formats, places = zip(*offsets, *fields, strict=True)
    return np.dtype({"names": names, "formats": formats, "offsets": places, "itemsize": size})


_DEFINITIONS: Final = {
    1: _definition(
        360,
        ("tick", "<i8", 24),
        ("expiration", "<u8", 40),
        ("unit_quantity", "<i8", 88),
        ("currency", "S4", 186),
        ("raw_symbol", "S22", 200),
        ("asset", "S7", 248),
        ("instrument_class", "u1", 325),
    ),
    2: _definition(
        400,
        ("tick", "<i8", 24),
        ("expiration", "<u8", 40),
        ("unit_quantity", "<i8", 88),
        ("currency", "S4", 186),
        ("raw_symbol", "S71", 200),
        ("asset", "S7", 297),
        ("instrument_class", "u1", 374),
    ),
    3: _definition(
        520,
        ("tick", "<i8", 24),
        ("expiration", "<u8", 40),
        ("unit_quantity", "<i8", 80),
        ("currency", "S4", 224),
        ("raw_symbol", "S71", 238),
        ("asset", "S11", 335),
        ("instrument_class", "u1", 487),
    ),
}

TRADES: Final = 0x00
QUOTES: Final = (0x01, 0xC5)
"""MBP-1 and TBBO."""
DEPTH: Final = 0x0A
ORDERS: Final = 0xA0
DEFINITION: Final = 0x13
BARS: Final = {0x20: "1-SECOND", 0x21: "1-MINUTE", 0x22: "1-HOUR", 0x23: "1-DAY"}
_UNREAD: Final = {
    0x11: "bars of an old form",
    0x12: "status",
    0x14: "imbalance",
    0x15: "error",
    0x16: "symbol mapping",
    0x17: "system",
    0x18: "statistics",
    0x24: "end-of-day bars",
    0xB1: "consolidated quotes",
    0xC0: "consolidated quotes",
    0xC1: "consolidated quotes",
    0xC2: "consolidated quotes",
    0xC3: "sampled quotes",
    0xC4: "sampled quotes",
}


@dataclass(frozen=True, slots=True)
class SymbolDays:
    """Days (from `start` on, before `end`) on which an instrument number stood for a symbol."""

    symbol: str
    number: int
    start: date
    end: date


@dataclass(frozen=True, slots=True)
class DbnFile:
    """One file.

    Attributes
    ----------
    dataset : str
        Databento's name of it, for example XNAS.ITCH.
    symbols : tuple of SymbolDays
        What the instrument numbers of the records stand for; empty where the header does not say.
    records : mapping of record type to structured array
        Those of each type in the order of the file.
    unread : mapping of str to int
        How many records there are of kinds that are not read.
    """

    dataset: str
    symbols: tuple[SymbolDays, ...]
    records: dict[int, Records]
    unread: dict[str, int]


def read_dbn(data: bytes) -> DbnFile:
    """Read an unpacked file.

    Raises
    ------
    Undecodable
        Damaged, cut off, or of a version that is not known.
    """
    if not data.startswith(MAGIC) or len(data) < _HEADER_BYTES:
        raise Damaged(_DAMAGED)
    version, size = data[len(MAGIC)], int.from_bytes(data[4:_HEADER_BYTES], "little")
    if version not in _VERSIONS:
        raise Undecodable(f"it is DBN version {version}, and versions 1 to 3 are read")
    header = _Header(data[_HEADER_BYTES : _HEADER_BYTES + size], version)
    if len(header.data) != size:
        raise Damaged(_DAMAGED)
    dataset = header.dataset()
    symbols = tuple(header.symbols())
    records, unread = _records(data, _HEADER_BYTES + size, version, _TS_OUT_BYTES * header.has_ts_out)
    return DbnFile(dataset, symbols, records, unread)


class _Header:
    """Metadata of a file, read field by field; every read checks that there is something to read."""

    def __init__(self, data: bytes, version: int) -> None:
        if len(data) < _FIXED_BYTES:
            raise Damaged(_DAMAGED)
        self.data = data
        # Version 1 had a count of records between the limit and the types of symbols.
        at = 50 if version == 1 else 42
        self._asked_by_number = data[at] == _INSTRUMENT_ID
        self.has_ts_out = bool(data[at + 2])
        self._width = _V1_SYMBOL_BYTES if version == 1 else int.from_bytes(data[at + 3 : at + 5], "little")
        self._at = _FIXED_BYTES

    def dataset(self) -> str:
        return _text(self.data[:_DATASET_BYTES])

    def symbols(self) -> Iterator[SymbolDays]:
        self._skip(1)  # a definition of the schema, which no version has
        for _ in range(3):  # symbols asked for, partly found, not found
            self._skip(self._width)
        for _ in range(self._number()):
            name = self._symbol()
            for _ in range(self._number()):
                start, end = self._day(), self._day()
                stands_for = self._symbol()
                symbol, number = (stands_for, name) if self._asked_by_number else (name, stands_for)
                if number.isdigit():
                    yield SymbolDays(symbol, int(number), start, end)

    def _take(self, size: int) -> bytes:
        found = self.data[self._at : self._at + size]
        if len(found) != size or not size:
            raise Damaged(_DAMAGED)
        self._at += size
        return found

    def _skip(self, width: int) -> None:
        count = self._number()
        self._at += count * width

    def _number(self) -> int:
        return int.from_bytes(self._take(_WORD_BYTES), "little")

    def _symbol(self) -> str:
        return _text(self._take(self._width))

    def _day(self) -> date:
        packed = self._number()
        try:
            return date(packed // 10_000, packed // 100 % 100, packed % 100)
        except ValueError as error:
            raise Damaged(_DAMAGED) from error


def _text(padded: bytes) -> str:
    try:
        return padded.split(b"\0")[0].decode()
    except UnicodeDecodeError as error:
        raise Damaged(_DAMAGED) from error


def _layout(rtype: int, version: int) -> np.dtype[np.void] | None:
    if rtype in QUOTES:
        return _MBP_1
    if rtype in BARS:
        return _OHLCV
    known = {TRADES: _TRADE, DEPTH: _MBP_10, ORDERS: _MBO, DEFINITION: _DEFINITIONS[version]}
    return known.get(rtype)


def _records(data: bytes, start: int, version: int, extra: int) -> tuple[dict[int, Records], dict[str, int]]:
    parts: dict[int, list[Records]] = {}
    unread: dict[str, int] = {}
    for at, length, count in _runs(data, start):
        headers = np.frombuffer(data, _stretched(_HEAD, length), count, at)
        for rtype in np.unique(headers["rtype"]).tolist():
            rows = headers["rtype"] == rtype
            layout = _layout(rtype, version)
            if layout is None:
                if rtype not in _UNREAD:
                    raise Damaged(_DAMAGED)
                unread[_UNREAD[rtype]] = unread.get(_UNREAD[rtype], 0) + int(rows.sum())
                continue
            if length != layout.itemsize + extra:
                raise Damaged(_DAMAGED)
            found = np.frombuffer(data, _stretched(layout, length), count, at)
            parts.setdefault(rtype, []).append(found if rows.all() else found[rows])
    joined = {rtype: each[0] if len(each) == 1 else np.concatenate(each) for rtype, each in parts.items()}
    return joined, unread


def _stretched(layout: np.dtype[np.void], size: int) -> np.dtype[np.void]:
    """The same fields in records of `size` bytes."""
    fields: Any = layout.fields
    names = list(fields)
    return np.dtype(
        {
            "names": names,
            "formats": [fields[name][0] for name in names],
            "offsets": [fields[name][1] for name in names],
            "itemsize": size,
        }
    )


def _runs(data: bytes, at: int) -> Iterator[tuple[int, int, int]]:
    """Start, record length in bytes and count of each run of records of one length."""
    lengths = np.frombuffer(data, np.uint8)
    while at < len(data):
        length = data[at] * _WORD_BYTES
        whole = (len(data) - at) // max(length, 1)
        if length < _HEAD.itemsize or not whole:
            raise Damaged(_DAMAGED)
        count, reach = 0, 1
        while count < whole:
            ahead = lengths[at + count * length : at + min(whole, count + reach) * length : length]
            other = np.flatnonzero(ahead != data[at])
            count += int(other[0]) if len(other) else len(ahead)
            if len(other):
                break
            reach *= 2  # so that neither long runs nor short ones are looked at twice
        yield at, length, count
        at += count * length


def exact_prices(*nanos: Int64) -> tuple[list[Int64], int]:
    """Prices of 1e-9 as `fewest_decimals` answers them."""
    return fewest_decimals(*nanos, decimals=PRICE_DECIMALS)


def no_price(prices: Int64, word: str) -> tuple[Mask, str]:
    """Rows without a price above 0, and what to say of them; `word` names the price."""
    return (prices <= 0) | (prices == UNDEFINED), f"the {word} is missing or not above 0"


def nanoseconds(times: npt.NDArray[np.uint64]) -> Int64:
    """Times that were checked to lie in this century or so, signed."""
    return times.astype(np.int64)


def utc_day_ns(day: date) -> int:
    """Start of the day in ns."""
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()) * 1_000_000_000
