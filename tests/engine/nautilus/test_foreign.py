"""Orders that others placed, as they are seen in the engine's cache."""

from decimal import Decimal
from types import SimpleNamespace
from typing import Any

from nautilus_trader.model import ClientOrderId, InstrumentId, Price, Quantity

from engine.messages.events import AnyEvent, OrderChanged
from engine.nautilus.foreign import Foreign

NAME = ClientOrderId("BY-PHONE")


def a_stop(trigger: str) -> Any:
    named = SimpleNamespace
    return named(
        client_order_id=NAME,
        instrument_id="BTCUSDT.SIM",
        strategy_id="EXTERNAL",
        side=named(name="SELL"),
        order_type=named(name="STOP_MARKET"),
        quantity=Quantity.from_str("1.0"),
        filled_qty=Quantity.from_str("0.0"),
        trigger_price=Price.from_str(trigger),
        avg_px=None,
        status=named(name="ACCEPTED"),
        tags=None,
        time_in_force=named(name="GTC"),
        is_closed=False,
        is_reduce_only=True,
        venue_order_id=None,
        parent_order_id=None,
        linked_order_ids=None,
        ts_last=1,
        events=list,
    )


def test_a_stop_that_somebody_moves_elsewhere_is_told_where_it_stands() -> None:
    orders = {NAME: a_stop("90.0")}
    cache = SimpleNamespace(
        client_order_ids=lambda **_: list(orders), order=orders.get, positions=lambda **_: []
    )
    told: list[AnyEvent] = []
    foreign = Foreign(cache, InstrumentId.from_str("BTCUSDT.SIM"), {}, told.append)
    foreign.look()
    foreign.look()
    orders[NAME] = a_stop("95.0")
    foreign.look()
    assert [event.trigger for event in told if isinstance(event, OrderChanged)] == [Decimal(90), Decimal(95)]
