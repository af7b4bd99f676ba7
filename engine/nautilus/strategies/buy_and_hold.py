"""Buy at the first price and keep it: the peer that every other strategy is compared with."""

from nautilus_trader.model import BookType, OrderBook, OrderBookDeltas, QuoteTick, TradeTick

from engine.nautilus.strategy import Context, StationStrategy
from engine.strategies import BuyAndHoldParameters


class BuyAndHold(StationStrategy):
    """Buys once, at the first quote, trade or book update that comes."""

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        assert isinstance(context.parameters, BuyAndHoldParameters)  # noqa: S101 - the registry pairs them
        self.parameters = context.parameters
        self.bought = False
        self.book = OrderBook(self.instrument_id, BookType.L2_MBP)

    def on_start(self) -> None:
        """Watch what orders are matched against: before that there is no market to buy in."""
        for kind in ("deltas", "quotes", "trades"):
            if kind in self.given.kinds:
                self.watch(kind)
                return

    def on_quote(self, quote: QuoteTick) -> None:
        """Buy at the ask."""
        self._buy(float(quote.ask_price))

    def on_trade(self, trade: TradeTick) -> None:
        """Buy near the last price."""
        self._buy(float(trade.price))

    def on_book_deltas(self, deltas: OrderBookDeltas) -> None:
        """Buy as soon as the book has an ask."""
        if self.bought:
            return
        self.book.apply_deltas(deltas)
        ask = self.book.best_ask_price()
        if ask is not None:
            self._buy(float(ask))

    def _buy(self, price: float) -> None:
        if not self.bought:
            self.bought = True
            self.go_to(self.parameters.trade_size or self.default_size(price))
