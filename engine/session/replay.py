"""The replay session: one clock over a run, driven by commands, shown in pictures.

Market time moves forward in windows of the engine; to go back, the run is made anew from its start, which
gives the same orders and fills, because nothing in it depends on how time was cut or how fast it passed.
"""

import sys
import time
import traceback
from collections.abc import Callable
from typing import Final

from engine.errors import UserError
from engine.link.protocols import Picture
from engine.messages.commands import (
    AnyCommand,
    BreakEven,
    Cancel,
    CancelAll,
    CancelSeek,
    Explain,
    Finish,
    Flatten,
    Kill,
    Modify,
    Pause,
    Play,
    Preview,
    Rearm,
    Reverse,
    Seek,
    SetArming,
    SetArmState,
    SetLoop,
    SetPolicy,
    SetSpeed,
    SetStop,
    Step,
    StepTo,
    Submit,
)
from engine.messages.events import AnyEvent, EpochBegan, Phase
from engine.messages.frames import Explanation, ModelHealth, Predictions, Recorder, Transport
from engine.messages.run import Arming, Run
from engine.nautilus.strategy import StationStrategy
from engine.recording.recorder import SessionRecorder
from engine.risk.kill import KillSwitch
from engine.session import telling
from engine.session.checks import check_model, check_run
from engine.session.course import Course
from engine.session.health import Meter
from engine.session.pace import FASTEST, SLOWEST, Pace
from engine.session.playhead import WINDOW_EVENTS
from engine.session.publishing import publications
from engine.session.run_model import RunModel
from engine.session.source import Source
from engine.session.telling import readable
from engine.session.told import Told
from engine.session.trading import Trading
from engine.session.watching import Watching
from engine.session.work import Finishing, Playing, Seeking, Stepping, Turn, Work, Worker, progress
from engine.signals.protocols import Model
from engine.strategies import AiSignalParameters

_OVER: Final = {
    Phase.FINISHED: "The replay has finished; seek back to watch it again.",
    Phase.FAILED: "The session failed; start it again, or seek back to look at what led there.",
}


