import datetime as dt
import json
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from ai.passport import (
    ColumnBins,
    Golden,
    Input,
    Label,
    Meaning,
    Normaliser,
    Output,
    Passport,
    PassportError,
    Ranges,
    Span,
    Tensor,
    json_schema,
    parse,
    passport_faults,
    verify,
)
from app.paths import CONFIGS
from tests.ai.loading.passports import CODE, COLUMNS, FEATURES, golden, linear_passport

X = np.ones((1, 4), np.float32)
Y = np.full((1, 3), 1 / 3, np.float32)


def full(**changes: Any) -> Passport:
    facts: dict[str, Any] = {
        "sha256": {"model.onnx": "e" * 64},
        "normaliser": Normaliser(
            kind="zscore", mean=(0.0,) * 4, std=(1.0,) * 4, fitted_on=Span(start_ns=0, end_ns=9)
        ),
        "training_bins": (ColumnBins(column="m1", edges=(0.0, 1.0), shares=(0.25, 0.5, 0.25)),),
        "label": Label(kind="direction", horizon=100, unit="ticks", class_names=("down", "flat", "up")),
        "ranges": Ranges(
            train=Span(start_ns=0, end_ns=10), validation=Span(start_ns=12, end_ns=20), purge_ns=2
        ),
        "golden": golden({"x": X}, {"y": Y}),
        "expires": "2030-01-01",
    }
    return linear_passport(**facts | changes)


def test_a_full_passport_survives_its_json() -> None:
    passport = full()
    assert list(passport_faults(passport)) == []
    assert parse(passport.to_json()) == passport
    assert np.array_equal(parse(passport.to_json()).golden.inputs["x"].array(), X)  # type: ignore[union-attr]


def test_the_schema_in_configs_is_current() -> None:
    kept = json.loads((CONFIGS / "passport.schema.json").read_text(encoding="utf-8"))
    assert kept == json.loads(msgspec.json.encode(json_schema())), (
        "run: python -m ai.passport > configs/passport.schema.json"
    )


def test_every_fault_of_form_is_told_at_once() -> None:
    told = json.loads(full().to_json())
    told["window"] = "five"
    told["taks"] = told.pop("task")
    told["inputs"][0]["shape"] = 4
    told["features"][1]["code"] = None
    told["label"]["unit"] = "hours"
    with pytest.raises(PassportError) as caught:
        parse(json.dumps(told))
    faults = "\n".join(caught.value.faults)
    for part in ("window:", "taks is no field of it; task is meant?", "task is missing", "inputs[0].shape:",
                 "features[1].code:", "label.unit:"):  # fmt: skip
        assert part in faults
    assert len(caught.value.faults) == 6


@pytest.mark.parametrize("data", [b"", b"[1]", b"\xff", b"{" * 5_000, b'"x"'])
def test_what_is_no_passport_is_said_to_be_none(data: bytes) -> None:
    with pytest.raises(PassportError):
        parse(data)


def an_input(columns: tuple[str, ...] = COLUMNS, shape: tuple[int, ...] = (1, 4)) -> dict[str, Any]:
    return {"inputs": (Input(name="x", dtype="float32", shape=shape, columns=columns),)}


def an_output(meaning: Meaning, classes: int = 3) -> dict[str, Any]:
    return {"outputs": (Output(name="y", dtype="float32", shape=(1, classes), meaning=meaning),)}


def some_bins(column: str, edges: tuple[float, ...], shares: tuple[float, ...]) -> dict[str, Any]:
    return {"training_bins": (ColumnBins(column=column, edges=edges, shares=shares),)}


TOO_SHORT = Golden(
    inputs={"x": Tensor(dtype="float32", shape=(9, 9), data=b"12")}, outputs={"y": Tensor.of(Y)}
)
OVERLAPPING = Ranges(train=Span(start_ns=0, end_ns=10), test=Span(start_ns=9, end_ns=20))


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (an_input(COLUMNS[::-1]), "another order"),
        (an_input(COLUMNS[:3], (1, 3)), "different columns (m3)"),
        (an_input(shape=(1, 9)), "has 9 columns and names 4"),
        (an_input(shape=(1, 7, 4)), "takes 7 rows and window is 1"),
        (an_input(shape=(0, 4)), "sizes of at least 1"),
        ({"features": (*FEATURES, FEATURES[0])}, "the column spread twice"),
        (an_output("unused"), "Exactly one output"),
        (an_output("logits", 2), "2 classes and label names 3"),
        ({"task": "regression"}, "a regression gives a value"),
        ({"normaliser": Normaliser(kind="zscore", mean=(0.0,), std=(0.0,))}, "std must be above zero"),
        ({"normaliser": Normaliser(kind="none", mean=(0.0,))}, "none and yet has mean"),
        (some_bins("q", (0.0,), (0.5, 0.5)), "no column of the features"),
        (some_bins("m1", (1.0, 0.0), (0.5, 0.25, 0.25)), "must ascend"),
        (some_bins("m1", (0.0,), (0.5, 0.1)), "add up to one"),
        ({"ranges": OVERLAPPING}, "begins before train"),
        ({"sha256": {"m": "xyz"}}, "64 hexadecimal"),
        ({"stride": 0}, "stride must be at least 1"),
        ({"expires": "soon"}, "a day such as"),
        ({"golden": golden({"z": X}, {"y": Y})}, "golden.inputs must be given for x"),
        ({"golden": golden({"x": X * np.nan}, {"y": Y})}, "not finite"),
        ({"golden": TOO_SHORT}, "does not fill"),
    ],
)
def test_what_contradicts_itself_is_told(change: dict[str, Any], told: str) -> None:
    with pytest.raises(PassportError, match="not valid") as caught:
        parse(full(**change).to_json())
    assert told in str(caught.value)


def test_verification_ticks_what_holds() -> None:
    passport = full()
    checks = verify(
        passport,
        sha256="e" * 64,
        file_name="renamed.onnx",
        known_features=CODE,
        columns=COLUMNS,
        outputs={"y": Y + np.float32(1e-6)},
        today=dt.date(2030, 1, 1),
    )
    assert [(check.name, check.ok) for check in checks] == [
        ("hash", True),
        ("features", True),
        ("order", True),
        ("golden", True),
        ("expiry", True),
    ]


def test_a_renamed_other_file_does_not_pass_for_the_first() -> None:
    (check, *_) = verify(full(), sha256="d" * 64, file_name="renamed.onnx", known_features=None, outputs=None)
    assert check.ok is False


@pytest.mark.parametrize("outputs", [{"y": Y * 1.01}, {"y": Y[0]}, {"z": Y}, {"y": Y * np.nan}])
def test_golden_outputs_that_differ_fail(outputs: dict[str, Any]) -> None:
    checks = verify(full(), sha256="e" * 64, file_name="m", known_features=None, outputs=outputs)
    assert {check.name: check.ok for check in checks}["golden"] is False


def test_what_a_feature_set_tells_is_what_a_passport_takes() -> None:
    from ai.features import FeatureSet
    from ai.passport import FeatureUse

    made = FeatureSet.of("ticks", {"clock": "quotes", "feature": [{"name": "mid"}, {"name": "spread"}]})
    uses = [msgspec.convert(entry.facts(), FeatureUse) for entry in made.entries]
    assert tuple(column for use in uses for column in use.outputs) == made.outputs


def test_a_passport_is_written_whole(tmp_path: Path) -> None:
    from ai.passport import write_beside

    path = write_beside(full(), tmp_path)
    assert parse(path.read_bytes()) == full()
    assert [each.name for each in tmp_path.iterdir()] == ["model.json"]
