"""The levels that a model is fed are those of the book that columns rebuild."""

from math import isnan

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from engine.book import Book
from engine.columns import Action, Deltas, Side
from engine.signals.levels import Levels

rows = st.tuples(
    st.sampled_from([Action.ADD, Action.UPDATE, Action.DELETE, Action.CLEAR]),
    st.sampled_from([Side.BUY, Side.SELL]),
    st.integers(1, 12),
    st.integers(0, 3),
)


def columns(changes: list[tuple[Action, Side, int, int]]) -> Deltas:
    action, side, price, size = (np.array(column) for column in zip(*changes, strict=True))
    zeros = np.zeros(len(changes), np.int64)
    return Deltas(
        ts_event=zeros, ts_init=zeros, action=action.astype(np.uint8), side=side.astype(np.uint8),
        price=price, size=size, flags=zeros.astype(np.uint8), sequence=zeros,
        price_precision=0, size_precision=0,
    )  # fmt: skip


@given(st.lists(rows, min_size=1, max_size=60))
def test_any_changes_leave_the_same_best_levels(changes: list[tuple[Action, Side, int, int]]) -> None:
    book = Book()
    book.apply(columns(changes))
    bids, asks = Levels(-1), Levels(1)
    for action, side, price, size in changes:
        if action == Action.CLEAR:
            bids.clear()
            asks.clear()
        else:
            (bids if side == Side.BUY else asks).set(price, 0.0 if action == Action.DELETE else float(size))
    for levels, expected in ((bids, book.bids(5)), (asks, book.asks(5))):
        prices, sizes = levels.best(5)
        assert len(prices) == len(sizes) == 5
        known = [price for price in prices if not isnan(price)]
        assert list(zip(known, sizes, strict=False)) == [tuple(level) for level in expected.tolist()]
        assert sizes[len(known) :] == [0.0] * (5 - len(known))
