import numpy as np
import pytest

from ai.training.baselines import Linear, shares
from ai.training.metrics import (
    calibration_error,
    classification_metrics,
    confusion,
    log_loss,
    regression_metrics,
)

NAMES = ("down", "flat", "up")
Y = np.array([0, 0, 1, 2])
P = np.array([[0.7, 0.2, 0.1], [0.1, 0.8, 0.1], [0.2, 0.6, 0.2], [0.3, 0.3, 0.4]])


def test_classification_figures_are_those_worked_out_by_hand() -> None:
    found = classification_metrics(P, Y, NAMES)
    assert confusion(Y, P.argmax(axis=1), 3).tolist() == [[1, 1, 0], [0, 1, 0], [0, 0, 1]]
    assert found["accuracy"] == 0.75
    assert found["balanced_accuracy"] == pytest.approx((0.5 + 1 + 1) / 3)
    assert found["log_loss"] == pytest.approx(-np.log([0.7, 0.1, 0.6, 0.4]).mean())
    squares = [0.09 + 0.04 + 0.01, 0.81 + 0.64 + 0.01, 0.04 + 0.16 + 0.04, 0.09 + 0.09 + 0.36]
    assert found["brier"] == pytest.approx(sum(squares) / 4)
    # Gorodkin: (right * n - sum of products) / sqrt of the two spreads.
    assert found["mcc"] == pytest.approx((3 * 4 - (2 * 1 + 1 * 2 + 1)) / np.sqrt((16 - 6) * (16 - 6)))
    assert (found["precision_flat"], found["recall_flat"]) == (0.5, 1.0)
    assert (found["precision_down"], found["recall_down"]) == (1.0, 0.5)
    assert found["n"] == 4


def test_a_class_that_never_comes_is_left_out_and_one_guess_has_no_correlation() -> None:
    found = classification_metrics(np.tile([0.2, 0.5, 0.3], (3, 1)), np.array([1, 1, 0]), NAMES)
    assert "recall_up" not in found
    assert "precision_up" not in found
    assert found["mcc"] == 0.0
    assert found["balanced_accuracy"] == 0.5


def test_what_is_sure_and_wrong_costs_much_but_not_everything() -> None:
    assert 20 < log_loss(np.array([[1.0, 0.0]]), np.array([1])) < 40


def test_a_calibrated_answer_has_no_calibration_error() -> None:
    p = np.tile([0.75, 0.25], (400, 1))
    y = np.array([0, 0, 0, 1] * 100)
    assert calibration_error(p, y) == pytest.approx(0.0)
    assert calibration_error(p, np.zeros(400, np.int64)) == pytest.approx(0.25)


def test_regression_figures() -> None:
    y = np.array([1.0, -1.0, 2.0, 0.0])
    assert regression_metrics(y, y, 0.5) == pytest.approx(
        {"r2": 1.0, "ic": 1.0, "sign_accuracy": 1.0, "mae": 0.0, "n": 4.0}
    )
    flat = regression_metrics(np.full(4, 0.5), y, 0.5)
    assert (flat["r2"], flat["ic"]) == (0.0, 0.0)
    assert flat["sign_accuracy"] == pytest.approx(2 / 3), "the row that did not move has no sign to tell"


def test_the_baselines_find_what_there_is() -> None:
    random = np.random.default_rng(4)
    x = random.standard_normal((4_000, 3)).astype(np.float32)
    logits = np.stack([-2 * x[:, 1], np.zeros(4_000), 2 * x[:, 1]], axis=1)
    p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    y = (p.cumsum(axis=1) > random.random((4_000, 1))).argmax(axis=1)
    found = Linear.logistic(x, y, 3).probabilities(x)
    assert np.abs(found - p).mean() < 0.02
    moves = 3.0 * x[:, 0] - 1.0 + 0.01 * random.standard_normal(4_000)
    assert Linear.least_squares(x, moves).values(x) == pytest.approx(3.0 * x[:, 0] - 1.0, abs=0.01)
    assert shares(np.array([0, 2, 2, 2]), 3).tolist() == [0.25, 0.0, 0.75]
