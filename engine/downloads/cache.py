"""The offline cache of one source: whole files only, each put in place in one step.

A file that is final lies under its own name, and one that was fetched before its time was over under
`.unfinished/`; one that turned out to be damaged is kept under `.damaged/` and never read again. What has not
all arrived lies beside its place as `NAME.part`, with `NAME.part.resume` telling how to go on where it
stopped.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from engine.downloads.plan import RemoteFile

_UNFINISHED: Final = ".unfinished"
_DAMAGED: Final = ".damaged"


class Validator(msgspec.Struct, frozen=True):
    """What tells that a remote file is still the same: a strong ETag or its date, and its URL."""

    url: str
    if_range: str


@dataclass(frozen=True, slots=True)
class Partial:
    """The beginning of a file, and what it needs to go on."""

    path: Path

    @property
    def size(self) -> int:
        """Bytes that are there."""
        return self.path.stat().st_size if self.path.is_file() else 0

    def validator(self, file: RemoteFile) -> Validator | None:
        """What the remaining bytes are asked for with; None where they cannot be."""
        try:
            kept = msgspec.json.decode(self._note.read_bytes(), type=Validator)
        except (OSError, msgspec.DecodeError):
            return None
        return kept if kept.url == file.url and self.size else None

    def begin(self, validator: Validator | None) -> None:
        """Start with no bytes."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.path.write_bytes(b"")
        self._note.unlink(missing_ok=True)
        if validator is not None:
            self._note.write_bytes(msgspec.json.encode(validator))

    def discard(self) -> None:
        """Leave nothing of it."""
        self.path.unlink(missing_ok=True)
        self._note.unlink(missing_ok=True)

    @property
    def _note(self) -> Path:
        return self.path.with_name(f"{self.path.name}.resume")


class Cache:
    """Files of one source below `root`, which need not exist until something is kept."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def find(self, file: RemoteFile, *, unfinished: bool = False) -> Path | None:
        """Path of the file, where it is here; with `unfinished`, also one that may still change."""
        places = [self._final(file), *([self._unfinished(file)] if unfinished else [])]
        return next((path for path in places if path.is_file()), None)

    def partial(self, file: RemoteFile) -> Partial:
        """Where the file's bytes are gathered."""
        place = self._final(file)
        return Partial(place.with_name(f"{place.name}.part"))

    def keep(self, file: RemoteFile, *, final: bool) -> Path:
        """Put the gathered bytes in place; they are on disk when this returns."""
        partial = self.partial(file)
        place = self._final(file) if final else self._unfinished(file)
        place.parent.mkdir(parents=True, exist_ok=True)
        partial.path.replace(place)
        partial.discard()
        if final:
            self._unfinished(file).unlink(missing_ok=True)
        return place

    def set_aside(self, path: Path) -> None:
        """Let a file of the cache no longer count as here; its bytes are kept under `.damaged/`."""
        name = path.relative_to(self.root)
        if name.parts[0] == _UNFINISHED:
            name = name.relative_to(_UNFINISHED)
        place = self.root / _DAMAGED / name
        place.parent.mkdir(parents=True, exist_ok=True)
        path.replace(place)

    def _final(self, file: RemoteFile) -> Path:
        return self.root / file.name

    def _unfinished(self, file: RemoteFile) -> Path:
        return self.root / _UNFINISHED / file.name
