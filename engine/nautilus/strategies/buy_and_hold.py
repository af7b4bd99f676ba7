"""Buy at the first price and keep it: the peer that every other strategy is compared with."""

from typing import Final

from nautilus_trader.model import (
    BookType,
    OrderBook,
    OrderBookDeltas,
    OrderDenied,
    OrderRejected,
    QuoteTick,
    TradeTick,
)

from engine.nautilus.strategy import Context, StationStrategy
from engine.strategies import BuyAndHoldParameters

_RETRY_NS: Final = 1_000_000_000


class BuyAndHold(StationStrategy):
    """Buys once; where the venue has no market yet, again a second of market time later."""

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        assert isinstance(context.parameters, BuyAndHoldParameters)  # noqa: S101 - the registry pairs them
        self.parameters = context.parameters
        self.bought = False
        self.try_from_ns = 0
        self.book = OrderBook(self.instrument_id, BookType.L2_MBP)

    def remember(self) -> dict[str, str]:
        """Whether it has bought."""
        return {"bought": "yes" if self.bought else "no"}

    def recall(self, state: dict[str, str]) -> None:
        """Buy no second time."""
        self.bought = state.get("bought") == "yes"

    def on_start(self) -> None:
        """Watch the kind of data that tells a price best."""
        for kind in ("quotes", "trades", "deltas"):
            if kind in self.context.kinds:
                self.watch(kind)
                return

    def on_quote(self, quote: QuoteTick) -> None:
        """Buy near the ask."""
        if not self.bought:
            self._buy(float(quote.ask_price), quote.ts_init)

    def on_trade(self, trade: TradeTick) -> None:
        """Buy near the last price."""
        if not self.bought:
            self._buy(float(trade.price), trade.ts_init)

    def on_book_deltas(self, deltas: OrderBookDeltas) -> None:
        """Buy as soon as the book has an ask."""
        if self.bought:
            return
        self.book.apply_deltas(deltas)
        ask = self.book.best_ask_price()
        if ask is not None:
            self._buy(float(ask), deltas.ts_init)

    def on_order_denied(self, _event: OrderDenied) -> None:
        """Try again."""
        self.bought = False

    def on_order_rejected(self, _event: OrderRejected) -> None:
        """Try again."""
        self.bought = False

    def _buy(self, price: float, ts: int) -> None:
        if ts >= self.try_from_ns:
            self.bought, self.try_from_ns = True, ts + _RETRY_NS
            self.go_to(self.parameters.trade_size or self.default_size(price))
