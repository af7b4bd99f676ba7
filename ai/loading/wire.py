"""A strict, bounded reader of the protobuf wire format.

An ONNX file is looked at before any library parses it: which operators it names, what it would fetch from
other files, how much memory it asks for. That needs five field kinds and no generated classes. The reader
copies nothing, stops at the first byte that is not as the format says, and gives up after `MAX_FIELDS`.
"""

from collections.abc import Iterator

MAX_FIELDS = 4_000_000

type Value = int | memoryview


class WireError(ValueError):
    """The bytes are no well-formed message; the text says what is wrong with them."""


class Budget:
    """Counts the fields that one file's walk has seen."""

    def __init__(self, fields: int = MAX_FIELDS) -> None:
        self._left = fields

    def spend(self) -> None:
        """Count one field; raises `WireError` beyond the limit."""
        self._left -= 1
        if self._left < 0:
            raise WireError(f"it has more than {MAX_FIELDS:,} fields")


def fields(message: memoryview, budget: Budget) -> Iterator[tuple[int, Value]]:
    """Yield number and value of each field: an int (varint, fixed) or the bytes of a length-delimited one."""
    for number, value, _start, _stop in placed_fields(message, budget):
        yield number, value


def grouped(message: memoryview, budget: Budget) -> dict[int, list[Value]]:
    """Collect the values of a small message by field number, in order."""
    found: dict[int, list[Value]] = {}
    for number, value in fields(message, budget):
        found.setdefault(number, []).append(value)
    return found


def placed_fields(message: memoryview, budget: Budget) -> Iterator[tuple[int, Value, int, int]]:
    """Yield each field with where its bytes begin and end in `message`."""
    stop, end = 0, len(message)
    while stop < end:
        budget.spend()
        start = stop
        key, at = _varint(message, start)
        if not 0 < key >> 3 < 1 << 29:
            raise WireError("a field has a number that no field can have")
        value: Value
        match key & 7:
            case 0:
                value, stop = _varint(message, at)
            case 2:
                size, at = _varint(message, at)
                stop = at + size
                value = message[at:stop]
            case 1 | 5 as kind:
                stop = at + (8 if kind == 1 else 4)
                value = int.from_bytes(message[at:stop], "little")
            case kind:
                raise WireError(f"a field has the unknown kind {kind}")
        if stop > end:
            raise WireError("it is cut off inside a field")
        yield key >> 3, value, start, stop


def _varint(message: memoryview, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        if at >= len(message):
            raise WireError("it is cut off inside a number")
        byte = message[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            if value >> 64:
                raise WireError("a number is longer than 64 bits")
            return value, at
        shift += 7
        if shift > 63:
            raise WireError("a number is longer than 64 bits")


def signed(value: Value) -> int:
    """Read a varint as int64."""
    number = integer(value)
    return number - (1 << 64) if number >> 63 else number


def integer(value: Value) -> int:
    """Demand that a field holds a number."""
    if not isinstance(value, int):
        raise WireError("a field holds bytes where a number belongs")
    return value


def message(value: Value) -> memoryview:
    """Demand that a field holds bytes."""
    if isinstance(value, int):
        raise WireError("a field holds a number where bytes belong")
    return value


def text(value: Value) -> str:
    """Demand that a field holds UTF-8 text."""
    try:
        return bytes(message(value)).decode("utf-8")
    except UnicodeDecodeError as error:
        raise WireError("a name is not UTF-8") from error


def integers(value: Value) -> Iterator[int]:
    """Read a repeated int64, packed or not."""
    if isinstance(value, int):
        yield signed(value)
        return
    at = 0
    while at < len(value):
        number, at = _varint(value, at)
        yield signed(number)


# -- writing: just enough to append one field to a message ------------------------------------------------


def varint(number: int) -> bytes:
    """Encode an unsigned number."""
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def delimited(number: int, value: bytes) -> bytes:
    """Encode one length-delimited field."""
    return varint(number << 3 | 2) + varint(len(value)) + value
