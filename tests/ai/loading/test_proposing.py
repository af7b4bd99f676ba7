"""A stranger's model is mapped by a guess that its user confirms, and says why where nothing fits."""

from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from ai.features import FeatureSet
from ai.loading import Inspection, Question, inspect
from ai.loading.fitting import fitted, told_of_normaliser
from ai.loading.mapping import passport_from_mapping
from ai.loading.proposing import Proposal, Wishes, propose
from ai.passport import write_beside
from ai.runtime.isolation_messages import Declared
from engine.errors import UserError
from tests.ai.loading import onnx_files as files
from tests.recordings import recording

QUICK = Question(measure=False)
LOGITS = np.array([[0.4, -1.2, 2.0]], np.float32)
SHARES = np.array([[0.25, 0.25, 0.5]], np.float32)


def feature_set(name: str, count: int, **settings: Any) -> FeatureSet:
    listed = [{"name": "return", "window": rows} for rows in range(1, count + 1)]
    return FeatureSet.of(name, {"feature": listed, **settings})


FOUR, FIVE, BARS = (
    feature_set("four", 4),
    feature_set("five", 5),
    feature_set("bars5", 5, clock="bars", bars="1-MINUTE-MID"),
)
SETS = (FOUR, FIVE, BARS)


def stranger(*inputs: tuple[int | str, ...], outputs: tuple[str, ...] = ("y",), **facts: Any) -> Inspection:
    return Inspection(
        path="stranger.onnx",
        format="onnx",
        accepted=True,
        reason="",
        sha256="0" * 64,
        content_sha256="0" * 64,
        size_bytes=1,
        inputs=tuple(Declared(f"x{at}", "float32", shape) for at, shape in enumerate(inputs)),
        outputs=tuple(Declared(name, "float32", ()) for name in outputs),
        **facts,
    )


def mapped_of(proposal: Proposal) -> Any:
    assert proposal.mapped is not None, proposal.reasons
    return proposal.mapped


def test_the_set_whose_columns_fit_is_proposed_with_what_was_assumed() -> None:
    proposal = propose(stranger(("batch", 20, 5)), SETS, answers={"y": SHARES})
    mapped = mapped_of(proposal)
    assert (proposal.features, proposal.fitting) == ("five", ("five", "bars5"))
    assert mapped.columns == {"x0": FIVE.outputs}
    assert (mapped.window, mapped.clock, mapped.feature_set_sha256) == (20, "quotes", FIVE.sha256)
    assert mapped.meanings == {"y": "probabilities"}
    assert mapped.label.class_names == ("down", "flat", "up")
    told = " ".join(proposal.assumptions)
    for part in ("bars5 would fit, too", "down, flat, up, in this order", "100 rows of quotes ahead"):
        assert part in told


def test_what_the_user_says_is_not_guessed() -> None:
    said = Wishes(
        features="bars5",
        output="a",
        meaning="logits",
        classes=("up", "flat", "down"),
        window=7,
        horizon="10s",
    )
    proposal = propose(
        stranger(("batch", "rows", 5), outputs=("a", "b")), SETS, said, {"a": SHARES, "b": SHARES}
    )
    mapped = mapped_of(proposal)
    assert proposal.assumptions == ()
    assert (mapped.clock, mapped.bars, mapped.window) == ("bars", "1-MINUTE-MID", 7)
    assert mapped.meanings == {"a": "logits"}
    assert mapped.label.class_names == ("up", "flat", "down")
    assert (mapped.label.horizon, mapped.label.unit) == (10 * 10**9, "ns")


@pytest.mark.parametrize(
    ("answers", "output", "meaning", "classes"),
    [
        ({"y": LOGITS}, "y", "logits", 3),
        ({"y": LOGITS[:, :2]}, "y", "logits", 2),
        ({"y": np.array([[-0.5, 0.5, 1.0]], np.float32)}, "y", "logits", 3),
        ({"y": LOGITS[:, :1]}, "y", "value", 0),
        ({"y": LOGITS[:, 0]}, "y", "value", 0),
        ({"label": np.zeros(1, np.int64)}, "label", "class", 3),
        ({"label": np.zeros(1, np.int64), "shares": SHARES}, "shares", "probabilities", 3),
        ({"value": LOGITS[:, :1], "policy": LOGITS}, "policy", "logits", 3),
    ],
)
def test_one_answer_tells_which_output_is_the_prediction(
    answers: dict[str, Any], output: str, meaning: str, classes: int
) -> None:
    proposal = propose(stranger(("batch", 4), outputs=tuple(answers)), SETS, answers=answers)
    mapped = mapped_of(proposal)
    assert mapped.meanings == {output: meaning}
    assert len(mapped.label.class_names) == classes
    assert (len(answers) == 1) == ("is unused" not in " ".join(proposal.assumptions))


def test_several_inputs_share_the_sets_columns_in_order() -> None:
    mapped = mapped_of(propose(stranger(("batch", 9, 1), ("batch", 9, 3)), SETS, answers={"y": LOGITS}))
    assert mapped.columns == {"x0": FOUR.outputs[:1], "x1": FOUR.outputs[1:]}
    assert mapped.window == 9


def test_a_scripts_shapes_come_from_the_set_that_the_user_names() -> None:
    script = msgspec.structs.replace(
        stranger(), format="torchscript", inputs=(Declared("x", "", ()),), outputs=()
    )
    assert "choose the feature set" in propose(script, SETS).reasons[0]
    for window, shape in ((None, ("batch", 5)), (8, ("batch", 8, 5))):
        proposal = propose(script, SETS, Wishes(features="five", window=window), {"output_0": LOGITS})
        assert mapped_of(proposal).ports == (Declared("x", "float32", shape),)


