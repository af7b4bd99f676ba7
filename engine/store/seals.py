"""One checksum over a whole file, Parquet or JSON, kept in the file itself, so that any flipped bit is found.

Parquet's own page checksums cover what pages hold, but neither their headers nor the index and the footer. So
a file also carries, among the footer's key-value metadata, the CRC-32 of all its bytes, reckoned with the
eight digits of the checksum itself as zeros. It travels with the file, and other readers pass over it. The
JSON files of the store have it as their last member.
"""

import re
import zlib
from enum import Enum
from pathlib import Path
from typing import BinaryIO, Final

import msgspec

_KEY: Final = "nexttick.checksum"
_NONE: Final = "crc32:00000000"
UNSEALED: Final = {_KEY: _NONE}
"""Key-value metadata, or member of a JSON object, that a file must be written with for `seal` to complete."""

_SEAL = re.compile(rb"crc32:([0-9a-f]{8})")
_BLOCK_BYTES: Final = 1 << 20
_TAIL_BYTES: Final = 1 << 16


class Seal(Enum):
    """What a file's checksum says of it."""

    WHOLE = "whole"
    BROKEN = "broken"
    NONE = "none"


def write_sealed_json(said: msgspec.Struct, path: Path) -> None:
    """Write `said` as JSON that a person can read, with the checksum of the file as its last member."""
    members = {**msgspec.to_builtins(said), **UNSEALED}
    path.write_bytes(msgspec.json.format(msgspec.json.encode(members), indent=2) + b"\n")
    seal(path)


def seal(path: Path) -> None:
    """Write the checksum of the file into it, in place of the zeros of `UNSEALED`.

    Raises
    ------
    ValueError
        The file was not written with `UNSEALED`.
    """
    with path.open("rb+") as file:
        digits = _digits_at(file)
        if digits is None:
            raise ValueError(f"{path} was written without a place for its checksum")
        checksum = _crc(file, digits)
        file.seek(digits)
        file.write(b"%08x" % checksum)


def check_seal(path: Path) -> Seal:
    """Compare the file's bytes with its checksum; `NONE` where it was written without one."""
    with path.open("rb") as file:
        digits = _digits_at(file)
        if digits is None:
            return Seal.BROKEN if _KEY.encode() in _tail(file)[1] else Seal.NONE
        file.seek(digits)
        return Seal.WHOLE if int(file.read(8), 16) == _crc(file, digits) else Seal.BROKEN


def _digits_at(file: BinaryIO) -> int | None:
    """Where the eight digits stand; None where the footer holds no checksum."""
    start, tail = _tail(file)
    found = list(_SEAL.finditer(tail))
    return start + found[-1].start(1) if found else None


def _tail(file: BinaryIO) -> tuple[int, bytes]:
    """The end of the file and where that begins; key-value metadata is among the last things of a footer."""
    start = max(0, file.seek(0, 2) - _TAIL_BYTES)
    file.seek(start)
    return start, file.read()


def _crc(file: BinaryIO, digits: int) -> int:
    """CRC-32 of the file, its eight bytes at `digits` taken as zeros."""
    file.seek(0)
    checksum, left = 0, digits
    while left and (block := file.read(min(left, _BLOCK_BYTES))):
        checksum, left = zlib.crc32(block, checksum), left - len(block)
    checksum = zlib.crc32(b"00000000", checksum)
    file.seek(digits + 8)
    while block := file.read(_BLOCK_BYTES):
        checksum = zlib.crc32(block, checksum)
    return checksum
