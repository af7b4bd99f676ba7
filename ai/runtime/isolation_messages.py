"""What is said between the station and the process in which a stranger's model first runs.

Frames are a length (8 bytes, little-endian) and MessagePack; nothing that crosses is pickled.
"""

from collections.abc import Callable
from typing import BinaryIO, Literal

import msgspec

from ai.passport.records import Architecture, Tensor

MAX_FRAME_BYTES = 1 << 30

type Format = Literal["onnx", "state_dict", "weights", "torchscript", "pt2"]


class Limits(msgspec.Struct, frozen=True):
    """What the process may take beyond its libraries' own; `wall_s` per request, `cpu_s` for all."""

    memory_bytes: int = 2 << 30
    wall_s: float = 20.0
    cpu_s: float = 120.0


class Open(msgspec.Struct, frozen=True, tag=True):
    """Open the file, after its bytes were found to be those that were judged."""

    path: str
    sha256: str
    format: Format
    limits: Limits
    architecture: Architecture | None = None
    output_names: tuple[str, ...] = ()


class Run(msgspec.Struct, frozen=True, tag=True):
    """Run once, on inputs in the model's order."""

    inputs: dict[str, Tensor]


class Time(msgspec.Struct, frozen=True, tag=True):
    """Run again and again on the same inputs, at most so long and so often."""

    inputs: dict[str, Tensor]
    seconds: float
    runs: int


class Export(msgspec.Struct, frozen=True, tag=True):
    """Write the opened model as ONNX; the first axis of all inputs and outputs becomes free."""

    inputs: dict[str, Tensor]
    output_names: tuple[str, ...]


type Request = Open | Run | Time | Export


class Declared(msgspec.Struct, frozen=True):
    """One tensor that the opened file declares: a port of a model or an entry of a state dict."""

    name: str
    dtype: str
    shape: tuple[int | str, ...]


class Opened(msgspec.Struct, frozen=True, tag=True):
    """The file is open; `memory_bytes` is what opening it took, None where that cannot be measured."""

    inputs: tuple[Declared, ...] = ()
    outputs: tuple[Declared, ...] = ()
    entries: tuple[Declared, ...] = ()
    memory_bytes: int | None = None
    remapped_from: tuple[str, ...] = ()


class Ran(msgspec.Struct, frozen=True, tag=True):
    """Outputs in the model's order."""

    outputs: dict[str, Tensor]
    memory_bytes: int | None = None


class Timed(msgspec.Struct, frozen=True, tag=True):
    """Durations of single runs, NumPy in to NumPy out."""

    durations_ns: tuple[int, ...]


class Exported(msgspec.Struct, frozen=True, tag=True):
    """The model as ONNX."""

    model: bytes


class Failed(msgspec.Struct, frozen=True, tag=True):
    """It could not; `out_of_memory` where the limit was the reason."""

    told: str
    out_of_memory: bool = False


type Reply = Opened | Ran | Timed | Exported | Failed

encode = msgspec.msgpack.Encoder().encode
decode_request: Callable[[bytes], Request] = msgspec.msgpack.Decoder(Open | Run | Time | Export).decode
decode_reply: Callable[[bytes], Reply] = msgspec.msgpack.Decoder(
    Opened | Ran | Timed | Exported | Failed
).decode


def write_frame(stream: BinaryIO, message: Request | Reply) -> None:
    """Send one message."""
    data = encode(message)
    stream.write(len(data).to_bytes(8, "little") + data)
    stream.flush()


def read_frame(stream: BinaryIO) -> bytes | None:
    """Receive the bytes of one message; None where the other side is gone or says nonsense."""
    head = stream.read(8)
    size = int.from_bytes(head, "little")
    if len(head) < 8 or size > MAX_FRAME_BYTES:
        return None
    data = stream.read(size)
    return data if len(data) == size else None
