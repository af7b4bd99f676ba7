"""What the card of a model says, in words that hold for every model."""

import pytest

from app.windows.model_passport_text import passport_sections
from tests.ai.inference.models import feature_set, passport


@pytest.mark.parametrize(
    ("trials", "told"),
    [
        (1, "1 by this run; earlier ones are not known"),
        (40, "40 models were tried; the best of many looks better than it is"),
    ],
)
def test_trials_are_not_told_to_be_fewer_than_they_may_be(trials: int, told: str) -> None:
    sections = passport_sections(passport(feature_set(), metrics={"accuracy": 0.5}, trials=trials))
    (fact,) = sections[-1].facts
    assert (fact.label, fact.text) == ("Trials", told)
