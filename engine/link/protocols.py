"""The two ends of a link: what hosts a session, and what talks to it."""

from typing import Protocol

import msgspec

from engine.messages.commands import AnyCommand
from engine.messages.events import AnyEvent
from engine.messages.frames import (
    Control,
    Explanation,
    Frame,
    Health,
    Market,
    ModelHealth,
    Predictions,
    Recorder,
    Risk,
    Transport,
)
from engine.messages.instrument import Instrument
from engine.messages.limits import AccountRisk
from engine.messages.orders import OrderPreview
from engine.risk.kill import KillSwitch


class Picture(msgspec.Struct, frozen=True, kw_only=True):
    """A session's side of a frame: the market since the last picture, the latest risk, and the clock."""

    epoch: int
    transport: Transport
    markets: list[Market]
    risks: list[Risk]
    health: Health
    instruments: list[Instrument] = []
    predictions: list[Predictions] = []
    models: list[ModelHealth] = []
    explanation: Explanation | None = None
    recorder: Recorder = Recorder()
    control: Control = Control()
    account_risk: AccountRisk | None = None
    preview: OrderPreview | None = None


class Session(Protocol):
    """What runs inside the engine: all calls come from the one thread that made it."""

    @property
    def kill_switch(self) -> KillSwitch:
        """What any thread may fire; `advance` takes it from there, also where it has nothing else to do."""

    def handle(self, command: AnyCommand) -> None:
        """Carry a command out, or emit `Refused`; never raises for what a user can cause."""

    def advance(self, seconds: float) -> bool:
        """Work for at most about this long; False where there is nothing to do until the next command.

        A session that plays more slowly than it could waits for its clock in here (never longer than
        `seconds`) and returns True.
        """

    def take_events(self) -> list[AnyEvent]:
        """Events since the last call, in order."""

    def take_picture(self) -> Picture:
        """The market since the last picture; conflates what is too much for one frame and counts it."""

    def rewatch(self) -> None:
        """A watcher joined again: the next pictures hold the market data so far, from the start of the epoch.

        The first of them names the instruments again, which tells the watcher to drop its copy of the market.
        """

    def close(self) -> None:
        """Free the engine; the last call."""


class LinkDown(msgspec.Struct, frozen=True):
    """Why a link ended: in whole sentences, to be shown as they are, and the engine's last log lines."""

    reason: str
    log_tail: list[str]
    expected: bool


class Link(Protocol):
    """What talks to a hosted session; every method is called from one thread and none blocks."""

    def send(self, command: AnyCommand) -> None:
        """Queue a command for the session; after the link went down it does nothing."""

    def drain(self) -> list[Frame]:
        """Frames that arrived since the last call, oldest first, each acknowledged by being drained."""

    @property
    def down(self) -> LinkDown | None:
        """Why the link ended; None while it is up."""

    @property
    def silent_s(self) -> float:
        """Seconds for which the engine could have sent a frame or heartbeat, and did not.

        0 before the first frame (it is loading) and while frames wait to be drained.
        """

    def close(self) -> None:
        """End the session (where it is hosted here) and free threads and processes; the last call."""
