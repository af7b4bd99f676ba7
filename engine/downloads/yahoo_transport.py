"""Asks Yahoo through yfinance; imported only where Yahoo is asked, for what yfinance brings is heavy."""

import logging
import os
from collections.abc import Iterator, Mapping
from typing import Any, Final, override
from urllib.parse import parse_qsl, urlsplit, urlunsplit

import msgspec
import yfinance  # type: ignore[import-untyped]
from curl_cffi.requests import Response, Session
from curl_cffi.requests.exceptions import ConnectionError as NoConnection
from curl_cffi.requests.exceptions import RequestException, Timeout
from yfinance.data import YfData  # type: ignore[import-untyped]
from yfinance.exceptions import YFRateLimitError  # type: ignore[import-untyped]

from engine.downloads.answer import Interrupted
from engine.downloads.plan import RemoteFile
from engine.downloads.settings import DownloadSettings

_YAHOO: Final = "yahoo.com"
_TOO_MANY: Final = 429


class YahooTransport:
    """One session with Yahoo; its cookies live as long as the process and are written nowhere."""

    def __init__(self, settings: DownloadSettings) -> None:
        # yfinance pickles cookies into a file; where it cannot make its folder it does without.
        yfinance.set_tz_cache_location(os.path.join(os.devnull, "none"))  # noqa: PTH118 - no path that exists
        # What goes wrong is told in our own words; yfinance would print its lines beside them.
        logging.getLogger("yfinance").setLevel(logging.CRITICAL + 1)
        self._timeout_s = settings.stall_s
        self._session = _Session(settings.sources["yahoo"].url)
        self._yahoo = YfData(session=self._session)

    def ask(self, file: RemoteFile, headers: Mapping[str, str]) -> "YahooAnswer":
        """Request `file`; raises Interrupted where nothing can be reached or all of it did not come."""
        del headers  # neither key nor range: the body comes at once
        url, _, query = file.url.partition("?")
        try:
            response = self._yahoo.get(url, params=dict(parse_qsl(query)), timeout=self._timeout_s)
        except YFRateLimitError:
            return YahooAnswer(_TOO_MANY, {}, b"")
        except Timeout as error:
            raise Interrupted("the answer stalled") from error
        except NoConnection as error:
            raise Interrupted("no connection could be made", is_unreachable=True) from error
        except RequestException as error:
            raise Interrupted("the answer was cut off") from error
        return _checked(response)

    def close(self) -> None:
        """Drop all connections."""
        self._session.close()


class YahooAnswer:
    """An answer that is here already; see `Answer`."""

    is_delimited = True

    def __init__(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        self.status, self.headers = status, headers
        self._body = body

    def blocks(self) -> Iterator[bytes]:
        """Body in one block."""
        yield self._body

    def abort(self) -> None:
        """Nothing waits."""

    def close(self) -> None:
        """Nothing is open."""


class _Session(Session[Response]):
    """Looks like a browser, as Yahoo wants, and asks `base` for all that Yahoo's hosts are asked for."""

    def __init__(self, base: str) -> None:
        super().__init__(impersonate="chrome")
        self._base = urlsplit(base)

    @override
    def request(self, method: Any, url: str, *args: Any, **kwargs: Any) -> Response:
        return super().request(method, self._moved(url), *args, **kwargs)

    def _moved(self, url: str) -> str:
        parts = urlsplit(url)
        if (self._base.hostname or "").endswith(_YAHOO) or not (parts.hostname or "").endswith(_YAHOO):
            return url
        return urlunsplit((self._base.scheme, self._base.netloc, *parts[2:]))


def _checked(response: Response) -> YahooAnswer:
    """The answer; raises Interrupted where a good one is no whole JSON."""
    body = bytes(response.content)
    if response.status_code == 200:
        try:
            msgspec.json.decode(body)
        except msgspec.DecodeError as error:
            raise Interrupted("what was served is no whole JSON") from error
    return YahooAnswer(
        response.status_code, {k: v for k, v in response.headers.items() if v is not None}, body
    )
