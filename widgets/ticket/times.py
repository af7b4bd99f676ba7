"""Times as a person types them into the ticket: a time of day, a date with it, or so long from now."""

import re
from datetime import UTC, datetime
from typing import Final

from widgets.ticket.typed import FieldError

_CLOCK: Final = re.compile(r"(?:(\d{4})-(\d\d)-(\d\d)[ T])?(\d{1,2}):(\d\d)(?::(\d\d))?", re.ASCII)
_AHEAD: Final = re.compile(r"\+\s*(\d{1,6})\s*([smhd])", re.ASCII)
_SECONDS: Final = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}
_NS_PER_S: Final = 1_000_000_000
_LAST_NS: Final = 2**63 - 1


def expiry_of(text: str, now_ns: int) -> int:
    """Time that was typed, ns UTC, later than `now_ns`.

    Raises
    ------
    FieldError
        It is no time, or one that has passed.
    """
    try:
        at = _moment(text.strip(), now_ns)
    except ValueError:
        at = None
    if at is None:
        raise FieldError("Say until when: 17:30 or 2024-08-08 17:30 (UTC), or +15m, +2h from now.")
    if not now_ns < at <= _LAST_NS:
        raise FieldError("This time has passed in the market; choose a later one.")
    return at


def _moment(text: str, now_ns: int) -> int | None:
    """Time that was typed, ns UTC; None where it is none."""
    if ahead := _AHEAD.fullmatch(text):
        return now_ns + int(ahead[1]) * _SECONDS[ahead[2]] * _NS_PER_S
    if (clock := _CLOCK.fullmatch(text)) is None:
        return None
    today = datetime.fromtimestamp(now_ns // _NS_PER_S, UTC)
    day = datetime(int(clock[1]), int(clock[2]), int(clock[3]), tzinfo=UTC) if clock[1] else today
    at = day.replace(hour=int(clock[4]), minute=int(clock[5]), second=int(clock[6] or 0), microsecond=0)
    return int(at.timestamp()) * _NS_PER_S
