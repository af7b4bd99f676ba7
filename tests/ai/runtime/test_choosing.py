# ruff: noqa: N803, N806 - tensors are named by their shape
import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from ai.runtime.choosing import Candidate, Expected, choose_runtime
from ai.runtime.latency import LatencyHistogram
from ai.runtime.predictor import Arrays, Floats, InputPort, Memory, Predictor, Signature

X = {"x": np.ones((1, 2, 3), np.float32)}
Y = {"y": np.full((1, 3), 2, np.float32)}


class Fake:
    """Doubles the newest row, in a known time, with a known error."""

    runtime = "fake"
    device = "cpu"
    signature = Signature((InputPort("x", "float32", 3),), ("y",), 0, 2)

    def __init__(self, seconds: float, error: float = 0.0) -> None:
        self.latency = LatencyHistogram()
        self._seconds = seconds
        self._error = np.float32(error)

    def warm_up(self) -> None:
        self.predict(np.zeros((1, 2, 3), np.float32))
        self.latency.clear()

    def predict(self, x_BTF: Floats) -> Floats:
        begun = time.perf_counter_ns()
        while time.perf_counter_ns() - begun < self._seconds * 1e9:
            pass
        y_BC = self.run({"x": x_BTF})["y"]
        self.latency.record(time.perf_counter_ns() - begun)
        return y_BC

    def run(self, inputs: Mapping[str, npt.NDArray[Any]]) -> Arrays:
        return {"y": 2 * inputs["x"][:, -1] + self._error}

    def memory(self) -> Memory:
        return Memory(1_000, None)

    def close(self) -> None:
        pass


def fake(seconds: float, error: float = 0.0) -> Callable[[], Predictor]:
    return lambda: Fake(seconds, error)


def broken() -> Predictor:
    raise RuntimeError("this build lacks an operator\nand a trace")


def test_the_fastest_of_those_that_are_right_is_chosen() -> None:
    choice = choose_runtime(
        [
            Candidate("slow", fake(2e-3)),
            Candidate("wrong", fake(0, error=0.5)),
            Candidate("fast", fake(2e-4)),
            Candidate("broken", broken),
            Candidate("absent", None, "No CUDA device was found."),
        ],
        Expected(X, Y),
    )
    figures = {each.name: each for each in choice.measured}
    assert choice.best == "fast"
    assert (figures["slow"].right, figures["fast"].right) == (True, True)
    assert (figures["wrong"].right, figures["wrong"].told) == (False, "Its output y is off by up to 0.5.")
    assert (figures["broken"].right, figures["broken"].told) == (None, "this build lacks an operator")
    assert (figures["absent"].right, figures["absent"].told) == (None, "No CUDA device was found.")
    fast = figures["fast"]
    assert fast.p50_us is not None
    assert fast.p99_us is not None
    assert 200 <= fast.p50_us <= fast.p99_us
    assert fast.batch == 4096
    assert fast.host_bytes == 1_000


def test_without_golden_outputs_the_first_is_the_measure_of_the_others() -> None:
    choice = choose_runtime(
        [Candidate("one", fake(1e-4)), Candidate("other", fake(0, error=1))], Expected(X, None)
    )
    assert choice.best == "one"
    assert [each.right for each in choice.measured] == [True, False]


def test_when_none_is_right_none_is_chosen() -> None:
    assert choose_runtime([Candidate("wrong", fake(0, error=1))], Expected(X, Y)).best is None
