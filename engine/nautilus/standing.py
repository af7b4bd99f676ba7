"""The account as the engine's cache has it: reconciled with the venue, with what others opened there, too."""

from collections.abc import Iterator
from itertools import chain
from typing import Any, Final

from nautilus_trader.model import ClientOrderId, InstrumentId, OrderModifyRejected, OrderUpdated

from engine.messages.events import AnyEvent, OrderChanged
from engine.nautilus import events
from engine.nautilus.account import AccountReader

_ANSWERS: Final = (OrderUpdated, OrderModifyRejected)


class CacheStanding:
    """Reads it; implements `engine.risk.last_gate.Standing`.

    Parameters
    ----------
    cache : Cache
    account : AccountReader
    instrument_id : InstrumentId
        What the session trades.
    """

    def __init__(self, cache: Any, account: AccountReader, instrument_id: InstrumentId) -> None:
        self._cache, self._account = cache, account
        self._wanted = {"instrument_id": instrument_id}
        self._read: dict[ClientOrderId, tuple[int, OrderChanged]] = {}

    def events(self) -> Iterator[AnyEvent]:
        """Its money, its positions and its orders at work, whoever's, as if they were just told."""
        cache, wanted = self._cache, self._wanted
        yield self._account.changed(0)
        for position in cache.positions_open(**wanted):
            yield events.position_now(position)
        before, self._read = self._read, {}
        for order in chain(cache.orders_open(**wanted), cache.orders_inflight(**wanted)):
            name = order.client_order_id
            if name not in self._read:  # one whose change or cancellation is under way is among both
                self._read[name] = self._told(order, before.get(name))
                yield self._read[name][1]

    def _told(self, order: Any, before: tuple[int, OrderChanged] | None) -> tuple[int, OrderChanged]:
        """As it was read before, where nothing happened to it since; to read one takes 15 µs."""
        count = order.event_count
        if before is not None and before[0] == count:
            return before
        return count, events.order_changed(order, order.ts_last)

    def status(self, order_id: str) -> str:
        """How far the engine is with an order; empty where it does not know it."""
        order = self._cache.order(ClientOrderId(order_id))
        return "" if order is None else str(order.status.name)

    def answers(self, order_id: str) -> int:
        """How many changes of an order were made or refused so far."""
        order = self._cache.order(ClientOrderId(order_id))
        return 0 if order is None else sum(isinstance(each, _ANSWERS) for each in order.events())
