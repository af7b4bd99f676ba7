"""Base URLs and manners of the downloads, from the station's own file and the person's."""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

import msgspec

from engine.errors import UserError, in_words

_LOOPBACK = ("127.0.0.1", "localhost", "::1")


class SourceSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where a source is and how many requests it is sent in a second."""

    url: str
    requests_per_second: float

    @property
    def is_private(self) -> bool:
        """Whether nobody on the way can read what is sent there."""
        parts = urlsplit(self.url)
        return parts.scheme == "https" or parts.hostname in _LOOPBACK


class DownloadSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Manners of all downloads; `configs/downloads.toml` says what each value means."""

    connections: int
    retries: int
    connect_s: float
    stall_s: float
    backoff_s: float
    longest_pause_s: float
    sources: dict[str, SourceSettings]

    @classmethod
    def load(cls, shipped: Path, own: Path) -> Self:
        """Settings of `shipped`, with the values that `own` names, where there is such a file.

        Raises
        ------
        UserError
            A file cannot be read, or a value in it cannot be used; the sentence names file and value.
        """
        values = _read(shipped)
        path = shipped
        if own.is_file():
            values = _merged(values, _read(own))
            path = own
        try:
            settings = msgspec.convert(values, cls, strict=False)
        except msgspec.ValidationError as error:
            raise UserError(f"{path} cannot be used: {in_words(error)}; correct it or remove it.") from error
        settings.check(path)
        return settings

    def check(self, path: Path) -> None:
        """Raise UserError where a value makes no sense."""
        numbers = {
            "connections": self.connections,
            "connect_s": self.connect_s,
            "stall_s": self.stall_s,
            **{f"the rate of {name}": each.requests_per_second for name, each in self.sources.items()},
        }
        for name, value in numbers.items():
            if value <= 0:
                raise UserError(f"{path} sets {name} to {value:g}, which is not above 0; correct it.")
        if self.retries < 0:
            raise UserError(f"{path} sets retries to {self.retries}, which is below 0; correct it.")
        for name, each in self.sources.items():
            if urlsplit(each.url).scheme not in {"http", "https"} or not urlsplit(each.url).hostname:
                raise UserError(f"{path} sets the url of {name} to {each.url!r}, which is no web address.")


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UserError(f"{path} cannot be used: {in_words(error)}; correct it or remove it.") from error


def _merged(base: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(base)
    for name, value in changes.items():
        inside = merged.get(name)
        merged[name] = (
            _merged(inside, value) if isinstance(inside, dict) and isinstance(value, dict) else value
        )
    return merged
