from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path

import pytest

from engine.columns import Aggressor, Columns, Quotes, Trades, VendorBars
from engine.feeds.decoded import Decoded, Undecodable
from engine.feeds.formats import detect
from engine.feeds.importing import import_files
from engine.feeds.vendors.binance_archive import decode
from engine.messages.instrument import Instrument
from engine.store import Store
from engine.store.series import SeriesStore
from tests.engine.feeds.files import zipped
from tests.engine.feeds.mutations import mutations, survives
from tests.engine.feeds.vendors.crypto import (
    INVERSE,
    PERPETUAL,
    SPOT,
    Only,
    contract,
    crypto_file,
    stored_in_pieces_and_whole,
)

SPOT_TRADES = (
    "9223372036854775806,42283.58000000,0.02000000,845.67160000,1704067200000,True,True\n"
    "9223372036854775807,42283.59123456,12.00000000,507403.09481472,1704067200123,False,True\n"
)
UM_TRADES_HEADER = "id,price,qty,quote_qty,time,is_buyer_maker\n"
UM_TRADES = (
    "4412850001,42313.9,0.097,4104.4483,1704067200025,false\n"
    "4412850002,42313.8,1.000,42313.8,1704067200031,true\n"
)
CM_TRADES_HEADER = "id,price,qty,base_qty,time,is_buyer_maker\n"
CM_TRADES = "748371000,42310.1,5,0.01181751,1704067200002,true\n"
SPOT_AGGREGATES = "2849129000,42283.58,0.02,3342200,3342204,1735689600000123,True,True\n"
UM_AGGREGATES = (
    "agg_trade_id,price,quantity,first_trade_id,last_trade_id,transact_time,is_buyer_maker\n"
    "2006230001,42313.9,0.097,4412850001,4412850001,1704067200025,false\n"
)
TICKERS_HEADER = (
    "update_id,best_bid_price,best_bid_qty,best_ask_price,best_ask_qty,transaction_time,event_time\n"
)
TICKERS = (
    "3817812000001,42313.80000000,7.22000000,42313.90000000,11.10000000,1704067200005,1704067200009\n"
    "3817812000002,42313.80000000,7.12000000,42313.90000000,11.10000000,1704067200006,1704067200004\n"
)
DEPTH = (
    "timestamp,percentage,depth,notional\n"
    "2024-01-01 00:00:08,-5,6123.51200000,252000123.45670000\n"
    "2024-01-01 00:00:08,0.20,1.50000000,63480.00000001\n"
)
CANDLES_HEADER = (
    "open_time,open,high,low,close,volume,close_time,quote_volume,count,taker_buy_volume,"
    "taker_buy_quote_volume,ignore\n"
)
CANDLES = (
    "1704067200000,42283.58,42298.62,42261.02,42298.61,35.92724000,1704067259999,1518972.6,1327,23.18766,980394,0\n"
    "1704067260000,42298.62,42320.00,42298.61,42320.00,21.16779000,1704067319999,895580.2,1348,13.67707,578673,0\n"
)
MS = 1_000_000


def read(data: bytes | str, name: str, instrument: Instrument) -> Decoded:
    return decode(crypto_file(data, name, instrument))


def values(columns: Columns, *names: str) -> list[tuple[Decimal, ...]]:
    """Exact decimals of the named columns, row by row."""
    found = []
    for name in names:
        digits = columns.price_precision if name in {"price", "bid", "ask"} else columns.size_precision
        found.append([Decimal(int(each)).scaleb(-digits) for each in getattr(columns, name)])
    return list(zip(*found, strict=True))


def in_any_order(columns: Columns) -> list[tuple[int, ...]]:
    return sorted(zip(*(array.tolist() for array in columns.arrays().values()), strict=True))


def trades(found: Decoded) -> Trades:
    part = found.columns["trades"]
    assert isinstance(part, Trades)
    return part


def test_spot_trades_keep_every_digit_and_number() -> None:
    found = read(SPOT_TRADES, "BTCUSDT-trades-2024-01-01.csv", SPOT)
    rows = trades(found)
    assert values(rows, "price", "size") == [
        (Decimal("42283.58"), Decimal("0.02")),
        (Decimal("42283.59123456"), Decimal(12)),
    ]
    assert rows.trade_id.tolist() == [9223372036854775806, 9223372036854775807]
    assert rows.aggressor.tolist() == [Aggressor.SELLER, Aggressor.BUYER]
    assert rows.ts_event.tolist() == [1704067200000 * MS, 1704067200123 * MS]
    assert rows.ts_init.tolist() == rows.ts_event.tolist()
    assert "milliseconds" in found.timestamps
    assert not found.notes, "folder or not, seven columns are the spot market's"


