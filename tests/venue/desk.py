"""An exchange without a wire in a plain market, for tests of what it does."""

from decimal import Decimal
from typing import Any

from tests.venue.exchange import Exchange
from tests.venue.feed import Update
from tests.venue.setup import BY_HAND
from tests.venue.symbol import SIDES, Symbol

SYMBOL = Symbol.of(BY_HAND)
DEPOSIT = Decimal(10_000)


class Desk:
    """An exchange with a plain book (five levels of 10 a side, 2000.00 to 2000.10), and its events."""

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []
        self.exchange = Exchange([SYMBOL], DEPOSIT, self.events.append)
        self.show(
            *(("BUY", f"{2000 - at / 100:.2f}", "10") for at in range(5)),
            *(("SELL", f"{2000.10 + at / 100:.2f}", "10") for at in range(5)),
        )

    def show(self, *levels: tuple[str, str, str]) -> None:
        """Set levels of the market."""
        rows = tuple(
            (SIDES.index(side), int(Decimal(price) * 100), int(Decimal(size) * 1000))
            for side, price, size in levels
        )
        self.exchange.apply("ETHUSDT", Update(0, rows))

    def trade(self, price: str, size: str, side: str) -> None:
        """Let others trade."""
        row = (int(Decimal(price) * 100), int(Decimal(size) * 1000), SIDES.index(side))
        self.exchange.apply("ETHUSDT", Update(0, trades=(row,)))

    def place(self, client_id: str, side: str, size: str, price: str = "", **more: str) -> Any:
        """Place an order: at market without a price."""
        kind = {"type": "LIMIT", "price": price, "timeInForce": "GTC"} if price else {"type": "MARKET"}
        base = {"symbol": "ETHUSDT", "side": side, "quantity": size, "newClientOrderId": client_id}
        return self.exchange.place({**base, **kind, **more})

    def stop(self, client_id: str, side: str, size: str, kind: str, **more: str) -> Any:
        """Place a conditional order."""
        base = {"symbol": "ETHUSDT", "side": side, "quantity": size, "clientAlgoId": client_id}
        return self.exchange.conditionals.place({**base, "type": kind, "algoType": "CONDITIONAL", **more})

    def fills(self, client_id: str) -> list[tuple[str, str, bool]]:
        """Price, size and whether it was the maker, of each fill of an order."""
        return [
            (SYMBOL.price_text(fill.price), SYMBOL.size_text(fill.size), fill.is_maker)
            for fill in self.exchange.fills
            if fill.order.client_id == client_id
        ]
