"""Common times: each rule against its definition, spelled out slowly."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from engine.cross_asset.sampling import Prices, clock, previous_tick, prices, refresh_times, synchronised

TIMES = st.lists(st.integers(0, 60), min_size=1, max_size=25, unique=True).map(sorted)


def times(values: list[int]) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    return np.array(values, np.int64)


def walk(values: list[int]) -> Prices:
    return Prices(times(values), 100.0 + np.arange(len(values), dtype=np.float64))


def refreshed_slowly(several: list[list[int]]) -> list[int]:
    """The definition of Barndorff-Nielsen et al. (2011): the latest of all next times, again and again."""
    found: list[int] = []
    after = -1
    while True:
        following = [next((t for t in each if t > after), None) for each in several]
        if None in following:
            return found
        after = max(t for t in following if t is not None)
        found.append(after)


@given(st.lists(TIMES, min_size=1, max_size=4))
def test_refresh_times_follow_their_definition(several: list[list[int]]) -> None:
    assert refresh_times([times(each) for each in several]).tolist() == refreshed_slowly(several)


def test_the_example_of_two_instruments() -> None:
    assert refresh_times([times([1, 2, 3, 8]), times([2, 7, 9])]).tolist() == [2, 7, 9]


def test_an_instrument_that_never_trades_gives_no_time() -> None:
    assert refresh_times([times([1, 2]), times([])]).tolist() == []
    assert refresh_times([]).tolist() == []


@given(TIMES, TIMES)
def test_previous_tick_is_the_last_known_price(ticks: list[int], at: list[int]) -> None:
    of = walk(ticks)
    for asked, found in zip(at, previous_tick(of, times(at)).tolist(), strict=True):
        known = [price for ts, price in zip(of.ts.tolist(), of.price.tolist(), strict=True) if ts <= asked]
        assert (found == known[-1]) if known else np.isnan(found)


def test_of_several_rows_at_one_time_the_last_counts() -> None:
    found = prices(times([1, 1, 2, 2, 2]), np.array([1.0, 2.0, 3.0, 4.0, 5.0]))
    assert found.ts.tolist() == [1, 2]
    assert found.price.tolist() == [2.0, 5.0]


def test_the_clock_ticks_at_whole_multiples() -> None:
    assert clock(3, 12, 5).tolist() == [5, 10]
    assert clock(5, 10, 5).tolist() == [5, 10]


def test_synchronised_prices_stand_side_by_side() -> None:
    common = synchronised([walk([1, 5]), walk([3])], times([2, 4, 6]))
    assert np.isnan(common[0, 1])
    assert common[1:].tolist() == [[100.0, 100.0], [101.0, 100.0]]
