from collections.abc import Sequence
from functools import partial
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest.mock import patch

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.columns import Columns, Quotes, Snapshots
from engine.store import Store, incoming, schema, writing
from engine.store.merging import in_order, joined
from engine.store.stretches import Batch, stretches
from tests.engine.store.rows import DAY_NS, EURUSD, NOON_NS, quotes, same

FILES = st.lists(st.lists(st.integers(0, 12), min_size=1, max_size=20), min_size=1, max_size=5)
"""Times of several files that overlap, each in any order."""


def files_of(times: Sequence[Sequence[int]]) -> list[Quotes]:
    """Rows that all differ; their bids count through the files."""
    first = [sum(map(len, times[:n])) for n in range(len(times))]
    return [quotes(list(t), [n + i for i in range(len(t))]) for n, t in zip(first, times, strict=True)]


def batches(rows: Columns, size: int) -> list[Batch]:
    parts = [rows.take(slice(start, start + size)) for start in range(0, len(rows), size)]
    return [Batch(int(part.ts_event[0]), len(part), partial(lambda part: part, part)) for part in parts]


@given(st.lists(FILES, min_size=1, max_size=3), st.integers(1, 6), st.integers(1, 9))
def test_stretches_are_the_whole_of_each_side_cut_between_stamps(
    sides: list[list[list[int]]], size: int, rows: int
) -> None:
    histories = [[in_order(part) for part in files_of(side)] for side in sides]
    cut = list(stretches([[b for part in side for b in batches(part, size)] for side in histories], rows))

    for number, side in enumerate(histories):
        found = [in_order(joined(stretch[number])) for stretch in cut if stretch[number]]
        assert same(joined(found), in_order(joined(side)))
    seen = [np.concatenate([part.ts_event for side in stretch for part in side]) for stretch in cut]
    assert all(before.max() < after.min() for before, after in pairwise(seen))
    assert all(len(each) >= rows for each in seen[:-1])


@settings(max_examples=30, deadline=None)
@given(FILES, FILES)
def test_a_merge_in_small_stretches_gives_the_file_of_a_merge_at_once(
    old: list[list[int]], new: list[list[int]]
) -> None:
    first, second = files_of(old), files_of(new)
    with TemporaryDirectory() as one, TemporaryDirectory() as other:
        at_once, in_stretches = Store(Path(one)), Store(Path(other))
        with (
            patch.object(writing, "ROW_GROUP_ROWS", 4),
            patch.object(schema, "ROW_GROUP_ROWS", 4),
        ):
            for parts in (first, second):
                at_once.add(EURUSD, {"quotes": joined(parts)})
            with patch.object(incoming, "_BATCH_ROWS", 3):
                for parts in (first, second):
                    with in_stretches.spill("EURUSD.SIM") as spill:
                        for part in parts:
                            spill.add("quotes", part)
                        in_stretches.add(EURUSD, spill.incoming())
        paths = [store.files("EURUSD.SIM", "quotes") for store in (at_once, in_stretches)]
        assert [p.read_bytes() for p in paths[0]] == [p.read_bytes() for p in paths[1]]


def snapshots(times: list[int], levels: int) -> Snapshots:
    ts = np.array(times, np.int64) + NOON_NS
    book = np.arange(len(ts) * levels, dtype=np.int64).reshape(len(ts), levels) + 1
    return Snapshots(
        ts_event=ts,
        ts_init=ts,
        bid=book,
        ask=book + 100,
        bid_size=book,
        ask_size=book,
        price_precision=5,
        size_precision=0,
    )


def test_books_of_different_depth_share_a_day(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.add(EURUSD, {"depth": snapshots([1, 5], 2)})
    store.add(EURUSD, {"depth": snapshots([3], 5)})
    store.add(EURUSD, {"depth": snapshots([7, DAY_NS], 3)})
    found = store.read("EURUSD.SIM", "depth")
    assert isinstance(found, Snapshots)
    assert found.bid.tolist() == [
        [1, 2, 0, 0, 0],
        [1, 2, 3, 4, 5],
        [3, 4, 0, 0, 0],
        [1, 2, 3, 0, 0],
        [4, 5, 6, 0, 0],
    ]
    streamed = [chunk.columns["depth"] for chunk in store.chunks("EURUSD.SIM", ["depth"], rows=2)]
    assert same(joined(streamed), found)


def test_what_is_set_aside_is_gone_with_its_block(tmp_path: Path) -> None:
    with Store(tmp_path / "new" / "store").spill("EURUSD.SIM") as spill:
        spill.add("quotes", quotes([1]))
        assert list(tmp_path.rglob("*.arrow"))
    assert list(tmp_path.iterdir()) == []
