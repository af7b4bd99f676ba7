"""One session as the program drives it: its link, its state, its life.

Qt-free. The frame clock calls `pump`; the window calls what a person asks for and shows `notice`.
"""

import time
import uuid
from bisect import bisect_left
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Final, Literal

import msgspec
import numpy as np
import numpy.typing as npt

from app.state.log import LogState
from app.state.session import SessionState
from engine.link.process import ProcessLink
from engine.link.protocols import Link, LinkDown
from engine.link.thread import ThreadLink
from engine.messages.commands import (
    AnyCommand,
    Attach,
    BreakEven,
    Cancel,
    CancelAll,
    CancelSeek,
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
    Step,
    StepTo,
    Submit,
)
from engine.messages.events import Phase
from engine.messages.limits import RiskPolicy
from engine.messages.orders import Contingency, OrderIntent, Sizing
from engine.messages.run import Arming, ArmState, Run

SILENCE_S: Final = 3.0
"""After this long without a sign of life the window says so."""

_ALL_BARS: Final = 2**40
_LAST_LINES: Final = 20
_LEFT_OPEN: Final = " Orders may still work and positions may be open"
_RUNNING: Final = frozenset({Phase.PLAYING, Phase.SEEKING, Phase.LOADING})


class Notice(msgspec.Struct, frozen=True):
    """What a person should know about the session's connection: one sentence, and the engine's log lines."""

    cause: Literal["end", "crash", "silence"]
    text: str
    details: list[str] = []


class Moment(msgspec.Struct, frozen=True):
    """Where a session stands, to be taken up again after a restart; `now` of 0 is its start."""

    now: int
    speed: float
    plays: bool


