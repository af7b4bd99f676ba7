"""One test per path by which torch's formats run code: nothing of the file runs unless it is trusted."""

import json
import shutil
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ai.loading import Inspection, Question, inspect
from ai.passport import Architecture, Input, Output, Passport, write_beside
from tests.ai.loading.make_torch_files import LSTM
from tests.ai.loading.passports import COLUMNS, FEATURES, golden
from tests.recordings import recording

QUICK = Question(measure=False)


def passport(name: str, arrays: Any, **changes: Any) -> Passport:
    facts: dict[str, Any] = {
        "name": name,
        "task": "classification",
        "inputs": (Input(name="x", dtype="float32", shape=("batch", 5, 4), columns=COLUMNS),),
        "outputs": (Output(name="y", dtype="float32", shape=("batch", 3), meaning="logits"),),
        "features": FEATURES,
        "clock": "quotes",
        "window": 5,
        "golden": golden({"x": arrays["x"]}, {"y": arrays[name]}),
    }
    return Passport(**facts | changes)


def with_passport(source: Path, folder: Path, written: Passport) -> Path:
    path = Path(shutil.copy(source, folder))
    write_beside(written, folder)
    return path


def has_run(folder: Path) -> bool:
    return (folder.parent / "ran").exists()


# -- weights ----------------------------------------------------------------------------------------------


def test_a_strangers_lstm_is_shown_with_the_architecture_it_fits() -> None:
    found = inspect(recording("models/state_dicts/best_lstm.pt"), QUICK)
    assert (found.format, found.accepted) == ("state_dict", True)
    assert found.fit is not None
    assert found.fit.architecture == "lstm"
    assert found.fit.sizes == {"inputs": 40, "hidden": 64, "layers": 2, "outputs": 1}
    assert ("lstm.weight_ih_l0", "float32", (256, 40)) in {(w.name, w.dtype, w.shape) for w in found.weights}
    assert found.latency_us is None
    assert "do not tell how the model was wired" in found.reason


def test_weights_with_a_passport_give_their_golden_outputs(torch_files: Path, tmp_path: Path) -> None:
    arrays = np.load(torch_files / "golden.npz")
    written = passport("lstm", arrays, architecture=Architecture(name="lstm", sizes=LSTM))
    for name in ("lstm.pt", "lstm.safetensors"):
        found = inspect(with_passport(torch_files / name, tmp_path, written))
        assert (found.accepted, found.golden_ok, found.runtime) == (True, True, "torch-cpu"), found.reason
        assert found.latency_us is not None


@pytest.mark.parametrize(
    ("architecture", "told"),
    [
        (None, "names no architecture"),
        (Architecture(name="resnet", sizes={}), "There is no architecture 'resnet'"),
        (Architecture(name="lstm", sizes=LSTM | {"hidden": 9}), "should be [36, 4]"),
        (Architecture(name="lstm", sizes=LSTM | {"layers": 1}), "has lstm.weight_ih_l1 besides"),
        (Architecture(name="lstm", sizes=LSTM | {"layers": 3}), "lacks lstm.weight_ih_l2"),
        (
            Architecture(name="lstm", sizes=LSTM | {"hidden": 10**9}),
            "hidden of lstm must be from 1 to 16,384",
        ),
    ],
)
def test_weights_that_are_not_the_passports_architecture_are_refused(
    torch_files: Path, tmp_path: Path, architecture: Architecture | None, told: str
) -> None:
    written = passport("lstm", np.load(torch_files / "golden.npz"), architecture=architecture)
    found = inspect(with_passport(torch_files / "lstm.safetensors", tmp_path, written), QUICK)
    assert not found.accepted
    assert told in found.reason


def test_weights_saved_on_a_gpu_are_read_to_the_cpu(torch_files: Path) -> None:
    found = inspect(torch_files / "on_cuda.pt", QUICK)
    assert found.accepted
    assert found.warnings == ("Its weights were saved on cuda:0 and are read to the CPU.",)


def test_a_state_dict_inside_a_checkpoint_is_found(torch_files: Path) -> None:
    found = inspect(torch_files / "checkpoint.pt", QUICK)
    assert found.fit is not None
    assert found.fit.architecture == "lstm"


# -- files that would run code ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "kind", "told"),
    [
        ("hostile.pt", "module_pickle", "runs code of its maker while it loads"),
        ("legacy.pt", "torch_legacy", "format from before 1.6"),
        ("module.pt", "module_pickle", "names ai.runtime.modules.Lstm"),
        ("writer.ts", "torchscript", "--trust"),
        ("code_on_cuda.ts", "torchscript", "bound to cuda:0, and this machine has no CUDA device"),
    ],
)
def test_nothing_runs_of_a_file_that_is_refused(
    torch_files: Path, monkeypatch: pytest.MonkeyPatch, name: str, kind: str, told: str
) -> None:
    monkeypatch.setattr("ai.loading.gates.cuda_devices", lambda: 0)
    for trust in (None, "0" * 64):
        found = inspect(torch_files / name, Question(trust=trust, measure=False))
        assert (found.format, found.accepted) == (kind, False)
        assert trust is not None or told in found.reason
        assert found.runtime is None
    assert not has_run(torch_files)


def test_a_name_does_not_change_what_a_file_of_weights_is(torch_files: Path, tmp_path: Path) -> None:
    for source, kind in (("lstm.safetensors", "safetensors"), ("mlp.ts", "torchscript")):
        for name in ("model.onnx", "model.pkl", "model"):
            found = inspect(Path(shutil.copy(torch_files / source, tmp_path / name)), QUICK)
            assert found.format == kind
            assert found.accepted == (kind == "safetensors")


