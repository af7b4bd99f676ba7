"""Writes what a training run made: the ONNX file with its passport, and the run's own record beside it.

All is written into a draft folder and put in place by renaming, after the new file went through the same
gate as a stranger's and gave its golden outputs there.
"""

import platform
from collections.abc import Mapping
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import torch

from ai.loading import Inspection, Question, inspect
from ai.loading.onnx_model import read_onnx, with_passport
from ai.passport import (
    PASSPORT_NAME,
    Architecture,
    FeatureUse,
    Golden,
    Input,
    Label,
    Output,
    Passport,
    Ranges,
    Span,
    Tensor,
    write_beside,
)
from ai.runtime.onnx_export import export_onnx
from ai.training.folder import MODEL_NAME, RECORD_NAME, Origin, draft_of
from ai.training.labels import CLASSES
from ai.training.loop import Windows, evenly
from ai.training.stretches import Float32, Int64
from ai.training.trainer import Trained
from engine.errors import UserError

_GOLDEN_WINDOWS = 4
_INPUT, _PROBABILITIES, _VALUE = "x", "probabilities", "value"


def write(trained: Trained, origin: Origin, out: Path) -> Inspection:
    """Write `model.onnx`, `model.json` and `training.json` into `out`.

    Raises
    ------
    UserError
        The folder cannot be written, or the written file did not come through the gate as it was trained.
    """
    bare = _exported(trained)
    passport = _passport(trained, origin, sha256(bare).hexdigest())
    with draft_of(out) as draft:
        (draft / MODEL_NAME).write_bytes(with_passport(bare, passport.to_json()))
        write_beside(passport, draft)
        (draft / RECORD_NAME).write_bytes(
            msgspec.json.format(msgspec.json.encode(record(trained, passport)), indent=2)
        )
        codes: Mapping[str, str] = {each.name: each.code for each in passport.features}
        found = inspect(draft / MODEL_NAME, Question(known_features=lambda: codes))
        if not (found.accepted and found.golden_ok):
            raise UserError(
                f"The trained model did not come through its own gate and was not kept: {found.reason}"
            )
        for each in (MODEL_NAME, PASSPORT_NAME, RECORD_NAME):
            (draft / each).replace(out / each)
    return msgspec.structs.replace(found, path=str(out / MODEL_NAME))


def _exported(trained: Trained) -> bytes:
    example = _windows(trained, trained.samples.split.test[:2])
    exported = export_onnx(trained.module, {_INPUT: example}, (_output_name(trained),))
    return read_onnx(exported).bare


def _windows(trained: Trained, rows: Int64) -> Float32:
    found: Float32 = Windows(trained.samples.x, trained.plan.window).at(rows).numpy()
    return found


def _output_name(trained: Trained) -> str:
    return _PROBABILITIES if trained.plan.task == "classification" else _VALUE


# -- the passport -----------------------------------------------------------------------------------------


def _passport(trained: Trained, origin: Origin, digest: str) -> Passport:
    plan, features, data = trained.plan, trained.features, trained.samples
    outputs = trained.sizes["outputs"]
    return Passport(
        name=origin.name,
        task=plan.task,
        sha256={MODEL_NAME: digest},
        inputs=(
            Input(
                name=_INPUT,
                dtype="float32",
                shape=("batch", plan.window, len(features.outputs)),
                columns=features.outputs,
            ),
        ),
        outputs=(
            Output(
                name=_output_name(trained),
                dtype="float32",
                shape=("batch", outputs),
                meaning="probabilities" if plan.task == "classification" else "value",
            ),
        ),
        features=tuple(msgspec.convert(entry.facts(), FeatureUse) for entry in features),
        clock=features.clock,
        bars=features.bars if any(line.stream == "bars" for line in features.lines) else "",
        feature_set_sha256=features.sha256,
        instruments=origin.instruments,
        simulated=origin.simulated,
        window=plan.window,
        stride=plan.stride,
        normaliser=data.normaliser,
        training_bins=data.bins,
        label=_label(trained),
        ranges=_ranges(trained),
        seed=plan.seed,
        metrics=flat_metrics(trained),
        trials=1,
        golden=_golden(trained),
        architecture=Architecture(name=plan.architecture, sizes=trained.sizes),
        frameworks=_frameworks(),
        licence=origin.licence,
    )


def _label(trained: Trained) -> Label:
    ahead = trained.plan.look_ahead
    is_classification = trained.plan.task == "classification"
    return Label(
        kind="direction" if is_classification else "return_bps",
        horizon=ahead.ns or ahead.rows,
        unit="ns" if ahead.ns else "bars" if trained.features.clock == "bars" else "ticks",
        threshold=trained.samples.threshold,
        class_names=CLASSES if is_classification else (),
    )


def _ranges(trained: Trained) -> Ranges:
    ts, parts = trained.samples.ts, trained.samples.split
    train, validation, test = (
        Span(start_ns=int(ts[part[0]]), end_ns=int(ts[part[-1]]) + 1)
        for part in (parts.train, parts.validation, parts.test)
    )
    return Ranges(
        train=train,
        validation=validation,
        test=test,
        purge_ns=parts.purge_ns,
        embargo_ns=parts.embargo_ns,
        data_sha256=trained.data_sha256,
    )


def flat_metrics(trained: Trained) -> dict[str, float]:
    """Metrics on the test part: the model's under their own names, the baselines' after theirs."""
    made = dict(trained.test["model"])
    for name, metrics in trained.test.items():
        if name != "model":
            made |= {f"{name}_{figure}": value for figure, value in metrics.items() if figure != "n"}
    return made


def _golden(trained: Trained) -> Golden:
    x = _windows(trained, evenly(trained.samples.split.test, _GOLDEN_WINDOWS))
    with torch.no_grad():
        y = trained.module(torch.from_numpy(x)).numpy()
    return Golden(inputs={_INPUT: Tensor.of(x)}, outputs={_output_name(trained): Tensor.of(y)})


def _frameworks() -> dict[str, str]:
    return {
        "nexttick-station": version("nexttick-station"),
        "python": platform.python_version(),
        "torch": str(torch.__version__),
        "numpy": np.__version__,
    }


# -- the record -------------------------------------------------------------------------------------------


def record(trained: Trained, passport: Passport) -> dict[str, Any]:
    """All of a run that a later reader may ask for; what `training.json` holds."""
    parts = trained.samples.split
    return {
        "name": passport.name,
        "plan": msgspec.to_builtins(trained.plan),
        "features": {"set": trained.features.name, "sha256": trained.features.sha256},
        "instruments": list(passport.instruments),
        "simulated": passport.simulated,
        "label": msgspec.to_builtins(passport.label),
        "ranges": msgspec.to_builtins(passport.ranges),
        "windows": {"train": len(parts.train), "validation": len(parts.validation), "test": len(parts.test)},
        "curve": [msgspec.to_builtins(epoch) for epoch in trained.fitted.curve],
        "best_epoch": trained.fitted.best,
        "validation": trained.validation,
        "test": trained.test,
        "confusion": None if trained.confusion is None else trained.confusion.tolist(),
        "class_names": list(CLASSES) if trained.confusion is not None else [],
        "notes": list(trained.notes),
        "frameworks": passport.frameworks,
        "seconds": trained.seconds,
    }
