"""A link without an engine: the frames are pushed by hand, the commands are kept to be looked at.

Widget tests, screenshots and demonstrations run the whole GUI on it, so what they show is deterministic.
"""

import time
from collections import deque
from collections.abc import Iterable

from engine.link.builders import (
    EURUSD,
    HOUR_NS,
    START_NS,
    account,
    depth_column,
    fill,
    frame,
    log,
    market,
    numbered,
    order,
    position,
    results,
    risk,
    rows,
    transport,
)
from engine.link.protocols import LinkDown
from engine.link.script import scripted_session
from engine.link.signal_builders import (
    acted,
    arming,
    explanation,
    judged,
    model_health,
    predictions,
    signal,
)
from engine.link.trading_builders import (
    account_risk,
    arm_state,
    connection,
    control,
    denied,
    halted,
    intent,
    policy_changed,
    preview,
)
from engine.messages.commands import AnyCommand
from engine.messages.frames import Frame

__all__ = [
    "EURUSD",
    "HOUR_NS",
    "START_NS",
    "ScriptedLink",
    "account",
    "account_risk",
    "acted",
    "arm_state",
    "arming",
    "connection",
    "control",
    "denied",
    "depth_column",
    "explanation",
    "fill",
    "frame",
    "halted",
    "intent",
    "judged",
    "log",
    "market",
    "model_health",
    "numbered",
    "order",
    "policy_changed",
    "position",
    "predictions",
    "preview",
    "results",
    "risk",
    "rows",
    "scripted_session",
    "signal",
    "transport",
]


class ScriptedLink:
    """Plays the engine's part: `push` what it should show, read `sent` for what it was asked.

    Attributes
    ----------
    sent : list of commands
        What was sent while the link was up, in order.
    acknowledged : list of int
        Numbers of the frames that were drained, in order.
    closed : bool
        Whether `close` was called.
    """

    def __init__(self, frames: Iterable[Frame] = ()) -> None:
        self.sent: list[AnyCommand] = []
        self.acknowledged: list[int] = []
        self.closed = False
        self._waiting = deque(frames)
        self._down: LinkDown | None = None
        self._silent_since = time.monotonic()

    def push(self, *frames: Frame) -> None:
        """Make frames arrive with the next `drain`."""
        self._waiting.extend(frames)
        self._silent_since = time.monotonic()

    def break_with(self, down: LinkDown) -> None:
        """End the link as a crash, a lost connection or a normal end would."""
        self._down = down

    def fall_silent(self, seconds: float) -> None:
        """Let the last frame be this long ago."""
        self._silent_since = time.monotonic() - seconds

    def send(self, command: AnyCommand) -> None:
        """Keep the command in `sent`; after the link went down do nothing."""
        if self._down is None:
            self.sent.append(command)

    def drain(self) -> list[Frame]:
        """All pushed frames, oldest first."""
        frames = list(self._waiting)
        self._waiting.clear()
        self.acknowledged.extend(frame.number for frame in frames)
        return frames

    @property
    def down(self) -> LinkDown | None:
        """What `break_with` or `close` said; None before."""
        return self._down

    @property
    def silent_s(self) -> float:
        """Seconds since the last `push`."""
        return time.monotonic() - self._silent_since

    def close(self) -> None:
        """End the link as a user would."""
        self.closed = True
        if self._down is None:
            self._down = LinkDown("The session was closed.", [], expected=True)