def test_a_header_a_zip_and_neither_give_the_same() -> None:
    name = "BTCUSDT-trades-2024-01-01"
    bare = trades(read(UM_TRADES, f"{name}.csv", PERPETUAL))
    for data, path in (
        (UM_TRADES_HEADER + UM_TRADES, f"{name}.csv"),
        (zipped({f"{name}.csv": UM_TRADES}), f"{name}.zip"),
        (zipped({f"{name}.csv": UM_TRADES_HEADER + UM_TRADES}), "renamed.zip"),
        (UM_TRADES_HEADER + UM_TRADES, "renamed.csv"),
    ):
        assert in_any_order(trades(read(data, path, PERPETUAL))) == in_any_order(bare)
    assert values(bare, "price", "size") == [
        (Decimal("42313.9"), Decimal("0.097")),
        (Decimal("42313.8"), Decimal(1)),
    ]
    assert bare.aggressor.tolist() == [Aggressor.BUYER, Aggressor.SELLER]


def test_aggregates_are_told_and_microseconds_are_read() -> None:
    found = read(SPOT_AGGREGATES, "BTCUSDT-aggTrades-2025-01-01.csv", SPOT)
    rows = trades(found)
    assert rows.trade_id.tolist() == [2849129000]
    assert rows.ts_event.tolist() == [1735689600000123000]
    assert "microseconds" in found.timestamps
    assert any("aggregate" in note for note in found.notes)
    futures = trades(read(UM_AGGREGATES, "BTCUSDT-aggTrades-2024-01-01.csv", PERPETUAL))
    assert futures.trade_id.tolist() == [2006230001]
    assert futures.ts_event.tolist() == [1704067200025 * MS]


def test_inverse_trades_count_contracts() -> None:
    symbol = "data/futures/cm/daily/trades/BTCUSD_PERP/BTCUSD_PERP-trades-2024-01-01.csv"
    found = read(CM_TRADES_HEADER + CM_TRADES, symbol, INVERSE)
    assert values(trades(found), "price", "size") == [(Decimal("42310.1"), Decimal(5))]
    assert any("contracts" in note for note in found.notes)
    delivery = contract("BTCUSD_240628.BINANCE", "future", quote="USD", inverse=True)
    assert len(trades(read(CM_TRADES, "BTCUSD_240628-trades-2024-01-01.csv", delivery))) == 1


def test_best_quotes_keep_their_update_number_and_are_never_known_before_they_happen() -> None:
    found = read(TICKERS_HEADER + TICKERS, "BTCUSDT-bookTicker-2024-01-01.csv", PERPETUAL)
    rows = found.columns["quotes"]
    assert isinstance(rows, Quotes)
    assert rows.sequence.tolist() == [3817812000001, 3817812000002]
    assert rows.ts_event.tolist() == [1704067200005 * MS, 1704067200006 * MS]
    assert rows.ts_init.tolist() == [1704067200009 * MS, 1704067200006 * MS]
    assert values(rows, "bid", "ask", "bid_size", "ask_size")[0] == (
        Decimal("42313.8"),
        Decimal("42313.9"),
        Decimal("7.22"),
        Decimal("11.1"),
    )


def test_depth_by_distance_is_a_series_and_no_book() -> None:
    found = read(DEPTH, "BTCUSDT-bookDepth-2024-01-01.csv", PERPETUAL)
    assert not found.columns
    (name,) = found.series
    assert name == "BTCUSDT-PERP.BINANCE.book_depth"
    rows = found.series[name].to_pylist()
    assert rows[0] == {
        "ts_event": 1704067208000 * MS,
        "ts_init": 1704067208000 * MS,
        "percentage": Decimal(-5),
        "depth": Decimal("6123.512"),
        "notional": Decimal("252000123.4567"),
    }
    assert (rows[1]["percentage"], rows[1]["notional"]) == (Decimal("0.2"), Decimal("63480.00000001"))


@pytest.mark.parametrize("name", ["BTCUSDT-1m-2024-01-01.csv", "BTCUSDT-1m-2024-01.zip", "renamed.csv"])
def test_candles_are_bars_that_are_known_when_they_end(name: str) -> None:
    text = CANDLES_HEADER + CANDLES
    data = zipped({"BTCUSDT-1m-2024-01.csv": text}) if name.endswith(".zip") else text
    found = read(data, name, SPOT)
    bars = found.columns["bars-1-MINUTE-LAST"]
    assert isinstance(bars, VendorBars)
    assert bars.ts_event.tolist() == [1704067200000 * MS, 1704067260000 * MS]
    assert bars.ts_init.tolist() == [1704067260000 * MS, 1704067320000 * MS]
    assert bars.close.tolist() == [4229861, 4232000]
    assert values(bars, "volume") == [(Decimal("35.92724"),), (Decimal("21.16779"),)]
    assert any("quote volume" in note for note in found.notes)


