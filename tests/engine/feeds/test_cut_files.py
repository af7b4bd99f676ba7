"""A file of rows and the same file cut in two between its lines store the same."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.feeds import reader
from engine.feeds.importing import import_files
from engine.store import Store
from tests.engine.feeds.files import known

TEN = range(10, 20)
FORMS = {
    "metatrader bars": (
        "EURUSD.TEST",
        "EURUSD_M1_201902040000_201902040009.csv",
        "<DATE>\t<TIME>\t<OPEN>\t<HIGH>\t<LOW>\t<CLOSE>\t<TICKVOL>\t<VOL>\t<SPREAD>",
        [f"2019.02.04\t00:{n}:00\t1.{n}\t1.3\t1.05\t1.{n}5\t{n}\t0\t2" for n in TEN],
    ),
    "metatrader ticks": (
        "EURUSD.TEST",
        "EURUSD.csv",
        "<DATE>\t<TIME>\t<BID>\t<ASK>\t<LAST>\t<VOLUME>\t<FLAGS>",
        [f"2019.02.04\t00:00:{n}.5\t1.{n}\t1.3{n}\t\t\t6" for n in TEN],
    ),
    "histdata": (
        "EURUSD.TEST",
        "DAT_ASCII_EURUSD_M1_2019.csv",
        "",
        [f"20190204 10{n}00;1.{n};1.3;1.05;1.{n}5;0" for n in TEN],
    ),
    "vn.py bars": (
        "EURUSD.TEST",
        "eurusd_1m.csv",
        "symbol,exchange,datetime,open,high,low,close,volume,turnover,open_interest",
        [f"EURUSD,X,2019-02-04 09:{n}:00,1.{n},1.3,1.05,1.{n}5,{n}.5,0,0" for n in TEN],
    ),
    "vn.py ticks": (
        "EURUSD.TEST",
        "eurusd.csv",
        "symbol,exchange,datetime,bid_price_1,bid_price_2,ask_price_1,bid_volume_1,bid_volume_2,ask_volume_1",
        [f"EURUSD,X,2019-02-04 09:00:{n}.5,1.{n},{n % 2 and 1.05},1.3,5,{n % 2 and 7},6" for n in TEN],
    ),
    "yahoo": (
        "AAPL.NASDAQ",
        "AAPL.csv",
        "Date,Open,High,Low,Close,Adj Close,Volume",
        [f"2020-01-{n},74.{n},75.5,73.5,74.{n}5,72.{n}6,13548{n}" for n in TEN],
    ),
    "yfinance": (
        "AAPL.NASDAQ",
        "AAPL.csv",
        "Date,Open,High,Low,Close,Volume,Dividends,Stock Splits",
        [f"2020-01-{n} 00:00:00-05:00,74.{n},75.5,73.5,74.{n}5,13548{n},0.{n % 3}0,0.0" for n in TEN],
    ),
}


def stored(folder: Path, instrument: str, name: str, *texts: str) -> dict[str, bytes]:
    paths = []
    for number, text in enumerate(texts):
        path = folder / str(number) / name
        path.parent.mkdir(parents=True)
        path.write_text(text)
        paths.append(path)
    report = import_files(paths, instrument, Store(folder / "store"), known())
    assert report.rejected == []
    return {path.name: path.read_bytes() for path in folder.rglob("*.parquet")}


@pytest.mark.parametrize("form", FORMS)
@settings(max_examples=4, deadline=None)
@given(cut=st.integers(1, 9))
def test_any_cut_between_lines_stores_the_same(
    tmp_path_factory: pytest.TempPathFactory, form: str, cut: int
) -> None:
    instrument, name, head, lines = FORMS[form]
    folder = tmp_path_factory.mktemp("cut")
    parts = ["\n".join(filter(None, (head, *part))) for part in (lines, lines[:cut], lines[cut:])]
    whole = stored(folder / "whole", instrument, name, parts[0])
    assert whole
    assert stored(folder / "parts", instrument, name, *parts[1:]) == whole


TICKS = {
    **FORMS,
    "quotes": ("EURUSD.TEST", "q.csv", "time,bid,ask", [f"15492384{n}000,1.1{n},1.2{n}" for n in TEN]),
    "trades": ("EURUSD.TEST", "t.csv", "time,price,size", [f"15492384{n}000,1.1{n},{n}" for n in TEN]),
    "truefx": (
        "EURUSD.TEST",
        "EURUSD-2019-02.csv",
        "",
        [f"EUR/USD,20190204 00:00:{n}.500,1.1{n},1.2{n}" for n in TEN],
    ),
    "histdata ticks": (
        "EURUSD.TEST",
        "DAT_ASCII_EURUSD_T_201902.csv",
        "",
        [f"20190204 0000{n}500,1.1{n},1.2{n},0" for n in TEN],
    ),
}


@pytest.mark.parametrize("form", TICKS)
def test_a_line_that_was_cut_is_never_taken_without_a_word(tmp_path: Path, form: str) -> None:
    instrument, name, head, lines = TICKS[form]
    whole = "\n".join(filter(None, (head, *lines)))
    for cut in (1, len(lines[-1]) - 4):
        path = tmp_path / name
        path.write_text(whole[:-cut])
        report = import_files([path], instrument, Store(tmp_path / str(cut)), known())
        told = [*report.notes, *(each.reason for each in report.rejected)]
        assert any("no line end" in each or "middle of the line" in each for each in told)
    path.write_text(f"{whole}\n")
    report = import_files([path], instrument, Store(tmp_path / "whole"), known())
    assert not any("line end" in each for each in report.notes)
    assert not report.rejected


def test_the_last_piece_of_a_large_text_tells_that_its_line_has_no_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    instrument, name, head, _ = TICKS["quotes"]
    monkeypatch.setattr(reader, "_SMALL_BYTES", 1)
    monkeypatch.setattr(reader, "PIECE_BYTES", 1 << 16)
    rows = [f"{1_549_238_400_000 + n},1.1,1.2" for n in range(20_000)]
    path = tmp_path / name
    path.write_text("\n".join((head, *rows)))
    report = import_files([path], instrument, Store(tmp_path / "noted"), known())
    assert report.rows == 20_000
    assert [each for each in report.notes if "no line end" in each] == [
        f"The last line ({rows[-1]}) has no line end; if the file was cut off there, its last row is wrong."
    ]
    path.write_text("\n".join((head, *rows))[:-5])
    report = import_files([path], instrument, Store(tmp_path / "cut"), known())
    assert [(each.count, each.first_line) for each in report.rejected] == [(1, 20_001)]
    assert "middle of the line" in report.rejected[0].reason
