import json
from pathlib import Path

import msgspec
import numpy as np
import pytest
import torch

from ai.loading import Inspection, inspect
from ai.loading.opening import open_predictor
from ai.passport import PASSPORT_NAME, parse, passport_faults
from ai.runtime.devices import resolve_device
from ai.runtime.predictor import Predictor
from ai.training import artifact
from ai.training.artifact import write
from ai.training.folder import MODEL_NAME, RECORD_NAME, Origin, check_out, check_rerun
from ai.training.plan import PLANS, Plan
from ai.training.stretches import Stretch
from ai.training.trainer import Trained, train
from engine.errors import UserError
from tests.ai.training.markets import SECOND_NS, START_NS, features, stretch

QUICK = msgspec.structs.replace(PLANS["mlp"], horizon="1", epochs=4, hidden=8, batch=64)
ORIGIN = Origin("made", ("X.SIM",), simulated=True, licence="MIT")


def silent(_line: str) -> None:
    pass


def trained(plan: Plan = QUICK, *stretches: Stretch, columns: int = 3) -> Trained:
    return train(plan, features(columns), stretches or [stretch()], silent)


def test_a_trained_model_comes_back_through_the_gate_as_it_was(tmp_path: Path) -> None:
    made = trained()
    found = write(made, ORIGIN, tmp_path / "new")
    assert (found.accepted, found.golden_ok, found.path) == (True, True, str(tmp_path / "new" / MODEL_NAME))
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == [
        PASSPORT_NAME,
        MODEL_NAME,
        RECORD_NAME,
    ]
    passport = parse((tmp_path / "new" / PASSPORT_NAME).read_bytes())
    assert list(passport_faults(passport)) == []
    (tmp_path / "new" / PASSPORT_NAME).unlink()
    alone = inspect(tmp_path / "new" / MODEL_NAME)
    assert alone.passport == passport, "the file carries it, too"
    assert passport.sha256 == {MODEL_NAME: alone.content_sha256}
    assert (passport.simulated, passport.instruments, passport.licence) == (True, ("X.SIM",), "MIT")
    assert passport.label is not None
    assert (passport.label.kind, passport.label.horizon, passport.label.unit) == ("direction", 1, "ticks")
    assert passport.label.class_names == ("down", "flat", "up")
    assert passport.label.threshold == made.samples.threshold
    assert {"accuracy", "log_loss", "mcc", "logistic_log_loss", "majority_accuracy", "n"} <= set(
        passport.metrics
    )
    assert {each.column for each in passport.training_bins} == {"c0", "c1", "c2"}
    assert passport.ranges is not None
    assert len(passport.ranges.data_sha256) == 1


@pytest.mark.parametrize(
    "plan",
    [
        msgspec.structs.replace(QUICK, window=4),
        msgspec.structs.replace(PLANS["lstm"], horizon="2s", epochs=2, hidden=8, window=6, epoch_windows=500),
        msgspec.structs.replace(QUICK, task="regression"),
    ],
    ids=["mlp", "lstm", "regression"],
)
def test_the_written_file_predicts_raw_windows_as_the_module_did(plan: Plan, tmp_path: Path) -> None:
    made = trained(plan)
    found = write(made, ORIGIN, tmp_path)
    raw_rows = stretch().x
    for batch in (1, 3, 50):
        rows = made.samples.split.test[:batch]
        raw = np.stack([raw_rows[row - plan.window + 1 : row + 1] for row in rows])
        predicted = predictor(found).predict(raw)
        x = np.stack([made.samples.x[row - plan.window + 1 : row + 1] for row in rows])
        with torch.no_grad():
            wanted = made.module(torch.from_numpy(x)).numpy()
        assert predicted == pytest.approx(wanted, abs=1e-5)
        if plan.task == "classification":
            assert predicted.sum(axis=1) == pytest.approx(np.ones(batch), abs=1e-5)


def predictor(found: Inspection) -> Predictor:
    return open_predictor(found, resolve_device("cpu"), "onnxruntime-cpu")


