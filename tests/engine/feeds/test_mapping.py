import contextlib
import io
import tomllib
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.mappings import mapping_text
from engine.columns import Aggressor, Quotes, Snapshots, Trades, VendorBars
from engine.errors import UserError
from engine.feeds.decoded import Decoded, Undecodable
from engine.feeds.delimited import decode
from engine.feeds.mapping import KINDS, Mappings, NamedMapping, TableMapping, mapping_of, roles
from engine.feeds.timestamps import TimeRule
from tests.engine.feeds.files import source_file
from tests.engine.feeds.mutations import mutations, survives

TS = 1_549_238_400_994_000_000
QUOTES = TableMapping(kind="quotes", columns={"time": "when", "bid": "buyers", "ask": "sellers"})


def read(data: bytes | str, mapping: TableMapping | None = None, **said: Any) -> Decoded:
    named = None if mapping is None else NamedMapping("mine", mapping)
    said = {"mappings": Mappings(said=named), "instrument": "AAPL.NASDAQ", **said}
    return decode(source_file(data, "x.csv", format_name="delimited", **said))


def part[C](found: Decoded, kind: str, of: type[C]) -> C:
    columns = found.columns[kind]
    assert isinstance(columns, of)
    return columns


def with_(mapping: TableMapping, **said: Any) -> TableMapping:
    return msgspec.structs.replace(mapping, **said)


def test_columns_of_any_name_are_read_as_the_mapping_says() -> None:
    found = read("when,buyers,sellers\n1549238400994,1.1,1.25\n", QUOTES)
    rows = part(found, "quotes", Quotes)
    assert (rows.bid.tolist(), rows.ask.tolist(), rows.price_precision) == ([110], [125], 2)
    assert "Its columns were read by the mapping mine." in found.notes
    numbered = with_(QUOTES, columns={"time": "3", "bid": "1", "ask": "2"})
    assert part(read("1.1,1.25,1549238400994\n", numbered), "quotes", Quotes).ts_event.tolist() == [TS]
    with pytest.raises(UserError, match="Unknown column 'when'"):
        read("time,bid,ask\n1549238400994,1,2\n", QUOTES)
    with pytest.raises(Undecodable, match="no header to find column when in"):
        read("1549238400994,1,2\n", QUOTES)


@settings(max_examples=25, deadline=None)
@given(st.permutations(["when", "buyers", "sellers", "", "other"]), st.sampled_from([",", ";", "\t", "|"]))
def test_the_order_of_the_columns_and_the_separator_do_not_matter(order: list[str], separator: str) -> None:
    cells = {"when": "1549238400994", "buyers": "1.1", "sellers": "1.25", "": "0", "other": "x"}
    text = "\n".join(separator.join(row) for row in (order, [cells[name] for name in order]))
    rows = part(read(f"{text}\n", QUOTES), "quotes", Quotes)
    assert (rows.ts_event.tolist(), rows.bid.tolist(), rows.ask.tolist()) == ([TS], [110], [125])


@pytest.mark.parametrize(
    ("stamp", "rule", "ns"),
    [
        ("02/04/2019 00:00:00.994", TimeRule(format="%m/%d/%Y %H:%M:%S%.f"), TS),
        ("04/02/2019 00:00:00.994", TimeRule(format="%d/%m/%Y %H:%M:%S%.f"), TS),
        (
            "02/03/2019 07:00:00.994 PM",
            TimeRule(format="%m/%d/%Y %I:%M:%S%.f %p", zone="America/New_York"),
            TS,
        ),
        ("2019-02-03 19:00:00.994", TimeRule(zone="America/New_York"), TS),
        ("2019-02-04T00:00:00.994Z", TimeRule(zone="America/New_York"), TS),
        ("20190203 190000994", TimeRule(zone="America/New_York"), TS),
        ("1549238400", TimeRule(unit="s"), TS - 994_000_000),
        ("994", TimeRule(unit="s", zone="UTC"), None),
        ("2019-07-04 10:00:00", TimeRule(zone="Europe/London"), 1_562_230_800_000_000_000),
    ],
)
def test_times_are_read_as_the_mapping_says(stamp: str, rule: TimeRule, ns: int | None) -> None:
    text = f"when,buyers,sellers\n{stamp},1.1,1.25\n"
    found = read(text, with_(QUOTES, time=rule))
    assert [ts for each in found.columns.values() for ts in each.ts_event.tolist()] == ([ns] if ns else [])


def test_the_hour_that_clocks_repeat_is_left_out_and_said() -> None:
    rows = "".join(f"2021-11-07 0{hour}:30:00,1,2\n" for hour in range(4))
    found = read(f"time,bid,ask\n{rows}", zone="America/New_York")
    assert len(found.columns["quotes"]) == 3
    assert "1 in the hour that its clocks repeat or skip were left out" in found.timestamps
    (left_out,) = found.rejected
    assert (left_out.reason, left_out.count, left_out.first_line) == (
        "the clock of the time zone shows that hour twice or never",
        1,
        3,
    )


