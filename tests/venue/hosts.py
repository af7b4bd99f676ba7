"""Where a venue runs: in a thread of the test, or in a process of its own; told the same way in both.

Both stop when the test does: a thread with its `with` block, a process when its input ends (its parent is
gone) and at the latest after its lifetime.
"""

import asyncio
import subprocess
import sys
import threading
from abc import ABC, abstractmethod
from collections.abc import Sequence
from concurrent.futures import Future
from decimal import Decimal
from typing import IO, Literal, Self

import msgspec

from tests.venue.faults import Kind
from tests.venue.server import Server
from tests.venue.setup import (
    Addresses,
    Advance,
    Answer,
    AskFaults,
    AskTruth,
    Command,
    Faulty,
    Inject,
    Setup,
    Show,
    Trade,
    Truth,
)

type Side = Literal["BUY", "SELL"]
type Level = tuple[Side, str, str]

_START_S = 60.0
_STOP_S = 10.0


class Venue(ABC):
    """A running venue; use it in a `with` block."""

    def __init__(self, setup: Setup | None = None) -> None:
        self.setup = setup or Setup()
        self.at: Addresses
        """Where it listens."""

    def __enter__(self) -> Self:
        self.at = self._start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @abstractmethod
    def _start(self) -> Addresses: ...

    @abstractmethod
    def stop(self) -> None:
        """Close everything; may be called again."""

    @abstractmethod
    def _ask(self, command: Command) -> Answer: ...

    def truth(self) -> Truth:
        """The account as the venue has it."""
        found = self._ask(AskTruth()).truth
        assert found is not None
        return found

    def faults(self) -> dict[str, int]:
        """Faults that had an effect, by kind."""
        return self._ask(AskFaults()).faults or {}

    def strikes(self) -> tuple[tuple[int, str], ...]:
        """Each effect of a fault: when (UNIX ns), and of what kind."""
        return self._ask(AskFaults()).strikes

    def inject(self, kind: Kind) -> None:
        """Let a fault strike, now or at its next opportunity (`tests.venue.faults`)."""
        self._ask(Inject(kind))

    def faulty(self, *, on: bool) -> None:
        """Start or stop the random faults of the setup's seed."""
        self._ask(Faulty(on))

    def show(self, *levels: Level, clears: bool = False) -> None:
        """Set levels of the market's book: side, price and size (0 removes it)."""
        self._ask(Show(tuple((side, Decimal(price), Decimal(size)) for side, price, size in levels), clears))

    def trade(self, price: str, size: str, side: Side) -> None:
        """Let others trade; `side` is who took."""
        self._ask(Trade(Decimal(price), Decimal(size), side))

    def advance(self, seconds: float) -> None:
        """Move a market of speed 0 on."""
        self._ask(Advance(seconds))


class ThreadVenue(Venue):
    """In a background thread of this process."""

    def _start(self) -> Addresses:
        self._opened: Future[Addresses] = Future()
        self._thread = threading.Thread(target=self._run, name="venue")
        self._thread.start()
        return self._opened.result(_START_S)

    def stop(self) -> None:
        """Close everything."""
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stopped.set)
            self._thread.join(_STOP_S)

    def _ask(self, command: Command) -> Answer:
        async def do() -> Answer:
            return self._server.do(command)

        return asyncio.run_coroutine_threadsafe(do(), self._loop).result(_STOP_S)

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except BaseException as error:
            if self._opened.done():
                raise
            self._opened.set_exception(error)

    async def _serve(self) -> None:
        self._server = Server(self.setup)
        self._loop, self._stopped = asyncio.get_running_loop(), asyncio.Event()
        self._opened.set_result(await self._server.open())
        try:
            async with asyncio.timeout(self.setup.lifetime_s):
                await self._stopped.wait()
        except TimeoutError:
            pass
        finally:
            await self._server.close()


class ProcessVenue(Venue):
    """In a process of its own: setup and commands are lines of its input, answers of its output."""

    def _start(self) -> Addresses:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.venue"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        self._send(self.setup)
        return msgspec.json.decode(self._line(), type=Addresses)

    def stop(self) -> None:
        """End its input, and wait for it."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        try:
            self._process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()

    @property
    def pid(self) -> int:
        """Its process number."""
        return self._process.pid

    def _ask(self, command: Command) -> Answer:
        self._send(command)
        answer = msgspec.json.decode(self._line(), type=Answer)
        if answer.error:
            raise RuntimeError(answer.error)
        return answer

    def _send(self, message: object) -> None:
        stream: IO[bytes] | None = self._process.stdin
        assert stream is not None
        stream.write(msgspec.json.encode(message) + b"\n")
        stream.flush()

    def _line(self) -> bytes:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError("the venue ended; its own output says why")
        return line


def levels(bid: str, ask: str, size: str = "10", count: int = 5, step: str = "0.01") -> Sequence[Level]:
    """A plain book: `count` levels a side, of equal sizes, from the best prices outwards."""
    found: list[Level] = []
    for at in range(count):
        away = at * Decimal(step)
        found += [("BUY", str(Decimal(bid) - away), size), ("SELL", str(Decimal(ask) + away), size)]
    return found
