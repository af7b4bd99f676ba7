"""The base of every strategy: tells what happens, survives its own mistakes, and orders only through a gate.

NautilusTrader swallows an exception in a callback and goes on, and Python cannot tap its message bus; so what
the station must know passes through here.
"""

import functools
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Self

import msgspec
from nautilus_trader.model import (
    BookType,
    ClientOrderId,
    InstrumentId,
    OrderDenied,
    OrderFilled,
    OrderFillVoided,
    OrderInitialized,
    OrderRejected,
    OrderSide,
    OrderUpdated,
    Price,
    Quantity,
    StrategyId,
    TimeInForce,
)
from nautilus_trader.trading import Strategy, StrategyConfig

from engine.callbacks import Shield, StrategyInterrupted, callbacks
from engine.messages.events import AnyEvent, Denied, Logged, OrderChanged
from engine.messages.instrument import Instrument
from engine.messages.orders import OrderIntent
from engine.nautilus import events
from engine.nautilus.account import AccountReader
from engine.nautilus.instrument import price, quantity
from engine.nautilus.reducing import Reducing
from engine.risk.gate import Gate
from engine.signals.lead import Lead

_REFUSALS_NAMED = 5
STOPS = ("STOP_MARKET", "STOP_LIMIT", "TRAILING_STOP_MARKET")
_SINKS = ("on_order_event", "on_position_event")


@dataclass(frozen=True, slots=True)
class Context:
    """What the station hands to a strategy.

    Attributes
    ----------
    kinds : frozenset of str
        Market data that the run has: `quotes`, `trades`, `deltas`.
    balance : Decimal
        Starting balance in the instrument's quote currency.
    emit : callable
        Takes every event that the strategy causes or sees.
    lead : Lead or None
        What a strategy follows that acts on a model.
    hedging : bool
        Whether each position stands by itself (`VenueRules.oms`).
    simulated : bool
        Whether orders are filled by the engine's own matching.
    """

    name: str
    instrument: Instrument
    parameters: msgspec.Struct
    kinds: frozenset[str]
    balance: Decimal
    gate: Gate
    emit: Callable[[AnyEvent], None]
    lead: Lead | None = None
    hedging: bool = False
    simulated: bool = True


def _unbroken[**P, R](method: Callable[P, R]) -> Callable[P, R]:
    """Method of ours that runs to its end also where the callback that called it is to be interrupted."""

    @functools.wraps(method)
    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        with Shield(callbacks()):
            return method(*args, **kwargs)

    return call


