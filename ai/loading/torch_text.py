"""What torch's executable formats say in plain text of inputs, outputs and devices, read without torch."""

import re
from collections.abc import Iterator
from typing import Any

from ai.loading.archives import Archive, ArchiveError
from ai.runtime.isolation_messages import Declared

# ScalarType numbers of torch's export schema.
_DTYPES = {4: "int32", 5: "int64", 6: "float16", 7: "float32", 8: "float64", 12: "bool", 13: "bfloat16"}
_FORWARD = re.compile(
    r"def forward\(\s*\w+(?::[^,()]*)?,?\s*(?P<inputs>[^)]*)\)\s*->\s*(?P<outputs>[^\n]*):\n"
)
_DEVICE = re.compile(r"""torch\.device\(\s*["'](cuda(?::\d+)?)["']""")


def read_code(archive: Archive) -> dict[str, str]:
    """Source of a TorchScript archive by member name."""
    return {
        name: archive.read(name).decode("utf-8", "replace")
        for name in archive.members
        if name.startswith("code/") and name.endswith(".py")
    }


def script_ports(archive: Archive, code: dict[str, str]) -> tuple[tuple[Declared, ...], tuple[Declared, ...]]:
    """Inputs and outputs of the top module's `forward`; TorchScript tells no shapes, so they are empty."""
    top = _top_class(archive)
    for name, text in code.items():
        module = name.removeprefix("code/").removesuffix(".py").replace("/", ".")
        if not top.startswith(f"{module}."):
            continue
        at = text.find(f"class {top.rsplit('.', 1)[1]}(")
        if at < 0 or (matched := _FORWARD.search(text, at)) is None:
            continue
        inputs = [part.split(":")[0].strip() for part in matched["inputs"].split(",") if "Tensor" in part]
        count = max(1, matched["outputs"].count("Tensor"))
        return (
            tuple(Declared(each, "", ()) for each in inputs),
            tuple(Declared(f"output_{n}", "", ()) for n in range(count)),
        )
    return (), ()


def _top_class(archive: Archive) -> str:
    """Name of the class that the archive's data.pkl makes first; its protocol 2 keeps it as plain text."""
    matched = re.search(rb"c(__torch__[\w.]*)\n(\w+)\n", archive.read("data.pkl"))
    return f"{matched[1].decode()}.{matched[2].decode()}" if matched is not None else ""


def fixed_devices(code: dict[str, str]) -> tuple[str, ...]:
    """CUDA devices that stand in the code itself, which no re-mapping reaches."""
    return tuple(sorted({device for text in code.values() for device in _DEVICE.findall(text)}))


def export_ports(program: Any) -> tuple[tuple[Declared, ...], tuple[Declared, ...]]:
    """Inputs and outputs of a torch.export program, in order.

    Raises
    ------
    ArchiveError
        The program is not as torch writes it.
    """
    try:
        graph = program["graph_module"]["graph"]
        signature = program["graph_module"]["signature"]
        tensors = graph["tensor_values"]
        inputs = [each["user_input"]["arg"] for each in signature["input_specs"] if "user_input" in each]
        outputs = [each["user_output"]["arg"] for each in signature["output_specs"] if "user_output" in each]
        sides = [
            tuple(_port(each["as_tensor"]["name"], tensors) for each in side if "as_tensor" in each)
            for side in (inputs, outputs)
        ]
    except (KeyError, TypeError, AttributeError) as error:
        raise ArchiveError("its program is not as torch.export writes it") from error
    return sides[0], sides[1]


def _port(name: str, tensors: Any) -> Declared:
    told = tensors[name]
    shape = tuple(
        int(size["as_int"]) if "as_int" in size else f"free_{at}" for at, size in enumerate(told["sizes"])
    )
    return Declared(name, _DTYPES.get(told["dtype"], f"type {told['dtype']}"), shape)


def export_devices(program: Any) -> tuple[str, ...]:
    """CUDA devices that the program names anywhere."""
    return tuple(sorted({device for device in _devices(program, 0) if device.startswith("cuda")}))


def _devices(value: Any, depth: int) -> Iterator[str]:
    if depth > 200:
        raise ArchiveError("its program is nested too deep")
    if isinstance(value, dict):
        if isinstance(value.get("type"), str) and "index" in value:
            index = value["index"]
            yield value["type"] if index is None else f"{value['type']}:{index}"
        for each in value.values():
            yield from _devices(each, depth + 1)
    elif isinstance(value, list):
        for each in value:
            yield from _devices(each, depth + 1)
