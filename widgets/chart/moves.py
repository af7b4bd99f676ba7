"""Moves of orders that were asked for, each until the venue has answered it."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from PySide6.QtCore import QCoreApplication

from engine.messages.events import OrderChanged
from widgets.chart.state import ChartDesk, ChartOrders
from widgets.own_orders import can_move, waits_at

_PENDING: Final = "PENDING_UPDATE"


@dataclass(slots=True)
class _Move:
    """A move that was asked for; `order` is the newest that was told of it since."""

    order: OrderChanged
    target: Decimal
    denials: int
    refusals: int
    pending: bool = False


class Moves:
    """Of one market's orders.

    Parameters
    ----------
    orders, desk : ChartOrders or None, ChartDesk or None
        Where answers are told.
    """

    def __init__(self, orders: ChartOrders | None, desk: ChartDesk | None) -> None:
        self._orders, self._desk = orders, desk
        self._moves: dict[str, _Move] = {}

    def note(self, order: OrderChanged, target: Decimal) -> None:
        """Take that an order was asked to wait at another price."""
        denials = 0 if self._orders is None else len(self._orders.denials)
        refusals = 0 if self._desk is None else self._desk.refusals
        self._moves[order.order_id] = _Move(order, target, denials, refusals)

    def target_of(self, order_id: str) -> Decimal | None:
        """Where an order was asked to wait; None where nothing was asked, or all was answered."""
        move = self._moves.get(order_id)
        return None if move is None else move.target

    def settle(self) -> list[str]:
        """Forget what was answered: why it was not done, each, or nothing where it was."""
        answers = {order_id: self._answer(order_id, move) for order_id, move in self._moves.items()}
        over = {order_id: answer for order_id, answer in answers.items() if answer is not None}
        for order_id in over:
            del self._moves[order_id]
        return [_tr("Not moved: {reason}").format(reason=each) if each else "" for each in over.values()]

    def _answer(self, order_id: str, move: _Move) -> str | None:
        """Why a move was not done, empty where it was; None as long as that is open."""
        if self._orders is None or self._desk is None:
            return ""
        for denied in self._orders.denials[move.denials :]:
            if order_id in (denied.order_id, denied.intent.changes):
                return denied.denial.text
        move.denials = len(self._orders.denials)
        refusal = self._desk.refusal
        if self._desk.refusals > move.refusals and refusal is not None and refusal.command == "modify":
            return refusal.text
        order = self._orders.orders.get(order_id)
        if order is None:
            return ""
        return None if order is move.order else self._answer_in(move, order)

    def _answer_in(self, move: _Move, order: OrderChanged) -> str | None:
        """What was told of an order since, as the answer to its move."""
        grew, move.order = order.filled > move.order.filled, order
        if waits_at(order) == move.target:
            return ""
        if order.status == _PENDING:
            move.pending = True
            return None
        if not can_move(order):
            return order.reason or (None if order.status == "IN_DOUBT" else "")
        if order.reason or (move.pending and not grew):
            return order.reason or _tr("the venue left the order where it was")
        return None


def _tr(text: str) -> str:
    return QCoreApplication.translate("ChartTrading", text)