def test_what_there_is_to_learn_is_learnt_and_beats_the_baselines_only_where_it_does() -> None:
    # The direction hangs on the product of two columns, which no straight line sees.
    one = stretch(6_000)
    random = np.random.default_rng(8)
    steps = np.zeros(6_000)
    steps[1:] = np.sign(one.x[:-1, 0] * one.x[:-1, 1]) + 0.3 * random.standard_normal(5_999)
    curved = Stretch(one.ts, one.x, np.round(100_000 + 10 * steps.cumsum()) / 100)
    made = trained(msgspec.structs.replace(QUICK, epochs=15, hidden=16), curved)
    assert made.test["model"]["accuracy"] > 0.6
    assert made.test["model"]["accuracy"] > made.test["logistic"]["accuracy"] + 0.1
    assert "beats both baselines" in made.notes[-1]
    assert made.confusion is not None
    assert made.confusion.sum() == made.test["model"]["n"]
    nothing = trained(msgspec.structs.replace(QUICK, epochs=6), stretch(strength=0.0))
    assert "does NOT beat a baseline" in nothing.notes[-1]


def test_shuffled_labels_leave_no_skill() -> None:
    """A leak would show as skill where prices have nothing to do with the columns."""
    one = stretch(4_000)
    price = (
        one.price[:1]
        + np.random.default_rng(6).permutation(np.diff(one.price, prepend=one.price[0])).cumsum()
    )
    lstm = msgspec.structs.replace(
        PLANS["lstm"], horizon="3", epochs=2, hidden=8, window=5, epoch_windows=900
    )
    for plan in (QUICK, lstm):
        made = trained(plan, Stretch(one.ts, one.x, price))
        assert abs(made.test["model"]["mcc"]) < 0.1


def test_a_regression_tells_the_move_in_basis_points() -> None:
    made = trained(msgspec.structs.replace(QUICK, task="regression", epochs=10), stretch(4_000, strength=2.0))
    assert made.test["model"]["ic"] > 0.8
    assert made.test["model"]["r2"] > 0.6
    assert set(made.test) == {"model", "linear", "mean"}
    assert made.test["mean"]["r2"] == 0.0
    assert made.confusion is None


def test_two_runs_of_a_plan_have_equal_weights_and_another_seed_has_not() -> None:
    lstm = msgspec.structs.replace(
        PLANS["lstm"], horizon="1", epochs=2, hidden=6, window=4, epoch_windows=300
    )
    for plan in (QUICK, lstm):
        first, second = (trained(plan).module.state_dict() for _ in range(2))
        other = trained(msgspec.structs.replace(plan, seed=2)).module.state_dict()
        for name, weights in first.items():
            assert np.array_equal(weights.numpy(), second[name].numpy())
            assert not np.array_equal(weights.numpy(), other[name].numpy())


def test_rows_without_all_their_values_are_left_out() -> None:
    one = stretch()
    one.x[:100] = np.nan
    one.x[700:750, 1] = np.nan
    made = trained(msgspec.structs.replace(QUICK, window=3), one)
    everywhere = np.concatenate(
        (made.samples.split.train, made.samples.split.validation, made.samples.split.test)
    )
    assert everywhere.min() == 102
    assert not set(range(700, 752)) & set(everywhere.tolist())


def test_parts_may_be_markets_of_their_own() -> None:
    apart = 100_000 * SECOND_NS
    parts = [stretch(400, seed=seed, start_ns=START_NS + seed * apart) for seed in range(4)]
    borders = (START_NS + 2 * apart, START_NS + 3 * apart)
    made = train(QUICK, features(), parts, silent, borders)
    train_rows, validation, test = (
        made.samples.split.train,
        made.samples.split.validation,
        made.samples.split.test,
    )
    assert (train_rows.min(), train_rows.max()) == (0, 798)
    assert (validation.max(), test.max()) == (1198, 1598)
    assert len(made.data_sha256) == 4


def test_the_record_tells_the_whole_run(tmp_path: Path) -> None:
    made = trained(msgspec.structs.replace(QUICK, epoch_windows=100))
    write(made, ORIGIN, tmp_path)
    told = json.loads((tmp_path / RECORD_NAME).read_text())
    assert told["plan"]["horizon"] == "1"
    assert [each["epoch"] for each in told["curve"]] == list(range(1, len(made.fitted.curve) + 1))
    assert set(told["test"]) == {"model", "logistic", "majority"}
    assert np.sum(told["confusion"]) == told["windows"]["test"]
    assert "Each epoch draws 100 of" in told["notes"][0]


