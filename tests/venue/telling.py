"""What the venue says of the account when a test asks."""

from decimal import Decimal
from typing import Literal

from tests.venue.exchange import Exchange
from tests.venue.orders import Fill, Order
from tests.venue.setup import TrueFill, TrueOrder, Truth
from tests.venue.symbol import BUY


def truth(exchange: Exchange) -> Truth:
    """The account, as structs."""
    ledger = exchange.ledger
    return Truth(
        orders=tuple(_order(order) for order in exchange.orders.values()),
        fills=tuple(_fill(fill) for fill in exchange.fills),
        positions={
            name: (ledger.position(name), ledger.entry_price(name))
            for name in exchange.markets
            if ledger.position(name)
        },
        wallet=ledger.wallet,
        fees=ledger.fees,
        imbalance=ledger.imbalance() + _unexplained(exchange),
        waiting={algo.client_id: algo.type for algo in exchange.conditionals.waiting()},
    )


def _unexplained(exchange: Exchange) -> Decimal:
    """What orders, fills and positions say differently."""
    wrong = Decimal(0)
    for name in exchange.markets:
        held = sum(
            (fill.order.symbol.size_value(fill.size) * (1 if fill.order.side == BUY else -1))
            for fill in exchange.fills
            if fill.order.symbol.name == name
        )
        wrong += abs(exchange.ledger.position(name) - held)
    by_order: dict[int, int] = {}
    for fill in exchange.fills:
        by_order[fill.order.id] = by_order.get(fill.order.id, 0) + fill.size
    wrong += sum(abs(order.filled - by_order.get(order.id, 0)) for order in exchange.orders.values())
    wrong += abs(exchange.ledger.fees - sum((fill.fee for fill in exchange.fills), Decimal(0)))
    return wrong


def _side(order: Order) -> Literal["BUY", "SELL"]:
    return "BUY" if order.side == BUY else "SELL"


def _order(order: Order) -> TrueOrder:
    symbol = order.symbol
    return TrueOrder(
        id=order.id,
        client_id=order.client_id,
        symbol=symbol.name,
        side=_side(order),
        type=order.type,
        size=symbol.size_value(order.size),
        price=symbol.price_value(order.price),
        filled=symbol.size_value(order.filled),
        status=order.status,
    )


def _fill(fill: Fill) -> TrueFill:
    symbol = fill.order.symbol
    return TrueFill(
        id=fill.id,
        order_id=fill.order.id,
        client_id=fill.order.client_id,
        symbol=symbol.name,
        side=_side(fill.order),
        price=symbol.price_value(fill.price),
        size=symbol.size_value(fill.size),
        fee=fill.fee,
        profit=fill.profit,
        is_maker=fill.is_maker,
        time_ms=fill.time_ms,
    )
