"""One run of a strategy through its market data, from the start: what a seek back throws away and makes anew.

Headless back-test and replay both drive this; they differ only in who says when the next window comes.
"""

import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from typing import NamedTuple

from engine.bars import BarSpec
from engine.columns import Columns
from engine.messages.events import AccountChanged, AnyEvent, Filled, Published, Results
from engine.messages.frames import Risk
from engine.messages.run import Arming, Run
from engine.nautilus.desk import Desk
from engine.nautilus.engine import SimulatedVenue, priced
from engine.nautilus.strategy import StationStrategy
from engine.recording.audited_gate import TakeVerdict, audited
from engine.risk.book import AccountBook, Touch
from engine.risk.gate import RiskGate
from engine.session.bar_history import BarHistory
from engine.session.course_model import CourseModel
from engine.session.gauge import Gauge
from engine.session.outcome import Outcome
from engine.session.playhead import WINDOW_EVENTS, Playhead
from engine.session.publishing import Publishing
from engine.session.return_feed import ReturnFeed
from engine.session.run_model import RunModel
from engine.session.source import Source
from engine.session.stepping import BarCounter
from engine.session.tape import Tape
from engine.strategies import Parameters


class Errand(NamedTuple):
    """Something to be done at a market time."""

    ts: int
    run: Callable[[], None]


