"""Where a position loses nothing when it is left there at market."""

from decimal import Decimal
from typing import Any

from engine.nautilus.events import signed_size


def break_even_price(position: Any, taker_fee: Decimal, tick: Decimal) -> Decimal:
    """Price on the grid at which leaving pays for itself and for what the position has cost so far.

    With size q, average entry e, and the loss c realised so far (the fees of its entry, unless profits taken
    have paid for them), leaving at p brings ``q (p - e) - f q p - c`` for a long position; p is where that
    is 0, rounded to the position's good.

    Parameters
    ----------
    position : Position
        Of NautilusTrader, open.
    taker_fee : Decimal
        f, a fraction of the value.
    """
    size = abs(signed_size(position))
    sign = 1 if signed_size(position) > 0 else -1
    realised = position.realized_pnl
    cost = max(Decimal(0), Decimal(0) if realised is None else -realised.as_decimal())
    at = (Decimal(repr(position.avg_px_open)) + sign * cost / size) / (1 - sign * taker_fee)
    return -(-at // tick) * tick if sign > 0 else at // tick * tick
