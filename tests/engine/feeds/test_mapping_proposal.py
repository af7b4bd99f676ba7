import gzip
import io
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.feeds.decoded import Undecodable
from engine.feeds.delimited import decode
from engine.feeds.mapping import Mappings, NamedMapping
from engine.feeds.mapping_proposal import Proposal, propose_mapping
from tests.engine.feeds.files import source_file
from tests.engine.feeds.mutations import mutations


def propose(text: str, zone: str = "") -> Proposal:
    return propose_mapping("x.csv", text.encode(), zone)


@pytest.mark.parametrize(
    ("text", "kind", "columns"),
    [
        (
            "Trade Date;Clock;B;A\n02/13/2019;10:00:00;1.1;1.2\n",
            "quotes",
            {"date": "Trade Date", "time": "Clock", "bid": "B", "ask": "A"},
        ),
        ("1549238400994,1.1,1.2\n1549238400995,1.1,1.2\n", "quotes", {"time": "1", "bid": "2", "ask": "3"}),
        (
            "1549238400994,11.5,2,buy\n1549238400995,11.5,50,sell\n",
            "trades",
            {"time": "1", "price": "2", "size": "3", "side": "4"},
        ),
        (
            "when,o,h,l,c,v\n2019-07-04 10:00,1,2,1,2,5\n2019-07-04 10:05,1,2,1,2,5\n",
            "bars",
            {"time": "when", "open": "o", "high": "h", "low": "l", "close": "c", "volume": "v"},
        ),
        (
            "20190204,1,2,0.5,1.5,100\n20190205,1,2,0.5,1.5,100\n",
            "bars",
            {"time": "1", "open": "2", "high": "3", "low": "4", "close": "5", "volume": "6"},
        ),
        (
            "ts,bid_px_00,bid_sz_00,ask_px_00,ask_sz_00\n1549238400994,1,2,3,4\n",
            "depth",
            {
                "time": "ts",
                "bid_1": "bid_px_00",
                "bid_size_1": "bid_sz_00",
                "ask_1": "ask_px_00",
                "ask_size_1": "ask_sz_00",
            },
        ),
    ],
)
def test_what_is_proposed_reads_the_table(text: str, kind: str, columns: dict[str, str]) -> None:
    mapping = propose(text).mapping
    assert (mapping.kind, mapping.columns) == (kind, columns)
    assert not mapping.missing
    said = Mappings(said=NamedMapping("proposed", mapping))
    found = decode(source_file(text, format_name="delimited", mappings=said))
    assert len(found.columns) == 1
    assert not found.rejected


@pytest.mark.parametrize(
    ("text", "doubt"),
    [
        ("time,bid,ask\n03/04/2019 10:00:00,1,2\n", "may be %m/%d/%Y %H:%M:%S%.f or %d/%m/%Y %H:%M:%S%.f"),
        ("time,bid,ask\n2019-02-04 10:00:00,1,2\n", "name no zone: UTC is taken"),
        ("time,bid,ask\n1549238400994,5853300,5853400\n", "may be scaled: say price_scale"),
        ("time,price,size,side\n1549238400994,1,2,Long\n", "check which are a buyer's"),
        ("1549238400994,1.1,1.2\n", "There is no header"),
        ("when,p,q\n1549238400994,11.5,2\n", "header's names are not known"),
        ("x,y\nu,v\n", "Which column is time and which is bid and which is ask is not known"),
        ("time,bid,ask\nsoon,1,2\n", "How times like soon are written is not known"),
        ("time,price,size,flags\n1549238400994,1,2,128\n", "may be book changes, not trades"),
        ("time,open,high,low,close\n2019-02-04 10:00,1,2,1,2\n", "check bars and stamped"),
    ],
)
def test_what_a_table_does_not_tell_is_to_be_checked(text: str, doubt: str) -> None:
    assert any(doubt in each for each in propose(text).unsure)


def test_what_is_sure_is_said_and_a_known_zone_is_no_doubt() -> None:
    found = propose("time,bid,ask\n02/13/2019 10:00:00,1,2\n", "Asia/Tokyo")
    assert found.sure == (
        "The header names time, bid, ask.",
        "Times like 02/13/2019 10:00:00 are written as %m/%d/%Y %H:%M:%S%.f.",
    )
    assert not found.unsure
    assert found.mapping.time.zone == "Asia/Tokyo"
    assert found.mapping.header == ["time", "bid", "ask"]


def test_the_length_of_bars_is_their_shortest_step() -> None:
    rows = "".join(f"2019-02-04 10:{minute}:00,1,2,1,2\n" for minute in ("00", "15", "45"))
    assert propose(f"time,open,high,low,close\n{rows}").mapping.bars == "15-MINUTE-LAST"


def test_packed_and_binary_tables_are_looked_into() -> None:
    text = b"time,bid,ask\n1549238400994,1,2\n"
    out = io.BytesIO()
    pl.read_csv(text).write_parquet(out)
    for data in (text, gzip.compress(text), out.getvalue()):
        assert propose_mapping("x", data).mapping.columns == {"time": "time", "bid": "bid", "ask": "ask"}


@pytest.mark.parametrize("data", [b"", b"one column\n", b"a,b\n", b"PAR1 is none"])
def test_what_is_no_table_is_refused(data: bytes) -> None:
    with pytest.raises(Undecodable):
        propose_mapping("x", data)


CELLS = st.one_of(
    st.sampled_from(["", "1549238400994", "1.1", "-5", "buy", "03/04/2019", "10:00:00", "1e400", "é\x01"]),
    st.text(st.characters(codec="utf-8", exclude_characters=',"\n\r\x00'), max_size=6),
)


def outcome(data: bytes) -> tuple[str, ...]:
    """Sentences of a proposal, or the one of its refusal."""
    try:
        found = propose_mapping("x", data)
    except Undecodable as reason:
        return (str(reason),)
    return (*found.sure, *found.unsure)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.lists(CELLS, min_size=3, max_size=3), min_size=1, max_size=5))
def test_any_table_is_proposed_for_or_refused(rows: Any) -> None:
    assert all(outcome("".join(",".join(row) + "\n" for row in rows).encode()))


def test_damaged_tables_are_proposed_for_or_refused() -> None:
    whole = b"Date;Time;Bid;Ask\n02/13/2019;10:00:00;1.1;1.2\n02/13/2019;10:00:01;1.1;1.2\n"
    for damaged in mutations(whole, 100):
        assert all(outcome(damaged))
