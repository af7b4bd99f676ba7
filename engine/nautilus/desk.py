"""The hand at every venue: places, changes and cancels orders as a person asks, each through the gate.

It is a strategy like any other, so that its orders, fills and positions are told and bounded like theirs. It
is called between the engine's windows, never from within: everything here happens at the present moment.
"""

from collections.abc import Sequence
from decimal import Decimal
from functools import partial
from typing import Any, Final, Literal

import msgspec
from nautilus_trader.model import BookType, ClientOrderId, TriggerType

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
from engine.messages.events import Denied, Logged, PositionChanged
from engine.messages.orders import HAND, Contingency, OrderIntent
from engine.nautilus import events
from engine.nautilus.held_stop import HeldStop
from engine.nautilus.orders import OrderMaker, Ties, ties
from engine.nautilus.requests import checked, in_lots
from engine.nautilus.strategy import STOPS, Context, StationStrategy
from engine.nautilus.tags import request_of
from engine.nautilus.touch import touch
from engine.nautilus.twap import Schedule
from engine.risk.book import Touch
from engine.risk.kill import Holding
from engine.risk.stops import break_even

type HandCommand = Submit | Modify | Cancel | CancelAll | Flatten | Reverse | BreakEven
"""What a person asks of orders and positions."""

_THROUGH: Final = Decimal("0.005")
"""Part of the price by which a limit order that must fill lies through the touch."""
_BOOK_MS: Final = 3_600_000


class DeskSettings(msgspec.Struct, frozen=True, kw_only=True):
    """How the hand's orders are named and charged.

    Attributes
    ----------
    prefix : str
        Of its orders' names, which are numbered: unique among all sessions that meet at one venue.
    native_day : bool
        Whether the venue ends DAY orders by itself; else they are given midnight UTC as their end.
    taker_fee : Decimal
        Fraction of the value that leaving at market costs.
    """

    prefix: str = "H"
    native_day: bool = False
    taker_fee: Decimal = Decimal(0)


