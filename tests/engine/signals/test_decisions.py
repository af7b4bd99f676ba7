"""Thresholds, hysteresis, cool-down and longest hold; and that both forms of the rules decide alike."""

from dataclasses import replace
from math import nan

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.messages.columns import PREDICTION, Rows
from engine.messages.frames import Explanation, ModelHealth
from engine.signals.decisions import Decider, Decision, Rules, decide_all, rules_of
from engine.signals.protocols import Forecast
from engine.strategies import AiSignalParameters
from tests.engine.signals.fakes import facts

SECOND = 1_000_000_000
RULES = Rules(
    enter=0.5,
    exit=0.35,
    is_regression=False,
    may_long=True,
    may_short=True,
    on_opposite="reverse",
    cool_down_ns=0,
    hold_rows=None,
    hold_ns=None,
)


class Asked:
    """A range as it was asked: `rows` are the batch's, `exact` those of the rows asked alone."""

    def __init__(
        self, rows: Rows, row: npt.NDArray[np.int64], exact: Rows, sick_from: int | None = None
    ) -> None:
        self.rows, self.row, self._exact = rows, row, exact
        self.price = np.arange(len(rows), dtype=np.float64)
        self.volatility = np.full(len(rows), nan)
        self.sick_from = len(rows) if sick_from is None else sick_from
        self.sick = "" if sick_from is None else "Input 3 has no value."
        self.clock_ts, self.clock_price = rows["ts"], self.price
        self.seconds, self.is_kept = 0.0, False
        self.again: list[int] = []

    def alone(self, indices: npt.NDArray[np.int64]) -> Rows:
        self.again += indices.tolist()
        return self._exact[indices]

    def explain(self, ts: int) -> Explanation:
        raise NotImplementedError

    def health(self, now: int) -> list[ModelHealth]:
        raise NotImplementedError


def made(
    values: list[tuple[float, float]], seconds: list[float] | None = None, sick_from: int | None = None
) -> Asked:
    """Range whose rows say these probabilities of up and down, one row a second."""
    rows = np.zeros(len(values), PREDICTION)
    rows["ts"] = (np.array(seconds or range(len(values))) * SECOND).astype(np.int64)
    rows["up"], rows["down"] = np.array(values, np.float32).reshape(-1, 2).T
    rows["flat"] = 1 - rows["up"] - rows["down"]
    rows["score"] = rows["up"] - rows["down"]
    return Asked(rows, np.arange(len(values), dtype=np.int64), rows.copy(), sick_from)


def streamed(asked: Asked, rules: Rules) -> list[Decision]:
    """Decisions of the same rows, asked alone one after the other."""
    decider = Decider(rules)
    found: list[Decision] = []
    for at, row in enumerate(asked._exact.tolist()):
        ts, down, flat, up, score = row
        forecast = Forecast(
            ts, int(asked.row[at]), down, flat, up, score, float(asked.price[at]), float(asked.volatility[at])
        )
        if at == asked.sick_from:
            return [*found, decider.disarm(forecast, asked.sick)]
        decision = decider.decide(forecast)
        if decision is not None:
            found.append(decision)
    return found


def decided(values: list[tuple[float, float]], rules: Rules = RULES) -> list[tuple[int, int, str, float]]:
    """Row, direction, cause and threshold of each decision, the same in both forms."""
    asked = made(values)
    batch = decide_all(asked, rules).decisions
    assert repr(batch) == repr(streamed(asked, rules))  # NaN is not itself
    return [(each.forecast.row, each.direction, each.cause, each.threshold) for each in batch]


def test_a_position_is_held_between_the_two_thresholds() -> None:
    values = [(0.4, 0.1), (0.5, 0.1), (0.4, 0.1), (0.36, 0.1), (0.34, 0.1), (0.49, 0.1), (0.6, 0.1)]
    assert decided(values) == [(1, 1, "enter", 0.5), (4, 0, "exit", 0.35), (6, 1, "enter", 0.5)]


@pytest.mark.parametrize(
    ("on_opposite", "expected"),
    [
        ("reverse", [(0, 1, "enter", 0.4), (1, -1, "reverse", 0.4)]),
        ("exit", [(0, 1, "enter", 0.4), (1, 0, "exit", 0.4), (2, -1, "enter", 0.4)]),
        ("ignore", [(0, 1, "enter", 0.4)]),
    ],
)
def test_the_other_sides_entry_reverses_exits_or_is_ignored(
    on_opposite: str, expected: list[tuple[int, int, str, float]]
) -> None:
    rules = replace(RULES, enter=0.4, exit=0.2, on_opposite=on_opposite)  # type: ignore[arg-type]
    assert decided([(0.5, 0.1), (0.3, 0.5), (0.3, 0.45)], rules) == expected