@pytest.mark.parametrize(
    ("found", "wishes", "told"),
    [
        (stranger(("batch", 600)), Wishes(), "no feature set gives so many (four 4, five 5, bars5 5)"),
        (stranger(("batch", 4)), Wishes(features="five"), "gives 5 columns and the model takes 4"),
        (stranger(("batch", 4)), Wishes(features="six"), "'nexttick features list' names all"),
        (stranger(("batch", "columns")), Wishes(), "choose the feature set that feeds it."),
        (stranger(("batch", 1, 9, 4)), Wishes(), "[batch, window, columns]"),
        (stranger(("batch", 9, 4)), Wishes(window=8), "window is 9 rows by its shape"),
        (stranger(("batch", 9, 2), ("batch", 8, 2)), Wishes(), "windows of 8 and 9 rows"),
        (stranger(("batch", 4)), Wishes(horizon="soon"), "neither rows (100) nor a time (10s)"),
        (stranger(("batch", 4)), Wishes(classes=("down", "up")), "tells 3 classes and 2 are named"),
        (stranger(("batch", 4)), Wishes(output="z"), "has no output z; it has y"),
        (
            msgspec.structs.replace(stranger(("batch", 4)), weights=(Declared("w", "float32", (1,)),)),
            Wishes(),
            "export the model to ONNX",
        ),
        (
            msgspec.structs.replace(stranger(), accepted=False, reason="because."),
            Wishes(),
            "refused: because",
        ),
        (
            msgspec.structs.replace(stranger(), inputs=(Declared("x", "int64", ("batch", 4)),)),
            Wishes(),
            "takes int64",
        ),
    ],
)
def test_where_nothing_fits_the_reason_has_a_next_step(found: Inspection, wishes: Wishes, told: str) -> None:
    proposal = propose(found, SETS, wishes, {"y": LOGITS})
    assert proposal.mapped is None
    assert told in " ".join(proposal.reasons)


def test_classes_that_no_convention_names_must_be_named() -> None:
    five = np.full((1, 5), 0.2, np.float32)
    found = stranger(("batch", 4))
    assert "name them in order (--classes)" in propose(found, SETS, answers={"y": five}).reasons[0]
    names = ("down", "weak", "flat", "weak up", "up")
    mapped = mapped_of(propose(found, SETS, Wishes(classes=names), {"y": five}))
    assert mapped.label.class_names == names


# -- on files ---------------------------------------------------------------------------------------------


def test_a_file_is_run_to_tell_and_its_passport_then_accepted(tmp_path: Path) -> None:
    path = tmp_path / "linear.onnx"
    path.write_bytes(files.linear())
    mapped = mapped_of(propose(inspect(path, QUICK), SETS))
    assert mapped.meanings == {"y": "probabilities"}
    rows = np.random.default_rng(1).normal(5.0, 2.0, (500, 4))
    fit = fitted(mapped, rows, np.arange(500))
    write_beside(passport_from_mapping(inspect(path, QUICK), fit), tmp_path)
    found = inspect(path, QUICK)
    assert (found.accepted, found.golden_ok, found.reason) == (True, True, "")
    assert found.passport is not None
    assert found.passport.training_bins == fit.training_bins
    assert found.passport.normaliser.mean == pytest.approx(rows.mean(axis=0), rel=1e-5)


def test_a_recorded_deeplob_is_mapped_to_its_own_set() -> None:
    path = Path(__file__).parents[3] / "configs" / "features" / "deeplob.toml"
    found = inspect(recording("models/deeplob_onnx/model_b1.onnx"), QUICK)
    mapped = mapped_of(propose(found, [*SETS, FeatureSet.load(path)]))
    assert (mapped.window, mapped.clock, mapped.meanings) == (100, "book", {"logits": "logits"})
    assert mapped.columns["lob_window"][:4] == (
        "deeplob_ask_price_1",
        "deeplob_ask_size_1",
        "deeplob_bid_price_1",
        "deeplob_bid_size_1",
    )


# -- the normaliser ---------------------------------------------------------------------------------------


def test_the_normaliser_is_the_z_score_of_rows_that_have_all_values() -> None:
    mapped = mapped_of(propose(stranger(("batch", 4)), SETS, answers={"y": LOGITS}))
    assert "given as they are" in told_of_normaliser(mapped)
    rows = np.random.default_rng(1).normal(3.0, 2.0, (400, 4))
    rows[:, 3] = 0.1  # no mean of it is exact
    rows[:50, 0] = np.nan
    ts = np.arange(400) * 10**9
    fit = fitted(mapped, rows, ts)
    assert fit.normaliser.mean == pytest.approx(rows[50:].mean(axis=0), rel=1e-5)
    assert fit.normaliser.std[:3] == pytest.approx(rows[50:, :3].std(axis=0), rel=1e-5)
    assert fit.normaliser.std[3] == 1.0
    assert [each.column for each in fit.training_bins] == list(FOUR.outputs)
    assert "from 1970-01-01 00:00:50 to 1970-01-01 00:06:39 UTC" in told_of_normaliser(fit)
    with pytest.raises(UserError, match="Only 99 rows have all 4 columns"):
        fitted(mapped, rows[50:149], ts[50:149])
