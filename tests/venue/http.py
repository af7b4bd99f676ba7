"""As much of an HTTP/1.1 server as an exchange's REST interface needs: requests in, answers out, keep-alive.

The standard library's runs a thread a connection and `websockets` answers GET alone, so this one is its own;
it also lets a test cut a connection before its answer, or leave it without one.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from urllib.parse import parse_qsl, urlsplit

_LONGEST = 1 << 20


@dataclass(frozen=True, slots=True)
class Request:
    """One request: method, path, and its parameters as text (query, then body) and by name."""

    method: str
    path: str
    query: str
    body: str
    headers: Mapping[str, str]

    @property
    def text(self) -> str:
        """Query and body as one text, as they were signed, without the signature."""
        text = self.query + self.body
        head, _, _ = text.partition("signature=")
        return head.removesuffix("&")

    @property
    def params(self) -> dict[str, str]:
        """All parameters."""
        return dict(parse_qsl(self.query) + parse_qsl(self.body))


@dataclass(frozen=True, slots=True)
class Response:
    """One answer; `cut` closes the connection instead, and `silent` leaves it open without a word."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    cut: bool = False
    silent: bool = False


class HttpServer:
    """Serves on loopback until it is closed; may be opened again on the same port."""

    def __init__(self, answer: Callable[[Request], Awaitable[Response]]) -> None:
        self._answer = answer
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.StreamWriter] = set()
        self.port = 0

    async def open(self) -> None:
        """Listen; the first time on a free port, then on that one again."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        """Stop listening and cut every connection."""
        if self._server is not None:
            self._server.close()
            self.cut()
            await self._server.wait_closed()
            self._server = None

    def cut(self) -> None:
        """Cut every connection."""
        for writer in list(self._open):
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        try:
            while (request := await _read(reader)) is not None:
                response = await self._answer(request)
                if response.cut:
                    break
                if response.silent:
                    await reader.read()  # until the client gives up
                    break
                writer.write(_written(response))
                await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            self._open.discard(writer)
            writer.transport.abort()


async def _read(reader: asyncio.StreamReader) -> Request | None:
    line = await reader.readline()
    if not line:
        return None
    method, target, _ = line.decode("latin-1").split(" ", 2)
    headers: dict[str, str] = {}
    while (line := await reader.readline()) not in (b"\r\n", b""):
        name, _, value = line.decode("latin-1").partition(":")
        headers[name.strip().lower()] = value.strip()
    length = min(int(headers.get("content-length", "0")), _LONGEST)
    body = (await reader.readexactly(length)).decode() if length else ""
    parts = urlsplit(target)
    return Request(method, parts.path, parts.query, body, headers)


def _written(response: Response) -> bytes:
    head = [f"HTTP/1.1 {response.status} {HTTPStatus(response.status).phrase}"]
    head.append("Content-Type: application/json")
    head.append(f"Content-Length: {len(response.body)}")
    head += [f"{name}: {value}" for name, value in response.headers.items()]
    return "\r\n".join([*head, "", ""]).encode("latin-1") + response.body
