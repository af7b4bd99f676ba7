"""Limits of when: trading hours, and how old market data may be."""

from decimal import Decimal
from typing import override

from engine.messages.orders import Denial
from engine.risk.case import Case
from engine.risk.hours import TradingHours
from engine.risk.rule import Rule, State
from engine.risk.scope import Scope
from engine.risk.valuing import ZERO
from engine.risk.wording import plain

_SECOND_NS = Decimal(1_000_000_000)


class Hours(Rule):
    """Trading hours; it has no number, and so no bar."""

    name = "trading_hours"

    def __init__(self, scope: Scope, hours: str, state: State) -> None:
        super().__init__(scope, ZERO, state)
        self.hours = TradingHours(hours)

    @override
    def denial(self, case: Case) -> Denial | None:
        if self.hours.is_open(case.now_ns):
            return None
        text = (
            f"It is outside the trading hours{self.scope.of} ({self.hours.text} UTC); wait, or change them."
        )
        return self.denied(text)

    @override
    def used(self, newest: Case | None, now_ns: int) -> Decimal | None:
        return None


class FeedAge(Rule):
    """Age of the instrument's market data."""

    name = "feed_age_s"

    def __init__(self, scope: Scope, limit: Decimal, state: State) -> None:
        super().__init__(scope, limit, state)
        self.limit_ns = int(limit * _SECOND_NS)

    @override
    def denial(self, case: Case) -> Denial | None:
        touch = case.touch
        if touch is None:
            return self.unknown(case)
        age_ns = case.now_ns - touch.ts_ns
        if age_ns <= self.limit_ns:
            return None
        age = round(age_ns / _SECOND_NS, 1)
        text = (
            f"The newest market data of {case.intent.instrument} are {plain(age)} s old, above the limit of "
            f"{plain(self.limit)} s{self.scope.of}; wait until the feed is back."
        )
        return self.denied(text, age)

    @override
    def used(self, newest: Case | None, now_ns: int) -> Decimal | None:
        book = self.state.book
        touches = [book.touch(each.valuing.instrument.id) for each in self.lines]
        ages = [(now_ns - touch.ts_ns) / _SECOND_NS for touch in touches if touch is not None]
        return max(ages, default=None)
