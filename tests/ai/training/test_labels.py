import numpy as np
import pytest

from ai.features.windows import Window
from ai.training.labels import balanced_threshold, directions, moves
from ai.training.stretches import Stretch, joined, with_whole_window


def rows_of(ts: list[int], price: list[float]) -> Stretch:
    return Stretch(np.array(ts), np.zeros((len(ts), 1), np.float32), np.array(price))


def test_a_horizon_of_rows_looks_at_that_row() -> None:
    found = moves(joined([rows_of([0, 1, 2, 3], [100.0, 101.0, 100.0, 99.0])]), Window.parse(2))
    assert found.known.tolist() == [True, True, False, False]
    assert found.bps[:2].tolist() == pytest.approx([0.0, (99 / 101 - 1) * 1e4])
    assert np.isnan(found.bps[2:]).all()
    assert found.until_ns[:2].tolist() == [2, 3]


def test_a_horizon_of_time_looks_at_the_last_row_that_had_come_by_then() -> None:
    second = 10**9
    ts = [0, second, 3 * second - 1, 3 * second, 6 * second]
    found = moves(joined([rows_of(ts, [100.0, 102.0, 103.0, 104.0, 110.0])]), Window.parse("3s"))
    # 0 + 3 s is the fourth row itself; 1 s + 3 s = 4 s still stands at it; 2.99 s + 3 s lies before the last.
    assert found.bps[:4].tolist() == pytest.approx(
        [400.0, (104 / 102 - 1) * 1e4, (104 / 103 - 1) * 1e4, (110 / 104 - 1) * 1e4]
    )
    assert found.known.tolist() == [True, True, True, True, False]
    assert found.until_ns[0] == 3 * second


def test_rows_of_one_moment_have_the_price_after_the_last_of_them() -> None:
    second = 10**9
    found = moves(
        joined([rows_of([0, second, second, 2 * second], [1.0, 2.0, 3.0, 4.0])]), Window.parse("1s")
    )
    assert found.bps[0] == pytest.approx(20_000.0)


def test_stretches_do_not_see_each_other() -> None:
    rows = joined([rows_of([0, 1, 2], [1.0, 1.0, 1.0]), rows_of([10, 11, 12], [9.0, 9.0, 9.0])])
    for horizon in (Window.parse(1), Window("", ns=1)):
        found = moves(rows, horizon)
        assert found.known.tolist() == [True, True, False] * 2
        assert np.nanmax(np.abs(found.bps)) == 0.0
    assert with_whole_window(rows, 2).tolist() == [False, True, True] * 2


def test_a_window_with_a_missing_value_is_not_whole() -> None:
    x = np.zeros((6, 2), np.float32)
    x[2, 1] = np.nan
    rows = joined([Stretch(np.arange(6), x, np.ones(6))])
    assert with_whole_window(rows, 1).tolist() == [True, True, False, True, True, True]
    assert with_whole_window(rows, 3).tolist() == [False, False, False, False, False, True]


def test_a_price_that_is_missing_gives_no_label() -> None:
    found = moves(joined([rows_of([0, 1, 2], [1.0, np.nan, 1.0])]), Window.parse(1))
    assert found.known.tolist() == [False, False, False]


def test_a_move_of_the_threshold_is_flat() -> None:
    assert directions(np.array([-2.0, -1.0, 0.0, 1.0, 1.5]), 1.0).tolist() == [0, 1, 1, 1, 2]


def test_the_threshold_lies_between_two_ticks_and_balances_the_classes() -> None:
    random = np.random.default_rng(3)
    ticks = 10_000 + random.integers(-1, 2, 30_000).cumsum()
    price = ticks / 100
    bps = (price[20:] / price[:-20] - 1) * 1e4
    threshold = balanced_threshold(bps, price)
    step = 1e4 / np.median(ticks)
    assert (threshold / step) % 1 == pytest.approx(0.5, abs=0.01), "equal moves must be of one class"
    shares = np.bincount(directions(bps, threshold)) / len(bps)
    assert shares == pytest.approx(np.full(3, 1 / 3), abs=0.08)


def test_a_market_that_mostly_stands_still_is_flat_where_it_does() -> None:
    price = np.where(np.arange(1000) % 10 < 8, 100.0, 100.01)
    bps = (price[1:] / price[:-1] - 1) * 1e4
    assert 0 < balanced_threshold(bps, price) < 1.0
    assert balanced_threshold(np.zeros(10), np.ones(10)) == 0.0
