"""Which price is which row, and what stands in it."""

from collections.abc import Sequence
from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.state.book import BookState
from engine.link.builders import EURUSD, market, order
from engine.messages.events import OrderChanged
from widgets.book.rows import Grid, Own, Picture, choose_group, mid_points, picture
from widgets.book.window import RowWindow

GRID = Grid.of(EURUSD)


def book(
    bids: Sequence[tuple[float, float]] = (),
    asks: Sequence[tuple[float, float]] = (),
    trades: Sequence[tuple[int, float, float, int]] = (),
) -> BookState:
    state = BookState(EURUSD)
    state.apply(market(bids=bids, asks=asks, trades=trades))
    return state


def around(state: BookState, group: int = 1, orders: Sequence[OrderChanged] = (), count: int = 21) -> Picture:
    grid = Grid.of(EURUSD, group)
    window = RowWindow()
    window.resize(count)
    window.follow((mid_points(grid, state) or 0) / grid.row_points)
    return picture(grid, state, orders, window.top, count)


def by_price(shown: Picture, column: str) -> dict[str, object]:
    return {str(shown.grid.price(row.row)): value for row in shown.rows if (value := getattr(row, column))}


def test_every_tick_has_its_row_from_the_highest_price_down() -> None:
    shown = around(book([(1.10000, 5), (1.09997, 7)], [(1.10003, 6)]))
    prices = [shown.grid.price(row.row) for row in shown.rows]
    assert prices == sorted(prices, reverse=True)
    assert {a - b for a, b in pairwise(prices)} == {Decimal("0.00001")}
    assert by_price(shown, "bid") == {"1.10000": 5.0, "1.09997": 7.0}
    assert by_price(shown, "ask") == {"1.10003": 6.0}
    assert sorted(by_price(shown, "inside")) == ["1.10001", "1.10002"]
    assert shown.spread_points == 3


def test_grouped_rows_never_show_a_better_price_than_their_levels_have() -> None:
    shown = around(book([(1.10009, 5), (1.10003, 7)], [(1.10011, 6), (1.10020, 8), (1.10021, 1)]), group=10)
    assert by_price(shown, "bid") == {"1.10000": 12.0}
    assert by_price(shown, "ask") == {"1.10020": 14.0, "1.10030": 1.0}


def test_volume_follows_the_side_that_took_it_and_its_sum_stays() -> None:
    trades = [(1, 1.10001, 2.0, 1), (2, 1.09999, 3.0, 2), (3, 1.10001, 4.0, 1), (4, 1.10000, 1.0, 0)]
    state = book([(1.1, 5)], [(1.10001, 5)], trades)
    fine = around(state)
    assert by_price(fine, "bought") == {"1.10001": 6.0}
    assert by_price(fine, "sold") == {"1.09999": 3.0}
    coarse = around(state, group=5)
    assert by_price(coarse, "bought") == {"1.10005": 6.0}
    assert by_price(coarse, "sold") == {"1.09995": 3.0}
    assert by_price(coarse, "unsided") == {"1.10000": 1.0}
    assert by_price(fine, "last_size") == {"1.10000": 1.0}


def test_what_lies_outside_the_view_is_counted_in_the_totals_only() -> None:
    shown = around(book([(1.1, 5), (1.0, 100)], [(1.10001, 7)]))
    assert by_price(shown, "bid") == {"1.10000": 5.0}
    assert (shown.bid_total, shown.ask_total, shown.bid_levels) == (105.0, 7.0, 2)


def test_one_side_alone_and_a_crossed_book() -> None:
    alone = around(book([(1.1, 5)]))
    assert by_price(alone, "bid") == {"1.10000": 5.0}
    assert alone.spread_points is None
    assert not by_price(alone, "inside")
    crossed = around(book([(1.10002, 5)], [(1.1, 6)]))
    assert crossed.spread_points == -2
    assert by_price(crossed, "bid") == {"1.10002": 5.0}
    assert by_price(crossed, "ask") == {"1.10000": 6.0}
    assert not by_price(crossed, "inside")


def test_own_orders_show_what_is_left_of_them() -> None:
    orders = [
        order("a", price=Decimal("1.09998"), quantity=Decimal(10), filled=Decimal(4)),
        order("b", price=Decimal("1.09998"), quantity=Decimal(5)),
        order(
            "c", side="SELL", type="STOP_MARKET", price=None, trigger=Decimal("1.10007"), quantity=Decimal(3)
        ),
        order("d", price=None, type="MARKET"),
    ]
    state = book([(1.1, 5)], [(1.10001, 7)])
    shown = around(state, orders=orders)
    assert by_price(shown, "own_bid") == {"1.09998": Own(Decimal(11), "limit")}
    assert by_price(shown, "own_ask") == {"1.10007": Own(Decimal(3), "stop")}
    assert by_price(around(state, 10, orders), "own_ask") == {"1.10010": Own(Decimal(3), "stop")}


def test_imbalance_is_of_all_levels() -> None:
    assert around(book([(1.1, 3)], [(1.10001, 1)])).imbalance == 0.5
    assert around(BookState(EURUSD)).imbalance is None


levels = st.lists(st.tuples(st.integers(0, 80), st.integers(1, 9)), max_size=20)


@given(levels, levels, st.sampled_from([1, 2, 5, 10, 25]))
def test_no_size_is_lost_or_made_by_grouping(
    below: list[tuple[int, int]], above: list[tuple[int, int]], group: int
) -> None:
    bids = [((100_000 - k) / 1e5, size) for k, size in sorted(below)]
    asks = [((100_001 + k) / 1e5, size) for k, size in sorted(above)]
    state = book(bids, asks)
    shown = around(state, group, count=400)
    assert sum(row.bid for row in shown.rows) == sum(size for _, size in bids)
    assert sum(row.ask for row in shown.rows) == sum(size for _, size in asks)
    for row in shown.rows:
        price = float(shown.grid.price(row.row))
        assert not row.bid or price <= max(price for price, _ in bids) + 1e-9
        assert not row.ask or price >= min(price for price, _ in asks) - 1e-9


def dense(step: int) -> BookState:
    bids = [((100_000 - step * k) / 1e5, 1.0) for k in range(30)]
    asks = [((100_002 + step * k) / 1e5, 1.0) for k in range(30)]
    return book(bids, asks)


@pytest.mark.parametrize(("step", "group"), [(1, 1), (2, 2), (5, 5), (40, 50), (1000, 1000)])
def test_automatic_grouping_makes_twenty_levels_fit(step: int, group: int) -> None:
    assert choose_group(GRID, dense(step), rows_a_side=20) == group


def test_automatic_grouping_does_not_flip_back_at_the_edge() -> None:
    assert choose_group(GRID, dense(1), rows_a_side=20, current=2) == 2
    assert choose_group(GRID, dense(1), rows_a_side=30, current=2) == 1
    assert choose_group(GRID, BookState(EURUSD), rows_a_side=20, current=5) == 5


def test_the_view_stays_while_the_mid_wanders_and_then_moves_as_little_as_it_must() -> None:
    window = RowWindow()
    window.resize(41)
    window.follow(100.0)
    start = window.top
    for mid in (101.0, 102.0, 98.0, 99.5):
        window.follow(mid)
        assert window.top == start
    window.follow(103.0)
    assert window.top == start + 1


def test_scrolling_stops_following_until_asked_back() -> None:
    window = RowWindow()
    window.resize(41)
    window.follow(100.0)
    window.scroll(-30)
    held = window.top
    window.follow(500.0)
    assert window.top == held
    window.back_to_now()
    window.follow(500.0)
    assert window.top == 520
