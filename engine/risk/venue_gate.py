"""What no venue could accept: sizes and prices off its grid, or missing."""

from engine.messages.instrument import Instrument
from engine.messages.orders import Denial, OrderIntent

_WITH_PRICE = frozenset({"LIMIT", "STOP_LIMIT", "LIMIT_IF_TOUCHED"})
_WITH_TRIGGER = frozenset({"STOP_MARKET", "STOP_LIMIT", "MARKET_IF_TOUCHED", "LIMIT_IF_TOUCHED"})


class VenueGate:
    """Refuses what is impossible at the venue: sizes and prices off its grid, or missing.

    Parameters
    ----------
    instrument : Instrument
        Whose lot and tick size are the grid.
    """

    def __init__(self, instrument: Instrument) -> None:
        self._instrument = instrument
        self._lot, self._tick = instrument.lot_size, instrument.tick_size

    def check(self, intent: OrderIntent, order_id: str = "") -> Denial | None:  # noqa: ARG002 - it keeps none
        """Deny where size or price is impossible."""
        facts = self._instrument
        if intent.instrument != facts.id:
            return _denied(f"There is no {intent.instrument} in this session; trade {facts.id}.")
        denial = self._size(intent)
        if denial is not None:
            return denial
        if intent.price is None and intent.type in _WITH_PRICE:
            return _denied(f"A {_named(intent)} order needs a price; give one.")
        if intent.trigger is None and intent.type in _WITH_TRIGGER:
            return _denied(f"A {_named(intent)} order needs a trigger; give one.")
        tick = self._tick
        for price in (intent.price, intent.trigger):
            if price is not None and (price <= 0 or price % tick):
                return _denied(f"Price {price} is not on the grid; use multiples of {tick}.")
        return None

    def _size(self, intent: OrderIntent) -> Denial | None:
        quantity, lot = intent.quantity, self._lot
        if intent.quote_quantity:  # its lots are known once its price is
            return None if quantity > 0 else _denied(f"Size {quantity} is nothing; order more than 0.")
        if quantity < lot:
            return _denied(f"Size {quantity} is below one lot; order at least {lot}.")
        if quantity % lot:
            return _denied(f"Size {quantity} is not a multiple of the lot; order multiples of {lot}.")
        return None

    def withdraw(self, order_id: str) -> None:
        """Nothing is kept of an order that passed."""


def _named(intent: OrderIntent) -> str:
    return intent.type.lower().replace("_", "-")


def _denied(text: str) -> Denial:
    return Denial(rule="venue", text=text)
