import json
from pathlib import Path
from typing import Any

import pytest

from ai.loading.onnx_model import with_passport
from ai.passport import write_beside
from app.__main__ import main
from app.commands.model import known_features
from app.paths import RESOURCES
from tests.ai.inference import models
from tests.ai.loading import onnx_files as files
from tests.ai.loading.passports import linear_passport
from tests.recordings import recording


@pytest.fixture
def linear(tmp_path: Path) -> Path:
    path = tmp_path / "linear.onnx"
    path.write_bytes(files.linear())
    return path


def asked(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    assert main(["model", *arguments, "--json", "-"]) == 0
    answer: dict[str, Any] = json.loads(capsys.readouterr().out)
    return answer


def test_inspect_answers_the_documented_json(linear: Path, capsys: pytest.CaptureFixture[str]) -> None:
    answer = asked(capsys, "inspect", str(linear))
    wanted = "format accepted reason inputs outputs passport sha256 golden_ok latency_us runtime"
    assert set(wanted.split()) <= set(answer)
    assert (answer["format"], answer["accepted"], answer["runtime"]) == ("onnx", True, "onnxruntime-cpu")
    assert set(answer["latency_us"]) == {"p50", "p99"}
    assert answer["inputs"] == [{"name": "x", "dtype": "float32", "shape": ["batch", 4]}]
    assert main(["model", "inspect", str(linear)]) == 0
    assert "map its inputs to features" in capsys.readouterr().out


def test_a_refusal_is_an_answer_and_an_unreadable_file_a_mistake(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "m.pkl").write_bytes(b"\x80\x04.")
    answer = asked(capsys, "inspect", str(tmp_path / "m.pkl"))
    assert (answer["format"], answer["accepted"]) == ("pickle", False)
    assert "torch.onnx.export" in answer["reason"]
    for path in (tmp_path / "nothing.onnx", tmp_path):
        assert main(["model", "inspect", str(path)]) == 2
        assert "cannot be read" in capsys.readouterr().err


def test_features_are_held_against_this_stations_own(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(with_passport(files.linear(), linear_passport().to_json()))
    answer = asked(capsys, "inspect", str(path))
    assert answer["accepted"] is False
    assert "The code of microprice, spread has changed" in answer["reason"]
    assert len(known_features()["spread"]) == 64


@pytest.mark.parametrize(
    ("classes", "told"),
    [
        (("a", "b", "c"), "named a, b, c; name them down, flat and up"),
        (("down", "flat", "up"), ""),
    ],
)
def test_what_no_session_can_trade_is_told_though_the_file_is_sound(
    classes: tuple[str, ...], told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    use = models.written(tmp_path, models.mlp(1, 6), models.passport(models.feature_set(), classes=classes))
    answer = asked(capsys, "inspect", use.file)
    assert (answer["accepted"], told in answer["unfit"], bool(answer["unfit"])) == (True, True, bool(told))
    assert main(["model", "inspect", use.file]) == 0
    assert ("CANNOT BE TRADED: The classes of tested are" in capsys.readouterr().out) == bool(told)


def test_several_files_are_answered_in_order(
    linear: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "m.pkl").write_bytes(b"\x80\x04.")
    answer = asked(capsys, "inspect", str(linear), str(tmp_path / "m.pkl"))
    assert [each["format"] for each in answer["models"]] == ["onnx", "pickle"]


def test_bench_names_the_fastest_and_says_what_is_absent(
    linear: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    answer = asked(capsys, "bench", str(linear), "--device", "cpu")
    assert answer["runtime"] == "onnxruntime-cpu"
    (cpu, cuda) = answer["runtimes"]
    assert 0 < cpu["p50_us"] <= cpu["p99_us"]
    assert (cpu["batch"], cpu["right"]) == (4096, True)
    assert (cuda["name"], cuda["right"], cuda["p50_us"]) == ("onnxruntime-cuda", None, None)
    assert "on the CPU, as set" in cuda["told"]
    assert main(["model", "bench", str(linear), "--device", "tpu"]) == 2
    assert "choose auto, cpu or cuda:0" in capsys.readouterr().err


def test_imported_models_are_listed(linear: Path, own_home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert asked(capsys, "list") == {"models": []}
    entry = asked(capsys, "import", str(linear), "--name", "mine", "--notes", "from a friend")["entry"]
    assert (entry["name"], entry["version"], entry["notes"]) == ("mine", 1, "from a friend")
    assert asked(capsys, "list")["models"] == [entry]
    assert (own_home / "models" / "files" / entry["sha256"] / "linear.onnx").is_file()
    assert main(["model", "list"]) == 0
    assert "from a friend" in capsys.readouterr().out


def test_the_list_tells_what_a_model_is_worth_in_a_line(
    own_home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    metrics = asked(capsys, "import", str(RESOURCES / "models" / "demo" / "model.onnx"))["entry"]["metrics"]
    assert main(["model", "list"]) == 0
    (line,) = capsys.readouterr().out.splitlines()
    accuracy = f"accuracy {metrics['accuracy']:.4g} (logistic {metrics['logistic_accuracy']:.4g})"
    loss = f"log loss {metrics['log_loss']:.4g} (logistic {metrics['logistic_log_loss']:.4g})"
    assert line.endswith(f"  {accuracy}, {loss}")
    assert len(line) < 120


def test_a_refused_file_is_not_imported(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "m.pkl").write_bytes(b"\x80\x04.")
    assert main(["model", "import", str(tmp_path / "m.pkl")]) == 2
    assert "is refused" in capsys.readouterr().err


def test_convert_says_what_is_in_the_way(
    linear: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["model", "convert", str(linear)]) == 2
    assert "is there already" in capsys.readouterr().err
    script = recording("models/torchscript/cartpole_traced.pt")
    assert main(["model", "convert", str(script), "--out", str(tmp_path / "c.onnx")]) == 2
    assert "--trust" in capsys.readouterr().err


def test_a_passport_is_shown_without_its_golden_numbers(
    linear: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_beside(linear_passport(features=()), tmp_path)
    answer = asked(capsys, "inspect", str(linear))
    assert answer["accepted"] is False
    assert "different columns" in answer["reason"]
