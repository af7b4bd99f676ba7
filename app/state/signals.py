"""What the run's models say and what came of it: predictions over time, signals, their orders and outcomes.

Predictions are conflated for the screen and counted; what is judged of them (hit rate, calibration) comes
from the engine, which sees every row.
"""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from app.state.growing import Growing
from app.state.orders import Latest, OrdersState
from app.state.tape import Tape
from engine.messages.columns import PREDICTION, Rows
from engine.messages.events import (
    AnyEvent,
    ArmingChanged,
    OrderChanged,
    SignalActed,
    SignalJudged,
    Signalled,
)
from engine.messages.frames import Explanation, Frame, ModelHealth, Outcomes, Predictions
from engine.messages.run import Arming

MARK: Final = np.dtype(
    [
        ("ts", "<i8"),
        ("price", "<f8"),
        ("level", "<f8"),
        ("direction", "<i1"),
        ("previous", "<i1"),
        ("traded", "?"),
    ]
)
"""One signal as charts mark it: `level` is what was compared with the threshold, a probability (or a score);
`traded` tells whether an order came of it."""


@dataclass(frozen=True, slots=True)
class SignalRecord:
    """One signal and what became of it: what is None has not come (yet)."""

    signalled: Signalled
    acted: SignalActed | None = None
    order: OrderChanged | None = None
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
        A new one whenever what was shown is void.
    enter, exit : float or None
        The strategy's thresholds; None where none acts on the model.
    outcomes : Outcomes or None
        What came of all rows and entries so far; None without a horizon to judge them by.
    records : Latest of SignalRecord
        Signals in order; a new collection in each epoch.
    """

    def __init__(self) -> None:
        self.forget_rows()
        self.begin()

    def begin(self) -> None:
        """Forget the signals, as a new epoch demands."""
        self.records: Latest[SignalRecord] = Latest()
        self._marks: Growing[np.void] = Growing(MARK)

    def forget_rows(self) -> None:
        """Forget what frames showed."""
        self.predictions = PredictionTape()
        self.enter: float | None = None
        self.exit: float | None = None
        self.outcomes: Outcomes | None = None

    @property
    def marks(self) -> Rows:
        """The signals as dtype `MARK`, one for each of `records`, in order of time."""
        return self._marks.view

    def take_predictions(self, news: Predictions) -> None:
        """Take one frame's predictions."""
        self.predictions.append(news.rows, news.conflated)
        self.enter, self.exit, self.outcomes = news.enter, news.exit, news.outcomes

    def take_signal(self, event: Signalled) -> None:
        """Begin a record."""
        self.records.put(str(event.number), SignalRecord(event))
        mark = (event.ts, event.price, _level(event), event.direction, event.previous, False)
        self._marks.extend(np.array([mark], MARK))

    def take_news(self, event: SignalActed | SignalJudged, order: OrderChanged | None) -> None:
        """Complete a record, with the order that was made; news of an unknown signal are passed over."""
        key = str(event.signal)
        record = self.records.get(key)
        if record is None:
            return
        if isinstance(event, SignalJudged):
            self.records.put(key, replace(record, judged=event))
            return
        self.records.put(key, replace(record, acted=event, order=order))
        self._marks.view["traded"][self.records.place(key)] = event.order_id is not None

    def take_order(self, key: str, order: OrderChanged) -> None:
        """Take a change of the order that a signal made."""
        self.records.put(key, replace(self.records[key], order=order))


def _level(event: Signalled) -> float:
    probability = event.up if (event.direction or event.previous) > 0 else event.down
    return event.score if probability is None else probability


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
        Grows with every change of any of these.
    """

    def __init__(self) -> None:
        self.models: list[ModelHealth] = []
        self.explanation: Explanation | None = None
        self.arming_changed: ArmingChanged | None = None
        self.version = 0
        self._instruments: dict[str, InstrumentSignals] = {}
        self._signal_of: dict[str, tuple[str, str]] = {}

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
        self._signal_of = {}
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

    def take_event(self, event: AnyEvent, orders: OrdersState) -> None:
        """Take one event, in its order, after `orders` did; one that is not about models is passed over."""
        match event:
            case Signalled():
                self.of(event.instrument).take_signal(event)
            case SignalActed():
                if event.order_id is not None:
                    self._signal_of[event.order_id] = event.instrument, str(event.signal)
                self.of(event.instrument).take_news(event, orders.orders.get(event.order_id or ""))
            case SignalJudged():
                self.of(event.instrument).take_news(event, None)
            case OrderChanged() if (made_by := self._signal_of.get(event.order_id)) is not None:
                self.of(made_by[0]).take_order(made_by[1], event)
            case ArmingChanged():
                self.arming_changed = event
                self.version += 1
            case _:
                pass
