"""The live session: a node on the wall clock, driven by commands, shown in pictures.

Paper and live trading are this one session; they differ in where market data come from and where orders go
(`engine.session.live_market`). What happened is not undone: it cannot be paused, sought or run again.
"""

import sys
import time
import traceback
from typing import Final, Literal

from engine.errors import UserError
from engine.link.protocols import Picture
from engine.messages.commands import (
    AnyCommand,
    CancelSeek,
    Explain,
    Finish,
    Pause,
    Play,
    Seek,
    SetArming,
    SetLoop,
    SetSpeed,
    StepTo,
)
from engine.messages.events import AnyEvent, ConnectionChanged, Phase
from engine.messages.frames import Transport
from engine.messages.run import Arming, Run
from engine.nautilus.engine import priced
from engine.nautilus.strategy import StationStrategy
from engine.recording.recorder import SessionRecorder
from engine.risk.book import Touch
from engine.risk.kill import KillSwitch
from engine.session import telling
from engine.session.checks import check_model, check_run
from engine.session.feed_watch import FeedWatch
from engine.session.live_control import LiveControl
from engine.session.live_course import LiveCourse
from engine.session.live_market import LiveMarket
from engine.session.live_watching import LiveWatching
from engine.session.memory import DayMemory, Remembered, SessionMemory
from engine.session.pace import check_speed
from engine.session.picturing import Pictures
from engine.session.publishing import publications
from engine.session.run_model import RunModel
from engine.session.told import Told
from engine.signals.protocols import Model
from engine.strategies import AiSignalParameters

_PAST: Final = {
    Phase.FINISHED: "The session has ended; open another.",
    Phase.FAILED: "The session failed; read in the log why, and open another.",
}
_ATTENDED: Final = "Nothing opens any more; orders can still be cancelled and positions closed."
_NOT_LIVE: Final = (
    "A live market can't be paused, stepped or sought: it goes on by itself; open a replay for that."
)


