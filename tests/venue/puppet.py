"""A strategy that does what it is told and tells what it sees, a JSON object a line."""

import queue
import sys
from collections.abc import Callable
from decimal import Decimal
from typing import Any, Self

import msgspec
from nautilus_trader.model import (
    BookType,
    ClientOrderId,
    InstrumentId,
    OrderSide,
    Price,
    Quantity,
    StrategyId,
    TimeInForce,
    TrailingOffsetType,
    TriggerType,
)
from nautilus_trader.trading import Strategy, StrategyConfig

type Event = dict[str, Any]

_POLL_NS = 5_000_000
_FACTS = (
    "reason",
    "trade_id",
    "last_qty",
    "last_px",
    "commission",
    "liquidity_side",
    "quantity",
    "price",
    "venue_order_id",
    "reconciliation",
)


class Puppet(Strategy):
    """Runs commands from a queue on the node's own thread."""

    def __new__(cls, *_: Any) -> Self:
        make: Callable[..., Self] = Strategy.__new__
        return make(cls, StrategyConfig(strategy_id=StrategyId("PUPPET-001")))

    def __init__(
        self,
        instrument_id: InstrumentId,
        watch: tuple[str, ...],
        commands: "queue.SimpleQueue[Event | None]",
        stop_node: Callable[[], None],
    ) -> None:
        self._instrument_id, self._watch = instrument_id, watch
        self._commands, self._stop_node = commands, stop_node
        self._instrument: Any = None

    def on_start(self) -> None:
        self._instrument = self.cache.instrument(self._instrument_id)
        if "quotes" in self._watch:
            self.subscribe_quotes(self._instrument_id)
        if "trades" in self._watch:
            self.subscribe_trades(self._instrument_id)
        if "deltas" in self._watch:
            self.subscribe_book_deltas(self._instrument_id, BookType.L2_MBP)
        self.clock.set_timer_ns("poll", _POLL_NS, None, None, self._poll)
        tell(event="started", instrument=None if self._instrument is None else str(self._instrument.id))

    def _poll(self, _: object) -> None:
        while not self._commands.empty():
            command = self._commands.get()
            if command is None:
                self._stop_node()
                return
            try:
                getattr(self, f"_do_{command.pop('do')}")(**command)
            except Exception as error:  # noqa: BLE001 - told to the test
                tell(event="failed", error=repr(error))

    # Commands -----------------------------------------------------------------------------------------------

    def _do_market(self, id: str, side: str, size: str, **more: Any) -> None:  # noqa: A002
        self._submit("market", id, side, size, **more)

    def _do_limit(self, id: str, side: str, size: str, price: str, **more: Any) -> None:  # noqa: A002
        self._submit("limit", id, side, size, price=Price.from_str(price), **more)

    def _do_stop(self, id: str, side: str, size: str, trigger: str, **more: Any) -> None:  # noqa: A002
        kind = "stop_limit" if "price" in more else "stop_market"
        if "price" in more:
            more["price"] = Price.from_str(more["price"])
        trigger_price = Price.from_str(trigger)
        self._submit(
            kind, id, side, size, trigger_price=trigger_price, trigger_type=TriggerType.LAST_PRICE, **more
        )

    def _do_touch(self, id: str, side: str, size: str, trigger: str) -> None:  # noqa: A002
        self._submit(
            "market_if_touched",
            id,
            side,
            size,
            trigger_price=Price.from_str(trigger),
            trigger_type=TriggerType.LAST_PRICE,
        )

    def _do_trail(self, id: str, side: str, size: str, basis_points: str) -> None:  # noqa: A002
        self._submit(
            "trailing_stop_market",
            id,
            side,
            size,
            trailing_offset=Decimal(basis_points),
            trailing_offset_type=TrailingOffsetType.BASIS_POINTS,
            trigger_type=TriggerType.LAST_PRICE,
        )

    def _submit(self, kind: str, name: str, side: str, size: str, **more: Any) -> None:
        if "tif" in more:
            more["time_in_force"] = getattr(TimeInForce, more.pop("tif"))
        order = getattr(self.order_factory, kind)(
            self._instrument_id,
            getattr(OrderSide, side),
            Quantity.from_str(size),
            client_order_id=ClientOrderId(name),
            **more,
        )
        self.submit_order(order)

    def _do_modify(self, id: str, size: str | None = None, price: str | None = None) -> None:  # noqa: A002
        self.modify_order(
            ClientOrderId(id),
            None if size is None else Quantity.from_str(size),
            None if price is None else Price.from_str(price),
        )

    def _do_cancel(self, id: str) -> None:  # noqa: A002
        self.cancel_order(ClientOrderId(id))

    def _do_cancel_all(self) -> None:
        self.cancel_all_orders(self._instrument_id)

    def _do_query(self, id: str) -> None:  # noqa: A002
        self.query_order(self.cache.order(ClientOrderId(id)))

    def _do_state(self, number: int) -> None:
        account = self.portfolio.account(self._instrument_id.venue)
        orders = {
            str(order.client_order_id): [str(order.status), str(order.filled_qty)]
            for order in self.cache.orders()
        }
        tell(
            event="state",
            number=number,
            orders=orders,
            positions={
                str(position.instrument_id): str(
                    position.quantity.as_decimal() * (1 if position.is_long else -1)
                )
                for position in self.cache.positions_open()
            },
            balances=None
            if account is None
            else {str(k): str(v) for k, v in account.balances_total().items()},
        )

    # What it sees -------------------------------------------------------------------------------------------

    def on_quote(self, quote: Any) -> None:
        tell(event="quote", bid=str(quote.bid_price), ask=str(quote.ask_price), bid_size=str(quote.bid_size))

    def on_trade(self, trade: Any) -> None:
        tell(event="trade", price=str(trade.price), size=str(trade.size), side=str(trade.aggressor_side))

    def on_book_deltas(self, deltas: Any) -> None:
        tell(event="deltas", count=len(deltas.deltas))

    def on_order_event(self, event: Any) -> None:
        facts = {name: str(getattr(event, name)) for name in _FACTS if getattr(event, name, None) is not None}
        tell(event=type(event).__name__, id=str(event.client_order_id), **facts)

    def on_position_event(self, event: Any) -> None:
        tell(event=type(event).__name__, size=str(getattr(event, "signed_qty", "")))


def tell(**event: Any) -> None:
    """Write an event."""
    sys.stdout.buffer.write(msgspec.json.encode(event) + b"\n")
    sys.stdout.buffer.flush()
