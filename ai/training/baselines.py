"""What a model must beat to be worth its while: a guess without inputs, and a straight line through them.

Both learn from the training part alone. The line sees the newest row of each window.
"""

import numpy as np
import torch

from ai.training.stretches import Float32, Float64, Int64

_PENALTY = 1e-4
_STEPS = 60


def shares(y: Int64, classes: int) -> Float64:
    """Share of each class in training: what the majority baseline answers to everything."""
    return np.bincount(y, minlength=classes) / len(y)


class Linear:
    """Multinomial logistic regression, or least squares for numbers; both with a small ridge penalty."""

    def __init__(self, weights: Float64) -> None:
        self._weights = weights

    @classmethod
    def logistic(cls, x: Float32, y: Int64, classes: int) -> "Linear":
        """Fit by L-BFGS to `x` `[n, F]`, normalised, and classes `y` `[n]`."""
        rows, target = torch.from_numpy(_with_one(x)), torch.from_numpy(y)
        weights = torch.zeros((rows.shape[1], classes), dtype=torch.float64, requires_grad=True)
        solver = torch.optim.LBFGS([weights], max_iter=_STEPS, line_search_fn="strong_wolfe")

        def loss() -> torch.Tensor:
            solver.zero_grad()
            value = (
                torch.nn.functional.cross_entropy(rows @ weights, target) + _PENALTY * weights.square().sum()
            )
            value.backward()  # type: ignore[no-untyped-call]
            return value

        solver.step(loss)  # type: ignore[no-untyped-call]
        return cls(weights.detach().numpy())

    @classmethod
    def least_squares(cls, x: Float32, y: Float64) -> "Linear":
        """Fit to `x` `[n, F]`, normalised, and moves `y` `[n]`."""
        rows = _with_one(x)
        square = rows.T @ rows + _PENALTY * len(rows) * np.eye(rows.shape[1])
        return cls(np.linalg.solve(square, rows.T @ y).astype(np.float64))

    def values(self, x: Float32) -> Float64:
        """Logits `[n, classes]`, or moves `[n]`."""
        found: Float64 = _with_one(x) @ self._weights
        return found

    def probabilities(self, x: Float32) -> Float64:
        """Probabilities `[n, classes]`."""
        logits = self.values(x)
        e = np.exp(logits - logits.max(axis=1, keepdims=True))
        found: Float64 = e / e.sum(axis=1, keepdims=True)
        return found


def _with_one(x: Float32) -> Float64:
    return np.concatenate([x.astype(np.float64), np.ones((len(x), 1))], axis=1)
