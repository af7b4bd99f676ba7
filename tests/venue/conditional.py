"""Orders that wait for a price: stops, take-profits, trailing stops, as Binance's algo service keeps them."""

from decimal import Decimal
from itertools import count
from typing import TYPE_CHECKING

from tests.venue.intake import CONDITIONAL
from tests.venue.market import Market
from tests.venue.orders import Conditional, Order
from tests.venue.refusal import Refusal, missing, unknown_order
from tests.venue.symbol import BUY, SIGN, Params, number, read_position_side, read_side

if TYPE_CHECKING:
    from tests.venue.exchange import Exchange

_FINAL = ("FINISHED", "CANCELED", "EXPIRED", "REJECTED")


class Conditionals:
    """All conditional orders of the account, by their algo numbers."""

    def __init__(self, exchange: "Exchange") -> None:
        self._exchange = exchange
        self._ids = count(2_000_001)
        self.all: dict[int, Conditional] = {}
        self._waiting: dict[int, Conditional] = {}
        self._by_order: dict[int, Conditional] = {}

    def place(self, params: Params) -> Conditional:
        """Take a new one; refuses one that would trigger at once."""
        exchange = self._exchange
        market = exchange.market(params.get("symbol"))
        symbol = market.symbol
        kind = params.get("type", "")
        if params.get("algoType") != "CONDITIONAL":
            raise missing("algoType")
        if kind not in CONDITIONAL:
            raise Refusal(-1116, "Invalid orderType.")
        closes = params.get("closePosition", "false").lower() == "true"
        trailing = kind == "TRAILING_STOP_MARKET"
        has_price = kind in ("STOP", "TAKE_PROFIT")
        client_id = exchange.new_client_id(params.get("clientAlgoId", ""))
        if any(each.client_id == client_id for each in self._waiting.values()):
            raise Refusal(-4116, "ClientOrderId is duplicated.")
        now = exchange.now_ms()
        algo = Conditional(
            symbol=symbol,
            id=next(self._ids),
            client_id=client_id,
            side=read_side(params),
            type=kind,
            time_in_force=params.get("timeInForce", "GTC"),
            size=0 if closes else symbol.size(params.get("quantity", "")),
            price=symbol.price(params.get("price", "")) if has_price else 0,
            trigger=0 if trailing else symbol.price(params.get("triggerPrice", ""), "triggerPrice"),
            working_type=params.get("workingType", "CONTRACT_PRICE"),
            reduce_only=closes or params.get("reduceOnly", "false").lower() == "true",
            close_position=closes,
            position_side=read_position_side(params),
            good_till_ms=int(number(params.get("goodTillDate", "0"), "goodTillDate")),
            callback_rate=number(params.get("callbackRate", ""), "callbackRate") if trailing else Decimal(0),
            activation=symbol.price(params["activatePrice"]) if params.get("activatePrice") else 0,
            time_ms=now,
            updated_ms=now,
        )
        if trailing and not Decimal("0.1") <= algo.callback_rate <= 10:
            raise Refusal(-2007, "Invalid callBack rate.")
        if self._is_reached(algo, _working_price(algo, market)):
            raise Refusal(-2021, "Order would immediately trigger.")
        self.all[algo.id] = self._waiting[algo.id] = algo
        exchange.tell(algo.event(now))
        return algo

    def cancel(self, params: Params) -> Conditional:
        """Cancel one that still waits."""
        algo = self.find(params, cancelling=True)
        if algo.status != "NEW":
            raise unknown_order(cancelling=True)
        self._change(algo, "CANCELED")
        return algo

    def cancel_all(self, symbol: str | None) -> None:
        """Cancel all of a symbol that still wait."""
        market = self._exchange.market(symbol)
        for algo in self.waiting(market.symbol.name):
            self._change(algo, "CANCELED")

    def find(self, params: Params, *, cancelling: bool = False) -> Conditional:
        """The one that a query names."""
        text, client_id = params.get("algoId", ""), params.get("clientAlgoId", "")
        if not text and not client_id:
            raise missing("algoId")
        if text:
            found = self.all.get(int(number(text, "algoId")))
        else:
            found = next((each for each in reversed(self.all.values()) if each.client_id == client_id), None)
        if found is None:
            raise unknown_order(cancelling=cancelling)
        return found

    def waiting(self, symbol: str | None = None) -> list[Conditional]:
        """Those that wait for their price."""
        return [each for each in self._waiting.values() if symbol in (None, each.symbol.name)]

    def expire_due(self, now_ms: int) -> None:
        """End those whose time is over (GTD)."""
        for algo in [each for each in self.waiting() if 0 < each.good_till_ms <= now_ms]:
            self._change(algo, "EXPIRED")

    def look(self, market: Market) -> None:
        """Trigger those whose price is reached."""
        for algo in self.waiting(market.symbol.name):
            price = _working_price(algo, market)
            if price and self._is_reached(algo, price):
                self._trigger(algo, market)

    def order_changed(self, order: Order) -> None:
        """Follow the order that one of them became to its end."""
        algo = self._by_order.get(order.id)
        if algo is not None and not order.is_open and algo.status not in _FINAL:
            self._change(algo, "FINISHED")

    def _trigger(self, algo: Conditional, market: Market) -> None:
        exchange = self._exchange
        algo.triggered_ms = exchange.now_ms()
        self._change(algo, "TRIGGERING")
        held = int(exchange.ledger.position(algo.symbol.name).scaleb(algo.symbol.size_precision))
        order = Order(
            symbol=algo.symbol,
            id=exchange.next_order_id(),
            client_id=algo.client_id,
            side=algo.side,
            type="LIMIT" if algo.price else "MARKET",
            original_type=algo.type,
            time_in_force=algo.time_in_force,
            size=max(0, -SIGN[algo.side] * held) if algo.close_position else algo.size,
            price=algo.price,
            stop_price=algo.trigger,
            reduce_only=algo.reduce_only,
            close_position=algo.close_position,
            position_side=algo.position_side,
            good_till_ms=algo.good_till_ms,
            time_ms=algo.triggered_ms,
            updated_ms=algo.triggered_ms,
        )
        try:
            exchange.check(market, order)
        except Refusal:
            self._change(algo, "REJECTED")
            return
        algo.order = order
        self._by_order[order.id] = algo
        self._change(algo, "TRIGGERED")
        exchange.enter(market, order)

    def _change(self, algo: Conditional, status: str) -> None:
        algo.status, algo.updated_ms = status, self._exchange.now_ms()
        self._waiting.pop(algo.id, None)
        self._exchange.tell(algo.event(algo.updated_ms))

    def _is_reached(self, algo: Conditional, price: int) -> bool:
        """Whether its trigger is met; a trailing order follows the price on the way."""
        rises = (algo.side == BUY) == algo.type.startswith("STOP")
        if algo.type != "TRAILING_STOP_MARKET":
            return price >= algo.trigger if rises else price <= algo.trigger
        if not algo.extreme:
            waits = algo.activation and (price - algo.activation) * -SIGN[algo.side] < 0
            algo.extreme = 0 if waits else price
            return False
        algo.extreme = min(algo.extreme, price) if algo.side == BUY else max(algo.extreme, price)
        turn = algo.extreme * (1 + SIGN[algo.side] * algo.callback_rate / 100)
        return price >= turn if algo.side == BUY else price <= turn


def _working_price(algo: Conditional, market: Market) -> int:
    return market.mark if algo.working_type == "MARK_PRICE" else market.last
