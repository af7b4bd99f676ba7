"""HTTP for downloads: pooled connections that never decode and notice an answer that is cut off."""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from importlib.metadata import version
from typing import Final, cast
from urllib.parse import urlencode

import urllib3
from urllib3.exceptions import (
    ConnectTimeoutError,
    HTTPError,
    IncompleteRead,
    MaxRetryError,
    NameResolutionError,
    NewConnectionError,
    ReadTimeoutError,
    SSLError,
)

from engine.downloads.answer import Interrupted
from engine.downloads.plan import RemoteFile
from engine.downloads.settings import DownloadSettings

_BLOCK_BYTES: Final = 64 << 10
_REDIRECTS: Final = urllib3.Retry(total=None, connect=0, read=0, other=0, status=0, redirect=5)
"""Redirects are followed, without the key where they lead to another host; all else is retried elsewhere."""

_REASONS: Final = {
    NameResolutionError: "its name is not found",
    ReadTimeoutError: "the answer stalled",
    SSLError: "its certificate is not trusted",
}


class HttpTransport:
    """Asks over pooled connections, as many as the settings allow."""

    def __init__(self, settings: DownloadSettings) -> None:
        self._pool = urllib3.PoolManager(
            maxsize=settings.connections,
            timeout=urllib3.Timeout(connect=settings.connect_s, read=settings.stall_s),
            headers={
                "User-Agent": f"nexttick-station/{version('nexttick-station')}",
                "Accept-Encoding": "identity",
            },
        )

    def ask(self, file: RemoteFile, headers: Mapping[str, str]) -> "HttpAnswer":
        """Request `file`; raises Interrupted where nothing can be reached."""
        sent = {**self._pool.headers, **headers}
        if file.form:
            sent["Content-Type"] = "application/x-www-form-urlencoded"
        try:
            response = self._pool.request(
                "POST" if file.form else "GET",
                file.url,
                body=urlencode(file.form) if file.form else None,
                headers=sent,
                retries=_REDIRECTS,
                preload_content=False,
                decode_content=False,
            )
        except HTTPError as error:
            raise _interrupted(error) from error
        return HttpAnswer(cast("urllib3.HTTPResponse", response))

    def close(self) -> None:
        """Drop all connections; urllib3's `clear` would leave that to the garbage collector."""
        for key in self._pool.pools.keys():  # noqa: SIM118 - it cannot be iterated over
            self._pool.pools[key].close()


class HttpAnswer:
    """An answer of urllib3; see `Answer`."""

    def __init__(self, response: urllib3.HTTPResponse) -> None:
        self.status: int = response.status
        self.headers: Mapping[str, str] = response.headers
        self.is_delimited = "Content-Length" in response.headers or response.chunked
        self._response = response

    def blocks(self) -> Iterator[bytes]:
        """Body as it arrives; raises Interrupted where it stops too early or stalls."""
        try:
            if self._response.chunked:
                yield from self._response.read_chunked(_BLOCK_BYTES, decode_content=False)
            else:
                while block := self._response.read1(_BLOCK_BYTES, decode_content=False):
                    yield block
        except HTTPError as error:
            raise _interrupted(error) from error

    def abort(self) -> None:
        """End a `blocks` that waits in another thread."""
        with suppress(OSError, ValueError, RuntimeError):  # it has just ended by itself
            self._response.shutdown()

    def close(self) -> None:
        """Be done with it; a connection with bytes still to come is not used again."""
        self._response.close()
        self._response.release_conn()


def _interrupted(error: HTTPError) -> Interrupted:
    """The reason in plain words; never the URL or a header, which urllib3 puts into some of its texts."""
    cause: BaseException = error.reason if isinstance(error, MaxRetryError) and error.reason else error
    unreachable = isinstance(cause, NameResolutionError | NewConnectionError | ConnectTimeoutError)
    return Interrupted(_reason(cause), is_unreachable=unreachable)


def _reason(cause: BaseException) -> str:
    for kind, reason in _REASONS.items():
        if isinstance(cause, kind):
            return reason
    if any(isinstance(each, IncompleteRead) for each in (cause, *cause.args)):
        return "the answer was cut off"
    if isinstance(cause, ConnectTimeoutError) and not isinstance(cause, NewConnectionError):
        return "no connection was made in time"
    system = _system_error(cause)
    return system.strerror.lower() if system is not None and system.strerror else "the connection broke"


def _system_error(error: BaseException | None) -> OSError | None:
    """The operating system's error that is behind `error`."""
    while error is not None:
        if isinstance(error, OSError) and error.strerror:
            return error
        inside = next((each for each in error.args if isinstance(each, OSError) and each.strerror), None)
        if inside is not None:
            return inside
        error = error.__cause__ or error.__context__
    return None
