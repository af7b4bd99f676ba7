"""Trades that one source dates to the millisecond and another more finely: each is stored once."""

from pathlib import Path
from tempfile import TemporaryDirectory
from unittest.mock import patch

from hypothesis import given, settings
from hypothesis import strategies as st

from engine.columns import Trades
from engine.store import Store, writing
from engine.store.merging import merge
from tests.engine.store.rows import EURUSD, same, trades

ID, MS, US = "EURUSD.SIM", 1_000_000, 1_000

TIMES_US = st.lists(st.integers(0, 5_000), min_size=1, max_size=30).map(sorted)


def fine(times_us: list[int]) -> Trades:
    numbers = list(range(1, len(times_us) + 1))
    return trades([time * US for time in times_us], [700 + n for n in numbers], numbers)


def cut(rows: Trades) -> Trades:
    ts = rows.ts_event // MS * MS
    return rows.with_arrays({"ts_event": ts, "ts_init": ts})


@settings(max_examples=50, deadline=None)
@given(TIMES_US, st.booleans(), st.booleans(), st.sampled_from([1, 4, 1000]))
def test_the_source_that_came_first_is_kept_in_one_import_and_in_two(
    times_us: list[int], fine_first: bool, at_once: bool, group_rows: int
) -> None:
    rows = fine(times_us)
    sources = [rows, cut(rows)] if fine_first else [cut(rows), rows]
    with TemporaryDirectory() as folder, patch.object(writing, "ROW_GROUP_ROWS", group_rows):
        store = Store(Path(folder))
        for part in [sources] if at_once else [[source] for source in sources]:
            with store.spill(ID) as spill:
                for source in part:
                    for start in range(0, len(source), 3):
                        spill.add("trades", source.take(slice(start, start + 3)))
                added = store.add(EURUSD, spill.incoming())
        assert same(store.read(ID, "trades"), sources[0])
        assert added.duplicates["trades"] == len(rows)


def test_trades_that_differ_in_more_than_their_resolution_are_two() -> None:
    stored = trades([MS + 1, 2 * MS, 3 * MS + 5, 4 * MS + 5], [7, 7, 7, 7], [1, 2, 3, 0])
    others = trades([MS + 2, MS, 3 * MS, 4 * MS, 2 * MS + 9], [7, 8, 7, 7, 7], [1, 1, 9, 0, 3])
    merged = merge("trades", stored, others)
    assert merged.duplicates == 0
    assert len(merged.rows) == 9


def test_a_trade_that_a_repair_took_out_does_not_come_back_at_another_resolution() -> None:
    taken_out = fine([1_234])
    merged = merge("trades", trades([], [], []), cut(taken_out), withheld=taken_out)
    assert (len(merged.rows), merged.duplicates, merged.withheld) == (0, 1, 1)
