from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.columns import Columns
from engine.store import Store, schema
from tests.engine.store.rows import DAY_NS, EURUSD, NOON_NS, quotes, same, trades

CLOCKS = st.lists(
    st.tuples(st.sampled_from([0, 1, 2, 50, DAY_NS]), st.sampled_from([-50, -2, -1, 0, 1, 2, 50])),
    min_size=1,
    max_size=80,
    unique=True,
)


@settings(max_examples=40, deadline=None)
@given(CLOCKS, CLOCKS, st.integers(1, 30), st.data())
def test_chunks_are_the_whole_history_in_receive_order_cut_at_common_times(
    quoted: list[tuple[int, int]], traded: list[tuple[int, int]], rows: int, data: st.DataObject
) -> None:
    """Small row groups and clocks that disagree make groups overlap in receive time."""
    low = data.draw(st.none() | st.integers(-60, 60))
    high = data.draw(st.none() | st.integers(0, DAY_NS + 60))
    start, end = (None if each is None else NOON_NS + each for each in (low, high))
    some = quotes([t for t, _ in quoted], list(range(len(quoted))), received=[t + off for t, off in quoted])
    others = trades([t for t, _ in traded], list(range(len(traded))), list(range(1, len(traded) + 1)))
    others = others.with_arrays({"ts_init": np.array([NOON_NS + t + off for t, off in traded], np.int64)})
    with TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(schema, "ROW_GROUP_ROWS", 7)
        store = Store(Path(folder))
        store.add(EURUSD, {"quotes": some, "trades": others})
        chunks = list(store.chunks("EURUSD.SIM", ("quotes", "trades"), start, end, rows=rows))
        for kind in ("quotes", "trades"):
            whole = store.read("EURUSD.SIM", kind, start, end)
            parts: list[Columns] = [chunk.columns[kind] for chunk in chunks if kind in chunk.columns]
            assert same(type(whole).concat([whole.take(slice(0, 0)), *parts]), whole)
    for chunk in chunks:
        for part in chunk.columns.values():
            assert chunk.start_ns <= part.ts_init[0]
            assert part.ts_init[-1] < chunk.end_ns
            assert (np.diff(part.ts_init) >= 0).all()
            assert len(part) <= rows or part.ts_init[0] == part.ts_init[-1]
    assert all(one.end_ns <= other.start_ns for one, other in pairwise(chunks))


def test_memory_stays_within_a_few_row_groups(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schema, "ROW_GROUP_ROWS", 1_000)
    store = Store(tmp_path)
    store.add(EURUSD, {"quotes": quotes(list(range(50_000)), [1] * 50_000)})
    from engine.store import stream

    held: list[int] = []
    original = stream.KindStream._load_next

    def counting(self: stream.KindStream) -> None:
        original(self)
        held.append(len(self._rows) if self._rows is not None else 0)

    monkeypatch.setattr(stream.KindStream, "_load_next", counting)
    total = sum(len(chunk.columns["quotes"]) for chunk in store.chunks("EURUSD.SIM", rows=500))

    assert total == 50_000
    assert len(held) == 50
    assert max(held) <= 2_500


def test_rows_received_together_stay_in_their_stored_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second row group holds the earliest row received, and so is loaded first."""
    monkeypatch.setattr(schema, "ROW_GROUP_ROWS", 3)
    store = Store(tmp_path)
    store.add(EURUSD, {"quotes": quotes(list(range(6)), received=[100, 100, 100, 50, 100, 100])})
    (only,) = store.chunks("EURUSD.SIM", rows=2, start_ns=NOON_NS + 100)
    assert (only.columns["quotes"].ts_event - NOON_NS).tolist() == [0, 1, 2, 4, 5]


def test_more_rows_of_one_time_than_a_chunk_holds_stay_together(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.add(EURUSD, {"quotes": quotes([1] * 9 + [2], list(range(1, 11)))})
    assert [len(chunk.columns["quotes"]) for chunk in store.chunks("EURUSD.SIM", rows=4)] == [9, 1]


def test_an_empty_range_has_no_chunks(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.add(EURUSD, {"quotes": quotes([1, 2])})
    assert list(store.chunks("EURUSD.SIM", start_ns=NOON_NS + 3)) == []
    assert list(store.chunks("EURUSD.SIM", ["trades"])) == []
    (only,) = store.chunks("EURUSD.SIM")
    assert (only.start_ns, only.end_ns) == (NOON_NS + 1, NOON_NS + 3)
