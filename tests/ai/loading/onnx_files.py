"""ONNX models written by hand, byte by byte: small ones that run, and ones that no exporter would write."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from ai.loading.wire import delimited, varint

ELEMENTS = {"float32": 1, "int64": 7, "bool": 9}


def whole(number: int, value: int) -> bytes:
    return varint(number << 3) + varint(value & (1 << 64) - 1)


def name(number: int, text: str) -> bytes:
    return delimited(number, text.encode())


def tensor(called: str, array: npt.NDArray[np.generic], *, dims: Sequence[int] | None = None) -> bytes:
    sizes = array.shape if dims is None else dims
    return (
        b"".join(whole(1, size) for size in sizes)
        + whole(2, ELEMENTS[array.dtype.name])
        + name(8, called)
        + delimited(9, array.tobytes())
    )


def external(called: str, location: str, size: int) -> bytes:
    entry = name(1, "location") + name(2, location)
    return whole(1, size) + whole(2, 1) + name(8, called) + delimited(13, entry) + whole(14, 1)


def port(called: str, dtype: str, shape: Sequence[int | str]) -> bytes:
    sizes = b"".join(
        delimited(1, whole(1, size) if isinstance(size, int) else name(2, size)) for size in shape
    )
    kind = delimited(1, whole(1, ELEMENTS[dtype]) + delimited(2, sizes))
    return name(1, called) + delimited(2, kind)


def node(
    operator: str,
    inputs: Sequence[str],
    outputs: Sequence[str],
    *,
    domain: str = "",
    attributes: Sequence[bytes] = (),
) -> bytes:
    return (
        b"".join(name(1, each) for each in inputs)
        + b"".join(name(2, each) for each in outputs)
        + name(4, operator)
        + b"".join(delimited(5, each) for each in attributes)
        + (name(7, domain) if domain else b"")
    )


def number(called: str, value: int) -> bytes:
    return name(1, called) + whole(3, value) + whole(20, 2)


def subgraph(called: str, body: bytes) -> bytes:
    return name(1, called) + delimited(6, body) + whole(20, 5)


def graph(
    nodes: Sequence[bytes],
    inputs: Sequence[bytes],
    outputs: Sequence[bytes],
    tensors: Sequence[bytes] = (),
) -> bytes:
    return (
        b"".join(delimited(1, each) for each in nodes)
        + name(2, "g")
        + b"".join(delimited(5, each) for each in tensors)
        + b"".join(delimited(11, each) for each in inputs)
        + b"".join(delimited(12, each) for each in outputs)
    )


def model(body: bytes, *, domains: Sequence[str] = ()) -> bytes:
    opsets = [whole(2, 17)] + [name(1, domain) + whole(2, 1) for domain in domains]
    return whole(1, 8) + delimited(7, body) + b"".join(delimited(8, each) for each in opsets)


WEIGHTS: npt.NDArray[np.float32] = np.arange(12, dtype=np.float32).reshape(4, 3) / np.float32(10)


def linear(rows: int | str = "batch", weights: npt.NDArray[np.float32] = WEIGHTS) -> bytes:
    """y = softmax(x W), for x of four columns."""
    nodes = [node("MatMul", ["x", "w"], ["h"]), node("Softmax", ["h"], ["y"])]
    return model(
        graph(
            nodes,
            [port("x", "float32", [rows, 4])],
            [port("y", "float32", [rows, 3])],
            [tensor("w", weights)],
        )
    )


def windowed() -> bytes:
    """y = the newest row of a window of five, times W."""
    nodes = [
        node("Gather", ["x", "last"], ["row"], attributes=[number("axis", 1)]),
        node("MatMul", ["row", "w"], ["y"]),
    ]
    return model(
        graph(
            nodes,
            [port("x", "float32", ["batch", 5, 4])],
            [port("y", "float32", ["batch", 3])],
            [tensor("w", WEIGHTS), tensor("last", np.array(4, np.int64))],
        )
    )


def two_inputs_two_outputs() -> bytes:
    """label = argmax(concat(a, b)) as int64, and the concatenation itself."""
    nodes = [
        node("Concat", ["a", "b"], ["both"], attributes=[number("axis", 1)]),
        node("ArgMax", ["both"], ["label"], attributes=[number("axis", 1), number("keepdims", 0)]),
    ]
    return model(
        graph(
            nodes,
            [port("a", "float32", ["batch", 2]), port("b", "float32", ["batch", 1])],
            [port("label", "int64", ["batch"]), port("both", "float32", ["batch", 3])],
        )
    )


def never_finite() -> bytes:
    """y = log(-1 - x²), NaN whatever x is."""
    nodes = [
        node("Mul", ["x", "x"], ["square"]),
        node("Add", ["square", "one"], ["sum"]),
        node("Neg", ["sum"], ["negative"]),
        node("Log", ["negative"], ["y"]),
    ]
    ports = [port("x", "float32", ["batch", 4])], [port("y", "float32", ["batch", 4])]
    return model(graph(nodes, *ports, [tensor("one", np.ones(1, np.float32))]))


def greedy(numbers: int) -> bytes:
    """A few bytes that ask for `numbers` floats when they run."""
    nodes = [
        node("ConstantOfShape", ["size"], ["much"]),
        node("ReduceSum", ["much"], ["total"]),
        node("Add", ["x", "total"], ["y"]),
    ]
    ports = [port("x", "float32", [1, 4])], [port("y", "float32", [1, 4])]
    return model(graph(nodes, *ports, [tensor("size", np.array([numbers], np.int64))]))


def endless() -> bytes:
    """A loop that never ends."""
    body = graph(
        [node("Identity", ["going"], ["still"]), node("Identity", ["v"], ["v_out"])],
        [port("i", "int64", []), port("going", "bool", []), port("v", "float32", [1, 4])],
        [port("still", "bool", []), port("v_out", "float32", [1, 4])],
    )
    nodes = [node("Loop", ["often", "yes", "x"], ["y"], attributes=[subgraph("body", body)])]
    tensors = [tensor("often", np.array(2**62, np.int64)), tensor("yes", np.array(True))]
    ports = [port("x", "float32", [1, 4])], [port("y", "float32", [1, 4])]
    return model(graph(nodes, *ports, tensors))
