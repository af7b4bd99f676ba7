"""A caller of the venue's REST interface that signs as Binance wants it, for tests of the wire itself."""

import hashlib
import hmac
import http.client
import time
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import urlencode, urlsplit

import msgspec

from tests.venue.setup import KEY, SECRET

_TIMEOUT_S = 5.0
_NONE: Mapping[str, str] = {}


class Reply(NamedTuple):
    """Status, JSON and headers (names in lower case) of an answer."""

    status: int
    body: Any
    headers: dict[str, str]


def call(url: str, method: str, path: str, **params: str) -> Reply:
    """Ask without a signature."""
    return _send(url, method, path, urlencode(params))


def signed(
    url: str,
    method: str,
    path: str,
    params: Mapping[str, str] = _NONE,
    *,
    key: str = KEY,
    secret: str = SECRET,
    late_ms: int = 0,
) -> Reply:
    """Ask with key and signature; `late_ms` dates the request back."""
    stamp = str(time.time_ns() // 1_000_000 - late_ms)
    text = urlencode({**params, "timestamp": stamp})
    signature = hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest()
    return _send(url, method, path, f"{text}&signature={signature}", key)


def _send(url: str, method: str, path: str, query: str, key: str = "") -> Reply:
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=_TIMEOUT_S)
    try:
        connection.request(method, f"{path}?{query}", headers={"X-MBX-APIKEY": key} if key else {})
        response = connection.getresponse()
        body = msgspec.json.decode(response.read())
        return Reply(response.status, body, {name.lower(): value for name, value in response.getheaders()})
    finally:
        connection.close()
