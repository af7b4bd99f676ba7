"""The runtimes' benchmark: its figures, its JSON, and that torch, NumPy and polars are all it needs."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ai.runtime.bench import timed
from ai.runtime.bench_rows import MODELS, Measured, Row

ROOT = Path(__file__).parents[3]
KEYS = ["model", "runtime", "told", "batch", "p50_us", "p99_us"]
KEYS += ["rows_per_s", "memory_mb", "gpu_mb", "floor_us"]
ABSENT = ("msgspec", "onnxruntime", "nautilus_trader", "PySide6", "psutil", "pyarrow", "qasync", "keyring")
CARD = {"copy_in_gb_s": 50.0, "copy_out_gb_s": 25.0, "memory_gb_s": 1_000.0, "tf32_tflop_s": 100.0}


def run_bench(
    folder: Path, *arguments: str, absent: tuple[str, ...] = ()
) -> subprocess.CompletedProcess[str]:
    """Run the benchmark by itself, where some packages and every GPU are out of reach."""
    barred = f"import sys\nsys.modules.update(dict.fromkeys({absent!r}))\n"
    (folder / "sitecustomize.py").write_text(barred)
    return subprocess.run(
        [sys.executable, "-W", "ignore", *arguments],
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(folder), "CUDA_VISIBLE_DEVICES": ""},
    )


def test_it_runs_where_only_torch_numpy_and_polars_are(tmp_path: Path) -> None:
    module = ["-m", "ai.runtime.bench", "--models", "mlp", "--seconds", "0.01"]
    done = run_bench(tmp_path, *module, "--json", "-", absent=ABSENT)
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert set(answer) == {"threads", "models", "machine", "python", "gpu", "gpu_told", "rows", "card"}
    rows = {(row["runtime"], row["batch"]): row for row in answer["rows"]}
    assert all(list(row) == KEYS for row in rows.values())
    assert rows["onnxruntime-cpu", None]["told"] == "onnxruntime is not installed here."
    for batch in (1, 4096):
        row = rows["torch-cpu", batch]
        assert 0 < row["p50_us"] <= row["p99_us"]
        assert row["rows_per_s"] == pytest.approx(batch / row["p50_us"] * 1e6)
    if sys.platform == "linux":
        assert rows["torch-cpu", 1]["memory_mb"] > 100
    for runtime in ("torch-cuda-eager", "torch-cuda-compiled", "torch-cuda-graph"):
        assert rows[runtime, None]["told"] == "No CUDA device was found."


def test_features_and_runtimes_import_there_too(tmp_path: Path) -> None:
    runtimes = [path.stem for path in (ROOT / "ai" / "runtime").glob("*.py")]
    # Strangers' files need their passports, and these msgspec; onnxruntime's own need that.
    needing = ("isolat", "torch_files", "onnx_predictor", "onnx_session", "__init__")
    names = ["ai", "ai.features", "ai.features.proof"]
    names += [f"ai.runtime.{each}" for each in runtimes if not each.startswith(needing)]
    assert len(names) > 12
    done = run_bench(tmp_path, "-c", f"import {', '.join(names)}", absent=ABSENT)
    assert done.returncode == 0, done.stderr


def test_the_station_measures_onnxruntime_beside_torch(tmp_path: Path) -> None:
    done = run_bench(tmp_path, "-m", "ai.runtime.bench", "--models", "mlp", "--seconds", "0.01")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert sum("onnxruntime-cpu" in line and "MB" not in line for line in lines) == 2, done.stdout
    assert any("torch-cuda-graph    No CUDA device was found." in line for line in lines)


def test_a_runtime_that_fails_is_a_row_that_says_so(tmp_path: Path) -> None:
    module = ["-m", "ai.runtime.bench", "--models", "mlp", "--seconds", "0.01", "--json", "-"]
    done = run_bench(tmp_path, *module, absent=("ai.runtime.torch_predictor", "onnxruntime"))
    assert done.returncode == 0, done.stderr
    told = {row["runtime"]: row["told"] for row in json.loads(done.stdout)["rows"]}
    assert told["torch-cpu"].startswith("It did not run: ")
    assert "torch_predictor" in told["torch-cpu"]


def test_the_models_have_the_sizes_that_they_say() -> None:
    assert {name: model.parameters for name, model in MODELS.items()} == {
        "mlp": 10 * 32 + 32 + 32 * 32 + 32 + 32 * 3 + 3,
        "lstm": 4 * 64 * (8 + 64 + 2) + 64 * 3 + 3,
        "transformer": 8 * 64 + 64 + 2 * (4 * 64 * 65 + 64 * 128 * 2 + 128 + 64 + 4 * 64) + 64 * 3 + 3,
    }
    assert MODELS["mlp"].operations == 2 * (10 * 32 + 32 * 32 + 32 * 3)
    assert MODELS["lstm"].operations == 2 * (50 * 4 * 64 * (8 + 64) + 64 * 3)
    weights = 8 * 64 + 2 * (4 * 64 * 64 + 2 * 64 * 128)
    assert MODELS["transformer"].operations == 2 * (50 * weights + 64 * 3) + 2 * 4 * 50 * 50 * 64


def test_the_floor_is_bytes_over_bandwidth_and_operations_over_peak() -> None:
    batch = 1_000
    given, answered = batch * 50 * 8 * 4 / 50e9, batch * 3 * 4 / 25e9
    arithmetic = batch * MODELS["lstm"].operations / 100e12
    assert MODELS["lstm"].floor_us(batch, CARD) == pytest.approx((given + answered + arithmetic) * 1e6)
    mlp = MODELS["mlp"]
    traffic = (mlp.parameters + batch * 13) * 4 / 1e12
    copies = batch * 10 * 4 / 50e9 + batch * 3 * 4 / 25e9
    assert mlp.floor_us(batch, CARD) == pytest.approx((copies + traffic) * 1e6)


def test_a_row_is_timed_at_least_three_times() -> None:
    calls: list[int] = []

    def predict(x: Any) -> Any:
        calls.append(len(x))
        return x

    row = timed(Row("mlp", "x", batch=5), predict, np.zeros((5, 1, 1), np.float32), 0.0)
    assert calls == [5] * 6, "three to warm up, three that count"
    assert row.p50_us is not None
    assert row.rows_per_s == pytest.approx(5 / row.p50_us * 1e6)


def test_the_table_tells_figures_and_reasons() -> None:
    row = Row("mlp", "torch-cuda-graph", "in runs of 4,096", 65_536, 1.5, 2.0, 1e6, 900.0, 64.0, 0.25)
    measured = Measured("CPU", "3.12.1", "GPU X", "GPU X, torch 2.", [row], {"launch_us": 7.0})
    text = measured.text()
    assert "GPU X, torch 2." in text
    assert "launch_us 7.0" in text
    (line,) = (line for line in text.splitlines() if "torch-cuda-graph" in line)
    figures = "torch-cuda-graph 65,536 1.5 2.0 1,000,000 64 0.25 in runs of 4,096"
    assert " ".join(line.split()) == figures
    measured.rows = [replace(row, told="It did not run: x", p50_us=None)]
    assert "torch-cuda-graph    It did not run: x" in measured.text()
