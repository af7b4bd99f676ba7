import gzip
from pathlib import Path
from typing import cast

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.book import Book
from engine.columns import Action, Aggressor, Columns, Deltas, Flag, Quotes, Side, Snapshots, Trades
from engine.feeds.decoded import Decoded, Undecodable
from engine.feeds.formats import detect
from engine.feeds.importing import import_files
from engine.feeds.vendors.tardis import decode
from engine.messages.instrument import Instrument
from engine.store import Store
from tests.engine.feeds.mutations import mutations, survives
from tests.engine.feeds.vendors.crypto import (
    PERPETUAL,
    SPOT,
    Only,
    contract,
    crypto_file,
    stored_in_pieces_and_whole,
)
from tests.recordings import recording

BITMEX = contract("XBTUSD.BITMEX", "perpetual", quote="USD", inverse=True)
DERIBIT = contract("BTC-PERPETUAL.DERIBIT", "perpetual", quote="USD", inverse=True)
HUOBI = contract("BTCUSD-SWAP.HUOBI", "perpetual", quote="USD", inverse=True)
RECORDED = {
    "binance-futures_book_snapshot_25_BTCUSDT.csv": PERPETUAL,
    "binance-futures_book_snapshot_5_BTCUSDT.csv": PERPETUAL,
    "bitmex_trades_XBTUSD.csv": BITMEX,
    "deribit_incremental_book_L2_BTC-PERPETUAL.csv": DERIBIT,
    "huobi-dm-swap_quotes_BTC-USD.csv": HUOBI,
}
CHANGES_HEADER = "exchange,symbol,timestamp,local_timestamp,is_snapshot,side,price,amount\n"
TRADES_HEADER = "exchange,symbol,timestamp,local_timestamp,id,side,price,amount\n"
QUOTES_HEADER = "exchange,symbol,timestamp,local_timestamp,ask_amount,ask_price,bid_price,bid_amount\n"
START_US = 1_585_699_200_000_000


def read(data: bytes | str, instrument: Instrument, name: str = "x.csv") -> Decoded:
    return decode(crypto_file(data, name, instrument))


def recorded(name: str) -> Decoded:
    return read(recording(f"crypto/tardis/{name}").read_bytes(), RECORDED[name], name)


def change(at: int, *, snapshot: bool, side: str, price: str, amount: str, symbol: str = "BTCUSDT") -> str:
    """One level, `at` milliseconds after the start."""
    time = START_US + at * 1_000
    return f"binance,{symbol},{time},{time + 500},{str(snapshot).lower()},{side},{price},{amount}\n"


def deltas(found: Decoded) -> Deltas:
    part = found.columns["deltas"]
    assert isinstance(part, Deltas)
    return part


def test_the_recorded_trades() -> None:
    found = recorded("bitmex_trades_XBTUSD.csv")
    rows = cast("Trades", found.columns["trades"])
    assert (len(rows), rows.price_precision, rows.size_precision) == (10, 1, 0)
    assert (rows.ts_event[0], rows.ts_init[0]) == (1583020803145000000, 1583020803307160000)
    assert (rows.price[0], rows.size[0], rows.aggressor[0]) == (85315, 2152, Aggressor.SELLER)
    assert (rows.ts_event[-1], rows.size[-1]) == (1583020803276000000, 1)
    assert not rows.trade_id.any()
    assert any("10 trades have ids that are no numbers" in note for note in found.notes)
    assert "microseconds" in found.timestamps


def test_the_recorded_quotes() -> None:
    rows = cast("Quotes", recorded("huobi-dm-swap_quotes_BTC-USD.csv").columns["quotes"])
    assert (len(rows), rows.price_precision, rows.size_precision) == (10, 1, 0)
    first, last = ((rows.bid[n], rows.bid_size[n], rows.ask[n], rows.ask_size[n]) for n in (0, -1))
    assert first == (86292, 806, 86293, 5494)
    assert last == (86292, 847, 86293, 5411)
    assert (rows.ts_event[0], rows.ts_init[-1]) == (1588291201099000000, 1588291201927888000)


