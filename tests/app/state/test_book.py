"""The ladder's read model: the latest book, the stand-in for it, and sums of what was traded."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from app.state.book import BookState, LastTrade, VolumeAtPrice
from engine.link.builders import EURUSD, market, rows
from engine.messages.columns import TRADE


def test_the_latest_book_replaces_both_sides() -> None:
    book = BookState(EURUSD)
    book.apply(market(bids=[(1.1, 5), (1.0999, 6)], asks=[(1.1001, 7)]))
    before = book.version
    book.apply(market(bids=[], asks=[(1.1002, 9)]))
    assert len(book.bids) == 0
    assert book.asks["price"].tolist() == [1.1002]
    assert book.version > before


def test_a_frame_without_news_changes_nothing() -> None:
    book = BookState(EURUSD)
    book.apply(market(bids=[(1.1, 5)], asks=[(1.1001, 7)]))
    before = book.version
    book.apply(market())
    assert book.version == before
    assert len(book.bids) == 1


def test_quotes_stand_in_until_a_book_comes_and_the_state_says_so() -> None:
    book = BookState(EURUSD)
    quote, bids, asks = [(1, 1.2, 1.2001, 5, 6)], [(1.1, 5)], [(1.1001, 7)]
    seen = []
    for news in (market(quotes=quote), market(bids=bids, asks=asks, quotes=quote), market(quotes=quote)):
        book.apply(news)
        seen.append((book.quotes_only, book.bids["price"].tolist(), book.asks["size"].tolist()))
    assert seen == [(True, [1.2], [6.0]), (False, [1.1], [7.0]), (False, [1.1], [7.0])]


def test_volume_at_price_sums_by_aggressor() -> None:
    book = BookState(EURUSD)
    book.apply(
        market(trades=[(1, 1.10001, 5, 1), (2, 1.09999, 6, 2), (3, 1.10001, 7, 1), (4, 1.10001, 2, 0)])
    )
    book.apply(market(trades=[(5, 1.1, 1, 2)], trades_conflated=40))
    assert book.traded.prices.tolist() == [1.09999, 1.1, 1.10001]
    assert book.traded.buy.tolist() == [0, 0, 12]
    assert book.traded.sell.tolist() == [6, 1, 0]
    assert book.traded.volume[0].tolist() == [0, 0, 2]
    assert book.traded.left_out == 40
    assert book.last_trade == LastTrade(5, 1.1, 1.0, 2)


@given(
    st.lists(st.tuples(st.integers(1, 50), st.integers(1, 9), st.integers(0, 2)), min_size=1, max_size=60),
    st.integers(1, 7),
)
def test_any_batching_gives_the_same_profile(trades: list[tuple[int, int, int]], batch: int) -> None:
    table = rows(TRADE, [(0, point / 1e5, size, side) for point, size, side in trades])
    whole, parts = VolumeAtPrice(5), VolumeAtPrice(5)
    whole.add(table)
    for start in range(0, len(table), batch):
        parts.add(table[start : start + batch])
    np.testing.assert_array_equal(whole.points, parts.points)
    np.testing.assert_array_equal(whole.volume, parts.volume)
    assert whole.volume.sum() == sum(size for _, size, _ in trades)
