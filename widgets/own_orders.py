"""What ladder and chart must know of an own order: its kind, where it waits, how it is moved.

Both show the same orders at the same prices and move them by the mouse, so both ask here.
"""

from decimal import Decimal
from typing import Final, Literal

from PySide6.QtCore import QCoreApplication

from engine.messages.commands import Modify
from engine.messages.events import HaltStep, OrderChanged
from engine.messages.frames import Control
from engine.messages.instrument import Instrument
from engine.messages.orders import OrderIntent, Side
from widgets.numbers import compact_text
from widgets.ticket.typed import plain

type Kind = Literal["limit", "stop", "target"]

_STOPS: Final = frozenset({"STOP_MARKET", "STOP_LIMIT", "TRAILING_STOP_MARKET", "TRAILING_STOP_LIMIT"})
_TOUCHED: Final = frozenset({"MARKET_IF_TOUCHED", "LIMIT_IF_TOUCHED"})
_SCALES: Final = ((Decimal(1_000_000), "M"), (Decimal(1_000), "k"), (Decimal(1), ""))
_MOVABLE: Final = frozenset({"HELD", "ACCEPTED", "PARTIALLY_FILLED", "TRIGGERED"})


def _tr(text: str) -> str:
    return QCoreApplication.translate("OwnOrders", text)


def kind_of(order: OrderChanged | OrderIntent) -> Kind:
    """A stop waits behind the market; a target is a limit that only reduces, or waits to be touched."""
    if order.type in _STOPS:
        return "stop"
    return "target" if order.reduce_only or order.type in _TOUCHED else "limit"


def kind_text(kind: Kind) -> str:
    """Kind in the person's language."""
    return {"limit": _tr("limit"), "stop": _tr("stop"), "target": _tr("target")}[kind]


def side_text(side: Side) -> str:
    """Side in the person's language."""
    return _tr("Buy") if side == "BUY" else _tr("Sell")


def waits_at(order: OrderChanged) -> Decimal | None:
    """Price at which something happens to it: the trigger until that was reached, else its limit."""
    if order.trigger is not None and order.status != "TRIGGERED":
        return order.trigger
    return order.price if order.price is not None else order.trigger


def left_of(order: OrderChanged) -> Decimal:
    """Size that is not filled yet."""
    return order.quantity - order.filled


def short_size(size: Decimal, precision: int, characters: int) -> str:
    """Size without needless digits, exact where it fits: `10k`, `0.25`, `1.5M`; else as `compact_text`."""
    for scale, unit in _SCALES:
        text = f"{plain(size / scale)}{unit}"
        if (size >= scale or not unit) and len(text) <= characters:
            return text
    return compact_text(size, precision, characters=characters)


def can_move(order: OrderChanged) -> bool:
    """Whether another price can be asked for: it works, nothing is under way, and it is no trail or TWAP."""
    still = order.type == "TWAP" or order.type.startswith("TRAILING")
    return order.status in _MOVABLE and not still and waits_at(order) is not None


def moved(order: OrderChanged, to: Decimal) -> Modify:
    """Command that lets an order wait at another price; the limit of a stop keeps its distance."""
    if order.trigger is None or order.status == "TRIGGERED":
        return Modify(order_id=order.order_id, price=to)
    price = None if order.price is None else order.price + (to - order.trigger)
    return Modify(order_id=order.order_id, price=price, trigger=to)


def remark_of(side: Side, kind: Kind, price: Decimal, bid: Decimal | None, ask: Decimal | None) -> str:
    """Say where an order would not wait at its price: a limit beyond the touch, a stop before it."""
    touch = ask if side == "BUY" else bid
    if touch is None:
        return ""
    beyond = price >= touch if side == "BUY" else price <= touch
    if kind == "stop":
        return "" if beyond else _tr("triggers at once")
    return _tr("fills at once") if beyond else ""


def profit_between(instrument: Instrument, quantity: Decimal, opened: Decimal, closed: Decimal) -> Decimal:
    """Profit of a signed quantity from one price to another, fees apart.

    In the quote currency; in the base where the instrument is inverse, as its sizes are in the quote.
    """
    if instrument.inverse:
        if not opened or not closed:
            return Decimal(0)
        return quantity * instrument.multiplier * (1 / opened - 1 / closed)
    return quantity * instrument.multiplier * (closed - opened)


def profit_currency(instrument: Instrument) -> str:
    """Currency of `profit_between`."""
    return instrument.base if instrument.inverse else instrument.quote


def why_not(control: Control, *, stale: bool = False) -> str:
    """Why no order may be placed or moved by hand now, in one quiet sentence; empty where it may.

    `stale` is a session that does not answer: what is asked of it now would be done at another market.
    """
    if stale:
        return _tr("The session does not answer: nothing is placed")
    if control.halt is not HaltStep.NONE:
        return _tr("Halted: re-arm the session before new orders")
    if control.arm == "view":
        return _tr("View: orders are off, arm them first")
    return ""
