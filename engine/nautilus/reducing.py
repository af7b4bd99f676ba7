"""Reduce-only orders at the simulated venue: never larger than they were asked for.

Nautilus' matching gives every reduce-only order at work the size of the whole position whenever another order
fills, so that a stop for a part of it would close all of it. Venues cut such an order, but enlarge none.
"""

from decimal import Decimal
from typing import Any

from nautilus_trader.model import ClientOrderId


class Reducing:
    """Sizes of one trader's reduce-only orders as they were asked for.

    Parameters
    ----------
    cache : Cache
        The engine's.
    """

    def __init__(self, cache: Any) -> None:
        self._cache = cache
        self._asked: dict[ClientOrderId, Decimal] = {}

    def ask(self, order: Any, size: Decimal | None = None) -> None:
        """An order is sent, or changed to this size: with those that hang together with it."""
        if size is None:
            if order.is_reduce_only:
                self._asked[order.client_order_id] = order.quantity.as_decimal()
            return
        for each in (order.client_order_id, *(order.linked_order_ids or ())):
            if each in self._asked:
                self._asked[each] = size

    def too_large(self, order: Any) -> Decimal | None:
        """Size that an order is to have again; None where it is not larger than that.

        What others that hang together with it have filled is taken off: both were for the same size.
        """
        asked = self._asked.get(order.client_order_id)
        if asked is None:
            return None
        if order.is_closed:
            del self._asked[order.client_order_id]
            return None
        linked = (self._cache.order(each) for each in order.linked_order_ids or ())
        most = asked - sum((each.filled_qty.as_decimal() for each in linked if each is not None), Decimal(0))
        return most if order.filled_qty.as_decimal() < most < order.quantity.as_decimal() else None
