"""Opens gzip and zip without trusting them: nothing cut off passes, nothing unpacks without end."""

import io
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import PurePosixPath

from engine.feeds.decoded import Undecodable

LARGEST_BYTES = 4 << 30
_STEP_BYTES = 16 << 20
_GZIP = b"\x1f\x8b"


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
                raise Undecodable("the gzip file is damaged; fetch it again") from error
            rest = member.unconsumed_tail
            size += len(part)
            if size > largest:
                raise Undecodable(_TOO_LARGE.format(largest / (1 << 30)))
            if not part and not rest and not member.eof:
                raise Undecodable("the gzip file is cut off before its end; fetch it again")
            parts.append(part)
        rest = member.unused_data.lstrip(b"\x00")
        if rest and not rest.startswith(_GZIP):
            raise Undecodable("there are bytes after the end of the gzip file; fetch it again")
    return b"".join(parts)


def members(data: bytes, largest: int = LARGEST_BYTES) -> Iterator[tuple[str, bytes]]:
    """Name and contents of each file in a zip archive, in its order.

    Raises
    ------
    Undecodable
        Damaged, cut off, encrypted, empty, or more than `largest` bytes when unpacked.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            files = [info for info in archive.infolist() if not info.is_dir()]
            if not files:
                raise Undecodable("the zip archive holds no file")
            if sum(info.file_size for info in files) > largest:
                raise Undecodable(_TOO_LARGE.format(largest / (1 << 30)))
            for info in files:
                with archive.open(info) as file:
                    contents = file.read(info.file_size + 1)
                yield PurePosixPath(info.filename).name, contents
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise Undecodable("the zip archive is damaged, cut off or locked; fetch it again") from error


_TOO_LARGE = "it unpacks to more than {:g} GiB; split it and import the parts"
