"""What a model's numbers mean, one by one and many at once."""

from array import array
from typing import Any

import numpy as np
import pytest

from ai.inference.reading import Reading
from engine.errors import UserError
from tests.ai.inference.models import feature_set, passport

FEATURES = feature_set()


def reading(meaning: str, *classes: str) -> Reading:
    return Reading.of(passport(FEATURES, meaning=meaning, classes=classes))


def read(of: Reading, *numbers: float) -> list[Any]:
    """Down, flat, up and score, told alike by both ways."""
    out = array("f", [9.0] * 6)
    of.one()(list(numbers), out, 1)
    assert (out[0], out[5]) == (9.0, 9.0)
    many = of.many(np.array([numbers, numbers], np.float32))
    np.testing.assert_allclose(many, [out[1:5], out[1:5]], atol=1e-7)
    return [pytest.approx(each, abs=1e-6, nan_ok=True) for each in out[1:5]]


@pytest.mark.parametrize(
    "names",
    [
        ("down", "flat", "up"),
        ("Sell", "Hold", "Buy"),
        ("short", "neutral", "long"),
        ("-1", "0", "1"),
        ("down", "stationary", "up"),
    ],
)
def test_classes_are_recognised_by_their_names(names: tuple[str, ...]) -> None:
    assert read(reading("probabilities", *names), 0.1, 0.2, 0.7) == [0.1, 0.2, 0.7, 0.6]
    assert read(reading("probabilities", *reversed(names)), 0.1, 0.2, 0.7) == [0.7, 0.2, 0.1, -0.6]


def test_two_classes_have_no_flat() -> None:
    assert read(reading("probabilities", "up", "down"), 0.25, 0.75) == [0.75, 0.0, 0.25, -0.5]
    # One number is the probability of the second class.
    assert read(reading("probabilities", "down", "up"), 0.75) == [0.25, 0.0, 0.75, 0.5]
    assert read(reading("logits", "down", "up"), np.log(3.0)) == [0.25, 0.0, 0.75, 0.5]


def test_logits_become_probabilities_without_overflow() -> None:
    logits = reading("logits", "down", "flat", "up")
    e = np.exp([1.0, 2.0, 3.0]) / np.exp([1.0, 2.0, 3.0]).sum()
    assert read(logits, 1.0, 2.0, 3.0) == [*e.tolist(), e[2] - e[0]]
    assert read(logits, 1_000.0, -1_000.0, 1_000.0) == [0.5, 0.0, 0.5, 0.0]


def test_a_class_is_certain_and_an_unknown_one_is_no_answer() -> None:
    of = reading("class", "flat", "down", "up")
    assert read(of, 1) == [1.0, 0.0, 0.0, -1.0]
    assert read(of, 0) == [0.0, 1.0, 0.0, 0.0]
    for unknown in (3, -1):
        assert np.isnan([each.expected for each in read(of, unknown)]).all()


def test_a_value_is_the_score_alone() -> None:
    out = read(reading("value"), -2.5)
    assert out[3] == -2.5
    assert np.isnan([each.expected for each in out[:3]]).all()


@pytest.mark.parametrize("meaning", ["probabilities", "logits", "value"])
def test_what_is_no_number_is_no_answer(meaning: str) -> None:
    of = reading(meaning, *(() if meaning == "value" else ("down", "flat", "up")))
    for broken in (np.nan, np.inf):
        numbers = (broken,) if meaning == "value" else (0.1, broken, 0.7)
        assert np.isnan([each.expected for each in read(of, *numbers)]).all()


@pytest.mark.parametrize("names", [(), ("a", "b", "c"), ("down", "up", "up"), ("down", "flat"), ("up",)])
def test_unknown_names_are_refused_with_the_way_to_name_them(names: tuple[str, ...]) -> None:
    with pytest.raises(UserError, match=r"name them down, flat and up .* under label.class_names"):
        reading("probabilities", *names)


@pytest.mark.parametrize(
    ("meaning", "names", "numbers"),
    [("probabilities", ("down", "flat", "up"), 2), ("value", (), 3), ("class", ("down", "up"), 2)],
)
def test_another_number_of_numbers_is_refused(meaning: str, names: Any, numbers: int) -> None:
    with pytest.raises(UserError, match=f"m.onnx gives {numbers} numbers"):
        reading(meaning, *names).check(numbers, "m.onnx")
