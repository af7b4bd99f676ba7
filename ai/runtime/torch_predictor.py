"""Predictions by torch: what a GPU is for, and the station's own architectures before they are converted.

On a GPU one prediction of a small model is all launch cost. So each batch size is rounded up to a power of
two, and for each of these the whole forward pass is recorded once as a CUDA graph over buffers that never
move: pinned host memory, one copy in, one launch, one copy out.
"""
# ruff: noqa: N803, N806 - tensors are named by their shape

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from ai.runtime.devices import Device
from ai.runtime.latency import LatencyHistogram
from ai.runtime.predictor import (
    MAX_BATCH,
    Arrays,
    Floats,
    Memory,
    Signature,
    predict_in_chunks,
    warm_up_rows,
)
from ai.runtime.torch_outputs import flat_outputs

_WARM_UPS = 20

type Precision = Literal["float32", "bfloat16"]


def bucket_of(rows: int) -> int:
    """Smallest power of two that holds `rows` (1 … 4096)."""
    if not 1 <= rows <= MAX_BATCH:
        raise ValueError(f"{rows} rows are not from 1 to {MAX_BATCH}")
    return 1 << (rows - 1).bit_length()


@dataclass(frozen=True, slots=True)
class _Slot:
    """Buffers of one batch size, and the replay that takes `host_in` to `host_out`."""

    host_in: list[npt.NDArray[Any]]
    host_out: list[npt.NDArray[Any]]
    replay: Callable[[], None]