def test_of_two_strong_sides_the_stronger_is_followed_and_a_tie_neither() -> None:
    rules = replace(RULES, enter=0.4, exit=0.2)
    assert decided([(0.5, 0.5), (0.5, 0.45), (0.5, 0.5), (0.45, 0.5)], rules) == [
        (1, 1, "enter", 0.4),
        (3, -1, "reverse", 0.4),
    ]


def test_only_the_sides_that_may_be_opened_are() -> None:
    rules = replace(RULES, may_short=False)
    values = [(0.1, 0.8), (0.8, 0.1), (0.36, 0.6), (0.1, 0.8)]
    assert decided(values, rules) == [(1, 1, "enter", 0.5), (2, 0, "exit", 0.5)]


def test_no_entry_while_it_cools_down_but_a_reversal() -> None:
    rules = replace(RULES, cool_down_ns=3 * SECOND)
    values = [(0.6, 0.1), (0.1, 0.1), (0.6, 0.1), (0.6, 0.1), (0.6, 0.1), (0.1, 0.6)]
    assert decided(values, rules) == [
        (0, 1, "enter", 0.5),
        (1, 0, "exit", 0.35),
        (4, 1, "enter", 0.5),
        (5, -1, "reverse", 0.5),
    ]


@pytest.mark.parametrize("rules", [replace(RULES, hold_rows=2), replace(RULES, hold_ns=2 * SECOND)])
def test_the_longest_hold_ends_a_position_whose_side_no_longer_stands_at_its_entry(rules: Rules) -> None:
    values = [(0.6, 0.1), (0.4, 0.1), (0.6, 0.1), (0.5, 0.1), (0.45, 0.1), (0.45, 0.1)]
    assert decided(values, rules) == [(0, 1, "enter", 0.5), (4, 0, "horizon", 0.5)]


def test_rows_without_a_number_neither_enter_nor_leave() -> None:
    assert decided([(nan, nan), (0.6, 0.1), (nan, nan), (0.1, 0.1)]) == [
        (1, 1, "enter", 0.5),
        (3, 0, "exit", 0.35),
    ]


def test_a_sick_model_ends_flat_for_good_and_says_why() -> None:
    asked = made([(0.6, 0.1), (0.6, 0.1), (0.7, 0.1), (0.1, 0.8)], sick_from=2)
    decisions = decide_all(asked, RULES).decisions
    assert repr(decisions) == repr(streamed(asked, RULES))
    assert [(each.direction, each.previous, each.cause) for each in decisions] == [
        (1, 0, "enter"),
        (0, 1, "disarmed"),
    ]
    assert decisions[1].reason == "Input 3 has no value."


def test_a_regression_is_long_by_its_value_and_short_by_its_negative() -> None:
    rules = replace(RULES, enter=2.0, exit=-0.5, is_regression=True)
    asked = made([(nan, nan)] * 5)
    for rows in (asked.rows, asked._exact):
        rows["score"] = 1.5, 2.5, -0.4, -2.0, 0.6
    decisions = decide_all(asked, rules).decisions
    assert repr(decisions) == repr(streamed(asked, rules))
    assert [(each.forecast.row, each.direction, each.cause) for each in decisions] == [
        (1, 1, "enter"),
        (3, -1, "reverse"),
        (4, 0, "exit"),
    ]


def test_rules_come_from_the_parameters_and_the_models_label() -> None:
    by_rows = facts(horizon_rows=100, horizon_ns=None)
    by_time = facts(horizon_rows=None, horizon_ns=5 * SECOND)
    holds = [
        (rules.hold_rows, rules.hold_ns)
        for rules in (
            rules_of(AiSignalParameters(), by_rows),
            rules_of(AiSignalParameters(), by_time),
            rules_of(AiSignalParameters(horizon="seconds", horizon_s=2.5), by_rows),
            rules_of(AiSignalParameters(horizon="off"), by_rows),
        )
    ]
    assert holds == [(100, None), (None, 5 * SECOND), (None, 2_500_000_000), (None, None)]
    rules = rules_of(AiSignalParameters(sides="short", cool_down_s=0.25), by_rows)
    assert (rules.may_long, rules.may_short, rules.cool_down_ns) == (False, True, 250_000_000)


