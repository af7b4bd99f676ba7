"""Which executions stand, where some were taken back."""

from collections.abc import Sequence
from decimal import Decimal

import msgspec

from engine.messages.events import Filled


def standing(fills: Sequence[Filled]) -> Sequence[Filled]:
    """Executions less what corrections took back of them, in their order; corrections themselves are none."""
    void: dict[tuple[str, str], Decimal] = {}
    for fill in fills:
        if fill.corrects:
            key = fill.order_id, fill.corrects
            void[key] = void.get(key, Decimal(0)) - fill.quantity
    if not void:
        return fills
    left = []
    for fill in fills:
        rest = fill.quantity - void.get((fill.order_id, fill.trade_id), Decimal(0))
        if rest > 0:
            left.append(fill if rest == fill.quantity else msgspec.structs.replace(fill, quantity=rest))
    return left
