import gzip
import io
import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Literal

import polars as pl
import pytest

from engine.columns import Aggressor, Trades, VendorBars
from engine.feeds.decoded import Decoded, Undecodable
from engine.feeds.formats import SourceFile, detect
from engine.feeds.vendors.freqtrade import decode
from engine.messages.instrument import Instrument
from tests.engine.feeds.mutations import mutations, survives

START_MS = int(datetime(2024, 1, 1, tzinfo=UTC).timestamp()) * 1_000
FIVE_MINUTES_MS = 300_000
CANDLES = [
    [START_MS, 0.00162008, 0.00163, 0.0016, 0.00161, 108.14853839],
    [START_MS + FIVE_MINUTES_MS, 0.00161, 0.00161, 0.00161, 0.00161, 0.0],
]
TRADES = [
    [START_MS, "13519807", None, "sell", 0.00141342, 23.0, 0.03250866],
    [START_MS, "13519808", None, "buy", 0.00141266, 54.5, 0.07698997],
]
TRADE_NAMES = ("timestamp", "id", "type", "side", "price", "amount", "cost")


def source(
    data: object, name: str = "ETH_BTC-5m.json", kind: Literal["spot", "perpetual"] = "spot"
) -> SourceFile:
    instrument = Instrument(
        id=f"ETHBTC{'-PERP' if kind == 'perpetual' else ''}.BINANCE",
        kind=kind,
        base="ETH",
        quote="BTC",
        price_precision=5,
        size_precision=3,
        tick_size=Decimal("0.00001"),
        lot_size=Decimal("0.001"),
    )
    raw = data if isinstance(data, bytes) else json.dumps(data).encode()
    return SourceFile(path=Path(name), data=raw, instrument=instrument)


def bars(found: Decoded, kind: str = "bars-5-MINUTE-LAST") -> VendorBars:
    part = found.columns[kind]
    assert isinstance(part, VendorBars)
    return part


def trades(found: Decoded) -> Trades:
    part = found.columns["trades"]
    assert isinstance(part, Trades)
    return part


def feather(frame: pl.DataFrame) -> bytes:
    out = io.BytesIO()
    frame.write_ipc(out, compression="lz4")
    return out.getvalue()


def parquet(frame: pl.DataFrame) -> bytes:
    out = io.BytesIO()
    frame.write_parquet(out)
    return out.getvalue()


def candle_frame() -> pl.DataFrame:
    names = ("date", "open", "high", "low", "close", "volume")
    frame = pl.DataFrame(CANDLES, schema=names, orient="row")
    return frame.with_columns(pl.from_epoch("date", "ms").dt.replace_time_zone("UTC"))


def trade_frame() -> pl.DataFrame:
    return pl.DataFrame(TRADES, schema=TRADE_NAMES, orient="row", strict=False)


def test_the_noise_of_doubles_in_json_is_no_decimals() -> None:
    noisy = [CANDLES[0], [START_MS + FIVE_MINUTES_MS, 0.1 + 0.2, 1.1 * 3, 1e-05, 0.30000000000000004, 0.7]]
    found = decode(source(noisy))
    rows = bars(found)
    assert rows.price_precision == 8
    assert rows.open.tolist() == [162_008, 30_000_000]
    assert (rows.high[1], rows.low[1], rows.close[1]) == (330_000_000, 1_000, 30_000_000)
    assert [note for note in found.notes if "15 significant digits" in note]
    assert not [note for note in decode(source(CANDLES)).notes if "digits" in note]
    dealt = trades(decode(source([[*TRADES[0][:4], 0.1 + 0.2, 1.1 * 3, 1.0]], "ETH_BTC-trades.json")))
    assert (dealt.price.tolist(), dealt.price_precision) == ([3], 1)
    assert (dealt.size.tolist(), dealt.trade_id.tolist()) == ([33], [13_519_807])


