"""The replay session: one clock over a run, driven by commands, shown in pictures.

Market time moves forward in windows of the engine; to go back, the run is made anew from its start, which
gives the same orders and fills, because nothing in it depends on how time was cut or how fast it passed.
"""

import sys
import traceback
from collections.abc import Callable

from engine.errors import UserError
from engine.link.protocols import Picture
from engine.messages.commands import (
    AnyCommand,
    BreakEven,
    Cancel,
    CancelAll,
    Explain,
    Flatten,
    Kill,
    Modify,
    Preview,
    Rearm,
    Reverse,
    SetArming,
    SetArmState,
    SetPolicy,
    SetStop,
    Submit,
)
from engine.messages.events import AnyEvent, EpochBegan, Phase
from engine.messages.run import Arming, Run
from engine.nautilus.strategy import StationStrategy
from engine.recording.recorder import SessionRecorder
from engine.risk.kill import KillSwitch
from engine.session import telling
from engine.session.checks import check_model, check_run
from engine.session.course import Course
from engine.session.driving import Driver
from engine.session.picturing import Pictures
from engine.session.playhead import WINDOW_EVENTS
from engine.session.publishing import publications
from engine.session.run_model import RunModel
from engine.session.source import Source
from engine.session.told import Told
from engine.session.trading import Trading
from engine.session.watching import Watching
from engine.signals.protocols import Model
from engine.strategies import AiSignalParameters


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
        self._told = Told(recorder, lambda: self.now_ns)
        self._pictures = Pictures(recorder)
        self._epoch = 1
        self._watching = Watching(run, source) if watched else None
        self._trading = Trading(run, _account(source), self.kill_switch, self._events_of_course)
        self._driver = Driver(
            self,
            source,
            self._told,
            self._trading,
            bar=run.bar,
            window_events=window_events,
            ticked=self._pictures.meter.ticked,
        )
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
            self._recorder.command(command, self.now_ns)
        try:
            self._obey(command)
        except UserError as error:
            self._told.refused(command, error)
        except Exception as error:  # noqa: BLE001 - as in `advance`
            self._break(error)
        self._hand_over()

    def advance(self, seconds: float) -> bool:
        """Work, or wait for the session's clock, for at most about this long."""
        try:
            if not self._go_on(seconds):
                return False
        except UserError as error:
            self.fail(str(error))
        except Exception as error:  # noqa: BLE001 - a broken run must not take the link down with it
            self._break(error)
        self._hand_over()
        return True

    def _break(self, error: Exception) -> None:
        traceback.print_exception(error, file=sys.stderr)
        self.fail(f"The engine stopped: {traceback.format_exception_only(error)[-1].strip()}")

    def take_events(self) -> list[AnyEvent]:
        """Events since the last call, in order."""
        self._hand_over()
        return self._told.take()

    def take_picture(self) -> Picture:
        """The market since the last picture, risk and clock now."""
        self._course.absorb()
        return self._pictures.take(
            self._course,
            self._watching,
            self._trading,
            transport=self._driver.transport(),
            lag_ms=self._driver.lag_ms(),
            control=self._trading.control(),
            epoch=self._epoch,
        )

    def rewatch(self) -> None:
        """Show the market of this epoch from its start, in the pictures that follow."""
        if self._watching is not None:
            self._course.absorb()
            self._watching.again(self.now_ns)
            if self._course.model is not None:
                self._course.model.again()

    def close(self) -> None:
        """Free the engine; what is recorded is complete then."""
        self._driver.rest()
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

    @property
    def now_ns(self) -> int:
        """Market time."""
        return max(self._course.playhead.now, self._source.start_ns)

    # Commands --------------------------------------------------------------------------------------------

    def _obey(self, command: AnyCommand) -> None:
        match command:
            case SetArming(mode):
                self._arm(mode)
            case Explain(ts):
                self._pictures.explain(self._course.model, ts, self.now_ns)
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
                self._driver.obey(command)

    def _require_present(self) -> None:
        self._driver.require_unfinished()
        if self._driver.is_seeking:
            raise UserError("The session is on its way to another time; order when it has arrived.")

    def _arm(self, mode: Arming) -> None:
        if self._model is None:
            raise UserError("This run has no model to arm; open one with a model.")
        self._driver.require_unfinished()
        self._course.arm(self._model, mode, self.now_ns)

    # Work ------------------------------------------------------------------------------------------------

    def _go_on(self, seconds: float) -> bool:
        """Work for so long; whether there was anything to do."""
        if self._trading.is_fired and self._driver.is_seeking:
            self._driver.stop("The kill switch was fired on the way; the session is paused there.")
        if not self._driver.is_busy:
            return self._trading.go_on(seconds)
        self._driver.proceed(seconds)
        return True

    def end(self) -> None:
        """Nothing is left to happen: tell the results."""
        self._course.playhead.rest(self._source.end_ns)
        self._driver.rest()
        self._trading.is_over = True
        results = self._course.finish()
        if self._course.failure:
            self.fail(f"The strategy raised {self._course.failure}.")
            return
        self._told.log(telling.finished(results))
        self._told.append(results)
        self._told.enter(Phase.FINISHED)

    def fail(self, text: str) -> None:
        """End for this reason."""
        self._driver.rest()
        self._told.log(text, "error")
        self._told.enter(Phase.FAILED, text)

    def restart(self, target: int) -> None:
        """Throw this epoch's run away and make the next one, which goes to `target`."""
        self._driver.rest()
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
        if not self._driver.is_busy or recorder.is_due:
            self._course.absorb()

    @property
    def _strategy_name(self) -> str:
        return self._strategy if isinstance(self._strategy, str) else self._strategy.__name__


def _account(source: Source) -> str:
    """Name of the simulated account, as the engine has it."""
    return f"{source.instrument.venue}-001"
