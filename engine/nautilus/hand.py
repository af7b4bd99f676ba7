"""Who trades for a person: sends orders through the gate, and knows those of the whole session.

It is a strategy like any other, so that its orders, fills and positions are told and bounded like theirs.
"""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Final, Literal

import msgspec
from nautilus_trader.model import BookType, ClientOrderId, TriggerType

from engine.errors import UserError
from engine.messages.events import Denied, Logged
from engine.messages.orders import HAND, Contingency, OrderIntent
from engine.nautilus import events
from engine.nautilus.adapters import MATCHING, Capabilities
from engine.nautilus.orders import OrderMaker, Ties, ties
from engine.nautilus.requests import check_number, in_lots
from engine.nautilus.strategy import STOPS, Context, StationStrategy
from engine.nautilus.touch import touch
from engine.risk.book import Touch
from engine.risk.stops import break_even

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
    can : Capabilities
        Of the venue; by default those of the engine's own matching.
    """

    prefix: str = "H"
    native_day: bool = False
    taker_fee: Decimal = Decimal(0)
    can: Capabilities = MATCHING


class Hand(StationStrategy):
    """Makes and sends a person's orders.

    Its `context.parameters` are `DeskSettings`.
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
        self._requests: dict[str, None] = {}
        self._orders = self._lists = 0

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

    # Sending ---------------------------------------------------------------------------------------------

    def _send_through_gate(
        self, request: str, intents: Sequence[OrderIntent], contingency: Contingency
    ) -> bool:
        order_ids = [self._next_id() for _ in intents]
        self._lists += 1
        tied = ties(contingency, order_ids, f"{self._settings.prefix}-L{self._lists}")
        if not self._pass(order_ids, intents, tied, request):
            return False
        return self._dispatch(request, order_ids, intents, tied)

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
    ) -> bool:
        """Let them out, all or none; False where the last gate refused one."""
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
            return self._send(orders)
        if not self._leave(orders):
            return False
        for at, order in enumerate(orders):
            self._let_out([order], orders[at:])
        return True

    def _next_id(self) -> str:
        self._orders += 1
        return f"{self._settings.prefix}-{self._orders}"

    def _in_base(self, intents: tuple[OrderIntent, ...], contingency: Contingency) -> tuple[OrderIntent, ...]:
        """Intents with their sizes in whole lots of the base; those that hang together as the first."""
        now = self.touch_now()
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
        now = self.touch_now()
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

    def _working(self, order_id: str) -> Any:
        order = self.order_of(order_id)
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
        for name, value in changes.items():
            check_number(name, value)
        if "quantity" in changes and changes["quantity"] <= order.filled_qty.as_decimal():
            raise UserError(f"{order.filled_qty} are filled already; give a larger size, or cancel the rest.")

    def _is_own(self, position: Any) -> bool:
        return str(position.strategy_id) == HAND

    def stops_of(self, position: Any) -> list[Any]:
        """Stops at work that protect a position."""
        return [
            order
            for order in self._at_work()
            if order.strategy_id == position.strategy_id
            and order.order_type.name in STOPS
            and order.is_buy == (events.signed_size(position) < 0)
        ]

    def even(self, position: Any) -> Decimal:
        """Price where a position loses nothing, fees included; raises where the market is not beyond."""
        now, held = self._touch(), events.signed_size(position)
        is_long = held > 0
        facts = msgspec.structs.replace(self.instrument, taker_fee=self._settings.taker_fee)
        at = break_even(facts, held, Decimal(repr(position.avg_px_open)), _entry_fees(position))
        if at >= now.bid if is_long else at <= now.ask:
            raise UserError(
                f"Fees included the position is even at {at:f}, and the market is not beyond; wait for it."
            )
        return at

    def protect(self, position: Any, at: Decimal) -> str:
        """Send a stop for all of a position; its name."""
        intent = msgspec.structs.replace(
            self._at_market(-events.signed_size(position)), type="STOP_MARKET", trigger=at, reduce_only=True
        )
        self._send_through_gate("", (intent,), "none")
        return f"{self._settings.prefix}-{self._orders}"

    def touch_now(self) -> Touch | None:
        """Best prices; None where they are not known."""
        return touch(self._cache, self.instrument_id)

    def order_of(self, order_id: str) -> Any | None:
        """Order of this name, whoever placed it; None where there is none."""
        known = order_id.isascii() and order_id.strip()
        return self._cache.order(ClientOrderId(order_id)) if known else None

    def say(self, text: str, *, is_warning: bool = False) -> None:
        """Tell a sentence."""
        level: Literal["info", "warning"] = "warning" if is_warning else "info"
        self._tell(Logged(ts=self.now_ns, level=level, source="hand", text=text))


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
