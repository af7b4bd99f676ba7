"""Makes a passport for a stranger's model from what a user says of its inputs and outputs."""

from collections.abc import Mapping
from pathlib import Path

import msgspec
import numpy as np

from ai.loading.inspection import Inspection
from ai.loading.trial import made_inputs
from ai.passport import (
    Architecture,
    ColumnBins,
    FeatureUse,
    Golden,
    Input,
    Label,
    Meaning,
    Normaliser,
    Output,
    Passport,
    PassportError,
    Tensor,
    passport_faults,
)
from ai.passport.records import Dtype
from ai.runtime.isolation import Arrays, IsolatedModel
from ai.runtime.isolation_messages import Declared, Format

FORMATS: Mapping[str, Format] = {
    "onnx": "onnx",
    "safetensors": "weights",
    "state_dict": "state_dict",
    "torchscript": "torchscript",
    "pt2": "pt2",
}


class Mapped(msgspec.Struct, frozen=True, kw_only=True):
    """What only the user knows of a model without a passport.

    Attributes
    ----------
    columns : dict
        Feature columns that each input takes, in order, by the input's name.
    meanings : dict
        What each output is, by its name; outputs that are not named are unused.
    training_bins : tuple
        Distribution of each column where the normaliser was fitted, from which drift is told.
    ports : tuple
        Shapes and types of inputs, where the file does not tell them (TorchScript, bare weights).
    """

    name: str
    features: tuple[FeatureUse, ...]
    columns: dict[str, tuple[str, ...]]
    meanings: dict[str, Meaning]
    clock: str
    bars: str = ""
    feature_set_sha256: str = ""
    window: int
    stride: int = 1
    normaliser: Normaliser = Normaliser(kind="none")
    training_bins: tuple[ColumnBins, ...] = ()
    label: Label | None = None
    architecture: Architecture | None = None
    ports: tuple[Declared, ...] = ()
    licence: str = ""


def passport_from_mapping(found: Inspection, mapped: Mapped) -> Passport:
    """Passport of an inspected file; its golden outputs are what the model answers here and now.

    They prove no training, yet they show when the file, a runtime or a machine gives something else later.

    Raises
    ------
    PassportError
        What was said contradicts the file or itself; all of it is told.
    IsolationError
        The model did not run.
    """
    ports = mapped.ports or found.inputs
    passport = _without_golden(found, mapped, ports)
    if faults := list(passport_faults(passport)):
        raise PassportError(faults)
    inputs = made_inputs(ports, passport)
    outputs = _answers(found, mapped, inputs)
    if not found.outputs or not all(port.dtype for port in found.outputs):
        told = tuple(
            _output(name, array.dtype.name, (ports[0].shape[0], *array.shape[1:]), mapped)
            for name, array in outputs.items()
        )
        passport = msgspec.structs.replace(passport, outputs=told)
    golden = Golden(
        inputs={name: Tensor.of(array) for name, array in inputs.items()},
        outputs={name: Tensor.of(array) for name, array in outputs.items()},
    )
    passport = msgspec.structs.replace(passport, golden=golden)
    if faults := list(passport_faults(passport)):
        raise PassportError(faults)
    return passport


def _without_golden(found: Inspection, mapped: Mapped, ports: tuple[Declared, ...]) -> Passport:
    meanings = set(mapped.meanings.values())
    names = [port.name for port in found.outputs] or list(mapped.meanings)
    shapes = {port.name: port for port in found.outputs}
    return Passport(
        name=mapped.name,
        task="regression" if "value" in meanings else "classification",
        origin="mapping",
        sha256={Path(found.path).name: found.content_sha256},
        inputs=tuple(
            Input(
                name=port.name,
                dtype=_dtype(port),
                shape=port.shape,
                columns=mapped.columns.get(port.name, ()),
            )
            for port in ports
        ),
        outputs=tuple(
            _output(
                name,
                (shapes[name].dtype if name in shapes else "") or "float32",
                (shapes[name].shape if name in shapes else ()) or ("batch", "outputs"),
                mapped,
            )
            for name in names
        ),
        features=mapped.features,
        clock=mapped.clock,
        bars=mapped.bars,
        feature_set_sha256=mapped.feature_set_sha256,
        window=mapped.window,
        stride=mapped.stride,
        normaliser=mapped.normaliser,
        training_bins=mapped.training_bins,
        label=mapped.label,
        architecture=mapped.architecture,
        licence=mapped.licence,
    )


def _dtype(port: Declared) -> Dtype:
    dtype: Dtype = msgspec.convert(port.dtype, Dtype)
    return dtype


def _output(name: str, dtype: str, shape: tuple[int | str, ...], mapped: Mapped) -> Output:
    return Output(
        name=name,
        dtype=msgspec.convert(dtype, Dtype),
        shape=shape,
        meaning=mapped.meanings.get(name, "unused"),
    )


def _answers(found: Inspection, mapped: Mapped, inputs: Arrays) -> Arrays:
    names = tuple(port.name for port in found.outputs) or tuple(mapped.meanings)
    with IsolatedModel(
        Path(found.path), found.sha256, FORMATS[found.format], None, mapped.architecture, names
    ) as model:
        ran = model.run(inputs)
    return {name: np.asarray(tensor.array()) for name, tensor in ran.outputs.items()}