def test_the_recorded_incremental_book_is_one_snapshot() -> None:
    rows = deltas(recorded("deribit_incremental_book_L2_BTC-PERPETUAL.csv"))
    assert len(rows) == 16
    assert rows.action.tolist() == [Action.CLEAR] + [Action.ADD] * 15
    assert (rows.flags == Flag.SNAPSHOT).sum() == 15
    assert rows.flags[-1] == Flag.SNAPSHOT | Flag.LAST
    assert set(rows.side[1:].tolist()) == {Side.SELL}
    assert (rows.price[1], rows.size[1], rows.price[-1], rows.size[-1]) == (64215, 18640, 64285, 39950)
    assert set(rows.ts_event.tolist()) == {1585699200245000000}
    assert set(rows.ts_init.tolist()) == {1585699200355684000}


@pytest.mark.parametrize("levels", [5, 25])
def test_the_recorded_book_snapshots(levels: int) -> None:
    rows = cast("Snapshots", recorded(f"binance-futures_book_snapshot_{levels}_BTCUSDT.csv").columns["depth"])
    assert rows.bid.shape == rows.ask_size.shape == (10, levels)
    assert (rows.price_precision, rows.size_precision) == (2, 3)
    assert (rows.ts_event[0], rows.ts_init[0]) == (1598918403696000000, 1598918403810979000)
    assert (rows.bid[0, 0], rows.bid_size[0, 0]) == (1165707, 10896)
    assert (rows.ask[0, 0], rows.ask_size[0, 0]) == (1165708, 1714)
    assert (rows.bid[0, 4], rows.ask[0, 4], rows.ask_size[0, 4]) == (1165568, 1165792, 918)


def test_a_level_that_is_empty_has_size_0_and_one_that_is_cut_off_is_rejected() -> None:
    head = "exchange,symbol,timestamp,local_timestamp," + ",".join(
        f"{side}[{level}].{part}"
        for level in range(2)
        for side in ("asks", "bids")
        for part in ("price", "amount")
    )
    start = f"binance,BTCUSDT,{START_US},{START_US + 1}"
    text = (
        f"{head}\n{start},2.5,1,2,1,,,1.5,4\n"
        f"{start},2.5,1,2,1\n"
        f"{start},2.5,1,2,1,2.5,1,1.5,4\n"
        f"{start},2.5,1,2,1,2.6,,1.5,4\n"
        f"{start},2.5,1,2,1,2.6,1,1.5,4\n"
    )
    found = read(text, SPOT)
    rows = cast("Snapshots", found.columns["depth"])
    assert rows.ask.tolist() == [[25, 0], [25, 26]]
    assert rows.ask_size.tolist() == [[1, 0], [1, 1]]
    assert [(each.reason, each.first_line) for each in found.rejected] == [
        ("the line is cut off", 3),
        ("a level has a price or an amount only", 5),
        ("its levels are not in order", 4),
    ]


def test_an_update_is_the_rows_of_one_message_and_0_deletes() -> None:
    lines = [
        change(0, snapshot=False, side="bid", price="1", amount="1"),
        change(1, snapshot=True, side="bid", price="100.5", amount="1.25"),
        change(1, snapshot=True, side="ask", price="101", amount="2"),
        change(2, snapshot=False, side="bid", price="100.5", amount="0"),
        change(2, snapshot=False, side="bid", price="100", amount="3"),
        change(3, snapshot=False, side="ask", price="101", amount="4"),
        change(4, snapshot=True, side="ask", price="105", amount="1"),
    ]
    found = read(CHANGES_HEADER + "".join(lines), SPOT)
    rows = deltas(found)
    assert rows.action.tolist() == [
        *(Action.CLEAR, Action.ADD, Action.ADD),
        *(Action.DELETE, Action.UPDATE, Action.UPDATE),
        *(Action.CLEAR, Action.ADD),
    ]
    assert np.flatnonzero(rows.flags & Flag.LAST).tolist() == [2, 4, 5, 7]
    assert np.flatnonzero(rows.flags & Flag.SNAPSHOT).tolist() == [0, 1, 2, 6, 7]
    assert rows.price.tolist() == [0, 1005, 1010, 1005, 1000, 1010, 0, 1050]
    assert [(each.count, each.first_line) for each in found.rejected] == [(1, 2)]
    assert "no snapshot" in found.rejected[0].reason
    assert found.gaps == 0


