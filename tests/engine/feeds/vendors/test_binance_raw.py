import gzip
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.columns import Action, Aggressor, Deltas, Flag, Quotes, Trades
from engine.errors import UserError
from engine.feeds.decoded import Decoded, Undecodable
from engine.feeds.importing import import_files
from engine.feeds.vendors.binance_raw import decode
from engine.store import Store
from engine.store.book_check import check_book
from tests.engine.feeds.files import known, recording, source_file
from tests.recordings import recording as real

T0 = 1_723_161_254_000_000_000


def unknown(_sequence: int) -> bool:
    return False


def ticker(u: int, bid: str, ask: str, size: str = "1.50000000") -> dict[str, Any]:
    return {
        "stream": "ethusdt@bookTicker",
        "data": {"u": u, "s": "ETHUSDT", "b": bid, "B": size, "a": ask, "A": size},
    }


def trade(number: int, price: str, *, seller: bool = False) -> dict[str, Any]:
    data = {
        "e": "trade",
        "E": 1723161255612,
        "s": "ETHUSDT",
        "t": number,
        "p": price,
        "q": "0.002",
        "T": 1723161255611,
    }
    return {"stream": "ethusdt@trade", "data": {**data, "m": seller, "M": True}}


def diff(
    first: int, last: int, bids: list[list[str]], asks: list[list[str]], previous: int | None = None
) -> dict[str, Any]:
    data = {
        "e": "depthUpdate",
        "E": 1723161255000 + last,
        "s": "ETHUSDT",
        "U": first,
        "u": last,
        "b": bids,
        "a": asks,
    }
    return {"stream": "ethusdt@depth", "data": data if previous is None else {**data, "pu": previous}}


def snapshot(last: int, bids: list[list[str]], asks: list[list[str]]) -> dict[str, Any]:
    return {"lastUpdateId": last, "bids": bids, "asks": asks}


def read(data: bytes, symbol: str = "ETHUSDT", continues: Callable[[int], bool] = unknown) -> Decoded:
    return decode(source_file(data, instrument=f"{symbol}.BINANCE", book_continues=continues))


def decoded(*messages: Any, symbol: str = "ETHUSDT", continues: Callable[[int], bool] = unknown) -> Decoded:
    return read(recording([(T0 + n, message) for n, message in enumerate(messages)]), symbol, continues)


def deltas(found: Decoded) -> Deltas:
    part = found.columns["deltas"]
    assert isinstance(part, Deltas)
    return part


FUTURES_TRADE = {
    "stream": "ethusdt@trade",
    "data": {"e": "trade", "E": 1723161256560, "T": 1723161256560, "s": "ETHUSDT", "t": 4308068523}
    | {"p": "2681.62", "q": "1.000", "X": "MARKET", "m": True},
}
FUTURES_TICKER = {
    "stream": "ethusdt@bookTicker",
    "data": {"e": "bookTicker", **ticker(7, "1", "2")["data"], "T": 1723161256310, "E": 1723161256311},
}
BIDS, ASKS = [["10.00", "1"], ["9.90", "2"]], [["10.10", "3"]]


@pytest.mark.parametrize(
    ("market", "instrument", "updates"),
    [("spot", "ETHUSDT.BINANCE", 3_433), ("usdm", "ETHUSDT-PERP.BINANCE", 6_582)],
)
def test_the_recorded_book_equals_the_book_ticker_after_every_update(
    tmp_path: Path, market: str, instrument: str, updates: int
) -> None:
    store = Store(tmp_path)
    report = import_files(
        [real(f"crypto/binance_raw/{market}/ethusdt_20240808.gz")], instrument, store, known()
    )
    check = check_book(store, instrument)
    assert report.gaps == report.crossed == 0
    assert report.rejected == []
    assert (check.updates, check.bbo_compared, check.bbo_equal) == (updates, updates, updates)
    assert (check.crossed, check.gaps, check.paired_by) == (0, 0, "update number")


def test_a_recording_without_a_snapshot_continues_the_stored_book(tmp_path: Path) -> None:
    store = Store(tmp_path)
    files = [real(f"crypto/binance_raw/spot/ethusdt_2024080{day}.gz") for day in (8, 9)]
    for file in files:
        import_files([file], "ETHUSDT.BINANCE", store, known())
    again = import_files([files[1]], "ETHUSDT.BINANCE", store, known())
    check = check_book(store, "ETHUSDT.BINANCE")
    assert (check.updates, check.bbo_compared, check.bbo_equal) == (6_469, 6_469, 6_469)
    assert again.added == 0
    assert again.duplicates == again.rows

    other = Store(tmp_path / "together")
    import_files(files, "ETHUSDT.BINANCE", other, known())
    for kind in ("quotes", "trades", "deltas"):
        mine, theirs = store.read("ETHUSDT.BINANCE", kind), other.read("ETHUSDT.BINANCE", kind)
        assert all(np.array_equal(array, theirs.arrays()[name]) for name, array in mine.arrays().items())


