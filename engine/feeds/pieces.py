"""Large texts in pieces that end with lines, so that a file of any length is decoded in bounded memory."""

import contextlib
import gzip
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final, cast

from engine.feeds.decoded import Damaged, Undecodable

PIECE_BYTES: Final = 32 << 20
"""A table takes about seven times its text's length while it is decoded."""

_HEAD_BYTES: Final = 65_536
_ZSTD: Final = b"\x28\xb5\x2f\xfd"
_DAMAGE: Final = (
    EOFError,
    zlib.error,
    gzip.BadGzipFile,
    zipfile.BadZipFile,
    NotImplementedError,
    RuntimeError,
)


@dataclass(frozen=True, slots=True)
class Piece:
    """Whole lines of a text.

    Attributes
    ----------
    data : bytes
        The lines, after the header's where the file has one.
    lines_before : int
        Add this to a line's number in `data`, counted from 1, to have its number in the file.
    file_bytes : int
        How much of the file (packed, where it is) has been read by now.
    """

    data: bytes
    lines_before: int
    file_bytes: int


class Text:
    """An open text file, unpacked where it is gzip or a zip of one file of the same name.

    Attributes
    ----------
    path : Path
        The file's own; of a zip archive, as if it lay unpacked beside it.
    head : bytes
        Its first 64 KiB.
    """

    def __init__(self, path: Path, file: BinaryIO, stream: BinaryIO) -> None:
        self.path = path
        self._file, self._stream = file, stream
        with _damage_told():
            self.head = stream.read(_HEAD_BYTES)

    def pieces(self, header: bytes, size: int) -> Iterator[Piece]:
        """Cut the text into pieces of about `size` bytes; all after the first begin with `header`.

        Raises
        ------
        Undecodable
            The archive is damaged or cut off, or a line is longer than a piece.
        """
        rest, lines, repeated = self.head, 0, b""
        while True:
            with _damage_told():
                block = self._stream.read(size)
            # A short block is the last one; a line without an end goes with the lines before it.
            end = block.rfind(b"\n") + 1 if len(block) == size else len(block)
            if block and not end:
                rest += block
                if len(rest) > max(size, _HEAD_BYTES) * 2:
                    line = lines + rest.count(b"\n") + 1
                    raise Undecodable(f"line {line} is longer than {size >> 20} MiB")
                continue
            body = b"".join((rest, memoryview(block)[:end]))
            rest = block[end:]
            if body and not body.isspace():
                yield Piece(repeated + body, lines - repeated.count(b"\n"), self._file.tell())
                repeated = header
            lines += body.count(b"\n")
            if not block:
                return


@contextlib.contextmanager
def opened_text(path: Path) -> Iterator[Text | None]:
    """Open a file to be cut; None where it is an archive that can only be read whole.

    Raises
    ------
    OSError
        It cannot be read.
    Undecodable
        The archive is damaged.
    """
    with contextlib.ExitStack() as stack:
        file = stack.enter_context(path.open("rb"))
        magic = file.read(4)
        file.seek(0)
        if magic.startswith(b"PK"):
            with _damage_told():
                archive = stack.enter_context(zipfile.ZipFile(file))
                inside = [info for info in archive.infolist() if not info.is_dir()]
                names = [
                    part for info in inside for part in (Path(info.filename).name, Path(info.filename).stem)
                ]
                if len(inside) != 1 or path.stem not in names:
                    yield None
                    return
                stream = cast("BinaryIO", stack.enter_context(archive.open(inside[0])))
            yield Text(path.with_name(Path(inside[0].filename).name), file, stream)
        elif magic == _ZSTD:
            yield None
        elif magic.startswith(b"\x1f\x8b"):
            yield Text(path, file, cast("BinaryIO", stack.enter_context(gzip.GzipFile(fileobj=file))))
        else:
            yield Text(path, file, file)


@contextlib.contextmanager
def _damage_told() -> Iterator[None]:
    try:
        yield
    except _DAMAGE as error:
        raise Damaged("the archive is damaged, cut off or locked") from error
