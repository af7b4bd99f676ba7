import json
from typing import Any

import pytest

from ai.runtime.safetensors import SafetensorsError, read_header


def file(header: Any, data: bytes = b"") -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + data


def one(**changes: Any) -> dict[str, Any]:
    return {"w": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]} | changes}


def test_a_sound_file_tells_its_tensors() -> None:
    entries, metadata = read_header(file({"__metadata__": {"a": "b"}} | one(), b"\0" * 8))
    assert entries["w"].shape == (2,)
    assert metadata == {"a": "b"}


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"\0" * 4, "before its header"),
        ((1 << 40).to_bytes(8, "little") + b"{}", "may have 1 MB"),
        ((99).to_bytes(8, "little") + b"{}", "inside its header"),
        (file(b"{nope"), "not JSON"),
        (file(b"[" * 5000), "not JSON"),
        (file([1]), "no object"),
        (file(b'{"w": {}, "w": {}}'), "key twice"),
        (file({"__metadata__": {"a": 1}}), "metadata"),
        (file({"w": {"dtype": "F32"}}), "not described"),
        (file(one(dtype="F4"), b"\0" * 8), "unknown type"),
        (file(one(shape=[-2]), b"\0" * 8), "no sizes"),
        (file(one(shape=[True, 2]), b"\0" * 8), "no sizes"),
        (file(one(shape=[2.0]), b"\0" * 8), "no sizes"),
        (file(one(shape=[3]), b"\0" * 8), "has not the bytes"),
        (file(one(data_offsets=[8, 16]), b"\0" * 16), "gap"),
        (file(one(), b"\0" * 4), "lacks some"),
        (file(one(), b"\0" * 12), "no tensor"),
        (file(one() | {"v": one()["w"]}, b"\0" * 8), "overlaps"),
    ],
)
def test_an_unsound_file_is_refused_with_the_place(data: bytes, told: str) -> None:
    with pytest.raises(SafetensorsError, match=told):
        read_header(data)
