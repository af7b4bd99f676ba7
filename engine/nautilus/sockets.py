"""The connections of a live node to its venue: broken and made again by the adapters, told from here."""

from collections.abc import Callable
from typing import Any

from nautilus_trader.common import SocketState

from engine.messages.events import AnyEvent, ConnectionChanged


class Sockets:
    """Follows all sockets of one connection.

    Parameters
    ----------
    name : str
        Of the connection.
    emit : callable
        Takes the events.
    """

    def __init__(self, name: str, emit: Callable[[AnyEvent], None]) -> None:
        self._name, self._emit = name, emit
        self._down: dict[str, int] = {}
        """Endpoints without a socket, and how often each was lost."""
        self._lost: dict[str, int] = {}
        self._reconnected = False

    def note(self, event: Any) -> None:
        """Take a change of one socket."""
        endpoint, was_down = str(event.endpoint), bool(self._down)
        if event.state == SocketState.CONNECTED:
            self._down.pop(endpoint, None)
            if was_down and not self._down:
                self._reconnected = True
                self._tell(event.ts_event, "connected", 0, "All connections are back.")
            return
        self._lost[endpoint] = self._down[endpoint] = self._lost.get(endpoint, 0) + 1
        text = (
            f"The connection {endpoint} broke off and is made again; orders and positions are then compared."
        )
        self._tell(event.ts_event, "reconnecting", self._lost[endpoint], text)

    @property
    def are_down(self) -> bool:
        """Whether one is without its connection."""
        return bool(self._down)

    def take_reconnected(self) -> bool:
        """Whether all are back that had been lost, once."""
        reconnected, self._reconnected = self._reconnected, False
        return reconnected

    def _tell(self, ts: int, state: Any, attempt: int, text: str) -> None:
        self._emit(ConnectionChanged(ts=ts, name=self._name, state=state, attempt=attempt, text=text))
