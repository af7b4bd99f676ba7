"""NautilusTrader's order, fill and position states in our vocabulary, exact to the last digit."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any, Literal

from nautilus_trader.model import (
    OrderCancelRejected,
    OrderDenied,
    OrderFilled,
    OrderFillVoided,
    OrderModifyRejected,
    OrderRejected,
    PositionClosed,
    PositionOpened,
)

from engine.messages.events import Filled, OrderChanged, PositionChanged
from engine.messages.orders import OrderIntent, TimeInForce
from engine.nautilus.tags import DAY, request_of

_LIQUIDITY: dict[str, Literal["maker", "taker", ""]] = {"MAKER": "maker", "TAKER": "taker"}
_REFUSED: dict[type, str] = {
    OrderDenied: "The engine did not send it",
    OrderRejected: "The venue refused it",
    OrderModifyRejected: "The venue did not change it",
    OrderCancelRejected: "The venue did not cancel it",
}
_TIME_IN_FORCE: dict[str, TimeInForce] = {"GTC": "GTC", "IOC": "IOC", "FOK": "FOK", "GTD": "GTD"}


def order_changed(order: Any, ts: int, *, status: str | None = None, reason: str = "") -> OrderChanged:
    """State of a Nautilus order; `status` overrides where the order never left the strategy."""
    return OrderChanged(
        ts=ts,
        order_id=str(order.client_order_id),
        instrument=str(order.instrument_id),
        strategy=str(order.strategy_id),
        side=side_name(order.side),
        type=order.order_type.name,
        quantity=order.quantity.as_decimal(),
        filled=order.filled_qty.as_decimal(),
        price=price_of(order, "price"),
        trigger=price_of(order, "trigger_price"),
        average_price=order.avg_px,
        status=status or _status(order),
        reason=reason,
        time_in_force=time_in_force(order),
        post_only=bool(getattr(order, "is_post_only", False)),
        reduce_only=order.is_reduce_only,
        venue_order_id="" if order.venue_order_id is None else str(order.venue_order_id),
        request=request_of(order.tags),
        contingent=tuple(map(str, (*_parents(order), *(order.linked_order_ids or ())))),
    )


def _status(order: Any) -> str:
    """As it is; one that executions were taken from at its end is filled all the same, or its rest gone."""
    status: str = order.status.name
    if status == "VOIDED":
        return "FILLED" if order.filled_qty >= order.quantity else "CANCELED"
    return status


def reason(event: Any) -> str:
    """Why an order was refused, or a change of it: a sentence with the text as it came; empty without one."""
    text = str(getattr(event, "reason", None) or "")
    said = _REFUSED.get(type(event))
    return f'{said}: "{text.rstrip(".")}".' if said and text else text


def denied(
    intent: OrderIntent, order_id: str, ts: int, reason: str, request: str, contingent: tuple[str, ...]
) -> OrderChanged:
    """State of what was wanted and never became an order."""
    return OrderChanged(
        ts=ts,
        order_id=order_id,
        instrument=intent.instrument,
        strategy=intent.strategy,
        side=intent.side,
        type=intent.type,
        quantity=intent.quantity,
        filled=Decimal(0),
        price=intent.price,
        trigger=intent.trigger,
        average_price=None,
        status="DENIED",
        reason=reason,
        time_in_force=intent.time_in_force,
        post_only=intent.post_only,
        reduce_only=intent.reduce_only,
        request=request,
        contingent=contingent,
    )


def time_in_force(order: Any) -> TimeInForce:
    """How long an order is to work, as it was asked for."""
    if DAY in (order.tags or ()):
        return "DAY"
    return _TIME_IN_FORCE.get(order.time_in_force.name, "DAY")


def _parents(order: Any) -> tuple[Any, ...]:
    return () if order.parent_order_id is None else (order.parent_order_id,)


def filled(event: OrderFilled) -> Filled:
    """One execution."""
    fee = event.commission
    return Filled(
        ts=event.ts_event,
        trade_id=str(event.trade_id),
        order_id=str(event.client_order_id),
        instrument=str(event.instrument_id),
        strategy=str(event.strategy_id),
        side=side_name(event.order_side),
        quantity=event.last_qty.as_decimal(),
        price=event.last_px.as_decimal(),
        fee=Decimal(0) if fee is None else fee.as_decimal(),
        fee_currency=event.currency.code if fee is None else fee.currency.code,
        liquidity=_LIQUIDITY.get(event.liquidity_side.name, ""),
    )


def taken_back(event: OrderFillVoided, history: Iterable[Any]) -> Filled:
    """One execution that was none after all, or of a smaller size: the venue's own word corrects a guess.

    `history` are the events of its order: each says how much of the execution is void in all.
    """
    fee, size = event.commission_voided, Decimal(0)
    for each in history:
        if each.event_id == event.event_id:
            break
        if isinstance(each, OrderFillVoided) and each.trade_id == event.trade_id:
            size = each.voided_qty.as_decimal()
    return Filled(
        ts=event.ts_event,
        trade_id=event.correction_id,
        order_id=str(event.client_order_id),
        instrument=str(event.instrument_id),
        strategy=str(event.strategy_id),
        side=side_name(event.order_side),
        corrects=str(event.trade_id),
        reason=event.reason or "The execution was taken back.",
        quantity=size - event.voided_qty.as_decimal(),
        price=event.last_px.as_decimal(),
        fee=Decimal(0) if fee is None else -fee.as_decimal(),
        fee_currency=event.currency.code if fee is None else fee.currency.code,
        liquidity=_LIQUIDITY.get(event.liquidity_side.name, ""),
    )


def position_changed(event: Any, position: Any) -> PositionChanged:
    """One step of a position's life; average prices are ratios, so they carry more digits than a price.

    The event tells, not `position`: where one fill closes a position and opens the opposite one, that is the
    new one already. Only a `PositionOpened` does not say what opening cost, and `position` does.
    """
    size = event.quantity.as_decimal()
    opened = isinstance(event, PositionOpened)
    realised = position.realized_pnl if opened else event.realized_pnl
    close = None if opened else event.avg_px_close
    return PositionChanged(
        ts=event.ts_event,
        position_id=str(event.position_id),
        instrument=str(event.instrument_id),
        strategy=str(event.strategy_id),
        quantity=-size if event.side.name == "SHORT" else size,
        average_open=_decimal(event.avg_px_open),
        average_close=None if close is None else _decimal(close),
        realised_pnl=Decimal(0) if realised is None else realised.as_decimal(),
        currency=event.currency.code,
        opened_ns=position.ts_opened if opened else event.ts_opened,
        closed_ns=event.ts_closed if isinstance(event, PositionClosed) else None,
    )


def position_now(position: Any) -> PositionChanged:
    """State of a Nautilus position, where no event tells it."""
    realised = position.realized_pnl
    return PositionChanged(
        ts=position.ts_last,
        position_id=str(position.id),
        instrument=str(position.instrument_id),
        strategy=str(position.strategy_id),
        quantity=signed_size(position),
        average_open=_decimal(position.avg_px_open),
        average_close=None if position.avg_px_close is None else _decimal(position.avg_px_close),
        realised_pnl=Decimal(0) if realised is None else realised.as_decimal(),
        currency=position.settlement_currency.code,
        opened_ns=position.ts_opened,
        closed_ns=position.ts_closed,
    )


def side_name(side: Any) -> Literal["BUY", "SELL"]:
    """Name of a Nautilus order side."""
    return "BUY" if side.name == "BUY" else "SELL"


def price_of(order: Any, attribute: str) -> Decimal | None:
    """Limit or trigger price of an order; None for order types that have none."""
    value = getattr(order, attribute, None)
    return None if value is None else value.as_decimal()


def signed_size(position: Any) -> Decimal:
    """Size of a Nautilus position, negative when short."""
    size: Decimal = position.quantity.as_decimal()
    return -size if position.side.name == "SHORT" else size


def _decimal(ratio: float) -> Decimal:
    return Decimal(repr(ratio))
