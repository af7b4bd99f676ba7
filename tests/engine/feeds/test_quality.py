from datetime import UTC, datetime

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from engine.columns import Int64
from engine.feeds.quality import out_of_order, silences, stretches

MINUTE_NS = 60_000_000_000


def ns(*moments: str) -> Int64:
    seconds = [datetime.fromisoformat(moment).replace(tzinfo=UTC).timestamp() for moment in moments]
    return np.array([int(each) * 1_000_000_000 for each in seconds], np.int64)


def silent(times: Int64, *, weekend_closed: bool) -> int:
    return silences([stretches(times)], weekend_closed=weekend_closed)


def test_rows_earlier_than_any_row_before_them_are_out_of_order() -> None:
    assert out_of_order(np.array([1, 5, 3, 4, 5, 6], np.int64)) == 2
    assert out_of_order(np.zeros(0, np.int64)) == 0


@given(st.lists(st.integers(0, 9), max_size=12), st.integers(0, 12))
def test_rows_out_of_order_are_the_same_in_pieces(times: list[int], cut: int) -> None:
    whole = np.array(times, np.int64)
    head, tail = whole[:cut], whole[cut:]
    before = int(head.max(initial=-1))
    assert out_of_order(head) + out_of_order(tail, before) == out_of_order(whole)


def test_a_silence_of_more_than_an_hour_is_a_gap() -> None:
    times = ns("2019-02-04T10:00", "2019-02-04T11:00", "2019-02-04T12:01", "2019-02-04T15:00")
    assert silent(times, weekend_closed=True) == 2
    assert silent(times[:2], weekend_closed=True) == 0
    assert silent(times[:0], weekend_closed=True) == 0


@given(st.lists(st.tuples(st.integers(0, 40), st.integers(0, 3)), max_size=30))
def test_silences_over_files_are_those_of_their_joined_history(rows: list[tuple[int, int]]) -> None:
    """Half hours, each row in one of four files: overlapping, interleaved, in any order."""
    times = np.array([half for half, _ in rows], np.int64) * 30 * MINUTE_NS
    files = np.array([file for _, file in rows], np.int64)
    found = [stretches(times[files == file]) for file in (2, 0, 3, 1)]
    expected = int((np.diff(np.sort(times)) > 60 * MINUTE_NS).sum())
    assert silences(found, weekend_closed=False) == expected


def test_the_closed_weekend_is_no_gap_for_currencies_only() -> None:
    weekend = ns("2019-02-08T21:59", "2019-02-10T22:01")
    assert silent(weekend, weekend_closed=True) == 0
    assert silent(weekend, weekend_closed=False) == 1
    assert silent(ns("2019-02-08T19:30", "2019-02-10T22:01"), weekend_closed=True) == 1
    assert silent(ns("2019-02-08T20:30", "2019-02-18T10:00"), weekend_closed=True) == 1
