"""Opens torch's file formats, in the process of its own that `ai.runtime.isolated_child` is.

A state dict is read with `weights_only=True`, and nothing is tried when that fails.
"""

import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from ai.passport.records import Architecture
from ai.runtime import safetensors
from ai.runtime.isolation_messages import Declared, Format
from ai.runtime.modules import build
from ai.runtime.onnx_export import export_onnx
from ai.runtime.torch_outputs import flat_outputs

type Arrays = dict[str, npt.NDArray[Any]]

_NESTED = ("state_dict", "model_state_dict", "model")


@dataclass(frozen=True, slots=True)
class OpenedFile:
    """What a file holds, and how it runs and is written as ONNX, where it can."""

    entries: tuple[Declared, ...] = ()
    remapped_from: tuple[str, ...] = ()
    run: Callable[[Arrays], Arrays] | None = None
    export: Callable[[Arrays, tuple[str, ...]], bytes] | None = None


def open_file(
    data: bytes, kind: Format, architecture: Architecture | None, output_names: tuple[str, ...]
) -> OpenedFile:
    """Open a file of the given kind on the CPU.

    Raises
    ------
    Exception
        Whatever torch finds wrong with it.
    """
    torch.set_num_threads(1)
    if kind == "torchscript":
        return _runnable(torch.jit.load(io.BytesIO(data), map_location="cpu").eval(), output_names)  # type: ignore[no-untyped-call]
    if kind == "pt2":
        return _runnable(torch.export.load(io.BytesIO(data)).module(), output_names)
    weights = read_weights(data, kind)
    entries = tuple(
        Declared(key, str(value.dtype).removeprefix("torch."), tuple(value.shape))
        for key, value in weights.items()
    )
    if architecture is None:
        return OpenedFile(entries)
    opened = _runnable(filled(weights, architecture), output_names)
    return OpenedFile(entries, run=opened.run, export=opened.export)


def filled(weights: Mapping[str, torch.Tensor], architecture: Architecture) -> nn.Module:
    """Module of the architecture with these weights, no key more and none less."""
    module = build(architecture.name, architecture.sizes)
    module.load_state_dict(weights, strict=True)
    return module.eval()


def read_weights(data: bytes, kind: Format) -> dict[str, torch.Tensor]:
    """Weights of a state dict or a safetensors file, on the CPU; also from inside a checkpoint's dict."""
    if kind == "weights":
        header, _ = safetensors.read_header(data)
        return {k: torch.from_numpy(v.copy()) for k, v in safetensors.arrays(data, header).items()}
    told = torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)
    for name in _NESTED:
        if isinstance(told, Mapping) and isinstance(told.get(name), Mapping):
            told = told[name]
            break
    if not isinstance(told, Mapping) or not told:
        raise ValueError("it holds no weights by name")
    stray = [str(key) for key, value in told.items() if not isinstance(value, torch.Tensor)]
    if stray:
        raise ValueError(f"its entry {stray[0]} is no tensor; save model.state_dict() alone")
    return {str(key): value for key, value in told.items()}


def _runnable(module: Any, output_names: tuple[str, ...]) -> OpenedFile:
    def run(inputs: Arrays) -> Arrays:
        tensors = [torch.from_numpy(np.array(array)) for array in inputs.values()]
        with torch.inference_mode():
            outputs = flat_outputs(module(*tensors))
        names = output_names or tuple(f"output_{at}" for at in range(len(outputs)))
        if len(names) != len(outputs):
            raise ValueError(f"it gives {len(outputs)} outputs where {len(names)} are named")
        return {name: output.numpy() for name, output in zip(names, outputs, strict=True)}

    def export(inputs: Arrays, names: tuple[str, ...]) -> bytes:
        return export_onnx(module, inputs, names)

    return OpenedFile(run=run, export=export)
