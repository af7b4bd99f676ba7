"""Stop and take-profit orders around one position: whichever fills first ends it and cancels the other."""

from decimal import Decimal
from typing import Any

from nautilus_trader.model import ClientOrderId, OrderSide, TriggerType

from engine.messages.instrument import Instrument
from engine.nautilus.instrument import price, quantity

_BPS = Decimal(10_000)


class Exits:
    """The exit orders of one strategy; both only reduce what is held.

    Parameters
    ----------
    instrument : Instrument
    stop_bps, take_profit_bps : float
        Distance from the entry's average fill price; 0 places none.
    trigger : TriggerType
        Price that sets the stop off.
    """

    def __init__(
        self, instrument: Instrument, *, stop_bps: float, take_profit_bps: float, trigger: TriggerType
    ) -> None:
        self._instrument, self._trigger = instrument, trigger
        self._stop = Decimal(repr(stop_bps)) / _BPS
        self._profit = Decimal(repr(take_profit_bps)) / _BPS
        self._working: list[ClientOrderId] = []
        self._stop_id: ClientOrderId | None = None
        self._every: set[ClientOrderId] = set()

    def __contains__(self, order: ClientOrderId) -> bool:
        """Whether this is an exit order, working or not."""
        return order in self._every

    def is_working(self, order: ClientOrderId) -> bool:
        """Whether this exit protects the position at hand."""
        return order in self._working

    def is_stop(self, order: ClientOrderId) -> bool:
        """Whether this is the stop of the position at hand."""
        return order == self._stop_id

    def place(self, factory: Any, instrument_id: Any, held: Decimal, entry: Decimal) -> list[Any]:
        """Orders around a position of signed size `held`, entered at the average price `entry`."""
        side = OrderSide.SELL if held > 0 else OrderSide.BUY
        size, sign = quantity(abs(held), self._instrument), 1 if held > 0 else -1
        orders = []
        if self._stop:
            trigger = price(self._away(entry, -sign * self._stop), self._instrument)
            orders.append(
                factory.stop_market(
                    instrument_id, side, size, trigger, trigger_type=self._trigger, reduce_only=True
                )
            )
            self._stop_id = orders[0].client_order_id
        if self._profit:
            limit = price(self._away(entry, sign * self._profit), self._instrument)
            orders.append(factory.limit(instrument_id, side, size, limit, reduce_only=True))
        self._working = [order.client_order_id for order in orders]
        self._every.update(self._working)
        return orders

    def release(self) -> list[ClientOrderId]:
        """Exit orders that were at work, to be cancelled; none are now."""
        working, self._working, self._stop_id = self._working, [], None
        return working

    def _away(self, entry: Decimal, share: Decimal) -> Decimal:
        """Price on the grid, at least one tick from the entry and above zero."""
        tick = self._instrument.tick_size
        ticks = round(entry * share / tick)
        if not ticks:
            ticks = 1 if share > 0 else -1
        at = round(entry / tick) + ticks
        return max(1, at) * tick
