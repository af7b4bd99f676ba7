"""A book is what its deltas say, however they are batched."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.book import Book, depth_columns
from engine.columns import Action, Deltas, Side, Snapshots

type Row = tuple[int, int, int, int]

ROWS = st.lists(
    st.one_of(
        st.tuples(
            st.sampled_from([Action.ADD, Action.UPDATE, Action.UPDATE, Action.DELETE]),
            st.sampled_from([Side.BUY, Side.SELL]),
            st.integers(-3, 8),
            st.integers(0, 3),
        ),
        st.tuples(st.just(Action.CLEAR), st.sampled_from(list(Side)), st.just(0), st.just(0)),
    ),
    max_size=60,
)


def deltas_of(rows: Sequence[Row], ts: Sequence[int] | None = None) -> Deltas:
    table = np.array(rows, np.int64).reshape(len(rows), 4)
    when = np.arange(len(rows)) if ts is None else np.array(ts, np.int64)
    return Deltas(
        ts_event=when,
        ts_init=when,
        price_precision=2,
        size_precision=1,
        action=table[:, 0].astype(np.uint8),
        side=table[:, 1].astype(np.uint8),
        price=table[:, 2].copy(),
        size=table[:, 3].copy(),
        flags=np.zeros(len(rows), np.uint8),
        sequence=np.arange(len(rows)),
    )


def naive(rows: Sequence[Row]) -> dict[int, dict[int, int]]:
    sides: dict[int, dict[int, int]] = {Side.BUY: {}, Side.SELL: {}}
    for action, side, price, size in rows:
        if action == Action.CLEAR:
            sides = {Side.BUY: {}, Side.SELL: {}}
        elif action == Action.DELETE or size == 0:
            sides[side].pop(price, None)
        else:
            sides[side][price] = size
    return sides


def levels(book: Book) -> tuple[list[list[int]], list[list[int]]]:
    return book.bids().tolist(), book.asks().tolist()


@given(rows=ROWS, cuts=st.lists(st.integers(0, 60), max_size=6))
def test_any_batching_gives_the_book_of_one_row_at_a_time(rows: list[Row], cuts: list[int]) -> None:
    deltas, book = deltas_of(rows), Book()
    for start, end in zip([0, *sorted(cuts)], [*sorted(cuts), len(rows)], strict=True):
        book.apply(deltas.take(slice(start, end)))
    sides = naive(rows)
    bids = [[price, sides[Side.BUY][price]] for price in sorted(sides[Side.BUY], reverse=True)]
    asks = [[price, sides[Side.SELL][price]] for price in sorted(sides[Side.SELL])]
    assert levels(book) == (bids, asks)
    assert book.best_bid() == (tuple(bids[0]) if bids else None)
    assert book.best_ask() == (tuple(asks[0]) if asks else None)
    assert book.crossed == bool(bids and asks and bids[0][0] >= asks[0][0])
    assert len(book) == len(bids) + len(asks)
    assert book.bids(3).tolist() == bids[:3]
    assert book.asks(3).tolist() == asks[:3]


def test_a_batch_longer_than_a_block_keeps_the_order_of_rows() -> None:
    random = np.random.default_rng(3)
    n = 150_000
    rows = np.column_stack(
        [
            np.full(n, Action.UPDATE),
            random.integers(1, 3, n),
            random.integers(1000, 3000, n),
            random.integers(0, 9, n),
        ]
    ).tolist()
    book = Book()
    book.apply(deltas_of(rows))
    sides = naive(rows)
    assert dict(book.bids().tolist()) == sides[Side.BUY]
    assert dict(book.asks().tolist()) == sides[Side.SELL]


@pytest.mark.parametrize("padding", [0, 10])
def test_a_row_without_side_is_refused_and_changes_nothing(padding: int) -> None:
    book = Book()
    book.apply(deltas_of([(Action.ADD, Side.BUY, 100, 5)]))
    fine = [(Action.ADD, Side.SELL, 101 + i, 1) for i in range(padding)]
    with pytest.raises(ValueError, match="must name the side"):
        book.apply(deltas_of([*fine, (Action.CLEAR, 0, 0, 0), (Action.ADD, Side.NONE, 100, 1)]))
    assert levels(book) == ([[100, 5]], [])


def test_a_copy_changes_independently() -> None:
    book = Book()
    book.apply(deltas_of([(Action.ADD, Side.BUY, 100, 5), (Action.ADD, Side.SELL, 102, 7)]))
    other = book.copy()
    other.apply(deltas_of([(Action.UPDATE, Side.BUY, 100, 6), (Action.DELETE, Side.SELL, 102, 0)]))
    assert levels(book) == ([[100, 5]], [[102, 7]])
    assert levels(other) == ([[100, 6]], [])


def test_loading_a_snapshot_replaces_the_book_and_leaves_out_missing_levels() -> None:
    snapshots = Snapshots(
        ts_event=np.array([1, 2]),
        ts_init=np.array([1, 2]),
        price_precision=2,
        size_precision=1,
        bid=np.array([[9, 8, 7], [99, 98, 0]]),
        ask=np.array([[10, 11, 12], [101, 103, 104]]),
        bid_size=np.array([[1, 1, 1], [4, 5, 0]]),
        ask_size=np.array([[1, 1, 1], [6, 7, 8]]),
    )
    book = Book()
    book.apply(deltas_of([(Action.ADD, Side.BUY, 50, 5)]))
    book.load(snapshots, 1)
    assert levels(book) == ([[99, 4], [98, 5]], [[101, 6], [103, 7], [104, 8]])


@given(rows=ROWS, boundaries=st.lists(st.integers(-1, 70), max_size=8).map(sorted))
def test_depth_columns_are_the_book_at_each_boundary(rows: list[Row], boundaries: list[int]) -> None:
    book, expected, after = Book(), Book(), Book()
    deltas = deltas_of(rows, [i // 2 for i in range(len(rows))])
    price, size = depth_columns(book, deltas, np.array(boundaries, np.int64), 3)
    assert price.shape == size.shape == (len(boundaries), 2, 3)
    assert price.dtype == np.float64
    assert size.dtype == np.float32
    for column, boundary in enumerate(boundaries):
        expected = Book()
        expected.apply(deltas.take(deltas.ts_init <= boundary))
        for side, top in enumerate((expected.bids(3), expected.asks(3))):
            assert price[column, side, : len(top)].tolist() == [p / 100 for p, _ in top.tolist()]
            assert size[column, side, : len(top)] == pytest.approx([s / 10 for _, s in top.tolist()])
            assert np.isnan(price[column, side, len(top) :]).all()
            assert np.isnan(size[column, side, len(top) :]).all()
    after.apply(deltas)
    assert levels(book) == levels(after)
