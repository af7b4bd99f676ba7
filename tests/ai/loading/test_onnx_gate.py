import hashlib
import shutil
from pathlib import Path

import msgspec
import numpy as np
import pytest

from ai.loading import Inspection, Question, inspect
from ai.loading.inspection import MAX_FILE_BYTES
from ai.loading.onnx_model import read_onnx, with_passport
from ai.loading.wire import WireError, delimited
from ai.passport import FeatureUse, Input, Output, Passport, write_beside
from ai.runtime.isolation_messages import Limits
from tests.ai.loading import onnx_files as files
from tests.ai.loading.passports import CODE, COLUMNS, golden, linear_passport, softmax
from tests.recordings import recording

QUICK = Question(measure=False)
KNOWN = Question(measure=False, known_features=lambda: CODE)
X = np.linspace(-1, 1, 8, dtype=np.float32).reshape(2, 4)


def looked_at(folder: Path, data: bytes, question: Question = QUICK, name: str = "model.onnx") -> Inspection:
    path = folder / name
    path.write_bytes(data)
    return inspect(path, question)


def bound(data: bytes, **changes: object) -> Passport:
    """Passport of the linear model, with its hash and golden outputs."""
    right = golden({"x": X}, {"y": softmax(X @ files.WEIGHTS)})
    sha256 = {"model.onnx": inspect_hash(data)}
    return linear_passport(**{"sha256": sha256, "golden": right} | changes)


