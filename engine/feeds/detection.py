"""Which format a file has, told by its first bytes and, where those say nothing, by its name."""

import gzip
import io
import re
import zipfile
import zlib
from pathlib import Path

from engine.errors import unknown_name
from engine.feeds.decoded import Undecodable

CHOICES = ("auto", "dukascopy", "binance-raw", "quotes", "trades", "truefx", "histdata", "lean")
"""What a user can say with `--format`; `auto` also finds `delimited`: its columns tell which kind."""

_LZMA_ALONE = b"]\x00\x00"
_BINANCE_LINE = re.compile(rb"^\d{16,19} \{")
_TRUEFX_LINE = re.compile(rb"^[A-Z]{3}/?[A-Z]{3},\d{8} \d{2}:\d{2}:\d{2}")
_HISTDATA_LINE = re.compile(rb"^\d{8} \d{9}[,;]")
_LEAN_NAME = re.compile(r"^\d{8}(?:_[a-z0-9]+)*_(?:quote|trade)", re.IGNORECASE)
_HEAD_BYTES = 65_536


def checked_format(name: str) -> str:
    """`name` if it is one of `CHOICES`; raises UserError with the nearest ones."""
    if name not in CHOICES:
        raise unknown_name("format", name, CHOICES)
    return name


def detect(path: Path, data: bytes) -> str:
    """Format of the file `path` that holds `data`.

    Raises
    ------
    Undecodable
        It is empty, or of no format that the station reads.
    """
    if path.suffix.lower() == ".bi5" or data.startswith(_LZMA_ALONE):
        return "dukascopy"
    if not data:
        raise Undecodable("it is empty")
    if data.startswith(b"PAR1"):
        return "delimited"
    if data.startswith(b"PK"):
        return _detect_zip(path, data)
    head = _head_of_gzip(data) if data.startswith(b"\x1f\x8b") else data[:_HEAD_BYTES]
    return _detect_text(path.name, head)


def _detect_zip(path: Path, data: bytes) -> str:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            names = [Path(name).name for name in archive.namelist()]
            if any(_LEAN_NAME.match(name) for name in (*names, path.name)):
                return "lean"
            if not names:
                raise Undecodable("the zip archive holds no file")
            with archive.open(archive.namelist()[0]) as member:
                return _detect_text(names[0], member.read(_HEAD_BYTES))
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise Undecodable("the zip archive is damaged, cut off or locked; fetch it again") from error


def _head_of_gzip(data: bytes) -> bytes:
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(data)) as file:
            return file.read1(_HEAD_BYTES)
    except (OSError, EOFError, zlib.error) as error:
        raise Undecodable("the gzip file is damaged or cut off; fetch it again") from error


def _detect_text(name: str, head: bytes) -> str:
    if not head.strip():
        raise Undecodable("it is empty")
    if _BINANCE_LINE.match(head):
        return "binance-raw"
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "delimited"
    if head.lstrip()[:1] in {b"{", b"["}:
        raise Undecodable("it is JSON but no recording of websocket lines; save it as a table or a recording")
    if b"\x00" in head:
        raise Undecodable(f"it is of no known format; name one with --format ({', '.join(CHOICES[1:])})")
    if _TRUEFX_LINE.match(head):
        return "truefx"
    if _HISTDATA_LINE.match(head):
        return "histdata"
    if _LEAN_NAME.match(name):
        return "lean"
    return "delimited"
