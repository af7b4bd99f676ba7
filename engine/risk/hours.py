"""Hours of the week in UTC, as a person writes them."""

import re
from bisect import bisect_right
from typing import Final

from engine.errors import UserError

_DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_DAY: Final = 24 * 60
_WEEK: Final = 7 * _DAY
_FIRST: Final = 3 * _DAY
"""Minutes from a Monday to the first of January 1970, a Thursday."""

_PART: Final = re.compile(r"(?:(\w{3})(?:-(\w{3}))?\s+)?(\d{1,2}):(\d{2})-(\d{1,2}):(\d{2})")


class TradingHours:
    """Open stretches of a week.

    Parameters
    ----------
    text : str
        Parts joined by commas: days and hours (`Mon-Fri 07:00-21:00`), hours of every day (`08:00-12:00`).
        Hours that end before they begin end on the next day (`Sun-Thu 22:00-21:00`); `24:00` is midnight.

    Raises
    ------
    UserError
        It is not of that form.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        stretches = sorted(stretch for part in text.split(",") for stretch in _stretches(part.strip(), text))
        self._begins: list[int] = []
        self._ends: list[int] = []
        for begin, end in stretches:
            if self._ends and begin <= self._ends[-1]:
                self._ends[-1] = max(self._ends[-1], end)
            else:
                self._begins.append(begin)
                self._ends.append(end)

    def is_open(self, now_ns: int) -> bool:
        """Whether this time lies in them; the last minute named does not."""
        minute = (now_ns // 60_000_000_000 + _FIRST) % _WEEK
        at = bisect_right(self._begins, minute) - 1
        return at >= 0 and minute < self._ends[at]


def _stretches(part: str, text: str) -> list[tuple[int, int]]:
    found = _PART.fullmatch(part)
    if found is None:
        raise _wrong(text)
    first, last, *clock = found.groups()
    begin_hour, begin_minute, end_hour, end_minute = map(int, clock)
    begin, end = begin_hour * 60 + begin_minute, end_hour * 60 + end_minute
    if max(begin_minute, end_minute) > 59 or begin >= _DAY or end > _DAY:
        raise _wrong(text)
    length = end - begin if end > begin else end - begin + _DAY
    days = _days(first, last, text)
    whole = ((day * _DAY + begin, day * _DAY + begin + length) for day in days)
    return [piece for stretch in whole for piece in _within_week(*stretch)]


def _days(first: str | None, last: str | None, text: str) -> list[int]:
    if first is None:
        return list(range(7))
    names = [name.lower() for name in (first, last or first)]
    if not set(names) <= set(_DAYS):
        raise _wrong(text)
    begin, end = (_DAYS.index(name) for name in names)
    return [(begin + step) % 7 for step in range((end - begin) % 7 + 1)]


def _within_week(begin: int, end: int) -> list[tuple[int, int]]:
    """What goes past Sunday's midnight belongs to Monday."""
    if end <= _WEEK:
        return [(begin, end)]
    return [(begin, _WEEK), (0, end - _WEEK)]


def _wrong(text: str) -> UserError:
    return UserError(
        f"Trading hours {text!r} cannot be read; write for example 'Mon-Fri 07:00-21:00', in UTC, and "
        "commas between several."
    )
