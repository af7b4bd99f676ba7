"""The one gate that every order and every change of one passes before it leaves a strategy.

Today it stops only what no venue could accept; limits on size, exposure and loss take the same place.
"""

from decimal import Decimal
from typing import Literal, Protocol

import msgspec

from engine.messages.instrument import Instrument


class OrderIntent(msgspec.Struct, frozen=True, kw_only=True):
    """What a strategy wants to place; `changes` names the order that this replaces, if any."""

    instrument: str
    strategy: str
    side: Literal["BUY", "SELL"]
    type: str
    quantity: Decimal
    price: Decimal | None = None
    trigger: Decimal | None = None
    reduce_only: bool = False
    changes: str | None = None


class Verdict(msgspec.Struct, frozen=True):
    """What a gate says; `reason` is one sentence where it refuses."""

    allowed: bool
    reason: str = ""


class Gate(Protocol):
    """Decides on every intent before it becomes an order."""

    def check(self, intent: OrderIntent) -> Verdict:
        """Allow or refuse; must not keep the engine waiting."""


_ALLOWED = Verdict(allowed=True)


class VenueGate:
    """Refuses what is impossible at the venue: sizes and prices off its grid, or missing.

    Parameters
    ----------
    instrument : Instrument
        Whose lot and tick size are the grid.
    """

    def __init__(self, instrument: Instrument) -> None:
        self._instrument = instrument

    def check(self, intent: OrderIntent) -> Verdict:
        """Allow unless size or price is impossible."""
        facts = self._instrument
        if intent.instrument != facts.id:
            return _refused(f"There is no {intent.instrument} in this session; trade {facts.id}.")
        lot = facts.lot_size
        if intent.quantity < lot:
            return _refused(f"Size {intent.quantity} is below one lot; order at least {lot}.")
        if intent.quantity % lot:
            return _refused(f"Size {intent.quantity} is not a multiple of the lot; order multiples of {lot}.")
        if "LIMIT" in intent.type and intent.price is None:
            return _refused(f"A {intent.type.lower()} order needs a price; give one.")
        for price in (intent.price, intent.trigger):
            if price is not None and (price <= 0 or price % facts.tick_size):
                return _refused(f"Price {price} is not on the grid; use multiples of {facts.tick_size}.")
        return _ALLOWED


def _refused(reason: str) -> Verdict:
    return Verdict(allowed=False, reason=reason)
