"""What an order of NautilusTrader carries for us, so that it is known again after a restart."""

from collections.abc import Sequence
from typing import Final

DAY: Final = "day"
"""It ends with the day, which the venue is told as a time."""

_REQUEST: Final = "request="


def request_tag(request: str) -> str:
    """Tag of an order that was asked for by a command of this request."""
    return f"{_REQUEST}{request}"


def request_of(tags: Sequence[str] | None) -> str:
    """Request that an order was asked for by; empty where a strategy placed it."""
    return next((tag.removeprefix(_REQUEST) for tag in tags or () if tag.startswith(_REQUEST)), "")