def test_a_bad_row_breaks_the_book_until_the_next_snapshot() -> None:
    lines = [
        change(1, snapshot=True, side="bid", price="100", amount="1"),
        change(2, snapshot=False, side="bid", price="99", amount="1"),
        change(3, snapshot=False, side="bid", price="x", amount="1"),
        change(3, snapshot=False, side="bid", price="97", amount="1"),
        change(4, snapshot=False, side="bid", price="96", amount="1"),
        change(5, snapshot=True, side="bid", price="95", amount="1"),
    ]
    found = read(CHANGES_HEADER + "".join(lines), SPOT)
    rows = deltas(found)
    assert rows.action.tolist() == [
        *(Action.CLEAR, Action.ADD, Action.UPDATE),
        Action.CLEAR,
        *(Action.CLEAR, Action.ADD),
    ]
    assert rows.flags[3] == Flag.LAST, "a break is no snapshot"
    assert (found.gaps, sum(each.count for each in found.rejected)) == (1, 3)


def test_a_line_that_is_no_row_breaks_the_book_too() -> None:
    lines = [
        change(1, snapshot=True, side="bid", price="100", amount="1"),
        change(2, snapshot=False, side="bid", price="99", amount="1"),
        change(3, snapshot=False, side="bid", price="98", amount="1").replace("\n", ",1\n"),
        change(4, snapshot=False, side="bid", price="97", amount="1"),
        change(5, snapshot=True, side="bid", price="95", amount="1"),
    ]
    found = read(CHANGES_HEADER + "".join(lines), SPOT)
    assert deltas(found).price.tolist() == [0, 100, 99, 0, 0, 95]
    assert found.gaps == 1
    last = read(CHANGES_HEADER + "".join(lines[:3]), SPOT)
    assert deltas(last).price.tolist() == [0, 100, 0]
    blank = read(CHANGES_HEADER + lines[0] + "\n" + lines[1], SPOT)
    assert (deltas(blank).price.tolist(), blank.gaps) == ([0, 100, 99], 0)


def test_a_cut_file_loses_its_last_message_whole() -> None:
    text = CHANGES_HEADER + "".join(
        [
            change(1, snapshot=True, side="bid", price="100", amount="1"),
            change(2, snapshot=False, side="bid", price="99", amount="1"),
            change(2, snapshot=False, side="bid", price="98", amount="1.5"),
        ]
    )
    rows = deltas(read(text[:-2], SPOT))
    assert rows.price.tolist() == [0, 100, 0]
    assert rows.action.tolist() == [Action.CLEAR, Action.ADD, Action.CLEAR]


def test_sides_ids_and_clocks_of_trades() -> None:
    lines = [
        f"binance,btcusdt,{START_US},{START_US + 5},9007199254740993,buy,1.50,2",
        f"binance,btcusdt,{START_US},{START_US + 5},,unknown,1.5,2",
        f"binance,btcusdt,{START_US + 9},{START_US + 5},7,sell,1.5,2",
        f"binance,btcusdt,{START_US},{START_US + 5},8,short,1.5,2",
    ]
    found = read(gzip.compress((TRADES_HEADER + "\n".join(lines)).encode()), SPOT, "trades.csv.gz")
    rows = cast("Trades", found.columns["trades"])
    assert rows.aggressor.tolist() == [Aggressor.BUYER, Aggressor.NONE, Aggressor.SELLER]
    assert rows.trade_id.tolist() == [9007199254740993, 0, 7]
    assert rows.ts_init[2] < rows.ts_event[2]
    assert [note.partition(" ")[0] for note in found.notes] == ["1", "1"]
    assert [each.first_line for each in found.rejected] == [5]


def test_a_quote_with_an_empty_side_is_rejected() -> None:
    lines = (
        f"binance,BTCUSDT,{START_US},{START_US},,,1.5,2\nbinance,BTCUSDT,{START_US},{START_US},1,2,1.5,2\n"
    )
    found = read(QUOTES_HEADER + lines, SPOT)
    assert len(found.columns["quotes"]) == 1
    assert [each.reason for each in found.rejected] == ["the ask price is missing or no number"]


