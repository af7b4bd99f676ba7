"""Predictions by onnxruntime: the fastest on the CPU for all but large batches of large models."""
# ruff: noqa: N803, N806 - tensors are named by their shape

import time
from collections.abc import Mapping
from typing import Any

import numpy.typing as npt

from ai.runtime.devices import Device
from ai.runtime.latency import LatencyHistogram
from ai.runtime.onnx_session import open_session
from ai.runtime.predictor import (
    Arrays,
    Floats,
    Memory,
    Signature,
    predict_in_chunks,
    warm_up_rows,
)

_WARM_UPS = 20


class OnnxPredictor:
    """A `Predictor` over one onnxruntime session.

    Parameters
    ----------
    model : bytes
        As it was judged by `ai.loading`.
    signature : Signature
    device : Device
    gpu_memory_bytes : int, optional
        Most that the session may take of the GPU.
    host_bytes : int, optional
        Memory that the model took in its first run, as its inspection measured it.
    """

    runtime = "onnxruntime"

    def __init__(
        self,
        model: bytes,
        signature: Signature,
        device: Device,
        *,
        gpu_memory_bytes: int | None = None,
        host_bytes: int | None = None,
    ) -> None:
        self.signature = signature
        self.device = str(device)
        self.latency = LatencyHistogram()
        self._session = open_session(model, cuda=device.cuda, gpu_memory_bytes=gpu_memory_bytes)
        self._used = [signature.outputs[signature.used]]
        self._all = list(signature.outputs)
        self._host_bytes = host_bytes

    def warm_up(self) -> None:
        """Let the session plan its memory and the processor's caches fill."""
        x_BTF = warm_up_rows(self.signature)
        for _ in range(_WARM_UPS):
            self.predict(x_BTF)
        self.latency.clear()

    def predict(self, x_BTF: Floats) -> Floats:
        """Predict y_BC."""
        begun = time.perf_counter_ns()
        if len(x_BTF) == (self.signature.batch or 1):
            (output,) = self._session.run(self._used, self.signature.feed(x_BTF))
            y_BC = self.signature.prediction(output)
        else:
            y_BC = predict_in_chunks(self, x_BTF)
        self.latency.record(time.perf_counter_ns() - begun)
        return y_BC

    def run(self, inputs: Mapping[str, npt.NDArray[Any]]) -> Arrays:
        """All outputs for the model's own inputs."""
        return dict(zip(self._all, self._session.run(self._all, dict(inputs)), strict=True))

    def memory(self) -> Memory:
        """What its inspection measured; onnxruntime does not tell what it holds of a GPU."""
        return Memory(self._host_bytes, None)

    def close(self) -> None:
        """Close the session."""
        self._session = None
