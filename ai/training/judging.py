"""Judges a model on rows that it did not see, beside what is known without it."""

import numpy as np
from torch import nn

from ai.training.baselines import Linear, shares
from ai.training.labels import CLASSES
from ai.training.loop import Windows, answers, evenly
from ai.training.metrics import Metrics, classification_metrics, confusion, regression_metrics
from ai.training.plan import Plan
from ai.training.samples import Samples
from ai.training.stretches import Float64, Int64

MOST_JUDGED = 100_000
"""Windows of a part that are judged, evenly spaced, where it has more."""

MOST_FOR_A_LINE = 50_000
"""Training windows that the line is fitted on, evenly spaced, where there are more."""


class Judge:
    """Judges the model and its baselines on a part."""

    def __init__(self, plan: Plan, data: Samples, module: nn.Module, windows: Windows) -> None:
        self._plan, self._data, self._module, self._windows = plan, data, module, windows
        train = evenly(data.split.train, MOST_FOR_A_LINE)
        if plan.task == "classification":
            self._line = Linear.logistic(data.x[train], data.classes[train], len(CLASSES))
            self._shares = shares(data.classes[data.split.train], len(CLASSES))
        else:
            self._line = Linear.least_squares(data.x[train], data.bps[train])
            self._mean = float(data.bps[data.split.train].mean())

    def _told(self, rows: Int64) -> Float64:
        return answers(self._module, self._windows, rows).numpy().astype(np.float64)

    def of(self, part: Int64) -> dict[str, Metrics]:
        """Metrics of the model and of each baseline."""
        rows = evenly(part, MOST_JUDGED)
        if self._plan.task == "regression":
            y = self._data.bps[rows]
            told = {
                "model": self._told(rows)[:, 0],
                "linear": self._line.values(self._data.x[rows]),
                "mean": np.full(len(rows), self._mean),
            }
            return {name: regression_metrics(each, y, self._mean) for name, each in told.items()}
        classes = self._data.classes[rows]
        told = {
            "model": self._told(rows),
            "logistic": self._line.probabilities(self._data.x[rows]),
            "majority": np.tile(self._shares, (len(rows), 1)),
        }
        return {name: classification_metrics(each, classes, CLASSES) for name, each in told.items()}

    def confusion(self, part: Int64) -> Int64 | None:
        """Count the model's answers `[3, 3]`, true class by row; None of a regression."""
        if self._plan.task == "regression":
            return None
        rows = evenly(part, MOST_JUDGED)
        return confusion(self._data.classes[rows], self._told(rows).argmax(axis=1), len(CLASSES))


def verdict(plan: Plan, test: dict[str, Metrics]) -> str:
    """Say in one sentence whether the model was worth its while, by the figure that it was trained for."""
    figure, better = ("log_loss", -1.0) if plan.task == "classification" else ("r2", 1.0)
    scores = {name: metrics[figure] for name, metrics in test.items()}
    mine = scores.pop("model")
    unbeaten = {name: score for name, score in scores.items() if better * (mine - score) <= 0}
    name = figure.replace("_", " ")
    if not unbeaten:
        best = max(scores, key=lambda each: better * scores[each])
        return (
            f"On the test part the model beats both baselines: {name} {mine:.4f}, {best} {scores[best]:.4f}."
        )
    told = " and ".join(f"{each} {score:.4f}" for each, score in unbeaten.items())
    return f"On the test part the model does NOT beat a baseline: {name} {mine:.4f}, {told}."
