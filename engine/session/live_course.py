"""The course of a live session: a node, and what came of it so far.

A replay's course is thrown away and made anew; this one happens once, on the wall clock.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from functools import partial
from types import MappingProxyType
from typing import Final

import msgspec

from engine.columns import Columns
from engine.messages.events import AccountChanged, AnyEvent, Logged, Published, Results
from engine.messages.frames import Risk
from engine.messages.run import Arming, Run
from engine.nautilus.feed import Feed
from engine.nautilus.live import LiveVenue
from engine.nautilus.strategy import StationStrategy
from engine.recording.audited_gate import audited
from engine.recording.recorder import SessionRecorder
from engine.session.abilities import abilities_of
from engine.session.course_model import CourseModel
from engine.session.equity import CURVE_BUCKETS
from engine.session.live_control import LiveControl
from engine.session.live_market import LiveMarket
from engine.session.outcome import Outcome
from engine.session.publishing import Publishing
from engine.session.run_model import ModelBars, RunModel
from engine.session.tape import Tape
from engine.strategies import Parameters

_CURVE_NS: Final = 5_000_000_000
"""Stretch of the equity curve that keeps its deepest point and its last."""
_UNABSORBED_S: Final = 0.25
"""Longest that market data wait where nobody takes pictures."""
_BARS_WAIT_S: Final = 0.02
"""Longest that a bar waits for the model that reads it."""

_ACCOUNT_S: Final = 1.0
"""An answer of the venue may change the account, and no order with it."""


class LiveCourse:
    """A live venue and what came of it so far.

    Parameters
    ----------
    run : Run
    market : LiveMarket
    strategy : str or type
        See `LiveVenue`.
    parameters : Parameters
        Checked ones.
    emit : callable
        Takes every event, in order.
    tape : Tape or None
        Follows the market for a watcher; None when nobody watches.
    model : RunModel or None
        Model that the strategy acts on.
    publications : sequence of Published
        News of the run's series, by time, in that of the recorded data.
    recorder : SessionRecorder or None
        Takes the market data that happened, and what is said of every order.
    control : LiveControl
        Whose gate orders pass.
    resumes : dict or None
    hand : mapping
        See `LiveVenue`.

    Attributes
    ----------
    start_ns : int
        Wall-clock time of the start.
    model : CourseModel or None
        What the model says in this course.
    outcome : Outcome
    """

    def __init__(
        self,
        run: Run,
        market: LiveMarket,
        *,
        strategy: str | type[StationStrategy],
        parameters: Parameters,
        emit: Callable[[AnyEvent], None],
        tape: Tape | None,
        model: RunModel | None = None,
        publications: Sequence[Published] = (),
        recorder: SessionRecorder | None = None,
        control: LiveControl,
        resumes: dict[str, str] | None = None,
        hand: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self.start_ns = time.time_ns()
        self.model: CourseModel | None = None
        self._emit, self._recorder, self._tape, self._control = emit, recorder, tape, control
        self._told_at, self._told_s = 0, time.monotonic()
        self._warned = False
        self._publishing = Publishing(publications, self._publish)
        # Not the market itself: its clients must be freed in this thread, and a session may outlive it.
        self._instrument, self._kinds = market.instrument, market.kinds
        self.outcome = self._new_outcome(run.venue.balance)
        self._takes_balance = bool(market.account_id)
        self._bars: ModelBars | None = None
        if model is not None:
            self._bars = ModelBars(model.facts.bars) if model.facts.bars else None
            self.model = model.new_course(self._take, watched=tape is not None, start_ns=self.start_ns)
        self.feed = market.data if isinstance(market.data, Feed) else None
        gate = audited(control.gate, None if recorder is None else recorder.verdict, time.time_ns)
        self.venue = LiveVenue(
            market.instrument,
            data=market.data,
            execution=market.execution,
            kinds=market.kinds,
            balance=run.venue.balance,
            taker_fee=market.instrument.taker_fee if run.venue.taker_fee is None else run.venue.taker_fee,
            strategy=strategy,
            parameters=parameters,
            emit=self._take,
            gate=gate,
            last=partial(control.last_gate, gate, recorder),
            lead=None if self.model is None else self.model.lead,
            name=market.name,
            account_id=market.account_id,
            hedging=run.venue.oms == "HEDGING",
            resumes=resumes,
            can=abilities_of(run),
            hand=hand,
        )
        control.begin(self.venue.desk)
        self._absorbed_s = time.monotonic()

    def advance(self, seconds: float) -> int:
        """Let what happens in this time happen; how many ticks did."""
        before = self.ticks
        self.venue.pump(seconds)
        now = time.time_ns()
        if self.model is not None:
            self.model.lead.tell_before(now)
        if self.feed is not None:
            self._publishing.tell_before(self.feed.position + 1)
            self._warn_of_sizes(self.feed, now)
        if self.outcome.order_events != self._told_at or time.monotonic() - self._told_s > _ACCOUNT_S:
            self._told_at, self._told_s = self.outcome.order_events, time.monotonic()
            self.tell_account()
        return self.ticks - before

    def absorb(self) -> None:
        """Value, record and remember for the watcher all that happened."""
        self._absorbed_s = time.monotonic()
        part = self.venue.tap.take()
        if part:
            self.outcome.absorb([part])
            self._control.absorb(part)
            self._close_bars(part)
            if self._recorder is not None:
                self._recorder.rows(part)
        now = time.time_ns()
        if self._tape is not None:
            self._tape.absorb([part] if part else [], now)
        if self.model is not None:
            self.model.absorb(now)

    def _close_bars(self, part: Mapping[str, Columns]) -> None:
        """Let the model have the bars that these ticks closed; it knows them from now on."""
        closed = [] if self._bars is None else self._bars.closed(part)
        if closed and self.model is not None:
            now = time.time_ns()
            self.model.lead.completed([bar._replace(ts=now) for bar in closed])
            self.venue.remind()

    @property
    def ticks(self) -> int:
        """Events so far: quotes, trades, whole book updates."""
        return self.venue.tap.ticks

    @property
    def newest_ns(self) -> int:
        """When the newest market data was received; 0 before any."""
        return self.venue.tap.newest_ns

    @property
    def sick_model(self) -> str:
        """Why a rule disarmed the model; empty while it is well."""
        return self.model.lead.reason if self.model is not None and self.model.lead.is_sick else ""

    @property
    def is_due(self) -> bool:
        """Whether what happened has waited too long to be absorbed: for a picture, or for a model's bars."""
        waited_s = time.monotonic() - self._absorbed_s
        return waited_s > (_UNABSORBED_S if self._bars is None else _BARS_WAIT_S)

    def arm(self, model: RunModel, mode: Arming) -> None:
        """Let a person's arming stand from now on; raises `UserError` where a rule forbids it."""
        assert self.model is not None  # noqa: S101 - it is this model's course
        model.arm(mode, time.time_ns(), self.model.lead)
        self.venue.remind()

    def risk(self) -> Risk:
        """Risk of what was absorbed."""
        return self.outcome.risk()

    def tell_account(self) -> None:
        """Tell the account where it is not as it was told last."""
        account = self.venue.account(time.time_ns())
        if account is not None:
            self._take(account)

    def finish(self) -> Results:
        """End trading; its figures."""
        self.venue.stop()
        self.absorb()
        return self.outcome.results(
            ts=time.time_ns(),
            ticks=self.ticks,
            seconds=(time.time_ns() - self.start_ns) / 1e9,
            balance=self.venue.balance,
            currency=self.venue.currency,
            stats=self.venue.statistics(),
            inference=None if self.model is None else self.model.figures(),
        )

    def dispose(self) -> None:
        """Free the node, in the thread that made it."""
        self.venue.dispose()
        if self.model is not None:
            self.model.close()

    def _new_outcome(self, balance: Decimal) -> Outcome:
        end_ns = self.start_ns + CURVE_BUCKETS * _CURVE_NS
        return Outcome(self._instrument, balance, self._kinds, self.start_ns, end_ns)

    def _publish(self, event: Published) -> None:
        assert self.feed is not None  # noqa: S101 - only recorded data have recorded news
        self._take(msgspec.structs.replace(event, ts=self.feed.wall_time(event.ts)))

    def _warn_of_sizes(self, feed: Feed, now: int) -> None:
        if self._warned or not feed.has_untold_sizes:
            return
        self._warned = True
        text = "Quotes without sizes: orders fill whole at the best price, whatever their size."
        self._take(Logged(ts=now, level="warning", source="venue", text=text))

    def _take(self, event: AnyEvent) -> None:
        if self.model is not None:
            self.model.lead.tell_before(event.ts)
        if isinstance(event, AccountChanged):
            self.venue.told(event)
            if self._takes_balance:  # what a venue's account begins with is known once it is connected
                self._takes_balance = False
                self.outcome = self._new_outcome(event.balances[0].total)
                self._control.began_with(event)
        self.outcome.note(event)
        self._control.note(event)
        self._emit(event)