class TorchPredictor:
    """A `Predictor` over a torch module.

    Parameters
    ----------
    module : torch.nn.Module
        On the CPU, its weights loaded.
    signature : Signature
    device : Device
    precision : {"float32", "bfloat16"}
        What the forward pass computes in; inputs and outputs stay float32.
    static : bool, optional
        Bucketed static buffers; always so on CUDA, otherwise only to test them.
    gpu_memory_bytes : int, optional
        Most that torch may take of the GPU in this process.
    """

    runtime = "torch"

    def __init__(
        self,
        module: nn.Module,
        signature: Signature,
        device: Device,
        *,
        precision: Precision = "float32",
        static: bool = False,
        gpu_memory_bytes: int | None = None,
    ) -> None:
        self.signature = signature
        self.device = str(device)
        self.latency = LatencyHistogram()
        self._on_gpu = device.cuda is not None
        self._static = static or self._on_gpu
        self._place = torch.device(self.device)
        self._type = torch.bfloat16 if precision == "bfloat16" else torch.float32
        if self._on_gpu and gpu_memory_bytes is not None:
            total = torch.cuda.get_device_properties(self._place).total_memory
            torch.cuda.set_per_process_memory_fraction(min(1.0, gpu_memory_bytes / total), self._place)
        self._module = module.eval().requires_grad_(requires_grad=False).to(self._place, self._type)
        self._slots: dict[int, _Slot] = {}

    def warm_up(self) -> None:
        """Record the graphs of every batch size (CUDA), then run until caches are warm."""
        if self._static:
            for power in range(MAX_BATCH.bit_length()):
                self._slot(1 << power)
        x_BTF = warm_up_rows(self.signature)
        for _ in range(_WARM_UPS):
            self.predict(x_BTF)
        self.latency.clear()

    def predict(self, x_BTF: Floats) -> Floats:
        """Predict y_BC."""
        begun = time.perf_counter_ns()
        y_BC = predict_in_chunks(self, x_BTF)
        self.latency.record(time.perf_counter_ns() - begun)
        return y_BC

    def run(self, inputs: Mapping[str, npt.NDArray[Any]]) -> Arrays:
        """All outputs for the model's own inputs, by place in the signature."""
        arrays = [inputs[port.name] for port in self.signature.inputs]
        outputs = self._run_static(arrays) if self._static else self._run_eager(arrays)
        return dict(zip(self.signature.outputs, outputs, strict=True))

    def memory(self) -> Memory:
        """Bytes of the weights, and what torch holds of the GPU for all models of this process."""
        weights = sum(tensor.numel() * tensor.element_size() for tensor in self._module.state_dict().values())
        if not self._on_gpu:
            return Memory(weights, None)
        return Memory(0, int(torch.cuda.memory_reserved(self._place)))

    def close(self) -> None:
        """Drop graphs, buffers and weights."""
        self._slots.clear()
        self._module = nn.Identity()
        if self._on_gpu:
            torch.cuda.empty_cache()

    # -- running ------------------------------------------------------------------------------------------

    def _forward(self, tensors: list[Tensor]) -> list[Tensor]:
        given = [tensor.to(self._type) if tensor.is_floating_point() else tensor for tensor in tensors]
        return [
            output.float() if output.is_floating_point() else output
            for output in flat_outputs(self._module(*given))
        ]

    def _run_eager(self, arrays: list[npt.NDArray[Any]]) -> list[npt.NDArray[Any]]:
        with torch.inference_mode():
            tensors = [torch.from_numpy(np.require(array, requirements=["C", "W"])) for array in arrays]
            return [output.numpy() for output in self._forward(tensors)]

    def _run_static(self, arrays: list[npt.NDArray[Any]]) -> list[npt.NDArray[Any]]:
        rows = len(arrays[0])
        slot = self._slot(bucket_of(rows))
        for buffer, array in zip(slot.host_in, arrays, strict=True):
            buffer[:rows] = array
            buffer[rows:] = 0
        slot.replay()
        return [buffer[:rows].copy() for buffer in slot.host_out]

    def _slot(self, rows: int) -> _Slot:
        slot = self._slots.get(rows)
        if slot is None:
            slot = self._slots[rows] = self._gpu_slot(rows) if self._on_gpu else self._cpu_slot(rows)
        return slot

    def _host_inputs(self, rows: int) -> list[Tensor]:
        return [
            torch.zeros(
                (rows, self.signature.window, port.columns) if port.has_window else (rows, port.columns),
                dtype=getattr(torch, port.dtype),
                pin_memory=self._on_gpu,
            )
            for port in self.signature.inputs
        ]

    def _cpu_slot(self, rows: int) -> _Slot:
        inputs = self._host_inputs(rows)
        with torch.inference_mode():
            outputs = [torch.empty_like(output) for output in self._forward(inputs)]

        def replay() -> None:
            with torch.inference_mode():
                for buffer, output in zip(outputs, self._forward(inputs), strict=True):
                    buffer.copy_(output)

        return _Slot([each.numpy() for each in inputs], [each.numpy() for each in outputs], replay)

    def _gpu_slot(self, rows: int) -> _Slot:
        host_in = self._host_inputs(rows)
        stream = torch.cuda.Stream(self._place)  # type: ignore[no-untyped-call]
        stream.wait_stream(torch.cuda.current_stream(self._place))
        with torch.inference_mode(), torch.cuda.device(self._place):
            device_in = [each.to(self._place) for each in host_in]
            with torch.cuda.stream(stream):
                for _ in range(
                    3
                ):  # libraries choose their kernels and take their workspaces before the capture
                    self._forward(device_in)
            stream.synchronize()
            graph = torch.cuda.CUDAGraph()
            with torch.cuda.graph(graph, stream=stream):
                device_out = self._forward(device_in)
            host_out = [torch.empty(each.shape, dtype=each.dtype, pin_memory=True) for each in device_out]

        def replay() -> None:
            with torch.inference_mode(), torch.cuda.stream(stream):
                for device, host in zip(device_in, host_in, strict=True):
                    device.copy_(host, non_blocking=True)
                graph.replay()
                for host, device in zip(host_out, device_out, strict=True):
                    host.copy_(device, non_blocking=True)
            stream.synchronize()

        return _Slot([each.numpy() for each in host_in], [each.numpy() for each in host_out], replay)
