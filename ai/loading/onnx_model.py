"""What an ONNX file says of itself, read before any library opens it.

Field numbers are those of `onnx.proto3` (ONNX 1.18, IR version 11). The walk goes through every graph,
subgraph and function, because an operator or an external tensor may hide in a branch of an `If`.
"""

import math
from dataclasses import dataclass, field

from ai.loading import wire
from ai.loading.wire import Budget, WireError
from ai.passport import METADATA_KEY

MAX_DEPTH = 24
STANDARD = "ai.onnx"

# TensorProto.DataType → NumPy's name; what a port of ours may have stands first.
ELEMENTS = {
    1: "float32", 11: "float64", 10: "float16", 7: "int64", 6: "int32", 9: "bool",
    2: "uint8", 3: "int8", 4: "uint16", 5: "int16", 8: "string", 12: "uint32", 13: "uint64",
    14: "complex64", 15: "complex128", 16: "bfloat16",
}  # fmt: skip
_BYTES = {
    "float32": 4, "float64": 8, "float16": 2, "int64": 8, "int32": 4, "bool": 1, "uint8": 1, "int8": 1,
    "uint16": 2, "int16": 2, "uint32": 4, "uint64": 8, "complex64": 8, "complex128": 16, "bfloat16": 2,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Port:
    """One input or output as the file declares it."""

    name: str
    dtype: str
    shape: tuple[int | str, ...]


@dataclass(slots=True)
class OnnxFacts:
    """All that the gate decides on.

    Attributes
    ----------
    domains : set of str
        Operator domains that nodes use; the standard one is `ai.onnx`.
    own_functions : set of str
        Domains whose operators the file itself defines as graphs.
    external : list of str
        Locations of tensors that lie in other files.
    declared_bytes : int
        Memory that all tensors in the file ask for by their dimensions.
    short : list of str
        Tensors whose data are fewer than their dimensions say.
    metadata : dict
    bare : bytes
        The file without the passport that it carries; what a passport's hash is of.
    """

    ir_version: int = 0
    producer: str = ""
    opsets: dict[str, int] = field(default_factory=dict)
    domains: set[str] = field(default_factory=set)
    operators: set[str] = field(default_factory=set)
    own_functions: set[str] = field(default_factory=set)
    external: list[str] = field(default_factory=list)
    declared_bytes: int = 0
    short: list[str] = field(default_factory=list)
    has_training: bool = False
    inputs: list[Port] = field(default_factory=list)
    outputs: list[Port] = field(default_factory=list)
    metadata: dict[str, str] = field(default_factory=dict)
    bare: bytes = b""


def read_onnx(data: bytes) -> OnnxFacts:
    """Walk a whole model.

    Raises
    ------
    WireError
        The bytes are no ONNX model.
    """
    facts, budget = OnnxFacts(), Budget()
    bare = bytearray()
    graphs: list[memoryview] = []
    for number, value, start, stop in wire.placed_fields(memoryview(data), budget):
        if number == 7:
            graphs.append(wire.message(value))
        elif number == 14:
            key, text = _entry(wire.message(value), budget)
            facts.metadata[key] = text
            if key == METADATA_KEY:
                continue
        else:
            _model_field(number, value, facts, budget)
        bare += data[start:stop]
    if len(graphs) != 1 or not facts.ir_version or not facts.opsets:
        raise WireError("it has no graph, no version or no operator set")
    facts.inputs, facts.outputs = _graph(graphs[0], facts, budget)
    facts.bare = bytes(bare)
    return facts


def _model_field(number: int, value: wire.Value, facts: OnnxFacts, budget: Budget) -> None:
    match number:
        case 1:
            facts.ir_version = wire.integer(value)
        case 2:
            facts.producer = wire.text(value)
        case 8:
            domain, version = _opset(wire.message(value), budget)
            facts.opsets[domain] = version
        case 20:
            facts.has_training = True
        case 25:
            _function(wire.message(value), facts, budget)


def with_passport(data: bytes, passport: bytes) -> bytes:
    """Model with `passport` (JSON) in its metadata, in place of the one that it carried."""
    entry = wire.delimited(1, METADATA_KEY.encode()) + wire.delimited(2, passport)
    return read_onnx(data).bare + wire.delimited(14, entry)


# -- inside the model -------------------------------------------------------------------------------------


def _graph(
    graph: memoryview, facts: OnnxFacts, budget: Budget, depth: int = 0
) -> tuple[list[Port], list[Port]]:
    """Walk nodes and tensors of a graph; returns its inputs and outputs."""
    if depth > MAX_DEPTH:
        raise WireError(f"its graphs are nested more than {MAX_DEPTH} deep")
    constants: set[str] = set()
    inputs: list[Port] = []
    outputs: list[Port] = []
    for number, value in wire.fields(graph, budget):
        match number:
            case 1:
                _node(wire.message(value), facts, budget, depth)
            case 5:
                constants.add(_tensor(wire.message(value), facts, budget))
            case 11:
                inputs.append(_port(wire.message(value), budget))
            case 12:
                outputs.append(_port(wire.message(value), budget))
            case 15:
                _sparse(wire.message(value), facts, budget)
    return [port for port in inputs if port.name not in constants], outputs


def _node(node: memoryview, facts: OnnxFacts, budget: Budget, depth: int) -> None:
    domain = operator = ""
    for number, value in wire.fields(node, budget):
        match number:
            case 4:
                operator = wire.text(value)
            case 5:
                _attribute(wire.message(value), facts, budget, depth)
            case 7:
                domain = wire.text(value)
    domain = domain or STANDARD
    facts.domains.add(domain)
    facts.operators.add(f"{domain}.{operator}")


def _attribute(attribute: memoryview, facts: OnnxFacts, budget: Budget, depth: int) -> None:
    for number, value in wire.fields(attribute, budget):
        match number:
            case 5 | 10:
                _tensor(wire.message(value), facts, budget)
            case 6 | 11:
                _graph(wire.message(value), facts, budget, depth + 1)
            case 22 | 23:
                _sparse(wire.message(value), facts, budget)


def _sparse(tensor: memoryview, facts: OnnxFacts, budget: Budget) -> None:
    dims: list[int] = []
    for number, value in wire.fields(tensor, budget):
        if number in {1, 2}:
            _tensor(wire.message(value), facts, budget)
        elif number == 3:
            dims += wire.integers(value)
    facts.declared_bytes += 8 * math.prod(dims)


# The typed data fields of TensorProto and the bytes per number; varints count as the most they can be.
_TYPED_DATA = {4: 4, 5: 8, 7: 8, 10: 8, 11: 8}


def _tensor(tensor: memoryview, facts: OnnxFacts, budget: Budget) -> str:
    """Note a tensor's memory and where its data lie; returns its name."""
    told = wire.grouped(tensor, budget)
    name = wire.text(told[8][-1]) if 8 in told else ""
    dtype = ELEMENTS.get(wire.integer(told[2][-1]), "") if 2 in told else ""
    dims = [size for value in told.get(1, []) for size in wire.integers(value)]
    if any(size < 0 for size in dims):
        raise WireError(f"tensor {name!r} has a size below zero")
    asked = math.prod(dims) * _BYTES.get(dtype, 1)
    facts.declared_bytes += asked
    if 13 in told or any(told.get(14, [])):
        places = dict(_entry(wire.message(value), budget) for value in told.get(13, []))
        facts.external.append(places.get("location") or name)
    elif dtype in _BYTES and asked > _held_bytes(told):
        facts.short.append(name)
    return name


def _held_bytes(told: dict[int, list[wire.Value]]) -> int:
    held = sum(len(wire.message(value)) for value in told.get(9, []))
    for number, width in _TYPED_DATA.items():
        scale = 1 if number in {4, 10} else 8
        held += sum(width if isinstance(value, int) else len(value) * scale for value in told.get(number, []))
    return held


def _function(function: memoryview, facts: OnnxFacts, budget: Budget) -> None:
    for number, value in wire.fields(function, budget):
        match number:
            case 7:
                _node(wire.message(value), facts, budget, depth=1)
            case 10:
                facts.own_functions.add(wire.text(value) or STANDARD)
            case 11:
                _attribute(wire.message(value), facts, budget, depth=1)


def _opset(opset: memoryview, budget: Budget) -> tuple[str, int]:
    domain, version = "", 0
    for number, value in wire.fields(opset, budget):
        if number == 1:
            domain = wire.text(value)
        elif number == 2:
            version = wire.signed(value)
    return domain or STANDARD, version


def _entry(entry: memoryview, budget: Budget) -> tuple[str, str]:
    key = text = ""
    for number, value in wire.fields(entry, budget):
        if number == 1:
            key = wire.text(value)
        elif number == 2:
            text = wire.text(value)
    return key, text


def _port(info: memoryview, budget: Budget) -> Port:
    name, dtype, shape = "", "", ()  # type: str, str, tuple[int | str, ...]
    for number, value in wire.fields(info, budget):
        if number == 1:
            name = wire.text(value)
        elif number == 2:
            dtype, shape = _type(wire.message(value), budget)
    return Port(name, dtype, shape)


def _type(kind: memoryview, budget: Budget) -> tuple[str, tuple[int | str, ...]]:
    for number, value in wire.fields(kind, budget):
        if number != 1:
            return "not a tensor", ()
        dtype, shape = "", ()  # type: str, tuple[int | str, ...]
        for part, inner in wire.fields(wire.message(value), budget):
            if part == 1:
                dtype = ELEMENTS.get(wire.integer(inner), f"type {wire.integer(inner)}")
            elif part == 2:
                sizes = [wire.message(v) for n, v in wire.fields(wire.message(inner), budget) if n == 1]
                shape = tuple(_size(size, at, budget) for at, size in enumerate(sizes))
        return dtype, shape
    return "", ()


def _size(size: memoryview, at: int, budget: Budget) -> int | str:
    for number, value in wire.fields(size, budget):
        if number == 1:
            return wire.signed(value)
        if number == 2:
            return wire.text(value) or f"free_{at}"
    return f"free_{at}"
