"""How a venue is set up, what it can be told while it runs, and what it then says of itself."""

from decimal import Decimal
from typing import Literal

import msgspec

from engine.messages.instrument import Instrument
from tests.venue.faults import Kind

BY_HAND = Instrument(
    id="ETHUSDT-PERP.BINANCE",
    kind="perpetual",
    base="ETH",
    quote="USDT",
    price_precision=2,
    size_precision=3,
    tick_size=Decimal("0.01"),
    lot_size=Decimal("0.001"),
)
"""What is traded where a test writes the market itself."""

KEY = "venue-test-key"
SECRET = "venue-test-secret-of-nobody"  # noqa: S105 - of a venue that no money is at


class Setup(msgspec.Struct, frozen=True, kw_only=True):
    """A venue's market, account, limits and faults.

    Attributes
    ----------
    market : str
        `hand` (a test writes it), a generated market (`fx`, `crypto`), or the path of a raw recording.
    instrument : str
        What the recording is of, such as `ETHUSDT-PERP.BINANCE`.
    speed : float
        Market seconds per second; the market begins anew when it ends. 0 moves only when told.
    seed : int
        Of a generated market.
    depth_ms : int
        How often changes are published.
    fault_seed, fault_mean_s
        Random faults every so many seconds on average; none without a seed.
    fault_kinds : tuple
        Kinds that come by themselves; empty is all.
    pause_s : float
        How long a delayed answer, an outage, a refusal of all requests or a wrong clock lasts.
    lifetime_s : float
        After which it stops by itself.
    """

    market: str = "hand"
    instrument: str = BY_HAND.id
    seed: int = 1
    speed: float = 1.0
    depth_ms: int = 20
    deposit: Decimal = Decimal(10_000)
    key: str = KEY
    secret: str = SECRET
    weight_limit: int = 2400
    orders_10s: int = 300
    orders_1m: int = 1200
    fault_seed: int | None = None
    fault_mean_s: float = 3.0
    fault_kinds: tuple[Kind, ...] = ()
    pause_s: float = 1.5
    lifetime_s: float = 900.0


class Addresses(msgspec.Struct, frozen=True):
    """Where it listens, and the symbols that it has."""

    http: str
    ws: str
    trading: str
    symbols: tuple[str, ...]


class TrueOrder(msgspec.Struct, frozen=True):
    """An order as the venue knows it; a price of 0 is at market."""

    id: int
    client_id: str
    symbol: str
    side: Literal["BUY", "SELL"]
    type: str
    size: Decimal
    price: Decimal
    filled: Decimal
    status: str


class TrueFill(msgspec.Struct, frozen=True):
    """An execution as the venue booked it."""

    id: int
    order_id: int
    client_id: str
    symbol: str
    side: Literal["BUY", "SELL"]
    price: Decimal
    size: Decimal
    fee: Decimal
    profit: Decimal
    is_maker: bool
    time_ms: int


class Truth(msgspec.Struct, frozen=True):
    """The account as the venue has it, to be compared with what others believe.

    `imbalance` is 0 unless the venue's own books do not add up. `positions` holds those that are open, as
    signed size and entry price.
    """

    orders: tuple[TrueOrder, ...]
    fills: tuple[TrueFill, ...]
    positions: dict[str, tuple[Decimal, Decimal]]
    wallet: Decimal
    fees: Decimal
    imbalance: Decimal
    waiting: dict[str, str]
    """Conditional orders that wait, by client id: their type."""

    def order(self, client_id: str) -> TrueOrder:
        """The newest order with this client id."""
        return next(order for order in reversed(self.orders) if order.client_id == client_id)


class AskTruth(msgspec.Struct, frozen=True, tag="truth"):
    """The account."""


class AskFaults(msgspec.Struct, frozen=True, tag="faults"):
    """Faults that struck, by kind."""


class Inject(msgspec.Struct, frozen=True, tag="inject"):
    """Let a fault strike, now or at its next opportunity."""

    kind: Kind


class Show(msgspec.Struct, frozen=True, tag="show"):
    """Replace levels of the book, as (side, price, size); with `clears`, all of it."""

    levels: tuple[tuple[Literal["BUY", "SELL"], Decimal, Decimal], ...]
    clears: bool = False


class Trade(msgspec.Struct, frozen=True, tag="trade"):
    """Let others trade; `side` is the aggressor's."""

    price: Decimal
    size: Decimal
    side: Literal["BUY", "SELL"]


class Advance(msgspec.Struct, frozen=True, tag="advance"):
    """Move a paused market on by so many of its seconds."""

    seconds: float


class Faulty(msgspec.Struct, frozen=True, tag="faulty"):
    """Start or stop the random faults."""

    on: bool


type Command = AskTruth | AskFaults | Inject | Show | Trade | Advance | Faulty


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What a command found; `error` says why it could not be done."""

    truth: Truth | None = None
    faults: dict[str, int] | None = None
    strikes: tuple[tuple[int, str], ...] = ()
    error: str = ""
