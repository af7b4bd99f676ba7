"""Measures the runtimes on three model sizes: what one prediction costs, and rows a second.

Runs inside the station (`nexttick bench inference`) and on any machine with torch, NumPy and polars alone
(`python -m ai.runtime.bench --json FILE`), such as a rented GPU: so nothing here imports msgspec, and a
runtime that is absent is a row that says so. Each CPU row comes from a process of its own, whose peak memory
is then that runtime's with that model; all its threads are one.
"""

import argparse
import importlib.util
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, Final

import numpy as np

from ai.runtime.bench_rows import MODELS, Measured, Model, Row
from ai.runtime.devices import Device, cuda_devices
from ai.runtime.predictor import Floats, Predictor

BATCH: Final = 4_096
_FEW, _MANY = 3, 20_000
_WARM_UPS = 3
_CPU = Device(None, "")

type Report = Callable[[str], None]


# -- all rows ---------------------------------------------------------------------------------------------


def measure(report: Report, models: Sequence[str] = tuple(MODELS), seconds: float = 1.0) -> Measured:
    """Measure every runtime that is here, each row for about `seconds`.

    Raises
    ------
    KeyError
        Not one of `MODELS`.
    """
    measured = Measured(
        machine=_processor(),
        python=platform.python_version(),
        gpu=None,
        gpu_told="No CUDA device was found." if not cuda_devices() else "",
    )
    for name in models:
        report(f"Measuring {MODELS[name].title}")
        measured.rows += _onnx_rows(name, seconds)
        measured.rows += _torch_rows(name, seconds)
    _add_cuda(measured, models, seconds, report)
    return measured


def _processor() -> str:
    told = Path("/proc/cpuinfo")
    if told.exists():
        lines = told.read_text(encoding="utf-8", errors="replace").splitlines()
        names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
        if names:
            return names[0]
    return platform.processor() or platform.machine()


def _is_here(package: str) -> bool:
    return importlib.util.find_spec(package) is not None


def _onnx_rows(name: str, seconds: float) -> list[Row]:
    runtime = "onnxruntime-cpu"
    if not _is_here("onnxruntime"):
        return [Row(name, runtime, "onnxruntime is not installed here.")]
    if not _is_here("torch"):
        return [Row(name, runtime, "torch is not installed here, and the model is made with it.")]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.onnx"
        made = _child("export", name, seconds, str(path))
        if isinstance(made, str):
            return [Row(name, runtime, made)]
        return _rows_of(_child(runtime, name, seconds, str(path)), name, runtime)


def _torch_rows(name: str, seconds: float) -> list[Row]:
    if not _is_here("torch"):
        return [Row(name, "torch-cpu", "torch is not installed here.")]
    return _rows_of(_child("torch-cpu", name, seconds), name, "torch-cpu")


def _add_cuda(measured: Measured, models: Sequence[str], seconds: float, report: Report) -> None:
    runtimes = ("torch-cuda-eager", "torch-cuda-compiled", "torch-cuda-graph")
    absent = measured.gpu_told or ("" if _is_here("torch") else "torch is not installed here.")
    for name in models:
        if absent:
            measured.rows += [Row(name, runtime, absent) for runtime in runtimes]
            continue
        report(f"Measuring {MODELS[name].title} on the GPU")
        answer = _child("cuda", name, seconds)
        measured.rows += _rows_of(answer, name, "torch-cuda")
        if not isinstance(answer, str) and answer.get("gpu"):
            measured.gpu, measured.card = answer["gpu"], answer["card"]
            measured.gpu_told = f"{measured.gpu}, torch {answer['torch']}."


def _rows_of(answer: dict[str, Any] | str, name: str, runtime: str) -> list[Row]:
    if isinstance(answer, str):
        return [Row(name, runtime, answer)]
    return [Row(**row) for row in answer["rows"]]


def _child(what: str, name: str, seconds: float, file: str = "") -> dict[str, Any] | str:
    """Answer of a process of its own, or the sentence that says why it gave none."""
    command = [sys.executable, "-W", "ignore", "-m", "ai.runtime.bench", "--child", what, name, file]
    done = subprocess.run(  # noqa: S603 - this very program
        [*command, "--seconds", str(seconds)],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"},
        cwd=Path(__file__).resolve().parents[2],
    )
    if done.returncode:
        last = (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]
        return f"It did not run: {last[:300]}"
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answer


# -- in a process of its own ------------------------------------------------------------------------------


