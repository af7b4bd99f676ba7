"""Positions of several traders where the venue knows one: their sum.

What truly reduces at such a venue is the sum alone. A trader's position that others stand against cannot be
closed there by a reduce-only order, though it is one in the station's books.
"""

from collections.abc import Sequence
from decimal import Decimal

from engine.risk.kill import Holding
from engine.risk.valuing import ZERO


def at_venue(held: Sequence[Holding]) -> list[Holding]:
    """Parts of the positions that together are what the venue holds; each reduces there, too."""
    net = sum((each.quantity for each in held), ZERO)
    left, found = net, []
    for each in held:
        if left and (each.quantity > 0) == (net > 0):
            part = min(left, each.quantity, key=abs)
            left -= part
            found.append(_part(each, part))
    return found


def cancelling_out(held: Sequence[Holding]) -> list[Holding]:
    """Parts of the positions of which the venue holds nothing, as they stand against each other."""
    shown: dict[str, Decimal] = {each.strategy: each.quantity for each in at_venue(held)}
    rest = [_part(each, each.quantity - shown.get(each.strategy, ZERO)) for each in held]
    return [each for each in rest if each.quantity]


def _part(holding: Holding, quantity: Decimal) -> Holding:
    return Holding(holding.instrument, holding.strategy, quantity, holding.position)
