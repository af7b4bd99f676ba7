"""Executions that were taken back count no more, wherever they are counted."""

from decimal import Decimal

import numpy as np
import pytest

from engine.link.builders import EURUSD, fill
from engine.messages.events import Filled
from engine.messages.executions import standing
from engine.session.outcome import Outcome
from widgets.chart.fills import FillColumns

GUESS, REAL = fill("guess", quantity=Decimal(9_000)), fill("real", quantity=Decimal(9_000))


def back(quantity: int, number: int = 1, order_id: str = "O-1") -> Filled:
    return fill(
        f"VOID-{number}", order_id, quantity=Decimal(-quantity), fee=Decimal("-0.22"), corrects="guess"
    )


@pytest.mark.parametrize(
    ("told", "left"),
    [
        ([GUESS, REAL], {"guess": 9_000, "real": 9_000}),
        ([GUESS, REAL, back(9_000)], {"real": 9_000}),
        ([GUESS, back(4_000)], {"guess": 5_000}),
        ([GUESS, back(4_000), REAL, back(5_000, 2)], {"real": 9_000}),
        ([GUESS, back(9_000, order_id="O-2")], {"guess": 9_000}),  # the name of another order's
    ],
)
def test_what_was_taken_back_stands_no_more(told: list[Filled], left: dict[str, int]) -> None:
    assert {each.trade_id: each.quantity for each in standing(told)} == left


def test_figures_of_a_run_count_an_execution_once() -> None:
    outcome = Outcome(EURUSD, Decimal(1_000), frozenset({"quotes"}), 0, 10)
    for event in (GUESS, REAL, back(9_000)):
        outcome.note(event)
    figures = outcome.results(
        ts=1, ticks=0, seconds=0.0, balance=Decimal(1_000), currency="USD", stats={}, inference=None
    )
    assert (figures.fills, figures.open_position) == (1, "+9000 EUR")
    assert outcome.risk().fees == pytest.approx(0.44 - 0.22)


def test_the_chart_marks_an_execution_once_whenever_the_correction_comes() -> None:
    columns = FillColumns(EURUSD.id)
    fills = [GUESS, REAL]
    columns.take(fills)
    assert len(columns.between(0, 2**62)) == 2
    fills.append(back(9_000))
    columns.take(fills)
    rows = columns.between(0, 2**62)
    np.testing.assert_array_equal(rows["quantity"], [9_000.0])
    fills.append(fill("next"))
    columns.take(fills)
    assert len(columns.between(0, 2**62)) == 2
