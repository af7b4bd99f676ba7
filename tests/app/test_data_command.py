import csv
import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from app.__main__ import main
from engine.feeds.simulated import PROFILES, simulate
from engine.store import Store
from tests.engine.feeds.files import bi5, hour
from tests.engine.store.rows import EURUSD, NOON_NS, bars
from tests.recordings import recording

TICKS = [(n * 1_000, 114_545 + n % 3, 114_543 + n % 2, 1.5, 2.25) for n in range(130)]


@pytest.fixture
def store(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    path = hour(tmp_path, bi5(TICKS))
    assert (
        main(["import", str(path), "--instrument", "EURUSD.DUKASCOPY", "--store", str(tmp_path / "store")])
        == 0
    )
    market = simulate(PROFILES["crypto"], seed=5, start_ns=NOON_NS, seconds=5)
    Store(tmp_path / "store").add(
        market.instrument, {"quotes": market.quotes, "trades": market.trades, "deltas": market.deltas}
    )
    capsys.readouterr()
    return tmp_path / "store"


def asked(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    assert main(["data", *arguments, "--json", "-"]) == 0
    answer: dict[str, Any] = json.loads(capsys.readouterr().out)
    return answer


def test_list_names_what_is_stored(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    listed = asked(capsys, "list", "--store", str(store))["instruments"]
    assert {"instrument": "EURUSD.DUKASCOPY", "quotes": 130, "trades": 0, "deltas": 0, "depth": 0} in listed
    assert len(listed) == 2


def test_list_has_a_column_for_each_kind_of_bars(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Store(store).add(EURUSD, {"bars-1-MINUTE-LAST": bars([1, 2], [7, 8])})
    assert main(["data", "list", "--store", str(store)]) == 0
    header, *lines = (line.split() for line in capsys.readouterr().out.splitlines())
    assert header == ["instrument", "quotes", "trades", "deltas", "depth", "bars-1-MINUTE-LAST"]
    rows = {name: counts for name, *counts in lines}
    assert rows["EURUSD.SIM"] == ["0", "0", "0", "0", "2"]
    assert rows["EURUSD.DUKASCOPY"] == ["130", "0", "0", "0", "–"]


def test_a_store_that_is_none_is_told_from_an_empty_one(
    tmp_path: Path, own_home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["data", "list"]) == 0
    assert f"Nothing is stored in {own_home}" in capsys.readouterr().out
    (tmp_path / "file").touch()
    for place, words in (("nothing", "There is no folder"), ("file", "is a file, not a tick store")):
        assert main(["data", "list", "--store", str(tmp_path / place)]) == 2
        (line,) = capsys.readouterr().err.splitlines()
        assert words in line


@pytest.mark.parametrize("damage", ["foreign", "cut off", "instrument.json"])
def test_one_damaged_file_is_named_and_hides_no_other_instrument(
    store: Path, damage: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = store / "EURUSD.DUKASCOPY/quotes/2019-02-04.parquet"
    if damage == "foreign":
        pl.DataFrame({"ts_event": [1.5], "close": [2.5]}).write_parquet(path)
    elif damage == "cut off":
        path.write_bytes(path.read_bytes()[:-20])
    else:
        path = store / "EURUSD.DUKASCOPY/instrument.json"
        path.write_text("{")
    assert main(["data", "list", "--store", str(store)]) == 2
    lines = capsys.readouterr().out.splitlines()
    assert lines[1].startswith("BTCUSDT.SIM ")
    assert lines[2].startswith("EURUSD.DUKASCOPY: ")
    assert str(path) in lines[2]
    assert main(["data", "list", "--store", str(store), "--json", "-"]) == 2
    answer = json.loads(capsys.readouterr().out)
    assert [each["instrument"] for each in answer["instruments"]] == ["BTCUSDT.SIM"]
    assert [each["instrument"] for each in answer["damaged"]] == ["EURUSD.DUKASCOPY"]
    assert main(["backtest", "--instrument", "EURUSD.DUKASCOPY", "--store", str(store)]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert str(path) in line


def test_info_is_the_documented_json(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    info = asked(capsys, "info", "EURUSD.DUKASCOPY", "--store", str(store))
    assert info["instrument"]["price_precision"] == 5
    assert info["instrument"]["tick_size"] == "0.00001"
    assert info["quotes"] == {
        "rows": 130,
        "first_ts_ns": 1549238400 * 10**9,
        "last_ts_ns": 1549238529 * 10**9,
    }
    assert info["trades"] == {"rows": 0, "first_ts_ns": None, "last_ts_ns": None, "volume": "0"}
    assert info["deltas"]["rows"] == info["depth"]["rows"] == 0
    assert main(["data", "info", "EURUSD.DUKASCOPY", "--store", str(store)]) == 0
    assert "EUR priced in USD" in capsys.readouterr().out


def test_json_may_be_asked_for_before_the_question_too(
    store: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["data", "--json", "-", "list", "--store", str(store)]) == 0
    assert len(json.loads(capsys.readouterr().out)["instruments"]) == 2


def test_bars_are_written_exactly(store: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "bars.csv"
    answer = asked(
        capsys,
        "bars",
        "EURUSD.DUKASCOPY",
        "--spec",
        "1-MINUTE-BID",
        "--csv",
        str(path),
        "--store",
        str(store),
    )
    assert answer["bars"] == 3
    assert path.read_text().splitlines() == [
        "ts_open_ns,open,high,low,close,volume",
        "1549238400000000000,1.14543,1.14544,1.14543,1.14544,135000000",
        "1549238460000000000,1.14543,1.14544,1.14543,1.14544,135000000",
        "1549238520000000000,1.14543,1.14544,1.14543,1.14544,22500000",
    ]


def test_bars_tell_their_clock_and_write_no_digit_too_many(
    store: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "bars.csv"
    where = ["--csv", str(path), "--store", str(store)]
    assert main(["data", "bars", "EURUSD.DUKASCOPY", "--spec", "50-TICK-MID", *where]) == 0
    out = capsys.readouterr().out
    assert "the venue's (ts_event, UTC)" in out
    assert "not full is left out" in out
    rows = list(csv.DictReader(path.read_text().splitlines()))
    assert [row["volume"] for row in rows] == ["93750000", "93750000"]
    assert rows[0]["open"] == "1.145440"


def test_bars_of_the_recorded_day_are_1440_and_end_like_its_ticks(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, path = recording("fx/dukascopy/EURUSD/2019/01/04"), tmp_path / "bars.csv"
    common = ["--store", str(tmp_path / "store")]
    assert main(["import", str(folder), "--instrument", "EURUSD.DUKASCOPY", *common]) == 0
    assert (
        main(["data", "bars", "EURUSD.DUKASCOPY", "--spec", "1-MINUTE-BID", "--csv", str(path), *common]) == 0
    )
    rows = list(csv.DictReader(path.read_text().splitlines()))
    assert len(rows) == 1440
    assert rows[-1]["close"] == "1.14349"
    assert max(row["high"] for row in rows) == "1.14603"
    assert min(row["low"] for row in rows) == "1.14244"


def test_book_check_is_the_documented_json(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (name,) = [each for each in Store(store).instruments() if each != "EURUSD.DUKASCOPY"]
    check = asked(capsys, "book-check", name, "--store", str(store))
    assert check["bbo_compared"] == check["bbo_equal"] == check["updates"] > 0
    assert check["crossed"] == check["gaps"] == 0
    assert len(check["final_bid"]) == len(check["final_ask"]) == 2


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["info", "EURUSD.DUKASKOPY"], "choose EURUSD.DUKASCOPY"),
        (["bars", "EURUSD.DUKASCOPY", "--spec", "1-MINUT-BID", "--csv", "x.csv"], "MINUTE"),
        (["bars", "EURUSD.DUKASCOPY", "--spec", "1-MINUTE-LAST", "--csv", "x.csv"], "No trades"),
        (
            ["bars", "EURUSD.DUKASCOPY", "--spec", "1-MINUTE-BID", "--csv", "/no/such/folder/x.csv"],
            "could not be written",
        ),
        (["book-check", "EURUSD.DUKASCOPY"], "No book updates"),
        (["inof", "EURUSD.DUKASCOPY"], "info"),
        ([], "required"),
    ],
)
def test_mistakes_are_one_sentence_and_exit_2(
    store: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    said: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    place = ["--store", str(store)] if arguments and arguments[0] != "inof" else []
    assert main(["data", *arguments, *place]) == 2
    out = capsys.readouterr()
    lines = [line for line in out.err.splitlines() if not line.startswith("Rebuilding")]
    assert len(lines) == 1
    assert said in lines[0]
    assert not (tmp_path / "x.csv").exists()
