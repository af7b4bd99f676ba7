"""When a venue is open: the difference between a silence and a closed market.

`configs/calendars.toml` names a calendar for each kind of instrument, and others for venues and base
currencies that keep their own. A calendar is `always`, a week with fixed hours, or an exchange's own by the
names of the library `exchange_calendars` (`XNYS`, `CMES`), which is imported only when one of its is asked
for, because it brings pandas.
"""

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec
import numpy as np

from engine.columns import Int64
from engine.errors import UserError
from engine.messages.instrument import Instrument
from engine.quality.limits import SECOND_NS

_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_DAY = timedelta(days=1)
_ALWAYS = "always"
_LONGEST_HOLIDAY = timedelta(days=14)
"""The library makes no calendar of a range without a session."""


class _Week(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """A week of trading days; see the comments of the file."""

    zone: str
    opens: str
    closes: str
    days: list[Literal["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]]
    holidays: list[str] = []


class _File(msgspec.Struct, forbid_unknown_fields=True):
    kinds: dict[str, str]
    bases: dict[str, str] = {}
    venues: dict[str, str] = {}
    week: dict[str, _Week] = {}
    halt_minutes: dict[str, int] = {}


@dataclass(frozen=True, slots=True, eq=False)
class Sessions:
    """Open times of a venue, oldest first: `[opens[i], closes[i])` in ns UTC, none touching another's inside.

    The session of a market that never closes is the UTC day.
    """

    opens: Int64
    closes: Int64

    def open_before(self, times: Int64) -> Int64:
        """Nanoseconds of open time before each of `times`, counted from the first session's open."""
        ends = np.concatenate([[0], np.cumsum(self.closes - self.opens)])
        at = np.searchsorted(self.opens, times, side="right") - 1
        inside = np.clip(times, self.opens[at], self.closes[at]) - self.opens[at]
        return np.where(at < 0, 0, ends[at] + inside)

    def open_ns(self, starts: Int64, ends: Int64) -> Int64:
        """Nanoseconds of open time in each `[start, end)`."""
        return self.open_before(ends) - self.open_before(starts)

    def swallowed(self, starts: Int64, ends: Int64) -> Int64:
        """How many sessions lie wholly in each `[start, end]`."""
        first = np.searchsorted(self.opens, starts)
        found: Int64 = np.maximum(0, np.searchsorted(self.closes, ends, side="right") - first)
        return found

    def within(self, start_ns: int, end_ns: int) -> tuple[int, int]:
        """First and one past the last of the sessions that lie wholly in `[start_ns, end_ns]`."""
        first = int(np.searchsorted(self.opens, start_ns))
        return first, max(first, int(np.searchsorted(self.closes, end_ns, side="right")))


class Calendars:
    """Calendars by kind of instrument, base currency and venue; made from a file by `load`."""

    def __init__(self, file: _File, where: Path) -> None:
        self._file = file
        self._where = where

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read `path`.

        Raises
        ------
        UserError
            It is not TOML, or a value in it is wrong.
        """
        try:
            file = msgspec.convert(tomllib.loads(path.read_text(encoding="utf-8")), _File)
            for week in file.week.values():
                _check(week)
        except (OSError, ValueError, ZoneInfoNotFoundError, msgspec.ValidationError) as error:
            raise UserError(f"{path} cannot be used: {error}; correct it or install again.") from error
        return cls(file, path)

    def name(self, instrument: Instrument) -> str:
        """Name of the calendar that `instrument` keeps: its venue's, else its base's, else its kind's.

        Raises
        ------
        UserError
            None is named for its kind.
        """
        file = self._file
        named = (
            file.venues.get(instrument.venue)
            or file.bases.get(instrument.base)
            or file.kinds.get(instrument.kind)
        )
        if named is None:
            raise UserError(
                f"No calendar is named for {instrument.id}; add its kind ({instrument.kind}) or its venue "
                f"({instrument.venue}) to {self._where}."
            )
        return named

    def sessions(self, instrument: Instrument, start_ns: int, end_ns: int) -> Sessions:
        """Sessions that `[start_ns, end_ns]` touches, whole.

        Raises
        ------
        UserError
            No calendar is named for it, or no calendar is known by the name.
        """
        name = self.name(instrument)
        if start_ns > end_ns:
            return Sessions(np.zeros(0, np.int64), np.zeros(0, np.int64))
        first, last = _day(start_ns) - 2 * _DAY, _day(end_ns) + 2 * _DAY
        if name == _ALWAYS:
            opens = np.arange(_midnight(first), _midnight(last), _ns(_DAY), dtype=np.int64)
            found = Sessions(opens, opens + _ns(_DAY))
        elif name in self._file.week:
            found = _weekly(self._file.week[name], first, last)
        else:
            found = _exchange(name, self._file.halt_minutes.get(name, 0), first, last, self._where)
        touched = (found.closes > start_ns) & (found.opens <= end_ns)
        return Sessions(found.opens[touched], found.closes[touched])


def _check(week: _Week) -> None:
    ZoneInfo(week.zone)
    time.fromisoformat(week.opens)
    time.fromisoformat(week.closes)
    for holiday in week.holidays:
        date.fromisoformat(f"2000-{holiday}")


def _weekly(week: _Week, first: date, last: date) -> Sessions:
    spans = list(_trading_days(week, first, last))
    return Sessions(*np.array(spans, np.int64).reshape(-1, 2).T)


def _trading_days(week: _Week, first: date, last: date) -> Iterator[tuple[int, int]]:
    """Open and close of each trading day, oldest first."""
    zone = ZoneInfo(week.zone)
    opens, closes = time.fromisoformat(week.opens), time.fromisoformat(week.closes)
    before = _DAY if opens >= closes else timedelta(0)
    for number in range((last - first).days + 1):
        day = first + number * _DAY
        if _DAYS[day.weekday()] in week.days and f"{day:%m-%d}" not in week.holidays:
            opened = datetime.combine(day - before, opens, zone)
            yield _stamp(opened), _stamp(datetime.combine(day, closes, zone))


def _exchange(name: str, halt_minutes: int, first: date, last: date, where: Path) -> Sessions:
    """Sessions of an exchange, parted at their lunch breaks and cut by their daily halt."""
    import exchange_calendars  # type: ignore[import-untyped] # noqa: PLC0415 - brings pandas, which only an exchange's check needs

    if name not in exchange_calendars.get_calendar_names():
        raise UserError(f"{where} names the calendar {name!r}, which nobody knows; correct it.")
    try:
        found = exchange_calendars.get_calendar(
            name, start=(first - _LONGEST_HOLIDAY).isoformat(), end=(last + _LONGEST_HOLIDAY).isoformat()
        )
    except ValueError as error:
        raise UserError(
            f"The calendar {name} does not reach from {first} to {last}; check fewer days."
        ) from error
    halt = halt_minutes * 60 * SECOND_NS
    spans: list[tuple[int, int]] = []
    for session in found.sessions:
        opened, closed = found.session_open(session).value, found.session_close(session).value - halt
        if found.session_has_break(session):
            spans.append((opened, found.session_break_start(session).value))
            opened = found.session_break_end(session).value
        spans.append((opened, closed))
    return Sessions(*np.array(spans, np.int64).reshape(-1, 2).T)


def _stamp(moment: datetime) -> int:
    return int(moment.timestamp()) * SECOND_NS


def _midnight(day: date) -> int:
    return _stamp(datetime.combine(day, time(), UTC))


def _day(ts_ns: int) -> date:
    return datetime.fromtimestamp(ts_ns // SECOND_NS, UTC).date()


def _ns(span: timedelta) -> int:
    return int(span.total_seconds()) * SECOND_NS
