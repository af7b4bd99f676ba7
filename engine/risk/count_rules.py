"""Limits of how many orders: at work at the same time, and sent in a second and a minute."""

from decimal import ROUND_FLOOR, Decimal
from typing import Literal, override

from engine.messages.orders import Denial
from engine.risk.case import Case
from engine.risk.paces import Pace
from engine.risk.rule import Rule, Scope, State
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
        self.most = int(limit.to_integral_value(ROUND_FLOOR))
        self.second = self.window == "second"

    @property
    def pace(self) -> Pace:
        """Of the scope."""
        paces = self.state.paces
        match self.scope.kind:
            case "account":
                return paces.account
            case "strategy":
                return paces.strategies[self.scope.name]
            case "instrument":
                return paces.instruments[self.scope.name]

    @override
    def denial(self, case: Case) -> Denial | None:
        pace, now_ns = self.pace, case.now_ns
        count = (pace.in_second(now_ns) if self.second else pace.in_minute(now_ns)) + 1
        if count <= self.most:
            return None
        text = (
            f"This would be order {count} in one {self.window}{self.scope.of}, above the limit of "
            f"{plain(self.limit)}; wait, or change fewer orders."
        )
        return self.denied(text, Decimal(count))

    @override
    def used(self, newest: Case | None, now_ns: int) -> Decimal | None:
        return Decimal(self.pace.in_second(now_ns) if self.second else self.pace.in_minute(now_ns))


class OrdersPerSecond(_Rate):
    """Orders and changes in one second."""

    name = "orders_per_second"
    window = "second"


class OrdersPerMinute(_Rate):
    """Orders and changes in one minute."""

    name = "orders_per_minute"
    window = "minute"
