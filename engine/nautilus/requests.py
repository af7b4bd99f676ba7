"""What a request for orders by hand may look like; each refusal is one sentence.

What no order could be is refused here, for all of the request; what this venue or these limits do not allow
is the gate's, and told of the order.
"""

from collections.abc import Sequence
from decimal import Decimal
from typing import Final

import msgspec

from engine.errors import UserError, unknown_name
from engine.messages.instrument import Instrument
from engine.messages.orders import HAND, Contingency, OrderIntent
from engine.risk.book import Touch
from engine.risk.sizing import LARGEST

MOST_ORDERS: Final = 20
MOST_SLICES: Final = 10_000

_LONGEST_REQUEST: Final = 100
_TYPES: Final = {
    "MARKET": "market",
    "LIMIT": "limit",
    "STOP_MARKET": "stop",
    "STOP_LIMIT": "stop-limit",
    "MARKET_IF_TOUCHED": "market-if-touched",
    "TRAILING_STOP_MARKET": "trailing stop",
}
_PRICED: Final = frozenset({"LIMIT", "STOP_LIMIT"})
_TRIGGERED: Final = frozenset({"STOP_MARKET", "STOP_LIMIT", "MARKET_IF_TOUCHED"})
_AT_ONCE: Final = frozenset({"MARKET", "LIMIT"})


def checked(
    request: str,
    intents: Sequence[OrderIntent],
    contingency: Contingency,
    instrument: Instrument,
    now_ns: int,
) -> tuple[OrderIntent, ...]:
    """Intents of a request without what their kinds have no use for, exits set to reduce only.

    Raises
    ------
    UserError
        No order can be made of them.
    """
    if not request or len(request) > _LONGEST_REQUEST or not request.isascii() or not request.isprintable():
        raise UserError("A request needs a name of plain letters and digits; give it one.")
    _check_count(intents, contingency)
    given = tuple(_checked(intent, instrument, now_ns) for intent in intents)
    if contingency == "bracket":
        return _bracket(given)
    if contingency == "oco" and any(intent.type == "MARKET" for intent in given):
        raise UserError("A market order fills at once, so it cannot wait for another; give two that rest.")
    if contingency == "oco" and len({(intent.quantity, intent.quote_quantity) for intent in given}) > 1:
        raise UserError("Two orders of which one cancels the other both have one size; give the same.")
    if len(given) > 1 and any(intent.twap for intent in given):
        raise UserError("A TWAP stands for itself; send it without other orders.")
    return given


def _check_count(intents: Sequence[OrderIntent], contingency: Contingency) -> None:
    count = len(intents)
    if contingency == "bracket" and not 2 <= count <= 3:
        raise UserError(f"A bracket is an entry with a stop, a target, or both, not {count} orders.")
    if contingency == "oco" and count != 2:
        raise UserError(f"One cancels the other takes two orders, not {count}.")
    if not 1 <= count <= MOST_ORDERS:
        raise UserError(f"A request holds 1 to {MOST_ORDERS} orders, not {count}; send them apart.")


def _checked(intent: OrderIntent, instrument: Instrument, now_ns: int) -> OrderIntent:
    if intent.instrument != instrument.id:
        raise UserError(f"There is no {intent.instrument} in this session; trade {instrument.id}.")
    if intent.type not in _TYPES:
        raise unknown_name("order type", intent.type, _TYPES)
    name = _TYPES[intent.type]
    _check_numbers(intent, name)
    _check_flags(intent, name)
    if intent.time_in_force == "GTD" and (intent.expire_ns is None or intent.expire_ns <= now_ns):
        raise UserError("An order good till a date needs one that lies ahead; choose a later time.")
    if intent.twap is not None:
        _check_twap(intent, instrument)
    trailing = intent.type == "TRAILING_STOP_MARKET"
    return msgspec.structs.replace(
        intent,
        strategy=HAND,
        price=intent.price if intent.type in _PRICED else None,
        trigger=intent.trigger if intent.type in _TRIGGERED or trailing else None,
        trailing_offset=intent.trailing_offset if trailing else None,
        expire_ns=intent.expire_ns if intent.time_in_force == "GTD" else None,
        stop=None,
        changes=None,
        closes="",
    )


def _check_numbers(intent: OrderIntent, name: str) -> None:
    numbers = {
        "size": intent.quantity,
        "price": intent.price,
        "trigger": intent.trigger,
        "trailing offset": intent.trailing_offset,
    }
    for word, value in numbers.items():
        if value is not None:
            check_number(word, value)
    for word, value, kinds in (
        ("price", intent.price, _PRICED),
        ("trigger", intent.trigger, _TRIGGERED),
        ("trailing offset", intent.trailing_offset, {"TRAILING_STOP_MARKET"}),
    ):
        if value is None and intent.type in kinds:
            raise UserError(f"A {name} order needs a {word}; give one.")


