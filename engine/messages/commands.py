"""What a person or a program asks of a session."""

from enum import StrEnum

import msgspec

from engine.messages.run import Arming


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
    | Stop
    | Attach
    | Acknowledge
)
