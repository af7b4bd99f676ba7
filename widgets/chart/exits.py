"""Exits that a person pulls out of a position: alone, or each cancelling the other.

An exit that is at work is made one of a pair by a new pair. The old one is cancelled only once the new ones
are at work, so that the position is never without it; where they are refused, it stays.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from PySide6.QtCore import QCoreApplication

from engine.messages.commands import AnyCommand, Cancel, Submit
from engine.messages.events import OrderChanged
from engine.messages.orders import ENDED, HAND, OrderIntent, Side
from widgets.chart.state import ChartDesk, ChartOrders
from widgets.own_orders import Kind, can_move, kind_of, left_of, waits_at

_ON_ITS_WAY: Final = frozenset({"INITIALIZED", "SUBMITTED", "IN_DOUBT"})


@dataclass(frozen=True, slots=True)
class ExitLine:
    """A stop or target that is being pulled out of the position."""

    side: Side
    kind: Kind
    quantity: Decimal
    price: Decimal
    profit: Decimal


class Exits:
    """Those of one market.

    Parameters
    ----------
    instrument : str
    orders : ChartOrders
    desk : ChartDesk
    """

    def __init__(self, instrument: str, orders: ChartOrders, desk: ChartDesk) -> None:
        self._instrument, self._orders, self._desk = instrument, orders, desk
        self._refusals = desk.refusals
        self._replaced: dict[str, str] = {}
        """Exit at work that a request's pair is to stand for."""

    def place(self, pulled: ExitLine) -> list[AnyCommand]:
        """Orders that close the position: with an exit of the other kind at work, each cancels the other."""
        new = self._exit(pulled.side, pulled.kind, pulled.quantity, pulled.price)
        other = self._lone("stop" if pulled.kind == "target" else "target", new)
        request = uuid.uuid4().hex
        if other is None:
            return [Submit(request=request, intents=(new,))]
        place = waits_at(other)
        assert place is not None  # noqa: S101 - exits wait at a price
        again = self._exit(pulled.side, kind_of(other), left_of(other), place)
        pair = (again, new) if pulled.kind == "target" else (new, again)
        self._replaced[request], self._refusals = other.order_id, self._desk.refusals
        return [Submit(request=request, intents=pair, contingency="oco")]

    def settle(self) -> tuple[list[AnyCommand], str]:
        """What is to be cancelled now that pairs were answered, and why one came to nothing."""
        commands: list[AnyCommand] = []
        note = ""
        for request, order_id in list(self._replaced.items()):
            pair, old = self._orders.of_request(request), self._orders.orders[order_id]
            if old.status == "FILLED":
                commands += [Cancel(each.order_id) for each in pair[:1] if each.status not in ENDED]
            elif any(each.filled for each in pair) or _at_work(pair):
                commands += [Cancel(order_id)] if old.status not in ENDED else []
            elif why := self._why_not(pair):
                note = _tr("The exit at work stays alone; the pair was refused: {reason}").format(reason=why)
            else:
                continue
            del self._replaced[request]
        return commands, note

    def _why_not(self, pair: Sequence[OrderChanged]) -> str:
        """Why a pair is not at work and never will be; empty as long as it may."""
        for each in pair:
            if each.status in ENDED:
                return each.reason or each.status.lower()
        refusal = self._desk.refusal
        refused = self._desk.refusals > self._refusals and refusal is not None and refusal.command == "submit"
        return refusal.text if refused and refusal is not None and not pair else ""

    def _lone(self, kind: Kind, new: OrderIntent) -> OrderChanged | None:
        """A simple exit by hand at work that hangs together with no other."""
        simple = {"stop": "STOP_MARKET", "target": "LIMIT", "limit": ""}[kind]
        for order in self._orders.working(self._instrument):
            alike = order.strategy == HAND and order.reduce_only and order.side == new.side
            alone = not order.contingent and order.order_id not in self._replaced.values()
            if alike and alone and order.type == simple and can_move(order):
                return order
        return None

    def _exit(self, side: Side, kind: Kind, quantity: Decimal, price: Decimal) -> OrderIntent:
        stops = kind == "stop"
        return OrderIntent(
            instrument=self._instrument,
            strategy=HAND,
            side=side,
            type="STOP_MARKET" if stops else "LIMIT",
            quantity=quantity,
            price=None if stops else price,
            trigger=price if stops else None,
            reduce_only=True,
        )


def _at_work(pair: Sequence[OrderChanged]) -> bool:
    return len(pair) == 2 and all(each.status not in ENDED | _ON_ITS_WAY for each in pair)


def _tr(text: str) -> str:
    return QCoreApplication.translate("ChartTrading", text)
