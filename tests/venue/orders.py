"""Orders and fills as the venue keeps them, and as Binance writes them in answers and in the user stream."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from tests.venue.symbol import SIDES, Symbol

OPEN = frozenset(("NEW", "PARTIALLY_FILLED"))
_TOLD_MS = 4
"""The stream's word of something bears a later time than that has."""


@dataclass(slots=True, kw_only=True)
class Order:
    """One order in the matching engine; price and sizes are scaled, a price of 0 is a market order."""

    symbol: Symbol
    id: int
    client_id: str
    side: int
    type: str
    time_in_force: str
    size: int
    price: int
    time_ms: int
    reduce_only: bool = False
    position_side: str = "BOTH"
    good_till_ms: int = 0
    original_type: str = ""
    stop_price: int = 0
    close_position: bool = False
    status: str = "NEW"
    filled: int = 0
    turnover: int = 0
    """Sum of price times size of its fills, scaled by both precisions."""
    ahead: int = 0
    """Size that was there before it at its price."""
    updated_ms: int = 0
    realised: Decimal = Decimal(0)

    @property
    def left(self) -> int:
        """Size that is not filled."""
        return self.size - self.filled

    @property
    def is_open(self) -> bool:
        """Whether it can still fill."""
        return self.status in OPEN

    @property
    def average_text(self) -> str:
        """Mean price of its fills."""
        if not self.filled:
            return self.symbol.price_text(0)
        return f"{Decimal(self.turnover) / self.filled / 10**self.symbol.price_precision:.8f}"

    def answer(self) -> dict[str, Any]:
        """It as an answer of the REST and trading interfaces."""
        symbol = self.symbol
        return {
            "orderId": self.id,
            "symbol": symbol.name,
            "status": self.status,
            "clientOrderId": self.client_id,
            "price": symbol.price_text(self.price),
            "avgPrice": self.average_text,
            "origQty": symbol.size_text(self.size),
            "executedQty": symbol.size_text(self.filled),
            "cumQty": symbol.size_text(self.filled),
            "cumQuote": f"{symbol.notional(1, self.turnover):f}",
            "timeInForce": self.time_in_force,
            "type": self.type,
            "reduceOnly": self.reduce_only,
            "closePosition": self.close_position,
            "side": SIDES[self.side],
            "positionSide": self.position_side,
            "stopPrice": symbol.price_text(self.stop_price),
            "workingType": "CONTRACT_PRICE",
            "priceProtect": False,
            "origType": self.original_type or self.type,
            "priceMatch": "NONE",
            "selfTradePreventionMode": "EXPIRE_MAKER",
            "goodTillDate": self.good_till_ms,
            "time": self.time_ms,
            "updateTime": self.updated_ms,
        }

    def event(self, execution: str, now_ms: int, fill: "Fill | None" = None) -> dict[str, Any]:
        """`ORDER_TRADE_UPDATE` of what just happened to it."""
        symbol = self.symbol
        return {
            "e": "ORDER_TRADE_UPDATE",
            "E": now_ms + _TOLD_MS,
            "T": self.updated_ms,
            "o": {
                "s": symbol.name,
                "c": self.client_id,
                "S": SIDES[self.side],
                "o": self.type,
                "f": self.time_in_force,
                "q": symbol.size_text(self.size),
                "p": symbol.price_text(self.price),
                "ap": self.average_text,
                "sp": symbol.price_text(self.stop_price),
                "x": execution,
                "X": self.status,
                "i": self.id,
                "l": symbol.size_text(fill.size if fill else 0),
                "z": symbol.size_text(self.filled),
                "L": symbol.price_text(fill.price if fill else 0),
                "n": f"{fill.fee:f}" if fill else "0",
                "N": symbol.quote,
                "T": self.updated_ms,
                "t": fill.id if fill else 0,
                "b": "0",
                "a": "0",
                "m": bool(fill and fill.is_maker),
                "R": self.reduce_only,
                "wt": "CONTRACT_PRICE",
                "ot": self.original_type or self.type,
                "ps": self.position_side,
                "cp": self.close_position,
                "rp": f"{fill.profit:f}" if fill else "0",
                "pP": False,
                "si": 0,
                "ss": 0,
                "V": "EXPIRE_MAKER",
                "pm": "NONE",
                "gtd": self.good_till_ms,
            },
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Fill:
    """One execution of an own order; `fee` and `profit` in the quote asset."""

    order: Order
    id: int
    price: int
    size: int
    is_maker: bool
    fee: Decimal
    profit: Decimal
    time_ms: int

    def answer(self) -> dict[str, Any]:
        """It as `userTrades` lists it."""
        order, symbol = self.order, self.order.symbol
        return {
            "symbol": symbol.name,
            "id": self.id,
            "orderId": order.id,
            "side": SIDES[order.side],
            "price": symbol.price_text(self.price),
            "qty": symbol.size_text(self.size),
            "realizedPnl": f"{self.profit:f}",
            "marginAsset": symbol.quote,
            "quoteQty": f"{symbol.notional(self.price, self.size):f}",
            "commission": f"{self.fee:f}",
            "commissionAsset": symbol.quote,
            "time": self.time_ms,
            "positionSide": order.position_side,
            "buyer": not order.side,
            "maker": self.is_maker,
        }


@dataclass(slots=True, kw_only=True)
class Conditional:
    """A stop, take-profit or trailing order that waits at the algo service until its price is reached."""

    symbol: Symbol
    id: int
    client_id: str
    side: int
    type: str
    time_in_force: str
    size: int
    price: int
    trigger: int
    time_ms: int
    working_type: str = "CONTRACT_PRICE"
    reduce_only: bool = False
    close_position: bool = False
    position_side: str = "BOTH"
    good_till_ms: int = 0
    callback_rate: Decimal = Decimal(0)
    activation: int = 0
    extreme: int = 0
    """Best price since a trailing order was activated; 0 before."""
    status: str = "NEW"
    order: Order | None = None
    updated_ms: int = 0
    triggered_ms: int = 0

    def answer(self) -> dict[str, Any]:
        """It as the algo interface lists it."""
        symbol, order = self.symbol, self.order
        return {
            "algoId": self.id,
            "clientAlgoId": self.client_id,
            "algoType": "CONDITIONAL",
            "orderType": self.type,
            "symbol": symbol.name,
            "side": SIDES[self.side],
            "positionSide": self.position_side,
            "timeInForce": self.time_in_force,
            "quantity": symbol.size_text(self.size),
            "algoStatus": self.status,
            "actualOrderId": str(order.id) if order else "",
            "actualPrice": order.average_text if order else symbol.price_text(0),
            "actualQty": symbol.size_text(order.filled if order else 0),
            "actualType": order.type if order else "",
            "triggerPrice": symbol.price_text(self.trigger),
            "price": symbol.price_text(self.price),
            "icebergQuantity": None,
            "selfTradePreventionMode": "EXPIRE_MAKER",
            "workingType": self.working_type,
            "priceMatch": "NONE",
            "closePosition": self.close_position,
            "priceProtect": False,
            "reduceOnly": self.reduce_only,
            "activatePrice": symbol.price_text(self.activation),
            "callbackRate": f"{self.callback_rate:f}",
            "createTime": self.time_ms,
            "updateTime": self.updated_ms,
            "triggerTime": self.triggered_ms,
            "goodTillDate": self.good_till_ms,
        }

    def event(self, now_ms: int) -> dict[str, Any]:
        """`ALGO_UPDATE` of its present state."""
        symbol, order = self.symbol, self.order
        return {
            "e": "ALGO_UPDATE",
            "E": now_ms + _TOLD_MS,
            "T": self.updated_ms,
            "o": {
                "caid": self.client_id,
                "aid": self.id,
                "at": "CONDITIONAL",
                "o": self.type,
                "s": symbol.name,
                "S": SIDES[self.side],
                "ps": self.position_side,
                "f": self.time_in_force,
                "q": symbol.size_text(self.size),
                "X": self.status,
                "ai": str(order.id) if order else "",
                "ap": order.average_text if order else "0",
                "aq": symbol.size_text(order.filled if order else 0),
                "act": order.type if order else "0",
                "tp": symbol.price_text(self.trigger),
                "p": symbol.price_text(self.price),
                "V": "EXPIRE_MAKER",
                "wt": self.working_type,
                "pm": "NONE",
                "cp": self.close_position,
                "pP": False,
                "R": self.reduce_only,
                "tt": self.triggered_ms,
                "gtd": self.good_till_ms,
                "cr": f"{self.callback_rate:f}",
            },
        }
