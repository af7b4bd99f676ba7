"""One signed request and its answer; where nothing answers, one sentence says why."""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import Any, Final, Protocol
from urllib.parse import urlsplit

import urllib3
from urllib3.exceptions import HTTPError

from engine.errors import UserError

_CONNECT_S: Final = 5.0
_READ_S: Final = 10.0
_LONGEST_BYTES: Final = 4 << 20
_LONGEST_TEXT: Final = 160


@dataclass(frozen=True, slots=True)
class Question:
    """A request; its headers and its body may hold keys, so they show in no text of it."""

    url: str = field(repr=False)  # signatures stand in some
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    method: str = "GET"
    body: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Answer:
    """Status and JSON of an answer, and how long it took, in ms."""

    status: int
    data: Any
    took_ms: float

    def get(self, *names: str) -> Any:
        """Value below these names; None where there is none."""
        found = self.data
        for name in names:
            found = found.get(name) if isinstance(found, dict) else None
        return found


class Ask(Protocol):
    """Sends a question; raises UserError where nothing answers."""

    def __call__(self, question: Question, /) -> Answer:
        """Send it."""


def asked_over_http(question: Question) -> Answer:
    """Send a question to where its URL says; raises UserError where nothing there answers."""
    host = urlsplit(question.url).netloc
    headers = {"User-Agent": f"nexttick-station/{version('nexttick-station')}", **question.headers}
    with urllib3.PoolManager(
        timeout=urllib3.Timeout(connect=_CONNECT_S, read=_READ_S), retries=False
    ) as pool:
        start = time.perf_counter()
        try:
            response = pool.request(
                question.method,
                question.url,
                headers=headers,
                body=question.body,
                redirect=False,
                preload_content=False,
            )
            body = response.read(_LONGEST_BYTES, decode_content=True)
            response.close()
        except HTTPError:
            # Its text would hold the URL, and the URL a signature.
            raise UserError(
                f"{host} does not answer; look at the network and the connection's address, then try again."
            ) from None
        took_ms = (time.perf_counter() - start) * 1_000
    try:
        data = json.loads(body)
    except ValueError:
        data = None
    return Answer(response.status, data, took_ms)


def refused(title: str, answer: Answer, reason: object, hidden: Mapping[str, str]) -> UserError:
    """Sentence of an answer that is not what was asked for, without any of the keys."""
    said = " ".join(str(reason).split()).rstrip(".") if reason else ""
    for secret in sorted(hidden.values(), key=len, reverse=True):
        said = said.replace(secret, "•••") if secret else said
    why = f"{said[:_LONGEST_TEXT]}, HTTP {answer.status}" if said else f"HTTP {answer.status}"
    return UserError(
        f"{title} refuses the key ({why}); look whether it is the right key for this environment, still "
        "valid, and allowed from this computer's address."
    )


type Clock = Callable[[], float]
"""Seconds since 1970-01-01 UTC."""