class LiveSession:
    """Runs a strategy on a live market, as commands say.

    Implements `engine.link.protocols.Session`: made, used and closed in one thread.

    Parameters
    ----------
    run : Run
    market : LiveMarket
        What `recorded_as_live` made of the run, for example.
    model : Model, optional
        What the run's strategy acts on; closed with the session.
    strategy : type, optional
        A strategy class of one's own instead of the one that `run` names.
    watched : bool
        Whether pictures will be asked for; without them market data is not kept for painting.
    recorder : SessionRecorder, optional
        Records the session until its end.
    memory : SessionMemory, optional
        Of a session at a venue: what its strategy takes over when it is started anew.
    day : DayMemory, optional
        Of the account there: what the loss of a day is counted from.

    Raises
    ------
    UserError
        See `check_run` and `check_model`; or a model that needs what a live market has not.
    """

    def __init__(
        self,
        run: Run,
        market: LiveMarket,
        model: Model | None = None,
        *,
        strategy: type[StationStrategy] | None = None,
        watched: bool = True,
        recorder: SessionRecorder | None = None,
        memory: SessionMemory | None = None,
        day: DayMemory | None = None,
    ) -> None:
        self.kill_switch = KillSwitch()
        self._run, self._name, self._recorder, self._memory = run, market.name, recorder, memory
        chosen: str | type[StationStrategy] = strategy or run.strategy
        self._strategy = chosen if isinstance(chosen, str) else chosen.__name__
        parameters = check_run(run, market)
        self._model = None
        if model is not None:
            assert isinstance(parameters, AiSignalParameters)  # noqa: S101 - `check_run` sees to it
            self._model = _opened(run, market, parameters, model)
        self._told = Told(recorder, lambda: self._now)
        self._pictures = Pictures(recorder)
        self._feed_watch = FeedWatch(market.name)
        self._told_failure = False
        start_ns = time.time_ns()
        self._control = LiveControl(
            run,
            priced(market.instrument, run.venue),
            market.account,
            kill_switch=self.kill_switch,
            emit=self._told.append,
            now_ns=time.time_ns,
            touch=self._touch,
            kinds=market.kinds,
            day=day,
        )
        self._watching = LiveWatching(market.instrument, run.depth_interval_ns, start_ns) if watched else None
        recalled = None if memory is None else memory.read(self._strategy, run.instrument)
        self._hand = {} if recalled is None else recalled.hand
        self._course = LiveCourse(
            run,
            market,
            strategy=chosen,
            parameters=parameters,
            emit=self._told.append,
            tape=None if self._watching is None else self._watching.tape,
            model=self._model,
            publications=publications(run, market.start_ns, market.end_ns),
            recorder=recorder,
            control=self._control,
            resumes=None if recalled is None or not recalled.is_involved else recalled.state,
            hand=self._hand,
        )
        self._is_over = False
        self._connection("connecting")
        self._told.log(telling.opened_live(run, market, self._strategy, parameters))
        self._told.log(telling.execution(run, market, market.account_id))
        self._told.model(self._model, self._course.model)
        if self._course.feed is not None:
            self._warn_of_speed(run.speed)
        if recorder is not None:
            recorder.begin(run, market.instrument, market.kinds)
            self._hand_over()

    # The session's protocol ------------------------------------------------------------------------------

    def handle(self, command: AnyCommand) -> None:
        """Carry a command out, or say in one sentence why not."""
        if self._recorder is not None:
            self._recorder.command(command, self._now)
        try:
            self._obey(command)
        except UserError as error:
            self._told.refused(command, error)
        except Exception as error:  # noqa: BLE001 - as in `advance`: orders stay attended to
            self._break(error)
        self._hand_over()

    def advance(self, seconds: float) -> bool:
        """Let what happens in this time happen."""
        if self._is_over:
            return False
        try:
            if self._told.phase == Phase.FAILED:
                self._attend(seconds)
            else:
                self._proceed(seconds)
        except Exception as error:  # noqa: BLE001 - a broken run must not take the link down with it
            self._is_over = self._told.phase == Phase.FAILED
            self._break(error)
        self._hand_over()
        return True

    def _break(self, error: Exception) -> None:
        traceback.print_exception(error, file=sys.stderr)
        self._fail(f"The session broke: {traceback.format_exception_only(error)[-1].strip()}.")

    def take_events(self) -> list[AnyEvent]:
        """Events since the last call, in order."""
        self._hand_over()
        return self._told.take()

    def take_picture(self) -> Picture:
        """The market since the last picture, risk and clock now."""
        if self._told.phase != Phase.FAILED:  # where that is what broke
            self._course.absorb()
        age_s = self.feed_age_s
        return self._pictures.take(
            self._course,
            self._watching,
            self._control,
            transport=self._transport(),
            control=self._control.control(age_s),
            lag_ms=0.0 if age_s is None else age_s * 1e3,
        )

    def rewatch(self) -> None:
        """Show the market from the session's start, in the pictures that follow."""
        if self._watching is not None:
            self._course.absorb()
            self._watching.again()
            if self._course.model is not None:
                self._course.model.again()

    def close(self) -> None:
        """Free the node; what is recorded is complete then."""
        if self._told.phase not in _PAST:
            self._remember(at_once=True)
            self._course.absorb()
        self._hand_over()
        self._control.end()
        self._course.dispose()
        if self._model is not None:
            self._model.close()
        if self._recorder is not None:
            self._recorder.close()

    @property
    def phase(self) -> Phase:
        """Where the session is in its life."""
        return self._told.phase

    @property
    def course(self) -> LiveCourse:
        """The node, and what came of it."""
        return self._course

    @property
    def feed_age_s(self) -> float | None:
        """Seconds since the newest market data; None before the first."""
        newest = self._course.newest_ns
        return max(0.0, (self._now - newest) / 1e9) if newest else None

    # Commands --------------------------------------------------------------------------------------------

    def _obey(self, command: AnyCommand) -> None:
        match command:
            case Play() | Pause() | StepTo() | Seek() | CancelSeek() | SetLoop():
                raise UserError(_NOT_LIVE)
            case SetSpeed(factor):
                self._set_speed(factor)
            case SetArming(mode):
                self._arm(mode)
            case Explain(ts):
                self._pictures.explain(self._course.model, ts, self._now)
            case Finish():
                self._require_running()
                self._finish()
            case _ if self._is_over:
                self._require_running()
            case _:
                self._control.obey(command)  # Stop, Attach and Acknowledge are the link's
                self._remember()

    def _touch(self, instrument: str) -> Touch | None:
        return self._course.venue.touch(instrument)

    def _set_speed(self, factor: float) -> None:
        self._require_running()
        if self._course.feed is None:
            raise UserError("A venue's market has its own speed; only recorded data can be served faster.")
        check_speed(factor)
        self._course.feed.set_speed(factor)
        self._warn_of_speed(factor)

    def _warn_of_speed(self, speed: float) -> None:
        if self._model is not None and speed != 1:
            self._told.log(telling.stretched(speed), "warning")

    def _arm(self, mode: Arming) -> None:
        if self._model is None:
            raise UserError("This run has no model to arm; open one with a model.")
        self._require_running()
        self._course.arm(self._model, mode)

    def _require_running(self) -> None:
        if self._told.phase in _PAST:
            raise UserError(_PAST[self._told.phase])

    # Work ------------------------------------------------------------------------------------------------

    def _proceed(self, seconds: float) -> None:
        course = self._course
        if course.advance(seconds):
            self._pictures.meter.ticked()
        if course.venue.problem:
            self._is_over = True
            self._fail(f"The session ended: {course.venue.problem}.")
            return
        if self._told.phase == Phase.LOADING and course.venue.is_running:
            self._connection("connected")
            course.tell_account()
            self._told.enter(Phase.PLAYING)
            self._control.take_up(self._hand)
        ended = course.feed is not None and course.feed.ended
        # A feed that never came is as dead as one that stopped.
        now, heard_ns = self._now, course.newest_ns or course.start_ns
        self._control.step(None if ended else (now - heard_ns) / 1e9, course.sick_model)
        for event in self._feed_watch.look(now, heard_ns, ended=ended):
            self._told.append(event)
        if course.venue.failure and not self._told_failure:
            self._told_failure = True
            self._told.log(telling.STRATEGY_STOPPED, "warning")
        self._remember()
        if course.is_due:
            course.absorb()

    def _attend(self, seconds: float) -> None:
        """Keep only what orders need: what broke elsewhere must not leave them unattended at a venue."""
        self._course.advance(seconds)
        self._control.step(None, "")
        self._is_over = bool(self._course.venue.problem)

    def _remember(self, *, at_once: bool = False) -> None:
        """Write down what the strategy and the hand have, where that may have changed.

        What the hand holds is written before the node goes on, and so before an order of it leaves.
        """
        memory = self._memory
        if memory is None or self._told.phase != Phase.PLAYING:
            return
        if not (self._course.venue.desk.is_unwritten or at_once or memory.is_due):
            return
        held, orders, state = self._course.venue.strategy_now()
        problem = memory.write(
            Remembered(
                strategy=self._strategy,
                instrument=self._run.instrument,
                held=held,
                orders=orders,
                state=state,
                hand=self._control.remember(),
            )
        )
        if problem:
            self._told.log(problem, "warning")

    def _finish(self) -> None:
        self._remember(at_once=True)
        if self._course.venue.desk.holds:
            self._told.log(telling.STAYS_HELD, "warning")
        results = self._course.finish()
        self._told.log(telling.finished(results))
        self._told.append(results)
        self._is_over = True
        self._told.enter(Phase.FINISHED)

    def _fail(self, text: str) -> None:
        if not self._is_over:
            self._control.shut("The session failed.")
            text = f"{text} {_ATTENDED}"
        self._told.log(text, "error")
        self._told.enter(Phase.FAILED, text)

    def _hand_over(self) -> None:
        """Let the recorder have what happened; market data a few times a second."""
        recorder = self._recorder
        if recorder is None:
            return
        self._told.hand_over()
        if recorder.is_due and self._told.phase not in _PAST:
            self._course.absorb()

    # What is told ----------------------------------------------------------------------------------------

    @property
    def _now(self) -> int:
        return time.time_ns()

    def _connection(self, state: Literal["connecting", "connected"]) -> None:
        self._told.append(ConnectionChanged(ts=self._now, name=self._name, state=state))

    def _transport(self) -> Transport:
        feed = self._course.feed
        now = self._now
        return Transport(
            phase=self._told.phase,
            now=now,
            start=self._course.start_ns,
            end=now,
            speed=1.0 if feed is None else feed.speed,
        )


def _opened(run: Run, market: LiveMarket, parameters: AiSignalParameters, model: Model) -> RunModel:
    assert run.inference is not None  # noqa: S101 - there would be no model
    if run.inference.mode == "batch":
        raise UserError("A live market can't be predicted beforehand; choose per-tick or thread.")
    if "news" in model.facts.streams:
        raise UserError(
            f"{model.facts.name} reads news, which no live session receives yet; choose a model of the "
            "market, or a replay."
        )
    check_model(run, market, parameters, model.facts)
    return RunModel(run, market, parameters, model)
