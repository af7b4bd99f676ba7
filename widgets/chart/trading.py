"""What a person does with orders on the chart: drag them, pull exits out of a position, cancel them.

A move that was asked for is shown as such until the venue confirms it, and taken back with the reason where
it is refused. Nothing here changes an order: it makes the commands that ask for it.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from PySide6.QtCore import QCoreApplication

from engine.messages.commands import AnyCommand, Cancel, Submit
from engine.messages.events import OrderChanged, PositionChanged
from engine.messages.frames import Control
from engine.messages.instrument import Instrument
from engine.messages.orders import HAND, OrderIntent, Side
from widgets.chart.state import ChartDesk, ChartMarket, ChartOrders, Positions
from widgets.own_orders import (
    Kind,
    can_move,
    kind_of,
    left_of,
    moved,
    profit_between,
    remark_of,
    waits_at,
    why_not,
)

_PENDING: Final = "PENDING_UPDATE"


@dataclass(frozen=True, slots=True)
class OrderLine:
    """A working order at the price it waits at, or is to wait at; `profit` is of the position it would close.

    `was` is where it waits as long as it is being moved, `asked` whether that was asked of the venue, and
    `remark` what would happen to it there at once.
    """

    order: OrderChanged
    price: Decimal
    profit: Decimal | None = None
    was: Decimal | None = None
    asked: bool = False
    remark: str = ""


@dataclass(frozen=True, slots=True)
class PositionLine:
    """What a strategy or the hand holds, at its average open price, and its open profit."""

    strategy: str
    quantity: Decimal
    price: Decimal
    profit: Decimal | None


@dataclass(frozen=True, slots=True)
class ExitLine:
    """A stop or target that is being pulled out of the position."""

    side: Side
    kind: Kind
    quantity: Decimal
    price: Decimal
    profit: Decimal


@dataclass(slots=True)
class Drag:
    """A line in the hand; `order` of None is an exit pulled out of the position."""

    order: OrderChanged | None
    start: Decimal
    at: Decimal


@dataclass(slots=True)
class Move:
    """A move that was asked for; `order` is the newest that was told of it since."""

    order: OrderChanged
    target: Decimal
    denials: int
    refusals: int
    pending: bool = False


class Trading:
    """Own orders and position of one market, and the hand on them.

    Attributes
    ----------
    control : Control
        Whether orders pass.
    drag : Drag or None
    note : str
        Why nothing came of the last deed, one quiet sentence.
    stale : bool
        Whether what is shown has grown old.
    """

    def __init__(self) -> None:
        self.control = Control()
        self.drag: Drag | None = None
        self.note = ""
        self.stale = False
        self._moves: dict[str, Move] = {}
        self._open: dict[int, PositionChanged] = {}
        self._positions_seen = 0
        self._market: ChartMarket | None = None
        self._instrument: Instrument | None = None
        self._orders: ChartOrders | None = None
        self._desk: ChartDesk | None = None

    def bind(self, market: ChartMarket | None, orders: ChartOrders | None, desk: ChartDesk | None) -> None:
        """Trade in this market; what was asked of another session is forgotten."""
        self._market, self._orders, self._desk = market, orders, desk
        self._instrument = None if market is None else market.instrument
        self._moves.clear()
        self._open.clear()
        self._positions_seen = 0
        self.drag = None
        self.note = ""

    @property
    def off(self) -> str:
        """Why nothing may be placed or moved now; empty where it may."""
        return why_not(self.control, stale=self.stale)

    # What there is

    def positions(self) -> list[PositionLine]:
        """What is held, by whom: an order only ever closes its own strategy's position."""
        if self._orders is None or self._instrument is None:
            return []
        self._take_positions(self._orders.positions, self._instrument.id)
        if not self._open:
            return []
        held: dict[str, list[PositionChanged]] = {}
        for each in self._open.values():
            held.setdefault(each.strategy, []).append(each)
        lines = [self._together(self._instrument, name, parts) for name, parts in held.items()]
        return [line for line in lines if line.quantity]

    def _take_positions(self, positions: Positions, instrument: str) -> None:
        """Read what changed only: a long session has thousands of positions that are closed."""
        if positions.version == self._positions_seen:
            return
        for row in positions.changed_since(self._positions_seen):
            position = positions.rows[row]
            if position.quantity and position.instrument == instrument:
                self._open[row] = position
            else:
                self._open.pop(row, None)
        self._positions_seen = positions.version

    def _together(self, instrument: Instrument, strategy: str, parts: list[PositionChanged]) -> PositionLine:
        """One line for a strategy that hedges, too: the sum of its sides at their mean price."""
        quantity = sum((each.quantity for each in parts), Decimal(0))
        weight = sum((abs(each.quantity) for each in parts), Decimal(0))
        price = sum((each.average_open * abs(each.quantity) for each in parts), Decimal(0)) / weight
        mid = self._mid()
        made = None if mid is None else profit_between(instrument, quantity, price, mid)
        return PositionLine(strategy, quantity, price, made)

    def _touch(self) -> tuple[Decimal | None, Decimal | None]:
        """Newest bid and ask, else the newest trade's price for both; None before the first."""
        market = self._market
        if market is not None and len(market.quotes):
            quote = market.quotes.rows[-1]
            return Decimal(repr(float(quote["bid"]))), Decimal(repr(float(quote["ask"])))
        if market is not None and len(market.trades):
            last = Decimal(repr(float(market.trades.rows["price"][-1])))
            return last, last
        return None, None

    def _mid(self) -> Decimal | None:
        """Newest middle of bid and ask; None before the first."""
        bid, ask = self._touch()
        return None if bid is None or ask is None else (bid + ask) / 2

    def _held_by(self, strategy: str) -> PositionLine | None:
        return next((line for line in self.positions() if line.strategy == strategy), None)

    def lines(self, positions: Sequence[PositionLine]) -> list[OrderLine]:
        """Working orders with a price, where they wait or are to wait, beside what is held."""
        if self._orders is None or self._instrument is None:
            return []
        held = {line.strategy: line for line in positions}
        made = []
        for order in self._orders.working(self._instrument.id):
            place = waits_at(order)
            if place is None:
                continue
            move = self._moves.get(order.order_id)
            to, asked = place, False
            drag = self.drag
            if drag is not None and drag.order is not None and drag.order.order_id == order.order_id:
                to = drag.at
            if move is not None and to == place:
                to, asked = move.target, True
            profit = self._profit(order, to, held.get(order.strategy))
            if to == place:
                made.append(OrderLine(order, to, profit))
            else:
                remark = "" if asked else remark_of(order.side, kind_of(order), to, *self._touch())
                made.append(OrderLine(order, to, profit, place, asked, remark))
        return made

    def _profit(self, order: OrderChanged, price: Decimal, position: PositionLine | None) -> Decimal | None:
        """Profit of what a stop or target would close."""
        if position is None or self._instrument is None or kind_of(order) == "limit":
            return None
        if (order.side == "BUY") == (position.quantity > 0):
            return None
        closed = min(left_of(order), abs(position.quantity))
        return profit_between(self._instrument, closed.copy_sign(position.quantity), position.price, price)

    def exit_line(self) -> ExitLine | None:
        """The exit that is being pulled out of the hand's position, if one is."""
        if self.drag is None or self.drag.order is not None or self._instrument is None:
            return None
        position = self._held_by(HAND)
        if position is None:
            return None
        price, mid = self.drag.at, self._mid()
        # A sell above the market rests as a limit, below it waits as a stop, wherever the position began.
        beyond = price > (position.price if mid is None else mid)
        kind: Kind = "target" if beyond == (position.quantity > 0) else "stop"
        profit = profit_between(self._instrument, position.quantity, position.price, price)
        side: Side = "SELL" if position.quantity > 0 else "BUY"
        return ExitLine(side, kind, abs(position.quantity), price, profit)

    # The hand

    def snapped(self, price: float) -> Decimal:
        """Nearest price of the instrument's grid."""
        assert self._instrument is not None  # noqa: S101 - nothing is dragged without one
        tick = self._instrument.tick_size
        digits = Decimal(1).scaleb(-self._instrument.price_precision)
        return ((Decimal(repr(float(price))) / tick).to_integral_value() * tick).quantize(digits)

    def ticks_between(self, start: Decimal, end: Decimal) -> int:
        """Steps of the grid from one price to another."""
        assert self._instrument is not None  # noqa: S101 - nothing is dragged without one
        return int(((end - start) / self._instrument.tick_size).to_integral_value())

    def grab(self, order: OrderChanged | None) -> bool:
        """Take an order's line into the hand, or with None an exit of the position; False if it may not."""
        self.note = self.off
        if self.note:
            return False
        if order is None:
            position = self._held_by(HAND)
            if position is None:
                self.note = _tr("The strategy closes its position itself; flatten to close it now")
                return False
            start = self.snapped(float(position.price))
            self.drag = Drag(None, start, start)
            return True
        place = waits_at(order)
        if place is None or not can_move(order) or order.order_id in self._moves:
            return False
        self.drag = Drag(order, place, place)
        return True

    def pull(self, price: float) -> None:
        """Hold the line at the grid's price nearest to this one."""
        if self.drag is not None:
            self.drag.at = self.snapped(price)

    def give_up(self) -> None:
        """Put the line back."""
        self.drag = None
        self.note = ""

    def drop(self) -> list[AnyCommand]:
        """Ask for what the line in the hand says; nothing where it is where it was."""
        drag, pulled = self.drag, self.exit_line()
        self.drag = None
        if drag is None or drag.at == drag.start or self._instrument is None:
            return []
        self.note = self.off
        if self.note:
            return []
        if drag.order is None:
            return [] if pulled is None else self._exits(self._instrument, pulled)
        order = drag.order
        if not any(each.order_id == order.order_id for each in self._working()):
            self.note = _tr("The order is no longer at work")
            return []
        self._moves[order.order_id] = Move(order, drag.at, self._denials(), self._refusals())
        return [moved(order, drag.at)]

    def _exits(self, instrument: Instrument, pulled: ExitLine) -> list[AnyCommand]:
        """Orders that close the position: with an exit of the other kind at work, each cancels the other."""
        new = _exit(instrument.id, pulled.side, pulled.kind, pulled.quantity, pulled.price)
        other = self._lone_exit("stop" if pulled.kind == "target" else "target", new)
        if other is None:
            return [Submit(request=uuid.uuid4().hex, intents=(new,))]
        place = waits_at(other)
        assert place is not None  # noqa: S101 - exits wait at a price
        again = _exit(instrument.id, pulled.side, kind_of(other), left_of(other), place)
        pair = (again, new) if pulled.kind == "target" else (new, again)
        # The pair first: in between, the position has both stops rather than none.
        return [
            Submit(request=uuid.uuid4().hex, intents=pair, contingency="oco"),
            Cancel(other.order_id),
        ]

    def _lone_exit(self, kind: Kind, new: OrderIntent) -> OrderChanged | None:
        """A simple exit by hand at work that hangs together with no other."""
        simple = {"stop": "STOP_MARKET", "target": "LIMIT", "limit": ""}[kind]
        for order in self._working():
            alike = order.strategy == HAND and order.reduce_only and order.side == new.side
            if alike and order.type == simple and can_move(order) and not order.contingent:
                return order
        return None

    def cancel(self, order: OrderChanged) -> list[AnyCommand]:
        """Cancel an order; that is allowed always."""
        self.give_up()
        return [Cancel(order.order_id)]

    # What became of it

    def settle(self) -> bool:
        """See what became of the moves that were asked for; True where something to show changed."""
        over = [order_id for order_id, move in self._moves.items() if self._is_over(order_id, move)]
        for order_id in over:
            del self._moves[order_id]
        return bool(over)

    def _is_over(self, order_id: str, move: Move) -> bool:
        if self._orders is None or self._desk is None:
            return True
        for denied in self._orders.denials[move.denials :]:
            if order_id in (denied.order_id, denied.intent.changes):
                return self._taken_back(denied.denial.text)
        move.denials = self._denials()
        refusal = self._desk.refusal
        if self._desk.refusals > move.refusals and refusal is not None and refusal.command == "modify":
            return self._taken_back(refusal.text)
        order = self._orders.orders.get(order_id)
        if order is None or order is move.order:
            return order is None
        return self._answered(move, order)

    def _answered(self, move: Move, order: OrderChanged) -> bool:
        """Whether what was told of an order since is the answer to its move."""
        grew, move.order = order.filled > move.order.filled, order
        if waits_at(order) == move.target:
            return True
        if order.status == _PENDING:
            move.pending = True
            return False
        if not can_move(order):
            return self._taken_back(order.reason) if order.reason else order.status != "IN_DOUBT"
        if order.reason or (move.pending and not grew):
            return self._taken_back(order.reason or _tr("the venue left the order where it was"))
        return False

    def _taken_back(self, reason: str) -> bool:
        self.note = _tr("Not moved: {reason}").format(reason=reason)
        return True

    def _working(self) -> list[OrderChanged]:
        if self._orders is None or self._instrument is None:
            return []
        return list(self._orders.working(self._instrument.id))

    def _denials(self) -> int:
        return 0 if self._orders is None else len(self._orders.denials)

    def _refusals(self) -> int:
        return 0 if self._desk is None else self._desk.refusals


def _exit(instrument: str, side: Side, kind: Kind, quantity: Decimal, price: Decimal) -> OrderIntent:
    stops = kind == "stop"
    return OrderIntent(
        instrument=instrument,
        strategy=HAND,
        side=side,
        type="STOP_MARKET" if stops else "LIMIT",
        quantity=quantity,
        price=None if stops else price,
        trigger=price if stops else None,
        reduce_only=True,
    )


def _tr(text: str) -> str:
    return QCoreApplication.translate("ChartTrading", text)
