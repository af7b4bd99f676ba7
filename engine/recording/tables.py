"""Recorded lines as one Arrow table: for tables of a lake, and for exports."""

from collections.abc import Iterable
from typing import Any, Final

import msgspec
import pyarrow as pa

from engine.recording.journal import Line

_NUMBERS: Final = ("number", "ts", "at_ns", "epoch")
_encoder = msgspec.json.Encoder(enc_hook=lambda rows: rows.tolist())


def lines_table(lines: Iterable[Line]) -> pa.Table:
    """A row per line: its numbers, `what` it is (`fill`, `log`, `play`, …) and its `body` as JSON."""
    given = list(lines)
    said: list[Any] = [line.command if line.event is None else line.event for line in given]
    return pa.table(
        {
            **{name: pa.array([getattr(line, name) for line in given], pa.int64()) for name in _NUMBERS},
            "what": pa.array([str(type(each).__struct_config__.tag) for each in said], pa.string()),
            "body": pa.array([_encoder.encode(each).decode() for each in said], pa.string()),
        }
    )
