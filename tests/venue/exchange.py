"""The exchange itself, without a wire: one account's orders on some markets, told of by events.

Everything happens at once and in the caller's turn; what goes to the user stream is handed to `tell`.
"""

import time
from collections.abc import Callable, Iterable
from decimal import Decimal
from itertools import count
from typing import Any

from tests.venue.conditional import Conditionals
from tests.venue.feed import Update
from tests.venue.intake import check_order, read_order, would_take
from tests.venue.ledger import Ledger
from tests.venue.margin import Margin
from tests.venue.market import Market
from tests.venue.orders import Fill, Order
from tests.venue.refusal import Refusal, missing, unknown_order, unknown_symbol
from tests.venue.symbol import (
    BUY,
    SELL,
    SIDES,
    SIGN,
    Params,
    Symbol,
    number,
)

type Json = dict[str, Any]

_CLIENT_ID_LENGTH = 36


class Exchange:
    """One account and the markets it trades on.

    Parameters
    ----------
    symbols : iterable of Symbol
    deposit : Decimal
        Wallet at the start, in the symbols' quote asset.
    tell : callable
        Takes every event of the user stream.
    """

    def __init__(self, symbols: Iterable[Symbol], deposit: Decimal, tell: Callable[[Json], None]) -> None:
        self._tell = tell
        self.markets = {symbol.name: Market(symbol, self) for symbol in symbols}
        self.asset = next(iter(self.markets.values())).symbol.quote
        self.ledger = Ledger(self.asset, deposit)
        self.margin = Margin(self.markets, self.ledger)
        self.orders: dict[int, Order] = {}
        self.by_client_id: dict[str, Order] = {}
        self.fills: list[Fill] = []
        self.skew_ms = 0
        """How far the venue's clock is off."""
        self._order_ids, self._fill_ids = count(8_000_001), count(400_001)
        self.conditionals = Conditionals(self)

    # Clock and market -------------------------------------------------------------------------------------

    def now_ms(self) -> int:
        """The venue's clock."""
        return time.time_ns() // 1_000_000 + self.skew_ms

    def apply(self, symbol: str, update: Update) -> None:
        """Let the market move on."""
        market = self.market(symbol)
        market.apply(update)
        self.conditionals.look(market)

    def expire_due(self) -> None:
        """End the orders whose time is over (GTD)."""
        now = self.now_ms()
        for order in [each for each in self.open_orders() if 0 < each.good_till_ms <= now]:
            self._end(order, "EXPIRED", "EXPIRED")
        self.conditionals.expire_due(now)

    def market(self, symbol: str | None) -> Market:
        """Market of a symbol, or its refusal."""
        if not symbol:
            raise missing("symbol")
        if symbol not in self.markets:
            raise unknown_symbol()
        return self.markets[symbol]

    # Orders -----------------------------------------------------------------------------------------------

    def place(self, params: Params) -> Order:
        """Take a new order; it may have filled, or expired, when this returns."""
        market = self.market(params.get("symbol"))
        client_id = self.new_client_id(params.get("newClientOrderId", ""))
        order = read_order(market.symbol, params, next(self._order_ids), client_id, self.now_ms())
        self.check(market, order)
        self.enter(market, order)
        return order

    def enter(self, market: Market, order: Order) -> None:
        """Put a checked order into the matching engine."""
        self.orders[order.id] = order
        self.by_client_id[order.client_id] = order
        self._tell(order.event("NEW", self.now_ms()))
        market.take(order)
        if not order.is_open:
            return
        if order.type == "MARKET" or order.time_in_force in ("IOC", "FOK"):
            self._end(order, "EXPIRED", "EXPIRED")
        else:
            market.rest(order)

    def modify(self, params: Params) -> Order:
        """Change price or size of a working limit order; it keeps its place only when it grows smaller."""
        market = self.market(params.get("symbol"))
        order = self._find(params, market, cancelling=False)
        if not order.is_open:
            raise unknown_order(cancelling=False)
        price = market.symbol.price(params.get("price", ""))
        size = market.symbol.size(params.get("quantity", ""))
        if (price, size) == (order.price, order.size):
            raise Refusal(-5027, "No need to modify the order.")
        if params.get("side") != SIDES[order.side]:
            raise missing("side")
        if size <= order.filled:
            # What is already filled is the whole order: the venue cancels the rest.
            self._end(order, "CANCELED", "CANCELED")
            return order
        market.symbol.check_band(order.side, price, market.mark)
        if order.time_in_force == "GTX" and market.crosses(order.side, price):
            raise would_take()
        if not order.reduce_only:
            market.symbol.check_notional(price, size)
        keeps_place = price == order.price and size < order.size
        ahead = order.ahead
        market.remove(order)
        order.price, order.size, order.updated_ms = price, size, self.now_ms()
        self._tell(order.event("AMENDMENT", self.now_ms()))
        market.take(order)
        if order.is_open:
            market.rest(order)
            if keeps_place:
                order.ahead = ahead
        return order

    def cancel(self, params: Params) -> Order:
        """Cancel one working order."""
        order = self._find(params, self.market(params.get("symbol")), cancelling=True)
        if not order.is_open:
            raise unknown_order(cancelling=True)
        self._end(order, "CANCELED", "CANCELED")
        return order

    def cancel_all(self, symbol: str | None) -> None:
        """Cancel all working orders of a symbol (not those that wait for a trigger)."""
        market = self.market(symbol)
        for order in [*market.resting[BUY], *market.resting[SELL]]:
            self._end(order, "CANCELED", "CANCELED")

    def find(self, params: Params) -> Order:
        """The order that a query names."""
        return self._find(params, self.market(params.get("symbol")), cancelling=False)

    def open_orders(self, symbol: str | None = None) -> list[Order]:
        """Working orders in the order in which they came."""
        chosen = self.markets.values() if symbol is None else [self.market(symbol)]
        found = [order for market in chosen for queue in market.resting for order in queue]
        return sorted(found, key=lambda order: order.id)

    def _find(self, params: Params, market: Market, *, cancelling: bool) -> Order:
        text, client_id = params.get("orderId", ""), params.get("origClientOrderId", "")
        if not text and not client_id:
            raise Refusal(-1102, "Either orderId or origClientOrderId must be sent.")
        order = self.orders.get(int(number(text, "orderId"))) if text else self.by_client_id.get(client_id)
        if order is None or order.symbol is not market.symbol:
            raise unknown_order(cancelling=cancelling)
        return order

    def new_client_id(self, given: str) -> str:
        """Client order id of a new order; refuses one that is in use."""
        if len(given) > _CLIENT_ID_LENGTH:
            raise Refusal(-4015, "Client order id length should be less than 36 chars.")
        known = self.by_client_id.get(given)
        if known is not None and known.is_open:
            raise Refusal(-4116, "ClientOrderId is duplicated.")
        return given or f"web_{next(self._fill_ids)}"

    def check(self, market: Market, order: Order) -> None:
        """Refuse what the venue would not take; cut what is reduce-only to what it can reduce."""
        check_order(market, order, self._reducible(order), self.margin)

    def next_order_id(self) -> int:
        """Number of a new order."""
        return next(self._order_ids)

    # What the markets tell --------------------------------------------------------------------------------

    def fillable(self, order: Order) -> int:
        """Size of an order that may fill now."""
        if not order.is_open:
            return 0
        return min(order.left, self._reducible(order)) if order.reduce_only else order.left

    def filled(self, order: Order, price: int, size: int, *, is_maker: bool) -> None:
        """Book a fill, tell of it, and end reduce-only orders that have nothing left to reduce."""
        symbol = order.symbol
        fee = (symbol.notional(price, size) * (symbol.maker_fee if is_maker else symbol.taker_fee)).quantize(
            Decimal("1e-8")
        )
        profit = self.ledger.fill(
            symbol.name, SIGN[order.side] * symbol.size_value(size), symbol.price_value(price), fee
        )
        order.filled += size
        order.turnover += price * size
        order.realised += profit
        order.status = "PARTIALLY_FILLED" if order.left else "FILLED"
        order.updated_ms = self.now_ms()
        fill = Fill(
            order=order,
            id=next(self._fill_ids),
            price=price,
            size=size,
            is_maker=is_maker,
            fee=fee,
            profit=profit,
            time_ms=order.updated_ms,
        )
        self.fills.append(fill)
        self._tell(self._account_update(symbol.name))
        self._tell(order.event("TRADE", self.now_ms(), fill))
        self.conditionals.order_changed(order)
        for other in self.open_orders(symbol.name):
            if other.reduce_only and not self._reducible(other):
                self._end(other, "EXPIRED", "EXPIRED")
        if order.reduce_only and order.is_open and not self._reducible(order):
            self._end(order, "EXPIRED", "EXPIRED")

    def self_traded(self, order: Order) -> None:
        """End an own order that another one would have hit."""
        self._end(order, "EXPIRED", "EXPIRED_IN_MATCH")

    def tell(self, event: Json) -> None:
        """Send an event to the user stream."""
        self._tell(event)

    def _end(self, order: Order, execution: str, status: str) -> None:
        self.markets[order.symbol.name].remove(order)
        order.status, order.updated_ms = status, self.now_ms()
        self._tell(order.event(execution, self.now_ms()))
        self.conditionals.order_changed(order)

    def _reducible(self, order: Order) -> int:
        symbol = order.symbol
        held = self.ledger.position(symbol.name) * -SIGN[order.side]
        return max(0, int(held.scaleb(symbol.size_precision)))

    def _account_update(self, symbol: str) -> Json:
        wallet = f"{self.ledger.wallet:f}"
        now = self.now_ms()
        return {
            "e": "ACCOUNT_UPDATE",
            "E": now,
            "T": now,
            "a": {
                "m": "ORDER",
                "B": [{"a": self.asset, "wb": wallet, "cw": wallet, "bc": "0"}],
                "P": [
                    {
                        "s": symbol,
                        "pa": f"{self.ledger.position(symbol):f}",
                        "ep": f"{self.ledger.entry_price(symbol):.8f}",
                        "bep": f"{self.ledger.entry_price(symbol):.8f}",
                        "cr": f"{self.ledger.realised[symbol]:f}",
                        "up": f"{self.margin.profit(symbol):.8f}",
                        "mt": self.margin.type[symbol],
                        "iw": "0",
                        "ps": "BOTH",
                        "ma": self.asset,
                    }
                ],
            },
        }
