"""The hand at a live venue, where an account may hold what no strategy of the session has opened."""

from decimal import Decimal
from typing import Literal

from nautilus_trader.model import OrderSide, TimeInForce

from engine.messages.orders import HAND
from engine.nautilus.desk import Desk
from engine.nautilus.instrument import price, quantity
from engine.risk.kill import Holding


class LiveDesk(Desk):
    """Closes foreign positions, too, and asks the venue how things stand."""

    def positions(self) -> list[Holding]:
        """Open positions of all traders; as one, the account's own, where it holds a foreign one.

        A foreign position is only closed by an opposite one of the hand's: they cancel out at the venue, and
        both stay in the engine's books.
        """
        held = super().positions()
        if all(each.strategy in self._traders for each in held):
            return held
        net = sum((each.quantity for each in held), Decimal(0))
        return [Holding(self.instrument.id, HAND, net)] if net else []

    def close(self, holding: Holding, by: Literal["market", "limit"]) -> None:
        """Have a position closed by whoever holds it, or by an opposite one of the hand's."""
        if holding.strategy in self._traders and holding in super().positions():
            super().close(holding, by)
            return
        side = OrderSide.SELL if holding.quantity > 0 else OrderSide.BUY
        size = (self.instrument_id, side, quantity(abs(holding.quantity), self.instrument))
        if by == "market":
            order = self.order_factory.market(*size)
        else:
            at = price(self.limit_through(holding.quantity), self.instrument)
            order = self.order_factory.limit(*size, at, time_in_force=TimeInForce.IOC)
        self.submit(order, closes=self.instrument.id)

    def ask_account(self) -> None:
        """Have the venue tell the account's balances, as a lost connection may have swallowed a change."""
        account_id = self._cache.account_id(self.instrument_id.venue)
        if account_id is not None:
            self.query_account(account_id)
