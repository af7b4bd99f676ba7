"""Dukascopy's hourly tick files (`.bi5`): LZMA over fixed big-endian records.

A record is `u32 ms, u32 ask, u32 bid, f32 ask_vol, f32 bid_vol`: milliseconds since the hour, prices in
points of the instrument, volumes in millions of the base currency. Which hour a file holds stands only in its
path, where the month is counted from 00. An hour in which nothing happened is an empty file. The candles in
the same folders are read by `engine.feeds.vendors.dukascopy_candles`.
"""

import lzma
import re
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import numpy.typing as npt

from engine.columns import Quotes
from engine.feeds.decimals import Scaled
from engine.feeds.decoded import Damaged, Decoded, Rejected, Undecodable
from engine.feeds.formats import Head, SourceFile
from engine.feeds.vendors.single_precision import LARGEST, shortest_decimals

_TICK = np.dtype([("ms", ">u4"), ("ask", ">u4"), ("bid", ">u4"), ("ask_size", ">f4"), ("bid_size", ">f4")])
_LZMA_ALONE = b"]\x00\x00"
_HOUR_MS = 3_600_000
_MILLION_DIGITS = 6
_LARGEST_BYTES = 256 << 20
"""Unpacked; thirteen million ticks in one hour is more than any hour has."""

_HOUR = re.compile(r"(?:^|[^0-9])(\d{2})h", re.IGNORECASE)
_DAY_FOLDERS = re.compile(r"(?:^|/)(\d{4})/(\d{2})/(\d{2})/[^/]*$")


def matches(head: Head) -> bool:
    """Whether it is LZMA as Dukascopy serves it, or an empty hour."""
    return head.path.suffix.lower() == ".bi5" or head.data.startswith(_LZMA_ALONE)


def decode(file: SourceFile) -> Decoded:
    """Ticks of one hour file.

    Raises
    ------
    Undecodable
        See `hour_start_ns` and `decode_ticks`.
    """
    if "candle" in file.path.name.lower():
        raise Undecodable(
            "it holds Dukascopy's candles, not ticks; keep its own name, as BID_candles_min_1.bi5, and leave "
            "--format out"
        )
    point = file.instrument.price_precision
    try:
        start_ns = hour_start_ns(file.path, file.day) if file.data else 0
    except Undecodable:
        decode_ticks(file.data, 0, point)  # that a file is damaged is worth saying first
        raise
    return decode_ticks(file.data, start_ns, point)


def hour_start_ns(path: Path, day: date | None) -> int:
    """Start of the hour that the file at `path` holds, in ns UTC.

    `day` is the user's, used where the path does not end in `YYYY/MM/DD/HHh_ticks.bi5` (month from 00).

    Raises
    ------
    Undecodable
        Neither tells day and hour, the path names no possible day, or the two disagree.
    """
    hour = _HOUR.search(path.name)
    if hour is None or int(hour[1]) > 23:
        raise Undecodable(
            "its name does not tell the hour; Dukascopy names them 00h_ticks.bi5 to 23h_ticks.bi5"
        )
    in_path = day_in_path(path, _DAY_FOLDERS)
    if in_path is None and day is None:
        raise Undecodable("its path does not tell the day; add --date YYYY-MM-DD")
    if in_path is not None and day is not None and in_path != day:
        raise Undecodable(
            f"its path says {in_path} (Dukascopy counts months from 00) but --date says {day}; "
            "leave --date out"
        )
    known = in_path or day
    assert known is not None  # noqa: S101 - one of the two is given, see above
    start = datetime(known.year, known.month, known.day, int(hour[1]), tzinfo=UTC)
    return int(start.timestamp()) * 1_000_000_000


