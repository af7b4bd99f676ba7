"""Whether those who saw a session agree with the venue, to the last digit, on what came of it."""

from collections.abc import Iterator
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from app.state.orders import OrdersState
from engine.messages.orders import ENDED

if TYPE_CHECKING:
    from tests.venue import Truth

_ENDED_AT_VENUE: Final = {
    "FILLED": "FILLED",
    "CANCELED": "CANCELED",
    "EXPIRED": "EXPIRED",
    "EXPIRED_IN_MATCH": "EXPIRED",  # it would have traded with another order of the account
}
_NEVER_THERE: Final = frozenset({"DENIED", "REJECTED"})


def disagreements(who: str, seen: OrdersState, truth: "Truth") -> list[str]:
    """What `seen` has otherwise than the venue, a sentence each; nothing where they agree.

    Only for a time in which nothing is on its way.
    """
    return [f"{who}: {text}" for part in (_orders, _fills, _account) for text in part(seen, truth)]


def _orders(seen: OrdersState, truth: "Truth") -> Iterator[str]:
    from tests.venue.client import name_of  # noqa: PLC0415 - loads the engine

    there = {name_of(order.client_id): order for order in truth.orders}
    for name, order in there.items():
        if name not in seen.orders:
            yield f"knows nothing of {name}, which the venue has {order.status} ({order.filled} filled)"
            continue
        told = seen.orders[name]
        ended = _ENDED_AT_VENUE.get(order.status)
        if told.filled != order.filled:
            yield f"{name} is filled {told.filled}, at the venue {order.filled}"
        elif ended is not None and told.status != ended:
            yield f"{name} is {told.status}, at the venue {ended}"
        elif ended is None and (told.status in ENDED or told.price != order.price):
            yield f"{name} is {told.status} at {told.price}, at the venue {order.status} at {order.price}"
    for name, told in seen.orders.items():
        if name not in there and name not in seen.twaps and told.status not in _NEVER_THERE:
            yield f"{name} is {told.status}, and the venue never had it"


def _fills(seen: OrdersState, truth: "Truth") -> Iterator[str]:
    from tests.venue.client import name_of  # noqa: PLC0415

    mine: dict[str, Decimal] = {}
    for fill in seen.fills:
        mine[fill.order_id] = mine.get(fill.order_id, Decimal(0)) + fill.quantity
    theirs: dict[str, Decimal] = {}
    for each in truth.fills:
        name = name_of(each.client_id)
        theirs[name] = theirs.get(name, Decimal(0)) + each.size
    for name in sorted(mine.keys() | theirs.keys()):
        if mine.get(name) != theirs.get(name):
            yield f"executions of {name} sum to {mine.get(name)}, at the venue to {theirs.get(name)}"
    numbers = [fill.trade_id for fill in seen.fills]
    if len(set(numbers)) != len(numbers):
        yield "an execution was told twice"


def _account(seen: OrdersState, truth: "Truth") -> Iterator[str]:
    held = sum((each.quantity for each in seen.positions.values() if each.closed_ns is None), Decimal(0))
    there = sum((size for size, _ in truth.positions.values()), Decimal(0))
    if held != there:
        yield f"holds {held}, at the venue {there}"
    total = None if seen.account is None else seen.account.balances[0].total
    if total != truth.wallet:
        yield f"has {total} in the account, at the venue {truth.wallet}"
