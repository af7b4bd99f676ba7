"""Opens gzip and zip without trusting them: nothing cut off passes, nothing unpacks without end."""

import contextlib
import gzip
import io
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import PurePosixPath

import zstandard

from engine.feeds.decoded import Damaged, Undecodable

LARGEST_BYTES = 4 << 30
_STEP_BYTES = 16 << 20
_ZSTD_STEP_BYTES = 4 << 10
"""What is unpacked at once; a few bytes can stand for 128 KiB."""

_GZIP = b"\x1f\x8b"
_ZIP = b"PK"
_ZSTD = b"\x28\xb5\x2f\xfd"
_HEAD_BYTES = 65_536


def head_of(name: str, data: bytes) -> tuple[str, bytes]:
    """Name and first 64 KiB of what a file holds: of a zip archive, of the first file in it.

    Raises
    ------
    Undecodable
        Damaged or cut off before that.
    """
    if data.startswith(_ZIP):
        with _opened_zip(data) as archive:
            first = next((info for info in archive.infolist() if not info.is_dir()), None)
            if first is None:
                raise Undecodable("the zip archive holds no file")
            with _damage_told(), archive.open(first) as member:
                return PurePosixPath(first.filename).name, member.read(_HEAD_BYTES)
    if data.startswith(_GZIP):
        try:
            with gzip.GzipFile(fileobj=io.BytesIO(data)) as file:
                return name, file.read1(_HEAD_BYTES)
        except (OSError, EOFError, zlib.error) as error:
            raise Damaged("the gzip file is damaged or cut off") from error
    if data.startswith(_ZSTD):
        try:
            with zstandard.ZstdDecompressor().stream_reader(data) as reader:
                return name, reader.read(_HEAD_BYTES)
        except zstandard.ZstdError as error:
            raise Damaged("the Zstandard file is damaged or cut off") from error
    return name, data[:_HEAD_BYTES]


def contents(name: str, data: bytes, largest: int = LARGEST_BYTES) -> list[tuple[str, bytes]]:
    """Name and unpacked bytes of each file in a zip archive; of any other file, of itself.

    Raises
    ------
    Undecodable
        Damaged, cut off, encrypted, empty, or more than `largest` bytes when unpacked.
    """
    if data.startswith(_ZIP):
        return list(members(data, largest))
    if data.startswith(_ZSTD):
        return [(name, _unzstd(data, largest))]
    return [(name, gunzipped(data, largest))]


def _unzstd(data: bytes, largest: int) -> bytes:
    """Contents of all frames of a Zstandard file."""
    parts: list[bytes] = []
    size, at = 0, 0
    try:
        while at < len(data):
            frame = zstandard.ZstdDecompressor().decompressobj()
            while not frame.eof:
                step = data[at : at + _ZSTD_STEP_BYTES]
                if not step:
                    raise Damaged("the Zstandard file is cut off before its end")
                parts.append(frame.decompress(step))
                at += len(step) - len(frame.unused_data)
                size += len(parts[-1])
                if size > largest:
                    raise Undecodable(_TOO_LARGE.format(largest / (1 << 30)))
    except zstandard.ZstdError as error:
        raise Damaged("the Zstandard file is damaged") from error
    return b"".join(parts)


def gunzipped(data: bytes, largest: int = LARGEST_BYTES) -> bytes:
    """Contents of all members of a gzip file; `data` itself where it is none.

    Raises
    ------
    Undecodable
        Damaged, cut off, or more than `largest` bytes when unpacked.
    """
    if not data.startswith(_GZIP):
        return data
    parts: list[bytes] = []
    size = 0
    rest = data
    while rest:
        member = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
        while not member.eof:
            try:
                part = member.decompress(rest, _STEP_BYTES)
            except zlib.error as error:
                raise Damaged("the gzip file is damaged") from error
            rest = member.unconsumed_tail
            size += len(part)
            if size > largest:
                raise Undecodable(_TOO_LARGE.format(largest / (1 << 30)))
            if not part and not rest and not member.eof:
                raise Damaged("the gzip file is cut off before its end")
            parts.append(part)
        rest = member.unused_data.lstrip(b"\x00")
        if rest and not rest.startswith(_GZIP):
            raise Damaged("there are bytes after the end of the gzip file")
    return b"".join(parts)


def members(data: bytes, largest: int = LARGEST_BYTES) -> Iterator[tuple[str, bytes]]:
    """Name and contents of each file in a zip archive, in its order.

    Raises
    ------
    Undecodable
        Damaged, cut off, encrypted, empty, or more than `largest` bytes when unpacked.
    """
    with _damage_told(), _opened_zip(data) as archive:
        files = [info for info in archive.infolist() if not info.is_dir()]
        if not files:
            raise Undecodable("the zip archive holds no file")
        if sum(info.file_size for info in files) > largest:
            raise Undecodable(_TOO_LARGE.format(largest / (1 << 30)))
        for info in files:
            with archive.open(info) as file:
                unpacked = file.read(info.file_size + 1)
            yield PurePosixPath(info.filename).name, unpacked


def _opened_zip(data: bytes) -> zipfile.ZipFile:
    with _damage_told():
        return zipfile.ZipFile(io.BytesIO(data))


@contextlib.contextmanager
def _damage_told() -> Iterator[None]:
    try:
        yield
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError) as error:
        raise Damaged("the zip archive is damaged, cut off or locked") from error


_TOO_LARGE = "it unpacks to more than {:g} GiB; split it and import the parts"
