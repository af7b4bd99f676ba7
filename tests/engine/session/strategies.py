"""Strategies that trade often and in every way, for the sessions under test."""

from decimal import Decimal
from typing import Any

from nautilus_trader.model import OrderSide, OrderType, QuoteTick, TriggerType

from engine.nautilus.instrument import price, quantity
from engine.nautilus.strategy import Context, StationStrategy


class _EveryFewQuotes(StationStrategy):
    every = 50

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self.seen = 0
        self.size = quantity(context.instrument.lot_size * 3, context.instrument)
        self.tick = context.instrument.tick_size

    def on_start(self) -> None:
        self.watch("quotes")

    def on_quote(self, quote: QuoteTick) -> None:
        self.seen += 1
        if self.seen % self.every == 0:
            self.trade(quote, OrderSide.BUY if self.seen // self.every % 2 else OrderSide.SELL)

    def trade(self, quote: QuoteTick, side: OrderSide) -> None:
        raise NotImplementedError


class Market(_EveryFewQuotes):
    """Buys and sells at market in turn, two and one lots, so that positions grow, shrink and flip."""

    def trade(self, quote: QuoteTick, side: OrderSide) -> None:
        size = (
            self.size if self.seen // self.every % 3 else quantity(self.instrument.lot_size, self.instrument)
        )
        self.submit(self.order_factory.market(self.instrument_id, side, size))


class Limit(_EveryFewQuotes):
    """Rests two ticks away from the market, moves the order once, cancels what is left."""

    every = 20

    def trade(self, quote: QuoteTick, side: OrderSide) -> None:
        offset = 2 * self.tick if side == OrderSide.SELL else -2 * self.tick
        base = (quote.ask_price if side == OrderSide.SELL else quote.bid_price).as_decimal()
        step = self.seen // self.every % 4
        if step == 3:
            self.cancel_all_orders(self.instrument_id)
        elif step == 2:
            for order in self.cache.orders_open(instrument_id=self.instrument_id):
                nearer = order.price.as_decimal() + (self.tick if order.is_buy else -self.tick)
                self.modify_order(order.client_order_id, price=price(nearer, self.instrument))
        else:
            limit = price(base + offset, self.instrument)
            self.submit(self.order_factory.limit(self.instrument_id, side, self.size, limit))


class Bracket(_EveryFewQuotes):
    """Enters at market with a take-profit and a stop-loss a few ticks away."""

    every = 80

    def trade(self, quote: QuoteTick, side: OrderSide) -> None:
        sign = 1 if side == OrderSide.BUY else -1
        middle = (quote.ask_price if sign > 0 else quote.bid_price).as_decimal()
        orders = self.order_factory.bracket(
            self.instrument_id,
            side,
            self.size,
            entry_order_type=OrderType.MARKET,
            tp_price=self._away(middle, 6 * sign),
            sl_trigger_price=self._away(middle, -6 * sign),
            sl_trigger_type=TriggerType.BID_ASK,
        )
        self.submit_order_list(orders)

    def _away(self, middle: Decimal, ticks: int) -> Any:
        return price(middle + ticks * self.tick, self.instrument)


class Clumsy(_EveryFewQuotes):
    """Divides by zero on its third trade."""

    def trade(self, quote: QuoteTick, side: OrderSide) -> None:
        if self.seen == 3 * self.every:
            _ = 1 // 0
        self.submit(self.order_factory.market(self.instrument_id, side, self.size))


class SelfMade(Market):
    """Holds itself, as a strategy with a stored callback does."""

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self.handler = self.on_quote


class Timed(StationStrategy):
    """Trades by the clock, not by ticks."""

    def on_start(self) -> None:
        self.watch("quotes")
        self.clock.set_timer_ns("beat", 700_000_000, None, None, callback=self.on_beat)
        self.beats = 0

    def on_beat(self, _event: Any) -> None:
        self.beats += 1
        side = OrderSide.BUY if self.beats % 2 else OrderSide.SELL
        size = quantity(self.instrument.lot_size, self.instrument)
        self.submit(self.order_factory.market(self.instrument_id, side, size))
