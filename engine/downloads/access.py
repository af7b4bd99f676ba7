"""A source's key on its way to the source, and nowhere else."""

import base64
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final, Self

import msgspec

_HIDDEN: Final = "•••"
_LONGEST_TEXT: Final = 200
_PLACES: Final = ("detail", "message", "error", "description", "chart")
"""Where vendors' JSON says in words what is wrong, from outside to inside."""


@dataclass(frozen=True, slots=True)
class Access:
    """Headers that carry a key; it shows in no text of this object."""

    headers: Mapping[str, str] = field(default=MappingProxyType({}), repr=False)
    _secrets: tuple[str, ...] = field(default=(), repr=False)

    @classmethod
    def with_key(cls, key: str, headers: Mapping[str, str]) -> Self:
        """Access by `key`, which `headers` carry in one form or another."""
        forms = [key, base64.b64encode(f"{key}:".encode()).decode(), *headers.values()]
        return cls(headers, tuple(sorted(forms, key=len, reverse=True)))

    def hidden(self, text: str) -> str:
        """`text` without the key in any of its forms."""
        for secret in self._secrets:
            text = text.replace(secret, _HIDDEN)
        return text

    def said(self, body: bytes) -> str:
        """What the body of a refusal says in words, in brackets after a space; empty for nothing."""
        try:
            text = next(_words(msgspec.json.decode(body)), "")
        except msgspec.DecodeError:
            return ""
        line = " ".join(self.hidden(text).split()).rstrip(".")
        return f" ({line[:_LONGEST_TEXT]})" if line else ""


def _words(found: object) -> Iterator[str]:
    if isinstance(found, str) and found.strip():
        yield found
    elif isinstance(found, dict):
        for place in _PLACES:
            yield from _words(found.get(place))
