"""Predictions of whole ranges on disk, by what they depend on: asked again, they cost nothing.

An entry is a folder named by its key: one `.npy` per array, mapped when it is read, and `facts.json`. It gets
its name only when it is whole, so a crash leaves none half done; one that is damaged counts as not there.
The entries that were not used for longest are removed beyond the size limit.
"""

import os
import shutil
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Final

import msgspec
import numpy as np

from ai.inference.predicted import Array, Predicted, RangeFacts
from engine.errors import UserError

MOST_BYTES: Final = 4 << 30

_FACTS: Final = "facts.json"
_CHECKED: Final = "rows"
"""The array that trades: its bytes are checked when it is read."""


class _Kept(msgspec.Struct, frozen=True):
    """What `facts.json` holds: rows by array, a checksum, and the range's facts."""

    rows: dict[str, int]
    checksum: int
    facts: RangeFacts


class PredictionCache:
    """Entries in one folder.

    Parameters
    ----------
    folder : Path
        Made when the first entry is kept.
    most_bytes : int
        Size that all entries together may have.
    """

    def __init__(self, folder: Path, most_bytes: int = MOST_BYTES) -> None:
        self._folder, self._most_bytes = folder, most_bytes

    def find(self, key: str) -> Predicted | None:
        """Entry of this key; None where there is none, or it is damaged (it is then removed)."""
        path = self._folder / key
        if not path.is_dir():
            return None
        try:
            found = _read(path)
            os.utime(path / _FACTS)
        except (OSError, ValueError, msgspec.DecodeError):
            shutil.rmtree(path, ignore_errors=True)
            return None
        return found

    def draft(self, key: str) -> "FileDraft":
        """Begin an entry.

        Raises
        ------
        UserError
            The folder cannot be written.
        """
        with _writing(self._folder):
            self._folder.mkdir(parents=True, exist_ok=True)
            draft = Path(tempfile.mkdtemp(prefix=".part-", dir=self._folder))
        return FileDraft(draft, self, key)

    def keep(self, draft: Path, key: str) -> Predicted:
        """Give a whole draft its name, and remove what is too much."""
        path = self._folder / key
        try:
            draft.rename(path)
        except OSError:  # another process was first
            shutil.rmtree(draft, ignore_errors=True)
        self._prune(path)
        found = self.find(key)
        if found is None:
            raise UserError(f"{path} was damaged while it was written; check the disk.")
        return found

    def _prune(self, newest: Path) -> None:
        """Remove entries, the longest unused first, until the limit holds."""
        entries = sorted(self._entries(), reverse=True)
        used = 0
        for _, size, path in entries:
            used += size
            if used > self._most_bytes and path != newest:
                shutil.rmtree(path, ignore_errors=True)

    def _entries(self) -> Iterator[tuple[float, int, Path]]:
        """Time of last use, bytes and folder of each."""
        for path in self._folder.iterdir():
            try:
                used = (path / _FACTS).stat().st_mtime
                size = sum(file.stat().st_size for file in path.iterdir())
            except (FileNotFoundError, NotADirectoryError):  # a draft, or gone meanwhile
                continue
            yield used, size, path


class FileDraft:
    """A range's arrays on their way to the disk; memory does not grow with them."""

    def __init__(self, folder: Path, cache: PredictionCache, key: str) -> None:
        self._folder, self._cache, self._key = folder, cache, key
        self._files: dict[str, _NpyFile] = {}
        self._checksum = 0

    def add(self, name: str, part: Array) -> None:
        """Append along the first axis."""
        with _writing(self._folder):
            if name not in self._files:
                self._files[name] = _NpyFile(self._folder / f"{name}.npy", part)
            data = np.ascontiguousarray(part)
            self._files[name].write(data)
        if name == _CHECKED:
            self._checksum = zlib.crc32(data.view(np.uint8), self._checksum)

    def finish(self, facts: RangeFacts) -> Predicted:
        """All parts together, mapped."""
        rows = {name: file.rows for name, file in self._files.items()}
        with _writing(self._folder):
            for file in self._files.values():
                file.close()
            kept = msgspec.json.encode(_Kept(rows, self._checksum, facts))
            (self._folder / _FACTS).write_bytes(kept)
        return self._cache.keep(self._folder, self._key)

    def drop(self) -> None:
        """Forget all of it."""
        for file in self._files.values():
            file.abandon()
        shutil.rmtree(self._folder, ignore_errors=True)


class _NpyFile:
    """A `.npy` file that grows; its header has room for the number of rows."""

    def __init__(self, path: Path, like: Array) -> None:
        self._file: IO[bytes] = path.open("wb")
        self._like = like
        self.rows = 0
        self._write_header()

    def _write_header(self) -> None:
        header = {
            "descr": np.lib.format.dtype_to_descr(self._like.dtype),
            "fortran_order": False,
            "shape": (self.rows, *self._like.shape[1:]),
        }
        np.lib.format.write_array_header_1_0(self._file, header)

    def write(self, data: Array) -> None:
        self._file.write(data.view(np.uint8).data if data.size else b"")
        self.rows += len(data)

    def close(self) -> None:
        self._file.seek(0)
        self._write_header()
        self._file.close()

    def abandon(self) -> None:
        self._file.close()


def _read(path: Path) -> Predicted:
    """Entry of a folder; raises `ValueError`, `OSError` or `DecodeError` where it is not whole."""
    kept = msgspec.json.decode((path / _FACTS).read_bytes(), type=_Kept)
    arrays: dict[str, Array] = {}
    for name, rows in kept.rows.items():
        # An empty file cannot be mapped.
        mode: Any = "r" if rows else None
        arrays[name] = np.load(path / f"{name}.npy", mmap_mode=mode, allow_pickle=False)
        if len(arrays[name]) != rows:
            raise ValueError(name)
    if zlib.crc32(np.ascontiguousarray(arrays[_CHECKED]).view(np.uint8)) != kept.checksum:
        raise ValueError(_CHECKED)
    return Predicted(arrays, kept.facts)


@contextmanager
def _writing(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise UserError(
            f"Predictions cannot be kept in {folder} ({(error.strerror or str(error)).lower()}); "
            "make room there or mend the folder."
        ) from error
