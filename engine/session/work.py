"""What a session is busy with, and one turn of it: a window of the engine, or a wait for the clock."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

from engine.messages.commands import Step
from engine.session.course import Course
from engine.session.pace import Pace
from engine.session.stepping import next_stop

_EVER: Final = 2**63 - 1


@dataclass(slots=True)
class Seeking:
    """On the way to a market time, as fast as possible."""

    target: int
    origin: int
    then_play: bool


@dataclass(frozen=True, slots=True)
class Playing:
    """Market time passes at the set speed, up to the end of a loop where there is one."""

    until: int | None = None


@dataclass(frozen=True, slots=True)
class Finishing:
    """On the way to the end and the results."""

    origin: int


@dataclass(frozen=True, slots=True)
class Stepping:
    """On the way to the next thing of a kind; the counts are those at its start."""

    unit: Step
    order_events: int
    fills: int


type Work = Seeking | Playing | Finishing | Stepping


class Turn(Enum):
    """What a turn came to."""

    GOING = auto()
    ARRIVED = auto()
    """Where the seek, the step or the loop leads."""
    ENDED = auto()
    """Nothing is left to happen."""
    FAILED = auto()
    """The strategy raised."""


def progress(work: Work | None, now: int, end: int) -> float:
    """Way covered by a seek or a run to the end, 0 to 1; 0 for all else."""
    match work:
        case Seeking(target, origin, _):
            return (now - origin) / max(1, target - origin)
        case Finishing(origin):
            return (now - origin) / max(1, end - origin)
        case _:
            return 0.0


class Worker:
    """Does turns.

    Parameters
    ----------
    pace : Pace
    kinds : frozenset of str
        Kinds of columns that the session has.
    window_events : callable
        Size of the next window, at most.
    ticked : callable
        Told whenever market data was processed.
    """

    def __init__(
        self,
        pace: Pace,
        kinds: frozenset[str],
        window_events: Callable[[], int],
        ticked: Callable[[], None],
    ) -> None:
        self._pace = pace
        self._kinds = kinds
        self._window_events = window_events
        self._ticked = ticked

    def turn(self, work: Work, course: Course, deadline: float) -> Turn:
        """Do a little of `work`, or wait for the clock until `deadline` (monotonic seconds) at the latest."""
        match work:
            case Playing(until):
                return self._play(course, until, deadline)
            case Seeking(target=target):
                return self._seek(course, target)
            case Finishing():
                return Turn.ENDED if course.playhead.next_ts is None else self._window(course, _EVER)
            case Stepping():
                return self._step(course, work)

    def _window(self, course: Course, limit: int, events: int | None = None) -> Turn:
        if course.advance(limit, events or self._window_events()):
            self._ticked()
        return Turn.FAILED if course.failure else Turn.GOING

    def _seek(self, course: Course, target: int) -> Turn:
        next_ts = course.playhead.next_ts
        if next_ts is not None and next_ts <= target:
            return self._window(course, target)
        course.rest(target)
        return Turn.ARRIVED

    def _play(self, course: Course, until: int | None, deadline: float) -> Turn:
        playhead = course.playhead
        limit = _EVER if until is None else until
        if playhead.now >= limit:
            return Turn.ARRIVED
        next_ts = playhead.next_ts
        if next_ts is None and until is None:
            return Turn.ENDED
        due = self._pace.target(playhead.now) if self._pace.speed else _EVER
        due = min(due, limit)
        if next_ts is not None and next_ts <= due:
            return self._window(course, due)
        course.rest(due)
        if self._pace.speed:
            soon = limit if next_ts is None else min(next_ts, limit)
            wait_s = min(deadline - time.monotonic(), self._pace.wait_s(soon, playhead.now))
            time.sleep(max(0.0, wait_s))
        return Turn.GOING

    def _step(self, course: Course, step: Stepping) -> Turn:
        playhead = course.playhead
        if playhead.next_ts is None:
            return Turn.ENDED
        if step.unit in (Step.ORDER, Step.FILL):
            turn = self._window(course, _EVER, 1)
            if turn == Turn.GOING and step.unit == Step.ORDER and course.order_events > step.order_events:
                return Turn.ARRIVED
            if turn == Turn.GOING and step.unit == Step.FILL and len(course.fills) > step.fills:
                return Turn.ARRIVED
            return turn
        course.absorb()
        stop = next_stop(step.unit, playhead, course.bars, self._kinds)
        limit = playhead.chunk_end if stop is None else stop
        turn = self._window(course, limit)
        return Turn.ARRIVED if turn == Turn.GOING and stop is not None and playhead.now >= stop else turn