def test_a_recording_that_continues_nothing_gives_quotes_and_trades_and_says_so(tmp_path: Path) -> None:
    store = Store(tmp_path)
    report = import_files(
        [real("crypto/binance_raw/spot/btcusdt_20240809.gz")], "BTCUSDT.BINANCE", store, known()
    )
    assert report.kinds == {"quotes": 45_134, "trades": 10_147}
    assert [(each.count, each.first_line) for each in report.rejected] == [(3_044, 1)]
    assert any("import the recording that this one continues" in note for note in report.notes)


def test_messages_become_exact_rows() -> None:
    found = decoded(
        ticker(7, "2683.80000000", "2683.81000000"), trade(5, "2683.8", seller=True), trade(6, "2683.81")
    )
    quotes, trades = found.columns["quotes"], found.columns["trades"]
    assert isinstance(quotes, Quotes)
    assert isinstance(trades, Trades)
    assert (quotes.bid[0], quotes.ask[0], quotes.price_precision) == (268_380, 268_381, 2)
    assert (quotes.bid_size[0], quotes.size_precision, quotes.sequence[0]) == (15, 1, 7)
    assert quotes.ts_event[0] == quotes.ts_init[0] == T0
    assert trades.price.tolist() == [268_380, 268_381]
    assert trades.aggressor.tolist() == [Aggressor.SELLER, Aggressor.BUYER]
    assert trades.trade_id.tolist() == [5, 6]
    assert trades.ts_event[0] == 1_723_161_255_611_000_000


def test_the_diff_that_covers_the_snapshot_may_come_before_it() -> None:
    found = decoded(
        diff(1, 4, [["9.00", "9"]], []),
        diff(5, 8, [["10.00", "5"]], []),
        snapshot(6, BIDS, ASKS),
        diff(9, 9, [], [["10.10", "0"], ["10.20", "4"]]),
    )
    rows = deltas(found)
    assert rows.sequence.tolist() == [6, 6, 6, 6, 8, 9, 9]
    assert rows.action.tolist() == [
        Action.CLEAR,
        Action.ADD,
        Action.ADD,
        Action.ADD,
        Action.UPDATE,
        Action.DELETE,
        Action.UPDATE,
    ]
    assert (rows.flags & Flag.LAST).astype(bool).tolist() == [False, False, False, True, True, False, True]
    assert (rows.flags & Flag.SNAPSHOT).astype(bool).tolist() == [True] * 4 + [False] * 3
    assert (np.diff(rows.ts_init) >= 0).all()
    assert (np.diff(rows.ts_event) >= 0).all()
    assert rows.ts_init[4] == T0 + 2, "no one could apply the diff before the snapshot came"
    assert found.gaps == 0
    assert found.rejected == ()


@pytest.mark.parametrize(
    ("symbol", "messages", "sequences"),
    [
        ("ETHUSDT", (snapshot(6, BIDS, ASKS), diff(5, 6, BIDS, []), diff(7, 9, BIDS, [])), {6, 9}),
        ("ETHUSDT-PERP", (snapshot(6, BIDS, ASKS), diff(4, 6, BIDS, [], 3), diff(8, 9, BIDS, [], 6)), {6, 9}),
        ("ETHUSDT-PERP", (snapshot(6, BIDS, ASKS), diff(2, 5, BIDS, [], 1), diff(6, 9, BIDS, [], 5)), {6, 9}),
    ],
)
def test_spot_and_futures_each_follow_their_own_rule(
    symbol: str, messages: tuple[Any, ...], sequences: set[int]
) -> None:
    found = decoded(*messages, symbol=symbol)
    assert set(deltas(found).sequence.tolist()) == sequences
    assert found.gaps == 0


def test_a_break_in_the_numbers_clears_the_book_until_the_next_snapshot() -> None:
    found = decoded(
        snapshot(6, BIDS, ASKS),
        diff(7, 8, BIDS, []),
        diff(10, 11, BIDS, []),
        diff(12, 13, BIDS, []),
        snapshot(13, BIDS, ASKS),
        diff(14, 15, BIDS, []),
    )
    rows = deltas(found)
    breaks = (rows.action == Action.CLEAR) & (rows.flags == Flag.LAST)
    assert found.gaps == 1
    assert breaks.sum() == 1
    assert rows.sequence[~breaks].tolist() == [6] * 4 + [8] * 2 + [13] * 4 + [15] * 2
    assert found.rejected == ()


def test_what_follows_a_break_without_a_snapshot_is_left_out_and_counted() -> None:
    found = decoded(
        snapshot(6, BIDS, ASKS), diff(7, 8, BIDS, []), diff(10, 11, BIDS, []), diff(12, 13, BIDS, [])
    )
    assert found.gaps == 1
    assert [(each.count, each.first_line) for each in found.rejected] == [(2, 3)]
    assert deltas(found).action[-1] == Action.CLEAR


