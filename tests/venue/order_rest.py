"""The REST interface of orders: new, changed and cancelled ones, conditional ones, fills and histories."""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from tests.venue.access import Access
from tests.venue.exchange import Exchange
from tests.venue.refusal import Refusal
from tests.venue.symbol import Params, number

type Route = Callable[[Params], Any]

_DONE = {"code": 200, "msg": "The operation of cancel all open order is done."}
_SUCCESS = {"code": 200, "msg": "success"}
_WEEK_MS = 7 * 86_400_000


class OrderRest:
    """Answers by method and path; all are signed."""

    def __init__(self, exchange: Exchange, access: Access) -> None:
        self._exchange, self._access = exchange, access

    def changes(self) -> Mapping[tuple[str, str], Route]:
        """Those that change orders; answers to them can be delayed or lost."""
        exchange = self._exchange
        return {
            ("POST", "/fapi/v1/order"): self.place,
            ("PUT", "/fapi/v1/order"): lambda params: exchange.modify(params).answer(),
            ("DELETE", "/fapi/v1/order"): lambda params: exchange.cancel(params).answer(),
            ("POST", "/fapi/v1/batchOrders"): lambda params: self._batch(params, "batchOrders", self.place),
            ("PUT", "/fapi/v1/batchOrders"): lambda params: self._batch(
                params, "batchOrders", lambda each: exchange.modify(each).answer()
            ),
            ("DELETE", "/fapi/v1/batchOrders"): self._cancel_batch,
            ("DELETE", "/fapi/v1/allOpenOrders"): self._cancel_all,
            ("POST", "/fapi/v1/algoOrder"): self.place_conditional,
            ("DELETE", "/fapi/v1/algoOrder"): self._cancelled,
            ("DELETE", "/fapi/v1/algoOpenOrders"): self._cancel_all_conditional,
        }

    def asks(self) -> Mapping[tuple[str, str], Route]:
        """Those that ask."""
        exchange, conditionals = self._exchange, self._exchange.conditionals
        return {
            ("GET", "/fapi/v1/order"): lambda params: exchange.find(params).answer(),
            ("GET", "/fapi/v1/openOrder"): lambda params: exchange.find(params).answer(),
            ("GET", "/fapi/v1/openOrders"): lambda params: [
                order.answer() for order in exchange.open_orders(params.get("symbol"))
            ],
            ("GET", "/fapi/v1/allOrders"): self._all_orders,
            ("GET", "/fapi/v1/userTrades"): self._user_trades,
            ("GET", "/fapi/v1/algoOrder"): lambda params: conditionals.find(params).answer(),
            ("GET", "/fapi/v1/openAlgoOrders"): lambda params: [
                algo.answer() for algo in conditionals.waiting(params.get("symbol"))
            ],
            ("GET", "/fapi/v1/allAlgoOrders"): self._all_conditionals,
        }

    def place(self, params: Params) -> dict[str, Any]:
        """A new order; its answer is of the moment when it was taken, or of what became of it (RESULT)."""
        self._access.count_order()
        order = self._exchange.place(params)
        answer = order.answer()
        if params.get("newOrderRespType", "ACK") == "ACK":
            symbol, zero = order.symbol, order.symbol.size_text(0)
            nothing = {"executedQty": zero, "cumQty": zero, "cumQuote": f"{symbol.notional(0, 0):f}"}
            answer |= {"status": "NEW", "avgPrice": symbol.price_text(0), **nothing}
        return answer

    def place_conditional(self, params: Params) -> dict[str, Any]:
        """A new conditional order."""
        self._access.count_order()
        return self._exchange.conditionals.place(params).answer()

    def _cancelled(self, params: Params) -> dict[str, Any]:
        algo = self._exchange.conditionals.cancel(params)
        return {"algoId": algo.id, "clientAlgoId": algo.client_id, **_SUCCESS, "code": "200"}

    def _cancel_all_conditional(self, params: Params) -> dict[str, Any]:
        self._exchange.conditionals.cancel_all(params.get("symbol"))
        return _SUCCESS

    def _cancel_all(self, params: Params) -> dict[str, Any]:
        self._exchange.cancel_all(params.get("symbol"))
        return _DONE

    def _batch(self, params: Params, name: str, act: Route) -> list[Any]:
        items = msgspec.json.decode(params.get(name, "[]"), type=list[dict[str, Any]])
        return [_one(act, {key: as_text(value) for key, value in item.items()}) for item in items]

    def _cancel_batch(self, params: Params) -> list[Any]:
        symbol = params.get("symbol", "")
        requests = [
            {"symbol": symbol, parameter: as_text(each)}
            for name, parameter in (
                ("orderIdList", "orderId"),
                ("origClientOrderIdList", "origClientOrderId"),
            )
            for each in msgspec.json.decode(params.get(name, "[]"))
        ]
        return [_one(lambda each: self._exchange.cancel(each).answer(), each) for each in requests]

    def _all_orders(self, params: Params) -> list[Any]:
        market = self._exchange.market(params.get("symbol"))
        start, end, limit = self._span(params)
        first = int(number(params.get("orderId", "0"), "orderId"))
        found = [
            order.answer()
            for order in self._exchange.orders.values()
            if order.symbol is market.symbol and order.id >= first and start <= order.time_ms <= end
        ]
        return found[:limit] if first else found[-limit:]

    def _user_trades(self, params: Params) -> list[Any]:
        market = self._exchange.market(params.get("symbol"))
        start, end, limit = self._span(params)
        first = int(number(params.get("fromId", "0"), "fromId"))
        order_id = int(number(params.get("orderId", "0"), "orderId"))
        found = [
            fill.answer()
            for fill in self._exchange.fills
            if fill.order.symbol is market.symbol
            and fill.id >= first
            and start <= fill.time_ms <= end
            and order_id in (0, fill.order.id)
        ]
        return found[:limit] if first or "startTime" in params else found[-limit:]

    def _all_conditionals(self, params: Params) -> list[Any]:
        market = self._exchange.market(params.get("symbol"))
        start, end, limit = self._span(params)
        first = int(number(params.get("algoId", "0"), "algoId"))
        page = int(number(params.get("page", "1"), "page"))
        found = [
            algo.answer()
            for algo in self._exchange.conditionals.all.values()
            if algo.symbol is market.symbol and algo.id >= first and start <= algo.time_ms <= end
        ]
        return found[(page - 1) * limit : page * limit]

    def _span(self, params: Params) -> tuple[int, int, int]:
        now = self._exchange.now_ms()
        end = int(number(params.get("endTime", str(now + _WEEK_MS)), "endTime"))
        start = int(number(params.get("startTime", str(now - _WEEK_MS)), "startTime"))
        return start, end, min(1000, int(number(params.get("limit", "500"), "limit")))


def _one(act: Route, params: Params) -> Any:
    """Answer of one item of a batch; its refusal stands among the answers."""
    try:
        return act(params)
    except Refusal as refusal:
        return refusal.body


def as_text(value: object) -> str:
    """A JSON value as a parameter's text."""
    return str(value).lower() if isinstance(value, bool) else str(value)
