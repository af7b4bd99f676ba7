"""A planted key, and where it turns up: in every form in which a program might have written it.

Whoever writes a test of something that leaves files behind plants a key and asks `places_of` afterwards.
"""

import base64
import gzip
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import zstandard

_EDGE = 4
"""Signs at both ends of a base64 text that depend on what stands beside it."""


def forms(key: str) -> dict[str, bytes]:
    """The key as plain text, in base64 at every offset, in hexadecimal digits, in UTF-16, and in a URL."""
    raw = key.encode()
    made = {
        "plain": raw,
        "backwards": raw[::-1],
        "hex": raw.hex().encode(),
        "HEX": raw.hex().upper().encode(),
        "UTF-16": key.encode("utf-16-le"),
        "URL": quote(key, safe="").encode(),
    }
    for offset in range(3):
        text = base64.b64encode(b"\0" * offset + raw)[_EDGE:-_EDGE]
        made[f"base64 at {offset}"] = text
        made[f"base64 for URLs at {offset}"] = text.replace(b"+", b"-").replace(b"/", b"_")
    return made


def found_in(data: bytes, key: str) -> list[str]:
    """Forms of the key that stand in these bytes."""
    return [form for form, text in forms(key).items() if text in data]


def places_of(key: str, *folders: Path) -> list[str]:
    """Files below the folders that hold the key, with the form; also in their names, and compressed."""
    return [
        f"{path} ({form})"
        for folder in folders
        for path in sorted(folder.rglob("*"))
        for form in found_in(str(path).encode() + b"\n" + _content(path), key)
    ]


def _content(path: Path) -> bytes:
    if not path.is_file() or path.is_symlink():
        return b""
    data = path.read_bytes()
    return b"\n".join((data, *_unpacked(data)))


def _unpacked(data: bytes) -> Iterator[bytes]:
    if data.startswith(b"\x1f\x8b"):
        yield gzip.decompress(data)
    if data.startswith(b"\x28\xb5\x2f\xfd"):
        yield zstandard.ZstdDecompressor().decompressobj().decompress(data)