class Desk(StationStrategy):
    """Carries a person's commands out; implements `engine.risk.kill.Hands`, too.

    Its `context.parameters` are `DeskSettings`. A method raises `UserError` for what cannot be asked; what
    the gate or the venue refuses is told as an event.
    """

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        assert isinstance(context.parameters, DeskSettings)  # noqa: S101 - who makes it
        self._settings = context.parameters
        only_trades = context.kinds == {"trades"}
        self._maker = OrderMaker(
            context.instrument,
            trigger=TriggerType.LAST_PRICE if only_trades else TriggerType.BID_ASK,
            native_day=self._settings.native_day,
        )
        self._traders: dict[str, StationStrategy] = {HAND: self}
        self._requests: set[str] = set()
        self._orders = self._lists = 0
        self._schedules: dict[str, Schedule] = {}
        self._stop: HeldStop | None = None
        self._stop_id = ""

    @classmethod
    def identity(cls, context: Context) -> str:  # noqa: ARG003 - as the base has it
        """Name of the hand."""
        return HAND

    @property
    def now_ns(self) -> int:
        """Market time of what happens now."""
        now: int = self._clock.timestamp_ns()
        return now

    def know(self, trader: StationStrategy) -> None:
        """Let the hand reach the orders and positions of another trader of the session."""
        self._traders[str(trader.strategy_id)] = trader

    def on_start(self) -> None:
        """Have prices known where only a book tells them; by interval, as no tick is wanted here."""
        if self.context.kinds == {"deltas"}:
            self.subscribe_book_at_interval(self.instrument_id, BookType.L2_MBP, interval_ms=_BOOK_MS)

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
        self._requests.add(request)
        if given[0].twap is not None:
            schedule = Schedule(request, given[0], self.now_ns, self.instrument.lot_size)
            self._schedules[request] = schedule
            self._go_on(schedule)
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
            self._owner(order).change(order.client_order_id, **others)

    def cancel(self, order_id: str) -> None:
        """Cancel a working order, whoever placed it; with a slice the rest of its TWAP ends, too."""
        sent = self._find(order_id)
        schedule = None if sent is None else self._schedules.get(request_of(sent.tags))
        if schedule is not None:
            self._end(schedule, "cancelled")
            if sent.is_closed:
                return
        order = self._working(order_id)
        self._owner(order).cancel_order(order.client_order_id)

    def cancel_all(self) -> None:
        """Cancel every working order of the session, and end what is still to be sent."""
        for schedule in list(self._schedules.values()):
            self._end(schedule, "cancelled")
        for order in self._at_work():
            # A contingent order may be gone by now, with the one before it.
            if not order.is_closed and not order.is_pending_cancel:
                self._owner(order).cancel_order(order.client_order_id)

    def flatten(self) -> None:
        """Cancel all and close every position, each by whoever holds it."""
        self.cancel_all()
        for holding in self.positions():
            self.close(holding, "market")

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
        self.cancel_all()
        for holding in apart:
            self.close(holding, "market")
        self._dispatch("", [order_id], [intent], [Ties()])

    def break_even(self) -> None:
        """Move the stop of every position to where it loses nothing, fees included; give the hand's one."""
        positions = self._cache.positions_open(instrument_id=self.instrument_id)
        if not positions:
            raise UserError(f"No position in {self.instrument.id} is open; there is no stop to move.")
        stopped = [(position, self._stops_of(position)) for position in positions]
        stopped = [(position, stops) for position, stops in stopped if stops or self._is_own(position)]
        if not stopped:
            raise UserError(
                "The strategy's position has no stop; it closes it itself. Flatten to close it now."
            )
        moves = [(position, self._even(position), stops) for position, stops in stopped]
        for position, at, stops in moves:
            for stop in stops:
                if stop.trigger_price.as_decimal() != at:
                    self._owner(stop).change(stop.client_order_id, trigger=at)
            if not stops:
                self._protect(position, at)

    # The stop that moves with the market --------------------------------------------------------------------

    def position_to_stop(self) -> PositionChanged:
        """The hand's position; raises `UserError` where a stop cannot follow it."""
        return events.position_now(self._to_stop())

    def _to_stop(self) -> Any:
        if self.context.hedging:
            raise UserError("Each position of a hedging account stands by itself; give each order its stop.")
        found = self.own_positions()
        if not found:
            raise UserError(f"No position by hand in {self.instrument.id} is open; there is no stop to set.")
        return found[0]

    def begin_stop(self) -> None:
        """Keep a stop for the hand's position from now on: the one that it has, or one that is to come."""
        position = self._to_stop()
        found = [order for order in self._stops_of(position) if order.order_type.name == "STOP_MARKET"]
        self._stop_id = str(found[0].client_order_id) if found else ""
        self._stop = HeldStop(self, self._stop_now, partial(self._place_stop, position))
        self._stop.fit()

    def stop_at(self, trigger: Decimal) -> None:
        """Move the kept stop, or close the position where the market is beyond already."""
        stop = self._stop
        if stop is None:
            return
        if self.is_beyond(trigger):
            self._note(f"The stop moved to {trigger:f}, and the market is beyond: the position is closed.")
            self.close_out()
        else:
            stop.move_to(trigger)

    def release_stop(self) -> None:
        """Keep no stop any more; an order that is at work stays."""
        self._stop = None

    @property
    def has_stop(self) -> bool:
        """Whether a stop is kept; it no longer is with the position, or once somebody cancelled it."""
        if self._stop is not None and self._stop.is_gone:
            self._stop = None
            self._note("The stop of the position is gone, and nothing moves it any more.")
        return self._stop is not None

    def is_beyond(self, trigger: Decimal) -> bool:
        """Whether the market has passed this price, seen from the hand's position."""
        now = touch(self._cache, self.instrument_id)
        return now is not None and (trigger >= now.bid if self.held() > 0 else trigger <= now.ask)

    def even_price(self) -> Decimal | None:
        """Where the hand's position loses nothing, fees included; None where the market is not beyond."""
        try:
            return self._even(self._to_stop())
        except UserError:
            return None

    def on_position_changed(self, _event: Any) -> None:
        """Keep the stop as large as the position."""
        if self._stop is not None:
            self._stop.fit()

    def on_position_closed(self, _event: Any) -> None:
        """End the stop with the position."""
        stop, self._stop = self._stop, None
        if stop is not None:
            stop.end()

    def _stop_now(self) -> Any:
        order = self._find(self._stop_id)
        return None if order is None or order.is_closed else order

    def _place_stop(self, position: Any, trigger: Decimal) -> None:
        self._protect(position, trigger)
        self._stop_id = f"{self._settings.prefix}-{self._orders}"

    def _note(self, text: str) -> None:
        self._tell(Logged(ts=self.now_ns, level="info", source="hand", text=text))

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
        schedule = self._schedules.get(event.name)
        if schedule is not None:
            self._go_on(schedule)

    def _go_on(self, schedule: Schedule) -> None:
        intent = schedule.take()
        if intent is not None and self._send_through_gate(schedule.request, (intent,), "none"):
            schedule.sent += intent.quantity
        if schedule.next_ns is None:
            self._end(schedule, "over")
        else:
            self._clock.set_time_alert_ns(schedule.request, schedule.next_ns, self.on_slice)

    def _end(self, schedule: Schedule, how: str) -> None:
        del self._schedules[schedule.request]
        if schedule.request in self._clock.timer_names():
            self._clock.cancel_timer(schedule.request)
        what = f"{schedule.intent.side} {schedule.intent.quantity:f} {self.instrument.base}"
        left = f"; {schedule.left:f} were not sent" if schedule.left else ""
        ts = self.now_ns
        self._tell(Logged(ts=ts, level="info", source="hand", text=f"The TWAP to {what} is {how}{left}."))

    # Sending ---------------------------------------------------------------------------------------------

    def _send_through_gate(
        self, request: str, intents: Sequence[OrderIntent], contingency: Contingency
    ) -> bool:
        order_ids = [self._next_id() for _ in intents]
        self._lists += 1
        tied = ties(contingency, order_ids, f"{self._settings.prefix}-L{self._lists}")
        if not self._pass(order_ids, intents, tied, request):
            return False
        self._dispatch(request, order_ids, intents, tied)
        return True

    def _pass(
        self, order_ids: Sequence[str], intents: Sequence[OrderIntent], tied: Sequence[Ties], request: str
    ) -> bool:
        """All of them or none; each that stays behind is told as denied."""
        gate, ts = self.context.gate, self.now_ns
        for at, (order_id, intent) in enumerate(zip(order_ids, intents, strict=True)):
            denial = gate.check(intent, order_id)
            if denial is None:
                continue
            for passed in order_ids[:at]:
                gate.withdraw(passed)
            self._tell(Denied(ts=ts, order_id=order_id, intent=intent, denial=denial))
            for each, other, tie in zip(order_ids, intents, tied, strict=True):
                reason = denial.text if each == order_id else f"Not sent, as {order_id} was refused."
                self._tell(events.denied(other, each, ts, reason, request, tie.linked))
            return False
        return True

    def _dispatch(
        self, request: str, order_ids: Sequence[str], intents: Sequence[OrderIntent], tied: Sequence[Ties]
    ) -> None:
        ts = self.now_ns
        try:
            orders = [
                self._maker.make(self, intent, order_id, request, ts, tie)
                for intent, order_id, tie in zip(intents, order_ids, tied, strict=True)
            ]
        except (ValueError, RuntimeError) as error:
            for order_id in order_ids:
                self.context.gate.withdraw(order_id)
            raise UserError(f"The engine takes no such order ({error}); change it.") from error
        if tied[0].of is not None:
            self._send(orders)
        else:
            for order in orders:
                self._send([order])

    def _next_id(self) -> str:
        self._orders += 1
        return f"{self._settings.prefix}-{self._orders}"

    def _in_base(self, intents: tuple[OrderIntent, ...], contingency: Contingency) -> tuple[OrderIntent, ...]:
        """Intents with their sizes in whole lots of the base; those that hang together as the first."""
        now = touch(self._cache, self.instrument_id)
        sized = tuple(in_lots(intent, self.instrument, now) for intent in intents)
        if contingency != "none":
            size = sized[0].quantity
            return tuple(msgspec.structs.replace(each, quantity=size, quote_quantity=False) for each in sized)
        return sized

    def _at_market(self, change: Decimal) -> OrderIntent:
        return OrderIntent(
            instrument=self.instrument.id,
            strategy=HAND,
            side="BUY" if change > 0 else "SELL",
            type="MARKET",
            quantity=abs(change),
        )

    # Orders and positions of the session ------------------------------------------------------------------

    def _check(self, instrument: str) -> None:
        if instrument not in ("", self.instrument.id):
            raise UserError(f"There is no {instrument} in this session; trade {self.instrument.id}.")

    def _touch(self) -> Touch:
        now = touch(self._cache, self.instrument_id)
        if now is None:
            raise UserError(f"{self.instrument.id} has no price yet; wait for its first tick.")
        return now

    def _owner(self, order: Any) -> StationStrategy:
        return self._traders.get(str(order.strategy_id), self)

    def _at_work(self) -> list[Any]:
        wanted = {"instrument_id": self.instrument_id}
        orders = [*self._cache.orders_open(**wanted), *self._cache.orders_inflight(**wanted)]
        # In the order in which they were sent, which the cache does not keep: two runs do the same.
        found = {str(order.client_order_id): order for order in orders}
        return sorted(found.values(), key=lambda order: (order.ts_init, str(order.client_order_id)))

    def _find(self, order_id: str) -> Any:
        known = order_id.isascii() and order_id.strip()
        return self._cache.order(ClientOrderId(order_id)) if known else None

    def _working(self, order_id: str) -> Any:
        order = self._find(order_id)
        if order is None:
            raise UserError(f"There is no order {order_id} in this session; choose one that is at work.")
        if order.is_closed:
            raise UserError(f"Order {order_id} is {order.status.name.lower()} already; nothing of it works.")
        return order

    def _check_changes(self, order: Any, changes: dict[str, Decimal]) -> None:
        kind = order.order_type.name
        if "price" in changes and events.price_of(order, "price") is None:
            raise UserError(f"A {kind} order has no price to change; change its trigger or its size.")
        if "trigger" in changes and not hasattr(order, "trigger_price"):
            raise UserError(f"A {kind} order has no trigger to change; change its price or its size.")
        if any(not value.is_finite() or value <= 0 for value in changes.values()):
            raise UserError("A size, price or trigger is above 0; give another.")
        if "quantity" in changes and changes["quantity"] <= order.filled_qty.as_decimal():
            raise UserError(f"{order.filled_qty} are filled already; give a larger size, or cancel the rest.")

    def _is_own(self, position: Any) -> bool:
        return str(position.strategy_id) == HAND

    def _stops_of(self, position: Any) -> list[Any]:
        return [
            order
            for order in self._at_work()
            if order.strategy_id == position.strategy_id
            and order.order_type.name in STOPS
            and order.is_buy == (events.signed_size(position) < 0)
        ]

    def _even(self, position: Any) -> Decimal:
        now, held = self._touch(), events.signed_size(position)
        is_long = held > 0
        facts = msgspec.structs.replace(self.instrument, taker_fee=self._settings.taker_fee)
        at = break_even(facts, held, Decimal(repr(position.avg_px_open)), _entry_fees(position))
        if at >= now.bid if is_long else at <= now.ask:
            raise UserError(
                f"Fees included the position is even at {at:f}, and the market is not beyond; wait for it."
            )
        return at

    def _protect(self, position: Any, at: Decimal) -> None:
        intent = msgspec.structs.replace(
            self._at_market(-events.signed_size(position)), type="STOP_MARKET", trigger=at, reduce_only=True
        )
        self._send_through_gate("", (intent,), "none")


def _entry_fees(position: Any) -> Decimal:
    """Fees that were paid to come by what is still held; those of what was closed are gone with it."""
    held = fees = Decimal(0)
    for fill in position.events():
        size = fill.last_qty.as_decimal()
        if fill.order_side == position.entry:
            held += size
            fees += Decimal(0) if fill.commission is None else fill.commission.as_decimal()
        else:
            fees -= fees * size / held if held else Decimal(0)
            held -= size
    return fees
