"""Follow the heavier side of the order book for a while.

The imbalance of the best levels predicts the next move of the mid price at short horizons (Cont, Kukanov and
Stoikov, "The Price Impact of Order Book Events", 2014, study its flow; this is the simplest form of it).
"""

from nautilus_trader.model import BookLevel, BookType, OrderBook, OrderBookDeltas

from engine.nautilus.strategy import Context, StationStrategy
from engine.strategies import BookImbalanceParameters


class BookImbalance(StationStrategy):
    """Long or short while one side weighs more, decided anew every `hold_s` seconds of market time."""

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        assert isinstance(context.parameters, BookImbalanceParameters)  # noqa: S101 - the registry pairs them
        self.parameters = context.parameters
        self.hold_ns = round(self.parameters.hold_s * 1e9)
        self.decide_from_ns = 0
        # An own book: asking the engine's cache for its book copies all of it.
        self.book = OrderBook(self.instrument_id, BookType.L2_MBP)

    def on_start(self) -> None:
        """Watch the book."""
        self.watch("deltas")

    def on_book_deltas(self, deltas: OrderBookDeltas) -> None:
        """Keep the book; weigh it when the last decision has had its time."""
        self.book.apply_deltas(deltas)
        if deltas.ts_init >= self.decide_from_ns:
            self._decide(deltas.ts_init)

    def _decide(self, ts: int) -> None:
        bids, asks = self.book.bids(self.parameters.levels), self.book.asks(self.parameters.levels)
        if not bids or not asks:
            return
        bid, ask = _weight(bids), _weight(asks)
        imbalance = (bid - ask) / (bid + ask)
        if abs(imbalance) < self.parameters.threshold:
            return
        self.decide_from_ns = ts + self.hold_ns
        size = self.parameters.trade_size or self.default_size(float(asks[0].price))
        self.go_to(size if imbalance > 0 else -size)


def _weight(levels: list[BookLevel]) -> float:
    return sum(level.size() for level in levels)
