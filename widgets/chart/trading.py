"""What a person does with orders on the chart: drag them, pull exits out of a position, cancel them.

A move that was asked for is shown as such until the venue confirms it, and taken back with the reason where
it is refused. Nothing here changes an order: it makes the commands that ask for it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from PySide6.QtCore import QCoreApplication

from engine.messages.commands import AnyCommand, Cancel
from engine.messages.events import OrderChanged, PositionChanged
from engine.messages.frames import Control
from engine.messages.instrument import Instrument
from engine.messages.orders import HAND, Side
from widgets.chart.exits import ExitLine, Exits
from widgets.chart.moves import Moves
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


@dataclass(slots=True)
class Drag:
    """A line in the hand; `order` of None is an exit pulled out of the position."""

    order: OrderChanged | None
    start: Decimal
    at: Decimal


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
        self._moves = Moves(None, None)
        self._exits: Exits | None = None
        self._open: dict[int, PositionChanged] = {}
        self._positions_seen = 0
        self._market: ChartMarket | None = None
        self._instrument: Instrument | None = None
        self._orders: ChartOrders | None = None

    def bind(self, market: ChartMarket | None, orders: ChartOrders | None, desk: ChartDesk | None) -> None:
        """Trade in this market; what was asked of another session is forgotten."""
        self._market, self._orders = market, orders
        self._instrument = None if market is None else market.instrument
        self._moves = Moves(orders, desk)
        self._exits = None
        if market is not None and orders is not None and desk is not None:
            self._exits = Exits(market.instrument.id, orders, desk)
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
            target = self._moves.target_of(order.order_id)
            to, asked = place, False
            drag = self.drag
            if drag is not None and drag.order is not None and drag.order.order_id == order.order_id:
                to = drag.at
            if target is not None and to == place:
                to, asked = target, True
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
        if place is None or not can_move(order) or self._moves.target_of(order.order_id) is not None:
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
            return [] if pulled is None or self._exits is None else self._exits.place(pulled)
        order = drag.order
        working = () if self._orders is None else self._orders.working(self._instrument.id)
        if not any(each.order_id == order.order_id for each in working):
            self.note = _tr("The order is no longer at work")
            return []
        self._moves.note(order, drag.at)
        return [moved(order, drag.at)]

    def cancel(self, order: OrderChanged) -> list[AnyCommand]:
        """Cancel an order; that is allowed always."""
        self.give_up()
        return [Cancel(order.order_id)]

    # What became of it

    def settle(self) -> tuple[bool, list[AnyCommand]]:
        """See what became of what was asked for: whether something to show changed, and what is due now."""
        answers = self._moves.settle()
        commands, why = ([], "") if self._exits is None else self._exits.settle()
        notes = [each for each in (*answers, why) if each]
        if notes:
            self.note = notes[-1]
        return bool(answers or why), commands


def _tr(text: str) -> str:
    return QCoreApplication.translate("ChartTrading", text)
