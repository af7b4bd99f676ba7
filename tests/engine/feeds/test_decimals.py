from decimal import Decimal

import polars as pl
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from engine.feeds.decimals import scaled
from engine.feeds.decoded import Undecodable

NUMBERS = st.decimals(
    min_value=-(10**9), max_value=10**9, allow_nan=False, allow_infinity=False, places=8
) | st.decimals(min_value=0, max_value=10, allow_nan=False, allow_infinity=False, places=3)


@given(st.lists(NUMBERS, max_size=30), st.booleans())
@example([Decimal("0.1"), Decimal("123456789.12345678")], True)
@example([Decimal("9007199254740993")], False)
def test_every_decimal_comes_back_exactly(numbers: list[Decimal], trailing_zeros: bool) -> None:
    texts = [f"{number:f}" for number in numbers]
    if not trailing_zeros:
        texts = [text.rstrip("0").rstrip(".") if "." in text else text for text in texts]
    found = scaled(pl.Series(texts, dtype=pl.String))
    assert [Decimal(int(each)).scaleb(-found.precision) for each in found.integers] == numbers
    assert found.valid.all()


def test_the_precision_is_the_fewest_decimals_that_lose_nothing() -> None:
    assert scaled(pl.Series(["2683.80000000", "2683"])).precision == 1
    assert scaled(pl.Series(["1.10", "1.25", "3"])).precision == 2
    assert scaled(pl.Series(["100", "20"])).precision == 0
    assert scaled(pl.Series(["1." + "0" * 25])).integers.tolist() == [1]
    assert scaled(pl.Series(["1.0000000000000001"])).precision == 16


def test_a_late_row_with_more_decimals_sets_the_precision_of_all() -> None:
    found = scaled(pl.Series([*["1.5"] * 5_000, "1.0625"]))
    assert found.precision == 4
    assert found.integers[[0, -1]].tolist() == [15_000, 10_625]


def test_exponents_and_spaces_are_understood_and_words_are_not() -> None:
    found = scaled(
        pl.Series(["1e-5", " 2 ", "+3", ".5", "NaN", "inf", "x", "", None, "1_000", "0x10", "1,5"])
    )
    assert found.valid.tolist() == [True] * 4 + [False] * 8
    assert found.integers[:4].tolist() == [1, 200_000, 300_000, 50_000]


@pytest.mark.parametrize("text", ["1234567890123456789.5", "12345678901234567890", "0." + "1" * 19])
def test_what_cannot_be_kept_exactly_is_refused(text: str) -> None:
    with pytest.raises(Undecodable, match="more than 18 d"):
        scaled(pl.Series([text, "1"]))