@pytest.mark.parametrize(
    ("interval", "kind", "length_s"),
    [
        ("1s", "bars-1-SECOND-LAST", 1),
        ("15m", "bars-15-MINUTE-LAST", 900),
        ("12h", "bars-12-HOUR-LAST", 43_200),
        ("1d", "bars-1-DAY-LAST", 86_400),
    ],
)
def test_the_length_of_candles_is_the_interval_of_the_name(interval: str, kind: str, length_s: int) -> None:
    close = (1735689600 + length_s) * 1_000_000 - 1
    text = f"1735689600000000,1,2,0.5,1.5,3,{close},1,1,1,1,0\n"
    bars = read(text, f"BTCUSDT-{interval}-2025-01-01.csv", SPOT).columns[kind]
    assert bars.ts_init.tolist() == [(1735689600 + length_s) * 1_000_000_000]


def test_candles_of_another_length_than_the_name_says_are_rejected() -> None:
    for interval in ("1s", "5m"):
        found = read(CANDLES, f"BTCUSDT-{interval}-2024-01-01.csv", SPOT)
        assert not found.columns
        assert [each.count for each in found.rejected] == [2]


@pytest.mark.parametrize(
    ("interval", "said"),
    [
        ("3d", "of 259,200 seconds"),
        ("1w", "of 604,800 s"),
        ("1mo", "months.*1d archives"),
        ("7m", "of 420 s"),
    ],
)
def test_candles_of_a_length_that_the_station_has_not_are_refused(interval: str, said: str) -> None:
    with pytest.raises(Undecodable, match=said):
        read(CANDLES, f"BTCUSDT-{interval}-2024-01-01.csv", SPOT)


@pytest.mark.parametrize(
    ("path", "text", "instrument", "said"),
    [
        ("BTCUSDT-trades-2024-01-01.csv", SPOT_TRADES, PERPETUAL, r"layout of 7 columns.*spot market.*PERP"),
        ("BTCUSDT-trades-2024-01-01.csv", UM_TRADES, SPOT, r"layout of 6 columns.*USD-M"),
        ("BTCUSD_PERP-trades-2024-01-01.csv", CM_TRADES, contract("BTCUSD-PERP.X", "perpetual"), "COIN-M"),
        ("spot/BTCUSDT-1m-2024-01-01.csv", CANDLES, PERPETUAL, "folder spot"),
        ("futures/um/BTCUSDT-1m-2024-01-01.csv", CANDLES, SPOT, "folder um"),
        ("futures/cm/BTCUSDT-1m-2024-01-01.csv", CANDLES, PERPETUAL, "folder cm"),
        ("ETHUSDT-trades-2024-01-01.csv", SPOT_TRADES, SPOT, "says ETHUSDT, not BTCUSDT"),
        ("um/markPriceKlines/BTCUSDT-1m-2024-01-01.csv", CANDLES, PERPETUAL, "no bars of trades"),
        ("BTCUSDT-metrics-2024-01-01.csv", "a,b\n", PERPETUAL, "metrics, which the station does not keep"),
        ("BTCUSDT-trades-2024-01-01.csv", "1,2,3\n", SPOT, "3 columns.*7 or 6"),
        ("renamed.csv", SPOT_TRADES, SPOT, "keep the name"),
        ("BTCUSDT-trades-2024-01-01.csv", "", SPOT, "is empty"),
        ("BTCUSDT-trades-2024-01-01.csv", UM_TRADES_HEADER, PERPETUAL, "no rows"),
        ("BTCUSDT-trades-2024-01-01.csv", "1,2,3,4,17040672000,True,True\n", SPOT, "no unit"),
        ("BTCUSDT-trades-2024-01-01.csv", "1,2,3,4,170406720000", SPOT, "cut off"),
        (
            "BTCUSDT-trades-2024-01-01.csv",
            CM_TRADES_HEADER.replace("price", "cost") + CM_TRADES,
            INVERSE,
            "says BTCUSDT, not BTCUSD-PERP",
        ),
        (
            "BTCUSD_PERP-trades-2024-01-01.csv",
            CM_TRADES_HEADER.replace("price", "cost") + CM_TRADES,
            INVERSE,
            "which has price",
        ),
    ],
)
def test_what_cannot_be_is_one_sentence(path: str, text: str, instrument: Instrument, said: str) -> None:
    with pytest.raises(Undecodable, match=said):
        read(text, path, instrument)


