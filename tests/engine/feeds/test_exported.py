"""The station's own CSV, damaged and cut."""

from pathlib import Path

import pytest

from engine.feeds.decoded import Undecodable
from engine.feeds.exported import decode
from engine.feeds.formats import FORMATS, detect
from tests.engine.feeds.files import source_file
from tests.engine.feeds.mutations import mutations, survives

TS = 1_549_238_400_994_000_000
DELTAS = f"""ts_event,ts_init,action,side,price,size,flags,sequence
{TS},{TS},clear,"",0,0,32,7
{TS},{TS},add,bid,1.5,2,160,7
"""
BARS = f"""ts_event,ts_init,open,high,low,close,volume,kind
{TS},{TS + 60},1,2,0.5,1.5,9,bars-1-MINUTE-BID-ADJUSTED
{TS + 60},{TS + 120},1,2,0.5,1.5,9,bars-1-MINUTE-BID-ADJUSTED
"""


@pytest.mark.parametrize(("text", "kind"), [(DELTAS, "deltas"), (BARS, "bars-1-MINUTE-BID-ADJUSTED")])
def test_an_export_is_told_by_its_header_whatever_its_name(text: str, kind: str) -> None:
    assert detect(Path("d.csv"), text.encode()).name == "nexttick"
    assert list(decode(source_file(text)).columns) == [kind]


def test_a_book_that_lacks_a_change_is_refused() -> None:
    for damaged in (DELTAS.replace("add", "odd"), DELTAS[:-3]):
        with pytest.raises(Undecodable, match=r"line 3 cannot be taken .*export it again"):
            decode(source_file(damaged))


def test_a_line_cut_in_the_middle_is_left_out() -> None:
    found = decode(source_file(BARS.rpartition(",")[0]))
    assert len(found.columns["bars-1-MINUTE-BID-ADJUSTED"]) == 1
    assert [(each.count, each.first_line) for each in found.rejected] == [(1, 3)]


def test_bars_of_no_known_kind_are_refused() -> None:
    for kind in ("", "bars-1-minute-BID", "quotes"):
        with pytest.raises(Undecodable, match="of no known kind"):
            decode(source_file(BARS.replace("bars-1-MINUTE-BID-ADJUSTED", kind)))


@pytest.mark.parametrize("text", [DELTAS, BARS])
def test_damaged_exports_are_read_or_refused(text: str) -> None:
    for damaged in mutations(text.encode(), 150):
        survives(decode, source_file(damaged))


def test_other_tables_keep_their_formats() -> None:
    quotes = b"ts_event,ts_init,bid,ask\n1549238400994,1549238400994,1,2\n"
    assert detect(Path("q.csv"), quotes).name == "delimited"
    assert [each.name for each in FORMATS].count("nexttick") == 1
