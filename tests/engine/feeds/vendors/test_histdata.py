from datetime import UTC, datetime
from pathlib import Path

import pytest

from engine.columns import VendorBars
from engine.feeds.decoded import Undecodable
from engine.feeds.formats import detect
from engine.feeds.vendors.histdata import decode
from tests.engine.feeds.files import source_file, zipped
from tests.engine.feeds.mutations import mutations, survives

NAME = "DAT_ASCII_EURUSD_M1_2019.csv"
TEXT = """20190101 170000;1.149720;1.149750;1.149720;1.149750;0
20190101 170100;1.149750;1.14976;1.149740;1.14974;0
"""
OPEN_NS = int(datetime(2019, 1, 1, 22, tzinfo=UTC).timestamp()) * 1_000_000_000


def bars(data: str | bytes) -> VendorBars:
    part = decode(source_file(data, NAME)).columns["bars-1-MINUTE-BID"]
    assert isinstance(part, VendorBars)
    return part


def test_times_are_five_hours_before_utc_all_year() -> None:
    rows = bars(TEXT)
    assert rows.ts_event.tolist() == [OPEN_NS, OPEN_NS + 60 * 10**9]
    assert (rows.ts_init - rows.ts_event == 60 * 10**9).all()
    summer = bars("20190701 170000;1.1;1.2;1.1;1.2;0\n20190701 170100;1.1;1.2;1.1;1.2;0\n")
    assert summer.ts_event[0] == int(datetime(2019, 7, 1, 22, tzinfo=UTC).timestamp()) * 10**9
    assert "UTC-5" in decode(source_file(TEXT, NAME)).timestamps


def test_prices_are_kept_to_the_last_digit() -> None:
    rows = bars(TEXT)
    assert (rows.open.tolist(), rows.price_precision) == ([114_972, 114_975], 5)
    assert rows.close.tolist() == [114_975, 114_974]
    assert rows.volume.tolist() == [0, 0]


def test_the_vendors_archive_is_read_beside_its_report() -> None:
    data = zipped({NAME: TEXT, "DAT_ASCII_EURUSD_M1_2019.txt": "no gaps"})
    assert detect(Path("HISTDATA_COM_ASCII_EURUSD_M1_2019.zip"), data).name == "histdata-bars"
    assert bars(data).ts_event.tolist() == bars(TEXT).ts_event.tolist()
    with pytest.raises(Undecodable, match="2 tables"):
        decode(source_file(zipped({"a.csv": TEXT, "b.csv": TEXT})))


def test_ticks_of_the_same_vendor_stay_with_the_tables() -> None:
    assert detect(Path("x.csv"), b"20190203 190000994,1.1,1.2,0\n").name == "delimited"


def test_impossible_bars_are_left_out_with_reason_and_place() -> None:
    found = decode(
        source_file(f"{TEXT}20190101 170230;1;1;1;1;0\n20190101 170300;1;1;2;1;0\nnever;1;1;1;1;0\n", NAME)
    )
    assert [(each.reason, each.first_line) for each in found.rejected] == [
        ("the time is missing, malformed or outside 1980 to 2199", 5),
        ("the time lies between two bars", 3),
        ("the high is below the low", 4),
    ]


def test_other_tables_are_refused() -> None:
    with pytest.raises(Undecodable, match="not time, open, high, low, close and volume"):
        decode(source_file("20190101 170000;1;2;1\n20190101 170100;1;2;1\n"))


def test_damaged_files_are_refused_or_told() -> None:
    for damaged in mutations(TEXT.encode() * 3, 150):
        survives(decode, source_file(damaged, NAME))
