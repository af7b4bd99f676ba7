"""Limits of a single order: its size, its value and its price."""

from decimal import Decimal
from typing import override

from engine.messages.orders import Denial
from engine.risk.case import Case
from engine.risk.rule import Rule, ScaledRule
from engine.risk.valuing import ZERO
from engine.risk.wording import at_most, plain, size

_BPS = 10_000


class OrderQuantity(ScaledRule):
    """Size of one order."""

    name = "order_quantity"

    @override
    def denial(self, case: Case) -> Denial | None:
        allowed = self.allowed
        if case.size <= allowed:
            return None
        facts = case.valuing.instrument
        text = (
            f"Order of {size(case.size, facts)} is above the limit of {size(allowed, facts)} an order"
            f"{self.scope.of}{self.scaled}; {at_most(allowed, facts)}."
        )
        return self.denied(text, case.size)

    @override
    def used(self, newest: Case | None, now_ns: int) -> Decimal | None:
        return newest.size if newest is not None else None


class OrderNotional(ScaledRule):
    """Value of one order."""

    name = "order_notional"

    @override
    def denial(self, case: Case) -> Denial | None:
        unit = case.order_unit
        if unit is None:
            return self.unknown(case)
        value = case.size * unit
        allowed = self.allowed
        if value <= allowed:
            return None
        facts = case.valuing.instrument
        text = (
            f"Order of {size(case.size, facts)} (about {self.money(value)}) is above the limit of "
            f"{self.money(allowed)} an order{self.scope.of}{self.scaled}; {at_most(allowed / unit, facts)}."
        )
        return self.denied(text, value)

    @override
    def used(self, newest: Case | None, now_ns: int) -> Decimal | None:
        if newest is None or newest.order_unit is None:
            return None
        return newest.size * newest.order_unit


class PriceBand(Rule):
    """How far a price may lie through the touch; of a stop-limit, beyond its own trigger."""

    name = "price_band_bps"

    @override
    def denial(self, case: Case) -> Denial | None:
        price = case.intent.price
        if price is None:
            return None
        reference = _reference(case)
        if reference is None:
            return self.unknown(case)
        through = _through(case, price, reference)
        if through <= ZERO or through * _BPS <= self.limit * reference:
            return None
        value = round(through * _BPS / reference, 2)
        what = "trigger" if case.intent.trigger is not None else "ask" if case.is_buy else "bid"
        text = (
            f"Price {plain(price)} lies {plain(value)} bps through the {what} of {plain(reference)}, beyond "
            f"the band of {plain(self.limit)} bps{self.scope.of}; {self._best(case, reference)}."
        )
        return self.denied(text, value)

    def _best(self, case: Case, reference: Decimal) -> str:
        tick = case.valuing.instrument.tick_size
        room = reference * self.limit / _BPS
        if case.is_buy:
            return f"bid {plain((reference + room) // tick * tick)} or less"
        return f"ask {plain(-((room - reference) // tick) * tick)} or more"

    @override
    def used(self, newest: Case | None, now_ns: int) -> Decimal | None:
        price = None if newest is None else newest.intent.price
        reference = None if newest is None else _reference(newest)
        if newest is None or price is None or reference is None:
            return None
        return max(ZERO, _through(newest, price, reference) * _BPS / reference)


def _reference(case: Case) -> Decimal | None:
    """Price that an order's is held against: its own trigger, or the other side of the market."""
    return case.far if case.intent.trigger is None else case.intent.trigger


def _through(case: Case, price: Decimal, reference: Decimal) -> Decimal:
    """How far a price lies beyond another, on the side that costs."""
    return price - reference if case.is_buy else reference - price


class TradeLoss(Rule):
    """What an entry loses where its stop fills at the trigger, both fees included."""

    name = "trade_loss"

    @override
    def denial(self, case: Case) -> Denial | None:
        stop, price = case.intent.stop, case.price
        if case.replaces is not None and stop is None:
            return None  # its stop was judged with the entry, and stays where it is
        if stop is None:
            text = (
                f"An entry needs a stop, as a trade may lose {self.money(self.limit)} at most{self.scope.of}"
                "; order a bracket."
            )
            return self.denied(text)
        if price is None or not case.valuing.is_money:
            return self.unknown(case)
        if stop >= price if case.is_buy else stop <= price:
            side = "below" if case.is_buy else "above"
            text = f"The stop at {plain(stop)} is not {side} the entry at {plain(price)}; put it there."
            return self.denied(text)
        each = case.valuing.loss(price, stop)
        loss = case.size * each
        if loss <= self.limit:
            return None
        facts = case.valuing.instrument
        text = (
            f"Stopped at {plain(stop)}, this trade would lose {self.money(loss)}, above the limit of "
            f"{self.money(self.limit)} a trade{self.scope.of}; "
            f"{at_most(self.limit / each, facts)}, or stop closer."
        )
        return self.denied(text, loss)

    @override
    def used(self, newest: Case | None, now_ns: int) -> Decimal | None:
        if newest is None or newest.price is None or newest.intent.stop is None:
            return None
        return newest.size * newest.valuing.loss(newest.price, newest.intent.stop)
