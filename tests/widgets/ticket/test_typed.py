"""Numbers typed into the ticket: exact in every country, refused where they could be read in two ways."""

import locale
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from widgets.ticket.typed import FieldError, check_grid, decimal_of, plain, stepped

EXACT = st.decimals(Decimal("0.00000001"), Decimal(999_999_999), places=8)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1234.5", "1234.5"),
        (" 1.09352 ", "1.09352"),
        (".5", "0.5"),
        ("10.", "10"),
        ("1,234,567", "1234567"),
        ("1,234.50", "1234.5"),
        ("10 000", "10000"),
        ("10\N{NO-BREAK SPACE}000.25", "10000.25"),
        ("10'000", "10000"),
        ("0.1", "0.1"),
    ],
)
def test_what_can_be_read_in_one_way_is_read(text: str, value: str) -> None:
    assert decimal_of(text, "Price") == Decimal(value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "Price is missing."),
        ("1,234", "Price: a comma may mean two things; write 1234 without it, or a point."),
        ("1,0935", "Price must be a number such as 1234.5, with a point."),
        ("1.234,50", "Price must be a number such as 1234.5, with a point."),
        ("1.234.567", "Price must be a number such as 1234.5, with a point."),
        ("1e5", "Price must be a number such as 1234.5, with a point."),
        ("nan", "Price must be a number such as 1234.5, with a point."),
        ("-5", "Price must be a number such as 1234.5, with a point."),
        ("٣", "Price must be a number such as 1234.5, with a point."),
        ("10k", "Price must be a number such as 1234.5, with a point."),
        ("0.000", "Price must be above zero."),
        ("1" * 30, "Price has too many digits; at most 20 fit."),
    ],
)
def test_what_is_no_plain_number_is_refused_in_one_sentence(text: str, said: str) -> None:
    with pytest.raises(FieldError) as raised:
        decimal_of(text, "Price")
    assert str(raised.value) == said


def test_a_size_may_be_in_thousands_and_millions() -> None:
    assert decimal_of("10k", "Size", scaled=True) == Decimal(10_000)
    assert decimal_of("1.5 M", "Size", scaled=True) == Decimal(1_500_000)


@given(EXACT)
def test_every_exact_number_comes_back_as_it_was(value: Decimal) -> None:
    assert decimal_of(plain(value), "Price") == value


def test_a_german_machine_reads_the_same() -> None:
    before = locale.setlocale(locale.LC_NUMERIC)
    for name in ("de_DE.UTF-8", "fr_FR.UTF-8", "C"):
        try:
            locale.setlocale(locale.LC_NUMERIC, name)
        except locale.Error:
            continue
        try:
            assert decimal_of("1,234.50", "Price") == Decimal("1234.5")
        finally:
            locale.setlocale(locale.LC_NUMERIC, before)


def test_what_is_off_the_grid_names_its_neighbours() -> None:
    assert check_grid(Decimal("1.09352"), Decimal("0.00001"), "Price") == Decimal("1.09352")
    with pytest.raises(FieldError, match=r"^Size goes in steps of 1000 EUR: 1000 or 2000\.$"):
        check_grid(Decimal(1500), Decimal(1000), "Size", "EUR")
    with pytest.raises(FieldError, match=r"^Size goes in steps of 1000: 1000\.$"):
        check_grid(Decimal(3), Decimal(1000), "Size")


@given(EXACT, st.sampled_from(["0.00001", "0.01", "0.25", "1000"]), st.integers(-50, 50))
def test_a_step_lands_on_the_grid_and_never_at_zero(value: Decimal, text: str, count: int) -> None:
    step = Decimal(text)
    landed = stepped(value, step, count)
    assert landed % step == 0
    assert landed >= step
    if landed > step and count:
        assert (landed - value) * count > 0 or landed == value
        assert abs(landed - value) <= abs(count) * step
