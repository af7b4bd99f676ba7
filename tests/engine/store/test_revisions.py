"""Bars and corporate actions that a vendor states again: there is one of a time, and the last one counts."""

from itertools import chain
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.columns import ACTIONS, Columns, CorporateAction, bars_kind
from engine.store import Store, writing
from engine.store.merging import merge
from tests.engine.store.rows import DAY_NS, EURUSD, actions, bars, same

ID, KIND = "EURUSD.SIM", bars_kind("1-DAY-LAST")
YEAR_NS = 365 * DAY_NS

FILES = st.lists(
    st.dictionaries(st.sampled_from([0, 1, 2, YEAR_NS, YEAR_NS + 1]), st.integers(1, 3), min_size=1),
    min_size=1,
    max_size=5,
)
"""Prices by time of several files."""


def rows_of(file: dict[int, int]) -> Columns:
    return bars(list(file), list(file.values()))


def latest(files: list[dict[int, int]]) -> Columns:
    """What files leave that are imported in this order."""
    prices = dict(sorted(dict(chain.from_iterable(file.items() for file in files)).items()))
    return rows_of(prices)


def imported(store: Store, files: list[dict[int, int]]) -> writing.Added:
    """All files in one import."""
    with store.spill(ID) as spill:
        for file in files:
            spill.add(KIND, rows_of(file))
        return store.add(EURUSD, spill.incoming())


@settings(max_examples=50, deadline=None)
@given(FILES, FILES, st.sampled_from([1, 3, 1000]))
def test_the_last_file_counts_in_one_import_and_in_many(
    old: list[dict[int, int]], new: list[dict[int, int]], group_rows: int
) -> None:
    with TemporaryDirectory() as folder, patch.object(writing, "ROW_GROUP_ROWS", group_rows):
        store = Store(Path(folder))
        first = imported(store, old)
        before = store.read(ID, KIND)
        assert same(before, latest(old))
        assert first.rows[KIND] == len(before)

        second = imported(store, new)
        after = store.read(ID, KIND)
        assert same(after, latest([*old, *new]))
        assert second.rows[KIND] + second.duplicates[KIND] == sum(map(len, new))
        assert len(after) <= len(before) + second.rows[KIND]

        again = imported(store, new)
        assert again.rows == {KIND: 0}
        assert same(store.read(ID, KIND), after)


def test_revised_bars_are_counted_as_new_rows_that_replaced_old_ones(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.add(EURUSD, {KIND: bars([1, 2, 3], [5, 6, 7])})
    added = store.add(EURUSD, {KIND: bars([2, 3, 4], [6, 8, 9])})
    assert (added.rows, added.duplicates, added.replaced) == ({KIND: 2}, {KIND: 1}, {KIND: 1})
    assert same(store.read(ID, KIND), bars([1, 2, 3, 4], [5, 6, 8, 9]))


def test_a_revised_dividend_replaces_the_old_one_but_no_split_of_its_day(tmp_path: Path) -> None:
    split, dividend = CorporateAction.SPLIT, CorporateAction.DIVIDEND
    store = Store(tmp_path)
    store.add(EURUSD, {ACTIONS: actions([1, 1, 2], [split, dividend, dividend], [0, 50, 60])})
    added = store.add(EURUSD, {ACTIONS: actions([1, 2], [dividend, dividend], [55, 60])})
    assert (added.rows, added.replaced) == ({ACTIONS: 1}, {ACTIONS: 1})
    assert same(store.read(ID, ACTIONS), actions([1, 1, 2], [split, dividend, dividend], [0, 55, 60]))


def test_two_bars_of_one_time_from_an_older_store_become_one() -> None:
    merged = merge(KIND, bars([1, 1], [5, 6]), bars([2], [7]))
    assert same(merged.rows, bars([1, 2], [6, 7]))
    assert merged.replaced == 1


@pytest.mark.parametrize("order", [[8, 5], [5, 8]])
def test_a_bar_that_a_repair_took_out_revises_nothing(order: list[int]) -> None:
    merged = merge(KIND, bars([], []), bars([1, 1], order), withheld=bars([1], [5]))
    assert same(merged.rows, bars([1], [8]))
    assert (merged.duplicates, merged.withheld, merged.replaced) == (1, 1, 0)
