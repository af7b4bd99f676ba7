"""Times of a table to ns UTC: finds out how they are written, and says what it found and what it assumed."""

import re
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Final, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

import msgspec
import numpy as np
import polars as pl

from engine.columns import Int64
from engine.errors import unknown_name
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

_POWERS: Final = {"s": 9, "ms": 6, "us": 3, "ns": 0}
_UTC: Final = "UTC"
_AS_UTC: Final = "taken as UTC"
_WITHOUT_ZONE = f"text without a zone, {_AS_UTC}"
_FORMATS = (
    ("%Y-%m-%d %H:%M:%S%.f%#z", "ISO text with its zone, turned to UTC", 0),
    ("%Y-%m-%d %H:%M:%S%.f", _WITHOUT_ZONE, 0),
    ("%Y%m%d %H:%M:%S%.f", _WITHOUT_ZONE, 0),
    ("%Y%m%d %H%M%S%3f", "text in Eastern Standard Time all year (UTC-5), as HistData writes it", 5),
    ("%Y.%m.%d %H:%M:%S%.f", _WITHOUT_ZONE, 0),
    ("%Y/%m/%d %H:%M:%S%.f", _WITHOUT_ZONE, 0),
    ("%d.%m.%Y %H:%M:%S%.f", f"day-first {_WITHOUT_ZONE}", 0),
    ("%Y-%m-%d %H:%M", _WITHOUT_ZONE, 0),
)
"""chrono's format, what to say of it, and hours to add to come to UTC. Month-first text is not guessed at."""


class TimeRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What a user says of a table's times; what is left empty is found out, or taken as UTC.

    Attributes
    ----------
    unit : str
        What numbers count since 1970.
    format : str
        How text is written, in the letters of strftime (`%m/%d/%Y %H:%M:%S%.f`; `%.f` is a fraction of any
        length).
    zone : str
        Whose clock times without a zone show, for example America/New_York.
    """

    unit: Literal["", "s", "ms", "us", "ns"] = ""
    format: str = ""
    zone: str = ""

    def __post_init__(self) -> None:
        if self.zone:
            checked_zone(self.zone)


def checked_zone(name: str) -> str:
    """`name` if there is such a time zone; raises UserError with the nearest ones."""
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise unknown_name("time zone", name, sorted(available_timezones())) from error
    return name


AS_FOUND: Final = TimeRule()


@dataclass(frozen=True, slots=True, eq=False)
class Times:
    """Times in ns UTC; rows that are no time of 1980 to 2199 have 0 and are not `valid`.

    Nor are those that the clock of a zone showed twice or never, which are also `unclear`.
    """

    ns: Int64
    valid: Mask
    said: str
    unclear: Mask | None = None

    @property
    def assumes_utc(self) -> bool:
        """Whether nothing told whose clock they are of."""
        return _AS_UTC in self.said

    def refusals(self) -> list[tuple[Mask, str]]:
        """Rows that are no certain time, and why."""
        told = [(~self.valid, "the time is missing, malformed or outside 1980 to 2199")]
        if self.unclear is not None:
            told.insert(0, (self.unclear, "the clock of the time zone shows that hour twice or never"))
        return told


def times(column: pl.Series, day: date | None, rule: TimeRule = AS_FOUND) -> Times:
    """Read a column of text, or of a Parquet file's own times.

    Parameters
    ----------
    day : date or None
        Day that times since midnight belong to.
    rule : TimeRule
        What the user said of them.

    Raises
    ------
    Undecodable
        The unit or form cannot be told or is not as said, or times count from midnight of an unknown day.
    """
    if isinstance(column.dtype, pl.Datetime):
        # Years that nanoseconds cannot count would raise in the cast.
        sane = pl.select(pl.when(column.dt.year().is_between(1979, 2200)).then(column)).to_series()
        found = sane.dt.cast_time_unit("ns")
        if column.dtype.time_zone is None:
            return _local(found, rule.zone, "the file's own timestamps")
        return _checked(found.to_physical(), "the file's own timestamps")
    text = column.cast(pl.String).str.strip_chars()
    sample = [each for each in text.drop_nulls().head(_SAMPLE_ROWS).to_list() if each]
    if not sample:
        raise Undecodable("its times are all empty")
    if rule.format:
        return _in_format(text, sample, rule)
    if rule.unit or sum(bool(_NUMBER.fullmatch(each)) for each in sample) * 2 > len(sample):
        return _from_numbers(text, [each for each in sample if _NUMBER.fullmatch(each)], day, rule)
    return _from_text(text, sample, rule.zone)


def _from_numbers(text: pl.Series, sample: list[str], day: date | None, rule: TimeRule) -> Times:
    whole = [each.partition(".")[0].lstrip("0") for each in sample]
    longest = max((len(each) for each in whole), default=0)
    parsed = scaled(text) if any("." in each for each in sample) else _whole(text)
    if not rule.unit and longest <= 8 and all(float(each) < _DAY_MS for each in sample):
        return _since_midnight(parsed, day, rule.zone)
    found = next((unit for unit in _UNITS if unit[0] - 1 <= longest <= unit[0]), None)
    power = found[2] if found is not None else None
    if rule.unit:
        power = _POWERS[rule.unit]
    if power is None:
        raise Undecodable(f"its times, like {sample[0]}, are in no unit from seconds to nanoseconds")
    name = next(name for _, name, each in _UNITS if each == power)
    if parsed.precision > power:
        raise Undecodable(f"its times, like {sample[0]}, are finer than a nanosecond")
    factor = 10 ** (power - parsed.precision)
    inside = (
        parsed.valid & (parsed.integers >= EARLIEST_NS // factor) & (parsed.integers < LATEST_NS // factor)
    )
    return Times(np.where(inside, parsed.integers, 0) * factor, inside, f"{name} since 1970, UTC")


def _since_midnight(parsed: Scaled, day: date | None, zone: str) -> Times:
    if day is None:
        raise Undecodable("its times count from midnight, but neither its name nor --date tells the day")
    clock = ZoneInfo(zone) if zone else UTC
    start = int(datetime(day.year, day.month, day.day, tzinfo=clock).timestamp()) * 1000
    ms = parsed.integers // 10**parsed.precision
    fraction = parsed.integers % 10**parsed.precision * 10 ** max(0, 6 - parsed.precision)
    good = parsed.valid & (ms >= 0) & (ms < _DAY_MS)
    ns = (start + ms) * 1_000_000 + fraction
    said = f"milliseconds since midnight of the file's day, {_clock_said(zone)}"
    return Times(np.where(good, ns, 0), good, said)


def _whole(text: pl.Series) -> Scaled:
    """Integers of up to 19 digits, which is what nanoseconds have."""
    integers = text.cast(pl.Int64, strict=False)
    return Scaled(integers.fill_null(0).to_numpy(), integers.is_not_null().to_numpy(), 0)


def _from_text(text: pl.Series, sample: list[str], zone: str) -> Times:
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
    found_times = read(text, form)
    if zone and not named and not has_zone(form):
        return _local(found_times, zone, "text")
    return _checked(found_times.to_physical() + hours * 3_600_000_000_000, said)


def _in_format(text: pl.Series, sample: list[str], rule: TimeRule) -> Times:
    """Text in the form that the user said."""
    try:
        found = text.str.to_datetime(rule.format, time_unit="ns", strict=False)
    except pl.exceptions.PolarsError as error:
        raise Undecodable(f"the time format {rule.format!r} names no whole date and time") from error
    if found.null_count() == len(found):
        raise Undecodable(f"its times, like {sample[0]!r}, are not written as {rule.format!r}")
    said = f"text written as {rule.format}"
    if has_zone(rule.format):
        return _checked(found.to_physical(), f"{said}, turned to UTC")
    return _local(found, rule.zone, said)


def has_zone(form: str) -> bool:
    """Whether text of this format says its zone."""
    return form.endswith("z")


def _local(found: pl.Series, zone: str, said: str) -> Times:
    """Times that a clock in `zone` showed; the hour that it shows twice, or never, is no time."""
    if not zone or zone == _UTC:
        return _checked(found.to_physical(), f"{said} without a zone, {_clock_said(zone)}")
    utc = found.dt.replace_time_zone(zone, ambiguous="null", non_existent="null")
    unclear: Mask = (utc.is_null() & found.is_not_null()).to_numpy()
    twice = int(unclear.sum())
    left_out = f"; {twice:,} in the hour that its clocks repeat or skip were left out" if twice else ""
    checked = _checked(utc.to_physical(), f"{said} without a zone, {_clock_said(zone)}{left_out}")
    return replace(checked, unclear=unclear)


def _clock_said(zone: str) -> str:
    return f"taken as {zone}'s clock" if zone and zone != _UTC else _AS_UTC


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
