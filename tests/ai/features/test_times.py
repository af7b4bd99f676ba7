"""Merging times with the ends of windows finds what a search for each row finds."""

from itertools import pairwise

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from ai.features.times import Times


@settings(max_examples=200, deadline=None)
@given(
    gaps=st.lists(st.one_of(st.just(0), st.integers(0, 5), st.integers(0, 10**16)), min_size=1, max_size=60),
    ns=st.one_of(st.integers(1, 12), st.integers(1, 10**16)),
    cuts=st.lists(st.integers(0, 60), max_size=4),
)
def test_first_rows_are_those_of_a_search_however_the_times_come(
    gaps: list[int], ns: int, cuts: list[int]
) -> None:
    ts = 1_700_000_000 * 10**9 + np.cumsum(np.array(gaps))
    times = Times()
    readers = [times.windows(ns), times.windows(ns)]
    bounds = [0, *sorted(cut for cut in cuts if cut < len(ts)), len(ts)]
    found = []
    for start, end in pairwise(bounds):
        times.extend(ts[start:end])
        if end > start:
            first, second = (reader.of(start, end) for reader in readers)
            np.testing.assert_array_equal(first, second)
            found.append(first)
    np.testing.assert_array_equal(np.concatenate(found), ts.searchsorted(ts - ns, side="right"))
    times.extend(ts[:0])
    np.testing.assert_array_equal(times.ts, ts[found[-1][-1] :])  # no more is kept than later windows reach
