"""The market's clock: which updates are due, at a settable speed, over and over."""

from collections.abc import Callable, Iterator

from engine.session.source import Source
from tests.venue.feed import Update, updates

type Apply = Callable[[Update], None]

_MOST_AT_ONCE = 400
"""Updates applied in one turn; a slow machine falls behind instead of standing still."""

_LATE_S = 0.2


class Moving:
    """Plays a source; begins anew, with a cleared book, when it ends."""

    def __init__(self, source: Source | None, speed: float) -> None:
        self._speed = speed
        self._updates = _endless(source) if source is not None else iter(())
        self._next: Update | None = None
        self._market_s = 0.0
        """Market time reached, in seconds from its beginning."""
        self._last_s = 0.0

    def start(self, now_s: float, apply: Apply) -> None:
        """Show the first book."""
        self._last_s = now_s
        self._next = next(self._updates, None)
        self.advance(0.0, apply)

    def catch_up(self, now_s: float, apply: Apply) -> None:
        """Apply what is due by the clock."""
        passed = min(now_s - self._last_s, _LATE_S)
        self._last_s = now_s
        if self._speed:
            self.advance(passed * self._speed, apply, _MOST_AT_ONCE)

    def advance(self, seconds: float, apply: Apply, most: int | None = None) -> None:
        """Apply the updates of the next so many market seconds (or `most` of them)."""
        until = self._market_s + seconds
        done = 0
        while self._next is not None and self._next.ts_ns <= until * 1e9:
            if most is not None and done >= most:
                until = self._next.ts_ns / 1e9
                break
            apply(self._next)
            self._next = next(self._updates, None)
            done += 1
        self._market_s = until


def _endless(source: Source) -> Iterator[Update]:
    """Updates with times from 0 on, without end."""
    offset = -source.start_ns
    while True:
        first, last = True, 0
        for update in updates(source):
            last = update.ts_ns + offset
            yield Update(last, update.levels, update.trades, clears=first or update.clears)
            first = False
        offset = last + 1_000_000 - source.start_ns
