"""The user stream: what happened to orders and account, in order, unless a fault has it otherwise."""

import asyncio
from typing import Any

from tests.venue.faults import Faults
from tests.venue.sockets import Socket, Sockets

type Json = dict[str, Any]

_HELD_S = 0.5


class UserStream:
    """Sends events to whoever listens with the key."""

    def __init__(self, sockets: Sockets, faults: Faults) -> None:
        self._sockets, self._faults = sockets, faults
        self.key = ""
        """The listen key; empty where there is none."""
        self._held: Json | None = None
        self._release: asyncio.TimerHandle | None = None

    def sockets(self) -> list[Socket]:
        """Those that listen."""
        return self._sockets.of(self.key) if self.key else []

    def tell(self, event: Json) -> None:
        """Send an event; where nobody listens it is lost, as at Binance."""
        if not self.sockets():
            return
        is_order = event["e"] == "ORDER_TRADE_UPDATE"
        if is_order and self._held is None and self._faults.strikes("out_of_order"):
            self._held = event
            self._release = asyncio.get_running_loop().call_later(_HELD_S, self._let_go)
            return
        self._send(event)
        if is_order and self._faults.strikes("duplicate_event"):
            self._send(event)
        if is_order:
            self._let_go()

    def expire(self, now_ms: int) -> None:
        """End the key."""
        if self.key:
            self._send({"e": "listenKeyExpired", "E": now_ms, "listenKey": self.key})
            self.key = ""

    def _let_go(self) -> None:
        held, self._held = self._held, None
        if self._release is not None:
            self._release.cancel()
            self._release = None
        if held is not None:
            self._send(held)

    def _send(self, event: Json) -> None:
        for socket in self.sockets():
            socket.send(event, self.key)