# Rounding


def test_only_rows_that_rounding_could_tip_are_asked_again() -> None:
    asked = made([(0.5, 0.1), (0.50004, 0.1), (0.50011, 0.1), (0.35005, 0.1), (0.6, 0.1), (0.2, 0.34993)])
    answer = decide_all(asked, RULES)
    assert asked.again == [0, 1, 3, 5]
    assert answer.asked_alone == 4


def test_a_row_that_the_batch_rounded_over_a_threshold_is_decided_as_it_is_asked_alone() -> None:
    asked = made([(0.5, 0.1), (0.2, 0.1)])
    asked.rows["up"][0] = np.float32(0.49999)
    assert [each.direction for each in decide_all(asked, RULES).decisions] == [1, 0]


def test_where_sizes_need_it_the_numbers_of_decisions_are_those_of_the_rows_asked_alone() -> None:
    asked = made([(0.7, 0.1), (0.7, 0.1), (0.2, 0.1)])
    asked.rows["up"] += np.float32(1e-6)
    answer = decide_all(asked, RULES, exact=True)
    assert [each.forecast.up for each in answer.decisions] == [float(np.float32(0.7)), float(np.float32(0.2))]
    assert (asked.again, answer.asked_alone) == ([0, 2], 2)


def test_a_regressions_doubt_is_relative_to_its_thresholds() -> None:
    asked = made([(nan, nan)] * 3)
    asked.rows["score"] = 2.0001e-6, 2.1e-6, -2.0001e-6
    decide_all(asked, replace(RULES, enter=2e-6, exit=1e-6, is_regression=True))
    assert asked.again == [0, 2]


# Both forms

# Levels around the thresholds and on them, so that every comparison is met from both sides.
levels = st.sampled_from([0.0, 0.2, 0.3, 0.35, 0.36, 0.4, 0.45, 0.5, 0.55, 0.9, nan])


@st.composite
def ranges(draw: st.DrawFn) -> Asked:
    count = draw(st.integers(1, 60))
    pairs = draw(st.lists(st.tuples(levels, levels), min_size=count, max_size=count))
    # Several rows may share a time, and rows may be missing from the model's clock.
    steps = draw(st.lists(st.integers(0, 3), min_size=count, max_size=count))
    gaps = draw(st.lists(st.integers(1, 3), min_size=count, max_size=count))
    sick_from = draw(st.none() | st.integers(0, count - 1))
    asked = made(pairs, np.cumsum(steps).tolist(), sick_from)
    asked.row = np.cumsum(gaps).astype(np.int64)
    asked.rows["up"] += np.float32(draw(st.sampled_from([0.0, 3e-6, -3e-6])))
    return asked


rules = st.builds(
    Rules,
    enter=st.sampled_from([0.4, 0.5]),
    exit=st.sampled_from([0.2, 0.35]),
    is_regression=st.booleans(),
    may_long=st.booleans(),
    may_short=st.booleans(),
    on_opposite=st.sampled_from(["reverse", "exit", "ignore"]),
    cool_down_ns=st.sampled_from([0, SECOND, 5 * SECOND]),
    hold_rows=st.sampled_from([None, 1, 4]),
    hold_ns=st.none(),
) | st.builds(
    Rules,
    enter=st.just(0.45),
    exit=st.just(0.3),
    is_regression=st.just(False),
    may_long=st.just(True),
    may_short=st.just(True),
    on_opposite=st.sampled_from(["reverse", "exit", "ignore"]),
    cool_down_ns=st.sampled_from([0, 2 * SECOND]),
    hold_rows=st.none(),
    hold_ns=st.sampled_from([None, 0, SECOND, 6 * SECOND]),
)


@settings(max_examples=400, deadline=None)
@given(ranges(), rules)
def test_both_forms_make_the_same_decisions(asked: Asked, rules: Rules) -> None:
    batch = decide_all(asked, rules, exact=True).decisions
    expected = streamed(asked, rules)
    if asked.sick_from < len(asked.rows):  # its numbers are shown, never compared
        assert [each.cause for each in (batch[-1], expected[-1])] == ["disarmed"] * 2
        assert batch[-1].direction == expected[-1].direction
        assert batch[-1].previous == expected[-1].previous
        batch, expected = batch[:-1], expected[:-1]
    assert repr(batch) == repr(expected)
