"""The pictures of a session: its market, risk, model and clock as they are when one is taken."""

from typing import Final, Protocol

from engine.errors import UserError
from engine.link.protocols import Picture
from engine.messages.frames import (
    Control,
    Explanation,
    Market,
    ModelHealth,
    Predictions,
    Recorder,
    Risk,
    Transport,
)
from engine.messages.instrument import Instrument
from engine.messages.limits import AccountRisk
from engine.messages.orders import OrderPreview
from engine.recording.recorder import SessionRecorder
from engine.session.course_model import CourseModel
from engine.session.health import Meter


class _Course(Protocol):
    """What happened so far, in a replay or live."""

    model: CourseModel | None

    @property
    def ticks(self) -> int: ...

    def absorb(self) -> None: ...

    def risk(self) -> Risk: ...


class _Watching(Protocol):
    def take(self) -> tuple[Market, list[Instrument]]: ...


class _Trading(Protocol):
    def risk(self) -> AccountRisk: ...

    def take_preview(self) -> OrderPreview | None: ...


class Pictures:
    """Makes them, and counts what they leave out.

    Parameters
    ----------
    recorder : SessionRecorder or None
        Whose state they show.

    Attributes
    ----------
    meter : Meter
        How the session is doing.
    """

    def __init__(self, recorder: SessionRecorder | None) -> None:
        self.meter: Final = Meter()
        self._recorder = recorder
        self._explanation: Explanation | None = None

    def explain(self, model: CourseModel | None, ts: int, now: int) -> None:
        """Have the next picture say why the model said what it did at `ts`; `UserError` without a model."""
        if model is None:
            raise UserError("This run has no model to explain; open one with a model.")
        self._explanation = model.explain(ts, now)

    def take(
        self,
        course: _Course,
        watching: _Watching | None,
        trading: _Trading,
        *,
        transport: Transport,
        control: Control,
        lag_ms: float,
        epoch: int = 1,
    ) -> Picture:
        """The market since the last picture, risk and clock now.

        Raises
        ------
        RuntimeError
            The session was made to be run unwatched.
        """
        if watching is None:
            raise RuntimeError("the session was made to be run unwatched")
        market, instruments = watching.take()
        self.meter.conflated += market.quotes_conflated + market.trades_conflated
        predictions: list[Predictions] = []
        models: list[ModelHealth] = []
        if course.model is not None:
            predictions, models = course.model.take(transport.now)
            self.meter.conflated += sum(each.conflated for each in predictions)
        explanation, self._explanation = self._explanation, None
        return Picture(
            epoch=epoch,
            transport=transport,
            markets=[market],
            risks=[course.risk()],
            health=self.meter.take(course.ticks, lag_ms),
            instruments=instruments,
            predictions=predictions,
            models=models,
            explanation=explanation,
            recorder=Recorder() if self._recorder is None else self._recorder.status(),
            control=control,
            account_risk=trading.risk(),
            preview=trading.take_preview(),
        )