class StationStrategy(Strategy):
    """Base of all strategies of the station.

    A subclass overrides Nautilus' own `on_start`, `on_quote`, `on_order_filled` and so on; an exception in
    one of them ends the strategy's work and is told as an event. It orders through `submit`, or through
    Nautilus' own methods, which pass the same gate.
    """

    def __init_subclass__(cls) -> None:
        for name, method in list(vars(cls).items()):
            if name in _SINKS:
                raise TypeError(f"{cls.__name__} must not override {name}; use on_order_filled and its like")
            if name.startswith("on_") and callable(method):
                setattr(cls, name, _guarded(method))

    def __new__(cls, context: Context) -> Self:
        """Make the Rust half, which wants to know nothing of ours."""
        make: Callable[..., Self] = Strategy.__new__  # its stub has `__init__` instead
        return make(cls, StrategyConfig(strategy_id=StrategyId(cls.identity(context))))

    def __init__(self, context: Context) -> None:
        self.context = context
        self.instrument = context.instrument
        self.instrument_id = InstrumentId.from_str(context.instrument.id)
        self.failure = ""
        """What went wrong, in one line; the strategy does nothing more."""
        self.refusal = ""
        """Why the gate or the venue refused the newest order; empty where they let it pass so far."""
        self._refused = 0
        self._callbacks = callbacks()

    @classmethod
    def identity(cls, context: Context) -> str:
        """Name of this trader in orders and positions; the hand is number 001, as no two may share one."""
        return f"{context.name.replace('_', '-')}-002"

    def connect(self, cache: Any, portfolio: Any, clock: Any, account: AccountReader) -> None:
        """Take what the engine gave at registration.

        An event can arrive while Nautilus still holds the strategy (as when its order is denied inside
        `submit_order`), and then the strategy's own `cache` and `clock` are out of reach; these are not.
        """
        self._cache, self._portfolio, self._clock = cache, portfolio, clock
        self._account = account
        self._reducing = Reducing(cache) if self.context.simulated else None

    # What outlives a session ----------------------------------------------------------------------------

    def remember(self) -> dict[str, str]:
        """What it wants to know again when a live session is started anew.

        Its orders and its position are the venue's to know, and are taken over from there.
        """
        return {}

    def recall(self, state: dict[str, str]) -> None:
        """Take what `remember` gave at the end of an earlier session; before the first market data."""

    # What a strategy asks for ---------------------------------------------------------------------------

    def watch(self, *kinds: str) -> None:
        """Subscribe to those of `quotes`, `trades`, `deltas` that the run has."""
        for kind in kinds:
            if kind not in self.context.kinds:
                continue
            if kind == "quotes":
                self.subscribe_quotes(self.instrument_id)
            elif kind == "trades":
                self.subscribe_trades(self.instrument_id)
            else:
                # A managed book costs as much as the deltas themselves; only where it is the sole price does
                # the engine need one, to give market orders a price to be checked with.
                alone = self.context.kinds == {"deltas"}
                self.subscribe_book_deltas(self.instrument_id, BookType.L2_MBP, managed=alone)

    def default_size(self, price: float) -> Decimal:
        """Size of about one hundredth of the starting balance at this price, in whole lots, at least one."""
        lot = self.instrument.lot_size
        return max(lot, self.context.balance / 100 / Decimal(price) // lot * lot)

    def net_position(self) -> Decimal:
        """Signed size held, plus what is on its way to the venue or working there."""
        waiting = Decimal(0)
        for order in self._unfinished():
            leaves = order.leaves_qty.as_decimal()
            waiting += leaves if order.is_buy else -leaves
        return self.held() + waiting

    def held(self) -> Decimal:
        """Signed size of this strategy's own position."""
        return sum((events.signed_size(each) for each in self.own_positions()), Decimal(0))

    def own_positions(self) -> list[Any]:
        """Own open positions."""
        wanted = {"instrument_id": self.instrument_id, "strategy_id": self.strategy_id}
        positions: list[Any] = self._cache.positions_open(**wanted)
        return positions

    @_unbroken
    def close_out(self, limit: Decimal | None = None, *, only: str = "") -> None:
        """Close what is held, and no more than that: at market, or at once at this price or better.

        `only` names the one position to close, of several.
        """
        for position in self.own_positions():
            if only not in ("", str(position.id)):
                continue
            side = OrderSide.SELL if events.signed_size(position) > 0 else OrderSide.BUY
            size = (self.instrument_id, side, position.quantity)
            if limit is None:
                order = self.order_factory.market(*size, reduce_only=True)
            else:
                at, at_once = price(limit, self.instrument), TimeInForce.IOC
                order = self.order_factory.limit(*size, at, time_in_force=at_once, reduce_only=True)
            if self.context.hedging:
                # It only takes from this one position; the gate knows of none but the sum, which may be 0.
                self._send([order], position.id)
            else:
                self.submit_order(order)

    def go_to(self, target: Decimal) -> Any | None:
        """Trade at market to hold `target` (signed, in base currency) once all is filled.

        Returns the order, which may have been refused (see `refusal`); None where nothing is to be traded.
        """
        change = target - self.net_position()
        if not change:
            return None
        side = OrderSide.BUY if change > 0 else OrderSide.SELL
        order = self.order_factory.market(self.instrument_id, side, quantity(abs(change), self.instrument))
        self.submit(order)
        return order

    @_unbroken
    def submit(self, order: Any) -> bool:
        """Send an order through the gate; False when it was refused (told as a DENIED order)."""
        return self._pass_gate([order]) and self._send([order])

    @_unbroken
    def submit_order(self, order: Any, *args: Any, **kwargs: Any) -> None:
        """As Nautilus', through the gate."""
        if self._pass_gate([order]):
            self._send([order], *args, **kwargs)

    @_unbroken
    def submit_order_list(self, order_list: Any, *args: Any, **kwargs: Any) -> None:
        """As Nautilus', through the gate: all orders or none."""
        orders = order_list if isinstance(order_list, list) else order_list.orders
        if self._pass_gate(orders):
            self._send(order_list, *args, **kwargs)

    @_unbroken
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
        changes = {"quantity": quantity, "price": price, "trigger": trigger_price}
        exact = {name: value.as_decimal() for name, value in changes.items() if value is not None}
        if self._may_change(client_order_id, exact):
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

    def _modify(self, client_order_id: ClientOrderId, *args: Any, **kwargs: Any) -> None:
        """Let a change out that has passed the gate; Nautilus takes none that changes nothing."""
        try:
            super().modify_order(client_order_id, *args, **kwargs)
        except Exception:
            self.context.gate.withdraw(str(client_order_id))
            raise

    def _keep_size(self, order: Any) -> None:
        """Make an order as large again as it was asked for, where the simulated venue enlarged it."""
        size = None if self._reducing is None else self._reducing.too_large(order)
        if size is not None:  # less than it is: nothing that the gate would have to see
            super().modify_order(order.client_order_id, quantity(size, self.instrument))

    def _may_change(self, client_order_id: ClientOrderId, changes: dict[str, Decimal]) -> bool:
        order, order_id = self._cache.order(client_order_id), str(client_order_id)
        if order is None:
            raise ValueError(f"there is no order {order_id} to modify")
        intent = msgspec.structs.replace(_intent(order), changes=order_id, **changes)
        denial = self.context.gate.check(intent, order_id)
        if denial is not None:
            ts = self._clock.timestamp_ns()
            self._tell(Denied(ts=ts, order_id=order_id, intent=intent, denial=denial))
            self._warn(f"Change of {order_id} refused: {denial.text}")
        elif self._reducing is not None and "quantity" in changes:
            self._reducing.ask(order, changes["quantity"])
        return denial is None

    def _send(self, orders: Any, *args: Any, **kwargs: Any) -> bool:
        """Let orders out that have passed the gate: one, or a list that belongs together."""
        if self._reducing is not None:
            for order in orders if isinstance(orders, list) else orders.orders:
                self._reducing.ask(order)
        try:
            if isinstance(orders, list) and len(orders) == 1:
                super().submit_order(orders[0], *args, **kwargs)
            else:
                super().submit_order_list(orders, *args, **kwargs)
        except Exception:
            for order in orders if isinstance(orders, list) else orders.orders:
                self.context.gate.withdraw(str(order.client_order_id))
            raise
        return True

    # What happened ---------------------------------------------------------------------------------------

    @_unbroken
    def on_order_event(self, event: Any) -> None:
        """Tell every step of an order's life, and the account after a fill."""
        if isinstance(event, OrderInitialized):
            return  # an order that was neither denied nor submitted yet; the next event follows at once
        with self._telling("on_order_event"):
            order = self._cache.order(event.client_order_id)
            reason = events.reason(event)
            self._tell(events.order_changed(order, event.ts_event, reason=reason))
            if isinstance(event, OrderDenied | OrderRejected):
                self.refusal = reason
                self._warn_of_refusal(str(event.client_order_id), reason)
            if isinstance(event, OrderFilled):
                self._tell(events.filled(event))
            elif isinstance(event, OrderFillVoided):
                self._tell(events.taken_back(event, order.events()))
            if isinstance(event, OrderUpdated):
                self._keep_size(order)

    @_unbroken
    def on_position_event(self, event: Any) -> None:
        """Tell every step of a position's life and the balance that it left."""
        with self._telling("on_position_event"):
            position = self._cache.position(event.position_id)
            self._tell(events.position_changed(event, position))
            self._tell(self._account.changed(event.ts_event))

    @_unbroken
    def fail(self, where: str, error: BaseException) -> None:
        """Stop working and say why; the traceback goes to the engine's log."""
        traceback.print_exception(error, file=sys.stderr)
        line = traceback.format_exception_only(error)[-1].strip()
        self.failure = f"{line} (in {where})"
        text = f"The strategy raised {self.failure}."
        if isinstance(error, StrategyInterrupted):
            text = self._callbacks.sentence
        self._tell(Logged(ts=self._clock.timestamp_ns(), level="error", source=self.context.name, text=text))

    @contextmanager
    def _telling(self, where: str) -> Iterator[None]:
        """Fail aloud: a callback that raises would be swallowed by Nautilus."""
        try:
            yield
        except Exception as error:  # noqa: BLE001 - whatever it is, the session must end over it
            self.fail(where, error)

    def _tell(self, event: AnyEvent) -> None:
        self.context.emit(event)

    def _warn(self, text: str) -> None:
        ts = self._clock.timestamp_ns()
        self._tell(Logged(ts=ts, level="warning", source=self.context.name, text=text))

    def _warn_of_refusal(self, order_id: str, reason: str) -> None:
        """Name the first refused orders; a strategy that is refused at every tick would bury the log."""
        self._refused += 1
        if self._refused > _REFUSALS_NAMED:
            return
        last = " Later refusals are only told beside the orders." if self._refused == _REFUSALS_NAMED else ""
        self._warn(f"Order {order_id} refused: {reason.rstrip('.')}.{last}")

    def _pass_gate(self, orders: list[Any]) -> bool:
        """All of them or none; each that stays behind is told as denied."""
        self.refusal = ""
        for at, order in enumerate(orders):
            intent, order_id = _intent(order, _stop_of(order, orders)), str(order.client_order_id)
            denial = self.context.gate.check(intent, order_id)
            if denial is None:
                continue
            for passed in orders[:at]:
                self.context.gate.withdraw(str(passed.client_order_id))
            ts, self.refusal = self._clock.timestamp_ns(), denial.text
            self._tell(Denied(ts=ts, order_id=order_id, intent=intent, denial=denial))
            for each in orders:
                reason = denial.text if each is order else f"Not sent, as {order_id} was refused."
                changed: OrderChanged = events.order_changed(each, ts, status="DENIED", reason=reason)
                self._tell(changed)
            self._warn_of_refusal(order_id, denial.text)
            return False
        return True

    def _unfinished(self) -> list[Any]:
        wanted = {"instrument_id": self.instrument_id, "strategy_id": self.strategy_id}
        open_or_sent = [*self._cache.orders_open(**wanted), *self._cache.orders_inflight(**wanted)]
        return list({order.client_order_id: order for order in open_or_sent}.values())


def _guarded(method: Callable[..., Any]) -> Callable[..., Any]:
    where = method.__name__

    @functools.wraps(method)
    def call(self: StationStrategy, *args: Any) -> None:
        if self.failure:
            return
        here = self._callbacks
        outer, interruptible = here.running, here.interruptible
        # Two blocks, as an interruption may also come while the inner one is left.
        try:
            try:
                here.entered += 1
                here.running, here.interruptible = where, True
                method(self, *args)
            finally:
                here.left(outer, interruptible)
        except StrategyInterrupted as error:
            here.left(outer, interruptible)
            self.fail(where, error)
        except Exception as error:  # noqa: BLE001 - it is the user's code; Nautilus would swallow it
            self.fail(where, error)

    return call


def _stop_of(entry: Any, orders: list[Any]) -> Decimal | None:
    """Trigger of the stop that this order's fill sets to work, of those that are sent with it."""
    if len(orders) == 1:
        return None
    for order in orders:
        if order.parent_order_id == entry.client_order_id and order.order_type.name in STOPS:
            return events.price_of(order, "trigger_price")
    return None


def _intent(order: Any, stop: Decimal | None = None) -> OrderIntent:
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
    )
