"""Passports for the tests' small models."""

from typing import Any

import numpy as np
import numpy.typing as npt

from ai.passport import FeatureUse, Golden, Input, Output, Passport, Tensor

CODE = {"spread": "a" * 64, "microprice": "b" * 64}


def use(name: str, *outputs: str) -> FeatureUse:
    return FeatureUse(name=name, outputs=outputs, code=CODE[name])


FEATURES = (use("spread", "spread"), use("microprice", "m1", "m2", "m3"))
COLUMNS = ("spread", "m1", "m2", "m3")


def golden(inputs: dict[str, npt.NDArray[Any]], outputs: dict[str, npt.NDArray[Any]]) -> Golden:
    return Golden(
        inputs={name: Tensor.of(array) for name, array in inputs.items()},
        outputs={name: Tensor.of(array) for name, array in outputs.items()},
    )


def linear_passport(**changes: Any) -> Passport:
    """Passport of `onnx_files.linear()`."""
    facts: dict[str, Any] = {
        "name": "linear",
        "task": "classification",
        "inputs": (Input(name="x", dtype="float32", shape=("batch", 4), columns=COLUMNS),),
        "outputs": (Output(name="y", dtype="float32", shape=("batch", 3), meaning="probabilities"),),
        "features": FEATURES,
        "clock": "quotes",
        "window": 1,
    }
    return Passport(**facts | changes)


def softmax(h: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    e = np.exp(h - h.max(axis=-1, keepdims=True))
    y: npt.NDArray[np.float32] = (e / e.sum(axis=-1, keepdims=True)).astype(np.float32)
    return y
