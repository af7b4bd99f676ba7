"""The tables' model: whatever arrives in whatever order, it shows what a plain sort and filter would."""

from dataclasses import dataclass, field
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QPersistentModelIndex, Qt
from PySide6.QtTest import QAbstractItemModelTester
from pytestqt.qtbot import QtBot

from app.state.log import LogState
from app.state.orders import Latest
from engine.link.builders import log
from engine.messages.events import Logged
from widgets.blotter.column import Column, number, words
from widgets.blotter.model import EventModel
from widgets.blotter.state import Growing, Replacing, Sliding

type Row = tuple[str, Decimal | None]

COLUMNS: list[Column[Row]] = [
    words("name", "Name", lambda row: row[0]),
    number("amount", "Amount", lambda row: row[1]),
]
UP, DOWN = Qt.SortOrder.AscendingOrder, Qt.SortOrder.DescendingOrder


@dataclass
class Signals:
    resets: int = 0
    inserted: list[tuple[int, int]] = field(default_factory=list)


def model_of(rows: list[Row]) -> tuple[EventModel[Row], Signals]:
    model: EventModel[Row] = EventModel(COLUMNS)
    model.follow(Growing(rows))
    signals = Signals()
    model.modelReset.connect(lambda: setattr(signals, "resets", signals.resets + 1))
    model.rowsInserted.connect(lambda _, first, last: signals.inserted.append((first, last)))
    return model, signals


def names(model: EventModel[Row]) -> str:
    return "".join(row[0] for row in model.rows())


def test_new_rows_come_on_top_in_one_batch_without_a_reset(qtbot: QtBot) -> None:
    rows: list[Row] = [("a", Decimal(1)), ("b", Decimal(2))]
    model, signals = model_of(rows)
    rows += [("c", Decimal(0)), ("d", Decimal(5))]
    assert model.refresh()
    assert not model.refresh()
    assert names(model) == "dcba"
    assert signals == Signals(0, [(0, 1)])


def test_numbers_sort_by_value_not_by_text_and_missing_ones_are_lowest(qtbot: QtBot) -> None:
    rows: list[Row] = [("a", Decimal("9.5")), ("b", Decimal("10.25")), ("c", None), ("d", Decimal("-3"))]
    model, _ = model_of(rows)
    model.sort(1, UP)
    assert names(model) == "cdab"
    model.sort(1, DOWN)
    assert names(model) == "badc"
    model.sort(-1, DOWN)
    assert names(model) == "dcba"


def test_digits_beyond_a_float_still_sort(qtbot: QtBot) -> None:
    rows: list[Row] = [("a", Decimal("0.10000000000000000002")), ("b", Decimal("0.10000000000000000001"))]
    model, _ = model_of(rows)
    model.sort(1, UP)
    assert names(model) == "ba"


amounts = st.lists(st.integers(-20, 20), max_size=25)


@given(
    batches=st.lists(amounts, max_size=6),
    descending=st.booleans(),
    least=st.integers(-21, 5),
    column=st.sampled_from([-1, 1]),
)
def test_batches_sorting_and_filter_equal_doing_it_all_at_once(
    batches: list[list[int]], descending: bool, least: int, column: int
) -> None:
    rows: list[Row] = []
    model, _ = model_of(rows)
    QAbstractItemModelTester(model, QAbstractItemModelTester.FailureReportingMode.Fatal)
    model.set_filter(lambda row: (row[1] or 0) >= least)
    model.sort(column, DOWN if descending else UP)
    for batch in batches:
        rows += [(str(len(rows) + place), Decimal(amount)) for place, amount in enumerate(batch)]
        model.refresh()
    kept = [row for row in rows if (row[1] or 0) >= least]
    if column == -1:
        assert model.rows() == kept[::-1]
    else:
        shown = [row[1] for row in model.rows()]
        assert shown == sorted((row[1] or 0 for row in kept), reverse=descending)
        assert sorted(model.rows()) == sorted(kept)


changes = st.lists(st.tuples(st.integers(0, 8), st.integers(-9, 9)), max_size=20)


@given(batches=st.lists(changes, max_size=6), least=st.integers(-10, 3), column=st.sampled_from([-1, 1]))
def test_rows_that_change_move_leave_and_come_back(
    batches: list[list[tuple[int, int]]], least: int, column: int
) -> None:
    latest: Latest[Row] = Latest()
    model: EventModel[Row] = EventModel(COLUMNS)
    model.follow(Replacing(latest))
    QAbstractItemModelTester(model, QAbstractItemModelTester.FailureReportingMode.Fatal)
    if least > -10:
        model.set_filter(lambda row: (row[1] or 0) >= least)
    model.sort(column, UP)
    for batch in batches:
        for key, amount in batch:
            latest.put(str(key), (str(key), Decimal(amount)))
        model.refresh()
        kept = [row for row in latest.rows if (row[1] or 0) >= least]
        assert sorted(model.rows()) == sorted(kept)
        if column == 1:
            assert [row[1] for row in model.rows()] == sorted(row[1] or 0 for row in kept)
        else:
            assert model.rows() == kept[::-1]


def test_a_selected_row_stays_selected_where_sorting_moves_it(qtbot: QtBot) -> None:
    rows: list[Row] = [("a", Decimal(1)), ("b", Decimal(2)), ("c", Decimal(3))]
    model, _ = model_of(rows)
    held = QPersistentModelIndex(model.index(0, 0))
    assert model.row(held.row())[0] == "c"
    model.sort(1, UP)
    assert model.row(held.row())[0] == "c"
    rows.append(("d", Decimal("0.5")))
    model.refresh()
    assert (held.row(), model.row(held.row())[0]) == (3, "c")


@pytest.mark.parametrize("column", [-1, 0])
def test_a_bounded_feed_loses_its_oldest_rows(qtbot: QtBot, column: int) -> None:
    state = LogState(capacity=4)
    model: EventModel[Logged] = EventModel([words("text", "Text", lambda line: line.text)])
    QAbstractItemModelTester(model, QAbstractItemModelTester.FailureReportingMode.Fatal)
    model.follow(Sliding(state))
    model.sort(column, DOWN)
    for first in (0, 3, 6, 20):
        state.apply([log(f"{number:02d}") for number in range(first, first + 3)])
        model.refresh()
        assert [line.text for line in model.rows()] == [line.text for line in reversed(state.lines)]
    assert model.total == 4


def test_a_shorter_feed_means_a_new_epoch(qtbot: QtBot) -> None:
    rows: list[Row] = [("a", Decimal(1)), ("b", Decimal(2))]
    model, signals = model_of(rows)
    rows[:] = [("z", Decimal(9))]
    model.refresh()
    assert names(model) == "z"
    assert signals.resets == 1
    model.follow(None)
    assert model.rowCount() == 0


def test_a_hundred_thousand_rows_grow_without_being_looked_at_again(qtbot: QtBot) -> None:
    rows: list[Row] = [(str(k), Decimal(k % 977)) for k in range(100_000)]
    asked: list[str] = []

    def accept(row: Row) -> bool:
        asked.append(row[0])
        return True

    model, signals = model_of(rows)
    model.set_filter(accept)
    asked.clear()
    signals.resets = 0
    rows += [(str(k), Decimal(3)) for k in range(100_000, 101_000)]
    model.refresh()
    assert len(asked) == 1_000
    assert signals == Signals(0, [(0, 999)])
    assert model.row(0)[0] == "100999"
