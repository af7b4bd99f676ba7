"""The ordering part of every strategy: nothing leaves but through the gate, and for a venue the last one."""

from decimal import Decimal
from typing import Any

import msgspec
from nautilus_trader.model import ClientOrderId, OrderUpdated, Price, Quantity

from engine.messages.events import Denied, OrderChanged
from engine.messages.orders import Denial, OrderIntent
from engine.nautilus import events
from engine.nautilus.account import AccountReader
from engine.nautilus.instrument import price, quantity
from engine.nautilus.reducing import Reducing
from engine.nautilus.reporting import ReportingStrategy, unbroken

STOPS = ("STOP_MARKET", "STOP_LIMIT", "TRAILING_STOP_MARKET")


class GatedStrategy(ReportingStrategy):
    """Sends and changes orders that the gate lets pass, by our methods and by Nautilus' own alike."""

    def connect(self, cache: Any, portfolio: Any, clock: Any, account: AccountReader) -> None:
        """Take what the engine gave at registration."""
        super().connect(cache, portfolio, clock, account)
        self._reducing = Reducing(cache) if self.context.simulated else None

    @unbroken
    def submit(self, order: Any, *args: Any, closes: str = "") -> bool:
        """Send an order through the gate; False when it was refused (told as a DENIED order).

        What it `closes` is the gate's to know; the rest is as Nautilus' own.
        """
        return self._pass_gate([order], closes) and self._send([order], *args)

    @unbroken
    def submit_order(self, order: Any, *args: Any, **kwargs: Any) -> None:
        """As Nautilus', through the gate."""
        if self._pass_gate([order]):
            self._send([order], *args, **kwargs)

    @unbroken
    def submit_order_list(self, order_list: Any, *args: Any, **kwargs: Any) -> None:
        """As Nautilus', through the gate: all orders or none."""
        orders = order_list if isinstance(order_list, list) else order_list.orders
        if self._pass_gate(orders):
            self._send(order_list, *args, **kwargs)

    @unbroken
    def modify_order(
        self,
        client_order_id: ClientOrderId,
        quantity: Quantity | None = None,  # Nautilus' own name
        price: Price | None = None,
        trigger_price: Price | None = None,
        *args: Any,
        **kwargs: Any,
    ) -> None:
        """As Nautilus', through the gate."""
        if self._may_change(client_order_id, _given(quantity, price, trigger_price)):
            self._modify(client_order_id, quantity, price, trigger_price, *args, **kwargs)

    def change(self, client_order_id: ClientOrderId, **changes: Decimal) -> None:
        """Change `quantity`, `price` or `trigger` of a working order, through the gate; exact."""
        if self._may_change(client_order_id, changes):
            size, at, trigger = (changes.get(name) for name in ("quantity", "price", "trigger"))
            self._modify(
                client_order_id,
                None if size is None else quantity(size, self.instrument),
                None if at is None else price(at, self.instrument),
                None if trigger is None else price(trigger, self.instrument),
            )

    def _may_change(self, client_order_id: ClientOrderId, changes: dict[str, Decimal]) -> bool:
        intent, order_id = self._changed(client_order_id, changes), str(client_order_id)
        denial = self.context.gate.check(intent, order_id)
        if denial is not None:
            self._refuse_change(intent, order_id, denial)
        elif self._reducing is not None and "quantity" in changes:
            self._reducing.ask(self._cache.order(client_order_id), changes["quantity"])
        return denial is None

    def _modify(
        self,
        client_order_id: ClientOrderId,
        size: Quantity | None = None,
        limit: Price | None = None,
        trigger: Price | None = None,
        *args: Any,
        **kwargs: Any,
    ) -> None:
        """Let a change out that has passed the gate; Nautilus takes none that changes nothing."""
        order_id, last = str(client_order_id), self.context.last
        if last is not None:
            intent = self._changed(client_order_id, _given(size, limit, trigger))
            denial = last.leaves(intent, order_id)
            if denial is not None:
                last.withdraw(order_id)
                self._refuse_change(intent, order_id, denial)
                return
        try:
            super().modify_order(client_order_id, size, limit, trigger, *args, **kwargs)
        except Exception:
            self.context.gate.withdraw(order_id)
            raise

    def _keep_size(self, order: Any) -> None:
        """Make an order as large again as it was asked for, where the simulated venue enlarged it."""
        size = None if self._reducing is None else self._reducing.too_large(order)
        if size is not None:  # less than it is: nothing that the gate would have to see
            super().modify_order(order.client_order_id, quantity(size, self.instrument))

    def _changed(self, client_order_id: ClientOrderId, changes: dict[str, Decimal]) -> OrderIntent:
        """A working order as a change would make it."""
        order, order_id = self._cache.order(client_order_id), str(client_order_id)
        if order is None:
            raise ValueError(f"there is no order {order_id} to modify")
        return msgspec.structs.replace(intent_of(order), changes=order_id, **changes)

    def _refuse_change(self, intent: OrderIntent, order_id: str, denial: Denial) -> None:
        self._tell(Denied(ts=self._clock.timestamp_ns(), order_id=order_id, intent=intent, denial=denial))
        self._warn(f"Change of {order_id} refused: {denial.text}")

    def _pass_gate(self, orders: list[Any], closes: str = "") -> bool:
        """All of them or none; each that stays behind is told as denied."""
        self.refusal = ""
        gate = self.context.gate
        for at, order in enumerate(orders):
            intent = intent_of(order, _stop_of(order, orders), closes)
            denial = gate.check(intent, str(order.client_order_id))
            if denial is not None:
                for passed in orders[:at]:
                    gate.withdraw(str(passed.client_order_id))
                self._refuse(orders, order, intent, denial)
                return False
        return True

    def _leave(self, orders: list[Any]) -> bool:
        """All of them or none past the last gate; nothing is to be asked where execution is simulated."""
        last = self.context.last
        if last is None:
            return True
        for order in orders:
            intent = intent_of(order, _stop_of(order, orders))
            denial = last.leaves(intent, str(order.client_order_id))
            if denial is not None:
                for each in orders:
                    last.withdraw(str(each.client_order_id))
                self._refuse(orders, order, intent, denial)
                return False
        return True

    def _refuse(self, orders: list[Any], refused: Any, intent: OrderIntent, denial: Denial) -> None:
        """Tell that one of them was denied, and none is sent."""
        ts, order_id, self.refusal = self._clock.timestamp_ns(), str(refused.client_order_id), denial.text
        self._tell(Denied(ts=ts, order_id=order_id, intent=intent, denial=denial))
        for each in orders:
            reason = denial.text if each is refused else f"Not sent, as {order_id} was refused."
            changed: OrderChanged = events.order_changed(each, ts, status="DENIED", reason=reason)
            self._tell(changed)
        self._warn_of_refusal(order_id, denial.text)

    def _send(self, orders: Any, *args: Any, **kwargs: Any) -> bool:
        """Let orders out that have passed the gate: one, or a list that belongs together."""
        each_of = orders if isinstance(orders, list) else orders.orders
        if not self._leave(each_of):
            return False
        self._let_out(orders, each_of, *args, **kwargs)
        return True

    def _let_out(self, orders: Any, passed: list[Any], *args: Any, **kwargs: Any) -> None:
        """Hand orders to the engine; where it takes them not, all that `passed` count no more."""
        if self._reducing is not None:
            for order in orders if isinstance(orders, list) else passed:
                self._reducing.ask(order)
        try:
            if isinstance(orders, list) and len(orders) == 1:
                super().submit_order(orders[0], *args, **kwargs)
            else:
                super().submit_order_list(orders, *args, **kwargs)
        except Exception:
            for order in passed:
                self.context.gate.withdraw(str(order.client_order_id))
            raise

    @unbroken
    def on_order_event(self, event: Any) -> None:
        """Tell every step of an order's life, and keep its size what it was asked for."""
        super().on_order_event(event)
        if isinstance(event, OrderUpdated):
            with self._telling("on_order_event"):
                self._keep_size(self._cache.order(event.client_order_id))


