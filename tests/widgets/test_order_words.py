"""Orders and denials in words: the same in the ticket and in the tables."""

from decimal import Decimal

import msgspec
import pytest

from engine.link.builders import order
from engine.messages.limits import Limits
from engine.messages.orders import HAND, Denial
from widgets.order_words import excess_text, flags_text, origin_text, rule_text, status_text, type_text


def test_every_limit_has_its_title() -> None:
    titles = {name: rule_text(name) for name in Limits.__struct_fields__}
    assert titles["order_notional"] == "Order value"
    assert titles["drawdown"] == "Trailing drawdown"
    assert all(title and title != name for name, title in titles.items())
    assert rule_text("view") == "Orders are off"
    assert rule_text("something_new") == "Something new"


@pytest.mark.parametrize(
    ("value", "limit", "unit", "text"),
    [
        ("10935.2", "10000", "USD", "10,935.2 over 10,000 USD"),
        ("3.25", "3", "x", "3.25 over 3 x"),
        ("40", "40", "orders", "40 of 40 orders"),
        ("-12", "10", "USD", "−12 over 10 USD"),
        ("1", "0.001", "", "1 over 0.001"),
    ],
)
def test_an_excess_is_told_with_both_numbers(value: str, limit: str, unit: str, text: str) -> None:
    denial = Denial(rule="x", text="No.", value=Decimal(value), limit=Decimal(limit), unit=unit)
    assert excess_text(denial) == text


def test_a_state_that_denies_has_no_numbers() -> None:
    assert excess_text(Denial(rule="halted", text="Re-arm.")) == ""


def test_statuses_types_flags_and_origins() -> None:
    assert [
        status_text(each) for each in ("SUBMITTED", "IN_DOUBT", "HELD", "CANCELED", "PARTIALLY_FILLED")
    ] == [
        "Pending",
        "In doubt",
        "Held here",
        "Cancelled",
        "Partially filled",
    ]
    assert [type_text(each) for each in ("MARKET_IF_TOUCHED", "LIMIT_IF_TOUCHED", "MARKET_TO_LIMIT")] == [
        "If touched",
        "Limit if touched",
        "Market to limit",
    ]
    assert [origin_text(each) for each in (HAND, "EXTERNAL", "ema_cross")] == ["Hand", "Foreign", "ema_cross"]
    marked = msgspec.structs.replace(order(), reduce_only=True, contingent=("O-2",))
    assert flags_text(marked) == "reduce, linked"
