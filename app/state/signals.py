"""What the run's models say and what came of it: predictions over time, signals, their orders and outcomes.

Predictions are conflated for the screen and counted; what is judged of them (hit rate, calibration) comes
from the engine, which sees every row.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import numpy as np

from app.state.growing import Growing
from app.state.tape import Tape
from engine.messages.columns import PREDICTION, Rows
from engine.messages.events import AnyEvent, ArmingChanged, SignalActed, SignalJudged, Signalled
from engine.messages.frames import Explanation, Frame, ModelHealth, Outcomes, Predictions
from engine.messages.run import Arming

MARK: Final = np.dtype(
    [("ts", "<i8"), ("price", "<f8"), ("direction", "<i1"), ("previous", "<i1"), ("traded", "?")]
)
"""One signal as a chart marks it; `traded` is whether an order came of it."""


@dataclass(slots=True)
class SignalRecord:
    """One signal and what became of it; `acted` and `judged` are None until then."""

    signalled: Signalled
    acted: SignalActed | None = None
    judged: SignalJudged | None = None


class PredictionTape(Tape):
    """What the models said, dtype `PREDICTION`; probabilities and score are ranged."""

    def __init__(self) -> None:
        super().__init__(PREDICTION, ("down", "flat", "up", "score"))


class InstrumentSignals:
    """Predictions and signals of one instrument.

    Attributes
    ----------
    predictions : PredictionTape
    enter, exit : float or None
        The strategy's thresholds; None where none acts on the model.
    outcomes : Outcomes or None
        What came of all rows and entries so far; None without a horizon to judge them by.
    records : list of SignalRecord
        Signals in order; a new list in each epoch, appended to.
    version : int
        Grows with every change.
    """

    def __init__(self) -> None:
        self.predictions = PredictionTape()
        self.enter: float | None = None
        self.exit: float | None = None
        self.outcomes: Outcomes | None = None
        self.version = 0
        self.begin()

    def begin(self) -> None:
        """Forget the signals, as a new epoch demands."""
        self.records: list[SignalRecord] = []
        self._by_number: dict[int, int] = {}
        self._marks: Growing[np.void] = Growing(MARK)
        self.version += 1

    @property
    def marks(self) -> Rows:
        """The signals as dtype `MARK`, one for each of `records`, in order of time."""
        return self._marks.view

    def forget_rows(self) -> None:
        """Forget what frames showed."""
        self.predictions.clear()
        self.outcomes = None
        self.version += 1

    def take_predictions(self, news: Predictions) -> None:
        """Take one frame's predictions."""
        self.predictions.append(news.rows, news.conflated)
        self.enter, self.exit = news.enter, news.exit
        self.outcomes = news.outcomes
        self.version += 1

    def take_event(self, event: Signalled | SignalActed | SignalJudged) -> None:
        """Take one event; one of a signal that is not known is passed over."""
        self.version += 1
        if isinstance(event, Signalled):
            self._by_number[event.number] = len(self.records)
            self.records.append(SignalRecord(event))
            mark = (event.ts, event.price, event.direction, event.previous, False)
            self._marks.extend(np.array([mark], MARK))
            return
        place = self._by_number.get(event.signal)
        if place is None:
            return
        record = self.records[place]
        if isinstance(event, SignalJudged):
            record.judged = event
        else:
            record.acted = event
            self._marks.view["traded"][place] = event.order_id is not None


class SignalsState:
    """The models of one session.

    Attributes
    ----------
    models : list of ModelHealth
        The latest; empty where the run has no model.
    explanation : Explanation or None
        Answer to the latest `Explain`.
    arming_changed : ArmingChanged or None
        The latest, with who did it and why.
    version : int
        Grows with every change of any of these, or of an instrument's signals.
    """

    def __init__(self) -> None:
        self.models: list[ModelHealth] = []
        self.explanation: Explanation | None = None
        self.arming_changed: ArmingChanged | None = None
        self.version = 0
        self._instruments: dict[str, InstrumentSignals] = {}

    @property
    def arming(self) -> Arming | None:
        """Whether signals are traded, only shown or not made; None where the run has no model."""
        if self.arming_changed is not None:
            return self.arming_changed.mode
        return self.models[0].arming if self.models else None

    def of(self, instrument: str) -> InstrumentSignals:
        """Predictions and signals of an instrument, none before the first; the same object ever after."""
        return self._instruments.setdefault(instrument, InstrumentSignals())

    def begin(self) -> None:
        """Forget what events told, as a new epoch demands."""
        self.arming_changed = None
        for signals in self._instruments.values():
            signals.begin()
        self.version += 1

    def forget_rows(self) -> None:
        """Forget what frames showed: a new epoch, or a watch that begins in the middle."""
        self.models = []
        self.explanation = None
        for signals in self._instruments.values():
            signals.forget_rows()
        self.version += 1

    def apply(self, frame: Frame) -> None:
        """Take a frame's predictions, health and explanation."""
        for news in frame.predictions:
            self.of(news.instrument).take_predictions(news)
        if frame.models:
            self.models = frame.models
        if frame.explanation is not None:
            self.explanation = frame.explanation
        if frame.predictions or frame.models or frame.explanation is not None:
            self.version += 1

    def take_events(self, events: Iterable[AnyEvent]) -> None:
        """Take events in their order; those that are not about models are passed over."""
        for event in events:
            match event:
                case Signalled() | SignalActed() | SignalJudged():
                    self.of(event.instrument).take_event(event)
                case ArmingChanged():
                    self.arming_changed = event
                case _:
                    continue
            self.version += 1