def test_a_snapshot_too_old_for_the_diffs_is_not_used() -> None:
    found = decoded(diff(20, 21, BIDS, []), snapshot(6, BIDS, ASKS), snapshot(20, BIDS, ASKS))
    assert sorted(set(deltas(found).sequence.tolist())) == [20, 21]


def test_diffs_go_on_where_the_book_before_ended() -> None:
    found = decoded(diff(7, 8, BIDS, []), diff(9, 9, BIDS, []), continues=lambda number: number == 6)
    assert deltas(found).sequence.tolist() == [8, 8, 9, 9]
    assert found.rejected == ()


def test_bad_lines_are_counted_by_reason_with_their_first_line() -> None:
    found = decoded(
        trade(1, "10"),
        '{"stream":"x","data":{"e":"tra',
        {"e": "kline", "s": "ETHUSDT"},
        trade(2, "0.00"),
        {"e": "kline", "s": "ETHUSDT"},
        trade(3, "ten"),
    )
    assert len(found.columns["trades"]) == 1
    assert {(each.reason, each.count, each.first_line) for each in found.rejected} == {
        ("the line is no receive time and whole JSON message", 1, 2),
        ("messages of type kline are not read", 2, 3),
        ("a price or size is not above 0", 2, 4),
    }


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (recording([(T0, trade(1, "10"))])[:-12], "cut off"),
        (recording([(T0, trade(n, "10")) for n in range(500)])[:200], "cut off"),
        (b"\x1f\x8b" + b"\x00" * 30, "damaged"),
        (gzip.compress(b"", mtime=0), "empty"),
        (gzip.compress(b"\n \n", mtime=0), "empty"),
        (recording([(T0, trade(1, "1234567890123456789.1"))]), "18 digits"),
        (recording([(T0, snapshot(6, [["-1", "1"]], ASKS))]), "impossible"),
    ],
)
def test_damaged_recordings_are_refused(data: bytes, said: str) -> None:
    with pytest.raises(Undecodable, match=said):
        read(data, "ETHUSDT")


def test_a_recording_of_another_symbol_is_refused() -> None:
    data = recording([(T0, trade(1, "10"))])
    with pytest.raises(Undecodable, match="holds ETHUSDT, not BTCUSDT"):
        read(data, "BTCUSDT")
    of_futures = recording([(T0, FUTURES_TRADE)])
    assert read(of_futures, "ETHUSDT-PERP").columns.keys() == {"trades"}
    other = {**trade(2, "10"), "data": {**trade(2, "10")["data"], "s": "BTCUSDT"}}
    with pytest.raises(Undecodable, match="several symbols"):
        read(recording([(T0, trade(1, "10")), (T0, other)]), "ETHUSDT")


@pytest.mark.parametrize(
    ("messages", "sign"),
    [
        ([diff(1, 2, BIDS, [])], "the lack of pu in its book updates"),
        ([ticker(7, "1", "2")], "the lack of a time in its book tickers"),
        ([trade(1, "10")], "the field M of its trades"),
        ([trade(1, "10")["data"]], "the field M of its trades"),
        ([diff(1, 2, BIDS, [], 0)], "the field pu of its book updates"),
        ([FUTURES_TICKER], "the time in its book tickers"),
        ([FUTURES_TRADE], "the field X of its trades"),
        ([FUTURES_TRADE, trade(1, "10")], "the field [XM] of its trades"),
    ],
)
def test_messages_of_the_other_market_are_refused(messages: list[dict[str, Any]], sign: str) -> None:
    of_futures = sign.startswith(("the field pu", "the time", "the field X"))
    symbol, other = ("ETHUSDT", "futures") if of_futures else ("ETHUSDT-PERP", "the spot market")
    with pytest.raises(Undecodable, match=rf"^{sign} tells that it is of .*{other}.*--instrument$"):
        decoded(*messages, symbol=symbol)


@pytest.mark.parametrize(
    ("market", "instrument"), [("spot", "ETHUSDT-PERP.BINANCE"), ("usdm", "ETHUSDT.BINANCE")]
)
def test_a_recording_of_the_other_market_is_refused_wherever_it_lies(
    tmp_path: Path, market: str, instrument: str
) -> None:
    path = real(f"crypto/binance_raw/{market}/ethusdt_20240808.gz")
    elsewhere = tmp_path / path.name
    elsewhere.symlink_to(path)
    for file in (path, elsewhere):
        with pytest.raises(UserError, match=r"tells that it is of .*; give the instrument of that market"):
            import_files([file], instrument, Store(tmp_path / "store"), known())
    assert Store(tmp_path / "store").instruments() == []


def test_lines_are_read_bare_and_unzipped_too() -> None:
    data = recording([(T0, trade(1, "10")["data"]), (T0, ticker(7, "1", "2")["data"])], zipped=False)
    assert read(data, "ETHUSDT").columns.keys() == {"quotes", "trades"}


def test_a_clock_that_was_behind_is_said() -> None:
    assert any("clock was behind" in note for note in decoded(trade(1, "10")).notes)
