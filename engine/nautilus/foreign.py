"""Orders and positions of the account that no strategy of this session placed: seen, told, and kept apart.

Their events reach no strategy, and Python cannot tap the engine's message bus, so the cache is looked at.
They are those of a person at the venue's own site, of another program, or of an earlier session.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec
from nautilus_trader.model import InstrumentId, OrderFilled, OrderFillVoided, StrategyId

from engine.messages.events import AnyEvent
from engine.messages.orders import EXTERNAL
from engine.nautilus import events
from engine.nautilus.node import TRADER

_OURS: Final = re.compile(rf"O-\d{{8}}-\d{{6}}-{TRADER.rpartition('-')[2]}-(\d{{3}})-\d+")
_MADE_UP: Final = "RECONCILIATION"
"""Tag of an order that stands for a difference in position; no venue has it."""


def hand_prefix(start_ns: int) -> str:
    """Begins the names of the hand's orders in a session that started then."""
    return f"{TRADER.rpartition('-')[2]}H{start_ns // 1_000_000_000:X}"


class Foreign:
    """Looks for them.

    Parameters
    ----------
    cache : Cache
    instrument_id : InstrumentId
    names : mapping
        Strategies of this session by the tag in their orders' names: those of an earlier session are told as
        theirs.
    emit : callable
        Takes every event, in order.
    """

    def __init__(
        self,
        cache: Any,
        instrument_id: InstrumentId,
        names: Mapping[str, str],
        emit: Callable[[AnyEvent], None],
    ) -> None:
        self._cache, self._names, self._emit = cache, names, emit
        self._wanted = {"instrument_id": instrument_id, "strategy_id": StrategyId(EXTERNAL)}
        self._over: set[Any] = set()
        self._told: dict[Any, tuple[object, ...]] = {}
        self._events: dict[Any, int] = {}

    def look(self) -> None:
        """Tell what is new since the last look."""
        known = set(self._cache.client_order_ids(**self._wanted))
        for order_id in known - self._over:
            self._look_at(self._cache.order(order_id))
        self._over &= known
        for gone in self._events.keys() - known:
            del self._events[gone], self._told[gone]
        for position in self._cache.positions(**self._wanted):
            self._look_at_position(position)

    def _look_at(self, order: Any) -> None:
        name = order.client_order_id
        if order.is_closed:
            self._over.add(name)
        if is_made_up(order):
            self._over.add(name)
            return
        prices = events.price_of(order, "price"), events.price_of(order, "trigger_price")
        state = (order.status, order.filled_qty, order.quantity, *prices)
        if self._told.get(name) == state:
            return
        self._told[name] = state
        owner = self._owner(str(name))
        changed = events.order_changed(order, order.ts_last)
        self._emit(msgspec.structs.replace(changed, strategy=owner))
        history = order.events()
        for event in history[self._events.get(name, 0) :]:
            if isinstance(event, OrderFilled):
                self._emit(msgspec.structs.replace(events.filled(event), strategy=owner))
            elif isinstance(event, OrderFillVoided):
                self._emit(msgspec.structs.replace(events.taken_back(event, history), strategy=owner))
        self._events[name] = len(history)

    def _look_at_position(self, position: Any) -> None:
        changed = events.position_now(position)
        state = (changed.quantity, changed.average_open, changed.realised_pnl)
        if self._told.get(position.id) != state:
            self._told[position.id] = state
            self._emit(changed)

    def _owner(self, order_id: str) -> str:
        found = _OURS.fullmatch(order_id)
        if found is not None:
            return self._names.get(found.group(1), EXTERNAL)
        hand = order_id.startswith(f"{TRADER.rpartition('-')[2]}H")
        return self._names.get("001", EXTERNAL) if hand else EXTERNAL


def is_made_up(order: Any) -> bool:
    """Whether this order stands for a difference in position, and no venue has it."""
    return _MADE_UP in (order.tags or ())
