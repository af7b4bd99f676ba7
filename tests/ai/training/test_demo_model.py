"""The model that ships is the recipe's, and still one that this station accepts."""

import msgspec
import pytest

from ai.loading import Inspection, Question, inspect
from ai.training.demo import DEMO
from app.commands.features import find_set
from app.commands.model import known_features
from app.demo import demo_run
from app.paths import RESOURCES
from engine.feeds.simulated import PROFILES
from engine.session.source import SIMULATED_START_NS

MODEL = RESOURCES / "models" / "demo" / "model.onnx"
AGAIN = "train it again: nexttick train --recipe demo --out resources/models/demo"


@pytest.fixture(scope="module")
def found() -> Inspection:
    return inspect(MODEL, Question(known_features=known_features))


def test_it_is_accepted_with_every_check_holding(found: Inspection) -> None:
    assert found.accepted, f"{found.reason}; {AGAIN}"
    assert found.golden_ok is True
    assert {check.name: check.ok for check in found.checks} == {
        "hash": True,
        "features": True,
        "golden": True,
    }
    assert found.warnings == ()
    assert found.size_bytes < 500_000


def test_it_is_the_recipes(found: Inspection) -> None:
    passport, plan = found.passport, DEMO.plan
    assert passport is not None
    assert passport.feature_set_sha256 == find_set(DEMO.features).sha256, AGAIN
    assert passport.columns == find_set(DEMO.features).outputs
    assert (passport.name, passport.seed, passport.window) == (DEMO.name, plan.seed, plan.window), AGAIN
    assert passport.label is not None
    assert passport.label.horizon == plan.look_ahead.ns, AGAIN
    assert passport.architecture is not None
    assert passport.architecture.sizes["hidden"] == plan.hidden, AGAIN
    assert passport.ranges is not None
    assert len(passport.ranges.data_sha256) == len(DEMO.draws), AGAIN


def test_it_says_that_it_knows_a_generated_market_only(found: Inspection) -> None:
    passport = found.passport
    assert passport is not None
    assert passport.simulated
    assert "generated market" in passport.licence
    assert passport.instruments == (PROFILES[demo_run().simulate or ""].instrument.id,)


def test_the_demo_shows_it_nothing_that_it_was_trained_on(found: Inspection) -> None:
    passport = found.passport
    assert passport is not None
    assert passport.ranges is not None
    assert passport.ranges.test is not None
    assert passport.ranges.test.end_ns < SIMULATED_START_NS
    assert DEMO.draws[0][1] <= passport.ranges.train.start_ns


def test_it_was_worth_training(found: Inspection) -> None:
    assert found.passport is not None
    metrics = msgspec.to_builtins(found.passport.metrics)
    assert metrics["log_loss"] < metrics["logistic_log_loss"] < metrics["majority_log_loss"]
    assert metrics["accuracy"] > metrics["majority_accuracy"] + 0.1
