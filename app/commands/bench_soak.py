"""`nexttick bench soak`: hours of trouble in minutes: a live session at a faulty exchange on this machine.

The engine's own adapter trades at the exchange of the tests, which drops sockets, loses answers, tells things
twice and goes away. At the end the exchange, the engine, the recording and the watcher must agree on every
order, execution, position and balance.
"""

import argparse
import os
import time
from collections.abc import Callable, Mapping
from decimal import Decimal
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
import psutil

from app import engines
from app.commands import Report, Result
from app.commands.local_exchange import ACCOUNT, exchange, keys_at, run_at
from app.commands.soak_agreement import disagreements
from app.commands.soak_recovery import Troubles
from app.commands.soak_trader import SoakTrader
from app.recordings import person_settings, recordings_folder
from app.session import StationSession
from app.state.orders import OrdersState
from engine.errors import UserError
from engine.messages.events import AnyEvent, HaltStep, Phase

if TYPE_CHECKING:
    from tests.venue import ProcessVenue

_ACTS_PER_S: Final = 14.0
_FAULT_EVERY_S: Final = 3.0
_LOOK_S: Final = 0.005
_START_S: Final = 60.0
_END_S: Final = 30.0
_QUIET_S: Final = 90.0
"""Longest that it may take after the last fault until all agree."""

_MEMORY_EVERY_S: Final = 1.0
_ENOUGH_EVERY_S: Final = 0.25


class Progress(NamedTuple):
    """How far a soak is: time, orders and executions as its watcher knows them, faults by kind."""

    seconds: float
    orders: int
    fills: int
    faults: Mapping[str, int]


def run_bench_soak(args: argparse.Namespace, report: Report) -> Result:
    """Trade through random faults; exit code 1 where anybody disagrees."""
    seconds = args.minutes * 60
    figures = soak(args.faults, lambda now: now.seconds >= seconds, report, lifetime_s=seconds + 600)
    return Result(figures, _text(figures), 1 if figures["disagreements"] else 0)


def soak(
    seed: int,
    is_enough: Callable[[Progress], bool],
    report: Report,
    *,
    fault_every_s: float = _FAULT_EVERY_S,
    **setup: Any,
) -> dict[str, Any]:
    """Trade until it is enough, let all settle, and compare; its figures.

    Parameters
    ----------
    setup
        Of the exchange, as `tests.venue.Setup` has it.

    Raises
    ------
    UserError
        The session or the exchange did not live to the end.
    """
    venue = exchange(deposit=Decimal(1_000_000), fault_seed=seed, fault_mean_s=fault_every_s, **setup)
    with TemporaryDirectory(prefix="soak-") as folder, venue:
        os.environ["NEXTTICK_HOME"] = folder  # its recordings, logs and endpoints are its own
        return _Soak(venue, seed, report).run(is_enough)


