"""The fills of a run as one canonical text: equal text, equal hash, equal fills.

Orders are numbered in the order of their first fill, so nothing depends on identifiers that an engine draws.
"""

import hashlib
from collections.abc import Iterable

from engine.messages.events import Filled

HEADER = "ts_ns,order,side,quantity,price,fee,fee_currency,liquidity"


def fills_csv(fills: Iterable[Filled]) -> str:
    """One line per fill in their order, under a header; numbers are exact.

    One that takes back another is told as `correction` in place of its liquidity, with a size below 0.
    """
    orders: dict[str, int] = {}
    lines = [HEADER]
    for fill in fills:
        order = orders.setdefault(fill.order_id, len(orders) + 1)
        lines.append(
            f"{fill.ts},{order},{fill.side},{fill.quantity},{fill.price},"
            f"{fill.fee},{fill.fee_currency},{'correction' if fill.corrects else fill.liquidity}"
        )
    return "\n".join(lines) + "\n"


def fills_sha256(fills: Iterable[Filled]) -> str:
    """Hash of the canonical text."""
    return hashlib.sha256(fills_csv(fills).encode()).hexdigest()
