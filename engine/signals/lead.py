"""What leads a strategy through one course of a run: decisions, when they may be acted on, and the arming.

Decisions come from a `Decider` as the market passes, or all at once from a range asked beforehand. Either way
they are told in the same order, numbered alike, and due at the same times, so both make the same orders.
"""

from array import array
from bisect import bisect_right
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from math import isnan, nan
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from engine.messages.events import AnyEvent, ArmingChanged, Direction, Signalled
from engine.messages.run import Arming
from engine.signals.decisions import Decider, Decision, Rules
from engine.signals.outcomes import Entry
from engine.signals.protocols import Forecast, ModelFacts, Stream

DISARMED: Final = "disarmed"
_NEWEST: Final = 4_096


class Change(NamedTuple):
    """A person's arming from a market time on; `told` says that its event is out already."""

    ts: int
    mode: Arming
    told: bool = False


class ClosedBar(NamedTuple):
    """A bar for the stream, at the time at which it is complete."""

    ts: int
    open: float
    high: float
    low: float
    close: float
    volume: float


class Act(NamedTuple):
    """A decision whose latency has passed; `signal` is None where none was told of it."""

    decision: Decision
    signal: int | None


class Lead:
    """Leads one course.

    Parameters
    ----------
    instrument : str
    facts : ModelFacts
    rules : Rules
    arming : Arming
        At the start.
    start_ns : int
        Market time of the start.
    emit : callable
        Takes every event, in order.
    changes : sequence of Change
        Later ones, in order.
    stream : Stream, optional
        To be asked row by row.
    bars : sequence of ClosedBar
        Those that the stream is to be given, in order, as far as they are known yet.
    decisions : sequence of Decision
        All that there will be, where the range was asked beforehand.
    judged : bool
        Whether somebody takes forecasts and entries, to judge them.

    Attributes
    ----------
    mode : Arming
        As of the last thing that happened.
    is_sick, reason : bool, str
        Whether a rule ended all decisions of this course, and why.
    signals : int
        Number of the newest signal.
    orders, orders_ns : int, deque of int
        How many signals were acted on, and what the newest took from signal to order, without the latency
        that was waited for; only with a stream.
    asked, asked_ns : int
        Forecasts of the stream so far, and the time spent on its answers.
    """

    def __init__(
        self,
        instrument: str,
        facts: ModelFacts,
        rules: Rules,
        *,
        arming: Arming,
        start_ns: int,
        emit: Callable[[AnyEvent], None],
        changes: Sequence[Change] = (),
        stream: Stream | None = None,
        bars: Sequence[ClosedBar] = (),
        decisions: Sequence[Decision] = (),
        judged: bool = False,
    ) -> None:
        self.facts, self.rules, self.stream = facts, rules, stream
        self.mode = arming
        self.is_sick, self.reason = False, ""
        self.signals = 0
        self.orders_ns: deque[int] = deque(maxlen=_NEWEST)
        self.orders = 0
        self._forecasts: list[Forecast] | None = [] if judged else None
        self.asked = self.asked_ns = 0
        self._deciding_ns: deque[int] = deque()
        self._instrument, self._emit = instrument, emit
        self._decider = Decider(rules)
        self._decisions = list(decisions)
        self._numbers: list[int | None] = []
        self._acted = 0
        self._bars, self._closed = list(bars), 0
        self._changes = list(changes)
        self._entries: list[Entry] = []
        self._clock_ts, self._clock_price = array("q"), array("d")
        emit(ArmingChanged(ts=start_ns, mode=arming, by="run"))

    # Decisions -------------------------------------------------------------------------------------------

    def heard(self, forecast: Forecast, sick: str) -> bool:
        """Decide on a forecast that the market just made; whether anything changed.

        `sick` is why the model must not be acted on any more; empty while it is well.
        """
        if self._forecasts is not None:
            self._forecasts.append(forecast)
        if self.is_sick:
            return False
        decision = self._decider.disarm(forecast, sick) if sick else self._decider.decide(forecast)
        if decision is None:
            return False
        self._decisions.append(decision)
        self._tell(decision)
        return True

    def sickened(self, ts: int, reason: str) -> bool:
        """End all decisions at an event that gave no forecast; whether they had not ended before."""
        if self.is_sick:
            return False
        nothing = Forecast(ts, 0, nan, nan, nan, nan, nan, nan)
        self._decisions.append(self._decider.disarm(nothing, reason))
        self._tell(self._decisions[-1])
        return True

    def tell_before(self, ts: int) -> None:
        """Tell what was decided at rows before this market time."""
        while len(self._numbers) < len(self._decisions):
            decision = self._decisions[len(self._numbers)]
            if decision.forecast.ts >= ts:
                return
            self._tell(decision)

    def _tell(self, decision: Decision) -> None:
        forecast, is_change = decision.forecast, decision.direction != decision.previous
        number = None
        if is_change and self.mode != "off":
            self.signals += 1
            number = self.signals
            signal = Signalled(
                ts=forecast.ts,
                number=number,
                instrument=self._instrument,
                direction=decision.direction,
                previous=decision.previous,
                cause=decision.cause,
                score=forecast.score,
                threshold=decision.threshold,
                down=_told(forecast.down),
                flat=_told(forecast.flat),
                up=_told(forecast.up),
                price=forecast.price,
            )
            if decision.direction and self._forecasts is not None:
                self._entries.append(Entry(forecast.row, signal))
        self._numbers.append(number)
        if number is not None:
            self._emit(signal)
        if decision.cause == DISARMED:
            self.mode, self.is_sick, self.reason = "off", True, decision.reason
            self._emit(ArmingChanged(ts=forecast.ts, mode="off", by="rule", reason=decision.reason))

    @property
    def is_judged(self) -> bool:
        """Whether somebody takes forecasts, entries and the clock's rows."""
        return self._forecasts is not None

    def passed(self, ts: int, price: float) -> None:
        """Take a row of the stream's clock, whatever comes of it."""
        self._clock_ts.append(ts)
        self._clock_price.append(price)

    def take_clock(self) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
        """Times and prices of the rows of the stream's clock since the last call."""
        ts, price = np.array(self._clock_ts, np.int64), np.array(self._clock_price)
        self._clock_ts, self._clock_price = array("q"), array("d")
        return ts, price

    def take_judged(self) -> tuple[list[Forecast], list[Entry]]:
        """Forecasts of the stream since the last call, and signals that open or turn a position."""
        forecasts, entries = self._forecasts or [], self._entries
        self._entries = []
        if self._forecasts is not None:
            self._forecasts = []
        return forecasts, entries

    def decided_ns(self, ns: int) -> None:
        """Take what the newest decision of the stream took."""
        self._deciding_ns.append(ns)

    def acted_ns(self, ns: int) -> None:
        """Take what acting on the oldest decision that was not acted on took."""
        if self._deciding_ns:
            self.orders += 1
            self.orders_ns.append(ns + self._deciding_ns.popleft())

    def as_of(self, ts: int) -> tuple[Direction, int | None]:
        """Direction decided by rows up to `ts`, and the number of the newest signal among them."""
        known = len(self._numbers)
        at = bisect_right(self._decisions, ts, hi=known, key=lambda each: each.forecast.ts)
        if not at:
            return 0, None
        numbers = (number for number in reversed(self._numbers[:at]) if number is not None)
        return self._decisions[at - 1].direction, next(numbers, None)

    # What is due -----------------------------------------------------------------------------------------

    @property
    def _next_act(self) -> int | None:
        if self._acted == len(self._decisions):
            return None
        return self._decisions[self._acted].forecast.ts + self.facts.latency_ns

    @property
    def _next_bar(self) -> int | None:
        return self._bars[self._closed].ts if self._closed < len(self._bars) else None

    def completed(self, bars: Sequence[ClosedBar]) -> None:
        """Take further bars for the stream."""
        self._bars += bars

    @property
    def next_due(self) -> int | None:
        """Market time of the next bar, act or change of arming; None without any."""
        change = self._changes[0].ts if self._changes else None
        ahead = [ts for ts in (self._next_bar, self._next_act, change) if ts is not None]
        return min(ahead, default=None)

    def due(self, now: int) -> Iterator[ClosedBar | Act | Change]:
        """What is due by `now`, in order; a change has taken effect when it comes."""
        self.tell_before(now + 1)
        while (ts := self.next_due) is not None and ts <= now:
            if ts == self._next_bar:
                self._closed += 1
                yield self._bars[self._closed - 1]
            elif ts == self._next_act:
                self._acted += 1
                yield Act(self._decisions[self._acted - 1], self._numbers[self._acted - 1])
            else:
                yield self._change()

    # Arming ----------------------------------------------------------------------------------------------

    @property
    def standing(self) -> Arming:
        """What was told last: a person's change stands at once, and takes effect when time moves on."""
        told = [change.mode for change in self._changes if change.told]
        return told[-1] if told and not self.is_sick else self.mode

    def arm(self, ts: int, mode: Arming) -> None:
        """Let a person's arming take effect from `ts`, up to which everything has happened, and tell it."""
        self._changes.append(Change(ts, mode, told=True))
        self._emit(ArmingChanged(ts=ts, mode=mode, by="person"))

    def _change(self) -> Change:
        change = self._changes.pop(0)
        if not self.is_sick:
            self.mode = change.mode
            if not change.told:
                self._emit(ArmingChanged(ts=change.ts, mode=change.mode, by="person"))
        return change


def _told(probability: float) -> float | None:
    return None if isnan(probability) else probability
