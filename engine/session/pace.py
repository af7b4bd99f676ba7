"""How fast market time passes: the wall clock times a speed."""

import time
from collections.abc import Callable
from typing import Final

from engine.errors import UserError

SLOWEST: Final = 0.1
FASTEST: Final = 1000.0

_FORGIVEN_S: Final = 1.0
"""A session further behind than this (a suspended machine, a speed it cannot keep) stops catching up."""


def check_speed(speed: float) -> None:
    """Raise `UserError` for a speed at which no market can be shown; 0 is as fast as possible."""
    if speed != 0 and not SLOWEST <= speed <= FASTEST:
        raise UserError(f"Speed {speed:g} is not possible; choose {SLOWEST:g} to {FASTEST:g}, or max.")


class Pace:
    """Says which market time it should be now.

    Parameters
    ----------
    clock : callable
        Seconds, steadily rising.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self.speed = 1.0
        self._wall, self._market = clock(), 0

    def start(self, now: int) -> None:
        """Market time is `now`, now."""
        self._wall, self._market = self._clock(), now

    def target(self, now: int) -> int:
        """Market time that it should be; `now` is the one it is."""
        target = self._market + round((self._clock() - self._wall) * self.speed * 1e9)
        allowed = now + round(_FORGIVEN_S * self.speed * 1e9)
        if target > allowed:
            self.start(allowed)
            return allowed
        return target

    def wait_s(self, ts: int, now: int) -> float:
        """Wall seconds until market time `ts`."""
        return max(0.0, (ts - self.target(now)) / (self.speed * 1e9))
