"""Which orders the venue takes: how a request is read, and what it is refused for."""

from typing import Final

from tests.venue.margin import Margin
from tests.venue.market import Market
from tests.venue.orders import Order
from tests.venue.refusal import Refusal, missing
from tests.venue.symbol import BUY, SELL, Params, Symbol, number, read_position_side, read_side

CONDITIONAL: Final = ("STOP", "STOP_MARKET", "TAKE_PROFIT", "TAKE_PROFIT_MARKET", "TRAILING_STOP_MARKET")
"""Types that the algo service takes, and the matching engine no longer does."""

_TIMES_IN_FORCE = ("GTC", "IOC", "FOK", "GTX", "GTD")
_SHORTEST_GTD_MS = 600_000
_KEPT_OPEN = 200
"""Working orders that a symbol may have (`MAX_NUM_ORDERS`)."""


def read_order(symbol: Symbol, params: Params, order_id: int, client_id: str, now_ms: int) -> Order:
    """A new order as a request describes it."""
    kind = params.get("type", "")
    if kind in CONDITIONAL:
        raise Refusal(-4120, "Order type not supported for this endpoint. Please use the Algo Order API.")
    if kind not in ("LIMIT", "MARKET"):
        raise Refusal(-1116, "Invalid orderType.")
    time_in_force = params.get("timeInForce", "GTC" if kind == "MARKET" else "")
    if time_in_force not in _TIMES_IN_FORCE:
        raise missing("timeInForce") if not time_in_force else Refusal(-1115, "Invalid timeInForce.")
    good_till = int(number(params.get("goodTillDate", "0"), "goodTillDate"))
    if time_in_force == "GTD" and good_till < now_ms + _SHORTEST_GTD_MS:
        raise Refusal(-4171, "The goodTillDate must be greater than the current time plus 600 seconds.")
    return Order(
        symbol=symbol,
        id=order_id,
        client_id=client_id,
        side=read_side(params),
        type=kind,
        time_in_force=time_in_force,
        size=symbol.size(params.get("quantity", "")),
        price=symbol.price(params.get("price", "")) if kind == "LIMIT" else 0,
        reduce_only=params.get("reduceOnly", "false").lower() == "true",
        position_side=read_position_side(params),
        good_till_ms=good_till if time_in_force == "GTD" else 0,
        time_ms=now_ms,
        updated_ms=now_ms,
    )


def check_order(market: Market, order: Order, reducible: int, margin: Margin) -> None:
    """Refuse what the venue would not take; cut what is reduce-only to the `reducible` size."""
    symbol = market.symbol
    if order.reduce_only:
        order.size = min(order.size, reducible)
        if not order.size:
            raise Refusal(-2022, "ReduceOnly Order is rejected.")
    else:
        symbol.check_notional(order.price or market.mark, order.size)
    if len(market.resting[BUY]) + len(market.resting[SELL]) >= _KEPT_OPEN:
        raise Refusal(-2025, "Reach max open order limit.")
    if order.price:
        symbol.check_band(order.side, order.price, market.mark)
    if order.time_in_force == "GTX" and market.crosses(order.side, order.price):
        raise would_take()
    if order.time_in_force == "FOK" and market.takes(order.side, order.price) < order.size:
        raise Refusal(
            -5021,
            "Due to the order could not be filled immediately, the FOK order has been rejected. "
            "The order will not be recorded in the order history.",
        )
    grows = 0 if order.reduce_only else max(0, order.size - reducible)
    if margin.needed(symbol.name, order.price or market.mark, grows) > margin.available():
        raise Refusal(-2019, "Margin is insufficient.")


def would_take() -> Refusal:
    """A post-only order that would trade at once."""
    return Refusal(
        -5022,
        "Due to the order could not be executed as maker, the Post Only order will be rejected. "
        "The order will not be recorded in the order history.",
    )
