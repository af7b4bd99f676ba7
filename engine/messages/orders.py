"""What is wanted of a venue: orders as a person, a strategy or a program asks for them, before the gate.

Prices, sizes and money are `Decimal`: exact, at the instrument's precision. Names are NautilusTrader's.
"""

from decimal import Decimal
from typing import Final, Literal

import msgspec

type Side = Literal["BUY", "SELL"]

type OrderType = Literal[
    "MARKET", "LIMIT", "STOP_MARKET", "STOP_LIMIT", "MARKET_IF_TOUCHED", "TRAILING_STOP_MARKET"
]

type TimeInForce = Literal["GTC", "IOC", "FOK", "GTD", "DAY"]

type Contingency = Literal["none", "bracket", "oco"]
"""How the orders of one request hang together: not at all; an entry with the exits that its fill sets to work
(the first intent is the entry, the others its stop and its target); or two of which one cancels the other."""

HAND: Final = "HAND-001"
"""Strategy of orders that a person placed."""

EXTERNAL: Final = "EXTERNAL"
"""Strategy of orders that others placed, as NautilusTrader calls it."""

IN_DOUBT: Final = "IN_DOUBT"
"""Status of an order that was sent, or is being changed, and has no answer: it may or may not be at work."""

HELD: Final = "HELD"
"""Status of an order that the station sends once there is something for it to do; no venue knows of it."""

ENDED: Final = frozenset({"DENIED", "REJECTED", "CANCELED", "EXPIRED", "FILLED"})
"""Statuses from which an order never works again."""


class Twap(msgspec.Struct, frozen=True):
    """Spread an order evenly over `horizon_s` seconds of market time, a slice every `interval_s`."""

    horizon_s: float
    interval_s: float


class OrderIntent(msgspec.Struct, frozen=True, kw_only=True):
    """One order as it is wanted; `changes` names the order that this replaces, if any.

    Attributes
    ----------
    strategy : str
        Who wants it.
    type : str
        An `OrderType`, or another of NautilusTrader's where a strategy of one's own places such.
    quantity : Decimal
        Units of the instrument's base; of its quote where `quote_quantity`.
    price, trigger : Decimal or None
        Limit price, and the price that sets a stop or touched order off.
    trailing_offset : Decimal or None
        Distance of a trailing stop from the market, in price.
    expire_ns : int or None
        Of GTD, ns UTC.
    stop : Decimal or None
        Of an entry: trigger of the stop that its fill sets to work, so that its loss can be told beforehand.
    closes : str
        Position (or instrument, for all that is held of it) that this closes and does nothing else, as part
        of a flattening.
    """

    instrument: str
    strategy: str
    side: Side
    type: str
    quantity: Decimal
    price: Decimal | None = None
    trigger: Decimal | None = None
    trailing_offset: Decimal | None = None
    time_in_force: TimeInForce = "GTC"
    expire_ns: int | None = None
    post_only: bool = False
    reduce_only: bool = False
    quote_quantity: bool = False
    twap: Twap | None = None
    changes: str | None = None
    stop: Decimal | None = None
    closes: str = ""


class Sizing(msgspec.Struct, frozen=True):
    """How large an order is to be, in the unit that a person thinks in.

    `lots` are multiples of the instrument's lot; `notional` is in quote currency; `equity` is a percentage of
    the account's equity taken as notional; `risk` is a percentage of it that is lost where the stop fills at
    its trigger.
    """

    by: Literal["quantity", "lots", "notional", "equity", "risk"]
    value: Decimal


class Denial(msgspec.Struct, frozen=True, kw_only=True):
    """Why the gate let an order not pass.

    Attributes
    ----------
    rule : str
        Name of the limit as `engine.messages.limits` has it; `venue` is what no venue could accept, `halted`,
        `view` and `duplicate` are states in which nothing passes, `closing` would open what it is to close,
        `altered` is not what passed, and `audit` is what could not be written down.
    value, limit : Decimal or None
        What would have come of it, and what is allowed, both in `unit`; None where the rule has no number.
    text : str
        One sentence with the next step.
    """

    rule: str
    text: str
    value: Decimal | None = None
    limit: Decimal | None = None
    unit: str = ""


class OrderPreview(msgspec.Struct, frozen=True, kw_only=True):
    """What a request would come to if it were sent now; answers `commands.Preview` of the same `request`.

    Attributes
    ----------
    quantity : Decimal
        Size of the first intent in base units, in whole lots: what `Sizing` came to.
    price : Decimal or None
        At which it is expected to fill: its own, or the far side of the touch; None without a market.
    notional, fee, margin : Decimal or None
        In `currency`: of the order alone, the fee at the expected liquidity, and what its margin takes.
    loss_at_stop : Decimal or None
        What is lost where its stop fills at the trigger, fees included; None without a stop.
    position_before, position_after : Decimal
        Signed, base units, once the order is filled and nothing else is.
    denial : Denial or None
        What the gate would say; None where it would let it pass.
    note : str
        What to know about it, one sentence: what the station holds itself, for example.
    problem : str
        Why nothing can be told, one sentence; all else is then without meaning.
    """

    request: str
    currency: str = ""
    quantity: Decimal = Decimal(0)
    price: Decimal | None = None
    notional: Decimal | None = None
    fee: Decimal | None = None
    margin: Decimal | None = None
    loss_at_stop: Decimal | None = None
    position_before: Decimal = Decimal(0)
    position_after: Decimal = Decimal(0)
    denial: Denial | None = None
    note: str = ""
    problem: str = ""
