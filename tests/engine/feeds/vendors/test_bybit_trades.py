import gzip
from pathlib import Path
from typing import cast

import pytest

from engine.columns import Aggressor, Trades
from engine.feeds.decoded import Decoded, Undecodable
from engine.feeds.formats import detect
from engine.feeds.importing import import_files
from engine.feeds.vendors.bybit_trades import decode
from engine.messages.instrument import Instrument
from engine.store import Store
from tests.engine.feeds.mutations import mutations, survives
from tests.engine.feeds.vendors.crypto import Only, contract, crypto_file

PERPETUAL = contract("BTCUSDT-PERP.BYBIT", "perpetual")
SPOT = contract("BTCUSDT.BYBIT")
HEADER = "timestamp,symbol,side,size,price,tickDirection,trdMatchID,grossValue,homeNotional,foreignNotional\n"
TRADES = (
    "1784851200.0547,BTCUSDT,Buy,0.038,65065.80,ZeroPlusTick,d6b9a5ac-3439-5cea-b590-fd245e5b3992,2.4725e+11,0.038,2472.5\n"
    "1784851201,BTCUSDT,Sell,12.500,65065.70,MinusTick,d6b9a5ac-3439-5cea-b590-fd245e5b3993,8.1e+13,12.5,813321.25\n"
)
SPOT_HEADER = "id,timestamp,price,volume,side,rpi\n"
SPOT_TRADES = "1,1747612800074,106453.8,0.003718,sell,0\n2,1747612800150,106456.9,0.000500,buy,0\n"


def read(data: bytes | str, instrument: Instrument = PERPETUAL, name: str = "x.csv") -> Decoded:
    return decode(crypto_file(data, name, instrument))


def trades(found: Decoded) -> Trades:
    return cast("Trades", found.columns["trades"])


def test_trades_of_derivatives() -> None:
    found = read(gzip.compress((HEADER + TRADES).encode()), name="BTCUSDT2026-07-24.csv.gz")
    rows = trades(found)
    assert rows.ts_event.tolist() == [1784851200054700000, 1784851201000000000]
    assert (rows.price.tolist(), rows.price_precision) == ([650658, 650657], 1)
    assert (rows.size.tolist(), rows.size_precision) == ([38, 12500], 3)
    assert rows.aggressor.tolist() == [Aggressor.BUYER, Aggressor.SELLER]
    assert rows.trade_id.tolist() == [0, 0]
    assert "seconds" in found.timestamps
    assert any("without" in note for note in found.notes)


def test_spot_trades_have_row_numbers_that_are_not_kept() -> None:
    for header in (SPOT_HEADER, SPOT_HEADER.replace(",rpi", "")):
        text = SPOT_TRADES if "rpi" in header else SPOT_TRADES.replace(",0\n", "\n")
        found = read(header + text, SPOT, "BTCUSDT_2025-05-19.csv")
        rows = trades(found)
        assert rows.ts_event.tolist() == [1747612800074000000, 1747612800150000000]
        assert (rows.size.tolist(), rows.size_precision) == ([3718, 500], 6)
        assert rows.aggressor.tolist() == [Aggressor.SELLER, Aggressor.BUYER]
        assert rows.trade_id.tolist() == [0, 0]


def test_a_file_with_the_latest_trade_first_is_turned_round() -> None:
    lines = TRADES.splitlines(keepends=True)
    bad = lines[0].replace("65065.80", "0")
    found = read(HEADER + lines[1] + bad + lines[0])
    assert trades(found).price.tolist() == [650658, 650657]
    assert any("turned round" in note for note in found.notes)
    assert [(each.count, each.first_line) for each in found.rejected] == [(1, 3)]


@pytest.mark.parametrize(
    ("text", "instrument", "name", "said"),
    [
        (HEADER + TRADES, SPOT, "x.csv", "of derivatives, tells.*spot market"),
        (SPOT_HEADER + SPOT_TRADES, PERPETUAL, "x.csv", "of spot trades, tells"),
        (HEADER + TRADES.replace("BTCUSDT", "ETHUSDT"), PERPETUAL, "x.csv", "of ETHUSDT, not BTCUSDT-PERP"),
        (SPOT_HEADER + SPOT_TRADES, SPOT, "ETHUSDT_2025-05-19.csv", "of ETHUSDT"),
        (
            HEADER + TRADES.replace("BTCUSDT", "BTCUSD"),
            contract("BTCUSD-PERP.BYBIT", "perpetual", quote="USD"),
            "x.csv",
            "symbol BTCUSD tells.*COIN-M",
        ),
        (HEADER, PERPETUAL, "x.csv", "no rows"),
        (HEADER + TRADES.replace("\n", ",0\n"), PERPETUAL, "x.csv", "as many fields"),
        ("timestamp,price\n1,2\n", PERPETUAL, "x.csv", "header is neither"),
        ("", PERPETUAL, "x.csv", "is empty"),
    ],
    ids=range(9),
)
def test_what_cannot_be_is_one_sentence(text: str, instrument: Instrument, name: str, said: str) -> None:
    with pytest.raises(Undecodable, match=said):
        read(text, instrument, name)


def test_rows_of_another_symbol_and_bad_sides_are_rejected() -> None:
    other, side = TRADES.replace("BTCUSDT", "ETHUSDT"), TRADES.replace("Buy", "Hold")
    found = read(HEADER + TRADES + other + side)
    assert len(trades(found)) == 3
    assert [(each.count, each.first_line) for each in found.rejected] == [(2, 4), (1, 6)]


def test_damaged_archives_are_answered() -> None:
    for data, instrument in ((HEADER + TRADES * 4, PERPETUAL), (SPOT_HEADER + SPOT_TRADES * 4, SPOT)):
        for damaged in mutations(data.encode(), 80):
            survives(decode, crypto_file(damaged, "BTCUSDT_2025-05-19.csv", instrument))
        for damaged in mutations(gzip.compress(data.encode()), 40):
            survives(decode, crypto_file(damaged, "BTCUSDT_2025-05-19.csv.gz", instrument))


@pytest.mark.parametrize(
    ("text", "instrument", "name"),
    [
        (HEADER + TRADES, PERPETUAL, "BTCUSDT2026-07-24.csv.gz"),
        (SPOT_HEADER + SPOT_TRADES, SPOT, "BTCUSDT_2025-05-19.csv.gz"),
    ],
    ids=["derivatives", "spot"],
)
def test_archives_are_imported_and_read_back(
    tmp_path: Path, text: str, instrument: Instrument, name: str
) -> None:
    path = tmp_path / name
    path.write_bytes(gzip.compress(text.encode()))
    assert detect(path, path.read_bytes()).name == "bybit-trades"
    store = Store(tmp_path / "store")
    report = import_files([path], instrument.id, store, Only(instrument))
    stored, decoded = store.read(instrument.id, "trades"), trades(read(path.read_bytes(), instrument, name))
    assert report.added == 2
    assert {k: v.tolist() for k, v in stored.arrays().items()} == {
        k: v.tolist() for k, v in decoded.arrays().items()
    }