def day_in_path(path: Path, folders: re.Pattern[str]) -> date | None:
    """Day that the folders above `path` name as year, month from 00 and day; the first one if they name less.

    Raises
    ------
    Undecodable
        They name no possible day.
    """
    found = folders.search(path.absolute().as_posix())
    if found is None:
        return None
    parts = found.groups()
    year, month, day = (int(part) for part in (*parts, *("00", "01")[len(parts) - 1 :]))
    try:
        return date(year, month + 1, day)
    except ValueError as error:
        raise Undecodable(
            f"its folder {'/'.join(parts)} is no day (Dukascopy counts months from 00, so 00 is January and "
            "11 is December)"
        ) from error


def decode_ticks(data: bytes, start_ns: int, price_precision: int) -> Decoded:
    """Quotes of one hour file; empty `data` is an hour without ticks.

    Parameters
    ----------
    start_ns : int
        Start of the hour, from `hour_start_ns`.
    price_precision : int
        Decimals of the instrument's point: 5 where a point is 0.00001.

    Raises
    ------
    Undecodable
        Not LZMA, cut off, or not a whole number of records.
    """
    records = records_of(data, _TICK)
    size_fields = (records["bid_size"].astype(np.float32), records["ask_size"].astype(np.float32))
    reasons = {
        "the time lies outside the hour of the file": records["ms"] >= _HOUR_MS,
        "a price is 0": (records["bid"] == 0) | (records["ask"] == 0),
        "a volume is negative or no number": ~np.logical_and.reduce(
            [np.isfinite(size) & (size >= 0) & (size < LARGEST) for size in size_fields]
        ),
    }
    bad = np.logical_or.reduce(list(reasons.values()))
    rejected = tuple(
        Rejected(reason, int(rows.sum()), int(np.argmax(rows)) + 1)
        for reason, rows in reasons.items()
        if rows.any()
    )
    records = records[~bad]
    sizes = in_units(shortest_decimals(np.concatenate([size[~bad] for size in size_fields])))
    ts = start_ns + records["ms"].astype(np.int64) * 1_000_000
    quotes = Quotes(
        ts_event=ts,
        ts_init=ts,
        bid=records["bid"].astype(np.int64),
        ask=records["ask"].astype(np.int64),
        bid_size=sizes.integers[: len(records)],
        ask_size=sizes.integers[len(records) :],
        price_precision=price_precision,
        size_precision=sizes.precision,
    )
    return Decoded(
        columns={"quotes": quotes} if len(quotes) else {},
        timestamps="milliseconds since the hour that the path names, UTC",
        rejected=rejected,
    )


def in_units(millions: Scaled) -> Scaled:
    """Volumes in units of the base currency, exactly, from volumes in millions of it."""
    digits = max(millions.precision, _MILLION_DIGITS)
    return Scaled(millions.at(digits), millions.valid, digits - _MILLION_DIGITS)


def records_of(data: bytes, layout: np.dtype[np.void]) -> npt.NDArray[np.void]:
    """Records of a `.bi5` file; empty `data` has none.

    Raises
    ------
    Undecodable
        Not LZMA, cut off, or not a whole number of records.
    """
    if not data:
        return np.zeros(0, layout)
    unpacked = _unpacked(data)
    if len(unpacked) % layout.itemsize:
        raise Undecodable(
            f"its {len(unpacked)} unpacked bytes are no whole number of {layout.itemsize}-byte records"
        )
    return np.frombuffer(unpacked, layout)


def _unpacked(data: bytes) -> bytes:
    reader = lzma.LZMADecompressor(format=lzma.FORMAT_ALONE, memlimit=_LARGEST_BYTES)
    try:
        unpacked = reader.decompress(data, _LARGEST_BYTES)
    except lzma.LZMAError as error:
        raise Damaged("it is damaged, or no LZMA file as Dukascopy serves them") from error
    if not reader.eof:
        if len(unpacked) >= _LARGEST_BYTES:
            raise Undecodable(
                f"it unpacks to more than {_LARGEST_BYTES >> 20} MiB, which no hour of ticks does"
            )
        raise Damaged("it is cut off before its end")
    if reader.unused_data:
        raise Damaged("there are bytes after its end")
    return unpacked