def test_a_table_of_another_shape_is_no_archive_whatever_its_name() -> None:
    ours = Path("BTCUSDT-1m-2024-01-01.csv")
    assert detect(ours, CANDLES.encode()).name == "binance-archive"
    assert detect(ours, b"time,bid,ask\n1704067200,1,2\n").name != "binance-archive"


def test_a_market_that_nothing_tells_is_said() -> None:
    found = read(CANDLES, "BTCUSDT-1m-2024-01-01.csv", PERPETUAL)
    assert any("does not tell its market" in note for note in found.notes)
    assert not any(
        "its market" in note
        for note in read(CANDLES, "data/futures/um/daily/BTCUSDT-1m-2024-01-01.csv", PERPETUAL).notes
    )


def test_bad_rows_are_rejected_with_their_line() -> None:
    lines = [
        "1,42283.58,0.02,845.6,1704067200000,True,True",
        "x,42283.58,0.02,845.6,1704067200000,True,True",
        "3,nan,0.02,845.6,1704067200000,True,True",
        "4,42283.58,0,845.6,1704067200000,True,True",
        "5,42283.58,0.02,845.6,1704067200,True,True",
        "6,42283.58,0.02,845.6,1704067200000,maybe,True",
        "7,42283.58,0.02,845.6",
        "8,42283.58,0.02,845.6,1704067200000,False,True",
        "9,42283.58,0.02,845.6,17040672",
    ]
    found = read("\n".join(lines), "BTCUSDT-trades-2024-01-01.csv", SPOT)
    assert trades(found).trade_id.tolist() == [1, 8]
    assert sorted((each.first_line, each.count) for each in found.rejected) == [
        (2, 1),
        (3, 1),
        (4, 1),
        (5, 2),
        (6, 1),
        (9, 1),
    ]


def test_one_file_has_one_unit_of_time() -> None:
    mixed = SPOT_TRADES + SPOT_TRADES.replace("17040672000", "17040672000000").replace(
        "00123,F", "00123000,F"
    )
    found = read(mixed, "BTCUSDT-trades-2024-01-01.csv", SPOT)
    assert len(trades(found)) == 2
    assert sum(each.count for each in found.rejected) == 2


def test_a_file_that_ends_in_the_middle_of_a_number_loses_that_line_and_says_so() -> None:
    whole = TICKERS_HEADER + TICKERS
    for cut in range(len(whole) - 60, len(whole)):
        try:
            found = read(whole[:cut], "BTCUSDT-bookTicker-2024-01-01.csv", PERPETUAL)
        except Undecodable:
            continue
        assert len(found.columns["quotes"]) == 1
        assert any("middle of the line" in each.reason for each in found.rejected)


@pytest.mark.parametrize(
    ("name", "text", "instrument"),
    [
        ("BTCUSDT-trades-2024-01-01.csv", SPOT_TRADES * 5, SPOT),
        ("BTCUSDT-aggTrades-2024-01-01.csv", UM_AGGREGATES, PERPETUAL),
        ("BTCUSDT-bookTicker-2024-01-01.csv", TICKERS_HEADER + TICKERS * 5, PERPETUAL),
        ("BTCUSDT-bookDepth-2024-01-01.csv", DEPTH, PERPETUAL),
        ("BTCUSDT-1m-2024-01-01.csv", CANDLES, SPOT),
        ("renamed.csv", CANDLES_HEADER + CANDLES, SPOT),
    ],
    ids=lambda value: value if isinstance(value, str) and len(value) < 40 else "",
)
def test_damaged_archives_are_answered(name: str, text: str, instrument: Instrument) -> None:
    for data in mutations(text.encode(), 80):
        survives(decode, crypto_file(data, name, instrument))
    for data in mutations(zipped({name: text}), 20):
        survives(decode, crypto_file(data, name.replace(".csv", ".zip"), instrument))


