"""Predictions by a model whose file holds its maker's code: it stays in the process of its own.

Each prediction crosses two pipes, which costs about 100 µs; converted to ONNX the same model is faster.
"""
# ruff: noqa: N803, N806 - tensors are named by their shape

import time
from collections.abc import Mapping
from typing import Any

import numpy.typing as npt

from ai.runtime.isolation import IsolatedModel
from ai.runtime.latency import LatencyHistogram
from ai.runtime.predictor import Arrays, Floats, Memory, Signature, predict_in_chunks, warm_up_rows

_WARM_UPS = 20


class IsolatedPredictor:
    """A `Predictor` over a model in a process of its own."""

    runtime = "isolated"
    device = "cpu"

    def __init__(self, model: IsolatedModel, signature: Signature) -> None:
        self.signature = signature
        self.latency = LatencyHistogram()
        self._model = model
        self._memory_bytes = model.opened.memory_bytes

    def warm_up(self) -> None:
        """Let the model's process compile what it compiles in its first runs."""
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
        """All outputs for the model's own inputs."""
        ran = self._model.run(dict(inputs))
        self._memory_bytes = ran.memory_bytes if ran.memory_bytes is not None else self._memory_bytes
        return {name: tensor.array() for name, tensor in ran.outputs.items()}

    def memory(self) -> Memory:
        """What its process holds beyond its libraries."""
        return Memory(self._memory_bytes, None)

    def close(self) -> None:
        """End its process."""
        self._model.close()