def inspect_hash(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


# -- real recordings --------------------------------------------------------------------------------------


def deeplob_passport(sha256: str, batch: int, expected: Path) -> Passport:
    columns = tuple(f"level_{n}" for n in range(40))
    archive = np.load(expected)
    return Passport(
        name="DeepLOB",
        task="classification",
        sha256={f"model_b{batch}.onnx": sha256},
        inputs=(Input(name="lob_window", dtype="float32", shape=(batch, 100, 40), columns=columns),),
        outputs=(Output(name="logits", dtype="float32", shape=(batch, 3), meaning="logits"),),
        features=(FeatureUse(name="deeplob", outputs=columns, code="c" * 64),),
        clock="book",
        window=100,
        golden=golden({"lob_window": archive["x"]}, {"logits": archive["y0"]}) if batch == 1 else None,
    )


def test_a_recorded_deeplob_is_accepted_and_measured() -> None:
    found = inspect(recording("models/deeplob_onnx/model_b1.onnx"))
    assert (found.format, found.accepted, found.golden_ok) == ("onnx", True, None)
    assert [(p.name, p.dtype, p.shape) for p in found.inputs] == [("lob_window", "float32", (1, 100, 40))]
    assert [(p.name, p.dtype, p.shape) for p in found.outputs] == [("logits", "float32", (1, 3))]
    assert found.sha256 == found.content_sha256
    assert "map its inputs" in found.reason
    assert found.latency_us is not None
    assert 0 < found.latency_us.p50 <= found.latency_us.p99


def test_a_recorded_deeplob_gives_its_golden_outputs(tmp_path: Path) -> None:
    path = Path(shutil.copy(recording("models/deeplob_onnx/model_b1.onnx"), tmp_path))
    sha256 = inspect(path, QUICK).sha256
    write_beside(deeplob_passport(sha256, 1, recording("models/golden/deeplob_serve_b1.npz")), tmp_path)
    found = inspect(path, Question(measure=False, known_features=lambda: {"deeplob": "c" * 64}))
    assert (found.accepted, found.golden_ok, found.passport_from) == (True, True, "beside")
    assert {check.name: check.ok for check in found.checks} == {
        "hash": True,
        "features": True,
        "golden": True,
    }
    assert found.reason == ""


def test_the_batch_of_32_runs_at_its_own_size() -> None:
    found = inspect(recording("models/deeplob_onnx/model_b32.onnx"), QUICK)
    assert found.accepted
    assert found.inputs[0].shape == (32, 100, 40)


# -- passports --------------------------------------------------------------------------------------------


def test_a_passport_travels_inside_the_file_and_binds_it(tmp_path: Path) -> None:
    data = files.linear()
    carried = with_passport(data, bound(data).to_json())
    found = looked_at(tmp_path, carried, KNOWN)
    assert (found.accepted, found.golden_ok, found.passport_from) == (True, True, "inside")
    assert found.content_sha256 == inspect_hash(data) != found.sha256
    assert read_onnx(with_passport(carried, b"{}")).metadata == {"nexttick.passport": "{}"}


def test_another_models_weights_under_the_same_passport_are_refused(tmp_path: Path) -> None:
    data = files.linear()
    other = files.linear(weights=files.WEIGHTS * np.float32(1.1))
    found = looked_at(tmp_path, with_passport(other, bound(data).to_json()), KNOWN)
    assert not found.accepted
    assert found.golden_ok is False
    assert "not the one that the passport was written for" in found.reason
    assert "Output y differs" in found.reason


@pytest.mark.parametrize(
    ("change", "known", "columns", "told"),
    [
        ({}, {"spread": CODE["spread"]}, None, "has no feature microprice"),
        ({}, CODE | {"spread": "f" * 64}, None, "The code of spread has changed"),
        ({}, CODE, ("m1", "spread", "m2", "m3"), "in another order"),
        ({}, CODE, ("spread", "m1", "m2"), "lacks m3"),
        ({"expires": "2020-01-01"}, CODE, None, "expired on 2020-01-01"),
    ],
)
def test_a_passport_that_does_not_hold_here_refuses(
    tmp_path: Path,
    change: dict[str, object],
    known: dict[str, str],
    columns: tuple[str, ...] | None,
    told: str,
) -> None:
    data = files.linear()
    question = Question(measure=False, known_features=lambda: known, columns=columns)
    found = looked_at(tmp_path, with_passport(data, bound(data, **change).to_json()), question)
    assert not found.accepted
    assert told in found.reason


def test_a_feature_set_in_the_models_order_is_accepted(tmp_path: Path) -> None:
    data = files.linear()
    question = Question(measure=False, known_features=lambda: CODE, columns=COLUMNS)
    found = looked_at(tmp_path, with_passport(data, bound(data).to_json()), question)
    assert {check.name: check.ok for check in found.checks}["order"] is True


def test_a_passport_of_other_ports_is_refused(tmp_path: Path) -> None:
    wrong = msgspec.structs.replace(
        linear_passport(), outputs=(Output(name="y", dtype="float32", shape=("batch", 5), meaning="logits"),)
    )
    found = looked_at(tmp_path, with_passport(files.linear(), wrong.to_json()))
    assert not found.accepted
    assert "['batch', 5]" in found.reason


def test_a_passport_with_faults_is_refused_with_all_of_them(tmp_path: Path) -> None:
    (tmp_path / "model.json").write_text('{"schema_version": 1, "nam": "x", "window": "5"}')
    found = looked_at(tmp_path, files.linear())
    assert not found.accepted
    for told in ("nam is no field", "name is missing", "window: expected"):
        assert told in found.reason


def test_somebody_elses_json_beside_the_file_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "model.json").write_text('{"layers": []}')
    found = looked_at(tmp_path, files.linear())
    assert found.accepted
    assert found.warnings == ("The model.json beside it is no passport and was not used.",)


# -- shapes that models come in ---------------------------------------------------------------------------


def test_two_inputs_two_outputs_and_whole_number_labels_run(tmp_path: Path) -> None:
    found = looked_at(tmp_path, files.two_inputs_two_outputs())
    assert found.accepted
    assert [(p.name, p.dtype, p.shape) for p in found.outputs] == [
        ("label", "int64", ("batch",)),
        ("both", "float32", ("batch", 3)),
    ]


def test_outputs_that_are_never_finite_are_refused(tmp_path: Path) -> None:
    found = looked_at(tmp_path, files.never_finite())
    assert not found.accepted
    assert "not finite" in found.reason


