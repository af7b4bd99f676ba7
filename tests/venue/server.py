"""The venue on its loop: exchange, REST, websockets, the market's clock and the faults, wired together."""

import asyncio
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import msgspec

from engine.feeds.simulated import PROFILES
from engine.session.source import Source
from tests.venue.access import Access, Limits
from tests.venue.answering import Answering
from tests.venue.exchange import Exchange
from tests.venue.faults import KINDS, WAITING, Faults, Kind, schedule
from tests.venue.feed import Update, generated, recorded
from tests.venue.http import HttpServer
from tests.venue.moving import Moving
from tests.venue.setup import (
    BY_HAND,
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
)
from tests.venue.sockets import TRADING, Sockets
from tests.venue.streams import MarketStream
from tests.venue.symbol import SIDES, Symbol
from tests.venue.telling import truth
from tests.venue.user_stream import UserStream

_SKEW_MS = 60_000
_AGAIN_S = 0.05
_TRIES = 100
"""How often a random fault that finds nothing to strike is tried: who was cut off comes back first."""


class Server:
    """One venue, to be opened, told and closed on one event loop."""

    def __init__(self, setup: Setup) -> None:
        self._setup = setup
        self._folder = tempfile.TemporaryDirectory(prefix="venue-")
        try:
            self._source = _source(setup, Path(self._folder.name))
        except BaseException:
            self._folder.cleanup()
            raise
        instrument = self._source.instrument if self._source else BY_HAND
        symbol = Symbol.of(instrument)
        self.faults = Faults()
        self._sockets = Sockets(self._on_message)
        self._user = UserStream(self._sockets, self.faults)
        self.exchange = Exchange([symbol], setup.deposit, self._user.tell)
        limits = Limits(setup.weight_limit, setup.orders_10s, setup.orders_1m)
        self._access = Access(setup.key, setup.secret, limits, self.exchange.now_ms)
        self._market = self.exchange.markets[symbol.name]
        self._stream = MarketStream(self._market, self._sockets)
        self._answering = Answering(
            self.exchange,
            self._access,
            self.faults,
            self._user,
            setup.pause_s,
            lambda _: self._stream.update_id,
        )
        self._http = HttpServer(self._answering.answer)
        self._moving = Moving(self._source, setup.speed)
        self._tasks: list[asyncio.Task[None]] = []
        self._faulting: asyncio.Task[None] | None = None
        self._outages: set[asyncio.Task[None]] = set()
        self._answers: set[asyncio.Task[None]] = set()

    async def open(self) -> Addresses:
        """Listen and start the market."""
        await self._http.open()
        await self._sockets.open()
        self._moving.start(asyncio.get_running_loop().time(), self._apply)
        self._tasks = [asyncio.create_task(self._run_market())]
        if self._setup.fault_seed is not None:
            self._set_faulty(on=True)
        host = "127.0.0.1"
        return Addresses(
            http=f"http://{host}:{self._http.port}",
            ws=f"ws://{host}:{self._sockets.port}",
            trading=f"ws://{host}:{self._sockets.port}/{TRADING}/v1",
            symbols=tuple(self.exchange.markets),
        )

    async def close(self) -> None:
        """Stop everything."""
        self._set_faulty(on=False)
        tasks = [*self._tasks, *self._outages, *self._answers]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._http.close()
        await self._sockets.close()
        self._folder.cleanup()

    def do(self, command: Command) -> Answer:
        """Do what a test asks for."""
        match command:
            case AskTruth():
                return Answer(truth=truth(self.exchange))
            case AskFaults():
                return Answer(
                    faults={str(kind): count for kind, count in self.faults.struck.items() if count},
                    strikes=tuple((ts, str(kind)) for ts, kind in self.faults.log),
                )
            case Inject(kind=kind):
                self.inject(kind)
            case Faulty(on=on):
                self._set_faulty(on=on)
            case Advance(seconds=seconds):
                self._moving.advance(seconds, self._apply)
                self._publish()
            case Show() | Trade():
                self._apply(self._written(command))
                self._publish()
        return Answer()

    def inject(self, kind: Kind) -> bool:
        """Let a fault strike now, or arm it; False where there was nothing that it could strike."""
        if kind in WAITING:
            self.faults.arm(kind)
            return True
        pause_ms = int(self._setup.pause_s * 1000)
        strikes: dict[Kind, Callable[[], object]] = {
            "drop_user": lambda: self._sockets.cut(self._user.sockets()),
            "drop_market": lambda: self._sockets.cut(self._sockets.market()),
            "drop_trading": lambda: self._sockets.cut(self._sockets.trading()),
            "half_open": lambda: self._sockets.silence(self._user.sockets()),
            "listen_key": lambda: self._user.expire(self.exchange.now_ms()),
            "rate_limit": lambda: self._access.refuse_for(pause_ms, 429),
            "ban": lambda: self._access.refuse_for(pause_ms, 418),
            "clock_skew": lambda: _soon(self._skew, self._outages),
            "restart": lambda: _soon(self._restart, self._outages),
        }
        has_struck = strikes[kind]() != 0  # no connection was there to be cut
        if has_struck:
            self.faults.note(kind)
        return has_struck

    async def _skew(self) -> None:
        self.exchange.skew_ms += _SKEW_MS
        try:
            await asyncio.sleep(self._setup.pause_s)
        finally:
            self.exchange.skew_ms -= _SKEW_MS

    async def _restart(self) -> None:
        await self._http.close()
        await self._sockets.close()
        await asyncio.sleep(self._setup.pause_s)
        await self._http.open()
        await self._sockets.open()

    def _set_faulty(self, *, on: bool) -> None:
        if self._faulting is not None:
            self._faulting.cancel()
            self._faulting = None
        if on:
            self._faulting = asyncio.get_running_loop().create_task(self._run_faults())

    async def _run_faults(self) -> None:
        kinds = self._setup.fault_kinds or KINDS
        for wait_s, kind in schedule(self._setup.fault_seed or 0, self._setup.fault_mean_s, kinds):
            await asyncio.sleep(wait_s)
            while self._outages:  # one outage at a time
                await asyncio.sleep(_AGAIN_S)
            for _ in range(_TRIES):
                if self.inject(kind):
                    break
                await asyncio.sleep(_AGAIN_S)

    async def _run_market(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            self._moving.catch_up(loop.time(), self._apply)
            self.exchange.expire_due()
            self._publish()
            await asyncio.sleep(self._setup.depth_ms / 1000)

    def _apply(self, update: Update) -> None:
        self.exchange.apply(self._market.symbol.name, update)

    def _publish(self) -> None:
        self._stream.publish(self.exchange.now_ms())

    def _written(self, command: Show | Trade) -> Update:
        symbol = self._market.symbol

        def price(value: object) -> int:
            return symbol.price(str(value))

        def size(value: Any) -> int:
            return symbol.size(str(value)) if value else 0

        if isinstance(command, Trade):
            return Update(0, trades=((price(command.price), size(command.size), SIDES.index(command.side)),))
        levels = tuple((SIDES.index(side), price(at), size(of)) for side, at, of in command.levels)
        return Update(0, levels, clears=command.clears)

    def _on_message(self, socket: Any, request: dict[str, Any]) -> None:
        if not socket.is_trading:
            self._stream.greet(socket)
        else:
            _soon(lambda: self._answering.trade(socket, request), self._answers)


def _soon(work: Callable[[], Awaitable[None]], running: set[asyncio.Task[None]]) -> None:
    """Start some work and keep it until it is done."""

    async def run() -> None:
        await work()

    task = asyncio.get_running_loop().create_task(run())
    running.add(task)
    task.add_done_callback(running.discard)


def _source(setup: Setup, folder: Path) -> Source | None:
    if setup.market == "hand":
        return None
    if setup.market in PROFILES:
        return generated(setup.market, setup.seed)
    return recorded(Path(setup.market), setup.instrument, folder)


def decoder() -> msgspec.json.Decoder[Command]:
    """Reader of commands that come as text."""
    return msgspec.json.Decoder(Command)