def test_candles_are_bars_of_the_length_in_their_name() -> None:
    rows = bars(decode(source(CANDLES)))
    assert (rows.ts_event // 10**6).tolist() == [START_MS, START_MS + FIVE_MINUTES_MS]
    assert ((rows.ts_init - rows.ts_event) // 10**6).tolist() == [FIVE_MINUTES_MS] * 2
    assert (rows.open.tolist(), rows.price_precision) == ([162_008, 161_000], 8)
    assert (rows.high.tolist(), rows.low.tolist()) == ([163_000, 161_000], [160_000, 161_000])
    assert (rows.volume.tolist(), rows.size_precision) == ([10_814_853_839, 0], 8)


@pytest.mark.parametrize("form", ["json.gz", "feather", "parquet"])
def test_every_form_of_a_file_gives_the_same_candles(form: str) -> None:
    data = {
        "json.gz": gzip.compress(json.dumps(CANDLES).encode()),
        "feather": feather(candle_frame()),
        "parquet": parquet(candle_frame()),
    }[form]
    name = f"ETH_BTC-5m.{form}"
    plain, other = bars(decode(source(CANDLES))), bars(decode(source(data, name)))
    assert detect(Path(name), data).name == "freqtrade"
    assert (other.price_precision, other.size_precision) == (8, 8)
    for key, array in plain.arrays().items():
        assert array.tolist() == getattr(other, key).tolist(), key


def test_rounding_errors_of_doubles_are_no_digits() -> None:
    frame = candle_frame().with_columns(
        open=pl.Series([0.09946999000000001, 0.1]), high=1.0, low=0.05, close=0.09679829999999999
    )
    found = decode(source(feather(frame), "ETH_BTC-5m.feather"))
    assert (bars(found).open.tolist(), bars(found).price_precision) == ([9_946_999, 10_000_000], 8)
    assert bars(found).close.tolist() == [9_679_830] * 2
    assert any("15 significant digits" in note for note in found.notes)


@pytest.mark.parametrize("form", ["json", "json.gz", "feather", "parquet", "old"])
def test_trades_keep_side_and_number(form: str) -> None:
    data = {
        "json": json.dumps(TRADES).encode(),
        "json.gz": gzip.compress(json.dumps(TRADES).encode()),
        "feather": feather(trade_frame()),
        "parquet": parquet(trade_frame()),
        "old": json.dumps([dict(zip(TRADE_NAMES, row, strict=True)) for row in TRADES]).encode(),
    }[form]
    rows = trades(decode(source(data, f"ETH_BTC-trades.{'json' if form == 'old' else form}")))
    assert (rows.ts_event // 10**6).tolist() == [START_MS] * 2
    assert (rows.price.tolist(), rows.price_precision) == ([141_342, 141_266], 8)
    assert (rows.size.tolist(), rows.size_precision) == ([230, 545], 1)
    assert rows.aggressor.tolist() == [Aggressor.SELLER, Aggressor.BUYER]
    assert rows.trade_id.tolist() == [13_519_807, 13_519_808]


def test_ids_that_are_no_numbers_are_left_out_and_told() -> None:
    found = decode(source([[*TRADES[0][:1], "a-1", *TRADES[0][2:]]], "ETH_BTC-trades.json"))
    assert trades(found).trade_id.tolist() == [0]
    assert any("ids are no numbers" in note for note in found.notes)


def test_rows_that_cannot_be_taken_are_told() -> None:
    bad = [[START_MS + 1, 1, 1, 1, 1, 1], [START_MS, 1, 1, 2, 1, 1], [None, 1, 1, 1, 1, 1], [START_MS, 1]]
    found = decode(source([*CANDLES, *bad]))
    assert len(bars(found)) == 2
    assert {(each.reason, each.count, each.first_line) for each in found.rejected} == {
        ("the time is missing, malformed or outside 1980 to 2199", 2, 5),
        ("the time lies between two bars", 1, 3),
        ("the high is below the low", 1, 4),
    }


@pytest.mark.parametrize(
    ("name", "kind", "said"),
    [
        ("x.json", "spot", "keep that name"),
        ("LTC_BTC-5m.json", "spot", "says LTCBTC, not ETHBTC"),
        ("ETH_BTC_BTC-5m-futures.json", "spot", "ETHBTC.BINANCE is of the spot market"),
        ("ETH_BTC-5m.json", "perpetual", "ETHBTC-PERP.BINANCE is of linear futures"),
        ("ETH_BTC_BTC-1h-mark.json", "perpetual", "mark candles"),
        ("ETH_BTC_BTC-8h-funding_rate.json", "perpetual", "funding rate candles"),
        ("ETH_BTC-1w.json", "spot", "604,800 seconds"),
        ("ETH_BTC-1M.json", "spot", "2,592,000 seconds"),
    ],
)
def test_other_files_are_refused(name: str, kind: Literal["spot", "perpetual"], said: str) -> None:
    with pytest.raises(Undecodable, match=said):
        decode(source(CANDLES, name, kind))


def test_a_perpetuals_candles_are_its_own() -> None:
    assert len(bars(decode(source(CANDLES, "ETH_BTC_BTC-5m-futures.json", "perpetual")))) == 2


def test_a_file_without_rows_is_no_error() -> None:
    assert decode(source([])).columns == {}


def test_damaged_files_are_refused_or_told() -> None:
    for damaged in mutations(json.dumps(CANDLES * 5).encode(), 150):
        survives(decode, source(damaged))
    for damaged in mutations(json.dumps(TRADES * 5).encode(), 150):
        survives(decode, source(damaged, "ETH_BTC-trades.json"))
    for damaged in mutations(feather(candle_frame()), 200):
        survives(decode, source(damaged, "ETH_BTC-5m.feather"))
    for damaged in mutations(parquet(trade_frame()), 200):
        survives(decode, source(damaged, "ETH_BTC-trades.parquet"))
