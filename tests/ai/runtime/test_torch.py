"""The one test module that imports torch in the tests' own process."""

# ruff: noqa: N806 - tensors are named by their shape
import warnings
from typing import Any

import numpy as np
import pytest

from ai.runtime.architectures import expected_shapes, fitting
from ai.runtime.devices import Device
from ai.runtime.predictor import InputPort, Signature
from tests.ai.loading.passports import softmax

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    torch = pytest.importorskip("torch")
    from ai.runtime.modules import build
    from ai.runtime.torch_predictor import TorchPredictor, bucket_of

CPU = Device(None, "")
SIGNATURE = Signature((InputPort("x", "float32", 4),), ("y",), 0, 5)
SIZES: dict[str, dict[str, int]] = {
    "mlp": {"inputs": 4, "window": 5, "hidden": 8, "layers": 2, "outputs": 3},
    "lstm": {"inputs": 4, "hidden": 8, "layers": 2, "outputs": 3},
    "transformer": {
        "inputs": 4, "model": 8, "heads": 2, "feedforward": 16, "layers": 2, "outputs": 3, "positions": 1,
    },
}  # fmt: skip


def rows(count: int) -> Any:
    return np.random.default_rng(2).standard_normal((count, 5, 4)).astype(np.float32)


@pytest.mark.parametrize("name", SIZES)
def test_the_tables_say_what_the_modules_hold(name: str) -> None:
    module = build(name, SIZES[name])
    shapes = {key: tuple(value.shape) for key, value in module.state_dict().items()}
    assert shapes == expected_shapes(name, SIZES[name])
    fit = fitting(shapes)
    assert fit is not None
    assert fit[0] == name
    assert module(torch.zeros(2, 5, 4)).shape == (2, 3)


@pytest.mark.parametrize("name", SIZES)
def test_static_buckets_give_what_the_module_gives(name: str) -> None:
    torch.manual_seed(1)
    module = build(name, SIZES[name]).eval()
    static = TorchPredictor(module, SIGNATURE, CPU, static=True)
    eager = TorchPredictor(module, SIGNATURE, CPU)
    for count in (1, 2, 3, 5, 64, 100):
        x_BTF = rows(count)
        y_BC = eager.predict(x_BTF)
        assert y_BC.shape == (count, 3)
        assert np.allclose(static.predict(x_BTF), y_BC, atol=1e-5)


def test_an_answer_does_not_change_when_the_next_is_computed() -> None:
    static = TorchPredictor(build("mlp", SIZES["mlp"]).eval(), SIGNATURE, CPU, static=True)
    first = static.run({"x": rows(2)[:1]})["y"]
    kept = first.copy()
    static.run({"x": rows(2)[1:]})
    assert np.array_equal(first, kept)


def test_a_row_is_predicted_alike_alone_and_in_a_batch() -> None:
    predictor = TorchPredictor(build("transformer", SIZES["transformer"]).eval(), SIGNATURE, CPU)
    x_BTF = rows(7)
    alone = np.concatenate([predictor.predict(x_BTF[at : at + 1]) for at in range(7)])
    assert np.allclose(predictor.predict(x_BTF), alone, atol=1e-5)


def test_bfloat16_is_near_float32_and_comes_out_as_float32() -> None:
    torch.manual_seed(1)
    module = build("mlp", SIZES["mlp"]).eval()
    exact = TorchPredictor(module, SIGNATURE, CPU).predict(rows(9))
    rough = TorchPredictor(module, SIGNATURE, CPU, precision="bfloat16").predict(rows(9))
    assert rough.dtype == np.float32
    assert np.allclose(softmax(rough), softmax(exact), atol=0.02)
    assert not np.array_equal(rough, exact)


@pytest.mark.parametrize(("count", "bucket"), [(1, 1), (2, 2), (3, 4), (4, 4), (4095, 4096), (4096, 4096)])
def test_a_bucket_is_the_next_power_of_two(count: int, bucket: int) -> None:
    assert bucket_of(count) == bucket


def test_there_is_no_bucket_beyond_the_largest() -> None:
    for count in (0, 4097):
        with pytest.raises(ValueError, match="not from 1 to 4096"):
            bucket_of(count)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device on this machine")
def test_cuda_graphs_give_what_the_cpu_gives() -> None:
    module = build("lstm", SIZES["lstm"]).eval()
    expected = TorchPredictor(module, SIGNATURE, CPU).predict(rows(100))
    predictor = TorchPredictor(module, SIGNATURE, Device(0, ""))
    predictor.warm_up()
    assert np.allclose(predictor.predict(rows(100)), expected, atol=1e-3)
    assert predictor.memory().gpu_bytes


def test_the_exporter_still_needs_the_onnx_package() -> None:
    """WORKAROUND(torch 2.13): when this fails, `ai.runtime.onnx_export` can do without its patch."""
    from torch.onnx._internal.torchscript_exporter import onnx_proto_utils

    with pytest.raises(torch.onnx.OnnxExporterError, match="onnx is not installed"):
        onnx_proto_utils._add_onnxscript_fn(b"", {})
