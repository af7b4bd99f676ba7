"""Series in the store: what is stored once, in which order it comes back, and what is refused."""

from pathlib import Path

import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import UserError
from engine.store.series import SeriesAdded, SeriesStore

YEAR_NS = 366 * 86_400_000_000_000


def table(rows: list[tuple[int, int, str]]) -> pa.Table:
    return pa.table(
        {
            "ts_event": pa.array([row[0] for row in rows], pa.int64()),
            "ts_init": pa.array([row[1] for row in rows], pa.int64()),
            "title": pa.array([row[2] for row in rows], pa.string()),
        }
    )


def titles(store: SeriesStore, *span: int | None) -> list[str]:
    found: list[str] = store.read("news", *span).column("title").to_pylist()
    return found


def test_rows_come_in_the_order_in_which_they_could_be_known(tmp_path: Path) -> None:
    store = SeriesStore(tmp_path)
    rows = [(5, 50, "late"), (6, 10, "early"), (YEAR_NS, YEAR_NS, "next year")]
    assert store.add("news", table(rows)) == SeriesAdded(3, 0)
    assert titles(store) == ["early", "late", "next year"]
    assert titles(store, 11, 51) == ["late"]
    assert store.names() == ["news"]
    assert len(list((tmp_path / "series" / "news").glob("*.parquet"))) == 2


def test_the_same_row_received_again_keeps_its_first_time(tmp_path: Path) -> None:
    store = SeriesStore(tmp_path)
    store.add("news", table([(5, 7, "a")]))
    assert store.add("news", table([(5, 9, "a"), (5, 9, "b")])) == SeriesAdded(1, 1)
    assert store.read("news").column("ts_init").to_pylist() == [7, 9]


@settings(max_examples=25, deadline=None)
@given(
    rows=st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9), st.sampled_from("ab")), min_size=1),
    cut=st.integers(0, 20),
)
def test_any_cut_stores_the_same_rows(
    rows: list[tuple[int, int, str]], cut: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    whole, cut_up = (SeriesStore(tmp_path_factory.mktemp("store")) for _ in range(2))
    whole.add("news", table(rows))
    for part in (rows[:cut], rows[cut:], rows):
        if part:
            cut_up.add("news", table(part))
    assert whole.read("news").equals(cut_up.read("news"))


def test_other_columns_are_refused_and_change_nothing(tmp_path: Path) -> None:
    store = SeriesStore(tmp_path)
    store.add("news", table([(5, 7, "a")]))
    other = pa.table({"ts_event": [1], "ts_init": [1], "headline": ["x"]})
    with pytest.raises(UserError, match=r"has columns .*title.* new rows have .*headline"):
        store.add("news", other)
    assert titles(store) == ["a"]


def test_a_wrong_name_is_one_sentence(tmp_path: Path) -> None:
    store = SeriesStore(tmp_path)
    store.add("news", table([(5, 7, "a")]))
    with pytest.raises(UserError, match="choose news"):
        store.read("newz")
    with pytest.raises(UserError, match="cannot name a series"):
        store.add("../news", table([(5, 7, "a")]))


def test_polars_reads_the_file_as_it_lies(tmp_path: Path) -> None:
    SeriesStore(tmp_path).add("news", table([(5, 7, "a")]))
    assert pl.scan_parquet(tmp_path / "series/news/*.parquet").collect()["title"].to_list() == ["a"]
