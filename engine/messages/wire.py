"""Messages to bytes and back: MessagePack with typed decoding; arrays as extension blobs, never pickled."""

from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np

from engine.messages.columns import BY_CODE, Rows
from engine.messages.commands import AnyCommand, Command
from engine.messages.events import AnyEvent
from engine.messages.frames import Frame

_CODE_OF = {dtype: code for code, dtype in BY_CODE.items()}


def _encode_array(value: Any) -> msgspec.msgpack.Ext:
    if isinstance(value, np.ndarray):
        return msgspec.msgpack.Ext(_CODE_OF[value.dtype], memoryview(np.ascontiguousarray(value)).cast("B"))
    raise NotImplementedError(f"{type(value).__name__} does not cross the link")


def _decode_array(code: int, data: memoryview) -> Rows:
    # Not a view of `data`: that would keep the whole message alive for as long as one of its arrays.
    return np.frombuffer(data, BY_CODE[code]).copy()


_encoder = msgspec.msgpack.Encoder(enc_hook=_encode_array)
_frames = msgspec.msgpack.Decoder(Frame, ext_hook=_decode_array)
_events: msgspec.msgpack.Decoder[list[AnyEvent]] = msgspec.msgpack.Decoder(
    list[AnyEvent], ext_hook=_decode_array
)
_commands: msgspec.msgpack.Decoder[AnyCommand] = msgspec.msgpack.Decoder(AnyCommand)


def encode(message: Frame | Command) -> bytes:
    """Bytes of one message."""
    return _encoder.encode(message)


def decode_frame(data: bytes) -> Frame:
    """Frame of these bytes; raises `msgspec.ValidationError` or `msgspec.DecodeError` for anything else."""
    return _frames.decode(data)


def decode_command(data: bytes) -> AnyCommand:
    """Command of these bytes; raises `msgspec.ValidationError` or `msgspec.DecodeError` for anything else."""
    return _commands.decode(data)


def encode_events(events: Sequence[AnyEvent]) -> bytes:
    """Bytes of several events."""
    return _encoder.encode(events)


def decode_events(data: bytes) -> list[AnyEvent]:
    """Events of these bytes."""
    return _events.decode(data)
