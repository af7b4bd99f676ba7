"""Ask a model at every tick, in the market's own turn, and follow what is then decided."""

from time import perf_counter_ns

from nautilus_trader.model import BookAction, OrderBookDeltas, OrderSide, QuoteTick, TradeTick

from engine.columns import Flag
from engine.nautilus.data import UNTOLD_SIZE
from engine.nautilus.strategies.ai_signal import AiSignal
from engine.nautilus.strategy import Context
from engine.signals.lead import ClosedBar
from engine.signals.levels import Levels
from engine.signals.protocols import Forecast

_CLEAR, _DELETE, _BUY = BookAction.CLEAR, BookAction.DELETE, OrderSide.BUY


class AiSignalByTick(AiSignal):
    """Feeds the model's stream from the market data that it reads."""

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        assert self.lead.stream is not None  # noqa: S101 - who chose this class
        self.stream = self.lead.stream
        self.levels = self.lead.facts.levels
        self.judged_clock = self.lead.facts.clock if self.lead.is_judged else ""
        self.price_scale = 10.0**context.instrument.price_precision
        self.size_scale = 10.0**context.instrument.size_precision
        # An own book: asking the engine's cache for its book copies all of it.
        self.bids, self.asks = Levels(-1), Levels(1)

    def on_start(self) -> None:
        """Watch what the model reads."""
        super().on_start()
        streams = self.lead.facts.streams
        self.watch(*(streams & {"quotes", "trades"}))
        if "book" in streams and self.context.kinds != {"deltas"}:
            self.watch("deltas")

    def on_quote(self, quote: QuoteTick) -> None:
        """Ask about a quote."""
        started, price, size = perf_counter_ns(), self.price_scale, self.size_scale
        # To the grid: Nautilus' own floats are off by their last bit for many a price, and features of stored
        # columns would be of other numbers.
        bid_size = round(float(quote.bid_size) * size) / size
        ask_size = round(float(quote.ask_size) * size) / size
        bid = round(float(quote.bid_price) * price) / price
        ask = round(float(quote.ask_price) * price) / price
        if self.judged_clock == "quotes":
            self.lead.passed(quote.ts_init, (bid + ask) * 0.5)
        forecast = self.stream.on_quote(
            quote.ts_init,
            bid,
            ask,
            0.0 if bid_size == UNTOLD_SIZE else bid_size,
            0.0 if ask_size == UNTOLD_SIZE else ask_size,
        )
        self._heard(forecast, quote.ts_init, started)

    def on_trade(self, trade: TradeTick) -> None:
        """Ask about a trade."""
        started, price, size = perf_counter_ns(), self.price_scale, self.size_scale
        last = round(float(trade.price) * price) / price
        if self.judged_clock == "trades":
            self.lead.passed(trade.ts_init, last)
        forecast = self.stream.on_trade(
            trade.ts_init,
            last,
            round(float(trade.size) * size) / size,
            float(trade.aggressor_side.value),
        )
        self._heard(forecast, trade.ts_init, started)

    def on_book_deltas(self, deltas: OrderBookDeltas) -> None:
        """Keep the book, and ask about it."""
        if not self.levels:
            return  # it is the engine that needs the book; see `AiSignal.on_start`
        started, price, size = perf_counter_ns(), self.price_scale, self.size_scale
        for delta in deltas.deltas:
            action = delta.action
            if action == _CLEAR:
                self.bids.clear()
                self.asks.clear()
                continue
            order = delta.order
            side = self.bids if order.side == _BUY else self.asks
            left = 0.0 if action == _DELETE else round(float(order.size) * size) / size
            side.set(round(float(order.price) * price) / price, left)
        if deltas.flags & Flag.LAST:  # else the update goes on in the next rows
            bids, asks = self.bids.best(self.levels), self.asks.best(self.levels)
            if self.judged_clock == "book":
                self.lead.passed(deltas.ts_init, (bids[0][0] + asks[0][0]) * 0.5)
            forecast = self.stream.on_book(deltas.ts_init, *bids, *asks)
            self._heard(forecast, deltas.ts_init, started)

    def on_closed_bar(self, bar: ClosedBar) -> None:
        """Ask about a bar."""
        started = perf_counter_ns()
        if self.judged_clock == "bars":
            self.lead.passed(bar.ts, bar.close)
        self._heard(self.stream.on_bar(*bar), bar.ts, started)

    def _heard(self, forecast: Forecast | None, ts: int, started: int) -> None:
        lead, sick = self.lead, self.stream.sick
        answered = perf_counter_ns()
        lead.asked_ns += answered - started
        if forecast is not None:
            lead.asked += 1
            is_due = lead.heard(forecast, sick)
        else:
            is_due = bool(sick) and lead.sickened(ts, sick)
        if is_due:
            self.schedule()
            lead.decided_ns(perf_counter_ns() - answered)