def test_truncated_files_of_weights_are_refused(torch_files: Path, tmp_path: Path) -> None:
    for name in ("lstm.pt", "lstm.safetensors", "mlp.ts", "mlp.pt2"):
        data = (torch_files / name).read_bytes()
        for size in (9, len(data) // 2, len(data) - 1):
            (tmp_path / name).write_bytes(data[:size])
            found = inspect(tmp_path / name, QUICK)
            assert not found.accepted, (name, size)
            assert found.reason


def test_a_hostile_pickle_under_any_name_stays_one(torch_files: Path, tmp_path: Path) -> None:
    for name in ("model.onnx", "model.safetensors", "model.pt2", "model.ts", "model"):
        path = Path(shutil.copy(torch_files / "hostile.pt", tmp_path / name))
        assert inspect(path, QUICK).format == "module_pickle"
    assert not has_run(torch_files)


def test_trusted_code_runs_apart_and_its_files_cannot_grow(torch_files: Path, tmp_path: Path) -> None:
    written = passport(
        "writer",
        {"x": np.zeros((1, 5, 4), np.float32), "writer": np.zeros((1, 5, 4), np.float32)},
        outputs=(Output(name="y", dtype="float32", shape=("batch", 5, 4), meaning="logits"),),
    )
    path = with_passport(torch_files / "writer.ts", tmp_path, written)
    found = inspect(path, Question(trust=inspect(path, QUICK).sha256, measure=False))
    # It ran, and what it wanted to write was denied to it.
    assert not found.accepted
    assert "unable to resize file" in found.reason or "File too large" in found.reason
    marker = torch_files.parent / "ran"
    assert not marker.exists() or marker.stat().st_size == 0
    marker.unlink(missing_ok=True)


def export_archive(folder: Path, change: dict[str, bytes]) -> Path:
    """Archive as torch.export writes it, as far as its gate reads it."""
    tensors = {
        "x": {"dtype": 7, "sizes": [{"as_int": 1}, {"as_int": 4}], "device": {"type": "cpu", "index": None}}
    }
    program = {
        "graph_module": {
            "graph": {"tensor_values": tensors},
            "signature": {
                "input_specs": [{"user_input": {"arg": {"as_tensor": {"name": "x"}}}}],
                "output_specs": [{"user_output": {"arg": {"as_tensor": {"name": "x"}}}}],
            },
        }
    }
    members = {
        "archive_format": b"pt2",
        "models/model.json": json.dumps(program).encode(),
        "data/weights/model_weights_config.json": b'{"config": {"w": {"use_pickle": false}}}',
    }
    path = folder / "model.pt2"
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in (members | change).items():
            archive.writestr(f"model/{name}", data)
    return path


def test_an_export_archive_needs_trust(tmp_path: Path) -> None:
    found = inspect(export_archive(tmp_path, {}), QUICK)
    assert (found.format, found.accepted, found.runtime) == ("pt2", False, None)
    assert "--trust" in found.reason
    assert [(p.name, p.dtype, p.shape) for p in found.inputs] == [("x", "float32", (1, 4))]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (
            {"data/weights/model_weights_config.json": b'{"config": {"w": {"use_pickle": true}}}'},
            "is a pickle",
        ),
        ({"data/constants/model_constants_config.json": b'{"config": {"c": {}}}'}, "is a pickle"),
        ({"data/aotinductor/model/a.so": b"\x7fELF"}, "machine code"),
        ({"models/other.json": b"{}"}, "several models"),
        ({"models/model.json": b"{}"}, "not as torch.export writes it"),
        ({"models/model.json": b'{"device": {"type": "cuda", "index": 0}'}, "not JSON"),
    ],
)
def test_an_export_archive_that_torch_would_unpickle_is_refused_even_if_trusted(
    tmp_path: Path, change: dict[str, bytes], told: str
) -> None:
    path = export_archive(tmp_path, change)
    found = inspect(path, Question(trust=inspect(path).sha256, measure=False))
    assert not found.accepted
    assert told in found.reason
    assert found.runtime is None


def test_a_trusted_export_archive_runs_apart(torch_files: Path) -> None:
    path = torch_files / "mlp.pt2"
    untrusted = inspect(path, QUICK)
    assert not untrusted.accepted
    assert untrusted.needs_trust
    assert [(p.name, p.shape) for p in untrusted.inputs] == [("x_btf", (2, 5, 4))]
    found = inspect(path, Question(trust=untrusted.sha256, measure=False))
    assert (found.accepted, found.runtime) == (True, "torch-export-isolated"), found.reason


def test_a_trusted_recording_gives_its_golden_outputs(tmp_path: Path) -> None:
    found = cartpole(tmp_path)
    assert (found.format, found.accepted, found.golden_ok) == ("torchscript", True, True), found.reason
    assert [(p.name, p.shape) for p in found.inputs] == [("observation", ("batch", 4))]


def cartpole(folder: Path) -> Inspection:
    arrays = np.load(recording("models/golden/ts_cartpole.npz"))
    written = Passport(
        name="cartpole",
        task="classification",
        inputs=(Input(name="observation", dtype="float32", shape=("batch", 4), columns=COLUMNS),),
        outputs=(
            Output(name="action", dtype="float32", shape=("batch", 2), meaning="logits"),
            Output(name="value", dtype="float32", shape=("batch", 1), meaning="unused"),
        ),
        features=FEATURES,
        clock="quotes",
        window=1,
        golden=golden({"observation": arrays["x"]}, {"action": arrays["y0"], "value": arrays["y1"]}),
    )
    path = with_passport(recording("models/torchscript/cartpole_traced.pt"), folder, written)
    untrusted = inspect(path, QUICK)
    assert not untrusted.accepted
    return inspect(path, Question(trust=untrusted.sha256, measure=False))
