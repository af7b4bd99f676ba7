import numpy as np

from ai.passport import Normaliser
from ai.runtime.predictor import InputPort, Signature
from ai.training.scaling import column_bins, fitted_normaliser, normalised

X = np.random.default_rng(2).normal(60_000, 3, (500, 3)).astype(np.float32)


def test_a_column_that_never_changes_is_only_moved() -> None:
    x = X.copy()
    x[:, 1] = 0.1
    made = fitted_normaliser(x, np.arange(500))
    assert made.std[1] == 1.0
    assert normalised(x, made)[:, 1].tolist() == [0.0] * 500
    assert made.fitted_on is not None
    assert (made.fitted_on.start_ns, made.fitted_on.end_ns) == (0, 500)


def test_training_normalises_to_the_last_bit_as_inference_does() -> None:
    made = fitted_normaliser(X, np.arange(500))
    mean, std = np.array(made.mean, np.float32), np.array(made.std, np.float32)
    signature = Signature((InputPort("x", "float32", 3),), ("y",), 0, 1, mean=mean, std=std)
    assert np.array_equal(signature.feed(X[:, None])["x"][:, 0], normalised(X, made))
    assert not np.array_equal(normalised(X, Normaliser(kind="zscore", mean=(0.0,) * 3, std=made.std)), X)


def test_bins_are_of_equal_share_and_no_value_lies_on_an_edge() -> None:
    few = np.repeat(np.array([1.0, 2.0, 5.0], np.float32), [80, 15, 5])
    x = np.stack([X[:100, 0], few, np.ones(100, np.float32)], axis=1)
    smooth, steps, constant = column_bins(x, ("a", "b", "c"))
    assert len(smooth.edges) == 9
    assert max(abs(share - 0.1) for share in smooth.shares) <= 0.02
    assert not set(smooth.edges) & set(x[:, 0].astype(float).tolist())
    assert steps.edges == (1.5, 3.5)
    assert steps.shares == (0.8, 0.15, 0.05)
    assert (constant.edges, constant.shares) == ((), (1.0,))
