"""What happened in a session, numbered and never lost: orders, fills, positions, log, phase, results.

Prices, sizes and money are `Decimal`: exact, at the instrument's precision. `ts` is market time, ns UTC.
"""

from decimal import Decimal
from enum import StrEnum
from typing import Any, Literal

import msgspec

from engine.messages.columns import Rows
from engine.messages.limits import RiskPolicy
from engine.messages.orders import Denial, OrderIntent, TimeInForce
from engine.messages.run import Arming, ArmState, InferenceMode


class Phase(StrEnum):
    """Where a session is in its life."""

    LOADING = "loading"
    PAUSED = "paused"
    PLAYING = "playing"
    SEEKING = "seeking"
    FINISHED = "finished"
    FAILED = "failed"


class Event(msgspec.Struct, frozen=True, kw_only=True, gc=False, tag_field="kind"):
    """Base of all events; they hold no cycles, so the collector need not walk 100,000 of them."""

    ts: int


class OrderChanged(Event, frozen=True, kw_only=True, tag="order"):
    """An order's state after one step of its life.

    `status` is NautilusTrader's, or `IN_DOUBT`: it was sent and no answer came, so that it may or may not be
    at work until reconciliation says; or `HELD`: the station sends it once there is something for it to do,
    and no venue knows of it. `reason` is the gate's or the venue's own. `strategy` is `orders.HAND`
    for a person's, `EXTERNAL` for one that this station did not place. `request` is that of `Submit`,
    `contingent` names the orders that hang together with it.
    """

    order_id: str
    instrument: str
    strategy: str
    side: Literal["BUY", "SELL"]
    type: str
    quantity: Decimal
    filled: Decimal
    price: Decimal | None
    trigger: Decimal | None
    average_price: Decimal | None
    status: str
    reason: str = ""
    time_in_force: TimeInForce = "GTC"
    post_only: bool = False
    reduce_only: bool = False
    venue_order_id: str = ""
    request: str = ""
    contingent: tuple[str, ...] = ()


class TwapChanged(Event, frozen=True, kw_only=True, tag="twap"):
    """A TWAP after one step of its life: the whole of which its slices are parts; no venue knows of it.

    `order` tells it like an order of type `TWAP`: its id is the `request` of its slices, its `filled` their
    sum, its `reason` says in a sentence how far it is. `sent` slices were let out, `left` are to come, the
    next at market time `next_ns`.
    """

    order: OrderChanged
    sent: int
    left: int
    next_ns: int | None = None


class Filled(Event, frozen=True, kw_only=True, tag="fill"):
    """One execution; `fee` is positive when paid.

    One that `corrects` the execution of this `trade_id` takes it back, whole or in part, by a `quantity`
    below 0, and says why in `reason`: NautilusTrader guesses one from an order's size where nobody told of
    it, and takes the guess back when the venue's own word comes. See `executions.standing`.
    """

    trade_id: str
    order_id: str
    instrument: str
    strategy: str
    side: Literal["BUY", "SELL"]
    quantity: Decimal
    price: Decimal
    fee: Decimal
    fee_currency: str
    liquidity: Literal["maker", "taker", ""]
    corrects: str = ""
    reason: str = ""


class PositionChanged(Event, frozen=True, kw_only=True, tag="position"):
    """A position after a fill; `quantity` is signed, negative when short."""

    position_id: str
    instrument: str
    strategy: str
    quantity: Decimal
    average_open: Decimal
    average_close: Decimal | None
    realised_pnl: Decimal
    currency: str
    opened_ns: int
    closed_ns: int | None


class Balance(msgspec.Struct, frozen=True):
    """Money in one currency; `total = free + locked`."""

    currency: str
    total: Decimal
    free: Decimal
    locked: Decimal


class AccountChanged(Event, frozen=True, kw_only=True, tag="account"):
    """Balances after a change."""

    account_id: str
    balances: list[Balance]


