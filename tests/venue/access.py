"""Who may ask and how often: key, signature, timestamp and the request and order limits of Binance."""

import hashlib
import hmac
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from tests.venue.refusal import Refusal, missing
from tests.venue.symbol import Params, number

_MINUTE_MS = 60_000
_TEN_SECONDS_MS = 10_000
_AHEAD_MS = 1000


@dataclass(frozen=True, slots=True)
class Limits:
    """Requests (by weight) in a minute, and new orders in ten seconds and in a minute; Binance's own."""

    weight: int = 2400
    orders_10s: int = 300
    orders_1m: int = 1200


class Access:
    """Checks every request of the one account."""

    def __init__(self, key: str, secret: str, limits: Limits, now_ms: Callable[[], int]) -> None:
        self._key, self._secret, self._limits, self._now_ms = key, secret.encode(), limits, now_ms
        self._weights: deque[tuple[int, int]] = deque()
        self._orders: deque[int] = deque()
        self._refused_until_ms = 0
        self._status = 429

    def check_key(self, key: str | None) -> None:
        """Refuse a wrong API key."""
        if not key:
            raise Refusal(-2014, "API-key format invalid.", 401)
        if key != self._key:
            raise Refusal(-2015, "Invalid API-key, IP, or permissions for action.", 401)

    def check_signature(self, signed_text: str, params: Params) -> None:
        """Refuse what is not signed with the secret, too old, or from a clock that runs ahead."""
        timestamp = int(number(params.get("timestamp", ""), "timestamp"))
        window = int(number(params.get("recvWindow", "5000"), "recvWindow"))
        now = self._now_ms()
        if timestamp > now + _AHEAD_MS:
            raise Refusal(-1021, "Timestamp for this request was 1000ms ahead of the server's time.")
        if timestamp < now - window:
            raise Refusal(-1021, "Timestamp for this request is outside of the recvWindow.")
        given = params.get("signature")
        if not given:
            raise missing("signature")
        right = hmac.new(self._secret, signed_text.encode(), hashlib.sha256).hexdigest()
        if not hmac.compare_digest(right, given):
            raise Refusal(-1022, "Signature for this request is not valid.")

    def refuse_for(self, milliseconds: int, status: int) -> None:
        """Answer every request with 429 (too many) or 418 (banned) for so long."""
        self._refused_until_ms, self._status = self._now_ms() + milliseconds, status

    def count_request(self, weight: int) -> None:
        """Count a request; refuse it beyond the limit, and ban who goes on."""
        now = self._now_ms()
        if now < self._refused_until_ms:
            raise self._too_many(now)
        _forget(self._weights, now - _MINUTE_MS, lambda each: each[0])
        if self.weight + weight > self._limits.weight:
            self._refused_until_ms = self._weights[0][0] + _MINUTE_MS
            self._status = 429
            raise self._too_many(now)
        self._weights.append((now, weight))

    def count_order(self) -> None:
        """Count a new order; refuse it beyond the limits."""
        now = self._now_ms()
        _forget(self._orders, now - _MINUTE_MS, lambda each: each)
        for limit, window, words in (
            (self._limits.orders_10s, _TEN_SECONDS_MS, "10 SECONDS"),
            (self._limits.orders_1m, _MINUTE_MS, "1 MINUTE"),
        ):
            if self._ordered_since(now - window) >= limit:
                message = f"Too many new orders; current limit is {limit} orders per {words}."
                raise Refusal(-1015, message, 429, {"Retry-After": str(window // 1000)})
        self._orders.append(now)

    @property
    def weight(self) -> int:
        """Weight of the requests of the last minute."""
        return sum(weight for _, weight in self._weights)

    def headers(self) -> dict[str, str]:
        """What every answer says of the limits."""
        now = self._now_ms()
        return {
            "X-MBX-USED-WEIGHT-1M": str(self.weight),
            "X-MBX-ORDER-COUNT-10S": str(self._ordered_since(now - _TEN_SECONDS_MS)),
            "X-MBX-ORDER-COUNT-1M": str(self._ordered_since(now - _MINUTE_MS)),
        }

    def info(self) -> list[dict[str, object]]:
        """The limits as `exchangeInfo` lists them."""
        rows = (
            ("REQUEST_WEIGHT", "MINUTE", 1, self._limits.weight),
            ("ORDERS", "MINUTE", 1, self._limits.orders_1m),
            ("ORDERS", "SECOND", 10, self._limits.orders_10s),
        )
        return [
            {"rateLimitType": kind, "interval": interval, "intervalNum": number, "limit": limit}
            for kind, interval, number, limit in rows
        ]

    def _ordered_since(self, time_ms: int) -> int:
        return sum(1 for each in self._orders if each > time_ms)

    def _too_many(self, now: int) -> Refusal:
        seconds = max(1, -(-(self._refused_until_ms - now) // 1000))
        if self._status == 418:
            words = f"Way too many requests; IP banned until {self._refused_until_ms}."
        else:
            words = f"Too many requests; current limit of IP is {self._limits.weight} requests per minute."
        return Refusal(-1003, words, self._status, {"Retry-After": str(seconds)})


def _forget[T](entries: deque[T], until_ms: int, time_of: Callable[[T], int]) -> None:
    while entries and time_of(entries[0]) <= until_ms:
        entries.popleft()
