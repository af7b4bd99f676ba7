"""What stands in the ticket's fields, as it was typed, and which fields an order of a kind has."""

from decimal import Decimal
from typing import Final, Literal

import msgspec

from engine.messages.orders import OrderType, Side, TimeInForce

type Kind = OrderType | Literal["OCO"]
"""An order's type, or two orders of which one cancels the other: a limit and a stop."""

type SizeBy = Literal["quantity", "lots", "notional", "equity", "risk"]
type Distance = Literal["price", "ticks", "percent"]
"""How a stop or target is given: where it lies, or how far from the entry."""

type FieldName = Literal[
    "size", "price", "trigger", "trailing", "expiry", "stop", "target", "horizon", "interval", "side"
]


class KindFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What belongs to an order of a kind.

    Attributes
    ----------
    price, trigger, trailing : bool
        Whether it has a limit price, a trigger, a distance from the market.
    bracket, twap, post_only, quote_quantity : bool
        Whether it may be an entry with exits, spread over time, refused where it would take, sized in quote.
    times : tuple of str
        How long it may be at work; the first is the usual.
    """

    price: bool = False
    trigger: bool = False
    trailing: bool = False
    bracket: bool = True
    twap: bool = False
    post_only: bool = False
    quote_quantity: bool = False
    times: tuple[TimeInForce, ...] = ("GTC", "GTD", "DAY")


KINDS: Final[dict[Kind, KindFacts]] = {
    "MARKET": KindFacts(twap=True, quote_quantity=True, times=("GTC", "IOC", "FOK", "DAY")),
    "LIMIT": KindFacts(
        price=True, post_only=True, quote_quantity=True, times=("GTC", "IOC", "FOK", "GTD", "DAY")
    ),
    "STOP_MARKET": KindFacts(trigger=True),
    "STOP_LIMIT": KindFacts(price=True, trigger=True, post_only=True),
    "MARKET_IF_TOUCHED": KindFacts(trigger=True),
    "TRAILING_STOP_MARKET": KindFacts(trailing=True, bracket=False),
    "OCO": KindFacts(price=True, trigger=True, bracket=False),
}


class Form(msgspec.Struct, frozen=True, kw_only=True):
    """Everything typed and chosen; a field that the kind does not have is passed over.

    Attributes
    ----------
    size : str
        In what `size_by` says.
    trailing, stop, target : str
        In what their `_by` says; percent of the entry's price. A `stop` or `target` that is empty is none.
    expiry : str
        Of GTD: `17:30` or `2024-08-08 17:30`, UTC, or `+15m`, `+2h` from now.
    bracket : bool
        Whether `stop` and `target` go with the order.
    twap : bool
        Whether it is spread over `horizon` minutes, a slice every `interval` seconds.
    """

    kind: Kind = "MARKET"
    size: str = ""
    size_by: SizeBy = "quantity"
    price: str = ""
    trigger: str = ""
    trailing: str = ""
    trailing_by: Distance = "ticks"
    time_in_force: TimeInForce = "GTC"
    expiry: str = ""
    post_only: bool = False
    reduce_only: bool = False
    quote_quantity: bool = False
    bracket: bool = False
    stop: str = ""
    stop_by: Distance = "ticks"
    target: str = ""
    target_by: Distance = "ticks"
    twap: bool = False
    horizon: str = "10"
    interval: str = "30"

    @property
    def facts(self) -> KindFacts:
        """What belongs to its kind."""
        return KINDS[self.kind]


class Touch(msgspec.Struct, frozen=True):
    """Best bid and ask."""

    bid: Decimal
    ask: Decimal


_AWAY_TICKS: Final = 10


def starts(kind: Kind, side: Side, touch: Touch, tick: Decimal) -> tuple[Decimal, Decimal]:
    """Price and trigger from which a person begins: a limit at the own touch, what waits ten ticks away."""
    own, far, way = (touch.bid, touch.ask, 1) if side == "BUY" else (touch.ask, touch.bid, -1)
    away = _AWAY_TICKS * tick
    trigger = max(tick, own - way * away if kind == "MARKET_IF_TOUCHED" else far + way * away)
    return trigger if kind == "STOP_LIMIT" else own, trigger
