"""One training run from rows to a judged model."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from ai.features import FeatureSet
from ai.runtime.modules import build
from ai.training.baselines import shares
from ai.training.judging import MOST_FOR_A_LINE, MOST_JUDGED, Judge, verdict
from ai.training.labels import CLASSES
from ai.training.loop import Epoch, Fitted, Windows, fit, seeded
from ai.training.metrics import Metrics
from ai.training.plan import Plan
from ai.training.samples import Samples, samples
from ai.training.stretches import Int64, Stretch, hashes

type Report = Callable[[str], None]

_BAR = 20


@dataclass(frozen=True, slots=True)
class Scale:
    """What a regression's answers are scaled by; its loop sees moves of mean 0 and deviation 1."""

    mean: float = 0.0
    std: float = 1.0


class Answering(nn.Module):
    """The trained network with its last step in the graph: softmax, or the move in basis points."""

    def __init__(self, network: nn.Module, plan: Plan, scale: Scale) -> None:
        super().__init__()
        self.network = network
        self._is_classification = plan.task == "classification"
        self._scale = scale

    def forward(self, x: Tensor) -> Tensor:
        """Return probabilities `[B, 3]`, or moves `[B, 1]`."""
        y: Tensor = self.network(x)
        return torch.softmax(y, 1) if self._is_classification else y * self._scale.std + self._scale.mean


@dataclass(frozen=True, slots=True, eq=False)
class Trained:
    """A trained model and how good it is.

    Attributes
    ----------
    test, validation : dict
        Metrics by who made the predictions: `model`, and the two baselines.
    confusion : int64 array `[3, 3]` or None
        The model's on the test part: true class by row.
    sizes : dict
        Of the architecture.
    notes : tuple of str
        What a reader must know: what was capped, and whether the baselines were beaten.
    """

    plan: Plan
    features: FeatureSet
    module: Answering
    sizes: dict[str, int]
    samples: Samples
    fitted: Fitted
    test: dict[str, Metrics]
    validation: dict[str, Metrics]
    confusion: Int64 | None
    notes: tuple[str, ...]
    data_sha256: tuple[str, ...]
    seconds: float


def train(
    plan: Plan,
    features: FeatureSet,
    stretches: Sequence[Stretch],
    report: Report,
    borders_ns: tuple[int, int] | None = None,
) -> Trained:
    """Train and judge a model.

    Parameters
    ----------
    plan : Plan
    features : FeatureSet
        Of which the stretches' columns are.
    stretches : sequence of Stretch
    report : callable
        Takes a line of progress.
    borders_ns : tuple of int, optional
        When validation and test begin, instead of by the plan's shares.

    Raises
    ------
    UserError
        The plan or the data cannot be worked with, or the training diverged.
    """
    began = time.perf_counter()
    plan.check()
    data = samples(plan, features, stretches, borders_ns)
    notes = list(_capped(plan, data))
    _tell_data(plan, data, notes, report)
    outputs = len(CLASSES) if plan.task == "classification" else 1
    sizes = _sizes(plan, len(features.outputs), outputs)
    scale = Scale()
    with seeded(plan.seed, plan.threads):
        network, windows = build(plan.architecture, sizes), Windows(data.x, plan.window)
        target = torch.from_numpy(data.classes)
        if plan.task == "regression":
            moved = data.bps[data.split.train]
            scale = Scale(float(moved.mean()), float(moved.std()) or 1.0)
            target = torch.from_numpy(((data.bps - scale.mean) / scale.std).astype(np.float32))
        fitted = fit(network, windows, target, data.split, plan, lambda epoch: report(_line(epoch, plan)))
        module = Answering(network, plan, scale).eval()
        judge = Judge(plan, data, module, windows)
        test, validation = judge.of(data.split.test), judge.of(data.split.validation)
    notes.append(verdict(plan, test))
    return Trained(
        plan=plan,
        features=features,
        module=module,
        sizes=sizes,
        samples=data,
        fitted=fitted,
        test=test,
        validation=validation,
        confusion=judge.confusion(data.split.test),
        notes=tuple(notes),
        data_sha256=hashes(stretches),
        seconds=time.perf_counter() - began,
    )


def _sizes(plan: Plan, inputs: int, outputs: int) -> dict[str, int]:
    sizes = {"inputs": inputs, "hidden": plan.hidden, "layers": plan.layers, "outputs": outputs}
    return sizes | {"window": plan.window} if plan.architecture == "mlp" else sizes


# -- what is told -----------------------------------------------------------------------------------------


def _capped(plan: Plan, data: Samples) -> list[str]:
    parts = data.split
    notes = []
    if len(parts.train) > plan.epoch_windows:
        notes.append(
            f"Each epoch draws {plan.epoch_windows:,} of {len(parts.train):,} training windows anew "
            "(--epoch-windows)."
        )
    if len(parts.train) > MOST_FOR_A_LINE:
        line = "logistic" if plan.task == "classification" else "linear"
        notes.append(
            f"The {line} baseline is fitted on {MOST_FOR_A_LINE:,} of {len(parts.train):,} training windows."
        )
    if len(parts.validation) > plan.validated:
        notes.append(
            f"Epochs are judged by {plan.validated:,} of {len(parts.validation):,} validation windows."
        )
    for name, part in (("test", parts.test), ("validation", parts.validation)):
        if len(part) > MOST_JUDGED:
            notes.append(f"Figures of the {name} part are of {MOST_JUDGED:,} of its {len(part):,} windows.")
    return notes


def _tell_data(plan: Plan, data: Samples, notes: list[str], report: Report) -> None:
    parts = data.split
    report(
        f"{len(parts.train):,} windows to train on, {len(parts.validation):,} to validate, "
        f"{len(parts.test):,} to test; at least {parts.purge_ns / 1e9:,.1f} s purged and "
        f"{parts.embargo_ns / 1e9:,.1f} s embargoed between them"
    )
    if data.threshold is not None:
        told = zip(CLASSES, shares(data.classes[parts.train], len(CLASSES)), strict=True)
        told_shares = ", ".join(f"{name} {share:.0%}" for name, share in told)
        report(
            f"{plan.horizon} ahead, flat within {data.threshold:g} bps: {told_shares} of the training part"
        )
    for note in notes:
        report(note)


def _line(epoch: Epoch, plan: Plan) -> str:
    done = round(_BAR * epoch.epoch / plan.epochs)
    return (
        f"epoch {epoch.epoch:>3}/{plan.epochs} {'█' * done}{'░' * (_BAR - done)} "
        f"train {epoch.train_loss:.4f}  validation {epoch.validation_loss:.4f}  {epoch.seconds:.1f} s"
    )
