"""The hand at every venue: places, changes and cancels orders as a person asks, each through the gate.

It is called between the engine's windows, never from within: everything here happens at the present moment.
"""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Final, Literal

from engine.errors import UserError
from engine.messages.commands import (
    BreakEven,
    Cancel,
    CancelAll,
    Flatten,
    Modify,
    Reverse,
    Submit,
)
from engine.messages.events import AnyEvent
from engine.messages.orders import HAND, Contingency, OrderIntent
from engine.nautilus import events
from engine.nautilus.hand import Hand
from engine.nautilus.orders import Ties
from engine.nautilus.position_stop import PositionStop
from engine.nautilus.requests import checked
from engine.nautilus.strategy import Context, StationStrategy
from engine.nautilus.tags import request_of
from engine.nautilus.twaps import Twaps
from engine.risk.kill import Holding

type HandCommand = Submit | Modify | Cancel | CancelAll | Flatten | Reverse | BreakEven
"""What a person asks of orders and positions."""

_THROUGH: Final = Decimal("0.005")
"""Part of the price by which a limit order that must fill lies through the touch."""
LATE_NS: Final = 10_000_000_000
"""How long after a flattening what fills late is closed, too."""


class Desk(Hand):
    """Carries a person's commands out; implements `engine.risk.kill.Hands`, too.

    A method raises `UserError` for what cannot be asked; what the gate or the venue refuses is told as an
    event.
    """

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._twaps = Twaps(self.instrument, self._send_slice, self._wake, context.emit)
        self.position_stop = PositionStop(self)
        self._late_ns = 0

    # Commands --------------------------------------------------------------------------------------------

    def obey(self, command: HandCommand) -> None:
        """Carry a command out; raises `UserError` where it makes no sense."""
        match command:
            case Submit():
                self.place(command.request, command.intents, command.contingency)
            case Modify():
                self.modify(command)
            case Cancel(order_id):
                self.cancel(order_id)
            case CancelAll(instrument):
                self._check(instrument)
                self.cancel_all()
            case Flatten(instrument):
                self._check(instrument)
                self.flatten()
            case Reverse(instrument):
                self._check(instrument)
                self.reverse()
            case BreakEven(instrument):
                self._check(instrument)
                self.break_even()

    def place(self, request: str, intents: Sequence[OrderIntent], contingency: Contingency = "none") -> None:
        """Send the orders of a request, all or none; one that was seen before does nothing."""
        if request in self._requests:
            return
        given = self._in_base(
            checked(request, intents, contingency, self.instrument, self.now_ns), contingency
        )
        self._requests[request] = None
        self._late_ns = 0
        if given[0].twap is not None:
            self._twaps.begin(request, given[0], self.now_ns)
        else:
            self._send_through_gate(request, given, contingency)

    def modify(self, command: Modify) -> None:
        """Change a working order, whoever placed it."""
        order = self._working(command.order_id)
        changes = {"quantity": command.quantity, "price": command.price, "trigger": command.trigger}
        exact = {name: value for name, value in changes.items() if value is not None}
        self._check_changes(order, exact)
        now = {
            "quantity": order.quantity.as_decimal(),
            "price": events.price_of(order, "price"),
            "trigger": events.price_of(order, "trigger_price"),
        }
        others = {name: value for name, value in exact.items() if value != now[name]}
        if others:
            self.alter(order, **others)

    def alter(self, order: Any, **changes: Decimal) -> None:
        """Change `quantity`, `price` or `trigger` of a working order, through the gate; exact."""
        self._owner(order).change(order.client_order_id, **changes)

    def standing(self, order_id: str) -> Any | None:
        """The order that stands for this one now; None where nothing of it works any more."""
        order = self.order_of(order_id)
        return None if order is None or order.is_closed else order

    def take_back(self, order: Any) -> None:
        """Cancel an order unless that is under way, whoever placed it."""
        if not order.is_closed and not order.is_pending_cancel:
            self._owner(order).cancel_order(order.client_order_id)

    def drop_stop(self, order: Any) -> None:
        """Cancel the stop of a position that is closed."""
        self.take_back(order)

    def cancel(self, order_id: str) -> None:
        """Cancel a working order, whoever placed it; with a slice the rest of its TWAP ends, too."""
        if self._twaps.is_at_work(order_id):
            self._twaps.cancel(order_id, self.now_ns)
            self._cancel_all_of([each for each in self._at_work() if request_of(each.tags) == order_id])
            return
        sent = self.order_of(order_id)
        if sent is not None and self._twaps.cancel(request_of(sent.tags), self.now_ns) and sent.is_closed:
            return
        order = self._working(order_id)
        self._owner(order).cancel_order(order.client_order_id)

    def cancel_all(self) -> None:
        """Cancel every working order of the session, and end what is still to be sent."""
        self._twaps.cancel_all(self.now_ns)
        self._cancel_all_of(self._at_work())

    def _cancel_all_of(self, orders: Sequence[Any]) -> None:
        for order in orders:
            self.take_back(order)  # a contingent one may be gone by now, with the one before it

    def flatten(self) -> None:
        """Cancel all and close every position, each by whoever holds it."""
        self.cancel_all()
        # One that is on its way may fill in spite of that.
        on_its_way = any(not each.is_reduce_only for each in self._unfinished_of(self))
        self._late_ns = self.now_ns + LATE_NS if on_its_way else 0
        for holding in self.positions():
            self.close(holding, "market")

    def _unfinished_of(self, trader: StationStrategy) -> list[Any]:
        # A live engine tells that an order was sent only when its turn comes: until then it is in no index.
        found = self._cache.orders(instrument_id=self.instrument_id, strategy_id=trader.strategy_id)
        return [each for each in found if not each.is_closed]

    def _close_late(self) -> None:
        """Close what filled after a flattening, once nothing of the hand's is on its way any more."""
        if not self._late_ns or self._unfinished_of(self):
            return
        in_time, self._late_ns = self.now_ns <= self._late_ns, 0
        late = [each for each in self.positions() if in_time and each.strategy == HAND]
        for holding in late:
            self.say(f"An order that was on its way left {holding.quantity:+f}; it is closed.")
            self.close(holding, "market")

    def on_order_canceled(self, _event: Any) -> None:
        """Go on with a flattening that waits for orders."""
        self._close_late()

    def on_order_cancel_rejected(self, _event: Any) -> None:
        """Go on with a flattening that waits for orders."""
        self._close_late()

    def on_order_rejected(self, _event: Any) -> None:
        """Go on with a flattening that waits for orders."""
        self._close_late()

    def on_order_expired(self, _event: Any) -> None:
        """Go on with a flattening that waits for orders."""
        self._close_late()

    def on_position_opened(self, _event: Any) -> None:
        """Go on with a flattening that waits for orders."""
        self._close_late()

    def on_position_changed(self, _event: Any) -> None:
        """Keep the stop as large as the position, and go on with a flattening."""
        self._close_late()
        self.position_stop.fit()

    def on_position_closed(self, _event: Any) -> None:
        """End the stop with the position."""
        self.position_stop.end()
        self._close_late()

    def reverse(self) -> None:
        """Cancel all and hold as much on the other side, in the hand's own position."""
        holdings = self.positions()
        net = sum((each.quantity for each in holdings), Decimal(0))
        if not holdings:
            raise UserError(f"No position in {self.instrument.id} is open; there is nothing to reverse.")
        if not net:
            raise UserError("What is held long and short cancels out; flatten it, or close one of them.")
        if any(self._owner(order) is self and order.order_type.name == "MARKET" for order in self._at_work()):
            raise UserError("An order at market is on its way; reverse once the venue has answered it.")
        # Positions that stand by themselves are closed one by one; one alone is turned round by one order.
        apart = [each for each in holdings if self.context.hedging or each.strategy != HAND]
        own = sum((each.quantity for each in holdings if each not in apart), Decimal(0))
        intent = self._at_market(-net - own)
        order_id = self._next_id()
        if not self._pass([order_id], [intent], [Ties()], ""):
            return
        self._late_ns = 0
        self.cancel_all()
        for holding in apart:
            self.close(holding, "market")
        self._dispatch("", [order_id], [intent], [Ties()])

    def break_even(self) -> None:
        """Move the stop of every position to where it loses nothing, fees included; give the hand's one."""
        positions = self._cache.positions_open(instrument_id=self.instrument_id)
        if not positions:
            raise UserError(f"No position in {self.instrument.id} is open; there is no stop to move.")
        stopped = [(position, self.stops_of(position)) for position in positions]
        stopped = [(position, stops) for position, stops in stopped if stops or self._is_own(position)]
        if not stopped:
            raise UserError(
                "The strategy's position has no stop; it closes it itself. Flatten to close it now."
            )
        moves = [(position, self.even(position), stops) for position, stops in stopped]
        for position, at, stops in moves:
            for stop in stops:
                if stop.trigger_price.as_decimal() != at:
                    self.alter(stop, trigger=at)
            if not stops:
                self.protect(position, at)

    # What the kill switch needs ---------------------------------------------------------------------------

    def close(self, holding: Holding, by: Literal["market", "limit"]) -> None:
        """Have a position closed by whoever holds it: at market, or by a limit through the touch."""
        limit = self.limit_through(holding.quantity) if by == "limit" else None
        self._traders.get(holding.strategy, self).close_out(limit, only=holding.position)

    def limit_through(self, held: Decimal) -> Decimal:
        """Price so far through the touch that a limit order which closes this fills at once."""
        sell, now, tick = held > 0, self._touch(), self.instrument.tick_size
        away = now.bid * (1 - _THROUGH) if sell else now.ask * (1 + _THROUGH)
        return max(tick, away // tick * tick + (0 if sell else tick))

    def open_orders(self) -> int:
        """Orders sent or at work, of all traders."""
        return len(self._at_work())

    def positions(self) -> list[Holding]:
        """Open positions of all traders: one of each, or each that stands by itself."""
        held: dict[tuple[str, str], Decimal] = {}
        for each in self._cache.positions_open(instrument_id=self.instrument_id):
            key = (str(each.strategy_id), str(each.id) if self.context.hedging else "")
            held[key] = held.get(key, Decimal(0)) + events.signed_size(each)
        return [
            Holding(self.instrument.id, strategy, size, position)
            for (strategy, position), size in sorted(held.items())
            if size
        ]

    # TWAP ------------------------------------------------------------------------------------------------

    def on_slice(self, event: Any) -> None:
        """Send what is due."""
        self._twaps.go_on(event.name, self.now_ns)

    def _send_slice(self, request: str, intent: OrderIntent) -> bool:
        return self._send_through_gate(request, (intent,), "none")

    def _wake(self, request: str, at_ns: int | None) -> None:
        if at_ns is not None:
            self._clock.set_time_alert_ns(request, at_ns, self.on_slice)
        elif request in self._clock.timer_names():
            self._clock.cancel_timer(request)

    def _tell(self, event: AnyEvent) -> None:
        super()._tell(event)
        self._twaps.note(event)
