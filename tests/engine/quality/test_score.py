from typing import get_args

import pytest

from engine.messages.data import Check
from engine.quality.score import BREAK, WEIGHTS, Weight, percent, points_lost, weight_of


def test_points_grow_with_what_is_affected_up_to_the_most() -> None:
    weight = Weight(60, 0.1, "rows")
    assert [points_lost(weight, share) for share in (0, 0.05, 0.1, 0.9)] == [0, 30, 60, 60]


def test_every_check_has_a_weight_and_breaks_of_a_book_their_own() -> None:
    assert set(WEIGHTS) == set(get_args(Check.__value__))
    assert weight_of("deltas", "sequence-gap") == BREAK
    assert weight_of("trades", "sequence-gap") == WEIGHTS["sequence-gap"]


@pytest.mark.parametrize(
    ("share", "text"),
    [(0, "0.0 %"), (0.078, "7.8 %"), (1, "100.0 %"), (7e-6, "0.001 %"), (1e-9, "less than 0.0001 %")],
)
def test_a_share_that_is_not_0_never_reads_as_0(share: float, text: str) -> None:
    assert percent(share) == text
