"""What feeds a model, as its passport tells."""

import msgspec
import numpy as np
import pytest

from ai.inference.recipe import Recipe
from ai.passport import ColumnBins, Label, Ranges, Span
from engine.errors import UserError
from tests.ai.inference.models import feature_set, passport, zscore


def test_columns_keep_the_passports_names_and_order() -> None:
    features = feature_set(
        "trades",
        [
            {"name": "return", "window": 5, "as": "b"},
            {"name": "bollinger", "period": 5, "as": "bands"},
            {"name": "return", "window": 5, "on": "quotes", "as": "a"},
        ],
    )
    recipe = Recipe.of(passport(features))
    assert recipe.columns == features.outputs == ("b", *features.outputs[1:4], "a")
    assert recipe.streams == {"trades", "quotes"}
    assert recipe.features.sha256 == features.sha256
    assert recipe.with_volatility(10**9).outputs[:-1] == features.outputs


def test_a_second_instrument_is_refused() -> None:
    features = feature_set("quotes", [{"name": "mid", "of": "leader"}])
    with pytest.raises(UserError, match="reads a second instrument as 'leader', and a session has one"):
        Recipe.of(passport(features))


@pytest.mark.parametrize(
    ("clock", "on", "bars"),
    [
        ("bars", "quotes", "1-MINUTE-MID"),
        ("trades", "bars", "1-MINUTE-MID"),
        ("quotes", "bars", "1-MINUTE-LAST"),
    ],
)
def test_bars_that_a_session_cannot_bring_together_are_refused(clock: str, on: str, bars: str) -> None:
    entries = [{"name": "return", "window": 1, "on": each, "as": each} for each in (clock, on)]
    with pytest.raises(UserError, match="cannot bring together exactly; train it on"):
        Recipe.of(passport(feature_set(clock, entries, bars)))


def test_another_number_of_columns_is_refused() -> None:
    told = passport(feature_set("quotes", [{"name": "mid"}]))
    (use,) = told.features
    told = msgspec.structs.replace(told, features=(msgspec.structs.replace(use, outputs=("mid", "more")),))
    with pytest.raises(UserError, match="gives 1 columns here and 2 in the passport"):
        Recipe.of(told)


def test_what_an_input_ordinarily_is() -> None:
    features = feature_set("quotes", [{"name": "spread", "unit": "ticks"}, {"name": "mid"}])
    bins = (ColumnBins(column="mid", edges=(1.0, 2.0, 3.0), shares=(0.1, 0.3, 0.4, 0.2)),)
    assert Recipe.of(passport(features, training_bins=bins)).ordinary.tolist() == [0.0, 3.0]
    normalised = passport(features, training_bins=bins, normaliser=zscore([1.5, 2.5], [1.0, 1.0]))
    assert Recipe.of(normalised).ordinary.tolist() == [1.5, 2.5]
    assert np.array(Recipe.of(normalised).usual).tolist() == [[-4.5, -3.5], [7.5, 8.5]]


@pytest.mark.parametrize(
    ("label", "horizon", "told", "flat"),
    [
        (
            Label(kind="direction", horizon=100, unit="ticks", threshold=0.5),
            (100, None),
            "100 ticks, beyond 0.5 bps",
            5e-5,
        ),
        (Label(kind="return_bps", horizon=10 * 10**9, unit="ns"), (None, 10**10), "10 s", 0.0),
        (None, (None, None), "", 0.0),
    ],
)
def test_what_it_tells_and_how_far_ahead(
    label: Label | None, horizon: tuple[int | None, int | None], told: str, flat: float
) -> None:
    if label is not None:
        label = msgspec.structs.replace(label, class_names=("down", "up"))
    recipe = Recipe.of(passport(feature_set(), meaning="value", classes=(), label=label))
    assert recipe.horizon == horizon
    assert recipe.told_label.endswith(told)
    assert recipe.flat_within == pytest.approx(flat)


def test_in_sample_is_any_time_of_training() -> None:
    trained = Ranges(train=Span(start_ns=100, end_ns=200))
    recipe = Recipe.of(passport(feature_set(), ranges=trained))
    assert recipe.trained == (100, 199)
    assert [recipe.overlaps(*span) for span in ((0, 99), (0, 100), (150, 160), (199, 500), (200, 500))] == [
        False,
        True,
        True,
        True,
        False,
    ]
