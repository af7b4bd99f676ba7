# ruff: noqa: N806 - tensors are named by their shape
import numpy as np
import pytest

from ai.runtime.devices import Device
from ai.runtime.onnx_predictor import OnnxPredictor
from ai.runtime.predictor import InputPort, Signature
from tests.ai.loading import onnx_files as files
from tests.ai.loading.passports import softmax
from tests.recordings import recording

CPU = Device(None, "")
LINEAR = Signature((InputPort("x", "float32", 4, has_window=False),), ("y",), 0, 1)
DEEPLOB = (InputPort("lob_window", "float32", 40),)


def rows(count: int, window: int = 1, columns: int = 4) -> np.ndarray:
    return np.random.default_rng(1).standard_normal((count, window, columns)).astype(np.float32)


@pytest.mark.parametrize("count", [1, 2, 5000])
def test_any_number_of_windows_is_predicted(count: int) -> None:
    predictor = OnnxPredictor(files.linear(), LINEAR, CPU)
    x_BTF = rows(count)
    assert np.allclose(predictor.predict(x_BTF), softmax(x_BTF[:, 0] @ files.WEIGHTS), atol=1e-6)
    assert predictor.latency.count == 1


def test_a_fixed_batch_is_filled_up_and_cut() -> None:
    fixed = Signature(LINEAR.inputs, LINEAR.outputs, 0, 1, batch=4)
    predictor = OnnxPredictor(files.linear(4), fixed, CPU)
    for count in (1, 4, 6, 9):
        x_BTF = rows(count)
        assert np.allclose(predictor.predict(x_BTF), softmax(x_BTF[:, 0] @ files.WEIGHTS), atol=1e-6)


def test_the_normaliser_is_applied_before_the_model() -> None:
    mean, std = np.arange(4, dtype=np.float32), np.array([1, 2, 3, 4], np.float32)
    predictor = OnnxPredictor(files.linear(), Signature(LINEAR.inputs, ("y",), 0, 1, mean=mean, std=std), CPU)
    x_BTF = rows(3)
    normal = ((x_BTF[:, 0] - mean) / std).astype(np.float32)
    assert np.allclose(predictor.predict(x_BTF), softmax(normal @ files.WEIGHTS), atol=1e-6)


def test_a_window_goes_in_whole() -> None:
    predictor = OnnxPredictor(files.windowed(), Signature((InputPort("x", "float32", 4),), ("y",), 0, 5), CPU)
    x_BTF = rows(3, 5)
    assert np.allclose(predictor.predict(x_BTF), x_BTF[:, -1] @ files.WEIGHTS, atol=1e-6)
    with pytest.raises(ValueError, match=r"expected \[B, 5, 4\]"):
        predictor.predict(rows(3, 4))


def test_columns_are_dealt_to_several_inputs_and_a_class_is_one_number() -> None:
    ports = (InputPort("a", "float32", 2, has_window=False), InputPort("b", "float32", 1, has_window=False))
    predictor = OnnxPredictor(files.two_inputs_two_outputs(), Signature(ports, ("label", "both"), 0, 1), CPU)
    x_BTF = rows(6, 1, 3)
    y_BC = predictor.predict(x_BTF)
    assert y_BC.shape == (6, 1)
    assert np.array_equal(y_BC[:, 0], x_BTF[:, 0].argmax(axis=1))


def test_the_warm_up_leaves_no_durations() -> None:
    predictor = OnnxPredictor(files.linear(), LINEAR, CPU)
    predictor.warm_up()
    assert predictor.latency.count == 0
    predictor.predict(rows(1))
    assert 0 < predictor.latency.p50_us < 100_000


def test_recorded_deeplobs_of_batch_1_and_32_agree_with_the_golden_output() -> None:
    archive = np.load(recording("models/golden/deeplob_serve_b1.npz"))
    small = OnnxPredictor(
        recording("models/deeplob_onnx/model_b1.onnx").read_bytes(),
        Signature(DEEPLOB, ("logits",), 0, 100, batch=1),
        CPU,
    )
    large = OnnxPredictor(
        recording("models/deeplob_onnx/model_b32.onnx").read_bytes(),
        Signature(DEEPLOB, ("logits",), 0, 100, batch=32),
        CPU,
    )
    assert np.allclose(small.predict(archive["x"]), archive["y0"], atol=1e-5)
    assert np.allclose(large.predict(archive["x"]), archive["y0"], atol=1e-4)
