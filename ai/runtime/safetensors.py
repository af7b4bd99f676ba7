"""Reads safetensors: a length, a JSON header, then nothing but numbers. Strict on purpose."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

MAX_HEADER_BYTES = 1 << 20
MAX_RANK = 8

_BYTES = {"F64": 8, "F32": 4, "F16": 2, "BF16": 2, "I64": 8, "I32": 4, "I16": 2, "I8": 1, "U8": 1, "BOOL": 1}
NAMES = {
    "F64": "float64", "F32": "float32", "F16": "float16", "BF16": "bfloat16", "I64": "int64", "I32": "int32",
    "I16": "int16", "I8": "int8", "U8": "uint8", "BOOL": "bool",
}  # fmt: skip


class SafetensorsError(ValueError):
    """The file is not as the format says; the text says where."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One tensor: type as the format names it, shape, and where its bytes lie in the file."""

    dtype: str
    shape: tuple[int, ...]
    start: int
    stop: int


def read_header(data: bytes) -> tuple[dict[str, Entry], dict[str, str]]:
    """Read names, shapes and places of all tensors, and the file's own metadata.

    Raises
    ------
    SafetensorsError
        A header above 1 MB, a key twice, a shape that its bytes do not fill, a gap or an overlap.
    """
    if len(data) < 8:
        raise SafetensorsError("it is cut off before its header")
    size = int.from_bytes(data[:8], "little")
    if size > MAX_HEADER_BYTES:
        raise SafetensorsError(f"its header claims {size:,} bytes and may have 1 MB")
    if 8 + size > len(data):
        raise SafetensorsError("it is cut off inside its header")
    try:
        told = json.loads(data[8 : 8 + size].decode("utf-8"), object_pairs_hook=_once)
    except (ValueError, RecursionError) as error:
        raise SafetensorsError(f"its header is not JSON ({error})") from error
    if not isinstance(told, dict):
        raise SafetensorsError("its header is no object")
    metadata = told.pop("__metadata__", {})
    if not isinstance(metadata, dict) or not all(isinstance(value, str) for value in metadata.values()):
        raise SafetensorsError("its metadata are not texts")
    entries = {name: _entry(name, value, 8 + size) for name, value in told.items()}
    _check_places(entries, 8 + size, len(data))
    return entries, metadata


def arrays(data: bytes, entries: Mapping[str, Entry]) -> dict[str, npt.NDArray[np.float32]]:
    """Read float32 tensors as read-only arrays."""
    return {
        name: np.frombuffer(data, "<f4", (e.stop - e.start) // 4, e.start).reshape(e.shape)
        for name, e in entries.items()
    }


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise SafetensorsError("its header has a key twice")
    return found


def _entry(name: str, told: object, begin: int) -> Entry:
    if not isinstance(told, dict) or set(told) != {"dtype", "shape", "data_offsets"}:
        raise SafetensorsError(f"tensor {name!r} is not described by dtype, shape and data_offsets")
    dtype, shape, places = told["dtype"], told["shape"], told["data_offsets"]
    if dtype not in _BYTES:
        raise SafetensorsError(f"tensor {name!r} has the unknown type {dtype!r}")
    if not _are_sizes(shape) or len(shape) > MAX_RANK or not _are_sizes(places) or len(places) != 2:
        raise SafetensorsError(f"tensor {name!r} has a shape or a place that are no sizes")
    if math.prod(shape) * _BYTES[dtype] != places[1] - places[0]:
        raise SafetensorsError(f"tensor {name!r} has not the bytes that its shape needs")
    return Entry(dtype, tuple(shape), begin + places[0], begin + places[1])


def _are_sizes(value: object) -> bool:
    return isinstance(value, list) and all(type(size) is int and size >= 0 for size in value)


def _check_places(entries: Mapping[str, Entry], begin: int, end: int) -> None:
    at = begin
    for name, entry in sorted(entries.items(), key=lambda item: (item[1].start, item[1].stop)):
        if entry.start != at:
            raise SafetensorsError(f"tensor {name!r} leaves a gap or overlaps another")
        at = entry.stop
    if at != end:
        raise SafetensorsError("it has bytes that belong to no tensor, or lacks some")