@pytest.mark.parametrize(
    ("exchange", "symbol", "instrument"),
    [
        ("binance", "btcusdt", SPOT),
        ("binance-futures", "BTCUSDT", PERPETUAL),
        ("binance-delivery", "BTCUSD_PERP", contract("BTCUSD-PERP.BINANCE", "perpetual", inverse=True)),
        ("bitmex", "XBTUSD", contract("BTCUSD-PERP.BITMEX", "perpetual", quote="USD", inverse=True)),
        ("deribit", "BTC-PERPETUAL", contract("BTCUSD-PERP.DERIBIT", "perpetual", quote="USD", inverse=True)),
        ("okex-swap", "BTC-USDT-SWAP", contract("BTCUSDT-PERP.OKX", "perpetual")),
        ("coinbase", "BTC-USD", contract("BTCUSD.COINBASE", quote="USD")),
        ("gate-io", "BTC_USDT", contract("BTCUSDT.GATEIO")),
        ("kraken", "XBT/USD", contract("BTCUSD.KRAKEN", quote="USD")),
        ("gate-io-futures", "BTC_USDT", contract("BTCUSDT-PERP.GATE-IO", "perpetual")),
        ("binance-futures", "BTCUSDT", contract("BTCUSDT.BINANCE-USDM", "perpetual")),
        ("binance-us", "BTCUSDT", contract("BTCUSDT.BINANCEUS")),
        ("okex", "BTC-USDT", contract("BTC-USDT.OKX")),
        ("bybit-spot", "BTCUSDT", contract("BTCUSDT.BYBIT")),
    ],
)
def test_symbols_are_the_same_however_exchanges_write_them(
    exchange: str, symbol: str, instrument: Instrument
) -> None:
    line = f"{exchange},{symbol},{START_US},{START_US},1,2,1.5,2\n"
    assert len(read(QUOTES_HEADER + line, instrument).columns["quotes"]) == 1


@pytest.mark.parametrize(
    ("exchange", "symbol", "instrument", "said"),
    [
        ("binance", "ETHUSDT", SPOT, "of ETHUSDT at binance, not of BTCUSDT.BINANCE"),
        ("bitmex", "XBTUSD", DERIBIT, "at bitmex"),
        ("binance-us", "BTCUSDT", SPOT, "at binance-us"),
        ("binance-futures", "BTCUSDT", SPOT, "exchange binance-futures tells.*USD-M"),
        ("binance", "BTCUSDT", PERPETUAL, "exchange binance tells.*the spot market"),
        ("bybit", "BTCUSDT", contract("BTCUSDT.BYBIT"), "exchange bybit tells"),
        ("deribit", "BTC-27MAR20", contract("BTC-26JUN20.DERIBIT", "future", quote="USD"), "27MAR20"),
        (
            "binance-delivery",
            "BTCUSD_PERP",
            contract("BTCUSD_240628.BINANCE", "future", quote="USD", inverse=True),
            "of BTCUSD_PERP",
        ),
    ],
)
def test_another_symbol_or_market_is_refused(
    exchange: str, symbol: str, instrument: Instrument, said: str
) -> None:
    line = f"{exchange},{symbol},{START_US},{START_US},1,2,1.5,2\n"
    with pytest.raises(Undecodable, match=said):
        read(QUOTES_HEADER + line, instrument)


def test_of_a_file_of_many_symbols_only_the_own_rows_are_taken() -> None:
    lines = "".join(
        f"binance,{symbol},{START_US},{START_US},1,2,1.5,2\n" for symbol in ("ETHUSDT", "BTCUSDT", "XRPUSDT")
    )
    found = read(QUOTES_HEADER + lines, SPOT)
    assert len(found.columns["quotes"]) == 1
    assert [(each.count, each.first_line) for each in found.rejected] == [(2, 2)]
    assert "another symbol" in found.rejected[0].reason


@pytest.mark.parametrize(
    ("name", "header", "said"),
    [
        (
            "x.csv",
            "exchange,symbol,timestamp,local_timestamp,funding_timestamp,funding_rate\n",
            "derivative_t",
        ),
        ("binance_liquidations_2024-01-01_BTCUSDT.csv.gz", TRADES_HEADER, "liquidations"),
        ("liquidations/2024/01/01/BTCUSDT.csv", TRADES_HEADER, "liquidations"),
        ("x.csv", "exchange,symbol,timestamp,local_timestamp,type,strike_price\n", "options_chain"),
        ("x.csv", QUOTES_HEADER, "no rows"),
        ("x.csv", "", "empty"),
    ],
)
def test_kinds_that_are_not_kept_are_refused(name: str, header: str, said: str) -> None:
    with pytest.raises(Undecodable, match=said):
        read(header, SPOT, name)
    assert "a" not in said or detect(Path("x.csv"), TRADES_HEADER.encode()).name == "tardis"


def test_an_unknown_kind_is_refused() -> None:
    head = "exchange,symbol,timestamp,local_timestamp,mood\n"
    with pytest.raises(Undecodable, match="mood"):
        read(f"{head}binance,BTCUSDT,{START_US},{START_US},good\n", SPOT)


