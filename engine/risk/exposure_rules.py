"""Limits of what may be held at worst: were all working orders of one side filled, and none of the other.

Each judges only what an order makes worse: where a limit is broken already (it was lowered, or the market
moved), an order that takes nothing farther passes.
"""

from decimal import Decimal
from typing import Final, Literal, override

from engine.messages.orders import Denial
from engine.risk.case import Case, Exposure
from engine.risk.rule import Rule, ScaledRule, State
from engine.risk.scope import Scope
from engine.risk.valuing import ZERO
from engine.risk.wording import at_most, plain, size

_PERCENT: Final = 100
_NONE_LEFT: Final = "beyond any share of equity, of which none is left"


class Position(ScaledRule):
    """Size of one instrument, long or short."""

    name = "position"
    judges = "reach"

    @override
    def denial(self, case: Case) -> Denial | None:
        if self.is_strategy:
            value = case.line_long if case.is_buy else -case.line_short
        else:
            value = case.total_long if case.is_buy else -case.total_short
        allowed = self.allowed
        if value <= allowed:
            return None
        before = case.reach_before[not self.is_strategy]
        if value <= before:
            return None
        facts = case.valuing.instrument
        text = (
            f"This order could take the position in {facts.id}{self._owner} to {size(value, facts)} "
            f"{'long' if case.is_buy else 'short'}, beyond the limit of {size(allowed, facts)}{self.scaled}; "
            f"{at_most(case.leaves - (value - allowed), facts)}."
        )
        return self.denied(text, value)

    @property
    def _owner(self) -> str:
        return self.scope.of if self.is_strategy else ""

    @override
    def used(self, newest: Case | None, now_ns: int) -> Decimal | None:
        return max((max(each.long, -each.short) for each in self.lines), default=ZERO)


class _Value(Rule):
    """A limit of money at risk."""

    judges = "reach"
    what = ""
    field: Literal["gross", "net", "mine"] = "gross"
    factor: Decimal | None = None
    """Share of equity that the limit is, where it is one."""

    def shown(self, value: Decimal, allowed: Decimal) -> tuple[Decimal, str, str]:
        """Value in the limit's unit, and value and limit in words."""
        return value, self.money(value), self.money(allowed)

    @override
    def denial(self, case: Case) -> Denial | None:
        exposure = self.exposure(case)
        if exposure.missing:
            return self.unknown(case, exposure.missing)
        value: Decimal = getattr(exposure, self.field)
        allowed = self.limit
        if self.factor is not None:
            equity = case.equity
            if equity is None:
                return self.unknown(case)
            allowed = equity * self.factor
        if value <= allowed or value <= getattr(exposure, f"{self.field}_before"):
            return None
        shown, value_words, limit_words = self.shown(value, allowed)
        facts = case.valuing.instrument
        text = (
            f"This order could take {self.what}{self.scope.of} to {value_words}, above the limit of "
            f"{limit_words}; {at_most(case.leaves - (value - allowed) / (case.unit or value), facts)}."
        )
        return self.denied(text, shown)

    @override
    def used(self, newest: Case | None, now_ns: int) -> Decimal | None:
        exposure = Exposure(self.state.book, self.lines)
        return None if exposure.missing else getattr(exposure, self.field)


class GrossExposure(_Value):
    """Sum of all values."""

    name = "gross_exposure"
    what = "gross exposure"


class NetExposure(_Value):
    """Difference of long and short values."""

    name = "net_exposure"
    what = "net exposure"
    field = "net"


class _OfEquity(_Value):
    """A limit in terms of the account's equity."""

    def __init__(self, scope: Scope, limit: Decimal, state: State) -> None:
        super().__init__(scope, limit, state)
        self.factor = limit / _PERCENT

    def in_unit(self, value: Decimal, equity: Decimal) -> Decimal:
        """A value as the limit is stated; a great number where no equity is left."""
        return value * _PERCENT / equity if equity > ZERO else Decimal(999_999)

    @override
    def shown(self, value: Decimal, allowed: Decimal) -> tuple[Decimal, str, str]:
        equity = self.state.book.equity() or ZERO
        share = round(self.in_unit(value, equity), 4)
        words = f"{plain(round(share, 2))} % of equity" if equity > ZERO else _NONE_LEFT
        return share, words, f"{plain(self.limit)} %"

    @override
    def used(self, newest: Case | None, now_ns: int) -> Decimal | None:
        value, equity = super().used(newest, now_ns), self.state.book.equity()
        if value is None or equity is None:
            return None
        return self.in_unit(value, equity) if value else ZERO


class Concentration(_OfEquity):
    """Value of one instrument."""

    name = "concentration"
    what = "the value of one instrument"
    field = "mine"


class Leverage(_OfEquity):
    """Gross exposure as a multiple of equity."""

    name = "leverage"
    what = "leverage"

    def __init__(self, scope: Scope, limit: Decimal, state: State) -> None:
        super().__init__(scope, limit, state)
        self.factor = limit

    @override
    def in_unit(self, value: Decimal, equity: Decimal) -> Decimal:
        return value / equity if equity > ZERO else Decimal(999_999)

    @override
    def shown(self, value: Decimal, allowed: Decimal) -> tuple[Decimal, str, str]:
        equity = self.state.book.equity() or ZERO
        times = round(self.in_unit(value, equity), 4)
        words = f"{plain(round(times, 2))} times equity" if equity > ZERO else _NONE_LEFT
        return times, words, f"{plain(self.limit)} times"


class Margin(_OfEquity):
    """What positions and orders take of the equity as margin."""

    name = "margin"
    what = "the margin in use"

    def __init__(self, scope: Scope, limit: Decimal, state: State) -> None:
        super().__init__(scope, limit, state)
        self.factor = limit * state.book.leverage / _PERCENT

    @override
    def in_unit(self, value: Decimal, equity: Decimal) -> Decimal:
        return super().in_unit(value / self.state.book.leverage, equity)


class InventoryImbalance(Rule):
    """|bought - sold| / (bought + sold), the order's side with its working orders.

    It says nothing of the first orders, of which any is all of one side: it is judged once ten times the
    order's size were traded.
    """

    name = "inventory_imbalance"
    judges = "reach"

    @override
    def denial(self, case: Case) -> Denial | None:
        each = case.line if self.is_strategy else case.total
        if each.bought + each.sold < case.leaves * 10:
            return None
        bought, sold = each.bought, each.sold
        before = abs(bought - sold)
        if case.is_buy:
            bought += each.buys + case.more
        else:
            sold += each.sells + case.more
        apart, both = abs(bought - sold), bought + sold
        if apart * _PERCENT <= self.limit * both or apart <= before:
            return None
        value = round(apart * _PERCENT / both, 2)
        other = "sell" if case.is_buy else "buy"
        text = (
            f"Of {case.intent.instrument}{self.scope.of}, {plain(value)} % more would be "
            f"{'bought than sold' if case.is_buy else 'sold than bought'}, above the limit of "
            f"{plain(self.limit)} %; {other} first."
        )
        return self.denied(text, value)

    @override
    def used(self, newest: Case | None, now_ns: int) -> Decimal | None:
        shares = [
            abs(each.bought - each.sold) * _PERCENT / (each.bought + each.sold)
            for each in self.lines
            if each.bought + each.sold
        ]
        return max(shares, default=ZERO)
