"""How long a session was in trouble after each fault that struck the exchange, as its watcher saw it.

Trouble is a connection that is lost, an order without an answer, or an execution that nobody told yet. Each
is put down to one fault: to an outage where it began in one, otherwise to what struck last before it began.
"""

import time
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from app.state.orders import OrdersState
from app.state.session import SessionState

if TYPE_CHECKING:
    from tests.venue import Truth

_OUTAGES: Final = frozenset({"restart", "rate_limit", "ban", "clock_skew"})
_OUTAGE_S: Final = 2.0
"""How long an outage of the exchange lasts, and a moment."""

_BEFORE_S: Final = 0.1
"""An order is sent before the fault that waits for it strikes."""

_LATE_S: Final = 0.5
"""What takes no longer is no trouble."""

_WAITING: Final = frozenset({"SUBMITTED", "PENDING_UPDATE", "PENDING_CANCEL", "IN_DOUBT"})


class _Trouble(NamedTuple):
    begin_s: float
    end_s: float


class Troubles:
    """Watches a session for them."""

    def __init__(self) -> None:
        self._past: list[_Trouble] = []
        self._since: dict[str, float] = {}
        self._order_version = self._fills_seen = 0
        self._told_s: dict[str, float] = {}
        """When the last execution of each order was told."""

    def look(self, state: SessionState) -> None:
        """Take how things stand now; call it after every frame."""
        now_s = time.time()
        for name, connection in state.connections.items():
            self._note(f"connection {name}", connection.state != "reconnecting", connection.ts / 1e9, now_s)
        self._look_at_orders(state.orders, now_s)

    @property
    def count(self) -> int:
        """How many are over."""
        return len(self._past)

    def by_kind(self, strikes: Sequence[tuple[int, str]], truth: "Truth") -> dict[str, dict[str, float]]:
        """Time from a fault until all trouble was over that it brought, in ms by its kind."""
        times = np.array([ts / 1e9 for ts, _ in strikes])
        worst_s = np.zeros(len(strikes))
        for trouble in [*self._past, *self._late(truth)]:
            first = int(np.searchsorted(times, trouble.begin_s - _OUTAGE_S))
            last = int(np.searchsorted(times, trouble.begin_s + _BEFORE_S)) - 1
            if last < 0:
                continue
            outages = [at for at in range(first, last + 1) if strikes[at][1] in _OUTAGES]
            blamed = outages[-1] if outages else last
            worst_s[blamed] = max(worst_s[blamed], trouble.end_s - times[blamed])
        kinds = np.array([kind for _, kind in strikes])
        return {str(kind): _figures(worst_s[kinds == kind] * 1e3) for kind in np.unique(kinds)}

    def _note(self, name: str, is_well: bool, since_s: float, now_s: float) -> None:  # noqa: FBT001
        if not is_well:
            self._since.setdefault(name, since_s)
        elif (began_s := self._since.pop(name, None)) is not None and now_s - began_s > _LATE_S:
            self._past.append(_Trouble(began_s, now_s))

    def _look_at_orders(self, orders: OrdersState, now_s: float) -> None:
        version, self._order_version = self._order_version, orders.orders.version
        for row in orders.orders.changed_since(version):
            order = orders.orders.rows[row]
            self._note(order.order_id, order.status not in _WAITING, order.ts / 1e9, now_s)
        fresh, self._fills_seen = orders.fills[self._fills_seen :], len(orders.fills)
        self._told_s.update((fill.order_id, now_s) for fill in fresh)

    def _late(self, truth: "Truth") -> Iterable[_Trouble]:
        """The last executions of orders, where nobody heard of them for a while."""
        from tests.venue.client import name_of  # noqa: PLC0415 - loads the engine

        happened = {name_of(fill.client_id): fill.time_ms / 1e3 for fill in truth.fills}
        for order_id, told_s in self._told_s.items():
            begin_s = happened.get(order_id)
            if begin_s is not None and told_s - begin_s > _LATE_S:
                yield _Trouble(begin_s, told_s)


def _figures(values_ms: "np.ndarray[Any, np.dtype[np.float64]]") -> dict[str, float]:
    return {
        "count": len(values_ms),
        "p50": round(float(np.percentile(values_ms, 50)), 1),
        "max": round(float(values_ms.max()), 1),
    }