messages = st.lists(
    st.lists(
        st.tuples(st.sampled_from(["bid", "ask"]), st.integers(1, 9), st.integers(0, 3)),
        min_size=1,
        max_size=4,
    ),
    min_size=1,
    max_size=12,
)


@settings(max_examples=40, deadline=None)
@given(messages, st.lists(st.booleans(), min_size=12, max_size=12), st.data())
def test_the_book_is_that_of_a_plain_dict_after_every_message(
    updates: list[list[tuple[str, int, int]]], snapshots: list[bool], data: st.DataObject
) -> None:
    text, books = CHANGES_HEADER, []
    sides: dict[str, dict[int, int]] = {"bid": {}, "ask": {}}
    before = False
    for number, (levels, snapshot) in enumerate(zip(updates, [True, *snapshots[1:]], strict=False)):
        if snapshot and not before:
            sides = {"bid": {}, "ask": {}}
        before = snapshot
        for side, price, amount in levels:
            text += change(number, snapshot=snapshot, side=side, price=f"{price}.50", amount=str(amount))
            sides[side].pop(price, None)
            if amount:
                sides[side][price] = amount
        books.append({side: dict(levels_now) for side, levels_now in sides.items()})
    rows = deltas(read(text, SPOT))
    ends = (np.flatnonzero(rows.flags & Flag.LAST) + 1).tolist()
    assert len(ends) == len(books)
    book, start = Book(), 0
    for end, expected in zip(ends, books, strict=True):
        middle = data.draw(st.integers(start, end))
        book.apply(rows.take(slice(start, middle)))
        book.apply(rows.take(slice(middle, end)))
        start = end
        scale = 10**rows.price_precision
        found = {
            "bid": {(price - scale // 2) // scale: size for price, size in book.bids().tolist()},
            "ask": {(price - scale // 2) // scale: size for price, size in book.asks().tolist()},
        }
        assert found == expected


@pytest.mark.parametrize("name", sorted(RECORDED))
def test_damaged_recordings_are_answered(name: str) -> None:
    data = recording(f"crypto/tardis/{name}").read_bytes()
    whole = len(next(iter(recorded(name).columns.values())))
    for damaged in mutations(data, 60):
        found = survives(decode, crypto_file(damaged, name, RECORDED[name]))
        if found is not None and not found.rejected:
            rows = sum(len(part) for part in found.columns.values())
            assert rows >= min(whole, damaged.count(b"\n") - 1), "a row is missing without a word"


@pytest.mark.parametrize("name", sorted(RECORDED))
def test_recordings_are_imported_and_read_back(tmp_path: Path, name: str) -> None:
    path, instrument = recording(f"crypto/tardis/{name}"), RECORDED[name]
    assert detect(path, path.read_bytes()).name == "tardis"
    store = Store(tmp_path)
    report = import_files([path], instrument.id, store, Only(instrument))
    ((kind, columns),) = recorded(name).columns.items()
    stored = store.read(instrument.id, kind)
    assert (report.formats, report.added) == (["tardis"], len(columns))
    assert in_lists(stored) == in_lists(columns)


def test_quotes_in_pieces_are_stored_as_the_whole_and_changes_are_not_cut(tmp_path: Path) -> None:
    path = tmp_path / "quotes.csv.gz"
    lines = "".join(
        f"binance,BTCUSDT,{START_US + n},{START_US + n},1,{n + 2}.5,{n + 1},2\n" for n in range(200)
    )
    path.write_bytes(gzip.compress((QUOTES_HEADER + lines).encode()))
    pieces, whole = stored_in_pieces_and_whole(path, SPOT, tmp_path)
    rows = in_lists(pieces.read(SPOT.id, "quotes"))
    assert len(rows["bid"]) == 200
    assert rows == in_lists(whole.read(SPOT.id, "quotes"))
    path.write_bytes(
        gzip.compress(
            (
                CHANGES_HEADER
                + "".join(
                    change(n, snapshot=n == 0, side="bid", price=f"{n + 1}", amount="1") for n in range(200)
                )
            ).encode()
        )
    )
    pieces, whole = stored_in_pieces_and_whole(path, SPOT, tmp_path)
    assert len(pieces.read(SPOT.id, "deltas")) == len(whole.read(SPOT.id, "deltas")) == 201


def in_lists(columns: Columns) -> dict[str, list[object]]:
    return {name: array.tolist() for name, array in columns.arrays().items()}
