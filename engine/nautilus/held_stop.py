"""The stop that protects all of the hand's position for as long as it lasts, whatever its size becomes."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from engine.nautilus.strategy import StationStrategy


class HeldStop:
    """One reduce-only stop order, kept as large as the position and never moved away from the market.

    Parameters
    ----------
    trader : StationStrategy
        Whose position it is.
    order : callable
        Its stop order; None where there is none yet, or it is at work no longer.
    place : callable
        Sends a stop order for all that is held at a trigger.

    Attributes
    ----------
    is_placed : bool
        It was at work, or is.
    """

    def __init__(
        self, trader: StationStrategy, order: Callable[[], Any | None], place: Callable[[Decimal], None]
    ) -> None:
        self._trader, self._order, self._place = trader, order, place
        self.is_long = trader.held() > 0
        self.is_placed = order() is not None

    @property
    def is_gone(self) -> bool:
        """Whether somebody cancelled it, or it was refused."""
        return self.is_placed and self._order() is None

    def move_to(self, trigger: Decimal) -> None:
        """Put it here; where it stands nearer to the market already, it stays."""
        order = self._order()
        if order is None:
            self.is_placed = True
            self._place(trigger)
            return
        before = order.trigger_price.as_decimal()
        if trigger > before if self.is_long else trigger < before:
            self._trader.change(order.client_order_id, trigger=trigger)

    def fit(self) -> None:
        """Make it as large as what is held by now."""
        order = self._order()
        if order is None:
            return
        size = order.filled_qty.as_decimal() + abs(self._trader.held())
        if size != order.quantity.as_decimal():
            self._trader.change(order.client_order_id, quantity=size)

    def end(self) -> None:
        """The position is closed: so is this."""
        order = self._order()
        if order is not None and not order.is_pending_cancel:
            self._trader.cancel_order(order.client_order_id)