class ReplaySession:
    """Runs a strategy over a source's market data, as commands say.

    Implements `engine.link.protocols.Session`: made, used and closed in one thread.

    Parameters
    ----------
    run : Run
        What runs; its `store` and `simulate` are the source's business.
    source : Source
    model : Model, optional
        What the run's strategy acts on; closed with the session.
    strategy : type, optional
        A strategy class of one's own instead of the one that `run` names.
    window_events : callable, optional
        Size of the next window of the engine, at most; for tests and for `--windows random`.
    watched : bool
        Whether pictures will be asked for; without them market data is not kept for painting.
    recorder : SessionRecorder, optional
        Records the session until its end.

    Raises
    ------
    UserError
        See `check_run` and `check_model`; or a bad bar.
    """

    def __init__(
        self,
        run: Run,
        source: Source,
        model: Model | None = None,
        *,
        strategy: type[StationStrategy] | None = None,
        window_events: Callable[[], int] = lambda: WINDOW_EVENTS,
        watched: bool = True,
        recorder: SessionRecorder | None = None,
    ) -> None:
        self.kill_switch = KillSwitch()
        self._run, self._source = run, source
        self._recorder = recorder
        self._strategy: str | type[StationStrategy] = strategy or run.strategy
        self._parameters = check_run(run, source)
        self._publications = publications(run, source.start_ns, source.end_ns)
        self._model = self._opened(model)
        self._explanation: Explanation | None = None
        self._told = Told(recorder, lambda: self._now)
        self._pace = Pace()
        self._loop: tuple[int, int] | None = None
        self._work: Work | None = None
        self._epoch = 1
        self._meter = Meter()
        self._worker = Worker(self._pace, source.kinds, window_events, self._meter.ticked)
        self._watching = Watching(run, source) if watched else None
        self._trading = Trading(run, _account(source), self.kill_switch, self._events_of_course)
        self._course = self._new_course()
        self._trading.begin(self._course)
        self._told.enter(Phase.PAUSED)
        self._told.log(telling.opened(run, source, self._strategy_name, self._parameters))
        self._told.log(telling.rules(run, source))
        self._told.model(self._model, self._course.model)
        if recorder is not None:
            recorder.begin(run, source.instrument, source.kinds)
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
        self._hand_over()

    def advance(self, seconds: float) -> bool:
        """Work, or wait for the session's clock, for at most about this long."""
        try:
            if not self._go_on(seconds):
                return False
        except UserError as error:
            self._fail(str(error))
        except Exception as error:  # noqa: BLE001 - a broken run must not take the link down with it
            traceback.print_exception(error, file=sys.stderr)
            self._fail(f"The engine stopped: {traceback.format_exception_only(error)[-1].strip()}")
        self._hand_over()
        return True

    def take_events(self) -> list[AnyEvent]:
        """Events since the last call, in order."""
        self._hand_over()
        return self._told.take()

    def take_picture(self) -> Picture:
        """The market since the last picture, risk and clock now."""
        if self._watching is None:
            raise RuntimeError("the session was made to be run unwatched")
        self._course.absorb()
        market, instruments = self._watching.take()
        self._meter.conflated += market.quotes_conflated + market.trades_conflated
        predictions: list[Predictions] = []
        models: list[ModelHealth] = []
        if self._course.model is not None:
            predictions, models = self._course.model.take(self._now)
            self._meter.conflated += sum(each.conflated for each in predictions)
        explanation, self._explanation = self._explanation, None
        return Picture(
            epoch=self._epoch,
            transport=self._transport(),
            markets=[market],
            risks=[self._course.risk()],
            health=self._meter.take(self._course.playhead.ticks, self._lag_ms()),
            instruments=instruments,
            predictions=predictions,
            models=models,
            explanation=explanation,
            recorder=Recorder() if self._recorder is None else self._recorder.status(),
            control=self._trading.control(),
            account_risk=self._trading.risk(),
            preview=self._trading.take_preview(),
        )

    def rewatch(self) -> None:
        """Show the market of this epoch from its start, in the pictures that follow."""
        if self._watching is not None:
            self._course.absorb()
            self._watching.again(self._now)
            if self._course.model is not None:
                self._course.model.again()

    def close(self) -> None:
        """Free the engine; what is recorded is complete then."""
        self._work = None
        self._hand_over()
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
    def course(self) -> Course:
        """The run of the present epoch."""
        return self._course

    # Commands --------------------------------------------------------------------------------------------

    def _obey(self, command: AnyCommand) -> None:
        match command:
            case SetArming(mode):
                self._arm(mode)
            case Explain(ts):
                self._explain(ts)
            case (
                Submit() | Modify() | Cancel() | CancelAll() | Flatten() | Reverse() | BreakEven() | SetStop()
            ):
                self._require_present()
                self._trading.order(command)
            case Preview():
                self._require_present()
                self._trading.ask(command)
            case SetArmState():
                self._trading.arm(command)
            case SetPolicy(policy):
                self._trading.set_policy(policy)
            case Kill(reason):
                self.kill_switch.fire(reason or "Somebody pressed it.", "person")
            case Rearm(confirmation):
                self._trading.rearm(confirmation)
            case _:
                self._drive(command)

    def _drive(self, command: AnyCommand) -> None:
        match command:
            case Play():
                self._play()
            case Pause():
                self._stop("Stopped where it was." if self._told.phase == Phase.SEEKING else "")
            case CancelSeek():
                if self._told.phase != Phase.SEEKING:
                    raise UserError("There is no seek to cancel.")
                self._stop("The seek was cancelled on its way; the session is paused there.")
            case SetSpeed(factor):
                self._set_speed(factor)
            case StepTo(unit):
                self._step(unit)
            case Seek(ts):
                self._seek(ts)
            case SetLoop(start, end):
                self._set_loop(start, end)
            case Finish():
                self._require_unfinished()
                self._work = Finishing(self._now)
                self._told.enter(Phase.SEEKING, "Running to the end.")
            case _:
                pass  # Stop, Attach and Acknowledge are the link's

    def _play(self) -> None:
        if self._told.phase == Phase.PLAYING:
            return
        self._require_unfinished()
        if isinstance(self._work, Seeking):
            self._work.then_play = True
            return
        self._work = Playing(None if self._loop is None else self._loop[1])
        self._pace.start(self._now)
        self._told.enter(Phase.PLAYING)

    def _stop(self, text: str) -> None:
        if self._work is not None:
            self._work = None
            self._trading.leave_past()
            self._told.enter(Phase.PAUSED, text)

    def _set_speed(self, factor: float) -> None:
        if factor != 0 and not SLOWEST <= factor <= FASTEST:
            raise UserError(f"Speed {factor:g} is not possible; choose {SLOWEST:g} to {FASTEST:g}, or max.")
        self._pace.speed = factor
        self._pace.start(self._now)

    def _step(self, unit: Step) -> None:
        self._require_unfinished()
        if unit == Step.BAR and self._course.bars.kind not in self._source.kinds:
            raise UserError(
                f"{self._run.bar} bars are made of {self._course.bars.kind}, of which there are none; "
                "choose another bar."
            )
        if self._told.phase == Phase.PLAYING:
            self._told.enter(Phase.PAUSED)
        self._work = Stepping(unit, self._course.order_events, len(self._course.fills))
        if unit in (Step.ORDER, Step.FILL):
            self._told.enter(Phase.SEEKING, f"Looking for the next {unit}.")

    def _seek(self, ts: int) -> None:
        start, end = self._source.start_ns, self._source.end_ns
        if not start <= ts <= end:
            raise UserError(f"The replay runs from {readable(start)} to {readable(end)} UTC; seek in there.")
        work = self._work
        then_play = self._told.phase == Phase.PLAYING or (isinstance(work, Seeking) and work.then_play)
        if ts < self._now:
            self._restart(ts)
            self._told.log(telling.ran_again(ts))
            self._told.enter(Phase.SEEKING, "Running again from the start.")
        elif self._told.phase in _OVER:
            raise UserError(_OVER[self._told.phase])
        else:
            self._told.enter(Phase.SEEKING)
        self._work = Seeking(ts, self._now, then_play)

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

    def _require_unfinished(self) -> None:
        if self._told.phase in _OVER:
            raise UserError(_OVER[self._told.phase])

    def _require_present(self) -> None:
        self._require_unfinished()
        if isinstance(self._work, Seeking):
            raise UserError("The session is on its way to another time; order when it has arrived.")

    def _arm(self, mode: Arming) -> None:
        if self._model is None:
            raise UserError("This run has no model to arm; open one with a model.")
        self._require_unfinished()
        self._course.arm(self._model, mode, self._now)

    def _explain(self, ts: int) -> None:
        if self._course.model is None:
            raise UserError("This run has no model to explain; open one with a model.")
        self._explanation = self._course.model.explain(ts, self._now)

    # Work ------------------------------------------------------------------------------------------------

    def _go_on(self, seconds: float) -> bool:
        """Work for so long; whether there was anything to do."""
        if self._trading.is_fired and isinstance(self._work, Seeking):
            self._stop("The kill switch was fired on the way; the session is paused there.")
        if self._work is None:
            return self._trading.go_on(seconds)
        self._proceed(time.monotonic() + seconds)
        return True

    def _proceed(self, deadline: float) -> None:
        while self._work is not None and time.monotonic() < deadline:
            match self._worker.turn(self._work, self._course, deadline):
                case Turn.ARRIVED:
                    self._arrive(self._work)
                case Turn.ENDED:
                    self._finish()
                case Turn.FAILED:
                    self._fail(f"The strategy raised {self._course.failure}.")
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

    def _finish(self) -> None:
        self._course.playhead.rest(self._source.end_ns)
        self._work = None
        self._trading.is_over = True
        results = self._course.finish()
        if self._course.failure:
            self._fail(f"The strategy raised {self._course.failure}.")
            return
        self._told.log(telling.finished(results))
        self._told.append(results)
        self._told.enter(Phase.FINISHED)

    def _fail(self, text: str) -> None:
        self._work = None
        self._told.log(text, "error")
        self._told.enter(Phase.FAILED, text)

    def _restart(self, target: int) -> None:
        """Throw this epoch's run away and make the next one, which goes to `target`."""
        self._work = None
        if self._model is not None:
            self._model.rewind(target)
        if self._recorder is not None:
            self._course.absorb()
            self._recorder.rewound()
        self._course.dispose()
        self._epoch += 1
        self._told.append(EpochBegan(ts=self._source.start_ns, epoch=self._epoch))
        if self._watching is not None:
            self._watching.restart()
        self._course = self._new_course()
        self._trading.begin_again(self._course, target)

    def _opened(self, model: Model | None) -> RunModel | None:
        if model is None:
            return None
        assert isinstance(self._parameters, AiSignalParameters)  # noqa: S101 - `check_run` sees to it
        check_model(self._run, self._source, self._parameters, model.facts)
        return RunModel(self._run, self._source, self._parameters, model)

    def _new_course(self) -> Course:
        return Course(
            self._run,
            self._source,
            strategy=self._strategy,
            parameters=self._parameters,
            emit=self._events_of_course,
            tape=None if self._watching is None else self._watching.tape,
            model=self._model,
            record=None if self._recorder is None else self._recorder.rows,
            publications=self._publications,
            verdict=None if self._recorder is None else self._recorder.verdict,
        )

    def _events_of_course(self, event: AnyEvent) -> None:
        self._trading.note(event)
        self._told.append(event)

    def _hand_over(self) -> None:
        """Let the recorder have what happened; market data a few times a second, and where the work ends."""
        recorder = self._recorder
        if recorder is None:
            return
        self._told.hand_over()
        if self._work is None or recorder.is_due:
            self._course.absorb()

    # What is told ----------------------------------------------------------------------------------------

    @property
    def _now(self) -> int:
        return max(self._course.playhead.now, self._source.start_ns)

    @property
    def _strategy_name(self) -> str:
        return self._strategy if isinstance(self._strategy, str) else self._strategy.__name__

    def _transport(self) -> Transport:
        return Transport(
            phase=self._told.phase,
            now=self._now,
            start=self._source.start_ns,
            end=self._source.end_ns,
            speed=self._pace.speed,
            progress=progress(self._work, self._now, self._source.end_ns),
            loop=self._loop,
        )

    def _lag_ms(self) -> float:
        if self._told.phase != Phase.PLAYING or not self._pace.speed:
            return 0.0
        return max(0, self._pace.target(self._now) - self._now) / (self._pace.speed * 1e6)


def _account(source: Source) -> str:
    """Name of the simulated account, as the engine has it."""
    return f"{source.instrument.venue}-001"
