"""A session that counts: the market is a counter, every event says its own number, trouble comes on demand.

Run as a program it is an engine process around that session.
"""

import sys
import time
from collections.abc import Callable

from engine.errors import UserError
from engine.link.builders import EURUSD, START_NS, market, transport
from engine.link.endpoint import Secrets
from engine.link.host import host
from engine.link.protocols import Picture, Session
from engine.messages.commands import AnyCommand, Pause, Play, Seek, SetSpeed
from engine.messages.events import AnyEvent, Logged, Phase, PhaseChanged, Refused
from engine.messages.frames import Health, Market
from engine.messages.run import Run
from engine.risk.kill import KillSwitch

CRASH, HANG, MEND, CHATTER = 1, 2, 3, 4
"""Market times to seek that make the fake misbehave."""


def until(condition: Callable[[], object], what: str, timeout_s: float = 10.0) -> None:
    """Wait for a condition; fails with `what` was waited for."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, f"waited {timeout_s} s for {what}"
        time.sleep(0.002)


class FakeSession:
    """Ticks while it plays; `SetSpeed(n)` emits n log events whose texts count on from 1."""

    def __init__(self, quotes_per_picture: int = 1_000) -> None:
        self.commands: list[AnyCommand] = []
        self.pictures = 0
        self.turns = 0
        self.rewatched = 0
        self.closed = False
        self.kill_switch = KillSwitch()
        self.ticks = 0
        self._ticks_shown = 0
        self._playing = False
        self._history = 0
        self._said = 0
        self._limit = quotes_per_picture
        self._events: list[AnyEvent] = [PhaseChanged(ts=START_NS, phase=Phase.PAUSED)]

    def handle(self, command: AnyCommand) -> None:
        self.commands.append(command)
        match command:
            case Play():
                self._playing = True
            case Pause():
                self._playing = False
            case SetSpeed(count):
                self.say(int(count))
            case Seek(trouble):
                self._misbehave(trouble)
            case _:
                self._events.append(
                    Refused(ts=START_NS, command=type(command).__name__, text="not in a fake")
                )

    def say(self, count: int) -> None:
        for _ in range(count):
            self._said += 1
            self._events.append(Logged(ts=START_NS, level="info", source="fake", text=str(self._said)))

    def _misbehave(self, trouble: int) -> None:
        match trouble:
            case 1:
                raise RuntimeError("the fake was asked to crash")
            case 2:
                time.sleep(3600)
            case 3:
                raise UserError("The file ends early; import it again.")
            case 4:
                for line in range(50):
                    print(f"log line {line}", flush=True)

    def advance(self, seconds: float) -> bool:
        self.turns += 1
        if self._playing:
            self.ticks += 500
            time.sleep(min(seconds, 0.002))
        return self._playing

    def take_events(self) -> list[AnyEvent]:
        taken, self._events = self._events, []
        return taken

    def take_picture(self) -> Picture:
        self.pictures += 1
        self._history = max(0, self._history - 1)
        if self._history:
            return self._picture(market(quotes=[(START_NS, 1.1, 1.2, 1.0, 1.0)]))
        fresh = self.ticks - self._ticks_shown
        shown = min(fresh, self._limit)
        self._ticks_shown = self.ticks
        first = self.ticks - shown
        news = market(
            quotes=[(START_NS + i, 1.1, 1.2, 1.0, 1.0) for i in range(first, self.ticks)],
            quotes_conflated=fresh - shown,
        )
        return self._picture(news)

    def _picture(self, news: Market) -> Picture:
        return Picture(
            epoch=1,
            transport=transport(
                phase=Phase.PLAYING if self._playing else Phase.PAUSED, now=START_NS + self.ticks
            ),
            markets=[news],
            risks=[],
            health=Health(ticks=self.ticks),
            instruments=[EURUSD] if self.pictures == 1 else [],
        )

    def rewatch(self) -> None:
        self.rewatched += 1
        self._history = 6
        self._ticks_shown = 0

    def close(self) -> None:
        self.closed = True


def make_session(run: Run, _secrets: Secrets | None = None) -> Session:
    if run.strategy == "unknown":
        raise UserError("Unknown strategy 'unknown'; choose none.")
    return FakeSession()


if __name__ == "__main__":
    sys.exit(host(make_session))