class _Soak:
    """One session under trouble, and what it went through."""

    def __init__(self, venue: "ProcessVenue", seed: int, report: Report) -> None:
        self._venue, self._report = venue, report
        self._open = engines.opener("process", "keep", lambda run: keys_at(venue, run))
        self._session = StationSession(run_at(venue), self._open)
        self._trader = SoakTrader(self._session, seed)
        self._memory: list[tuple[float, float]] = []
        self._troubles = Troubles()

    def run(self, is_enough: Callable[[Progress], bool]) -> dict[str, Any]:
        """See `soak`."""
        session = self._session
        try:
            # A session that cannot connect ends with a sentence; the soak is of one that runs.
            self._venue.faulty(on=False)
            self._until(lambda: session.phase == Phase.PLAYING and bool(session.state.markets), _START_S)
            session.arm("live", ACCOUNT)
            self._until(lambda: session.state.control.arm == "live", _START_S)
            self._venue.faulty(on=True)
            self._trade(is_enough)
            self._settle()
            return self._compare()
        except RuntimeError as error:  # so the exchange says that its process is gone
            raise UserError(f"The soak broke off: {error}.") from error
        finally:
            self._session.close()

    def _trade(self, is_enough: Callable[[Progress], bool]) -> None:
        begin = time.monotonic()
        next_order = next_look = next_word = begin
        while True:
            now = time.monotonic()
            if now >= next_look:
                next_look = now + _ENOUGH_EVERY_S
                progress = self._progress(now - begin)
                if is_enough(progress):
                    return
                if now >= next_word:
                    next_word = now + 60
                    self._say(progress)
            if now >= next_order:
                self._trader.act()
                next_order = now + 1 / _ACTS_PER_S
            self._pump()

    def _progress(self, seconds: float) -> Progress:
        orders = self._session.state.orders
        return Progress(seconds, len(orders.orders), len(orders.fills), self._venue.faults())

    def _settle(self) -> None:
        """No more faults; then cancel and close until the venue has nothing open and all agree."""
        self._venue.faulty(on=False)
        deadline = time.monotonic() + _QUIET_S
        next_ask = 0.0
        while time.monotonic() < deadline:
            if time.monotonic() >= next_ask:
                self._session.cancel_all()
                self._session.flatten()
                next_ask = time.monotonic() + 5.0
                self._wait(2.0)
            truth = self._venue.truth()
            if not truth.positions and not disagreements("", self._session.state.orders, truth):
                return
            self._wait(0.2)

    def _end(self) -> None:
        """End the session and wait for its engine: what is recorded is complete once that is gone."""
        pid = self._session.engine_pid
        self._session.close()
        deadline = time.monotonic() + _END_S
        while pid is not None and psutil.pid_exists(pid) and time.monotonic() < deadline:
            time.sleep(_LOOK_S)

    def _compare(self) -> dict[str, Any]:
        state, truth, faults = self._session.state, self._venue.truth(), self._venue.faults()
        recovery = self._troubles.by_kind(self._venue.strikes(), truth)
        found = disagreements("watcher", state.orders, truth)
        found += [f"venue: its books are off by {truth.imbalance}"] if truth.imbalance else []
        found += disagreements("engine", self._engines_own(), truth)
        self._end()
        found += disagreements("recording", _recorded(), truth)
        for each in found[:20]:
            self._report(each)
        return {
            "orders": len(truth.orders),
            "asked": self._trader.asked,
            "denied": len(state.orders.denials),
            "fills": len(truth.fills),
            "faults": faults,
            "disagreements": len(found),
            "disagree": found[:20],
            "recovery_ms": recovery,
            "rss_slope_mb_per_min": _slope(self._memory),
            "events": state.last_event,
            "events_lost": state.events_lost,
        }

    def _engines_own(self) -> OrdersState:
        """What the engine tells from its own journal to somebody who joins only now."""
        self._session.leave()
        (engine,) = engines.running()
        told = self._session.state.last_event
        self._session = StationSession(engine.run, self._open, link=engines.attach(engine.file))
        self._until(lambda: self._session.state.last_event >= told, _START_S)
        return self._session.state.orders

    def _say(self, now: Progress) -> None:
        self._report(
            f"{now.seconds / 60:4.1f} min: {self._trader.asked:,} orders, {now.fills:,} fills, "
            f"{sum(now.faults.values())} faults"
        )

    def _wait(self, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            self._pump()

    def _until(self, done: Callable[[], bool], seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while not done():
            if time.monotonic() > deadline:
                raise UserError(f"The soak's session did not get on: {self._last_words()}")
            self._pump()

    def _last_words(self) -> str:
        lines = [line.text for line in self._session.state.log.lines[-3:]]
        return " ".join(lines) or "it said nothing"

    def _pump(self) -> None:
        session = self._session
        if session.down is not None:
            raise UserError(f"The soak's session ended: {session.down.reason}")
        if not session.pump():
            time.sleep(_LOOK_S)
            return
        if session.phase in (Phase.FAILED, Phase.FINISHED) or session.state.control.halt != HaltStep.NONE:
            raise UserError(f"The soak's session stopped trading: {self._last_words()}")
        self._troubles.look(session.state)
        now = time.monotonic()
        if not self._memory or now - self._memory[-1][0] >= _MEMORY_EVERY_S:
            self._memory.append((now, session.state.health.memory_mb))


def _recorded() -> OrdersState:
    """What the recording of the session says, folded as a watcher folds it."""
    from engine.recording.recording import recordings  # noqa: PLC0415 - Arrow takes a while to load

    found, _ = recordings(recordings_folder(person_settings()))
    state = OrdersState()
    events: list[AnyEvent] = [line.event for line in found[0].lines() if line.event is not None]
    state.apply(events)
    return state


def _slope(samples: list[tuple[float, float]]) -> float:
    """Growth of memory in MB a minute over the second half, in which nothing warms up any more."""
    half = samples[len(samples) // 2 :]
    if len(half) < 10:
        return 0.0
    times, megabytes = np.array(half).T
    return float(np.polyfit((times - times[0]) / 60, megabytes, 1)[0])


def _text(figures: dict[str, Any]) -> str:
    faults = ", ".join(f"{kind} {count}" for kind, count in sorted(figures["faults"].items()))
    recovery = ", ".join(
        f"{kind} {each['p50']:,.0f}/{each['max']:,.0f}" for kind, each in figures["recovery_ms"].items()
    )
    return (
        f"{figures['orders']:,} orders at the venue of {figures['asked']:,} asked for, "
        f"{figures['denied']:,} of them denied here; {figures['fills']:,} executions, "
        f"{figures['events']:,} events told ({figures['events_lost']} lost)\n"
        f"Faults: {faults}\n"
        f"Disagreements: {figures['disagreements']}\n"
        f"All well again after a fault, p50/max in ms: {recovery}\n"
        f"Memory of the engine: {figures['rss_slope_mb_per_min']:+.2f} MB a minute in the second half"
    )
