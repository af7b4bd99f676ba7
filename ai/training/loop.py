"""The training loop: AdamW on random windows, judged after each epoch, ended when that brings nothing more.

Shape letters: B batch, T rows of the window, F feature columns, R rows, C outputs.
"""
# ruff: noqa: N803 - tensors are named by their shape

import copy
import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import msgspec
import numpy as np
import torch
from torch import Tensor, nn

from ai.training.plan import Plan
from ai.training.splits import Split
from ai.training.stretches import Float32, Int64
from engine.errors import UserError

_GRADIENT_NORM = 1.0
_READ_WINDOWS = 4_096


class Epoch(msgspec.Struct, frozen=True):
    """One epoch: losses (nats, or squared standard deviations of the move) and the time it took."""

    epoch: int
    train_loss: float
    validation_loss: float
    seconds: float


@dataclass(frozen=True, slots=True)
class Fitted:
    """What the loop left: the curve, and the epoch (from 1) whose weights the module now has."""

    curve: tuple[Epoch, ...]
    best: int


class Windows:
    """Windows over normalised rows, gathered when asked for: all at once would be T times the rows."""

    def __init__(self, x_RF: Float32, window: int) -> None:
        self._window = window
        self._view = torch.from_numpy(np.ascontiguousarray(x_RF)).unfold(0, window, 1).transpose(1, 2)

    def at(self, rows: Int64) -> Tensor:
        """x_BTF of the windows that end at `rows`."""
        return self._view[torch.from_numpy(rows - self._window + 1)]


def fit(
    module: nn.Module, windows: Windows, y: Tensor, split: Split, plan: Plan, told: Callable[[Epoch], None]
) -> Fitted:
    """Train `module` in place; it ends with the weights of its best epoch.

    Parameters
    ----------
    module : Module
        x_BTF to logits, or to standardised moves.
    windows : Windows
    y : tensor `[R]`
        Classes (int64), or standardised moves (float32).
    split : Split
    plan : Plan
    told : callable
        Hears of each epoch.
    """
    loss_of = _loss(plan)
    drawn = np.random.default_rng(plan.seed)
    optimiser = torch.optim.AdamW(module.parameters(), lr=plan.learning_rate, weight_decay=plan.weight_decay)
    judged = evenly(split.validation, plan.validated)
    curve: list[Epoch] = []
    best, kept = 0, copy.deepcopy(module.state_dict())
    for number in range(1, plan.epochs + 1):
        began = time.perf_counter()
        train_loss = _train(
            module, windows, y, drawn.permutation(split.train)[: plan.epoch_windows], plan, optimiser
        )
        with torch.no_grad():
            loss = float(loss_of(answers(module, windows, judged), y[torch.from_numpy(judged)]))
        curve.append(Epoch(number, train_loss, loss, time.perf_counter() - began))
        if not best or loss < curve[best - 1].validation_loss:
            best, kept = number, copy.deepcopy(module.state_dict())
        if not math.isfinite(loss):
            raise UserError(
                "The training diverged: its loss is no number any more; try another --seed or feature set."
            )
        told(curve[-1])
        if number - best >= plan.patience:
            break
    module.load_state_dict(kept)
    return Fitted(tuple(curve), best)


def _train(
    module: nn.Module, windows: Windows, y: Tensor, rows: Int64, plan: Plan, optimiser: torch.optim.Optimizer
) -> float:
    loss_of, total = _loss(plan), 0.0
    module.train()
    for first in range(0, len(rows), plan.batch):
        part = rows[first : first + plan.batch]
        loss = loss_of(module(windows.at(part)), y[torch.from_numpy(part)])
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(module.parameters(), _GRADIENT_NORM)
        optimiser.step()
        total += float(loss.detach()) * len(part)
    return total / len(rows)


def _loss(plan: Plan) -> Callable[[Tensor, Tensor], Tensor]:
    if plan.task == "classification":
        return nn.functional.cross_entropy
    return lambda answer, y: nn.functional.mse_loss(answer[:, 0], y)


def answers(module: nn.Module, windows: Windows, rows: Int64) -> Tensor:
    """y_BC of the windows that end at `rows`, without gradients."""
    module.eval()
    with torch.no_grad():
        parts = [
            module(windows.at(rows[first : first + _READ_WINDOWS]))
            for first in range(0, len(rows), _READ_WINDOWS)
        ]
    return torch.cat(parts)


def evenly(rows: Int64, most: int) -> Int64:
    """At most `most` of these rows, evenly spaced."""
    if len(rows) <= most:
        return rows
    return rows[np.linspace(0, len(rows) - 1, most).round().astype(np.int64)]


@contextmanager
def seeded(seed: int, threads: int) -> Iterator[None]:
    """Draw the same weights and sum in the same order whenever a plan runs; leaves torch as it was."""
    before = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        torch.set_num_threads(threads)
        torch.use_deterministic_algorithms(True)
        try:
            yield
        finally:
            torch.set_num_threads(before[0])
            torch.use_deterministic_algorithms(before[1])
