"""Predictions by onnxruntime: the fastest on the CPU for all but large batches of large models."""
# ruff: noqa: N803, N806 - tensors are named by their shape

import math
import time
from collections.abc import Mapping
from typing import Any

import numpy as np
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
        self._single = _Single.of(self._session, signature) if device.cuda is None else None

    def warm_up(self) -> None:
        """Let the session plan its memory and the processor's caches fill."""
        x_BTF = warm_up_rows(self.signature)
        for _ in range(_WARM_UPS):
            self.predict(x_BTF)
        self.latency.clear()

    def predict(self, x_BTF: Floats) -> Floats:
        """Predict y_BC."""
        begun = time.perf_counter_ns()
        if self._single is not None and len(x_BTF) == 1:
            y_BC = self._single.predict(x_BTF)[None].copy()
        elif len(x_BTF) == (self.signature.batch or 1):
            (output,) = self._session.run(self._used, self.signature.feed(x_BTF))
            y_BC = self.signature.prediction(output)
        else:
            y_BC = predict_in_chunks(self, x_BTF)
        self.latency.record(time.perf_counter_ns() - begun)
        return y_BC

    def predict_one(self, x_BTF: Floats) -> list[float]:
        """Predict one window; its numbers, not timed."""
        if self._single is None:
            answer: list[float] = self.predict(x_BTF)[0].tolist()
            return answer
        return self._single.predict(x_BTF).tolist()  # type: ignore[no-any-return]

    def run(self, inputs: Mapping[str, npt.NDArray[Any]]) -> Arrays:
        """All outputs for the model's own inputs."""
        return dict(zip(self._all, self._session.run(self._all, dict(inputs)), strict=True))

    def memory(self) -> Memory:
        """What its inspection measured; onnxruntime does not tell what it holds of a GPU."""
        return Memory(self._host_bytes, None)

    def close(self) -> None:
        """Close the session."""
        self._session = self._single = None


class _Single:
    """One window of one float32 input, through buffers that are bound to the session once.

    A prediction of a small model is mostly the making and passing of arrays; without it, it costs half.
    """

    def __init__(self, session: Any, signature: Signature, numbers: int) -> None:
        port = signature.inputs[0]
        shape = (1, signature.window, port.columns) if port.has_window else (1, port.columns)
        self._mean, self._factor = signature.mean, signature.factor
        self._shape = (1, signature.window, port.columns)
        self._given = np.zeros(self._shape, np.float32)
        self._told = np.zeros(numbers, np.float32)
        self._run = session.run_with_iobinding
        self._binding = session.io_binding()
        self._binding.bind_input(port.name, "cpu", 0, np.float32, shape, self._given.ctypes.data)
        used = signature.outputs[signature.used]
        told_shape = next(each.shape for each in session.get_outputs() if each.name == used)[1:]
        self._binding.bind_output(used, "cpu", 0, np.float32, (1, *told_shape), self._told.ctypes.data)

    @classmethod
    def of(cls, session: Any, signature: Signature) -> "_Single | None":
        """Bind the session; None where it has another kind of input, output or batch."""
        port, used = signature.inputs[0], signature.outputs[signature.used]
        declared = next(each for each in session.get_outputs() if each.name == used)
        sizes = declared.shape[1:]
        is_plain = len(signature.inputs) == 1 and port.dtype == "float32" and declared.type == "tensor(float)"
        is_known = bool(declared.shape) and all(isinstance(size, int) for size in sizes)
        if not (is_plain and is_known and signature.batch in {None, 1}):
            return None
        if not port.has_window and signature.window != 1:
            return None
        return cls(session, signature, math.prod(sizes))

    def predict(self, x_BTF: Floats) -> Floats:
        """Numbers of one window; the same memory at every call."""
        if x_BTF.shape != self._shape:
            raise ValueError(f"windows are {x_BTF.shape}, expected {list(self._shape)}")
        given = self._given
        if self._mean is None or self._factor is None:
            given[:] = x_BTF
        else:
            np.subtract(x_BTF, self._mean, out=given)
            np.multiply(given, self._factor, out=given)
        self._run(self._binding)
        return self._told