def check_number(word: str, value: Decimal) -> None:
    """Raise `UserError` for a size, price, trigger or offset that no order can have."""
    if not value.is_finite() or not 0 < value < LARGEST:
        raise UserError(f"A {word} of {value} is not possible; give one above 0, below {LARGEST:,f}.")


def _check_flags(intent: OrderIntent, name: str) -> None:
    rule = intent.time_in_force
    if rule in ("IOC", "FOK") and intent.type not in _AT_ONCE:
        raise UserError(f"A {name} order waits, so it cannot be {rule}; choose GTC, GTD or DAY.")
    if rule == "GTD" and intent.type == "MARKET":
        raise UserError("A market order fills at once, so it needs no end; choose GTC, IOC or FOK.")
    if intent.post_only and intent.type not in _PRICED:
        raise UserError(f"A {name} order takes from the book, so it cannot be post-only; leave that out.")
    if intent.post_only and rule in ("IOC", "FOK"):
        raise UserError(f"Post-only rests in the book and {rule} never does; choose one of them.")
    if intent.quote_quantity and intent.type not in _AT_ONCE:
        raise UserError(f"The size of a {name} order is in base units; give it so.")


def _check_twap(intent: OrderIntent, instrument: Instrument) -> None:
    assert intent.twap is not None  # noqa: S101 - who calls
    horizon, interval = intent.twap.horizon_s, intent.twap.interval_s
    if intent.type not in _AT_ONCE or intent.time_in_force == "GTD":
        raise UserError("A TWAP is of market or limit orders without an end; choose one of them.")
    if not (0 < interval <= horizon < float("inf")):
        raise UserError("A TWAP needs an interval above 0 s and a horizon not shorter than it.")
    count = slices(horizon, interval)
    if count > MOST_SLICES:
        raise UserError(
            f"A TWAP has at most {MOST_SLICES:,} slices, not {count:,}; choose a longer interval."
        )
    if not intent.quote_quantity and intent.quantity < count * instrument.lot_size:
        raise UserError(
            f"{intent.quantity:f} are too few for {count:,} slices of at least {instrument.lot_size:f}; "
            "choose a longer interval."
        )


def slices(horizon_s: float, interval_s: float) -> int:
    """Orders that a TWAP is sent in: at its start and after each interval within the horizon."""
    return max(1, int(horizon_s / interval_s + 1e-9))


def in_lots(intent: OrderIntent, instrument: Instrument, touch: Touch | None) -> OrderIntent:
    """The intent with its size in the base, in whole lots; raises `UserError` where there is no price."""
    if not intent.quote_quantity:
        return intent
    if intent.price is None and touch is None:
        raise UserError(f"{instrument.id} has no price yet; wait for its first tick.")
    at = intent.price
    if at is None:
        assert touch is not None  # noqa: S101 - see above
        at = touch.ask if intent.side == "BUY" else touch.bid
    size = intent.quantity / at // instrument.lot_size * instrument.lot_size
    return msgspec.structs.replace(intent, quantity=size, quote_quantity=False)


def _bracket(intents: tuple[OrderIntent, ...]) -> tuple[OrderIntent, ...]:
    entry, *exits = intents
    if entry.reduce_only or entry.twap is not None:
        raise UserError("The entry of a bracket is one order that opens; leave reduce-only and TWAP out.")
    kinds = ["target" if intent.type in ("LIMIT", "MARKET_IF_TOUCHED") else "stop" for intent in exits]
    if len(set(kinds)) != len(kinds):
        raise UserError(f"A bracket has one {kinds[0]}, not two; leave one out.")
    for intent in exits:
        if intent.type == "MARKET" or intent.twap is not None or intent.time_in_force in ("IOC", "FOK"):
            raise UserError("The exits of a bracket wait for the market; give a stop and a target that rest.")
        if intent.side == entry.side:
            raise UserError(f"The exits of a bracket are on the other side of its entry, not {intent.side}.")
        if intent.quote_quantity:
            raise UserError("The exits of a bracket are as large as its entry; leave their size to it.")
    size, in_quote = entry.quantity, entry.quote_quantity
    stop = next((intent.trigger for kind, intent in zip(kinds, exits, strict=True) if kind == "stop"), None)
    return msgspec.structs.replace(entry, stop=stop), *(
        msgspec.structs.replace(intent, quantity=size, quote_quantity=in_quote, reduce_only=True)
        for intent in exits
    )