class Course:
    """A venue, the position in its data, and what came of it so far.

    Parameters
    ----------
    run : Run
    source : Source
    strategy : str or type
        See `SimulatedVenue`.
    parameters : Parameters
        Checked ones.
    emit : callable
        Takes every event, in order.
    tape : Tape or None
        Follows the market for a watcher; None when nobody watches.
    model : RunModel or None
        Model that the strategy acts on.
    publications : sequence of Published
        News of the run's series, by time.
    record : callable or None
        Takes the market data that happened.
    verdict : callable or None
        Takes what the gate said of every intent.

    Attributes
    ----------
    gate : RiskGate
        What all orders of the course pass.
    gauge : Gauge
        How many orders were wanted in a second.
    instrument : Instrument
        With the fees that are charged.
    history : BarHistory
        Bars that are complete as of what was absorbed.
    busy_s : float
        Seconds of work so far, without those of reading market data.
    model : CourseModel or None
        What the model says in this course.
    """

    def __init__(
        self,
        run: Run,
        source: Source,
        *,
        strategy: str | type[StationStrategy],
        parameters: Parameters,
        emit: Callable[[AnyEvent], None],
        tape: Tape | None,
        model: RunModel | None = None,
        record: Callable[[Mapping[str, Columns]], None] | None = None,
        publications: Sequence[Published] = (),
        verdict: TakeVerdict | None = None,
    ) -> None:
        self._record = record
        self.busy_s = 0.0
        self.tape = tape
        self._emit = emit
        self._errands: deque[Errand] = deque()
        self._watch: Callable[[], int | None] = lambda: None
        self._watch_ns: int | None = None
        self._publishing = Publishing(publications, emit)
        self._told_at = 0
        self.instrument = instrument = priced(source.instrument, run.venue)
        self._outcome = Outcome(instrument, run.venue.balance, source.kinds, source.start_ns, source.end_ns)
        self._book = AccountBook(
            {instrument.id: instrument},
            currency=instrument.quote,
            balance=run.venue.balance,
            touch=self.touch,
            leverage=run.venue.leverage,
        )
        self._returns = None if tape is None else ReturnFeed(instrument.id, source.kinds)
        self.gate = RiskGate(
            {instrument.id: instrument},
            run.policy,
            self._book,
            self._clock_ns,
            arm=run.arm,
            returns=None if self._returns is None else self._returns.returns,
        )
        self.gauge = Gauge(self.gate)
        self.model: CourseModel | None = None
        if model is not None:
            self.model = model.new_course(self._take, watched=tape is not None)
        self._venue = SimulatedVenue(
            source.instrument,
            run.venue,
            kinds=source.kinds,
            strategy=strategy,
            parameters=parameters,
            emit=self._take,
            gate=audited(self.gauge, verdict, self._clock_ns),
            lead=None if self.model is None else self.model.lead,
        )
        self.playhead = Playhead(source, self._venue)
        self.bars = BarCounter(BarSpec.parse(run.bar), source.kinds)
        self.history = BarHistory(run.bar, source.kinds)

    @property
    def ticks(self) -> int:
        """Market events so far."""
        return self.playhead.ticks

    @property
    def order_events(self) -> int:
        """Steps in the life of orders so far."""
        return self._outcome.order_events

    @property
    def fills(self) -> list[Filled]:
        """Executions so far."""
        return self._outcome.fills

    @property
    def failure(self) -> str:
        """What the strategy raised; empty while all is well."""
        return self._venue.failure

    def advance(self, limit_ns: int, events: int = WINDOW_EVENTS) -> int:
        """Run one window; see `Playhead.advance`."""
        started = time.perf_counter()
        happened = self.playhead.advance(self._up_to(limit_ns), events)
        if self.model is not None:
            self.model.lead.tell_before(self.playhead.now + 1)
        self._publishing.tell_before(self.playhead.now + 1)
        self._tell_changed_account()
        if self.playhead.left_a_chunk:
            self.absorb()
        if self._watch_ns is not None:
            self._look(self._watch_ns)
        self.busy_s += time.perf_counter() - started
        return happened

    def rest(self, ts: int) -> None:
        """Let market time pass to `ts`, before which no market data comes; what a model has due happens."""
        self._run_errands(ts)
        # The engine cannot run before its first data, and lets nothing happen after its last.
        if self.playhead.ticks and self.playhead.next_ts is not None:
            self._venue.rest(ts)
        self.playhead.rest(ts)
        self._publishing.tell_before(ts + 1)
        self._tell_changed_account()

    # What a person does --------------------------------------------------------------------------------

    @property
    def desk(self) -> Desk:
        """The hand; to be read only, `act` is what does something."""
        return self._venue.desk

    def touch(self, instrument: str) -> Touch | None:
        """Best prices now; None where they are not known."""
        return self._venue.touch(instrument)

    @property
    def held(self) -> Decimal:
        """Signed position of the whole account."""
        return self._book.total(self.instrument.id).net

    @property
    def equity(self) -> Decimal | None:
        """Money with open profit; None where a price is not known."""
        return self._book.equity()

    def act(self, deed: Callable[[Desk], None]) -> None:
        """Do something with the hand at the present moment; what arrives at the venue at once happens."""
        now = self.playhead.now
        self._venue.settle(now)
        try:
            deed(self._venue.desk)
        finally:
            self._venue.settle(now)
            self._tell_changed_account()

    def plan(self, errands: Iterable[Errand]) -> None:
        """Run these as market time comes to them, each when all of its time has happened; by time."""
        self._errands = deque(errands)

    def forget_plan(self) -> None:
        """Run none of the errands that are ahead."""
        self._errands.clear()

    def watch(self, look: Callable[[], int | None], every_ns: int | None) -> None:
        """Call `look` when every so much market time has passed; it says how long until the next.

        Windows end there, so it looks at the same times however time is cut. None is never.
        """
        self._watch, self._watch_ns = look, every_ns

    def _clock_ns(self) -> int:
        return self._venue.now_ns

    def _up_to(self, limit_ns: int) -> int:
        """Where the next window must end at the latest."""
        if not self._errands and self._watch_ns is None:
            return limit_ns
        next_ts = self.playhead.next_ts
        if self._errands and (next_ts is None or next_ts > self._errands[0].ts):
            self._run_errands(limit_ns if next_ts is None else min(limit_ns, next_ts - 1))
        if self._errands:
            limit_ns = min(limit_ns, self._errands[0].ts)
        if self._watch_ns is not None and next_ts is not None:
            limit_ns = min(limit_ns, _cell_end(next_ts, self._watch_ns))
        return limit_ns

    def _run_errands(self, until: int) -> None:
        while self._errands and self._errands[0].ts <= until:
            errand = self._errands.popleft()
            self.playhead.rest(errand.ts)
            errand.run()

    def _look(self, every_ns: int) -> None:
        next_ts = self.playhead.next_ts
        if next_ts is None or next_ts > _cell_end(self.playhead.now, every_ns):
            self._watch_ns = self._watch()

    def absorb(self) -> None:
        """Value, record and remember for the watcher all that happened."""
        seen = self.playhead.take_seen()
        self._outcome.absorb(seen)
        for part in seen:
            self.bars.absorb(part)
            self.history.absorb(part)
            if self._returns is not None:
                self._returns.absorb(part)
            if self._record is not None:
                self._record(part)
        if self.tape is not None:
            self.tape.absorb(seen, self.playhead.now)
        if self.model is not None:
            self.model.absorb(self.playhead.now)

    def arm(self, model: RunModel, mode: Arming, now: int) -> None:
        """Let a person's arming stand from `now` on; raises `UserError` where a rule forbids it."""
        assert self.model is not None  # noqa: S101 - it is this model's course
        model.arm(mode, now, self.model.lead)
        if self.playhead.ticks:
            self._venue.remind()
        self.rest(now)

    def risk(self) -> Risk:
        """Risk of what was absorbed."""
        return self._outcome.risk()

    def finish(self) -> Results:
        """End the run; its figures."""
        started = time.perf_counter()
        stats = self._venue.finish()
        self.absorb()
        self.busy_s += time.perf_counter() - started
        return self._outcome.results(
            ts=self.playhead.now,
            ticks=self.playhead.ticks,
            seconds=self.busy_s
            + self.playhead.load_s
            + (0.0 if self.model is None else self.model.asked_beforehand_s),
            balance=self._venue.balance,
            currency=self._venue.currency,
            stats=stats,
            inference=None if self.model is None else self.model.figures(),
        )

    def dispose(self) -> None:
        """Free the engine, in the thread that made it."""
        self._venue.dispose()
        if self.model is not None:
            self.model.close()

    def _tell_changed_account(self) -> None:
        if self.order_events == self._told_at:
            return
        self._told_at = self.order_events
        account = self._venue.account(self.playhead.now)
        if account is not None:
            self._take(account)

    def _take(self, event: AnyEvent) -> None:
        self._publishing.tell_before(event.ts)
        if self.model is not None:
            self.model.lead.tell_before(event.ts)
        if isinstance(event, AccountChanged):
            self._venue.told(event)
        self._outcome.note(event)
        self._book.note(event)
        self._emit(event)


def _cell_end(ts: int, every_ns: int) -> int:
    return (ts // every_ns + 1) * every_ns - 1
