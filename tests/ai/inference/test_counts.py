"""Inputs beside those of training, counted by hand."""

from typing import Any

import numpy as np
import pytest

from ai.inference.counts import STEP, Counting
from ai.inference.recipe import Recipe
from ai.passport import ColumnBins
from tests.ai.inference.models import feature_set, passport, zscore

FEATURES = feature_set("quotes", [{"name": "spread", "unit": "ticks"}, {"name": "mid"}])
SPREAD = ColumnBins(column="spread_ticks", edges=(1.0, 2.0), shares=(0.5, 0.3, 0.2))


def counting(**changes: Any) -> Counting:
    return Counting(Recipe.of(passport(FEATURES, **changes)))


def rows(*values: tuple[float, float, int]) -> Any:
    """Rows of spread and mid, each so many times."""
    return np.concatenate([np.full((times, 2), (spread, mid), np.float32) for spread, mid, times in values])


def test_drift_is_the_population_stability_index() -> None:
    of = counting(training_bins=(SPREAD,))
    # Left borders belong to their bin: 200 rows below 1, 500 from 1 to 2, 300 from 2 on.
    x = rows((0.5, 1.0, 200), (1.0, 1.0, 100), (1.9, 1.0, 400), (2.0, 1.0, 300))
    by_hand = (
        (0.2 - 0.5) * np.log(0.2 / 0.5) + (0.5 - 0.3) * np.log(0.5 / 0.3) + (0.3 - 0.2) * np.log(0.3 / 0.2)
    )
    (counts,) = of.count(x, len(x))
    assert of.drift(counts) == [pytest.approx(by_hand), None]
    most = of.drifted(counts, 0.4)
    assert most is not None
    assert most[0] == "spread_ticks"
    assert of.drifted(counts, 0.5) is None


def test_an_empty_bin_counts_as_a_ten_thousandth() -> None:
    of = counting(training_bins=(SPREAD,))
    (counts,) = of.count(rows((0.0, 1.0, STEP)), STEP)
    by_hand = 0.5 * np.log(2) + (1e-4 - 0.3) * np.log(1e-4 / 0.3) + (1e-4 - 0.2) * np.log(1e-4 / 0.2)
    assert of.drift(counts)[0] == pytest.approx(by_hand)


def test_fewer_rows_than_a_step_tell_no_drift() -> None:
    of = counting(training_bins=(SPREAD,))
    (counts,) = of.count(rows((0.0, 1.0, STEP - 1)), STEP - 1)
    assert of.drift(counts) == [None, None]
    (counts,) = of.count(rows((0.0, 1.0, STEP - 1), (np.nan, 1.0, 1)), STEP)
    assert of.drift(counts) == [None, None]


def test_counts_of_steps_add_up() -> None:
    of = counting(training_bins=(SPREAD,), normaliser=zscore([1.0, 1.0], [1.0, 1.0]))
    x = np.random.default_rng(4).normal(1.0, 4.0, (600, 2)).astype(np.float32)
    x[::7, 0] = np.nan
    assert of.count(x, 100).sum(axis=0).tolist() == of.count(x, 600)[0].tolist()
    assert of.count(x, 600)[0][4:].sum() == 600 - len(x[::7])


def test_missing_and_out_of_range_by_the_normaliser() -> None:
    of = counting(normaliser=zscore([10.0, 0.0], [2.0, 1.0]))
    x = rows((22.0, -6.0, 1), (22.1, 0.0, 2), (-2.1, 6.1, 1), (np.nan, np.inf, 1), (np.nan, 0.0, 1))
    told = of.told(of.count(x, len(x))[0])
    assert [(each.column, each.nans, each.out_of_range) for each in told] == [
        ("spread_ticks", 2, 3),
        ("mid", 1, 1),
    ]


def test_out_of_range_by_the_bins_is_beyond_their_span_once_more() -> None:
    of = counting(training_bins=(SPREAD,))
    x = rows((-0.1, 1e9, 1), (0.0, 1.0, 1), (3.0, 1.0, 1), (3.1, -1e9, 1))
    told = of.told(of.count(x, len(x))[0])
    assert [each.out_of_range for each in told] == [2, 0]