def test_the_users_zone_stands_above_the_mappings() -> None:
    text = "when,buyers,sellers\n2019-02-04 00:00:00.994,1.1,1.25\n"
    found = read(text, with_(QUOTES, time=TimeRule(zone="Asia/Tokyo")), zone="UTC")
    assert part(found, "quotes", Quotes).ts_event.tolist() == [TS]


@pytest.mark.parametrize(
    ("scale", "price", "expected"),
    [("0.0001", "5853300", (58533, 2)), ("100", "1.5", (150, 0)), ("100", "1.12345", (112345, 3))],
)
def test_prices_are_scaled_exactly(scale: str, price: str, expected: tuple[int, int]) -> None:
    mapping = TableMapping(kind="trades", columns={"time": "t", "price": "p", "size": "s"}, price_scale=scale)
    rows = part(read(f"t,p,s\n1549238400994,{price},2\n", mapping), "trades", Trades)
    assert (rows.price[0], rows.price_precision) == expected


def test_sides_have_the_words_that_the_mapping_says() -> None:
    mapping = TableMapping(
        kind="trades",
        columns={"time": "t", "price": "p", "size": "s", "side": "who"},
        buy=["Lift"],
        sell=["Hit"],
    )
    lines = "".join(f"1549238400994,1,2,{word}\n" for word in ("lift", "HIT", "cross"))
    rows = part(read(f"t,p,s,who\n{lines}", mapping), "trades", Trades)
    assert rows.aggressor.tolist() == [Aggressor.BUYER, Aggressor.SELLER, Aggressor.NONE]


@pytest.mark.parametrize("stamped", ["open", "close"])
def test_bars_are_named_by_their_opening_or_their_close(stamped: Any) -> None:
    columns = {"time": "t", "open": "o", "high": "h", "low": "l", "close": "c", "volume": "v"}
    mapping = TableMapping(kind="bars", columns=columns, bars="1-MINUTE-BID", stamped=stamped)
    found = read(
        "t,o,h,l,c,v\n2019-02-04 00:01:00,1,2,0.5,1.5,7\n2019-02-04 00:01:30,1,2,0.5,1.5,7\n", mapping
    )
    rows = part(found, "bars-1-MINUTE-BID", VendorBars)
    opened = TS - 994_000_000 + (60_000_000_000 if stamped == "open" else 0)
    assert (rows.ts_event.tolist(), rows.ts_init.tolist()) == ([opened], [opened + 60_000_000_000])
    assert (rows.high.tolist(), rows.volume.tolist()) == ([20], [7])
    assert [each.reason for each in found.rejected] == ["the time lies between two bars"]


def test_adjusted_bars_are_kept_apart() -> None:
    columns = {"time": "time", **{name: name for name in ("open", "high", "low", "close")}}
    text = "time,open,high,low,close\n2019-02-04 00:00,1,2,0.5,1.5\n"
    for said in ("1-DAY-LAST-ADJUSTED", "1-day-last-adjusted"):
        found = read(text, TableMapping(kind="bars", columns=columns, bars=said))
        assert list(found.columns) == ["bars-1-DAY-LAST-ADJUSTED"]


def test_columns_of_levels_are_whole_books() -> None:
    columns = {
        "time": "t",
        **{
            f"{side}{of}_{n}": f"{side}{of}{n}"
            for n in (1, 2)
            for side in ("bid", "ask")
            for of in ("", "_size")
        },
    }
    names = ",".join(columns.values())
    cells = "1549238400994,1.5,10,1.75,20,,,2,5"
    rows = part(read(f"{names}\n{cells}\n", TableMapping(kind="depth", columns=columns)), "depth", Snapshots)
    assert (rows.bid.tolist(), rows.ask.tolist()) == ([[150, 0]], [[175, 200]])
    assert (rows.bid_size.tolist(), rows.ask_size.tolist()) == ([[10, 0]], [[20, 5]])


def test_a_saved_mapping_is_used_for_tables_with_its_header_only() -> None:
    saved = NamedMapping("broker", with_(QUOTES, header=["when", "buyers", "sellers"]))
    found = read("when,buyers,sellers\n1549238400994,1,2\n", mappings=Mappings(saved=(saved,)))
    assert "Its columns were read by the mapping broker." in found.notes
    other = read("time,bid,ask\n1549238400994,1,2\n", mappings=Mappings(saved=(saved,)))
    assert not any("mapping" in note for note in other.notes)
    with pytest.raises(Undecodable, match="--propose"):
        read("when,buyers,seller\n1549238400994,1,2\n", mappings=Mappings(saved=(saved,)))


# Binary tables


