"""What a session shows: at most one frame per screen refresh, only while the watcher has credit.

Market data in a frame is what came since the last one, conflated where there was too much (and counted);
the book is the latest; events are complete and in order.
"""

from typing import Literal

import msgspec

from engine.messages.columns import DEPTH, LEVEL, PREDICTION, QUOTE, TRADE, Rows, empty
from engine.messages.events import Direction, HaltStep, Numbered, Phase
from engine.messages.instrument import Instrument
from engine.messages.limits import AccountRisk
from engine.messages.orders import OrderPreview
from engine.messages.run import Arming, ArmState, InferenceMode, Mode


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


class Recorder(msgspec.Struct, frozen=True, kw_only=True):
    """How the recording of the session is doing; counts are since the session's start.

    Attributes
    ----------
    state : str
        `off` (nothing is recorded), `recording`, `capped` (the size cap is reached: the oldest market data
        make room for new) or `stopped` (it failed, see `text`; the session goes on).
    folder : str
        The recording's folder.
    bytes_written, cap_bytes : int
        Size on disk now and the size it may have; a cap of 0 is none.
    rows, events : int
        Rows of market data and events written.
    rows_lost : int
        Rows that are not, or no longer, in the recording: made room for others, or came faster than the disk.
    text : str
        Why it is in its state, one sentence with the next step; empty while all is well.
    """

    state: Literal["off", "recording", "capped", "stopped"] = "off"
    folder: str = ""
    bytes_written: int = 0
    cap_bytes: int = 0
    rows: int = 0
    events: int = 0
    rows_lost: int = 0
    text: str = ""


class CalibrationBin(msgspec.Struct, frozen=True):
    """Rows whose side was given about the same probability.

    `predicted` is the mean of these probabilities, `realised` the share of the rows whose side came.
    """

    predicted: float
    realised: float
    count: int


