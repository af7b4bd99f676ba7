from engine.store.merging import merge
from engine.store.schema import empty
from tests.engine.store.rows import deltas, quotes, same, trades

NO_QUOTES, NO_TRADES = empty("quotes", 5, 0), empty("trades", 5, 0)


def test_a_quote_that_repeats_the_one_before_it_at_one_nanosecond_is_a_duplicate() -> None:
    merged, duplicates, *_ = merge("quotes", NO_QUOTES, quotes([1, 1, 1, 2], [7, 7, 8, 8]))
    assert same(merged, quotes([1, 1, 2], [7, 8, 8]))
    assert duplicates == 1


def test_a_quote_that_returns_at_one_nanosecond_is_kept_and_known_again() -> None:
    there_and_back = quotes([1, 1, 1], [7, 8, 7])
    merged, duplicates, *_ = merge("quotes", NO_QUOTES, there_and_back)
    assert same(merged, there_and_back)
    assert duplicates == 0
    again, duplicates, *_ = merge("quotes", merged, there_and_back)
    assert again is merged
    assert duplicates == 3


def test_two_equal_trades_without_a_number_are_two_trades() -> None:
    twice = trades([1, 1], [7, 7], [0, 0])
    merged, duplicates, *_ = merge("trades", NO_TRADES, twice)
    assert (len(merged), duplicates) == (2, 0)
    assert merge("trades", merged, twice)[1] == 2
    assert merge("trades", merged, trades([1, 1, 1], [7, 7, 7], [0, 0, 0]))[1] == 2


def test_a_numbered_trade_is_one_however_often_it_comes() -> None:
    merged, duplicates, *_ = merge("trades", NO_TRADES, trades([1, 1, 1], [7, 7, 7], [4, 4, 5]))
    assert (len(merged), duplicates) == (2, 1)
    assert merge("trades", merged, trades([1], [7], [5]))[1] == 1


def test_the_receive_time_does_not_make_a_new_row() -> None:
    stored, _, *_ = merge("quotes", NO_QUOTES, quotes([1], [7], received=[10], sequence=[3]))
    merged, duplicates, *_ = merge("quotes", stored, quotes([1], [7], received=[12], sequence=[3]))
    assert duplicates == 1
    assert merged is stored


def test_one_update_may_set_remove_and_set_a_level_again() -> None:
    rows = deltas([1, 1, 1], [7, 7, 7], [5, 0, 5], [9, 9, 9])
    merged, duplicates, *_ = merge("deltas", empty("deltas", 5, 0), rows)
    assert same(merged, rows)
    assert duplicates == 0
    assert merge("deltas", merged, rows)[1] == 3


def test_ties_keep_the_order_of_arrival_across_imports() -> None:
    first, _, *_ = merge("quotes", NO_QUOTES, quotes([1, 1], [9, 3]))
    both, _, *_ = merge("quotes", first, quotes([0, 1], [5, 1]))
    assert same(both, quotes([0, 1, 1, 1], [5, 9, 3, 1]))
