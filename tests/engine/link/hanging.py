"""A session whose strategy does not come back, in one of several ways; it holds a position until it halts.

Run as a program it is an engine process around that session. The run's strategy names the way.
"""

import hashlib
import socket
import sys
import time
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Final

from engine.callbacks import Shield, StrategyInterrupted, callbacks
from engine.link.builders import START_NS
from engine.link.endpoint import Secrets
from engine.link.host import host
from engine.link.protocols import Session
from engine.messages.commands import AnyCommand
from engine.messages.events import HaltChanged, HaltStep, Logged, OrderChanged, PositionChanged
from engine.messages.run import Run
from tests.engine.link.fakes import FakeSession

STUCK_S: Final = 1.5


def loop() -> None:
    while True:
        pass


def sleep() -> None:
    time.sleep(3600)


def wait_for_a_socket() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.recv(1)


def never_stop() -> None:
    while True:
        try:
            sleep()
        except BaseException:  # noqa: BLE001, S112 - as careless as strategies are
            continue


WAYS: Final[Mapping[str, Callable[[], None]]] = {
    "loop": loop,
    "sleep": sleep,
    "socket": wait_for_a_socket,
    "deaf": never_stop,
}


class HangingSession(FakeSession):
    """Hangs once it plays, and is long and has an order at work until it is halted."""

    def __init__(self, way: str) -> None:
        super().__init__()
        self._hang = WAYS.get(way)
        self._callbacks = callbacks()
        self._halted = False
        self._events += [held("2"), order("ACCEPTED")]

    def advance(self, seconds: float) -> bool:
        fired = self.kill_switch.pending
        if fired is not None and not self._halted:
            self._halted = True
            self._events += [order("CANCELED"), held("0")]
            for step in (HaltStep.CANCELLING, HaltStep.FLATTENING, HaltStep.VERIFYING, HaltStep.HALTED):
                self._events.append(
                    HaltChanged(ts=START_NS, step=step, by=fired.by, reason=fired.reason, text="So it is.")
                )
        busy = super().advance(seconds)
        if busy and self._hang is not None:
            self._call(self._hang)
        return busy

    def _call(self, callback: Callable[[], None]) -> None:
        here = self._callbacks
        try:
            try:
                here.entered += 1
                here.running, here.interruptible = "on_quote", True
                callback()
            finally:
                here.left("", interruptible=False)
        except StrategyInterrupted:
            here.left("", interruptible=False)
            self._hang = None
            with Shield(here):
                self._events.append(Logged(ts=START_NS, level="error", source="strategy", text=here.sentence))


def held(quantity: str) -> PositionChanged:
    return PositionChanged(
        ts=START_NS,
        position_id="P-1",
        instrument="EURUSD.SIM",
        strategy="S-001",
        quantity=Decimal(quantity),
        average_open=Decimal("1.1"),
        average_close=None,
        realised_pnl=Decimal(0),
        currency="USD",
        opened_ns=START_NS,
        closed_ns=None,
    )


def order(status: str) -> OrderChanged:
    return OrderChanged(
        ts=START_NS,
        order_id="O-1",
        instrument="EURUSD.SIM",
        strategy="S-001",
        side="BUY",
        type="LIMIT",
        quantity=Decimal(1),
        filled=Decimal(0),
        price=Decimal("1.1"),
        trigger=None,
        average_price=None,
        status=status,
    )


class TellingSession(FakeSession):
    """Tells a hash of what it was told at its making, and whether that is there still."""

    def __init__(self, secrets: Secrets) -> None:
        super().__init__()
        self._secrets = secrets
        self.tell(hashlib.sha256(secrets["demo"]["key"].encode()).hexdigest())

    def tell(self, text: str) -> None:
        self._events.append(Logged(ts=START_NS, level="info", source="fake", text=text))

    def handle(self, command: AnyCommand) -> None:
        self.tell(f"{len(self._secrets)} secrets are left")


def make_session(run: Run, secrets: Secrets | None = None) -> Session:
    if run.strategy == "telling":
        return TellingSession(secrets or {})
    if run.strategy == "slow":
        time.sleep(1.0)
    if run.strategy == "broken":
        raise RuntimeError("the fake was asked to crash")
    return HangingSession(run.strategy)


if __name__ == "__main__":
    sys.exit(host(make_session, stuck_s=STUCK_S))
