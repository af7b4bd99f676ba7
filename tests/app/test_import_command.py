import json
from pathlib import Path
from threading import Thread

import pytest

from app.__main__ import main
from engine.store.locking import exclusive
from tests.engine.feeds.files import CANDLE, bi5, hour
from tests.recordings import recording

TICKS = [(n * 1_000, 114_545 + n % 3, 114_543, 1.5, 2.25) for n in range(100)]


def test_the_report_is_the_documented_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = hour(tmp_path, bi5([*TICKS, (3_600_000, 1, 1, 1, 1)]))
    code = main(
        [
            "import",
            str(path),
            "--instrument",
            "EURUSD.DUKASCOPY",
            "--store",
            str(tmp_path / "s"),
            "--json",
            "-",
        ]
    )
    out = capsys.readouterr()
    report = json.loads(out.out)
    assert code == 0
    assert out.err == ""
    assert report["rows"] == 100
    assert report["rejected"] == [
        {
            "reason": "the time lies outside the hour of the file",
            "count": 1,
            "first_line": 101,
            "file": "00h_ticks.bi5",
        }
    ]
    assert {
        name: report[name] for name in ("duplicates", "out_of_order", "crossed", "gaps", "price_precision")
    } == {
        "duplicates": 0,
        "out_of_order": 0,
        "crossed": 0,
        "gaps": 0,
        "price_precision": 5,
    }
    assert (report["first_ts_ns"], report["last_ts_ns"]) == (1549238400 * 10**9, 1549238499 * 10**9)


