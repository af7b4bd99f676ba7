"""From a model's word to a fill: the signal, what was made of it, its order and the fills, joined."""

from bisect import bisect_right
from dataclasses import dataclass
from typing import Literal

from engine.messages.events import Filled, OrderChanged
from engine.messages.executions import standing
from widgets.why.state import Record, WhySession

type Exit = Literal["stop", "take-profit", "other"]
"""What an order is that no signal caused."""


@dataclass(frozen=True, slots=True)
class Story:
    """What led to what; a part is None (or empty) where it did not happen.

    Attributes
    ----------
    exit : str or None
        What the order is where no signal caused it; `record` is then the signal that opened what it closes.
    """

    record: Record | None = None
    order: OrderChanged | None = None
    fills: tuple[Filled, ...] = ()
    exit: Exit | None = None


def story_of_signal(session: WhySession, number: int) -> Story:
    """Story of the signal of this number."""
    for name in session.markets:
        record = session.signals.of(name).records.get(str(number))
        if record is not None:
            return _of_record(session, record)
    return Story()


def story_of_order(session: WhySession, order_id: str) -> Story:
    """Story of the order of this id; of one that no signal caused it tells what kind of exit it is."""
    order = session.orders.orders.get(order_id)
    if order is None:
        return Story()
    records = session.signals.of(order.instrument).records.rows
    opener = None
    # An order's latest change is not earlier than the signal that caused it.
    for at in range(bisect_right(records, order.ts, key=lambda record: record.signalled.ts) - 1, -1, -1):
        acted = records[at].acted
        if acted is None:
            continue
        if acted.order_id == order_id:
            return _of_record(session, records[at])
        if opener is None and acted.verdict == "ordered" and records[at].signalled.direction:
            opener = records[at]
    return Story(opener, order, _fills(session, order), _exit_kind(order))


def _of_record(session: WhySession, record: Record) -> Story:
    order = record.order
    return Story(record, order, () if order is None else _fills(session, order))


def _fills(session: WhySession, order: OrderChanged) -> tuple[Filled, ...]:
    """Fills of an order, of which its latest change is the last; of a TWAP those of its slices."""
    fills, found = session.orders.fills, []
    whole = order.type == "TWAP"
    ids = {each.order_id for each in session.orders.of_request(order.order_id)} if whole else {order.order_id}
    missing = order.filled
    at = bisect_right(fills, order.ts, key=lambda fill: fill.ts)
    while missing > 0 and at > 0:
        at -= 1
        if fills[at].order_id in ids:
            found.append(fills[at])
            missing -= fills[at].quantity
    return tuple(standing(found[::-1]))


def _exit_kind(order: OrderChanged) -> Exit:
    if "STOP" in order.type:
        return "stop"
    return "take-profit" if "LIMIT" in order.type or "TOUCHED" in order.type else "other"