def test_outputs_that_are_finite_for_some_inputs_only_are_told(tmp_path: Path) -> None:
    body = files.graph(
        [files.node("Sqrt", ["x"], ["y"])],
        [files.port("x", "float32", ["batch", 4])],
        [files.port("y", "float32", ["batch", 4])],
    )
    found = looked_at(tmp_path, files.model(body))
    assert found.accepted
    assert found.warnings == ("Some plain inputs (standard normal) give outputs that are not finite.",)


def test_golden_inputs_whose_answers_are_not_finite_are_refused(tmp_path: Path) -> None:
    body = files.graph(
        [files.node("Log", ["x"], ["y"])],
        [files.port("x", "float32", ["batch", 4])],
        [files.port("y", "float32", ["batch", 4])],
    )
    made = msgspec.structs.replace(
        linear_passport(
            golden=golden({"x": -np.ones((1, 4), np.float32)}, {"y": np.ones((1, 4), np.float32)})
        ),
        outputs=(Output(name="y", dtype="float32", shape=("batch", 4), meaning="logits"),),
    )
    found = looked_at(tmp_path, with_passport(files.model(body), made.to_json()))
    assert not found.accepted
    assert "golden inputs are not finite" in found.reason


def test_outputs_of_another_shape_than_declared_are_refused(tmp_path: Path) -> None:
    body = files.graph(
        [files.node("NonZero", ["x"], ["y"])],  # as many columns as there are numbers that are not 0
        [files.port("x", "float32", ["batch", 4])],
        [files.port("y", "int64", [2, 9])],
    )
    found = looked_at(tmp_path, files.model(body))
    assert not found.accepted
    assert "[2, 4]" in found.reason


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"shape": ("batch", 5, 4)}, "takes 5 rows and window is 1"),
        ({"dtype": "float64"}, "is float64 ['batch', 4]"),
        ({"name": "z"}, "names the inputs z, and the file has x"),
    ],
)
def test_a_passport_of_other_inputs_is_refused(tmp_path: Path, changes: dict[str, object], told: str) -> None:
    (port,) = linear_passport().inputs
    wrong = msgspec.structs.replace(linear_passport(), inputs=(msgspec.structs.replace(port, **changes),))
    found = looked_at(tmp_path, with_passport(files.linear(), wrong.to_json()))
    assert not found.accepted
    assert told in found.reason


def test_an_output_of_more_numbers_than_any_signal_is_refused(tmp_path: Path) -> None:
    body = files.graph(
        [files.node("ConstantOfShape", ["size"], ["y"])],
        [files.port("x", "float32", ["batch", 4])],
        [files.port("y", "float32", ["batch", "many"])],
        [files.tensor("size", np.array([1, 5_000_000], np.int64))],
    )
    found = looked_at(tmp_path, files.model(body))
    assert not found.accepted
    assert "no signal has so many" in found.reason


def test_an_input_that_no_window_has_is_refused_before_it_is_made(tmp_path: Path) -> None:
    body = files.graph(
        [files.node("Identity", ["x"], ["y"])],
        [files.port("x", "float32", [1, 1 << 20, 1 << 12])],
        [files.port("y", "float32", [1, 1 << 20, 1 << 12])],
    )
    found = looked_at(tmp_path, files.model(body))
    assert not found.accepted
    assert "which no window has" in found.reason


# -- what would run or reach out of the file --------------------------------------------------------------


def test_external_data_is_refused_whatever_it_points_to(tmp_path: Path) -> None:
    for location in ("../secret.bin", "weights.bin"):
        body = files.graph(
            [files.node("Add", ["x", "w"], ["y"])],
            [files.port("x", "float32", [1, 4])],
            [files.port("y", "float32", [1, 4])],
            [files.external("w", location, 4)],
        )
        found = looked_at(tmp_path, files.model(body))
        assert not found.accepted
        assert location in found.reason
        assert "save_as_external_data=False" in found.reason


def test_external_data_inside_a_branch_is_found(tmp_path: Path) -> None:
    hidden = files.name(1, "value") + delimited(5, files.external("w", "/etc/passwd", 4)) + files.whole(20, 4)
    inner = files.graph([files.node("Constant", [], ["v"], attributes=[hidden])], [], [])
    branch = files.subgraph("then_branch", inner)
    body = files.graph(
        [files.node("If", ["c"], ["y"], attributes=[branch])],
        [files.port("c", "bool", [])],
        [files.port("y", "float32", [4])],
    )
    found = looked_at(tmp_path, files.model(body))
    assert not found.accepted
    assert "/etc/passwd" in found.reason