def test_the_report_for_a_person_says_the_same(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = hour(tmp_path, bi5(TICKS))
    assert (
        main(["import", str(path), "--instrument", "EURUSD.DUKASCOPY", "--store", str(tmp_path / "s")]) == 0
    )
    out = capsys.readouterr()
    assert "EURUSD.DUKASCOPY: 100 quotes from 1 file (dukascopy)" in out.out
    assert "2019-02-04 00:00:00 UTC  to  2019-02-04 00:01:39 UTC" in out.out
    told = [line.split(" %  ") for line in out.err.splitlines()]
    assert told[-1] == ["100", "Done"]
    assert len({percent for percent, _ in told}) == len(told) > 2


def test_without_a_store_rows_go_to_the_stations_own(
    tmp_path: Path, own_home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = hour(tmp_path, bi5(TICKS))
    assert main(["import", str(path), "--instrument", "EURUSD.DUKASCOPY"]) == 0
    assert (own_home / "store/EURUSD.DUKASCOPY/quotes/2019-02-04.parquet").is_file()


def test_the_real_file_of_an_exchange(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = recording("crypto/binance_raw/spot/ethusdt_20240808.gz")
    arguments = [
        "import",
        str(path),
        "--instrument",
        "ETHUSDT.BINANCE",
        "--store",
        str(tmp_path),
        "--json",
        "-",
    ]
    assert main(arguments) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["kinds"] == {"quotes": 24_077, "trades": 6_106, "deltas": 108_803}
    assert report["gaps"] == 0


def test_a_wait_for_another_import_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path, store = hour(tmp_path, bi5(TICKS)), tmp_path / "s"
    arguments = ["import", str(path), "--instrument", "EURUSD.DUKASCOPY", "--store", str(store)]
    said, code = "", []
    second = Thread(target=lambda: code.append(main(arguments)))
    with exclusive(store / "EURUSD.DUKASCOPY", "EURUSD.DUKASCOPY"):
        second.start()
        while "80 %  Waiting for another import of EURUSD.DUKASCOPY" not in said:
            said += capsys.readouterr().err
    second.join()
    assert code == [0]
    assert "100 quotes" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("name", "warned"),
    [
        ("usdjpy-ticks.csv", True),
        ("GBPUSD/2019/ticks.csv", True),
        ("eurusd-ticks.csv", False),
        ("EURUSD/after-usdjpy.csv", True),
        ("ticks.csv", False),
        ("usdjpy-and-eurusd.csv", False),
    ],
)
def test_a_file_named_after_another_pair_is_warned_of(
    name: str, warned: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("time,bid,ask\n2019-02-04T00:00:00Z,1.1,1.2\n")
    arguments = ["import", str(path), "--instrument", "EURUSD.TRUEFX", "--store", str(tmp_path / "s")]
    assert main(arguments) == 0
    out = capsys.readouterr().out
    assert ("Warning: the name or folder of" in out) is warned
    assert ("not EURUSD" in out) is warned


@pytest.mark.parametrize(
    ("name", "instrument", "other"),
    [
        ("EURUSD/2019/01/04/00h_ticks.bi5", "USDJPY.DUKASCOPY", "EURUSD"),
        ("EURUSD/2019/01/04/BID_candles_min_1.bi5", "USDJPY.DUKASCOPY", "EURUSD"),
        ("EURUSD/2019/01/04/00h_ticks.bi5", "EURUSD.DUKASCOPY", ""),
        ("ticks/2019/01/04/00h_ticks.bi5", "USDJPY.DUKASCOPY", ""),
        ("DAT_ASCII_GBPUSD_T_201902.csv", "EURUSD.HISTDATA", "GBPUSD"),
        ("HISTDATA_COM_ASCII_GBPUSD_M1_2019.csv", "EURUSD.HISTDATA", "GBPUSD"),
        ("DAT_ASCII_EURUSD_M1_2019.csv", "EURUSD.HISTDATA", ""),
        ("GBPUSD_M1_201902040000_201902042359.csv", "EURUSD.BROKER", "GBPUSD"),
        ("GBPUSD.pro_201902040000_201902042359.csv", "EURUSD.BROKER", "GBPUSD"),
        ("GBPUSD60.csv", "EURUSD.BROKER", "GBPUSD"),
        ("EURUSD.pro_M1_201902040000_201902042359.csv", "EURUSD.BROKER", ""),
    ],
)
def test_a_file_that_its_vendor_named_after_another_pair_is_refused(
    name: str, instrument: str, other: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / name
    path.parent.mkdir(parents=True, exist_ok=True)
    candle = [(0, 1, 1, 1, 1, 1.0)]
    rows = bi5(candle, CANDLE) if "candles" in name else bi5(TICKS)
    table = b"time,bid,ask\n2019-02-04T00:00:00Z,1.1,1.2\n"
    path.write_bytes(rows if path.suffix == ".bi5" else table)
    code = main(["import", str(path), "--instrument", instrument, "--store", str(tmp_path / "s")])
    assert code == (2 if other else 0)
    symbol = instrument.partition(".")[0]
    said = f"its name or folder says {other}, not {symbol}; import it as that instrument"
    assert (said in capsys.readouterr().err) is bool(other)
    assert (tmp_path / "s").exists() is not bool(other)


def test_a_perpetual_whose_file_is_named_without_its_suffix_is_no_doubt(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "btcusdt.csv").write_text("time,bid,ask\n2019-02-04T00:00:00Z,1.1,1.2\n")
    arguments = ["--instrument", "BTCUSDT-PERP.BINANCE", "--store", str(tmp_path / "s")]
    assert main(["import", str(tmp_path / "btcusdt.csv"), *arguments]) == 0
    assert "Warning" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["FILE"], "--instrument"),
        (["FILE", "--instrument", "EURUSD"], "SYMBOL.VENUE in capitals"),
        (["FILE", "--instrument", "ACME.NOWHERE"], "instruments.toml"),
        (["FILE", "--instrument", "EURUSD.DUKASCOPY", "--date", "2019-02-30"], "no day of the calendar"),
        (["FILE", "--instrument", "EURUSD.DUKASCOPY", "--date", "2019-02-05"], "leave --date out"),
        (["FILE", "--instrument", "EURUSD.DUKASCOPY", "--format", "dukascopi"], "choose dukascopy"),
        (["FILE", "--instrument", "EURUSD.DUKASCOPY", "--crossed", "kep"], "choose keep"),
        (["FILE", "--instrument", "EURUSD.DUKASCOPY", "--columns", "time"], "time=1,bid=2,ask=3"),
        (["FILE", "--instrument", "EURUSD.DUKASCOPY", "--format", "binance-raw"], "no row can be taken"),
        (["FILE.gone", "--instrument", "EURUSD.DUKASCOPY"], "does not exist"),
    ],
)
def test_mistakes_are_one_sentence_and_exit_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], said: str
) -> None:
    path = hour(tmp_path, bi5(TICKS))
    given = [each.replace("FILE", str(path)) for each in arguments]
    code = main(["import", *given, "--store", str(tmp_path / "s")])
    out = capsys.readouterr()
    assert code == 2
    lines = [line for line in out.err.splitlines() if "%" not in line]
    assert len(lines) == 1
    assert said in lines[0]
    assert out.out == ""
    assert not (tmp_path / "s").exists()