@pytest.mark.parametrize(
    ("name", "text", "instrument", "kinds"),
    [
        ("BTCUSDT-trades-2024-01-01", SPOT_TRADES, SPOT, ["trades"]),
        ("BTCUSDT-aggTrades-2024-01-01", UM_AGGREGATES, PERPETUAL, ["trades"]),
        ("BTCUSDT-bookTicker-2024-01-01", TICKERS, PERPETUAL, ["quotes"]),
        ("BTCUSDT-1m-2024-01-01", CANDLES, SPOT, ["bars-1-MINUTE-LAST"]),
    ],
    ids=lambda value: value if isinstance(value, str) and len(value) < 40 else "",
)
def test_archives_are_imported_and_read_back(
    tmp_path: Path, name: str, text: str, instrument: Instrument, kinds: Sequence[str]
) -> None:
    path = tmp_path / f"{name}.zip"
    path.write_bytes(zipped({f"{name}.csv": text}))
    assert detect(path, path.read_bytes()).name == "binance-archive"
    store = Store(tmp_path / "store")
    report = import_files([path], instrument.id, store, Only(instrument))
    decoded = decode(crypto_file(path.read_bytes(), path.name, instrument)).columns
    assert list(decoded) == kinds
    assert report.added == sum(len(each) for each in decoded.values())
    for kind, columns in decoded.items():
        stored = store.read(instrument.id, kind)
        assert in_any_order(stored) == in_any_order(columns)
        assert stored.price_precision == columns.price_precision


def test_depth_of_several_days_is_one_series(tmp_path: Path) -> None:
    texts = [DEPTH, DEPTH.replace("2024-01-01", "2024-01-02").replace("6123.51200000", "7")]
    for day, text in enumerate(texts, 1):
        name = f"BTCUSDT-bookDepth-2024-01-0{day}"
        (tmp_path / f"{name}.zip").write_bytes(zipped({f"{name}.csv": text}))
    store = Store(tmp_path / "store")
    for path in sorted(tmp_path.glob("*.zip")):
        import_files([path], PERPETUAL.id, store, Only(PERPETUAL))
    rows = SeriesStore(store.root).read("BTCUSDT-PERP.BINANCE.book_depth").to_pylist()
    assert [row["depth"] for row in rows] == [Decimal(each) for each in ("6123.512", "1.5", "7", "1.5")]
    assert [row["percentage"] for row in rows] == [Decimal(-5), Decimal("0.2")] * 2


@pytest.mark.parametrize(
    ("name", "header", "line", "instrument", "kind"),
    [
        ("BTCUSDT-trades-2024-01-01", "", SPOT_TRADES, SPOT, "trades"),
        ("BTCUSDT-trades-2024-01-01", UM_TRADES_HEADER, UM_TRADES, PERPETUAL, "trades"),
        ("BTCUSDT-bookTicker-2024-01-01", TICKERS_HEADER, TICKERS, PERPETUAL, "quotes"),
    ],
    ids=["spot", "futures", "tickers"],
)
def test_archives_in_pieces_are_stored_as_the_whole(
    tmp_path: Path, name: str, header: str, line: str, instrument: Instrument, kind: str
) -> None:
    path = tmp_path / f"{name}.zip"
    text = "".join(line.replace("17040672", str(17040672 + n)) for n in range(60))
    path.write_bytes(zipped({f"{name}.csv": header + text}))
    rows = [
        store.read(instrument.id, kind) for store in stored_in_pieces_and_whole(path, instrument, tmp_path)
    ]
    assert len(rows[0]) == 120
    assert in_any_order(rows[0]) == in_any_order(rows[1])


@pytest.mark.parametrize("first", ["trades", "aggTrades"])
def test_single_trades_beside_aggregates_are_told_for_their_volume_is_stored_twice(
    tmp_path: Path, first: str
) -> None:
    singles = "".join(f"{n},42313.9,0.1,4231.39,17040672000{n},false\n" for n in range(25, 35))
    aggregates = "".join(f"{n},42313.9,0.2,{2 * n},{2 * n + 1},17040672000{n},false\n" for n in (26, 29, 32))
    files = {
        "trades": UM_TRADES_HEADER + singles,
        "aggTrades": UM_AGGREGATES.splitlines(keepends=True)[0] + aggregates,
    }
    paths = {kind: tmp_path / f"BTCUSDT-{kind}-2024-01-01.csv" for kind in files}
    for kind, path in paths.items():
        path.write_text(files[kind])
    second = next(kind for kind in files if kind != first)
    store = Store(tmp_path / "store")

    reports = [
        import_files([paths[kind]], PERPETUAL.id, store, Only(PERPETUAL)) for kind in (first, second, second)
    ]

    told = [[note for note in report.notes if "stored twice" in note] for report in reports]
    assert [len(notes) for notes in told] == [0, 1, 0]
    assert told[1][0].startswith(f"{reports[1].rows} new trades lie among stored ones")
