"""How many orders passed lately, by account, strategy and instrument: windows of a second and a minute."""

from collections import defaultdict, deque
from typing import Final

from engine.risk.scope import Scope, scopes_of

SECOND_NS: Final = 1_000_000_000
MINUTE_NS: Final = 60 * SECOND_NS

_NOW_AND_THEN: Final = 1_023

type Times = deque[int]


class Pace:
    """Times of one party's orders and changes; one that is exactly a window old counts no more."""

    __slots__ = ("minute", "second")

    def __init__(self) -> None:
        self.second: Times = deque()
        self.minute: Times = deque()

    def note(self, now_ns: int) -> None:
        """Count one."""
        self.second.append(now_ns)
        self.minute.append(now_ns)
        if not len(self.minute) & _NOW_AND_THEN:  # nobody may ever ask, so that nothing would be cleared away
            self.in_second(now_ns)
            self.in_minute(now_ns)

    def forget(self, at_ns: int) -> None:
        """Count the one of this time no more."""
        for times in (self.second, self.minute):
            if at_ns in times:
                times.remove(at_ns)

    def in_second(self, now_ns: int) -> int:
        """How many in the second that ends now."""
        return _left(self.second, now_ns - SECOND_NS)

    def in_minute(self, now_ns: int) -> int:
        """How many in the minute that ends now."""
        return _left(self.minute, now_ns - MINUTE_NS)


class Paces:
    """The paces of an account, its strategies and its instruments.

    Attributes
    ----------
    of : dict
        Orders and changes that passed, by scope.
    wanted : Pace
        All that came to the gate, passed or not.
    """

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Begin anew."""
        self.wanted = Pace()
        self.of: defaultdict[Scope, Pace] = defaultdict(Pace)

    def note(self, strategy: str, instrument: str, now_ns: int) -> None:
        """Count an order that passed."""
        for scope in scopes_of(strategy, instrument):
            self.of[scope].note(now_ns)

    def forget(self, strategy: str, instrument: str, at_ns: int) -> None:
        """Count an order that passed at this time no more."""
        for scope in scopes_of(strategy, instrument):
            self.of[scope].forget(at_ns)


def _left(times: Times, until_ns: int) -> int:
    while times and times[0] <= until_ns:
        times.popleft()
    return len(times)
