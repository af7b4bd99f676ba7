"""What a reader of the panels sees: digits, separators, signs and times."""

import math
from decimal import Decimal

import pytest
from PySide6.QtGui import QFontMetricsF
from pytestqt.qtbot import QtBot

from widgets.numbers import (
    compact_text,
    date_time_text,
    digits_that_fit,
    duration_text,
    money_text,
    mono_font,
    percent_text,
    price_text,
    sign_of,
    signed_money,
    signed_text,
    size_text,
    split_price,
    time_text,
)


@pytest.mark.parametrize(
    ("value", "precision", "text"),
    [
        (Decimal("1234.5"), 2, "1,234.50"),
        (1.09352, 5, "1.09352"),
        (1_234_567.0, 0, "1,234,567"),
        (Decimal("-0.001"), 2, "0.00"),
        (-0.0, 3, "0.000"),
        (-1234.5, 1, "−1,234.5"),
        (math.nan, 2, "–"),
        (Decimal("NaN"), 2, "–"),
        (None, 5, "–"),
        (math.inf, 2, "∞"),
        (-math.inf, 2, "−∞"),
    ],
)
def test_price_text(value: Decimal | float | None, precision: int, text: str) -> None:
    assert price_text(value, precision) == text


def test_a_decimal_keeps_digits_that_a_float_has_not() -> None:
    assert price_text(Decimal("12345678901234567.89"), 2) == "12,345,678,901,234,567.89"
    assert size_text(Decimal("0.00001230"), 8) == "0.00001230"


@pytest.mark.parametrize(
    ("value", "precision", "parts"),
    [
        (1.09352, 5, ("1.09", "35", "2")),
        (150.123, 3, ("150.", "12", "3")),
        (2481.37, 2, ("2,481.", "37", "")),
        (64321.5, 1, ("64,32", "1.5", "")),
        (7, 0, ("", "7", "")),
        (1500, 0, ("1,5", "00", "")),
        (None, 5, ("", "–", "")),
    ],
)
def test_split_price_emphasises_the_pips(
    value: float | None, precision: int, parts: tuple[str, str, str]
) -> None:
    assert split_price(value, precision) == parts
    assert "".join(parts) == price_text(value, precision)


@pytest.mark.parametrize(
    ("value", "precision", "text"),
    [
        (0.0, 0, "0"),
        (999.0, 0, "999"),
        (25_000.0, 0, "25,000"),
        (1_234_567.0, 0, "1.23M"),
        (12_345_678.0, 0, "12.3M"),
        (123_456_789.0, 0, "123M"),
        (0.5, 3, "0.500"),
        (12.3456, 4, "12.346"),
        (1_234.5678, 4, "1,235"),
        (0.5, 4, "0.5000"),
        (0.00012, 8, "0.0001"),
        (0.0000012, 8, "<0.0001"),
        (None, 0, "–"),
    ],
)
def test_compact_text_gives_up_decimals_before_it_scales(
    value: float | None, precision: int, text: str
) -> None:
    assert compact_text(value, precision) == text


def test_a_column_of_sizes_shares_its_decimal_digits() -> None:
    assert digits_that_fit(26.1942, 4) == 3
    assert digits_that_fit(9.5, 4) == 4
    assert digits_that_fit(1_500_000.0, 0) == 0
    assert digits_that_fit(123_456.7, 3) == 0


@pytest.mark.parametrize(
    ("value", "text", "sign"),
    [
        (Decimal("1234.5"), "+1,234.50 USD", 1),
        (-12.0, "−12.00 USD", -1),
        (-0.004, "0.00 USD", 0),
        (0.004, "0.00 USD", 0),
        (None, "–", 0),
        (math.nan, "–", 0),
    ],
)
def test_money_shows_its_sign_and_never_a_signed_zero(
    value: Decimal | float | None, text: str, sign: int
) -> None:
    assert signed_money(value, "USD") == text
    assert sign_of(value, 2) == sign


def test_a_level_of_money_has_no_plus() -> None:
    assert money_text(Decimal(1_000_000), "USD") == "1,000,000.00 USD"
    assert signed_text(math.inf, 2) == "+∞"


def test_percent() -> None:
    assert percent_text(0.0123) == "1.23 %"
    assert percent_text(Decimal("0.5"), 0, signed=True) == "+50 %"
    assert percent_text(None) == "–"


def test_times_are_cut_never_rounded_up_to_a_second_that_has_not_come() -> None:
    ts = 1_723_075_200_000_000_000 + 45_067_412_999_999
    assert time_text(ts) == "12:31:07.412"
    assert time_text(ts, 0) == "12:31:07"
    assert time_text(ts, 6) == "12:31:07.412999"
    assert time_text(ts, 9) == "12:31:07.412999999"
    assert date_time_text(ts, 0) == "2024-08-08 12:31:07"


@pytest.mark.parametrize(
    ("ns", "text"),
    [
        (1_250_000_000, "1.250 s"),
        (249_000_000_000, "4m 09s"),
        (3_900_000_000_000, "1h 05m"),
        (183_600_000_000_000, "2d 03h"),
    ],
)
def test_duration(ns: int, text: str) -> None:
    assert duration_text(ns) == text


def test_digits_and_signs_are_equally_wide(qtbot: QtBot) -> None:
    metrics = QFontMetricsF(mono_font(12))
    assert len({round(metrics.horizontalAdvance(sign), 3) for sign in "0123456789+−"}) == 1
