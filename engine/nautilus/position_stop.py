"""The stop that protects all of the hand's position for as long as it lasts, whatever its size becomes."""

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from engine.errors import UserError
from engine.messages.events import PositionChanged
from engine.nautilus import events

if TYPE_CHECKING:
    from engine.nautilus.desk import Desk


class PositionStop:
    """One reduce-only stop order, kept as large as the position and never moved away from the market.

    Parameters
    ----------
    trader : Desk
        Whose position it is.
    """

    def __init__(self, trader: "Desk") -> None:
        self._trader = trader
        self._is_kept = self._is_placed = self._is_long = False
        self._order_id = ""

    @property
    def position(self) -> PositionChanged:
        """The hand's position; raises `UserError` where a stop cannot follow it."""
        return events.position_now(self._position())

    def begin(self) -> None:
        """Keep a stop for the hand's position from now on: the one that it has, or one that is to come."""
        position = self._position()
        found = [each for each in self._trader.stops_of(position) if each.order_type.name == "STOP_MARKET"]
        self._order_id = str(found[0].client_order_id) if found else ""
        self._is_kept, self._is_placed, self._is_long = True, bool(found), self._trader.held() > 0
        self.fit()

    def move_to(self, trigger: Decimal) -> None:
        """Put it here, or close the position where the market is beyond; never away from the market."""
        if not self._is_kept:
            return
        order = self._order
        if self.is_beyond(trigger):
            self._trader.say(
                f"The stop moved to {trigger:f}, and the market is beyond: the position is closed."
            )
            self._trader.close_out()
        elif order is None:
            self._is_placed = True
            self._order_id = self._trader.protect(self._position(), trigger)
        else:
            before = order.trigger_price.as_decimal()
            if trigger > before if self._is_long else trigger < before:
                self._trader.alter(order, trigger=trigger)

    def fit(self) -> None:
        """Make it as large as what is held by now."""
        order = self._order if self._is_kept else None
        if order is None:
            return
        size = order.filled_qty.as_decimal() + abs(self._trader.held())
        if size != order.quantity.as_decimal():
            self._trader.alter(order, quantity=size)

    def end(self) -> None:
        """The position is closed: so is this."""
        order = self._order if self._is_kept else None
        self._is_kept = False
        if order is not None:
            self._trader.drop_stop(order)

    def release(self) -> None:
        """Keep no stop any more; an order that is at work stays."""
        self._is_kept = False

    @property
    def is_kept(self) -> bool:
        """Whether a stop is kept; it no longer is with the position, or once somebody cancelled it."""
        if self._is_kept and self._is_placed and self._order is None:
            self._is_kept = False
            self._trader.say("The stop of the position is gone, and nothing moves it any more.")
        return self._is_kept

    def is_beyond(self, trigger: Decimal) -> bool:
        """Whether the market has passed this price, seen from the hand's position."""
        now = self._trader.touch_now()
        return now is not None and (trigger >= now.bid if self._trader.held() > 0 else trigger <= now.ask)

    def even_price(self) -> Decimal | None:
        """Where the hand's position loses nothing, fees included; None where the market is not beyond."""
        try:
            return self._trader.even(self._position())
        except UserError:
            return None

    @property
    def _order(self) -> Any | None:
        order = self._trader.standing(self._order_id)
        if order is not None:  # another may have taken its place
            self._order_id = str(order.client_order_id)
        return order

    def _position(self) -> Any:
        if self._trader.context.hedging:
            raise UserError("Each position of a hedging account stands by itself; give each order its stop.")
        found = self._trader.own_positions()
        if not found:
            name = self._trader.instrument.id
            raise UserError(f"No position by hand in {name} is open; there is no stop to set.")
        return found[0]
