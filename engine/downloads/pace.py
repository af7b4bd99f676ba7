"""Time for downloads: the clock, the pauses between requests of a host, and those before asking again."""

import random
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from time import monotonic
from typing import Protocol

_WHOLE = 1 - 1e-9
"""A token, less what is lost in adding up its parts."""


class Clock(Protocol):
    """Time, and waiting for it; tests have one that does not take any."""

    def now(self) -> datetime:
        """Present time, UTC."""

    def monotonic(self) -> float:
        """Seconds since some moment, never less than before."""

    def wait(self, seconds: float, stop: threading.Event) -> None:
        """Let time pass, or return as soon as `stop` is set."""


class SystemClock:
    """The machine's."""

    def now(self) -> datetime:
        """Present time, UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Seconds since some moment, never less than before."""
        return monotonic()

    def wait(self, seconds: float, stop: threading.Event) -> None:
        """Let time pass, or return as soon as `stop` is set."""
        stop.wait(seconds)


class RateLimit:
    """A token bucket for each host: so many requests in a second, as many at once after a pause.

    Safe to use from several threads.
    """

    def __init__(self, per_second: float, clock: Clock) -> None:
        self._per_second, self._clock = per_second, clock
        self._most = max(1.0, per_second)
        self._lock = threading.Lock()
        self._tokens: dict[str, tuple[float, float]] = {}
        self._closed_until: dict[str, float] = {}

    def take(self, host: str, stop: threading.Event) -> None:
        """Wait for this host's next token, or for `stop`."""
        while not stop.is_set():
            delay = self._taken(host)
            if not delay:
                return
            self._clock.wait(delay, stop)

    def close(self, host: str, seconds: float) -> None:
        """Let nobody ask this host before so many seconds have passed."""
        with self._lock:
            until = self._clock.monotonic() + seconds
            self._closed_until[host] = max(until, self._closed_until.get(host, until))

    def _taken(self, host: str) -> float:
        """Seconds until it is worth asking again; 0 where a token was taken."""
        with self._lock:
            now = self._clock.monotonic()
            closed = self._closed_until.get(host, now) - now
            if closed > 0:
                return closed
            tokens, since = self._tokens.get(host, (self._most, now))
            tokens = min(self._most, tokens + (now - since) * self._per_second)
            if tokens < _WHOLE:
                self._tokens[host] = (tokens, now)
                return (1 - tokens) / self._per_second
            self._tokens[host] = (tokens - 1, now)
            return 0.0


def backoff(
    attempt: int, base_s: float, longest_s: float, uniform: Callable[[float, float], float] = random.uniform
) -> float:
    """Seconds to wait after failed attempt number `attempt` from 0: exponential, with full jitter.

    Between 0 and min(longest, base × 2^attempt), evenly: Brooker, Exponential Backoff And Jitter (2015).
    """
    return uniform(0.0, min(longest_s, base_s * 2**attempt))