class Logged(Event, frozen=True, kw_only=True, tag="log"):
    """A line for the log table."""

    level: Literal["debug", "info", "warning", "error"]
    source: str
    text: str


class PhaseChanged(Event, frozen=True, kw_only=True, tag="phase"):
    """The session entered a phase; `text` says why where that is not plain, for a person."""

    phase: Phase
    text: str = ""


class EpochBegan(Event, frozen=True, kw_only=True, tag="epoch"):
    """The run starts anew (a seek back): orders, fills, positions and results told before are void."""

    epoch: int


class Refused(Event, frozen=True, kw_only=True, tag="refused"):
    """A command was not carried out: what, why, and the next step in one sentence."""

    command: str
    text: str


class Denied(Event, frozen=True, kw_only=True, tag="denied"):
    """The gate did not let an order, or a change of one, pass."""

    order_id: str
    intent: OrderIntent
    denial: Denial


class ArmStateChanged(Event, frozen=True, kw_only=True, tag="arm"):
    """Orders pass from now on, or no longer.

    `expires_ns` is the wall-clock time at which it falls back to `view` by itself; None is never.
    """

    state: ArmState
    by: Literal["run", "person", "rule"]
    reason: str = ""
    expires_ns: int | None = None


class PolicyChanged(Event, frozen=True, kw_only=True, tag="policy"):
    """These limits are in force from now on."""

    policy: RiskPolicy
    by: Literal["run", "person"]


class HaltStep(StrEnum):
    """Where the kill switch is."""

    NONE = "none"
    CANCELLING = "cancelling"
    FLATTENING = "flattening"
    VERIFYING = "verifying"
    HALTED = "halted"


class HaltChanged(Event, frozen=True, kw_only=True, tag="halt"):
    """The kill switch fired, got on, or was re-armed (`none`); new orders are blocked in every step but that.

    `text` says in a sentence what was done or is still open (a position that cannot be closed, for example).
    """

    step: HaltStep
    by: Literal["person", "rule", "channel"]
    reason: str = ""
    text: str = ""


class ConnectionChanged(Event, frozen=True, kw_only=True, tag="connection"):
    """A connection to a venue or a feed came, went, or is being made again (`attempt` counts)."""

    name: str
    state: Literal["connecting", "connected", "reconnecting", "reconciled", "ended"]
    attempt: int = 0
    text: str = ""


type Direction = Literal[-1, 0, 1]
"""Short, flat, long."""


class Signalled(Event, frozen=True, kw_only=True, tag="signal"):
    """The model's decision changed at the row of `ts`.

    `number` counts the signals of an epoch from 1. `cause` is `enter`, `reverse`, `exit` (its side fell below
    the exit threshold, or the other side came), `horizon` or `disarmed`. `threshold` is the one that was
    crossed. `down`, `flat`, `up` and `score` are those of `columns.PREDICTION`, None where NaN.
    """

    number: int
    instrument: str
    direction: Direction
    previous: Direction
    cause: Literal["enter", "reverse", "exit", "horizon", "disarmed"]
    score: float
    threshold: float
    down: float | None = None
    flat: float | None = None
    up: float | None = None
    price: float


class SignalActed(Event, frozen=True, kw_only=True, tag="acted"):
    """What the strategy made of a signal, once the inference latency had passed.

    `verdict` is `ordered`, `refused` (by the gate, see `text`), `shadow` (only shown) or `held` (what the
    signal wants is already so). `order_id` names the order. `text` is one sentence for a person.
    """

    signal: int
    instrument: str
    verdict: Literal["ordered", "refused", "shadow", "held"]
    order_id: str | None = None
    text: str = ""


class SignalJudged(Event, frozen=True, kw_only=True, tag="judged"):
    """The label's horizon of an entry has passed: `price` is the model's price there, at `ts`.

    `hit` tells whether it lay beyond the label's flat zone on the signalled side, whatever the strategy made
    of the signal.
    """

    signal: int
    instrument: str
    price: float
    hit: bool


