"""A replay's clock, moved as a person says: played, stepped, sought, looped, run to the end."""

import time
from collections.abc import Callable
from typing import Final, Protocol

from engine.errors import UserError
from engine.messages.commands import (
    AnyCommand,
    CancelSeek,
    Finish,
    Pause,
    Play,
    Seek,
    SetLoop,
    SetSpeed,
    Step,
    StepTo,
)
from engine.messages.events import Phase
from engine.messages.frames import Transport
from engine.session import telling
from engine.session.course import Course
from engine.session.pace import Pace, check_speed
from engine.session.source import Source
from engine.session.telling import readable
from engine.session.told import Told
from engine.session.trading import Trading
from engine.session.work import Finishing, Playing, Seeking, Stepping, Turn, Work, Worker, progress

_OVER: Final = {
    Phase.FINISHED: "The replay has finished; seek back to watch it again.",
    Phase.FAILED: "The session failed; start it again, or seek back to look at what led there.",
}


class Driven(Protocol):
    """The replay whose clock is moved."""

    @property
    def course(self) -> Course:
        """The run of the present epoch."""

    @property
    def now_ns(self) -> int:
        """Market time."""

    def restart(self, target: int) -> None:
        """Throw this epoch's run away and make the next one, which goes to `target`."""

    def end(self) -> None:
        """Nothing is left to happen: tell the results."""

    def fail(self, text: str) -> None:
        """End for this reason."""


