import hashlib
from pathlib import Path

import numpy as np
import pytest

from ai.runtime.isolation import IsolatedModel, IsolationError
from ai.runtime.isolation_messages import Limits
from tests.ai.loading import onnx_files as files

X = {"x": np.ones((1, 4), np.float32)}


def opened(
    folder: Path, data: bytes, limits: Limits | None = None, sha256: str | None = None
) -> IsolatedModel:
    path = folder / "model.onnx"
    path.write_bytes(data)
    return IsolatedModel(path, sha256 or hashlib.sha256(data).hexdigest(), "onnx", limits)


def test_a_model_runs_and_is_timed_apart(tmp_path: Path) -> None:
    with opened(tmp_path, files.linear()) as model:
        assert [port.shape for port in model.opened.inputs] == [("batch", 4)]
        assert model.run(X).outputs["y"].shape == (1, 3)
        durations = model.time(X, 0.05, 40)
        assert 0 < len(durations) <= 40
        assert min(durations) > 0


def test_other_bytes_than_those_judged_are_not_opened(tmp_path: Path) -> None:
    with pytest.raises(IsolationError, match="changed while it was looked at"):
        opened(tmp_path, files.linear(), sha256="0" * 64)


def test_a_wrong_input_is_an_answer_and_the_process_lives_on(tmp_path: Path) -> None:
    with opened(tmp_path, files.linear()) as model:
        with pytest.raises(IsolationError, match="invalid dimensions"):
            model.run({"x": np.ones((1, 5), np.float32)})
        assert model.run(X).outputs["y"].shape == (1, 3)


def test_the_memory_limit_holds(tmp_path: Path) -> None:
    limits = Limits(memory_bytes=64 << 20)
    with (
        pytest.raises(IsolationError, match="64 MB"),
        opened(tmp_path, files.greedy(50_000_000), limits) as m,
    ):
        m.run(X)


def test_the_time_limit_holds_and_the_process_is_gone(tmp_path: Path) -> None:
    model = opened(tmp_path, files.endless(), Limits(wall_s=1.0))
    with model, pytest.raises(IsolationError, match="did not answer within 1 s"):
        model.run(X)
    assert model._process.returncode is not None
    assert not Path(model._folder.name).exists()


def test_the_process_inherits_no_secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BROKER_KEY", "secret")
    with opened(tmp_path, files.linear()) as model:
        environment = Path(f"/proc/{model._process.pid}/environ")
        if not environment.exists():
            pytest.skip("this system does not tell a process's environment")
        assert b"BROKER_KEY" not in environment.read_bytes()
