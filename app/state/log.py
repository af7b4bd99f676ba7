"""The session's log lines, bounded: a chatty strategy may run for days, the table keeps the newest."""

from collections.abc import Iterable
from typing import Final

from engine.messages.events import AnyEvent, Logged

_CAPACITY: Final = 20_000


class LogState:
    """Newest log lines, over all epochs of a session.

    Attributes
    ----------
    lines : list of Logged
        Oldest first, at most `capacity`.
    dropped : int
        Lines that were removed from the front to keep to the bound.
    version : int
        Number of lines that ever arrived.
    """

    def __init__(self, capacity: int = _CAPACITY) -> None:
        self.capacity = capacity
        self.lines: list[Logged] = []
        self.dropped = 0

    @property
    def version(self) -> int:
        """Number of lines that ever arrived."""
        return self.dropped + len(self.lines)

    def apply(self, events: Iterable[AnyEvent]) -> None:
        """Take the log lines among these events."""
        self.lines.extend(event for event in events if isinstance(event, Logged))
        excess = len(self.lines) - self.capacity
        if excess > 0:
            del self.lines[:excess]
            self.dropped += excess
