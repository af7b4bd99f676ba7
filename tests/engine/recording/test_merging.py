"""Streams put together: every row once, in order, and none of one time parted from the others."""

import itertools
from collections.abc import Iterator

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.columns import Columns, Trades
from engine.recording.merging import merged

Times = st.lists(st.integers(0, 12), max_size=40).map(sorted)
Cuts = st.lists(st.integers(0, 40), max_size=6).map(sorted)


def trades(times: list[int]) -> Trades:
    """Trades numbered from 1 in their order."""
    count = len(times)
    return Trades(
        ts_event=np.array(times, np.int64),
        ts_init=np.array(times, np.int64),
        price=np.ones(count, np.int64),
        size=np.ones(count, np.int64),
        aggressor=np.zeros(count, np.uint8),
        trade_id=np.arange(1, count + 1),
        price_precision=0,
        size_precision=0,
    )


def pieces(rows: Columns, cuts: list[int]) -> Iterator[Columns]:
    bounds = [0, *(min(cut, len(rows)) for cut in cuts), len(rows)]
    for low, high in itertools.pairwise(bounds):
        if high > low:
            yield rows.take(slice(low, high))


@settings(max_examples=200, deadline=None)
@given(Times, Times, Cuts, Cuts, st.integers(1, 10))
def test_merged_streams(
    left: list[int], right: list[int], left_cuts: list[int], right_cuts: list[int], rows: int
) -> None:
    given_rows = {"left": trades(left), "right": trades(right)}
    streams = {
        "left": pieces(given_rows["left"], left_cuts),
        "right": pieces(given_rows["right"], right_cuts),
    }
    parts = list(merged(streams, rows))
    for kind, whole in given_rows.items():
        numbers = [number for part in parts if kind in part for number in part[kind].arrays()["trade_id"]]
        assert numbers == list(range(1, len(whole) + 1))
    ends = [max(int(each.ts_init[-1]) for each in part.values()) for part in parts]
    starts = [min(int(each.ts_init[0]) for each in part.values()) for part in parts]
    assert all(end < start for end, start in zip(ends, starts[1:], strict=False))
    for part in parts:
        for each in part.values():
            assert len(each) <= rows or len(set(each.ts_init.tolist())) == 1