class ArmingChanged(Event, frozen=True, kw_only=True, tag="arming"):
    """The model was armed, shadowed or switched off, by a person or by a rule (then `reason` says why)."""

    mode: Arming
    by: Literal["run", "person", "rule"]
    reason: str = ""


class InferenceFigures(msgspec.Struct, frozen=True, kw_only=True):
    """What the models of a run did.

    `predictions_per_s` counts features and inference; None where an earlier run predicted it all, and of
    `thread`, where they go on beside the market. `dropped` rows were not asked as the model was too slow.
    `decisions` are the signals, and `signal_latency_us` is the delay that each of them was given; of
    `thread` the least one, as answers come when they come.
    """

    mode: InferenceMode = "per-tick"
    predictions: int
    predictions_per_s: float | None
    dropped: int = 0
    decisions: int
    signal_latency_us: float
    in_sample: bool = False
    """The run overlaps the range that a model was trained on, so its profit proves nothing."""


class Published(Event, frozen=True, kw_only=True, tag="published"):
    """A headline, or a figure of the economic calendar, at the moment from which it could be known.

    Attributes
    ----------
    series : str
        Stored series that it is of.
    scheduled_ns : int or None
        When it was to happen, where it was announced beforehand.
    subjects : tuple of str
        Currencies or symbols that it is about.
    importance : int
        0 unknown, 1 low, 2 medium, 3 high.
    sentiment : float or None
        From -1 (bad) to 1 (good), as the source scored it.
    actual, forecast, previous : str
        Figures of a release as the source writes them; empty where there are none.
    """

    series: str
    title: str
    scheduled_ns: int | None = None
    subjects: tuple[str, ...] = ()
    importance: int = 0
    sentiment: float | None = None
    actual: str = ""
    forecast: str = ""
    previous: str = ""
    link: str = ""


class Results(Event, frozen=True, kw_only=True, tag="results"):
    """A finished run: the figures that the headless back-test prints, and the equity curve.

    `equity` has dtype `columns.EQUITY`; `stats` maps the analyzer's names to numbers (None: not defined for
    this run). `fills_sha256` is the hash of the fills' canonical CSV: equal hashes are equal fills.

    Amounts are texts with their currency, exact. `final_balance` holds no open profit; `net_pnl` does: it is
    the balance and the open position at the last mark (`unrealised_pnl`), less `starting_balance`.
    `open_position` is the signed size still held with its currency, None where all is closed.
    """

    ticks: int
    seconds: float
    orders: int
    fills: int
    final_balance: str
    stats: dict[str, float | str | None]
    fills_sha256: str
    equity: Rows
    starting_balance: str = ""
    net_pnl: str = ""
    open_position: str | None = None
    unrealised_pnl: str = ""
    inference: InferenceFigures | None = None

    def summary(self) -> dict[str, Any]:
        """The command line's JSON object (`ticks_per_s` included)."""
        return {
            "ticks": self.ticks,
            "seconds": self.seconds,
            "ticks_per_s": self.ticks / self.seconds if self.seconds > 0 else 0.0,
            "orders": self.orders,
            "fills": self.fills,
            "starting_balance": self.starting_balance,
            "final_balance": self.final_balance,
            "open_position": self.open_position,
            "unrealised_pnl": self.unrealised_pnl,
            "net_pnl": self.net_pnl,
            "stats": self.stats,
            "fills_sha256": self.fills_sha256,
            **({} if self.inference is None else msgspec.to_builtins(self.inference)),
        }


type AnyEvent = (
    OrderChanged
    | TwapChanged
    | Filled
    | PositionChanged
    | AccountChanged
    | Logged
    | PhaseChanged
    | EpochBegan
    | Refused
    | Denied
    | ArmStateChanged
    | PolicyChanged
    | HaltChanged
    | ConnectionChanged
    | Signalled
    | SignalActed
    | SignalJudged
    | ArmingChanged
    | Published
    | Results
)


class Numbered(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """An event with its place in the session's life: numbers start at 1 and have no gaps."""

    number: int
    event: AnyEvent