def binary(frame: pl.DataFrame, form: str) -> bytes:
    out = io.BytesIO()
    if form == "parquet":
        frame.write_parquet(out)
        return out.getvalue()
    table = frame.to_arrow()
    new = pa.ipc.new_file if form == "file" else pa.ipc.new_stream
    with new(out, table.schema) as writer:
        writer.write_table(table)
    return out.getvalue()


FRAME = pl.DataFrame(
    {
        "when": np.arange(TS, TS + 5),
        "buyers": [1.1, 1.2, 1.3, 1.4, 1.5],
        "sellers": [2.0, 2.1, 2.2, 2.3, 2.45],
    }
)


@pytest.mark.parametrize("form", ["parquet", "file", "stream"])
def test_parquet_and_arrow_tables_are_mapped_too(form: str) -> None:
    rows = part(read(binary(FRAME, form), QUOTES), "quotes", Quotes)
    assert (rows.bid.tolist(), rows.price_precision) == ([110, 120, 130, 140, 150], 2)
    assert rows.ts_event.tolist() == list(range(TS, TS + 5))
    local = FRAME.with_columns(when=pl.from_epoch("when", "ns"))
    found = read(binary(local, form), with_(QUOTES, time=TimeRule(zone="America/New_York")))
    assert part(found, "quotes", Quotes).ts_event[0] == TS + 5 * 3_600 * 10**9


@pytest.mark.parametrize("form", ["parquet", "file", "stream", "text"])
def test_damaged_tables_end_in_rows_or_one_sentence(form: str) -> None:
    data = FRAME.write_csv().encode() if form == "text" else binary(FRAME, form)
    by_number = with_(QUOTES, columns={"time": "1", "bid": "2", "ask": "3"})
    said: dict[str, Any] = {
        "instrument": "AAPL.NASDAQ",
        "mappings": Mappings(NamedMapping("mine", by_number)),
    }
    for damaged in mutations(data, 150):
        with contextlib.suppress(UserError):  # a column that the damage has cut off is named
            survives(decode, source_file(damaged, "x", format_name="delimited", **said))


# What a mapping may say

NAMES = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), min_size=1, max_size=12)


@st.composite
def mappings(draw: st.DrawFn) -> TableMapping:
    kind = draw(st.sampled_from(KINDS))
    return TableMapping(
        kind=kind,
        header=draw(st.lists(NAMES, max_size=4)),
        columns=draw(st.dictionaries(st.sampled_from(roles(kind)), NAMES)),
        bars="5-MINUTE-LAST" if kind == "bars" else "",
        stamped=draw(st.sampled_from(["open", "close"])),
        separator=draw(st.sampled_from(["", ";", "\t"])),
        price_scale=draw(st.sampled_from(["1", "0.0001", "100"])),
        buy=draw(st.lists(NAMES, max_size=2)),
        time=TimeRule(format=draw(NAMES), zone=draw(st.sampled_from(["", "Asia/Tokyo"]))),
    )


@settings(max_examples=30, deadline=None)
@given(mappings())
def test_a_mapping_outlives_its_file(mapping: TableMapping) -> None:
    full = {**dict.fromkeys(["time", *mapping.missing], "1"), **mapping.columns}
    mapping = with_(mapping, columns=full)
    text = mapping_text(mapping, ["It is so."], ["It may be\nso."])
    assert mapping_of(tomllib.loads(text), Path("x.toml")) == mapping


@pytest.mark.parametrize(
    ("data", "told"),
    [
        ({}, "it has no kind"),
        ({"kind": 3, "columns": {}}, "kind is a whole number, not a text"),
        ({"kind": "quotes", "columns": {"time": "t", "bid": "b"}}, r'which column is ask; add ask = "…"'),
        ({"kind": "quotes", "columns": {"bid": "b", "ask": "a"}}, "which column is time"),
        ({"kind": "quotes", "columns": {"bidd": "b"}}, "role of a column of quotes 'bidd'; choose bid"),
        ({"kind": "bars", "columns": {}}, "Bar spec ''"),
        ({"kind": "quotes", "columns": {}, "price_scale": "3"}, "no power of ten"),
        ({"kind": "quotes", "columns": {}, "separator": "ab"}, "not one character"),
        ({"kind": "quotes", "columns": {}, "time": {"zone": "Mars/Base"}}, "Unknown time zone"),
        ({"kind": "quotes", "columns": {}, "time": {"unit": "h"}}, "time.unit = 'h' is none of the values"),
        ({"kind": "quotes", "columns": {}, "colour": 1}, "colour is nothing that belongs there"),
    ],
)
def test_a_wrong_mapping_is_named_with_what_is_wrong(data: Any, told: str) -> None:
    with pytest.raises(UserError, match=told) as refused:
        mapping_of(data, Path("mine.toml"))
    assert str(refused.value).startswith("mine.toml cannot be used as a mapping: ")
