"""Measures every runtime that is present on one model, and picks the fastest of those that are right.

Which runtime is fastest depends on the model, the batch and the machine, so it is measured here and now;
which is right is told by golden outputs, or, without any, by the first runtime that answers.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ai.runtime.predictor import MAX_BATCH, Predictor, warm_up_rows

_SECONDS = 0.4
_RUNS = 2_000
_BATCH_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Candidate:
    """A runtime that may run the model: how to open it, or the sentence that says why it is not here."""

    name: str
    open: Callable[[], Predictor] | None
    absent: str = ""


@dataclass(frozen=True, slots=True)
class Expected:
    """Inputs, the outputs that are right for them, and how far others may lie from these."""

    inputs: Mapping[str, npt.NDArray[Any]]
    outputs: Mapping[str, npt.NDArray[Any]] | None
    rtol: float = 1e-4
    atol: float = 1e-5


@dataclass(frozen=True, slots=True)
class Measured:
    """Figures of one runtime; durations are NumPy in to NumPy out.

    Attributes
    ----------
    right : bool or None
        None where it did not run.
    p50_us, p99_us : float or None
        One prediction (or one run, where the model's batch is fixed).
    rows_per_s : float or None
        At `batch` rows: 4,096, or as many as run within about a second.
    """

    name: str
    device: str
    right: bool | None
    told: str
    p50_us: float | None = None
    p99_us: float | None = None
    batch: int | None = None
    rows_per_s: float | None = None
    host_bytes: int | None = None
    gpu_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class Choice:
    """The fastest right runtime's name, None where none is right, and the figures of all."""

    best: str | None
    measured: tuple[Measured, ...]


def choose_runtime(candidates: Sequence[Candidate], expected: Expected) -> Choice:
    """Open, prove and time every candidate; the fastest right one at a single prediction is chosen."""
    measured = []
    outputs = expected.outputs
    for candidate in candidates:
        if candidate.open is None:
            measured.append(Measured(candidate.name, "", None, candidate.absent))
            continue
        try:
            predictor = candidate.open()
        except Exception as error:  # noqa: BLE001 - a runtime that cannot open it is a row that says so
            measured.append(Measured(candidate.name, "", None, _first_line(error)))
            continue
        try:
            answers = predictor.run(expected.inputs)
            outputs = outputs if outputs is not None else answers
            measured.append(_measure(candidate.name, predictor, _difference(answers, outputs, expected)))
        except Exception as error:  # noqa: BLE001 - as above
            measured.append(Measured(candidate.name, predictor.device, False, _first_line(error)))
        finally:
            predictor.close()
    right = [each for each in measured if each.right and each.p50_us is not None]
    best = min(right, key=lambda each: each.p50_us or 0.0).name if right else None
    return Choice(best, tuple(measured))


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:300]


def _difference(
    answers: Mapping[str, npt.NDArray[Any]], right: Mapping[str, npt.NDArray[Any]], expected: Expected
) -> str:
    """Say how the answers differ from the right ones; empty where they do not."""
    for name, output in right.items():
        found = answers.get(name)
        if found is None or found.shape != output.shape:
            return f"It gives another output {name}."
        if not np.allclose(found, output, rtol=expected.rtol, atol=expected.atol):
            worst = np.max(np.abs(found.astype(np.float64) - output.astype(np.float64)))
            return f"Its output {name} is off by up to {worst:.3g}."
    return ""


def _measure(name: str, predictor: Predictor, difference: str) -> Measured:
    if difference:
        return Measured(name, predictor.device, False, difference)
    predictor.warm_up()
    single = warm_up_rows(predictor.signature)
    until = time.perf_counter() + _SECONDS
    while predictor.latency.count < _RUNS and time.perf_counter() < until:
        predictor.predict(single)
    p50, p99 = predictor.latency.p50_us, predictor.latency.p99_us
    batch, rows_per_s = _throughput(predictor, p50)
    memory = predictor.memory()
    return Measured(
        name, predictor.device, True, "", p50, p99, batch, rows_per_s, memory.host_bytes, memory.gpu_bytes
    )


def _throughput(predictor: Predictor, p50_us: float) -> tuple[int, float]:
    """Rows per second at the largest batch that runs within about a second (at most 4,096 rows)."""
    affordable = max(1, int(_BATCH_SECONDS * 1e6 / max(p50_us, 1e-3)))
    batch = min(MAX_BATCH, (predictor.signature.batch or 1) << (affordable.bit_length() - 1))
    x_BTF = np.repeat(warm_up_rows(predictor.signature), batch, axis=0)  # noqa: N806 - named by its shape
    predictor.predict(x_BTF)
    begun = time.perf_counter()
    predictor.predict(x_BTF)
    return batch, batch / (time.perf_counter() - begun)
