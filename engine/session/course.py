"""One run of a strategy through its market data, from the start: what a seek back throws away and makes anew.

Headless back-test and replay both drive this; they differ only in who says when the next window comes.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal

from engine.bars import BarSpec
from engine.columns import Columns
from engine.messages.events import AccountChanged, AnyEvent, Filled, OrderChanged, Published, Results
from engine.messages.frames import Risk
from engine.messages.run import Arming, Run
from engine.nautilus.engine import SimulatedVenue
from engine.nautilus.strategy import StationStrategy
from engine.session.course_model import CourseModel
from engine.session.equity import Equity
from engine.session.fills import fills_sha256
from engine.session.playhead import WINDOW_EVENTS, Playhead
from engine.session.publishing import Publishing
from engine.session.run_model import RunModel
from engine.session.source import Source
from engine.session.stepping import BarCounter
from engine.session.tape import Tape
from engine.strategies import Parameters


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

    Attributes
    ----------
    order_events : int
        Steps in the life of orders so far.
    fills : list of Filled
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
    ) -> None:
        self._record = record
        self.order_events = 0
        self.fills: list[Filled] = []
        self.busy_s = 0.0
        self.tape = tape
        self._orders: set[str] = set()
        self._emit = emit
        self._publishing = Publishing(publications, emit)
        self._told_at = 0
        self._base = source.instrument.base
        self._starting_balance = run.venue.balance
        self._equity = Equity(
            source.instrument, float(run.venue.balance), source.kinds, source.start_ns, source.end_ns
        )
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
            lead=None if self.model is None else self.model.lead,
        )
        self.playhead = Playhead(source, self._venue)
        self.bars = BarCounter(BarSpec.parse(run.bar), source.kinds)

    @property
    def failure(self) -> str:
        """What the strategy raised; empty while all is well."""
        return self._venue.failure

    def advance(self, limit_ns: int, events: int = WINDOW_EVENTS) -> int:
        """Run one window; see `Playhead.advance`."""
        started = time.perf_counter()
        happened = self.playhead.advance(limit_ns, events)
        if self.model is not None:
            self.model.lead.tell_before(self.playhead.now + 1)
        self._publishing.tell_before(self.playhead.now + 1)
        self._tell_changed_account()
        if self.playhead.left_a_chunk:
            self.absorb()
        self.busy_s += time.perf_counter() - started
        return happened

    def rest(self, ts: int) -> None:
        """Let market time pass to `ts`, before which no market data comes; what a model has due happens."""
        # The engine cannot run before its first data, and lets nothing happen after its last.
        if self.playhead.ticks and self.playhead.next_ts is not None:
            self._venue.rest(ts)
        self.playhead.rest(ts)
        self._publishing.tell_before(ts + 1)
        self._tell_changed_account()

    def absorb(self) -> None:
        """Value, record and remember for the watcher all that happened."""
        seen = self.playhead.take_seen()
        self._equity.absorb(seen)
        for part in seen:
            self.bars.absorb(part)
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
        return self._equity.risk()

    def finish(self) -> Results:
        """End the run; its figures."""
        started = time.perf_counter()
        stats = self._venue.finish()
        self.absorb()
        self.busy_s += time.perf_counter() - started
        return self._results(stats)

    def _results(self, stats: dict[str, float | str | None]) -> Results:
        balance, currency = self._venue.balance, self._venue.currency
        risk = self._equity.risk()
        # An average price is a ratio, so open profit is exact to the account's digits and no further.
        cent = Decimal(1).scaleb(min(0, int(balance.as_tuple().exponent)))
        unrealised = Decimal(repr(risk.unrealised_pnl)).quantize(cent)
        net = balance + unrealised - self._starting_balance
        held = self._held()
        asked_s = 0.0 if self.model is None else self.model.asked_beforehand_s
        return Results(
            ts=self.playhead.now,
            ticks=self.playhead.ticks,
            seconds=self.busy_s + self.playhead.load_s + asked_s,
            orders=len(self._orders),
            fills=len(self.fills),
            final_balance=f"{balance:f} {currency}",
            stats=stats,
            fills_sha256=fills_sha256(self.fills),
            equity=self._equity.curve(),
            starting_balance=f"{self._starting_balance.quantize(cent):f} {currency}",
            net_pnl=f"{net.quantize(cent):f} {currency}",
            open_position=f"{held:+f} {self._base}" if held else None,
            unrealised_pnl=f"{unrealised:f} {currency}",
            inference=None if self.model is None else self.model.figures(),
        )

    def _held(self) -> Decimal:
        """Signed size still held: what was bought less what was sold, exact."""
        return sum(
            (fill.quantity if fill.side == "BUY" else -fill.quantity for fill in self.fills), Decimal(0)
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
        match event:
            case OrderChanged():
                self.order_events += 1
                self._orders.add(event.order_id)
            case Filled():
                self.fills.append(event)
            case AccountChanged():
                self._venue.told(event)
            case _:
                pass
        self._equity.note(event)
        self._emit(event)
