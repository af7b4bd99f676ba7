"""A vendor on this machine: serves what a test tells it to, in the ways that real ones fail."""

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final, override

from urllib3 import HTTPHeaderDict


@dataclass(kw_only=True)
class Serve:
    """One answer.

    Attributes
    ----------
    cut_at : int or None
        The connection is dropped after so many bytes of the body.
    stall_at : int or None
        After so many bytes nothing more comes, until the server ends.
    pause_s : float
        Before each block of `block` bytes.
    length : bool
        Whether the answer says how long it is.
    chunked : bool
        It comes in chunks instead of with a length.
    ranges : bool
        Whether a wish for a range is granted.
    """

    body: bytes = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    cut_at: int | None = None
    stall_at: int | None = None
    pause_s: float = 0.0
    block: int = 16_384
    length: bool = True
    chunked: bool = False
    ranges: bool = True


YAHOO_MANNERS: Final = {
    "/": Serve(headers={"Set-Cookie": "A3=abc; Path=/"}),
    "/v1/test/getcrumb": Serve(body=b"crumb"),
    "/consent": Serve(body=b"<html></html>"),
}
"""What yfinance asks of Yahoo before it asks for data."""


@dataclass(frozen=True)
class Request:
    """What was asked."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


class Vendor:
    """Answers of one server by path; those in a list are given in turn, the last one for ever."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.answers: dict[str, list[Serve] | Serve | Callable[[Request], Serve]] = {}
        self.url = ""
        self.ended = threading.Event()
        self.stalled = threading.Event()
        self._lock = threading.Lock()

    def asked(self, path: str) -> list[Request]:
        """Requests for `path`, in order."""
        return [request for request in self.requests if request.path == path]

    def take(self, request: Request) -> Serve:
        """What `request` is answered."""
        with self._lock:
            self.requests.append(request)
            answer = self.answers.get(request.path.partition("?")[0], Serve(status=404))
            if isinstance(answer, list):
                return answer.pop(0) if len(answer) > 1 else answer[0]
        return answer(request) if callable(answer) else answer


@contextmanager
def vendor() -> Iterator[Vendor]:
    """A running server; it is gone when the block ends."""
    here = Vendor()

    class Handler(_Handler):
        serves = here

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = False
    here.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), name="vendor")
    thread.start()
    try:
        yield here
    finally:
        here.ended.set()
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    serves: Vendor
    timeout = 2.0

    def do_GET(self) -> None:
        self._answer(b"")

    def do_POST(self) -> None:
        self._answer(self.rfile.read(int(self.headers["Content-Length"])))

    def _answer(self, sent: bytes) -> None:
        serve = self.serves.take(Request(self.command, self.path, HTTPHeaderDict(self.headers.items()), sent))
        body, status, headers = serve.body, serve.status, dict(serve.headers)
        wished = self.headers.get("Range")
        if wished and serve.ranges and status == 200 and self.headers.get("If-Range") == headers.get("ETag"):
            start = int(wished.removeprefix("bytes=").removesuffix("-"))
            headers["Content-Range"] = f"bytes {start}-{len(body) - 1}/{len(body)}"
            body, status = body[start:], 206
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if serve.chunked:
            self.send_header("Transfer-Encoding", "chunked")
        elif serve.length:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        try:
            self._send(serve, body)
        except OSError:  # whoever asked has left
            self.close_connection = True

    def _send(self, serve: Serve, body: bytes) -> None:
        for start in range(0, len(body), serve.block):
            if serve.pause_s:
                self.serves.ended.wait(serve.pause_s)
            block = body[start : start + serve.block]
            for limit, act in ((serve.cut_at, self._drop), (serve.stall_at, self._stall)):
                if limit is not None and start + len(block) > limit:
                    self._write(serve, block[: limit - start])
                    act()
                    return
            self._write(serve, block)
        if serve.chunked:
            self.wfile.write(b"0\r\n\r\n")
        if not serve.length:
            self.close_connection = True

    def _write(self, serve: Serve, block: bytes) -> None:
        self.wfile.write(b"%x\r\n%s\r\n" % (len(block), block) if serve.chunked and block else block)
        self.wfile.flush()

    def _drop(self) -> None:
        self.close_connection = True

    def _stall(self) -> None:
        self.serves.stalled.set()
        self.serves.ended.wait()
        self.close_connection = True

    @override
    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""