def _given(size: Quantity | None, limit: Price | None, trigger: Price | None) -> dict[str, Decimal]:
    """What a change changes, exact."""
    values = {"quantity": size, "price": limit, "trigger": trigger}
    return {name: value.as_decimal() for name, value in values.items() if value is not None}


def _stop_of(entry: Any, orders: list[Any]) -> Decimal | None:
    """Trigger of the stop that this order's fill sets to work, of those that are sent with it."""
    if len(orders) == 1:
        return None
    for order in orders:
        if order.parent_order_id == entry.client_order_id and order.order_type.name in STOPS:
            return events.price_of(order, "trigger_price")
    return None


def intent_of(order: Any, stop: Decimal | None = None, closes: str = "") -> OrderIntent:
    """What was wanted of an order, as it is now."""
    return OrderIntent(
        instrument=str(order.instrument_id),
        strategy=str(order.strategy_id),
        side=events.side_name(order.side),
        type=order.order_type.name,
        quantity=order.quantity.as_decimal(),
        price=events.price_of(order, "price"),
        trigger=events.price_of(order, "trigger_price"),
        trailing_offset=getattr(order, "trailing_offset", None),
        time_in_force=events.time_in_force(order),
        expire_ns=getattr(order, "expire_time", None),
        post_only=bool(getattr(order, "is_post_only", False)),
        reduce_only=order.is_reduce_only,
        quote_quantity=order.is_quote_quantity,
        stop=stop,
        closes=closes,
    )
