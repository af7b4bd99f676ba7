"""The GPU's part of the benchmark: eager, compiled and as a CUDA graph, beside what the card cannot go below.

Every duration is NumPy in to NumPy out, so both transfers count. The floor is made of figures that the card
itself gave a moment before: bytes over the measured bandwidths, and operations over the rate of a large
matrix product in TF32, the fastest that float32 weights can be multiplied.
"""

import gc
import time
from collections.abc import Callable
from dataclasses import asdict, replace
from typing import Any, Final

import torch

from ai.runtime.bench import built, peak_mb, timed, windows
from ai.runtime.bench_rows import MODELS, Card, Model, Row
from ai.runtime.devices import Device
from ai.runtime.predictor import MAX_BATCH, Floats
from ai.runtime.torch_predictor import TorchPredictor

BATCHES: Final = (1, 16, 256, 4_096, 16_384, 65_536)
_CUDA: Final = Device(0, "")
_PLACE: Final = torch.device("cuda:0")
_PINNED_BYTES: Final = 256 << 20
_COPIED_BYTES: Final = 1 << 30
_SIDE: Final = 8_192
_REPEATS: Final = 10

type Predict = Callable[[Floats], Floats]


def measure_cuda(name: str, seconds: float) -> dict[str, Any]:
    """Rows of all three ways on the first CUDA device, with the card's name and figures."""
    model, card = MODELS[name], card_figures()
    rows: list[Row] = []
    for runtime, opening in (
        ("torch-cuda-eager", _eager),
        ("torch-cuda-compiled", _compiled),
        ("torch-cuda-graph", _graph),
    ):
        gc.collect()
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats(_PLACE)
        try:
            predict = opening(model)
            for batch in BATCHES:  # one by one, so that rows before a failure stay
                rows.append(_row(Row(name, runtime, batch=batch), model, predict, seconds, card))  # noqa: PERF401
        except Exception as error:  # noqa: BLE001 - a way that fails here is a row that says so
            first = (str(error).strip().splitlines() or [type(error).__name__])[0]
            rows.append(Row(name, runtime, f"It did not run: {first[:300]}"))
    return {
        "rows": [asdict(row) for row in rows],
        "gpu": torch.cuda.get_device_name(_PLACE),
        "torch": torch.__version__,
        "card": card,
    }


def _row(row: Row, model: Model, predict: Predict, seconds: float, card: Card) -> Row:
    batch = row.batch or 1
    is_split = row.runtime == "torch-cuda-graph" and batch > MAX_BATCH
    return replace(
        timed(row, predict, windows(model, batch), seconds),
        told=f"in runs of {MAX_BATCH:,}" if is_split else "",
        memory_mb=peak_mb(),
        gpu_mb=torch.cuda.max_memory_reserved() / 2**20,
        floor_us=model.floor_us(batch, card),
    )


# -- the three ways ---------------------------------------------------------------------------------------


def _eager(model: Model) -> Predict:
    return _copying(built(model).to(_PLACE))


def _compiled(model: Model) -> Predict:
    return _copying(torch.compile(built(model).to(_PLACE), dynamic=True))


def _copying(module: Callable[[torch.Tensor], torch.Tensor]) -> Predict:
    def predict(x: Floats) -> Floats:
        with torch.no_grad():
            y: Floats = module(torch.from_numpy(x).to(_PLACE)).cpu().numpy()
        return y

    return predict


def _graph(model: Model) -> Predict:
    predictor = TorchPredictor(built(model), model.signature, _CUDA)
    predictor.warm_up()
    return predictor.predict


# -- what the card gives ----------------------------------------------------------------------------------


def card_figures() -> Card:
    """Bandwidths in GB/s, matrix products in TFLOP/s, and what starting one small graph costs."""
    return _bandwidths() | {"tf32_tflop_s": _tflops(), "launch_us": _launch_us()}


def _bandwidths() -> Card:
    host = torch.empty(_PINNED_BYTES, dtype=torch.uint8, pin_memory=True)
    near = torch.empty(_PINNED_BYTES, dtype=torch.uint8, device=_PLACE)
    source = torch.empty(_COPIED_BYTES, dtype=torch.uint8, device=_PLACE)
    target = torch.empty_like(source)
    return {
        "copy_in_gb_s": _PINNED_BYTES / _seconds(lambda: near.copy_(host, non_blocking=True)) / 1e9,
        "copy_out_gb_s": _PINNED_BYTES / _seconds(lambda: host.copy_(near, non_blocking=True)) / 1e9,
        "memory_gb_s": 2 * _COPIED_BYTES / _seconds(lambda: target.copy_(source)) / 1e9,
    }


def _tflops() -> float:
    a, b = (torch.randn(_SIDE, _SIDE, device=_PLACE) for _ in range(2))
    out = torch.empty_like(a)
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("high")
    seconds = _seconds(lambda: torch.matmul(a, b, out=out))
    torch.set_float32_matmul_precision(before)
    return 2 * _SIDE**3 / seconds / 1e12


def _seconds(work: Callable[[], object]) -> float:
    """Duration of one `work` on the device, of many in a row."""
    work()
    torch.cuda.synchronize()
    begun = time.perf_counter()
    for _ in range(_REPEATS):
        work()
    torch.cuda.synchronize()
    return (time.perf_counter() - begun) / _REPEATS


def _launch_us() -> float:
    number = torch.zeros(1, device=_PLACE)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        number.add_(1)
    durations = []
    for _ in range(1_000):
        begun = time.perf_counter()
        graph.replay()
        torch.cuda.synchronize()
        durations.append(time.perf_counter() - begun)
    return sorted(durations)[len(durations) // 2] * 1e6