@pytest.mark.parametrize(("task", "line"), [("classification", "logistic"), ("regression", "linear")])
def test_a_baseline_of_fewer_windows_than_the_model_says_so(task: str, line: str) -> None:
    plan = msgspec.structs.replace(QUICK, task=task, epochs=1, epoch_windows=100, validated=100)
    made = trained(plan, stretch(80_000))
    count = len(made.samples.split.train)
    assert f"The {line} baseline is fitted on 50,000 of {count:,} training windows." in made.notes
    assert not any("baseline is fitted on" in note for note in trained(QUICK).notes)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"horizon": "2000"}, "longer than the data"),
        ({"horizon": "9h"}, "longer than the data"),
        ({"horizon": "soon"}, "neither rows nor a time"),
        ({"window": 1_900}, "too little"),
        ({"embargo": "600"}, "too little"),
        ({"threshold": 5_000.0}, "give another --threshold"),
        ({"threshold": -1.0}, "no move in basis points"),
        ({"epochs": 0}, "--epochs 0 is out of range"),
        ({"window": 0}, "--window 0 is out of range"),
    ],
)
def test_what_cannot_be_trained_is_said_in_one_sentence(changes: dict[str, object], said: str) -> None:
    with pytest.raises(UserError, match=said):
        trained(msgspec.structs.replace(QUICK, **changes))


def test_data_that_cannot_be_trained_on_are_told() -> None:
    with pytest.raises(UserError, match="no rows"):
        trained(QUICK, Stretch(np.empty(0, np.int64), np.empty((0, 3), np.float32), np.empty(0)))
    with pytest.raises(UserError, match="overlap in time"):
        trained(QUICK, stretch(), stretch())
    empty = stretch()
    empty.x[:, 1] = np.nan
    with pytest.raises(UserError, match="column c1 has no value"):
        trained(QUICK, empty)


def test_another_model_is_never_overwritten(tmp_path: Path) -> None:
    check_out(tmp_path / "deep" / "new", "mine")
    assert list(tmp_path.iterdir()) == [], "looking leaves nothing behind"
    made = trained()
    write(made, ORIGIN, tmp_path)
    check_out(tmp_path, ORIGIN.name)
    check_rerun(tmp_path, QUICK, features(), [stretch()])
    for changes, said in (
        ({"horizon": "2s"}, "other settings \\(horizon 1, now 2s\\)"),
        ({"seed": 2}, "other settings \\(seed 1"),
    ):
        with pytest.raises(UserError, match=said):
            check_rerun(tmp_path, msgspec.structs.replace(QUICK, **changes), features())
    with pytest.raises(UserError, match="other features"):
        check_rerun(tmp_path, QUICK, features(2))
    with pytest.raises(UserError, match="other training data"):
        check_rerun(tmp_path, QUICK, features(), [stretch(1_999)])
    (tmp_path / RECORD_NAME).unlink()
    with pytest.raises(UserError, match="a record that cannot be read"):
        check_rerun(tmp_path, QUICK, features())
    with pytest.raises(UserError, match="holds another model \\(made\\)"):
        check_out(tmp_path, "mine")
    (tmp_path / PASSPORT_NAME).unlink()
    with pytest.raises(UserError, match="holds another model"):
        check_out(tmp_path, ORIGIN.name)
    with pytest.raises(UserError, match="is a file"):
        check_out(tmp_path / MODEL_NAME, "mine")


def test_a_model_that_does_not_give_its_golden_outputs_is_not_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = trained()
    monkeypatch.setattr(made.module, "_is_classification", False)  # the export is then another model
    golden = artifact._golden(made)
    monkeypatch.setattr(made.module, "_is_classification", True)
    monkeypatch.setattr(artifact, "_golden", lambda _made: golden)
    with pytest.raises(UserError, match="did not come through its own gate"):
        write(made, ORIGIN, tmp_path)
    assert list(tmp_path.iterdir()) == []
