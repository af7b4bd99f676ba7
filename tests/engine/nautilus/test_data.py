"""Columns become Nautilus values without losing a digit."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.columns import Action, Columns, Deltas, Flag, Quotes, Side, Snapshots, Trades
from engine.nautilus.data import to_nautilus, update_ends

SCALED = st.integers(1, 2**53)
TIMES = np.array([1_700_000_000_000_000_001, 1_700_000_000_000_000_009])


def quotes(values: list[int], price_precision: int, size_precision: int) -> Quotes:
    bid, ask, bid_size, ask_size = (np.array([value, value], np.int64) for value in values)
    return Quotes(
        ts_event=TIMES,
        ts_init=TIMES + 5,
        bid=bid,
        ask=ask,
        bid_size=bid_size,
        ask_size=ask_size,
        price_precision=price_precision,
        size_precision=size_precision,
    )


@given(st.lists(SCALED, min_size=4, max_size=4), st.integers(0, 9), st.integers(0, 9))
@settings(max_examples=60, deadline=None)
def test_quotes_keep_every_digit_at_any_precision(values: list[int], price: int, size: int) -> None:
    # Nautilus' own limit is 17 trillion.
    values = [
        value % (10 ** (12 + digits)) + 1
        for value, digits in zip(values, (price, price, size, size), strict=True)
    ]
    first, second = to_nautilus("EURUSD.SIM", quotes(values, price, size))
    got = [first.bid_price, first.ask_price, first.bid_size, first.ask_size]
    digits = (price, price, size, size)
    assert [int(value.as_decimal().scaleb(d)) for value, d in zip(got, digits, strict=True)] == values
    assert (first.bid_price.precision, first.bid_size.precision) == (price, size)
    assert [second.ts_event, second.ts_init] == [int(TIMES[1]), int(TIMES[1]) + 5]


def test_trades_keep_their_side_and_number() -> None:
    trades = Trades(
        ts_event=np.array([1, 2, 3]),
        ts_init=np.array([1, 2, 3]),
        price=np.array([600_001, 600_002, 600_003]),
        size=np.array([1, 20, 300]),
        aggressor=np.array([0, 1, 2], np.uint8),
        trade_id=np.array([7, 8, 9]),
        price_precision=1,
        size_precision=3,
    )
    made = to_nautilus("BTCUSDT.SIM", trades)
    assert [str(trade.price) for trade in made] == ["60000.1", "60000.2", "60000.3"]
    assert [str(trade.size) for trade in made] == ["0.001", "0.020", "0.300"]
    assert [trade.aggressor_side.value for trade in made] == [0, 1, 2]
    assert [str(trade.trade_id) for trade in made] == ["7", "8", "9"]


def deltas(rows: list[tuple[Any, ...]]) -> Deltas:
    ts, action, side, price, size, flags = (np.array(column) for column in zip(*rows, strict=True))
    return Deltas(
        ts_event=ts,
        ts_init=ts,
        action=action.astype(np.uint8),
        side=side.astype(np.uint8),
        price=price,
        size=size,
        flags=flags.astype(np.uint8),
        sequence=np.arange(len(ts)),
        price_precision=2,
        size_precision=1,
    )


def test_a_book_update_is_one_value() -> None:
    last = int(Flag.LAST)
    made = to_nautilus(
        "ETHUSDT.BINANCE",
        deltas(
            [
                (1, Action.CLEAR, Side.BUY, 0, 0, Flag.SNAPSHOT),
                (1, Action.ADD, Side.BUY, 100_00, 15, Flag.SNAPSHOT),
                (1, Action.ADD, Side.SELL, 101_00, 25, Flag.SNAPSHOT | last),
                (2, Action.UPDATE, Side.BUY, 100_00, 35, last),
                (3, Action.DELETE, Side.SELL, 101_00, 0, 0),
            ]
        ),
    )
    assert [len(update.deltas) for update in made] == [3, 1, 1]
    assert [update.ts_init for update in made] == [1, 2, 3]
    assert [delta.action.name for delta in made[0].deltas] == ["CLEAR", "ADD", "ADD"]
    assert made[0].deltas[0].order.side is None  # of both sides
    bid = made[0].deltas[1].order
    assert (bid.side.name, str(bid.price), str(bid.size)) == ("BUY", "100.00", "1.5")
    assert made[2].deltas[0].action.name == "DELETE"


def test_updates_end_where_the_flag_says_and_at_the_last_row() -> None:
    rows = [(k, Action.ADD, Side.BUY, 1, 1, int(Flag.LAST) if k in (1, 4) else 0) for k in range(6)]
    assert update_ends(deltas(rows)).tolist() == [2, 5, 6]


def test_whole_books_are_not_fed_to_the_engine() -> None:
    empty = np.empty((0, 1), np.int64)
    books: Columns = Snapshots(
        ts_event=TIMES[:0],
        ts_init=TIMES[:0],
        bid=empty,
        ask=empty,
        bid_size=empty,
        ask_size=empty,
        price_precision=2,
        size_precision=2,
    )
    with pytest.raises(TypeError, match="Snapshots"):
        to_nautilus("A.B", books)
