"""How a session is doing, measured between pictures."""

import time

from engine.messages.frames import Health


class Meter:
    """Counts what `Health` tells; the link adds what only it knows (its loop, its queue, the memory).

    Attributes
    ----------
    conflated : int
        Rows left out of pictures so far.
    """

    def __init__(self) -> None:
        self.conflated = 0
        self._oldest_tick_ns = 0
        self._taken_at = time.monotonic()
        self._ticks = 0

    def ticked(self) -> None:
        """Market data was processed just now."""
        if not self._oldest_tick_ns:
            self._oldest_tick_ns = time.monotonic_ns()

    def take(self, ticks: int, lag_ms: float) -> Health:
        """Health since the last call; `ticks` is the count of the epoch so far."""
        now = time.monotonic()
        passed, self._taken_at = now - self._taken_at, now
        fresh, self._ticks = max(0, ticks - self._ticks), ticks
        oldest, self._oldest_tick_ns = self._oldest_tick_ns, 0
        return Health(
            ticks=ticks,
            ticks_per_s=fresh / passed if passed > 0 else 0.0,
            lag_ms=lag_ms,
            conflated=self.conflated,
            oldest_tick_ns=oldest,
        )
