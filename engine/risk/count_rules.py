"""Limits of how many orders: at work at the same time, and sent in a second and a minute."""

from decimal import Decimal
from typing import Literal, override

from engine.messages.orders import Denial
from engine.risk.case import Case
from engine.risk.rule import Rule, State
from engine.risk.scope import Scope
from engine.risk.wording import plain


class OpenOrders(Rule):
    """Orders at work at the same time."""

    name = "open_orders"
    judges = "count"

    @override
    def denial(self, case: Case) -> Denial | None:
        if case.replaces is not None:
            return None
        count = self._count + 1
        if count <= self.limit:
            return None
        text = (
            f"This would be order {count} at work{self.scope.of}, above the limit of {plain(self.limit)}; "
            "cancel one first."
        )
        return self.denied(text, Decimal(count))

    @property
    def _count(self) -> int:
        if self.scope.kind == "account":
            return len(self.state.book.orders)
        return sum(each.orders for each in self.lines)

    @override
    def used(self, newest: Case | None, now_ns: int) -> Decimal | None:
        return Decimal(self._count)


class _Rate(Rule):
    """Orders and changes in a sliding window."""

    judges = "count"
    window: Literal["second", "minute"]

    def __init__(self, scope: Scope, limit: Decimal, state: State) -> None:
        super().__init__(scope, limit, state)
        self.most = int(limit)
        self.pace = state.paces.of[scope]

    def _count(self, now_ns: int) -> int:
        pace = self.pace
        return pace.in_second(now_ns) if self.window == "second" else pace.in_minute(now_ns)

    @override
    def denial(self, case: Case) -> Denial | None:
        count = self._count(case.now_ns) + 1
        if count <= self.most:
            return None
        text = (
            f"This would be order {count} in one {self.window}{self.scope.of}, above the limit of "
            f"{plain(self.limit)}; wait, or change fewer orders."
        )
        return self.denied(text, Decimal(count))

    @override
    def used(self, newest: Case | None, now_ns: int) -> Decimal | None:
        return Decimal(self._count(now_ns))


class OrdersPerSecond(_Rate):
    """Orders and changes in one second."""

    name = "orders_per_second"
    window = "second"


class OrdersPerMinute(_Rate):
    """Orders and changes in one minute."""

    name = "orders_per_minute"
    window = "minute"
