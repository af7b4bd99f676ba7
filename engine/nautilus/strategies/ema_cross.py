"""Follow the trend: long while the fast exponential moving average is above the slow one, else short."""

from nautilus_trader.indicators import ExponentialMovingAverage
from nautilus_trader.model import Bar, BarType, PriceType, QuoteTick, TradeTick

from engine.bars import BarSpec
from engine.nautilus.strategy import Context, StationStrategy
from engine.strategies import EmaCrossParameters


class EmaCross(StationStrategy):
    """Always in the market from the first cross on, reversing at each cross.

    The averages are seeded with a simple average, and nothing is traded before both have seen their period.
    """

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        assert isinstance(context.parameters, EmaCrossParameters)  # noqa: S101 - the registry pairs them
        self.parameters = context.parameters
        self.fast = ExponentialMovingAverage(self.parameters.fast, PriceType.MID)
        self.slow = ExponentialMovingAverage(self.parameters.slow, PriceType.MID)
        self.above: bool | None = None

    def remember(self) -> dict[str, str]:
        """Which side the fast average was on; the averages themselves are made anew of what comes."""
        return {} if self.above is None else {"above": "yes" if self.above else "no"}

    def recall(self, state: dict[str, str]) -> None:
        """Take up the side, so that a cross which was missed is made up for."""
        self.above = state["above"] == "yes" if "above" in state else None

    def on_start(self) -> None:
        """Watch bars or ticks, as the parameters say."""
        if self.parameters.on == "bars":
            spec = BarSpec.parse(self.parameters.bar)
            self.subscribe_bars(BarType.from_str(f"{self.instrument.id}-{spec}-INTERNAL"))
        elif "quotes" in self.context.kinds:
            self.watch("quotes")
        else:
            self.watch("trades")

    def on_quote(self, quote: QuoteTick) -> None:
        """Average the mid price."""
        self.fast.handle_quote_tick(quote)
        self.slow.handle_quote_tick(quote)
        if self.slow.initialized:
            above = self.fast.value > self.slow.value
            if above is not self.above:
                self._crossed(above=above, price=float(quote.ask_price))

    def on_trade(self, trade: TradeTick) -> None:
        """Average the traded price."""
        self._update(float(trade.price))

    def on_bar(self, bar: Bar) -> None:
        """Average the closing price."""
        self._update(float(bar.close))

    def _update(self, price: float) -> None:
        self.fast.update_raw(price)
        self.slow.update_raw(price)
        if self.slow.initialized:
            above = self.fast.value > self.slow.value
            if above is not self.above:
                self._crossed(above=above, price=price)

    def _crossed(self, *, above: bool, price: float) -> None:
        first = self.above is None
        self.above = above
        if not first:  # which side the averages start on is chance, not a cross
            size = self.parameters.trade_size or self.default_size(price)
            self.go_to(size if above else -size)
