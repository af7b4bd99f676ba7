"""What of the wallet is bound by positions and working orders, at the leverage of each symbol."""

from collections.abc import Mapping
from decimal import Decimal

from tests.venue.ledger import ZERO, Ledger
from tests.venue.market import Market

_LEVERAGE = 20


class Margin:
    """Cross margin of one account."""

    def __init__(self, markets: Mapping[str, Market], ledger: Ledger) -> None:
        self._markets, self._ledger = markets, ledger
        self.leverage = dict.fromkeys(markets, _LEVERAGE)
        self.type = dict.fromkeys(markets, "cross")

    def profit(self, symbol: str) -> Decimal:
        """Unrealised profit at the mark price."""
        return self._ledger.position(symbol) * self._mark(symbol) - self._ledger.cost(symbol)

    def of_position(self, symbol: str) -> Decimal:
        """Initial margin of the open position."""
        return abs(self._ledger.position(symbol)) * self._mark(symbol) / self.leverage[symbol]

    def of_orders(self, symbol: str) -> Decimal:
        """Initial margin of the working orders that do not only reduce."""
        market = self._markets[symbol]
        working = [order for queue in market.resting for order in queue if not order.reduce_only]
        return sum((self.needed(symbol, order.price, order.left) for order in working), ZERO)

    def needed(self, symbol: str, price: int, size: int) -> Decimal:
        """Initial margin of so many at such a price."""
        return self._markets[symbol].symbol.notional(price, size) / self.leverage[symbol]

    def used(self) -> Decimal:
        """Initial margin of everything."""
        return sum((self.of_position(each) + self.of_orders(each) for each in self._markets), ZERO)

    def open_profit(self) -> Decimal:
        """Unrealised profit of everything."""
        return sum((self.profit(each) for each in self._markets), ZERO)

    def available(self) -> Decimal:
        """Balance that new orders may use."""
        return max(ZERO, self._ledger.wallet + self.open_profit() - self.used())

    def _mark(self, symbol: str) -> Decimal:
        market = self._markets[symbol]
        return market.symbol.price_value(market.mark)
