"""What a person or a program asks of a session."""

from decimal import Decimal
from enum import StrEnum
from typing import Literal

import msgspec

from engine.messages.limits import RiskPolicy
from engine.messages.orders import Contingency, OrderIntent, Sizing
from engine.messages.run import Arming, ArmState


class Step(StrEnum):
    """What one step advances to: the next of these, then pause."""

    TICK = "tick"
    BOOK = "book"
    BAR = "bar"
    ORDER = "order"
    FILL = "fill"


class Command(msgspec.Struct, frozen=True, tag_field="do"):
    """Base of all commands."""


class Play(Command, frozen=True, tag="play"):
    """Run on at the set speed."""


class Pause(Command, frozen=True, tag="pause"):
    """Stop the session's clock; nothing is lost."""


class SetSpeed(Command, frozen=True, tag="speed"):
    """Market seconds per second of the wall clock, 0.1 to 1000; 0 is as fast as possible."""

    factor: float


class StepTo(Command, frozen=True, tag="step"):
    """Advance to the next thing of this kind and pause there."""

    unit: Step


class Seek(Command, frozen=True, tag="seek"):
    """Go to a market time; backwards re-runs the session from its start, deterministically."""

    ts: int


class CancelSeek(Command, frozen=True, tag="cancel_seek"):
    """Stop a running seek where it is, paused."""


class SetLoop(Command, frozen=True, tag="loop"):
    """Repeat between two market times; both None ends the loop."""

    start_ns: int | None
    end_ns: int | None


class Finish(Command, frozen=True, tag="finish"):
    """Run to the end at full speed and report the results."""


class SetArming(Command, frozen=True, tag="arming"):
    """Let the run's model trade, only show its signals, or neither; from now on."""

    mode: Arming


class Explain(Command, frozen=True, tag="explain"):
    """Say why the model said what it said in its newest row at or before this market time.

    The answer is `Frame.explanation`; a later question replaces an earlier one.
    """

    ts: int


class Submit(Command, frozen=True, kw_only=True, tag="submit"):
    """Place orders by hand; `request` is made by whoever asks, and one that was seen before does nothing.

    So a request may be sent again where it is not known whether it arrived, and never trades twice.
    """

    request: str
    intents: tuple[OrderIntent, ...]
    contingency: Contingency = "none"


class Preview(Command, frozen=True, kw_only=True, tag="preview"):
    """Say what a request would come to; the answer is `Frame.preview`, a later question replaces it."""

    request: str
    intents: tuple[OrderIntent, ...]
    contingency: Contingency = "none"
    sizing: Sizing | None = None


class Modify(Command, frozen=True, kw_only=True, tag="modify"):
    """Change a working order, whoever placed it; None leaves as it is."""

    order_id: str
    quantity: Decimal | None = None
    price: Decimal | None = None
    trigger: Decimal | None = None


class Cancel(Command, frozen=True, tag="cancel"):
    """Cancel a working order, whoever placed it."""

    order_id: str


class CancelAll(Command, frozen=True, tag="cancel_all"):
    """Cancel all working orders of an instrument; empty is of all."""

    instrument: str = ""


class Flatten(Command, frozen=True, tag="flatten"):
    """Cancel all working orders of an instrument and close its position at market; empty is all."""

    instrument: str = ""


class Reverse(Command, frozen=True, tag="reverse"):
    """Cancel all working orders of an instrument and turn its position round at market."""

    instrument: str


class BreakEven(Command, frozen=True, tag="break_even"):
    """Move the stop of an instrument's position to where it loses nothing, fees included."""

    instrument: str


class SetStop(Command, frozen=True, kw_only=True, tag="set_stop"):
    """Have the stop of the hand's position moved as bars close, and only ever towards the market.

    Attributes
    ----------
    kind : str
        `atr`: `multiple` average true ranges of `period` bars from the close; `chandelier`: as many from the
        best price since the entry; `break-even`: to where nothing is lost, fees included, once a bar closes
        `distance_bps` in profit; `none`: it stays where it is.
    """

    instrument: str
    kind: Literal["none", "atr", "chandelier", "break-even"]
    period: int = 14
    multiple: Decimal = Decimal(3)
    distance_bps: Decimal = Decimal(20)


class SetArmState(Command, frozen=True, kw_only=True, tag="arm"):
    """Let orders pass, or not: `live` needs the account's name, and ends by itself after a time."""

    state: ArmState
    account: str = ""


class SetPolicy(Command, frozen=True, tag="policy"):
    """Put these limits in force at once."""

    policy: RiskPolicy


class Kill(Command, frozen=True, tag="kill"):
    """Cancel all, block what is new, flatten, see that it is flat, and stay halted."""

    reason: str = ""


class Rearm(Command, frozen=True, tag="rearm"):
    """Let orders pass again after a halt; `confirmation` is the account's name, typed."""

    confirmation: str


class Stop(Command, frozen=True, tag="stop"):
    """End the session and its process."""


class Attach(Command, frozen=True, tag="attach"):
    """A watcher (again) joins: send all events after `last_event`, and the market data so far.

    Also the answer to a gap in the events' numbers.
    """

    last_event: int = 0


class Acknowledge(Command, frozen=True, tag="ack"):
    """The frame of this number was applied: one credit back."""

    frame: int


type AnyCommand = (
    Play
    | Pause
    | SetSpeed
    | StepTo
    | Seek
    | CancelSeek
    | SetLoop
    | Finish
    | SetArming
    | Explain
    | Submit
    | Preview
    | Modify
    | Cancel
    | CancelAll
    | Flatten
    | Reverse
    | BreakEven
    | SetStop
    | SetArmState
    | SetPolicy
    | Kill
    | Rearm
    | Stop
    | Attach
    | Acknowledge
)
