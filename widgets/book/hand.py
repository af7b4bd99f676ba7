"""What the mouse means on the ladder: which order a click places, a drag moves, a right click cancels.

The market moves while a person aims. So all that an order will be is fixed when the button goes down: side,
price, kind and size. A click counts only where the button comes up on the cell that it went down on.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from PySide6.QtCore import QCoreApplication

from engine.messages.commands import AnyCommand, Cancel, Submit
from engine.messages.events import OrderChanged
from engine.messages.frames import Control
from engine.messages.instrument import Instrument
from engine.messages.orders import HAND, OrderIntent, Side
from widgets.book.layout import Layout
from widgets.book.rows import Own, Picture
from widgets.book.state import WorkingOrders
from widgets.numbers import compact_text, price_text, size_text
from widgets.own_orders import (
    Kind,
    can_move,
    kind_of,
    kind_text,
    left_of,
    moved,
    remark_of,
    side_text,
    waits_at,
    why_not,
)


@dataclass(frozen=True, slots=True)
class Spot:
    """A cell of the ladder: a price on one side; `own` is the column of own orders."""

    side: Side
    own: bool
    row: int
    price: Decimal


@dataclass(frozen=True, slots=True)
class Press:
    """What was under the mouse, and how it was pressed, when the button went down."""

    spot: Spot
    stop: bool
    quantity: Decimal | None
    orders: tuple[OrderChanged, ...]


def spot_at(layout: Layout, picture: Picture, x: int, y: int) -> Spot | None:
    """Cell at a place; None beside those that take orders."""
    index = layout.row_at(y)
    if index is None or index >= len(picture.rows):
        return None
    row = picture.rows[index].row
    for span, side, own in (
        (layout.own_bid, "BUY", True),
        (layout.bid, "BUY", False),
        (layout.ask, "SELL", False),
        (layout.own_ask, "SELL", True),
    ):
        if span.left <= x < span.right:
            return Spot("BUY" if side == "BUY" else "SELL", own, row, picture.grid.price(row))
    return None


class Hand:
    """One person's hand on one ladder.

    Attributes
    ----------
    control : Control
        Whether orders pass.
    quantity : Decimal or None
        Size of the next order; None where the size box holds none, `quantity_problem` says why.
    press : Press or None
        While the button is down.
    target : Spot or None
        Where own orders are dragged to.
    said : str
        Why the last click did nothing; until the mouse goes elsewhere.
    stale : bool
        Whether what is shown has grown old.
    """

    def __init__(self) -> None:
        self.control = Control()
        self.quantity: Decimal | None = None
        self.quantity_problem = ""
        self.press: Press | None = None
        self.target: Spot | None = None
        self.said = ""
        self.stale = False
        self._instrument: Instrument | None = None
        self._orders: WorkingOrders | None = None

    def hold(self, instrument: Instrument | None, orders: WorkingOrders | None) -> None:
        """Trade this instrument from now on."""
        self._instrument, self._orders = instrument, orders
        self.let_go()

    @property
    def off(self) -> str:
        """Why nothing may be placed or moved now; empty where it may."""
        return why_not(self.control, stale=self.stale)

    def let_go(self) -> None:
        """Forget what was pressed and said."""
        self.press = self.target = None
        self.said = ""

    def own_at(self, picture: Picture, spot: Spot) -> tuple[OrderChanged, ...]:
        """Own orders in a cell's row and side."""
        if self._orders is None or self._instrument is None:
            return ()
        grid, sells = picture.grid, spot.side == "SELL"
        return tuple(
            order
            for order in self._orders.working(self._instrument.id)
            if order.side == spot.side
            and (price := waits_at(order)) is not None
            and grid.row_of(price, up=sells) == spot.row
        )

    # The left button

    def down(self, picture: Picture, spot: Spot, *, stop: bool) -> None:
        """Fix what a click, or a drag of the own orders here, will be."""
        orders = tuple(filter(can_move, self.own_at(picture, spot))) if spot.own else ()
        self.press = Press(spot, stop, self.quantity, orders)
        self.target = None
        self.said = ""

    def drag(self, spot: Spot | None) -> bool:
        """Take the own orders that were pressed along; True where they go elsewhere than before."""
        press = self.press
        if press is None or not press.orders or self.off:
            return False
        target = spot if spot is not None and spot.row != press.spot.row else None
        changed, self.target = target != self.target, target
        return changed

    def up(self, spot: Spot | None) -> list[AnyCommand]:
        """Do what was pressed; nothing where the mouse went elsewhere."""
        press, self.press, self.target = self.press, None, None
        if press is None or self._instrument is None or spot is None:
            return []
        if press.orders and spot.row != press.spot.row:
            return self._move(press, spot.price - press.spot.price)
        if spot != press.spot or spot.own:
            return []
        self.said = self.off
        if not self.said and press.quantity is None:
            self.said = self.quantity_problem
        if self.said or press.quantity is None:
            return []
        intent = OrderIntent(
            instrument=self._instrument.id,
            strategy=HAND,
            side=spot.side,
            type="STOP_MARKET" if press.stop else "LIMIT",
            quantity=press.quantity,
            price=None if press.stop else press.spot.price,
            trigger=press.spot.price if press.stop else None,
        )
        return [Submit(request=uuid.uuid4().hex, intents=(intent,))]

    def _move(self, press: Press, distance: Decimal) -> list[AnyCommand]:
        self.said = self.off
        if self.said:
            return []
        working = () if self._orders is None else self._orders.working(press.orders[0].instrument)
        still = {order.order_id: order for order in working}
        places = ((order, waits_at(order)) for order in press.orders if order.order_id in still)
        return [moved(order, place + distance) for order, place in places if place is not None]

    # The right button

    def cancel(self, picture: Picture, spot: Spot) -> list[AnyCommand]:
        """Cancel all own orders of a cell's price and side; that is allowed always."""
        self.let_go()
        return [Cancel(order.order_id) for order in self.own_at(picture, spot)]

    # Words

    def hint(self, picture: Picture, spot: Spot | None, own: Own | None, *, stop: bool) -> str:
        """What a click here would do, or what stands here."""
        instrument = self._instrument
        if spot is None or instrument is None:
            return ""
        if self.press is not None and self.target is not None:
            return self._drag_hint(picture, self.press, self.target, instrument)
        if spot.own:
            return "" if own is None else own_text(own, self.own_at(picture, spot), instrument)
        off = self.off
        if off or self.quantity is None:
            return off or self.quantity_problem
        words = [
            side_text(spot.side),
            size_text(self.quantity, instrument.size_precision),
            kind_text("stop" if stop else "limit"),
            price_text(spot.price, instrument.price_precision),
        ]
        remark = _remark(picture, spot.side, "stop" if stop else "limit", spot.price)
        return " ".join(words) + (f" · {remark}" if remark else "")

    def _drag_hint(self, picture: Picture, press: Press, target: Spot, instrument: Instrument) -> str:
        size = sum(map(left_of, press.orders), Decimal(0))
        text = _tr("Move {size} to {price}").format(
            size=size_text(size, instrument.size_precision),
            price=price_text(target.price, instrument.price_precision),
        )
        remark = _remark(picture, press.spot.side, kind_of(press.orders[0]), target.price)
        return f"{text} · {remark}" if remark else text


def _remark(picture: Picture, side: Side, kind: Kind, price: Decimal) -> str:
    """Say whether an order at a price would not wait."""
    digits = -picture.grid.precision
    bid, ask = (
        None if best is None else Decimal(best).scaleb(digits)
        for best in (picture.best_bid, picture.best_ask)
    )
    return remark_of(side, kind, price, bid, ask)


def own_text(own: Own, orders: Sequence[OrderChanged], instrument: Instrument) -> str:
    """Own orders of a cell in a line: `Buy 10,000 limit 1.09350 · ≈ 12.4 ahead`."""
    if not orders:
        return ""
    price = waits_at(orders[0])
    words = [
        side_text(orders[0].side),
        size_text(own.size, instrument.size_precision),
        kind_text(own.kind),
        price_text(price, instrument.price_precision),
    ]
    parts = [" ".join(words)]
    if own.doubtful:
        parts.append(_tr("in doubt"))
    if own.queued:
        parts.append(
            _tr("queue unknown")
            if own.ahead is None
            else _tr("≈ {size} ahead").format(size=compact_text(own.ahead, instrument.size_precision))
        )
    return " · ".join(parts)


def _tr(text: str) -> str:
    return QCoreApplication.translate("LadderHand", text)