@pytest.mark.parametrize(("domain", "operator"), [("evil.ops", "Run"), ("com.microsoft", "EPContext")])
def test_operators_that_bring_machine_code_are_refused(tmp_path: Path, domain: str, operator: str) -> None:
    body = files.graph(
        [files.node(operator, ["x"], ["y"], domain=domain)],
        [files.port("x", "float32", [1, 4])],
        [files.port("y", "float32", [1, 4])],
    )
    found = looked_at(tmp_path, files.model(body, domains=[domain]))
    assert not found.accepted
    assert "code" in found.reason


def test_a_few_bytes_that_ask_for_40_gb_are_refused(tmp_path: Path) -> None:
    data = files.greedy(10_000_000_000)
    assert len(data) < 300
    found = looked_at(tmp_path, data)
    assert not found.accepted
    assert "asks for more than the 2,048 MB" in found.reason


def test_tensors_that_claim_more_than_they_hold_are_refused(tmp_path: Path) -> None:
    for dims, told in (([1 << 40], "ask for"), ([5], "lacks data")):
        body = files.graph(
            [files.node("Add", ["x", "w"], ["y"])],
            [files.port("x", "float32", [1, 4])],
            [files.port("y", "float32", [1, 4])],
            [files.tensor("w", np.ones(4, np.float32), dims=dims)],
        )
        found = looked_at(tmp_path, files.model(body))
        assert not found.accepted
        assert told in found.reason


def test_a_model_that_never_ends_is_stopped(tmp_path: Path) -> None:
    found = looked_at(tmp_path, files.endless(), Question(measure=False, limits=Limits(wall_s=1.5)))
    assert not found.accepted
    assert "did not answer within 2 s" in found.reason


# -- files that are not what they seem --------------------------------------------------------------------


def test_every_truncation_is_refused_without_running() -> None:
    data = files.linear()
    for length in range(len(data)):
        try:
            read_onnx(data[:length])
        except WireError:
            continue
        # Cut between two fields it is a shorter, whole message; the operator sets are last here.
        pytest.fail(f"{length} of {len(data)} bytes were taken for a whole model")


def test_every_flipped_byte_is_answered(tmp_path: Path) -> None:
    data = bytearray(files.linear())
    for at in range(0, len(data), 3):
        broken = bytearray(data)
        broken[at] ^= 0xFF
        try:
            read_onnx(bytes(broken))
        except WireError:
            continue


def test_a_damaged_recording_is_refused(tmp_path: Path) -> None:
    data = recording("models/deeplob_onnx/model_b1.onnx").read_bytes()
    found = looked_at(tmp_path, data[: len(data) // 2])
    assert not found.accepted
    assert "no whole ONNX file" in found.reason


def test_the_name_does_not_decide(tmp_path: Path) -> None:
    for name in ("model.bin", "model.pkl", "model.pt"):
        assert looked_at(tmp_path, files.linear(), name=name).accepted
    assert not looked_at(tmp_path, b"", name="empty.onnx").accepted


def test_a_file_beyond_the_cap_is_not_even_read(tmp_path: Path) -> None:
    path = tmp_path / "large.onnx"
    with path.open("wb") as file:
        file.truncate(MAX_FILE_BYTES + 1)
    found = inspect(path)
    assert not found.accepted
    assert "512 MB" in found.reason


@pytest.mark.parametrize(
    ("data", "told"), [(b"", "This file is empty;"), (b"Dear reader\n", "This is no ONNX file but a text;")]
)
def test_what_never_was_a_model_is_told_in_plain_words(data: bytes, told: str, tmp_path: Path) -> None:
    (tmp_path / "model.onnx").write_bytes(data)
    found = inspect(tmp_path / "model.onnx")
    assert not found.accepted
    assert found.reason.startswith(told)
