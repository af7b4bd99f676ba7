"""Dukascopy's candles (`BID_candles_min_1.bi5`, of hours and days, too) as a vendor's bars.

A record is `u32 s, u32 open, u32 close, u32 low, u32 high, f32 vol`: seconds since the start of what the file
covers (a day of minutes, a month of hours, a year of days), prices in points, the volume in millions of the
base currency. Which day, month or year stands only in the path, where the month is counted from 00.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Final

import numpy as np

from engine.columns import Int64, bars_kind
from engine.feeds.decimals import Scaled
from engine.feeds.decoded import Decoded, Undecodable
from engine.feeds.formats import Head, SourceFile
from engine.feeds.rows import Rows
from engine.feeds.tables import Table
from engine.feeds.vendors.bar_rows import (
    DAY_NS,
    HOUR_NS,
    MINUTE_NS,
    PRICES,
    SECOND_NS,
    bars,
    decoded,
    spec_of,
)
from engine.feeds.vendors.dukascopy import day_in_path, in_units, records_of
from engine.feeds.vendors.single_precision import shortest_decimals

_CANDLE = np.dtype(
    [("s", ">u4"), ("open", ">u4"), ("close", ">u4"), ("low", ">u4"), ("high", ">u4"), ("volume", ">f4")]
)
_NAME = re.compile(r"(BID|ASK)_candles_(min|hour|day)_1\.bi5", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Span:
    """What a file of candles of one length covers, and how its folders name that."""

    interval_ns: int
    covers: str
    most_days: int
    folders: re.Pattern[str]
    start: Callable[[date], date]


MINUTES: Final = Span(
    MINUTE_NS, "day", 1, re.compile(r"(?:^|/)(\d{4})/(\d{2})/(\d{2})/[^/]*$"), lambda day: day
)
_SPANS: Final = {
    "min": MINUTES,
    "hour": Span(
        HOUR_NS, "month", 31, re.compile(r"(?:^|/)(\d{4})/(\d{2})/[^/]*$"), lambda day: day.replace(day=1)
    ),
    "day": Span(
        DAY_NS, "year", 366, re.compile(r"(?:^|/)(\d{4})/[^/]*$"), lambda day: day.replace(month=1, day=1)
    ),
}


def matches(head: Head) -> bool:
    """Whether its name is that of Dukascopy's candles."""
    return _NAME.search(head.path.name) is not None


def decode(file: SourceFile) -> Decoded:
    """Bars of one candle file.

    Raises
    ------
    Undecodable
        Its name or path does not tell what it covers; else see `decode_candles`.
    """
    found = _NAME.search(file.path.name)
    if found is None:
        raise Undecodable(
            "its name does not tell which candles it holds; Dukascopy names them BID_candles_min_1.bi5, or "
            "with ASK, hour and day"
        )
    span, side, point = _SPANS[found[2].lower()], found[1].upper(), file.instrument.price_precision
    try:
        start_ns = _start_ns(file.path, file.day, span) if file.data else 0
    except Undecodable:
        decode_candles(file.data, 0, point, side, span)  # that a file is damaged is worth saying first
        raise
    return decode_candles(file.data, start_ns, point, side, span)


def _start_ns(path: Path, day: date | None, span: Span) -> int:
    in_path = day_in_path(path, span.folders)
    if in_path is None and day is None:
        raise Undecodable(f"its path does not tell the {span.covers}; add --date YYYY-MM-DD")
    said = day and span.start(day)
    if in_path is not None and said is not None and in_path != said:
        raise Undecodable(
            f"its path says the {span.covers} from {in_path} (Dukascopy counts months from 00) but --date "
            f"says {day}; leave --date out"
        )
    known = in_path or said
    assert known is not None  # noqa: S101 - one of the two is given, see above
    return int(datetime(known.year, known.month, known.day, tzinfo=UTC).timestamp()) * SECOND_NS


def decode_candles(
    data: bytes, start_ns: int, price_precision: int, side: str = "BID", span: Span = MINUTES
) -> Decoded:
    """Bars of one candle file; empty `data` is a time without ticks.

    Parameters
    ----------
    start_ns : int
        Start of what the file covers, ns UTC.
    price_precision : int
        Decimals of the instrument's point.
    side : str
        BID or ASK.

    Raises
    ------
    Undecodable
        Not LZMA, cut off, or not a whole number of records.
    """
    records = records_of(data, _CANDLE)
    rows = Rows(Table([], None, np.arange(1, len(records) + 1)), {})
    passed_ns = records["s"].astype(np.int64) * SECOND_NS
    rows.reject(
        passed_ns >= span.most_days * DAY_NS, f"the time lies outside the {span.covers} that the file covers"
    )
    rows.reject(passed_ns % span.interval_ns != 0, "the time lies between two candles")
    prices = {name: Scaled(records[name].astype(np.int64), rows.good, price_precision) for name in PRICES}
    rows.reject(np.logical_or.reduce([each.integers == 0 for each in prices.values()]), "a price is 0")
    volume = shortest_decimals(records["volume"].astype(np.float32))
    rows.reject(~volume.valid | (volume.integers < 0), "the volume is negative or no number")
    said = f"seconds since the start of the {span.covers} that the path names, UTC"
    return candle_bars(rows, start_ns + passed_ns, span.interval_ns, side, prices, volume, said)


def candle_bars(
    rows: Rows,
    opens: Int64,
    interval_ns: int,
    side: str,
    prices: Mapping[str, Scaled],
    millions: Scaled,
    timestamps: str,
) -> Decoded:
    """Candles as bars, without those that Dukascopy made up where there was no tick.

    Where nothing happened Dukascopy repeats the last close with volume 0 (all weekend long); a bar that no
    tick made is none, as `engine.bars` has it, too.
    """
    open_, high, low, close = (prices[name].integers for name in PRICES)
    made_up = (millions.integers == 0) & (open_ == high) & (high == low) & (low == close) & rows.good
    rows.good &= ~made_up
    made = bars(rows, opens, opens + interval_ns, prices, in_units(millions))
    if made_up.any():
        rows.notes.append(
            f"{int(made_up.sum()):,} candles without ticks (the last close repeated, volume 0) are left out."
        )
    return decoded(rows, {bars_kind(spec_of(interval_ns, side)): made}, timestamps)
