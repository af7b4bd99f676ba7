"""TOML writing for the station's own files; reading is `msgspec.toml`, writing has no library among ours.

Covers what settings and layouts hold: tables, arrays of tables, strings, numbers, booleans and lists.
"""

import json
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec


def encode(struct: msgspec.Struct) -> str:
    """Text of a struct; None is left out, as TOML has no such value."""
    return encode_table(msgspec.to_builtins(struct))


def encode_table(table: Mapping[str, Any]) -> str:
    """Text of a table; None is left out."""
    return _table("", table)


def _table(path: str, table: Mapping[str, Any]) -> str:
    lines = [f"{_key(key)} = {_value(value)}" for key, value in table.items() if _is_plain(value)]
    text = "\n".join(lines) + "\n" if lines else ""
    for key, value in table.items():
        name = f"{path}.{_key(key)}" if path else _key(key)
        if isinstance(value, dict):
            text += f"\n[{name}]\n{_table(name, value)}"
        elif _is_table_list(value):
            text += "".join(f"\n[[{name}]]\n{_table(name, entry)}" for entry in value)
    return text


def _is_table_list(value: object) -> bool:
    return isinstance(value, list) and bool(value) and isinstance(value[0], dict)


def _is_plain(value: object) -> bool:
    return value is not None and not isinstance(value, dict) and not _is_table_list(value)


def _key(key: str) -> str:
    return key if key and all(c.isalnum() or c in "_-" for c in key) and key.isascii() else _value(key)


def _value(value: object) -> str:
    # JSON's strings, numbers, booleans and lists are TOML's, except for what it escapes as surrogates.
    return json.dumps(value, ensure_ascii=False)


def write_atomically(path: Path, text: str) -> None:
    """Put a whole file in place of the old one; a crash leaves one or the other."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=path.name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
