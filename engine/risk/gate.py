"""The one gate that every order and every change of one passes before it leaves for a venue."""

from typing import Protocol

from engine.messages.instrument import Instrument
from engine.messages.orders import Denial, OrderIntent


class Gate(Protocol):
    """Decides on every intent before it becomes an order."""

    def check(self, intent: OrderIntent) -> Denial | None:
        """None where it may pass; must not keep the engine waiting."""


class VenueGate:
    """Refuses what is impossible at the venue: sizes and prices off its grid, or missing.

    Parameters
    ----------
    instrument : Instrument
        Whose lot and tick size are the grid.
    """

    def __init__(self, instrument: Instrument) -> None:
        self._instrument = instrument

    def check(self, intent: OrderIntent) -> Denial | None:
        """Deny where size or price is impossible."""
        facts = self._instrument
        if intent.instrument != facts.id:
            return _denied(f"There is no {intent.instrument} in this session; trade {facts.id}.")
        lot = facts.lot_size
        if intent.quantity < lot:
            return _denied(f"Size {intent.quantity} is below one lot; order at least {lot}.")
        if intent.quantity % lot:
            return _denied(f"Size {intent.quantity} is not a multiple of the lot; order multiples of {lot}.")
        if "LIMIT" in intent.type and intent.price is None:
            return _denied(f"A {intent.type.lower()} order needs a price; give one.")
        for price in (intent.price, intent.trigger):
            if price is not None and (price <= 0 or price % facts.tick_size):
                return _denied(f"Price {price} is not on the grid; use multiples of {facts.tick_size}.")
        return None


def _denied(text: str) -> Denial:
    return Denial(rule="venue", text=text)
