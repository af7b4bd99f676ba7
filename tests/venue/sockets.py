"""The venue's websockets: each is a market stream, the user stream or the trading interface, by its path.

What is sent goes through a queue of its own, so the exchange never waits for a reader; a socket can be cut
or made deaf and dumb while it stays open, as a connection behind a dead router is.
"""

import asyncio
from collections.abc import Callable
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qs, urlsplit

import msgspec
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed

type Json = dict[str, Any]
type OnMessage = Callable[["Socket", Json], None]

_ENCODE = msgspec.json.Encoder().encode
TRADING = "ws-fapi"


class Socket:
    """One connection and what it is subscribed to."""

    def __init__(self, connection: ServerConnection) -> None:
        self._connection = connection
        self._queue: asyncio.Queue[bytes] = asyncio.Queue()
        parts = urlsplit(connection.request.path if connection.request else "/")
        query = parse_qs(parts.query)
        names = [part for part in parts.path.split("/") if part]
        self.is_trading = TRADING in names
        self.wraps = "stream" in names
        """Whether data come in an envelope that names their stream."""
        self.streams = {name for text in query.get("streams", []) for name in text.split("/")}
        self.streams |= set(query.get("listenKey", []))
        if "ws" in names and not self.is_trading:
            self.streams |= set(names[names.index("ws") + 1 :])
        self.is_silent = False

    def send(self, message: Json, stream: str = "") -> None:
        """Queue a message; nothing reaches a silent socket."""
        if not self.is_silent:
            body = {"stream": stream, "data": message} if self.wraps and stream else message
            self._queue.put_nowait(_ENCODE(body))

    def cut(self) -> None:
        """Break the connection without a word."""
        self._connection.transport.abort()

    def silence(self) -> None:
        """Keep the connection open, but neither read nor write: not even a pong."""
        self.is_silent = True
        self._connection.transport.pause_reading()

    async def write(self) -> None:
        """Send what is queued until the connection ends."""
        while True:
            message = await self._queue.get()
            if not self.is_silent:
                await self._connection.send(message, text=True)


class Sockets:
    """All open websockets behind one listening port."""

    def __init__(self, on_message: OnMessage) -> None:
        self._on_message = on_message
        self._server: Server | None = None
        self.open_ones: set[Socket] = set()
        self.port = 0

    async def open(self) -> None:
        """Listen; the first time on a free port, then on that one again."""
        self._server = await serve(
            self._serve, "127.0.0.1", self.port, compression=None, ping_interval=None, close_timeout=0.2
        )
        self.port = next(iter(self._server.sockets)).getsockname()[1]

    async def close(self) -> None:
        """Stop listening and cut every connection."""
        if self._server is not None:
            self._server.close(close_connections=False)
            self.cut(list(self.open_ones))
            await self._server.wait_closed()
            self._server = None

    def of(self, stream: str) -> list[Socket]:
        """Those that are subscribed to a stream and hear it."""
        return [each for each in self.open_ones if stream in each.streams and not each.is_silent]

    def market(self) -> list[Socket]:
        """Those that carry market data."""
        return [socket for socket in self.open_ones if any("@" in name for name in socket.streams)]

    def trading(self) -> list[Socket]:
        """Those on which orders come."""
        return [socket for socket in self.open_ones if socket.is_trading]

    @staticmethod
    def cut(sockets: list[Socket]) -> int:
        """Break these connections; returns how many."""
        for socket in sockets:
            socket.cut()
        return len(sockets)

    @staticmethod
    def silence(sockets: list[Socket]) -> int:
        """Make these connections deaf and dumb; returns how many."""
        for socket in sockets:
            socket.silence()
        return len(sockets)

    async def _serve(self, connection: ServerConnection) -> None:
        socket = Socket(connection)
        self.open_ones.add(socket)
        writer = asyncio.ensure_future(socket.write())
        try:
            async for message in connection:
                self._receive(socket, message)
        except ConnectionClosed:
            pass
        finally:
            self.open_ones.discard(socket)
            writer.cancel()
            await asyncio.gather(writer, return_exceptions=True)

    def _receive(self, socket: Socket, message: str | bytes) -> None:
        try:
            request = msgspec.json.decode(message, type=dict[str, Any])
        except msgspec.DecodeError:
            socket.send({"error": {"code": 2, "msg": "Invalid JSON"}, "status": int(HTTPStatus.BAD_REQUEST)})
            return
        if socket.is_trading:
            self._on_message(socket, request)
            return
        names = [str(name) for name in request.get("params") or []]
        method = request.get("method")
        if method == "SUBSCRIBE":
            socket.streams.update(names)
        elif method == "UNSUBSCRIBE":
            socket.streams.difference_update(names)
        result = sorted(socket.streams) if method == "LIST_SUBSCRIPTIONS" else None
        socket.send({"result": result, "id": request.get("id")})
        self._on_message(socket, request)
