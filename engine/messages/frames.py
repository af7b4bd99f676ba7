"""What a session shows: at most one frame per screen refresh, only while the watcher has credit.

Market data in a frame is what came since the last one, conflated where there was too much (and counted);
the book is the latest; events are complete and in order.
"""

import msgspec

from engine.messages.columns import DEPTH, LEVEL, QUOTE, TRADE, Rows, empty
from engine.messages.events import Numbered, Phase
from engine.messages.instrument import Instrument


class Transport(msgspec.Struct, frozen=True, kw_only=True):
    """The session's one clock.

    Attributes
    ----------
    now, start, end : int
        Market time, ns UTC; `now` is the time up to which everything has happened.
    speed : float
        Market seconds per second; 0 is as fast as possible.
    progress : float
        Of a running seek or load, 0 to 1; 0 where there is none.
    loop : tuple of int, or None
        Market times between which the replay repeats.
    """

    phase: Phase
    now: int
    start: int
    end: int
    speed: float
    progress: float = 0.0
    loop: tuple[int, int] | None = None


class Market(msgspec.Struct, frozen=True, kw_only=True):
    """One instrument's news since the last frame; dtypes are those of `engine.messages.columns`.

    `*_conflated` count rows that happened but are left out of `quotes` and `trades`: what is left keeps the
    first, last, lowest and highest price of each stretch, so a chart is true to the pixel.
    """

    instrument: str
    quotes: Rows = msgspec.field(default_factory=lambda: empty(QUOTE))
    trades: Rows = msgspec.field(default_factory=lambda: empty(TRADE))
    depth: Rows = msgspec.field(default_factory=lambda: empty(DEPTH))
    bids: Rows = msgspec.field(default_factory=lambda: empty(LEVEL))
    asks: Rows = msgspec.field(default_factory=lambda: empty(LEVEL))
    quotes_conflated: int = 0
    trades_conflated: int = 0


class Risk(msgspec.Struct, frozen=True, kw_only=True):
    """One instrument's risk now, marked at the mid price; money is in `currency`.

    `position` is signed; `exposure` is |position| x mid; `drawdown` is equity below its peak (<= 0);
    `fees` is what was paid so far, positive.
    """

    instrument: str
    currency: str
    position: float
    average_open: float | None
    exposure: float
    realised_pnl: float
    unrealised_pnl: float
    equity: float
    drawdown: float
    max_drawdown: float
    fees: float


class Health(msgspec.Struct, frozen=True, kw_only=True):
    """How the engine is doing; every number is since the session's start where not said otherwise.

    Attributes
    ----------
    lag_ms : float
        How far the session's clock is behind where its speed says it should be (or the feed's age, live).
    loop_ms : float
        Longest turn of the engine's loop since the last frame.
    events_queued : int
        Events waiting for credit when this frame was made.
    oldest_tick_ns : int
        `time.monotonic_ns()` at which the oldest tick in this frame was processed; 0 without ticks.
    """

    ticks: int = 0
    ticks_per_s: float = 0.0
    lag_ms: float = 0.0
    loop_ms: float = 0.0
    conflated: int = 0
    events_queued: int = 0
    memory_mb: float = 0.0
    oldest_tick_ns: int = 0


class Frame(msgspec.Struct, frozen=True, kw_only=True):
    """One picture of the session.

    `epoch` counts the runs of a session: it grows when a seek back starts the run anew, and whoever keeps a
    copy of the session drops it then; the frames that follow rebuild it. `instruments` is set in the first
    frame of an epoch.
    """

    number: int
    epoch: int
    transport: Transport
    markets: list[Market] = []
    risks: list[Risk] = []
    events: list[Numbered] = []
    health: Health = Health()
    instruments: list[Instrument] = []
