from datetime import UTC, datetime

import numpy as np

from engine.feeds.quality import out_of_order, silences

MINUTE_NS = 60_000_000_000


def ns(*moments: str) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    seconds = [datetime.fromisoformat(moment).replace(tzinfo=UTC).timestamp() for moment in moments]
    return np.array([int(each) * 1_000_000_000 for each in seconds], np.int64)


def test_rows_earlier_than_any_row_before_them_are_out_of_order() -> None:
    assert out_of_order(np.array([1, 5, 3, 4, 5, 6], np.int64)) == 2
    assert out_of_order(np.zeros(0, np.int64)) == 0


def test_a_silence_of_more_than_an_hour_is_a_gap() -> None:
    times = ns("2019-02-04T10:00", "2019-02-04T11:00", "2019-02-04T12:01", "2019-02-04T15:00")
    assert silences(times, weekend_closed=True) == 2
    assert silences(times[:2], weekend_closed=True) == 0
    assert silences(times[:0], weekend_closed=True) == 0


def test_the_closed_weekend_is_no_gap_for_currencies_only() -> None:
    weekend = ns("2019-02-08T21:59", "2019-02-10T22:01")
    assert silences(weekend, weekend_closed=True) == 0
    assert silences(weekend, weekend_closed=False) == 1
    assert silences(ns("2019-02-08T19:30", "2019-02-10T22:01"), weekend_closed=True) == 1
    assert silences(ns("2019-02-08T20:30", "2019-02-18T10:00"), weekend_closed=True) == 1
