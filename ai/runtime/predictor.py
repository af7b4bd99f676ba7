"""What every runtime looks like to those who want predictions, and the shapes it is asked in.

Shape letters: B batch, T rows of the window, F feature columns, C numbers of one prediction.
"""
# ruff: noqa: N803, N806 - tensors are named by their shape

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from ai.runtime.latency import LatencyHistogram

type Floats = npt.NDArray[np.float32]
type Arrays = dict[str, npt.NDArray[Any]]

MAX_BATCH = 4096


@dataclass(frozen=True, slots=True)
class InputPort:
    """One input tensor: `columns` of the feature columns, with a window axis or (at window 1) without."""

    name: str
    dtype: str
    columns: int
    has_window: bool = True


@dataclass(frozen=True, slots=True)
class Signature:
    """How feature windows become the model's inputs and its outputs one prediction.

    Attributes
    ----------
    inputs : tuple of InputPort
        In order; their columns follow each other in F.
    outputs : tuple of str
        All outputs in the model's order.
    used : int
        Place in `outputs` of the one that is the prediction.
    window : int
        T.
    batch : int or None
        B where the model takes no other; it is filled up with zeros, in as many runs as it takes.
    mean, std : arrays of F, optional
        Normaliser, done before the model.
    """

    inputs: tuple[InputPort, ...]
    outputs: tuple[str, ...]
    used: int
    window: int
    batch: int | None = None
    mean: Floats | None = None
    std: Floats | None = None
    factor: Floats | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        if self.std is not None:
            object.__setattr__(self, "factor", (1.0 / self.std.astype(np.float64)).astype(np.float32))

    @property
    def columns(self) -> int:
        """F."""
        return sum(port.columns for port in self.inputs)

    def feed(self, x_BTF: Floats) -> Arrays:
        """Model's inputs for feature windows.

        Raises
        ------
        ValueError
            Not B windows of T rows of F columns.
        """
        if x_BTF.ndim != 3 or x_BTF.shape[1:] != (self.window, self.columns):
            raise ValueError(f"windows are {x_BTF.shape}, expected [B, {self.window}, {self.columns}]")
        if self.mean is not None and self.factor is not None:
            x_BTF = (x_BTF - self.mean) * self.factor
        if len(self.inputs) == 1 and self.inputs[0].has_window and self.inputs[0].dtype == "float32":
            return {self.inputs[0].name: np.ascontiguousarray(x_BTF, np.float32)}
        arrays: Arrays = {}
        at = 0
        for port in self.inputs:
            part = x_BTF[:, :, at : at + port.columns]
            at += port.columns
            arrays[port.name] = np.ascontiguousarray(part if port.has_window else part[:, -1], port.dtype)
        return arrays

    def chunks(self, rows: int) -> Iterator[tuple[int, int, int]]:
        """Split `rows` windows into runs: first row, rows that count, rows that the model is given."""
        size = self.batch or MAX_BATCH
        for first in range(0, rows, size):
            count = min(size, rows - first)
            yield first, count, self.batch or count

    def prediction(self, output: npt.NDArray[Any]) -> Floats:
        """Model's used output as y_BC; one number per row becomes C = 1."""
        y = output.astype(np.float32, copy=False)
        return y.reshape(y.shape[0], math.prod(y.shape[1:]))


@dataclass(frozen=True, slots=True)
class Memory:
    """Bytes that a loaded model holds; None where that cannot be measured."""

    host_bytes: int | None
    gpu_bytes: int | None


class Runner(Protocol):
    """What runs a model's own inputs."""

    signature: Signature

    def run(self, inputs: Mapping[str, npt.NDArray[Any]]) -> Arrays:
        """All outputs for the model's own inputs, such as golden ones."""


class Predictor(Runner, Protocol):
    """A loaded model.

    Attributes
    ----------
    runtime : str
        `onnxruntime`, `torch`, …
    device : str
        `cpu` or `cuda:N`.
    latency : LatencyHistogram
        Durations of `predict`, NumPy in to NumPy out.
    """

    runtime: str
    device: str
    latency: LatencyHistogram

    def warm_up(self) -> None:
        """Run until the first real prediction costs what all later ones cost; forgets these durations."""

    def predict(self, x_BTF: Floats) -> Floats:
        """Predict y_BC of feature windows x_BTF as features give them, not normalised."""

    def memory(self) -> Memory:
        """What it holds now."""

    def close(self) -> None:
        """Give back what it holds."""


@runtime_checkable
class PredictsOne(Protocol):
    """A predictor with a shorter way for one window."""

    def predict_one(self, x_BTF: Floats) -> list[float]:
        """Predict one window; its numbers, not timed."""


def one_by_one(predictor: Predictor) -> Callable[[Floats], list[float]]:
    """Return the shortest way to the numbers of one window `[1, T, F]`."""
    if isinstance(predictor, PredictsOne):
        return predictor.predict_one

    def predict_one(x_BTF: Floats) -> list[float]:
        answer: list[float] = predictor.predict(x_BTF)[0].tolist()
        return answer

    return predict_one


def predict_in_chunks(predictor: Runner, x_BTF: Floats) -> Floats:
    """Predict any number of windows in runs that the model takes, filled up where its batch is fixed."""
    signature = predictor.signature
    parts = []
    for first, count, given in signature.chunks(len(x_BTF)):
        part = x_BTF[first : first + count]
        if given != count:
            part = np.concatenate([part, np.zeros((given - count, *part.shape[1:]), np.float32)])
        outputs = predictor.run(signature.feed(part))
        parts.append(signature.prediction(outputs[signature.outputs[signature.used]])[:count])
    return np.concatenate(parts) if parts else np.empty((0, 0), np.float32)


def warm_up_rows(signature: Signature) -> Floats:
    """One window of standard normal numbers (seeded), denormalised, as features would give it."""
    rng = np.random.default_rng(7)
    x_BTF = rng.standard_normal((1, signature.window, signature.columns)).astype(np.float32)
    if signature.mean is not None and signature.std is not None:
        x_BTF = x_BTF * signature.std + signature.mean
    return x_BTF