class StationSession:
    """A run being watched.

    Parameters
    ----------
    run : Run
        What runs; `restart` runs it again.
    open_link : callable
        Hosts a run and gives the link to it.
    link : Link or None
        Link to an engine that runs already; None has one opened.
    wall_clock : callable
        Seconds since the epoch, local time for the silence notice.

    Attributes
    ----------
    state : SessionState
        Replaced by `restart`, which keeps only its log.
    """

    def __init__(
        self,
        run: Run,
        open_link: Callable[[Run], Link],
        *,
        link: Link | None = None,
        wall_clock: Callable[[], float] = time.time,
    ) -> None:
        self.run = run
        self.state = SessionState()
        self._open_link = open_link
        self._wall_clock = wall_clock
        self._link = link or open_link(run)
        self._asked_for = -1
        self._closed = False
        self._down_since_s = 0.0

    # Life

    def pump(self) -> bool:
        """Apply the frames that arrived; False where there were none."""
        frames = self._link.drain()
        for frame in frames:
            self.state.apply(frame)
        if self.state.event_gap and self._asked_for != self.state.last_event:
            self._asked_for = self.state.last_event
            self._link.send(Attach(self.state.last_event))
        return bool(frames)

    def restart(self, run: Run | None = None) -> None:
        """End this run and start it (or another one) from its beginning; the log is kept."""
        _end(self._link)
        log: LogState = self.state.log
        self.run = run or self.run
        self.state = SessionState(log)
        self._asked_for = -1
        self._down_since_s = 0.0
        self._link = self._open_link(self.run)

    def close(self) -> None:
        """End the session; the last call."""
        self._closed = True
        _end(self._link)

    def leave(self) -> None:
        """Leave the engine to its rule, which may be to run on; the last call in place of `close`."""
        self._closed = True
        if isinstance(self._link, ProcessLink):
            self._link.detach()
        else:
            self._link.close()

    @property
    def engine_pid(self) -> int | None:
        """Process of the engine; None where it has none of its own."""
        return self._link.pid if isinstance(self._link, ProcessLink) else None

    @property
    def kill_name(self) -> str | None:
        """Name by which other processes reach the session's kill switch; None where they cannot."""
        return self._link.id if isinstance(self._link, ProcessLink | ThreadLink) else None

    @property
    def down(self) -> LinkDown | None:
        """Why the link ended; None while it is up."""
        return self._link.down

    @property
    def down_text(self) -> str:
        """Why the link ended, and what that may have left at a venue; empty while it is up."""
        reason = "" if self.down is None else self.down.reason
        return reason if not reason or self.phase == Phase.LOADING else self._with_what_is_left(reason)

    @property
    def failed_text(self) -> str:
        """What a session that failed says of it, and what that may have left at a venue."""
        return self._with_what_is_left(self.state.phase_text or "The session failed; its log says why.")

    def _with_what_is_left(self, reason: str) -> str:
        if self.run.mode != "live" or _LEFT_OPEN in reason:
            return reason
        return f"{reason}{_LEFT_OPEN}: look at the venue."

    @property
    def shares_our_process(self) -> bool:
        """Whether the engine runs in a thread of this process."""
        return isinstance(self._link, ThreadLink)

    @property
    def notice(self) -> Notice | None:
        """What is wrong with the connection; None where nothing is."""
        if self._closed:
            return None
        if (down := self._link.down) is not None:
            if down.expected:
                return Notice("end", "The session has ended; restart it to watch it again.")
            return Notice("crash", self.down_text, down.log_tail or self._last_lines())
        if (silent := self._link.silent_s) > SILENCE_S:
            since = datetime.fromtimestamp(self._wall_clock() - silent).astimezone()
            return Notice(
                "silence",
                f"The engine has not answered since {since:%H:%M:%S} ({silent:.0f} s); "
                "wait, or restart the session.",
            )
        return None

    def _last_lines(self) -> list[str]:
        """What the engine said last in the session, for one that left nothing in its own log."""
        lines = self.state.log.lines[-_LAST_LINES:]
        return [
            f"{datetime.fromtimestamp(line.ts // 1_000_000_000, UTC):%H:%M:%S} {line.level} {line.text}"
            for line in lines
        ]

    @property
    def stale_s(self) -> float | None:
        """Seconds for which what is shown is old: no answer, or the link is down; None where it is not."""
        if self._link.down is not None:
            self._down_since_s = self._down_since_s or self._wall_clock()
            return self._wall_clock() - self._down_since_s
        silent = self._link.silent_s
        return silent if silent > SILENCE_S else None

    # Transport

    @property
    def phase(self) -> Phase:
        """Where the session is in its life."""
        return self.state.transport.phase if self.state.transport else Phase.LOADING

    @property
    def now(self) -> int:
        """Market time, ns UTC; 0 before the first frame."""
        return self.state.transport.now if self.state.transport else 0

    def send(self, command: AnyCommand) -> None:
        """Pass any command on."""
        self._link.send(command)

    def play(self) -> None:
        """Run on; a session that still loads plays when it is ready, and a live market runs by itself."""
        if self.run.mode == "replay":
            self.send(Play())

    def toggle_play(self) -> None:
        """Pause what runs, run what is paused."""
        self.send(Pause() if self.phase in _RUNNING else Play())

    def step(self, unit: Step) -> None:
        """Advance to the next thing of this kind and pause there."""
        self.send(StepTo(unit))

    def step_back(self, unit: Step) -> bool:
        """Go back to the previous thing of this kind; False where there is none before now.

        Ticks and books are those that the window holds; where frames conflated some, the step is longer.
        """
        target = self._before(unit)
        if target is not None:
            self.seek(target)
        return target is not None

    def seek(self, ts: int) -> None:
        """Go to a market time inside the run; further asks while one is under way replace it."""
        if self.state.transport is not None:
            ts = min(max(ts, self.state.transport.start), self.state.transport.end)
        self.send(Seek(ts))

    def seek_start(self) -> None:
        """Go to the run's first moment."""
        if self.state.transport is not None:
            self.seek(self.state.transport.start)

    def cancel_seek(self) -> None:
        """Stop a running seek where it is."""
        self.send(CancelSeek())

    def set_speed(self, factor: float) -> None:
        """Market seconds per second; 0 is as fast as possible."""
        self.send(SetSpeed(factor))

    @property
    def moment(self) -> Moment | None:
        """Where it stands; None before the first frame."""
        transport = self.state.transport
        if transport is None:
            return None
        now = transport.now if transport.now > transport.start else 0
        return Moment(now, transport.speed, transport.phase in _RUNNING)

    def resume(self, moment: Moment) -> None:
        """Go on as another session stood, or this one before its restart; a live market stands nowhere."""
        if self.run.mode != "replay":
            return
        self.set_speed(moment.speed)
        if moment.now:
            self.seek(moment.now)
        if moment.plays:
            self.play()

    def set_arming(self, mode: Arming) -> None:
        """Let the run's models trade, only show their signals, or neither."""
        self.send(SetArming(mode))

    def set_loop(self, start_ns: int | None, end_ns: int | None) -> None:
        """Repeat between two market times; None ends the loop."""
        self.send(SetLoop(start_ns, end_ns))

    def finish(self) -> None:
        """Run to the end at full speed and report the results."""
        self.send(Finish())

    # Trading

    def submit(self, intents: Sequence[OrderIntent], contingency: Contingency = "none") -> str:
        """Place orders by hand; returns the request, by which their events are known."""
        request = uuid.uuid4().hex
        self.send(Submit(request=request, intents=tuple(intents), contingency=contingency))
        return request

    def preview(
        self,
        intents: Sequence[OrderIntent],
        contingency: Contingency = "none",
        sizing: Sizing | None = None,
    ) -> str:
        """Ask what orders would come to; the answer is `state.preview` of the request returned."""
        request = uuid.uuid4().hex
        self.send(Preview(request=request, intents=tuple(intents), contingency=contingency, sizing=sizing))
        return request

    def modify(
        self,
        order_id: str,
        *,
        quantity: Decimal | None = None,
        price: Decimal | None = None,
        trigger: Decimal | None = None,
    ) -> None:
        """Change a working order; None leaves as it is."""
        self.send(Modify(order_id=order_id, quantity=quantity, price=price, trigger=trigger))

    def cancel(self, order_id: str) -> None:
        """Cancel a working order."""
        self.send(Cancel(order_id))

    def cancel_all(self, instrument: str = "") -> None:
        """Cancel all working orders of an instrument; empty is of all."""
        self.send(CancelAll(instrument))

    def flatten(self, instrument: str = "") -> None:
        """Cancel all working orders of an instrument and close its position; empty is all."""
        self.send(Flatten(instrument))

    def reverse(self, instrument: str) -> None:
        """Turn the position of an instrument round."""
        self.send(Reverse(instrument))

    def break_even(self, instrument: str) -> None:
        """Move the stop of a position to where it loses nothing."""
        self.send(BreakEven(instrument))

    def arm(self, state: ArmState, account: str = "") -> None:
        """Let orders pass, or not; `live` needs the account's name."""
        self.send(SetArmState(state=state, account=account))

    def set_policy(self, policy: RiskPolicy) -> None:
        """Put these limits in force at once."""
        self.send(SetPolicy(policy))

    def kill(self, reason: str = "") -> None:
        """Cancel all, block what is new, flatten, and stay halted."""
        self.send(Kill(reason))

    def rearm(self, confirmation: str) -> None:
        """Let orders pass again after a halt; `confirmation` is the account's name, typed."""
        self.send(Rearm(confirmation))

    def _before(self, unit: Step) -> int | None:
        match unit:
            case Step.FILL:
                return _latest_before([fill.ts for fill in self.state.orders.fills], self.now)
            case Step.ORDER:
                return _latest_before([order.ts for order in self.state.orders.orders.values()], self.now)
            case Step.BAR:
                return self._bar_before(self.now)
            case _:
                return self._tick_before(self.now)

    def _bar_before(self, now: int) -> int | None:
        market = next(iter(self.state.markets.values()), None)
        if market is None or self.state.transport is None:
            return None
        bars = market.bars(self.run.bar).candles(self.state.transport.start, now, _ALL_BARS)
        return _latest_before(bars["ts"], now)

    def _tick_before(self, now: int) -> int | None:
        # The latest tick has happened already, so going back means to the one before it.
        tapes = [tape.rows["ts"] for m in self.state.markets.values() for tape in (m.quotes, m.trades)]
        latest = [ts for tape in tapes if (ts := _latest_before(tape, now + 1)) is not None]
        if not latest:
            return None
        earlier = [ts for tape in tapes if (ts := _latest_before(tape, max(latest))) is not None]
        return max(earlier, default=None)


def _end(link: Link) -> None:
    # An engine that another window spawned would outlive a mere `close`.
    if isinstance(link, ProcessLink):
        link.end()
    else:
        link.close()


def _latest_before(times: Sequence[int] | npt.NDArray[np.int64], limit: int) -> int | None:
    """Latest of the ascending times that is earlier than the limit."""
    index = bisect_left(times, limit)
    return int(times[index - 1]) if index else None
