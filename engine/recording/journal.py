"""What happened, line by line: events and commands as JSON, and back."""

import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO, Final

import msgspec
import numpy as np

from engine.errors import UserError
from engine.messages.columns import EQUITY
from engine.messages.commands import AnyCommand
from engine.messages.events import AnyEvent

type OpenFile = Callable[[Path], BinaryIO]
"""Makes a new file for writing, buffered; raises OSError where it cannot."""

_ENCODED_AT_ONCE: Final = 1_000
"""Lines, about 1 ms: the encoder keeps the interpreter lock."""


class Line(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """One line; `event` or `command` is set.

    Attributes
    ----------
    number : int
        Counts the lines of a recording from 1.
    ts : int
        Market time, ns UTC.
    at_ns : int
        Wall clock when it was handed to the recorder, ns UTC.
    epoch : int
        Run of the session that it belongs to; see `engine.messages.frames.Frame`.
    """

    number: int
    ts: int
    at_ns: int
    epoch: int = 1
    event: AnyEvent | None = None
    command: AnyCommand | None = None


def create(path: Path) -> BinaryIO:
    """Make a new file; raises OSError where there is one already, or none can be."""
    return path.open("xb", buffering=1 << 20)


class Journal:
    """Writes lines into files of at most about `file_bytes`.

    Parameters
    ----------
    folder : Path
    open_file : callable
    file_bytes : int
    closed : callable
        Told of every file that is complete.

    Attributes
    ----------
    lines : int
        Lines written.
    bytes : int
    """

    def __init__(
        self, folder: Path, open_file: OpenFile, file_bytes: int, closed: Callable[[Path], None]
    ) -> None:
        self.lines = 0
        self._folder, self._open_file = folder, open_file
        self._file_bytes, self._closed = file_bytes, closed
        self._number = 0
        self._past_bytes = 0
        self._path = folder
        self._file: BinaryIO | None = None

    @property
    def bytes(self) -> int:
        """Size of all files, with what is still to be flushed."""
        return self._past_bytes + (0 if self._file is None else self._file.tell())

    def write(self, lines: Sequence[Line]) -> None:
        """Append lines; raises OSError where the disk takes no more."""
        for start in range(0, len(lines), _ENCODED_AT_ONCE):
            if self._file is None:
                self._number += 1
                self._path = self._folder / f"events-{self._number:06d}.jsonl"
                self._file = self._open_file(self._path)
            part = lines[start : start + _ENCODED_AT_ONCE]
            self._file.write(_encoder.encode_lines(part))
            self.lines += len(part)
            if self._file.tell() >= self._file_bytes:
                self.close()

    def flush(self) -> None:
        """Hand all to the operating system."""
        if self._file is not None:
            self._file.flush()

    def close(self) -> None:
        """Complete the file at hand; the next line begins another."""
        if self._file is None:
            return
        file, self._file = self._file, None
        with file:
            file.flush()
            os.fsync(file.fileno())
            self._past_bytes += file.tell()
        self._closed(self._path)


def read_lines(paths: Sequence[Path]) -> Iterator[Line]:
    """Lines of the files of one recording, in order; one that is cut off at the very end is left out.

    Raises
    ------
    UserError
        A file cannot be read, or a line is damaged.
    """
    for path in paths:
        try:
            with path.open("rb") as file:
                for place, text in enumerate(file, start=1):
                    if not text.endswith(b"\n") and path == paths[-1]:
                        return
                    yield _decoded(path, place, text)
        except OSError as error:
            raise UserError(f"{path} cannot be read: {error.strerror}.") from error


def _decoded(path: Path, place: int, text: bytes) -> Line:
    try:
        return _decoder.decode(text)
    except msgspec.MsgspecError as error:
        raise UserError(
            f"Line {place} of {path} is damaged ({error}); remove the line to read the others."
        ) from error


def _encode_rows(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return value.tolist()
    raise NotImplementedError(f"{type(value).__name__} is not recorded")


def _decode_rows(_type: type, value: Any) -> Any:
    return np.array([tuple(row) for row in value], EQUITY)  # the only rows that an event holds


_encoder = msgspec.json.Encoder(enc_hook=_encode_rows)
_decoder = msgspec.json.Decoder(Line, dec_hook=_decode_rows)
