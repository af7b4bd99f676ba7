"""Extremes through the levels of a pyramid equal those of the values themselves."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.state import pyramid
from app.state.pyramid import LargestPyramid, RangePyramid


@pytest.fixture(autouse=True)
def climb_early(monkeypatch: pytest.MonkeyPatch) -> None:
    """Use the levels although the columns of a test are short."""
    monkeypatch.setattr(pyramid, "_DENSE", 0)


@given(
    st.integers(1, 1500),
    st.integers(1, 200),
    st.lists(st.integers(0, 1500), min_size=2, max_size=40),
    st.booleans(),
)
@settings(max_examples=200, deadline=None)
def test_extremes_of_any_stretches(length: int, batch: int, cuts: list[int], aligned: bool) -> None:
    values = np.random.default_rng(length).permutation(length).astype(float)
    column = RangePyramid()
    for start in range(0, length, batch):
        column.extend(values[start : start + batch])
    edges = np.sort(np.minimum(np.array(cuts) // (16 if aligned else 1) * (16 if aligned else 1), length))
    low, high = column.extremes(edges[:-1], edges[1:])
    for index, (start, end) in enumerate(pairwise(edges)):
        if end > start:
            assert (low[index], high[index]) == (values[start:end].min(), values[start:end].max())
        else:
            assert (low[index], high[index]) == (np.inf, -np.inf)


@given(
    st.integers(1, 2000), st.integers(1, 300), st.integers(0, 2000), st.integers(0, 2000), st.integers(1, 50)
)
@settings(max_examples=100, deadline=None)
def test_the_largest_of_a_stretch_is_always_among_the_thinned(
    length: int, batch: int, one: int, other: int, limit: int
) -> None:
    values = np.random.default_rng(length).permutation(length).astype(float)
    column = LargestPyramid()
    for at in range(0, length, batch):
        column.extend(values[at : at + batch])
    start, end = sorted((min(one, length), min(other, length)))
    rows = column.largest(start, end, limit)
    assert (np.diff(rows) > 0).all()
    assert len(rows) <= limit + 3
    if end > start:
        assert start <= rows[0] <= rows[-1] < end
        assert values[start:end].argmax() + start in rows
