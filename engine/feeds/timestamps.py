"""Times of a table to ns UTC: finds out how they are written, and says what it found and what it assumed."""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime

import numpy as np
import polars as pl

from engine.columns import Int64
from engine.feeds.decimals import Scaled, scaled
from engine.feeds.decoded import Undecodable
from engine.store.merging import Mask

_SAMPLE_ROWS = 200
_DAY_MS = 86_400_000
EARLIEST_NS = int(datetime(1980, 1, 1, tzinfo=UTC).timestamp()) * 1_000_000_000
LATEST_NS = int(datetime(2200, 1, 1, tzinfo=UTC).timestamp()) * 1_000_000_000
_NUMBER = re.compile(r"\d+(\.\d+)?")
_UNITS = ((10, "seconds", 9), (13, "milliseconds", 6), (16, "microseconds", 3), (19, "nanoseconds", 0))
"""Most digits of a time of this century in the unit, its name, and its decimal places above a nanosecond."""

_WITHOUT_ZONE = "text without a zone, taken as UTC"
_FORMATS = (
    ("%Y-%m-%d %H:%M:%S%.f%#z", "ISO text with its zone, turned to UTC", 0),
    ("%Y-%m-%d %H:%M:%S%.f", _WITHOUT_ZONE, 0),
    ("%Y%m%d %H:%M:%S%.f", _WITHOUT_ZONE, 0),
    ("%Y%m%d %H%M%S%3f", "text in Eastern Standard Time all year (UTC-5), as HistData writes it", 5),
    ("%Y.%m.%d %H:%M:%S%.f", _WITHOUT_ZONE, 0),
    ("%Y/%m/%d %H:%M:%S%.f", _WITHOUT_ZONE, 0),
    ("%d.%m.%Y %H:%M:%S%.f", "day-first text without a zone, taken as UTC", 0),
    ("%Y-%m-%d %H:%M", _WITHOUT_ZONE, 0),
)
"""chrono's format, what to say of it, and hours to add to come to UTC. Month-first text is not guessed at."""


@dataclass(frozen=True, slots=True, eq=False)
class Times:
    """Times in ns UTC; rows that are no time of 1980 to 2199 have 0 and are not `valid`."""

    ns: Int64
    valid: Mask
    said: str


def times(column: pl.Series, day: date | None) -> Times:
    """Read a column of text, or of a Parquet file's own times.

    Parameters
    ----------
    day : date or None
        Day that times since midnight belong to.

    Raises
    ------
    Undecodable
        The unit or form cannot be told, or times count from midnight of an unknown day.
    """
    if isinstance(column.dtype, pl.Datetime):
        zone = "" if column.dtype.time_zone else " without a zone, taken as UTC"
        ns = column.dt.cast_time_unit("ns").to_physical()
        return _checked(ns, f"the file's own timestamps{zone}")
    text = column.cast(pl.String).str.strip_chars()
    sample = [each for each in text.drop_nulls().head(_SAMPLE_ROWS).to_list() if each]
    if not sample:
        raise Undecodable("its times are all empty")
    if sum(bool(_NUMBER.fullmatch(each)) for each in sample) * 2 > len(sample):
        return _from_numbers(text, [each for each in sample if _NUMBER.fullmatch(each)], day)
    return _from_text(text, sample)


def _from_numbers(text: pl.Series, sample: list[str], day: date | None) -> Times:
    whole = [each.partition(".")[0].lstrip("0") for each in sample]
    longest = max(len(each) for each in whole)
    parsed = scaled(text) if any("." in each for each in sample) else _whole(text)
    if longest <= 8 and all(float(each) < _DAY_MS for each in sample):
        if day is None:
            raise Undecodable("its times count from midnight, but neither its name nor --date tells the day")
        start = int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()) * 1000
        ms = parsed.integers // 10**parsed.precision
        fraction = parsed.integers % 10**parsed.precision * 10 ** max(0, 6 - parsed.precision)
        good = parsed.valid & (ms >= 0) & (ms < _DAY_MS)
        ns = (start + ms) * 1_000_000 + fraction
        said = "milliseconds since midnight of the file's day, taken as UTC"
        return Times(np.where(good, ns, 0), good, said)
    unit = next((unit for unit in _UNITS if unit[0] - 1 <= longest <= unit[0]), None)
    if unit is None:
        raise Undecodable(f"its times, like {sample[0]}, are in no unit from seconds to nanoseconds")
    _, name, power = unit
    if parsed.precision > power:
        raise Undecodable(f"its times, like {sample[0]}, are finer than a nanosecond")
    factor = 10 ** (power - parsed.precision)
    inside = (
        parsed.valid & (parsed.integers >= EARLIEST_NS // factor) & (parsed.integers < LATEST_NS // factor)
    )
    return Times(np.where(inside, parsed.integers, 0) * factor, inside, f"{name} since 1970, UTC")


def _whole(text: pl.Series) -> Scaled:
    """Integers of up to 19 digits, which is what nanoseconds have."""
    integers = text.cast(pl.Int64, strict=False)
    return Scaled(integers.fill_null(0).to_numpy(), integers.is_not_null().to_numpy(), 0)


def _from_text(text: pl.Series, sample: list[str]) -> Times:
    parted = "T" if "T" in sample[0].removesuffix("UTC") else " "
    named = sample[0].endswith(" UTC")

    def read(column: pl.Series, form: str) -> pl.Series:
        plain = column.str.strip_suffix(" UTC") if named else column
        return plain.str.to_datetime(form.replace(" ", parted), time_unit="ns", strict=False)

    some = pl.Series(sample, dtype=pl.String)
    found = [int(read(some, form).is_not_null().sum()) for form, _, _ in _FORMATS]
    best = int(np.argmax(found))
    if not found[best]:
        raise Undecodable(f"its times, like {sample[0]!r}, are written in no form that is read")
    form, said, hours = _FORMATS[best]
    ns = read(text, form).to_physical() + hours * 3_600_000_000_000
    return _checked(ns, said)


def times_in(form: str, column: pl.Series, said: str, hours_to_utc: int = 0) -> Times:
    """Times of text that a vendor is known to write in the chrono format `form`, so many hours before UTC."""
    read = column.str.strip_chars().str.to_datetime(form, time_unit="ns", strict=False)
    return _checked(read.to_physical() + hours_to_utc * 3_600_000_000_000, said)


def times_since_1970(column: pl.Series, unit_ns: int, said: str) -> Times:
    """Times that a vendor is known to count in whole units of so many ns since 1970, UTC."""
    parsed = _whole(column.cast(pl.String).str.strip_chars())
    earliest, latest = EARLIEST_NS // unit_ns, LATEST_NS // unit_ns
    inside: Mask = parsed.valid & (parsed.integers >= earliest) & (parsed.integers < latest)
    return Times(np.where(inside, parsed.integers, 0) * unit_ns, inside, said)


def _checked(ns: pl.Series, said: str) -> Times:
    filled = ns.cast(pl.Int64).fill_null(0).to_numpy()
    inside: Mask = (filled >= EARLIEST_NS) & (filled < LATEST_NS)
    return Times(np.where(inside, filled, 0), inside, said)
