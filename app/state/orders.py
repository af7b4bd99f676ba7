"""Orders, fills, positions and the account as the session's events tell them.

The tables show thousands of rows and are refreshed every frame, so each collection can say which of its rows
changed since a version that a reader remembers; nobody compares or copies whole lists.
"""

from array import array
from collections.abc import Iterable, Iterator, Mapping
from typing import override

from engine.messages.events import (
    AccountChanged,
    AnyEvent,
    Balance,
    Denied,
    Filled,
    OrderChanged,
    PositionChanged,
    TwapChanged,
)
from engine.messages.orders import ENDED


class Latest[T](Mapping[str, T]):
    """Latest state of each thing by its id, in order of first appearance.

    Attributes
    ----------
    rows : list
        One row per id; a row keeps its place, its content is replaced.
    version : int
        Number of changes so far.
    """

    def __init__(self) -> None:
        self.rows: list[T] = []
        self._row_of: dict[str, int] = {}
        self._changes = array("q")

    @property
    def version(self) -> int:
        """Number of changes so far."""
        return len(self._changes)

    def put(self, key: str, value: T) -> None:
        """Set the latest state of `key`."""
        row = self._row_of.setdefault(key, len(self.rows))
        if row == len(self.rows):
            self.rows.append(value)
        else:
            self.rows[row] = value
        self._changes.append(row)

    def place(self, key: str) -> int:
        """Row of `key`."""
        return self._row_of[key]

    def changed_since(self, version: int) -> list[int]:
        """Rows that were added or replaced after `version`, ascending."""
        return sorted(set(self._changes[version:]))

    @override
    def __getitem__(self, key: str) -> T:
        return self.rows[self._row_of[key]]

    @override
    def __iter__(self) -> Iterator[str]:
        return iter(self._row_of)

    @override
    def __len__(self) -> int:
        return len(self.rows)


class OrdersState:
    """What the session's orders did.

    Attributes
    ----------
    orders, positions, balances : Latest
        By order id, position id and `account id/currency`; a TWAP is a row among the orders.
    twaps : dict of str to TwapChanged
        Newest of each TWAP by its id: those of `orders` that no venue has.
    fills, denials : list of Filled, list of Denied
        In order; only ever appended to.
    account : AccountChanged or None
        The latest.
    version : int
        Grows with every change of any of them.
    """

    def __init__(self) -> None:
        self.orders: Latest[OrderChanged] = Latest()
        self.twaps: dict[str, TwapChanged] = {}
        self.fills: list[Filled] = []
        self.denials: list[Denied] = []
        self.positions: Latest[PositionChanged] = Latest()
        self.balances: Latest[tuple[AccountChanged, Balance]] = Latest()
        self.account: AccountChanged | None = None
        self.version = 0
        self._working: dict[str, dict[str, OrderChanged]] = {}
        self._requested: dict[str, dict[str, None]] = {}

    def apply(self, events: Iterable[AnyEvent]) -> None:
        """Take events in their order; those that are not about orders or money are passed over."""
        for event in events:
            match event:
                case OrderChanged():
                    self._take_order(event)
                case TwapChanged(order=order):
                    self.twaps[order.order_id] = event
                    self._take_row(order)
                case Filled():
                    self.fills.append(event)
                case Denied():
                    self.denials.append(event)
                case PositionChanged():
                    self.positions.put(event.position_id, event)
                case AccountChanged():
                    self.account = event
                    for balance in event.balances:
                        self.balances.put(f"{event.account_id}/{balance.currency}", (event, balance))
                case _:
                    continue
            self.version += 1

    def working(self, instrument: str) -> list[OrderChanged]:
        """Orders of this instrument at a venue that can still trade, oldest first."""
        return list(self._working.get(instrument, {}).values())

    def of_request(self, request: str) -> list[OrderChanged]:
        """Orders that one `Submit` placed, in the order in which they appeared; a TWAP before its slices."""
        return [self.orders[order_id] for order_id in self._requested.get(request, ())]

    def _take_row(self, event: OrderChanged) -> None:
        self.orders.put(event.order_id, event)
        if event.request:
            self._requested.setdefault(event.request, {})[event.order_id] = None

    def _take_order(self, event: OrderChanged) -> None:
        self._take_row(event)
        working = self._working.setdefault(event.instrument, {})
        if event.status in ENDED:
            working.pop(event.order_id, None)
        else:
            working[event.order_id] = event
