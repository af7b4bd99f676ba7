"""Strangers' models become ONNX with a passport, and answer as before."""

from pathlib import Path

import msgspec
import numpy as np
import pytest

from ai.loading import Inspection, Question, inspect
from ai.loading.conversion import convert
from ai.loading.mapping import Mapped, passport_from_mapping
from ai.loading.opening import measure_runtimes, open_predictor
from ai.passport import Architecture, PassportError, write_beside
from ai.runtime.devices import Device
from ai.runtime.isolation_messages import Declared
from engine.errors import UserError
from tests.ai.loading import onnx_files as files
from tests.ai.loading.make_torch_files import TRANSFORMER
from tests.ai.loading.passports import CODE, COLUMNS, FEATURES
from tests.ai.loading.test_torch_files import cartpole, passport, with_passport
from tests.recordings import recording

QUICK = Question(measure=False)
CPU = Device(None, "No CUDA device was found.")


def looked_at(folder: Path, data: bytes) -> Inspection:
    path = folder / "stranger.onnx"
    path.write_bytes(data)
    return inspect(path, QUICK)


def test_a_recorded_script_becomes_onnx_that_gives_its_golden_outputs(tmp_path: Path) -> None:
    target = tmp_path / "cartpole.onnx"
    made = convert(cartpole(tmp_path), target, QUICK)
    assert made.max_abs_difference < 1e-4
    (tmp_path / "model.json").unlink()
    found = inspect(target, Question(measure=False, known_features=lambda: CODE))
    assert (found.accepted, found.golden_ok, found.passport_from) == (True, True, "inside"), found.reason
    assert [(p.name, p.shape) for p in found.inputs] == [("observation", ("batch", 4))]
    arrays = np.load(recording("models/golden/ts_cartpole.npz"))
    predictor = open_predictor(found, CPU)
    assert np.allclose(predictor.predict(arrays["x"][:, None]), arrays["y0"], atol=1e-4)
    assert not list(tmp_path.glob(".*"))


def test_weights_of_a_known_architecture_become_onnx(torch_files: Path, tmp_path: Path) -> None:
    written = passport(
        "transformer",
        np.load(torch_files / "golden.npz"),
        architecture=Architecture(name="transformer", sizes=TRANSFORMER),
    )
    found = inspect(with_passport(torch_files / "transformer.pt", tmp_path, written), QUICK)
    assert found.accepted, found.reason
    choice = measure_runtimes(found, CPU)
    assert choice.best == "torch-cpu"
    assert [(each.name, each.right) for each in choice.measured] == [
        ("torch-cpu", True),
        ("torch-cuda", None),
    ]
    made = convert(found, tmp_path / "transformer.onnx", QUICK)
    assert made.batches == (1, 3, 8)
    after = inspect(tmp_path / "transformer.onnx", QUICK)
    assert (after.accepted, after.golden_ok) == (True, True), after.reason


def test_what_cannot_be_converted_says_why(tmp_path: Path) -> None:
    found = looked_at(tmp_path, files.linear())
    with pytest.raises(UserError, match="is ONNX already"):
        convert(found, tmp_path / "x.onnx", QUICK)
    with pytest.raises(UserError, match="has no passport"):
        convert(msgspec.structs.replace(found, format="state_dict"), tmp_path / "x.onnx", QUICK)
    with pytest.raises(UserError, match="is refused: because"):
        convert(msgspec.structs.replace(found, accepted=False, reason="because"), tmp_path / "x.onnx", QUICK)


# -- a user maps a stranger's inputs to features ----------------------------------------------------------


def mapped(**changes: object) -> Mapped:
    facts: dict[str, object] = {
        "name": "stranger",
        "features": FEATURES,
        "columns": {"x": COLUMNS},
        "meanings": {"y": "probabilities"},
        "clock": "quotes",
        "window": 1,
    }
    return Mapped(**facts | changes)  # type: ignore[arg-type]


def test_a_mapping_becomes_the_passport_of_a_strangers_model(tmp_path: Path) -> None:
    found = looked_at(tmp_path, files.linear())
    assert found.passport is None
    made = passport_from_mapping(found, mapped())
    assert (made.origin, made.task, made.sha256) == (
        "mapping",
        "classification",
        {"stranger.onnx": found.sha256},
    )
    write_beside(made, tmp_path)
    again = inspect(Path(found.path), Question(measure=False, known_features=lambda: CODE))
    assert (again.accepted, again.golden_ok, again.reason) == (True, True, "")


def test_a_mapping_that_cannot_be_true_is_refused_with_all_faults(tmp_path: Path) -> None:
    found = looked_at(tmp_path, files.linear())
    with pytest.raises(PassportError) as caught:
        passport_from_mapping(found, mapped(columns={"x": COLUMNS[:2]}, window=9, meanings={}))
    faults = " ".join(caught.value.faults)
    for told in ("has 4 columns and names 2", "window is 9", "Exactly one output"):
        assert told in faults


def test_a_scripts_shapes_come_from_the_mapping(tmp_path: Path) -> None:
    path = tmp_path / "cartpole.pt"
    path.write_bytes(recording("models/torchscript/cartpole_traced.pt").read_bytes())
    trusted = inspect(path, Question(trust=inspect(path, QUICK).sha256, measure=False))
    made = passport_from_mapping(
        trusted,
        mapped(
            columns={"observation": COLUMNS},
            meanings={"output_0": "logits"},
            ports=(Declared("observation", "float32", ("batch", 4)),),
        ),
    )
    assert [(each.name, each.shape, each.meaning) for each in made.outputs] == [
        ("output_0", ("batch", 2), "logits"),
        ("output_1", ("batch", 1), "unused"),
    ]


# -- opening ----------------------------------------------------------------------------------------------


def test_a_refused_or_changed_file_is_not_opened(tmp_path: Path) -> None:
    found = looked_at(tmp_path, files.linear())
    Path(found.path).write_bytes(files.windowed())
    with pytest.raises(UserError, match="changed since it was inspected"):
        open_predictor(found, CPU)
    with pytest.raises(UserError, match="is refused"):
        open_predictor(msgspec.structs.replace(found, accepted=False), CPU)
    with pytest.raises(UserError, match="cannot run in onnxruntime-cuda"):
        open_predictor(found, CPU, "onnxruntime-cuda")
