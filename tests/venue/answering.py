"""From a request to its answer: routes, checks and limits, over REST and over the trading websocket alike."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from tests.venue.access import Access
from tests.venue.account_rest import AccountRest
from tests.venue.exchange import Exchange
from tests.venue.faults import ON_ORDER, Faults, Kind
from tests.venue.http import Request, Response
from tests.venue.order_rest import OrderRest, as_text
from tests.venue.public_rest import PublicRest
from tests.venue.refusal import Refusal
from tests.venue.sockets import Socket
from tests.venue.symbol import Params
from tests.venue.user_stream import UserStream

type Route = Callable[[Params], Any]

_ENCODE = msgspec.json.Encoder().encode
_CUT = Response(0, b"", cut=True)
_WEIGHTS = {"/fapi/v1/depth": 5, "/fapi/v2/account": 5, "/fapi/v2/positionRisk": 5, "/fapi/v1/userTrades": 5}


class Answering:
    """Answers requests and remembers those that it does not know."""

    def __init__(
        self,
        exchange: Exchange,
        access: Access,
        faults: Faults,
        user: UserStream,
        pause_s: float,
        depth_id: Callable[[str], int],
    ) -> None:
        self._access, self._faults, self._user, self._pause_s = access, faults, user, pause_s
        account, orders = AccountRest(exchange, user), OrderRest(exchange, access)
        self._public = PublicRest(exchange, access, depth_id).routes()
        self._keyed, self._orders = account.key_routes(), orders.changes()
        self._signed = {**account.routes(), **orders.asks()}
        self._methods = _methods(self._orders, self._signed, self._keyed)
        self.unknown: set[str] = set()
        """Requests that no route answers."""

    async def answer(self, request: Request) -> Response:
        """Answer a REST request."""
        try:
            self._access.count_request(_WEIGHTS.get(request.path, 1))
            self._perhaps_fail()
            route = self._route(request)
            found, fault = await self._act(route, request.params, is_order=_key(request) in self._orders)
        except Refusal as refusal:
            headers = self._access.headers() | refusal.headers
            return Response(refusal.status, _ENCODE(refusal.body), headers)
        if fault in ("lost_ack", "blind_ack"):
            return _CUT
        return Response(200, _ENCODE(found), self._access.headers())

    async def trade(self, socket: Socket, request: Mapping[str, Any]) -> None:
        """Answer a request of the trading websocket."""
        number, method = request.get("id"), str(request.get("method"))
        try:
            if method == "ping":
                socket.send({"id": number, "status": 200, "result": {}, "rateLimits": []})
                return
            self._access.count_request(1)
            self._perhaps_fail()
            route, needs_signature, is_order = self._method(method)
            params = {name: as_text(value) for name, value in (request.get("params") or {}).items()}
            self._access.check_key(params.get("apiKey"))
            if needs_signature:
                self._access.check_signature(_sorted_text(params), params)
            found, fault = await self._act(route, params, is_order=is_order)
        except Refusal as refusal:
            socket.send({"id": number, "status": refusal.status, "error": refusal.body, "rateLimits": []})
            return
        if fault in ("lost_ack", "blind_ack"):
            socket.cut()
            return
        socket.send({"id": number, "status": 200, "result": found, "rateLimits": []})

    def _perhaps_fail(self) -> None:
        if self._faults.strikes("http_5xx"):
            raise Refusal(-1001, "Internal error; unable to process your request. Please try again.", 503)

    def _method(self, name: str) -> tuple[Route, bool, bool]:
        if name not in self._methods:
            self.unknown.add(name)
            raise Refusal(-1000, f"Method {name} is not known.")
        return self._methods[name]

    async def _act(self, route: Route, params: Params, *, is_order: bool) -> tuple[Any, Kind | None]:
        """Do it, with the fault that waits for it."""
        fault = self._faults.strikes_any(ON_ORDER) if is_order else None
        if fault == "blind_ack":
            for socket in self._user.sockets():
                socket.silence()
                socket.cut()
        found = route(params)
        if fault == "delayed_ack":
            await asyncio.sleep(self._pause_s)
        if fault == "http_5xx_executed":
            raise Refusal(-1007, "Unknown error, please check your request or try again later.", 503)
        return found, fault

    def _route(self, request: Request) -> Route:
        key = _key(request)
        if key in self._public:
            return self._public[key]
        route = self._keyed.get(key) or self._signed.get(key) or self._orders.get(key)
        if route is None:
            self.unknown.add(" ".join(key))
            raise Refusal(-5000, f"Path {request.path}, Method {request.method} is invalid", 404)
        self._access.check_key(request.headers.get("x-mbx-apikey"))
        if key not in self._keyed:
            self._access.check_signature(request.text, request.params)
        return route


def _key(request: Request) -> tuple[str, str]:
    return request.method, request.path


def _methods(
    orders: Mapping[tuple[str, str], Route],
    asks: Mapping[tuple[str, str], Route],
    keys: Mapping[tuple[str, str], Route],
) -> Mapping[str, tuple[Route, bool, bool]]:
    """Methods of the trading interface: their route, whether they are signed, whether they change orders."""
    order, algo, key = "/fapi/v1/order", "/fapi/v1/algoOrder", "/fapi/v1/listenKey"
    return {
        "order.place": (orders["POST", order], True, True),
        "order.modify": (orders["PUT", order], True, True),
        "order.cancel": (orders["DELETE", order], True, True),
        "order.status": (asks["GET", order], True, False),
        "algoOrder.place": (orders["POST", algo], True, True),
        "algoOrder.cancel": (orders["DELETE", algo], True, True),
        "v2/account.status": (asks["GET", "/fapi/v2/account"], True, False),
        "v2/account.position": (asks["GET", "/fapi/v2/positionRisk"], True, False),
        "userDataStream.start": (keys["POST", key], False, False),
        "userDataStream.ping": (keys["PUT", key], False, False),
        "userDataStream.stop": (keys["DELETE", key], False, False),
    }


def _sorted_text(params: Params) -> str:
    """What a request of the trading interface signs: its parameters by name."""
    return "&".join(f"{name}={params[name]}" for name in sorted(params) if name != "signature")