class Driver:
    """Moves the clock of one replay.

    Parameters
    ----------
    replay : Driven
    source : Source
    told : Told
        Told every phase.
    trading : Trading
        What a person does there.
    bar : str
        Of the run, for steps.
    window_events : callable
        Size of the next window of the engine, at most.
    ticked : callable
        Told whenever market data was processed.
    """

    def __init__(
        self,
        replay: Driven,
        source: Source,
        told: Told,
        trading: Trading,
        *,
        bar: str,
        window_events: Callable[[], int],
        ticked: Callable[[], None],
    ) -> None:
        self._replay, self._source, self._told, self._trading = replay, source, told, trading
        self._bar = bar
        self._pace = Pace()
        self._loop: tuple[int, int] | None = None
        self._work: Work | None = None
        self._worker = Worker(self._pace, source.kinds, window_events, ticked)

    @property
    def is_busy(self) -> bool:
        """Whether there is a way to go."""
        return self._work is not None

    @property
    def is_seeking(self) -> bool:
        """Whether the replay is on its way to another time."""
        return isinstance(self._work, Seeking)

    # Commands --------------------------------------------------------------------------------------------

    def obey(self, command: AnyCommand) -> None:
        """Carry a command out, or raise `UserError`; Stop, Attach and Acknowledge are the link's."""
        match command:
            case Play():
                self._play()
            case Pause():
                self.stop("Stopped where it was." if self._told.phase == Phase.SEEKING else "")
            case CancelSeek():
                if self._told.phase != Phase.SEEKING:
                    raise UserError("There is no seek to cancel.")
                self.stop("The seek was cancelled on its way; the session is paused there.")
            case SetSpeed(factor):
                self._set_speed(factor)
            case StepTo(unit):
                self._step(unit)
            case Seek(ts):
                self._seek(ts)
            case SetLoop(start, end):
                self._set_loop(start, end)
            case Finish():
                self.require_unfinished()
                self._work = Finishing(self._replay.now_ns)
                self._told.enter(Phase.SEEKING, "Running to the end.")
            case _:
                pass

    def _play(self) -> None:
        if self._told.phase == Phase.PLAYING:
            return
        self.require_unfinished()
        if isinstance(self._work, Seeking):
            self._work.then_play = True
            return
        self._work = Playing(None if self._loop is None else self._loop[1])
        self._pace.start(self._replay.now_ns)
        self._told.enter(Phase.PLAYING)

    def stop(self, text: str) -> None:
        """Go no further."""
        if self._work is not None:
            self._work = None
            self._trading.leave_past()
            self._told.enter(Phase.PAUSED, text)

    def rest(self) -> None:
        """Have nowhere to go, as the run is over or begins anew."""
        self._work = None

    def _set_speed(self, factor: float) -> None:
        check_speed(factor)
        self._pace.speed = factor
        self._pace.start(self._replay.now_ns)

    def _step(self, unit: Step) -> None:
        self.require_unfinished()
        if unit == Step.BAR and self._replay.course.bars.kind not in self._source.kinds:
            raise UserError(
                f"{self._bar} bars are made of {self._replay.course.bars.kind}, of which there are none; "
                "choose another bar."
            )
        if self._told.phase == Phase.PLAYING:
            self._told.enter(Phase.PAUSED)
        self._work = Stepping(unit, self._replay.course.order_events, len(self._replay.course.fills))
        if unit in (Step.ORDER, Step.FILL):
            self._told.enter(Phase.SEEKING, f"Looking for the next {unit}.")

    def _seek(self, ts: int) -> None:
        start, end = self._source.start_ns, self._source.end_ns
        if not start <= ts <= end:
            raise UserError(f"The replay runs from {readable(start)} to {readable(end)} UTC; seek in there.")
        work = self._work
        then_play = self._told.phase == Phase.PLAYING or (isinstance(work, Seeking) and work.then_play)
        if ts < self._replay.now_ns:
            self._replay.restart(ts)
            self._told.log(telling.ran_again(ts))
            self._told.enter(Phase.SEEKING, "Running again from the start.")
        elif self._told.phase in _OVER:
            raise UserError(_OVER[self._told.phase])
        else:
            self._told.enter(Phase.SEEKING)
        self._work = Seeking(ts, self._replay.now_ns, then_play)

    def _set_loop(self, start: int | None, end: int | None) -> None:
        if start is None or end is None:
            self._loop = None
            self._keep_playing()
            return
        first, last = self._source.start_ns, self._source.end_ns
        if not first <= start < end <= last:
            raise UserError(
                f"A loop needs a start before its end, both from {readable(first)} to {readable(last)} UTC."
            )
        self._loop = start, end
        self._keep_playing()

    def _keep_playing(self) -> None:
        if isinstance(self._work, Playing):
            self._work = Playing(None if self._loop is None else self._loop[1])

    def require_unfinished(self) -> None:
        """Raise `UserError` where the run is over."""
        if self._told.phase in _OVER:
            raise UserError(_OVER[self._told.phase])

    # Work ------------------------------------------------------------------------------------------------

    def proceed(self, seconds: float) -> None:
        """Go on for at most about this long, or wait for the clock."""
        deadline = time.monotonic() + seconds
        while self._work is not None and time.monotonic() < deadline:
            match self._worker.turn(self._work, self._replay.course, deadline):
                case Turn.ARRIVED:
                    self._arrive(self._work)
                case Turn.ENDED:
                    self._replay.end()
                case Turn.FAILED:
                    self._replay.fail(f"The strategy raised {self._replay.course.failure}.")
                case Turn.GOING:
                    pass
            self._trading.moved()

    def _arrive(self, work: Work) -> None:
        if isinstance(work, Playing) and self._loop is not None:
            self._seek(self._loop[0])
            return
        self._work = None
        self._told.enter(Phase.PAUSED)
        if isinstance(work, Seeking) and work.then_play:
            self._play()

    # What is shown ---------------------------------------------------------------------------------------

    def transport(self) -> Transport:
        """Where the clock is, and where it goes."""
        now, end = self._replay.now_ns, self._source.end_ns
        return Transport(
            phase=self._told.phase,
            now=now,
            start=self._source.start_ns,
            end=end,
            speed=self._pace.speed,
            progress=progress(self._work, now, end),
            loop=self._loop,
        )

    def lag_ms(self) -> float:
        """How far the clock is behind the set speed, in wall-clock time."""
        if self._told.phase != Phase.PLAYING or not self._pace.speed:
            return 0.0
        now = self._replay.now_ns
        return max(0, self._pace.target(now) - now) / (self._pace.speed * 1e6)
