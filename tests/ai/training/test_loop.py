import copy

import msgspec
import numpy as np
import pytest
import torch
from torch import nn

from ai.training.loop import Epoch, Windows, answers, evenly, fit, seeded
from ai.training.plan import PLANS
from ai.training.splits import Split
from engine.errors import UserError

PLAN = msgspec.structs.replace(PLANS["mlp"], epochs=30, patience=3, batch=32, learning_rate=0.05)
ROWS = np.arange(300)
SPLIT = Split(ROWS[:200], ROWS[200:250], ROWS[250:], 0, 0)


def linear() -> nn.Module:
    return nn.Sequential(nn.Flatten(), nn.Linear(2, 3))


def data(noise: float) -> tuple[Windows, torch.Tensor]:
    random = np.random.default_rng(1)
    x = random.standard_normal((300, 2)).astype(np.float32)
    y = np.digitize(x[:, 0] + noise * random.standard_normal(300), [-0.5, 0.5])
    return Windows(x, 1), torch.from_numpy(y)


def test_windows_are_the_rows_up_to_the_one_they_end_at() -> None:
    x = np.arange(10, dtype=np.float32).reshape(5, 2)
    found = Windows(x, 3).at(np.array([2, 4]))
    assert found.shape == (2, 3, 2)
    assert found[0].tolist() == x[:3].tolist()
    assert found[1].tolist() == x[2:].tolist()


def test_training_stops_when_validation_gets_no_better_and_keeps_the_best() -> None:
    windows, y = data(noise=3.0)
    y = y.clone()
    y[200:] = torch.from_numpy(np.random.default_rng(9).integers(0, 3, 100))  # nothing to learn for these
    heard: list[Epoch] = []
    states = []
    with seeded(1, 1):
        module = linear()

        def hear(epoch: Epoch) -> None:
            heard.append(epoch)
            states.append(copy.deepcopy(module.state_dict()))

        fitted = fit(module, windows, y, SPLIT, PLAN, hear)
    losses = [epoch.validation_loss for epoch in fitted.curve]
    assert len(losses) < PLAN.epochs
    assert fitted.best == int(np.argmin(losses)) + 1
    assert len(losses) - fitted.best == PLAN.patience
    assert list(fitted.curve) == heard
    for name, weights in module.state_dict().items():
        assert torch.equal(weights, states[fitted.best - 1][name])


def test_a_link_is_learnt() -> None:
    windows, y = data(noise=0.0)
    with seeded(1, 1):
        module = linear()
        fit(module, windows, y, SPLIT, PLAN, lambda _epoch: None)
    told = answers(module, windows, SPLIT.test).argmax(dim=1)
    assert float((told == y[250:]).float().mean()) > 0.9


def test_an_epoch_draws_no_more_windows_than_the_plan_says() -> None:
    windows, y = data(noise=0.0)
    seen = []

    class Counting(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner = linear()

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            if self.training:
                seen.append(len(x))
            answer: torch.Tensor = self.inner(x)
            return answer

    plan = msgspec.structs.replace(PLAN, epochs=2, epoch_windows=50)
    fit(Counting(), windows, y, SPLIT, plan, lambda _epoch: None)
    assert seen == [32, 18] * 2


def test_a_loss_that_is_no_number_ends_the_training_in_words() -> None:
    windows, y = data(noise=0.0)
    module = linear()
    with torch.no_grad():
        next(module.parameters()).fill_(torch.nan)
    with pytest.raises(UserError, match="diverged"):
        fit(module, windows, y, SPLIT, PLAN, lambda _epoch: None)


def test_a_seed_leaves_torch_as_it_was() -> None:
    before = torch.get_num_threads(), torch.random.get_rng_state()
    with seeded(5, 1):
        first = torch.rand(3)
    assert torch.get_num_threads() == before[0]
    assert torch.equal(torch.random.get_rng_state(), before[1])
    torch.rand(3)
    with seeded(5, 1):
        assert torch.equal(torch.rand(3), first)
    with seeded(6, 1):
        assert not torch.equal(torch.rand(3), first)
    assert not torch.are_deterministic_algorithms_enabled()


def test_evenly_spaced_rows_span_the_part() -> None:
    assert evenly(np.arange(5), 9).tolist() == [0, 1, 2, 3, 4]
    assert evenly(np.arange(101), 3).tolist() == [0, 50, 100]
