"""What a person did in a replay, with its market time: a seek back does it again, up to where it goes."""

from typing import Final, NamedTuple

import msgspec

from engine.messages.commands import SetArmState, SetPolicy, SetStop, Submit
from engine.nautilus.desk import HandCommand
from engine.risk.kill import Holding


class Close(msgspec.Struct, frozen=True):
    """The kill switch has a position closed."""

    holding: Holding
    by: str


class Halt(msgspec.Struct, frozen=True):
    """Nothing new passes from now on, or does again."""

    halted: bool


type Deed = HandCommand | SetStop | SetArmState | SetPolicy | Close | Halt

_OF_THE_SESSION: Final = (SetArmState, SetPolicy, Halt)
"""What is in force now, wherever the replay is: a seek does not undo it."""


class Done(NamedTuple):
    """A deed and when it was done; everything up to that market time had happened."""

    ts: int
    deed: Deed


class Journal:
    """Deeds in their order.

    Attributes
    ----------
    done : list of Done
        Those of the present course.
    """

    def __init__(self) -> None:
        self.done: list[Done] = []
        self._requests: set[str] = set()

    def note(self, ts: int, deed: Deed) -> None:
        """Keep a deed."""
        self.done.append(Done(ts, deed))
        if isinstance(deed, Submit):
            self._requests.add(deed.request)

    def knows(self, request: str) -> bool:
        """Whether this request was carried out before, in whatever course."""
        return request in self._requests

    def cut(self, ts: int) -> int:
        """Forget what was done after this market time; how many of them were orders and the like."""
        kept = [each for each in self.done if each.ts <= ts]
        dropped = self.done[len(kept) :]
        self.done = kept
        return sum(not isinstance(each.deed, _OF_THE_SESSION) for each in dropped)