def _in_child(what: str, name: str, file: str, seconds: float) -> dict[str, Any]:
    if what == "cuda":
        from ai.runtime.bench_cuda import measure_cuda  # noqa: PLC0415 - torch, only in the child

        return measure_cuda(name, seconds)
    if what == "export":
        Path(file).write_bytes(_exported(MODELS[name]))
        return {}
    predictor = _opened(what, MODELS[name], file)
    predictor.warm_up()
    rows = [
        timed(Row(name, what, batch=batch), predictor.predict, windows(MODELS[name], batch), seconds)
        for batch in (1, BATCH)
    ]
    # Read last: then it is the most that this runtime ever took with this model, at any batch.
    return {"rows": [asdict(replace(row, memory_mb=peak_mb())) for row in rows]}


def _exported(model: Model) -> bytes:
    from ai.runtime.onnx_export import export_onnx  # noqa: PLC0415 - torch, only in the child

    return export_onnx(built(model), {"x": windows(model, 1)}, ("y",))


def _opened(runtime: str, model: Model, file: str) -> Predictor:
    if runtime == "onnxruntime-cpu":
        from ai.runtime.onnx_predictor import OnnxPredictor  # noqa: PLC0415 - only in the child

        return OnnxPredictor(Path(file).read_bytes(), model.signature, _CPU)
    import torch  # noqa: PLC0415 - only in the child

    from ai.runtime.torch_predictor import TorchPredictor  # noqa: PLC0415

    torch.set_num_threads(1)
    return TorchPredictor(built(model), model.signature, _CPU)


def built(model: Model) -> Any:
    """Module with seeded weights, ready to predict."""
    import torch  # noqa: PLC0415 - only in the child

    from ai.runtime.modules import build  # noqa: PLC0415

    torch.manual_seed(3)
    return build(model.architecture, model.sizes).eval().requires_grad_(requires_grad=False)


def windows(model: Model, batch: int) -> Floats:
    """Standard normal x_BTF."""
    rng = np.random.default_rng(7)
    return rng.standard_normal((batch, model.window, model.columns)).astype(np.float32)


def timed(row: Row, predict: Callable[[Floats], Floats], x: Floats, seconds: float) -> Row:
    """`row` with the durations of `predict(x)`: at least 3 runs, or as many as `seconds` hold."""
    for _ in range(_WARM_UPS):
        predict(x)
    durations: list[int] = []
    until = time.perf_counter() + seconds
    while len(durations) < _FEW or (len(durations) < _MANY and time.perf_counter() < until):
        begun = time.perf_counter_ns()
        predict(x)
        durations.append(time.perf_counter_ns() - begun)
    p50, p99 = np.percentile(np.array(durations) / 1e3, [50, 99])
    return replace(row, p50_us=float(p50), p99_us=float(p99), rows_per_s=float(len(x) / p50 * 1e6))


def peak_mb() -> float | None:
    """Most memory that this process ever held; None where the system does not tell without psutil."""
    status = Path("/proc/self/status")
    if status.exists():
        return int(status.read_text(encoding="ascii").split("VmHWM:")[1].split()[0]) / 1024
    if not _is_here("psutil"):
        return None
    import psutil  # noqa: PLC0415 - absent on machines that only measure

    memory = psutil.Process().memory_info()
    return float(getattr(memory, "peak_wset", memory.rss)) / 2**20


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark by itself."""
    parser = argparse.ArgumentParser(prog="python -m ai.runtime.bench", description="measure the runtimes")
    parser.add_argument("--json", metavar="FILE", help="write the figures there; - is standard output")
    parser.add_argument("--models", nargs="+", choices=list(MODELS), default=list(MODELS))
    parser.add_argument("--seconds", type=float, default=1.0, help="time for each row (default: 1)")
    parser.add_argument("--child", nargs=3, metavar=("WHAT", "MODEL", "FILE"), help=argparse.SUPPRESS)
    args = parser.parse_args(arguments)
    if args.child:
        what, name, file = args.child
        print(json.dumps(_in_child(what, name, file, args.seconds)))
        return 0
    measured = measure(lambda line: print(line, file=sys.stderr), args.models, args.seconds)
    if args.json == "-":
        print(json.dumps(measured.json(), indent=2))
        return 0
    if args.json:
        Path(args.json).write_text(json.dumps(measured.json(), indent=2), encoding="utf-8")
    print(measured.text())
    return 0


if __name__ == "__main__":
    sys.exit(main())