class Outcomes(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a model's rows and signals whose horizon has passed; conflation leaves none of them out.

    A row's *side* is the sign of its score. It came where the price at the horizon lay beyond the label's
    flat zone on that side.

    Attributes
    ----------
    rows : int
        Rows judged; those without a side are not among them.
    signals, hits : int
        Entries judged, and those whose side came.
    expected : float or None
        Mean probability that the model gave the judged entries' sides; None of a regression.
    bins : list of CalibrationBin
        By probability in ten equal steps, ascending, those without rows left out; empty of a regression.
    brier, ece : float or None
        Mean squared difference between probability and outcome, and mean distance of the bins from the
        diagonal, weighted by count.
    correlation : float or None
        Pearson's, between scores and relative price changes to the horizon.
    """

    rows: int = 0
    signals: int = 0
    hits: int = 0
    expected: float | None = None
    bins: list[CalibrationBin] = []
    brier: float | None = None
    ece: float | None = None
    correlation: float | None = None


class Predictions(msgspec.Struct, frozen=True, kw_only=True):
    """What the run's model said of one instrument since the last frame; dtype `columns.PREDICTION`.

    `conflated` counts rows that are left out; those kept hold the first, last, lowest and highest score of
    each stretch.

    Attributes
    ----------
    enter, exit : float or None
        Thresholds that the strategy compares a side's probability (or score) with; None where no strategy
        acts on the model.
    outcomes : Outcomes or None
        Since the epoch's start; None where the model has no horizon to judge it by.
    """

    instrument: str
    rows: Rows = msgspec.field(default_factory=lambda: empty(PREDICTION))
    conflated: int = 0
    enter: float | None = None
    exit: float | None = None
    outcomes: Outcomes | None = None


class Stage(msgspec.Struct, frozen=True):
    """Durations of one step from a tick to an order, since the epoch's start, in µs; NaN before the first."""

    name: Literal["feature", "queue", "inference", "signal-to-order"]
    count: int
    p50_us: float
    p99_us: float


class InputHealth(msgspec.Struct, frozen=True):
    """One input column beside what the model was trained on.

    Attributes
    ----------
    nans, out_of_range : int
        Rows without a value, and rows beyond the range of training.
    psi : float or None
        Population stability index against the passport's training bins: below 0.1 alike, above 0.25 drifted;
        None where the passport has no bins or too few rows were seen.
    """

    column: str
    nans: int = 0
    out_of_range: int = 0
    psi: float | None = None


class ModelHealth(msgspec.Struct, frozen=True, kw_only=True):
    """How one model of the run is doing; counts are since the epoch's start.

    Attributes
    ----------
    reason : str
        Why it is in its arming, where a rule put it there.
    warm : bool
        Whether all features have passed their warm-up.
    age_ms : float or None
        Market time since its last prediction (staleness); None before the first.
    dropped : int
        Rows that were not asked because the model was too slow (`thread`).
    latency_us : float
        Delay that its signals are given.
    """

    name: str
    sha256: str
    arming: Arming
    reason: str = ""
    mode: InferenceMode
    runtime: str
    device: str
    warm: bool = False
    predictions: int = 0
    signals: int = 0
    dropped: int = 0
    queued: int = 0
    age_ms: float | None = None
    latency_us: float = 0.0
    stages: list[Stage] = []
    inputs: list[InputHealth] = []
    memory_mb: float | None = None
    gpu_mb: float | None = None
    in_sample: bool = False
    simulated: bool = False
    """Trained on generated data."""
    class_names: tuple[str, ...] = ()
    label: str = ""
    """What it was trained to tell, in words."""
    horizon_rows: int | None = None
    horizon_ns: int | None = None


class Contribution(msgspec.Struct, frozen=True):
    """One input column in an explanation.

    `value` is the newest of the window; `effect` is the score less the score with this column at its training
    mean throughout the window (occlusion).
    """

    column: str
    value: float
    effect: float


class Explanation(msgspec.Struct, frozen=True, kw_only=True):
    """Why the model said what it said in one row.

    Attributes
    ----------
    asked_ts, ts : int
        Market time of the question, and of the row that answers it; 0 without an answer.
    problem : str
        Why there is no answer; all else is then empty.
    output : list of float
        Numbers of the model as they came, named by `class_names` where there are any.
    down, flat, up : float or None
        Probabilities as in `columns.PREDICTION`: what the thresholds are compared with; None of a regression.
    direction : Direction
        What was decided as of that row.
    signal : int or None
        Number of the newest signal at or before that row.
    """

    asked_ts: int
    ts: int = 0
    problem: str = ""
    model: str = ""
    contributions: list[Contribution] = []
    output: list[float] = []
    class_names: tuple[str, ...] = ()
    down: float | None = None
    flat: float | None = None
    up: float | None = None
    score: float = 0.0
    enter: float = 0.0
    exit: float = 0.0
    direction: Direction = 0
    signal: int | None = None


class Control(msgspec.Struct, frozen=True, kw_only=True):
    """Whether and where orders pass now.

    Attributes
    ----------
    mode : Mode
        What fills them: a replay's or a paper session's simulated venue, or a real one.
    arm : ArmState
        `view` lets no order pass; in a replay only none of a person, as the strategy's are part of the run.
    expires_ns : int or None
        Wall-clock time at which `live` falls back to `view`.
    account : str
        Name that a person types to arm `live` and to re-arm after a halt.
    halt : HaltStep
        Where the kill switch is.
    feed_age_s : float or None
        Seconds since the newest market data, live; None before the first, and in a replay.
    stop : str
        What moves the stop of the hand's position, in a few words; empty where nothing does.
    """

    mode: Mode = "replay"
    arm: ArmState = "view"
    expires_ns: int | None = None
    account: str = ""
    halt: HaltStep = HaltStep.NONE
    feed_age_s: float | None = None
    stop: str = ""


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
    predictions: list[Predictions] = []
    models: list[ModelHealth] = []
    """Health of every model of the run, in each frame that a picture is taken for; empty without any."""
    explanation: Explanation | None = None
    """Answer to the latest `Explain`, once."""
    recorder: Recorder = Recorder()
    control: Control = Control()
    account_risk: AccountRisk | None = None
    """The account as a whole, marked now; None where the session keeps no gate."""
    preview: OrderPreview | None = None
    """Answer to the latest `Preview`, once."""
