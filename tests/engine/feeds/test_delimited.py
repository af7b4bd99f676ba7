import gzip
import io
from datetime import date

import polars as pl
import pytest

from engine.columns import Aggressor, Quotes, Trades
from engine.errors import UserError
from engine.feeds.decoded import Decoded, Undecodable
from engine.feeds.delimited import decode
from engine.feeds.quality import crossed
from tests.engine.feeds.files import source_file, zipped
from tests.recordings import recording

TS = 1_549_238_400_994_000_000


def read(
    data: bytes | str,
    format_name: str = "delimited",
    *,
    name: str = "x.csv",
    day: date | None = None,
    columns: tuple[tuple[str, str], ...] = (),
    symbol: str = "EURUSD",
) -> Decoded:
    said = {"day": day, "columns": columns}
    return decode(source_file(data, name, instrument=f"{symbol}.TEST", format_name=format_name, **said))


def quotes(found: Decoded) -> Quotes:
    part = found.columns["quotes"]
    assert isinstance(part, Quotes)
    return part


def trades(found: Decoded) -> Trades:
    part = found.columns["trades"]
    assert isinstance(part, Trades)
    return part


def test_the_recorded_truefx_file_has_a_thousand_ticks() -> None:
    found = read(recording("fx/truefx/usdjpy-ticks.csv").read_bytes(), symbol="USDJPY")
    rows = quotes(found)
    assert len(rows) == 1_000
    assert (rows.bid[0], rows.ask[0], rows.price_precision) == (86_655, 86_728, 3)
    assert rows.ts_event[0] == 1_357_077_600_295_000_000
    assert "zone" in found.timestamps


def test_the_recorded_oanda_days_have_no_crossed_quote() -> None:
    for name, count in (("20140501_quote.zip", 24_179), ("20140502_quote.zip", 49_341)):
        rows = quotes(read(recording(f"fx/oanda_lean/{name}").read_bytes(), "lean", name=name))
        assert len(rows) == count
        assert not crossed(rows).any()


def test_a_tenth_of_the_recorded_fxcm_day_is_crossed() -> None:
    rows = quotes(
        read(recording("fx/fxcm_lean/20140501_quote.zip").read_bytes(), "lean", name="20140501_quote.zip")
    )
    assert len(rows) == 51_053
    assert crossed(rows).sum() == 3_991
    assert rows.ts_event[0] == 1_398_902_401_787_000_000


@pytest.mark.parametrize(
    ("stamp", "ns", "said"),
    [
        ("1549238400", TS - 994_000_000, "seconds"),
        ("1549238400.994", TS, "seconds"),
        ("1549238400994", TS, "milliseconds"),
        ("1549238400994000", TS, "microseconds"),
        ("1549238400994000001", TS + 1, "nanoseconds"),
        ("2019-02-04T00:00:00.994Z", TS, "zone, turned to UTC"),
        ("2019-02-04 02:00:00.994+02:00", TS, "zone, turned to UTC"),
        ("2019-02-04 00:00:00.994000001", TS + 1, "taken as UTC"),
        ("2019-02-04 00:00:00.994 UTC", TS, "UTC"),
        ("20190204 00:00:00.994", TS, "taken as UTC"),
        ("2019.02.04 00:00:00.994", TS, "taken as UTC"),
        ("2019/02/04 00:00:00.994", TS, "taken as UTC"),
        ("04.02.2019 00:00:00.994", TS, "day-first"),
        ("20190203 190000994", TS, "Eastern Standard Time"),
    ],
)
def test_times_are_found_out_and_said(stamp: str, ns: int, said: str) -> None:
    found = read(f"timestamp,bid,ask\n{stamp},1.1,1.2\n{stamp},1.1,1.3\n")
    assert said in found.timestamps
    assert quotes(found).ts_event.tolist() == [ns, ns]


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_separators_quotes_line_ends_and_marks_make_no_difference(separator: str) -> None:
    plain = f"timestamp{separator}bid{separator}ask\n1549238400{separator}1.10000{separator}1.2\n"
    for text in (
        plain.encode(),
        plain.replace("\n", "\r\n").encode(),
        plain.encode("utf-16"),
        plain.encode("utf-8-sig"),
        plain.replace("1.10000", '"1.1"').encode(),
        plain.replace("1.10000", " 1.1 ").encode(),
        gzip.compress(plain.encode()),
    ):
        rows = quotes(read(text))
        assert (rows.bid.tolist(), rows.ask.tolist(), rows.price_precision) == ([11], [12], 1)


def test_headers_of_known_names_are_understood() -> None:
    found = read("Date;Time;Bid Price;Ask Price;BidVolume;AskVolume\n2019-02-04;00:00:00.994;1.1;1.2;3;4.5\n")
    rows = quotes(found)
    assert (rows.ts_event[0], rows.bid_size[0], rows.ask_size[0], rows.size_precision) == (TS, 30, 45, 1)


def test_trades_keep_side_and_number() -> None:
    lines = "".join(f"1549238400994,10.5,2,{row}\n" for row in ("buy,7", "SELL,8", ",9"))
    rows = trades(read(f"time,price,qty,side,trade_id\n{lines}"))
    assert rows.aggressor.tolist() == [Aggressor.BUYER, Aggressor.SELLER, Aggressor.NONE]
    assert rows.trade_id.tolist() == [7, 8, 9]
    maker = trades(
        read("time,price,qty,is_buyer_maker\n1549238400994,10.5,2,true\n1549238400995,10.5,2,False\n")
    )
    assert maker.aggressor.tolist() == [Aggressor.SELLER, Aggressor.BUYER]


def test_receive_times_are_kept() -> None:
    head = "symbol,timestamp,local_timestamp,price,amount,id"
    found = read(f"{head}\nEUR/USD,1549238400994000,1549238400995000,1.5,2,abc-1\n")
    assert trades(found).ts_init.tolist() == [TS + 1_000_000]
    assert trades(found).ts_event.tolist() == [TS]
    assert trades(found).trade_id.tolist() == [0]
    assert any("ids are no numbers" in note for note in found.notes)


def test_the_user_can_say_which_column_is_which() -> None:
    text = "9,1.2,1.1,1549238400994\n9,1.2,1.1,1549238400995\n"
    rows = quotes(read(text, columns=(("time", "4"), ("ask", "2"), ("bid", "3"))))
    assert (rows.bid.tolist(), rows.ask.tolist()) == ([11, 11], [12, 12])
    named = quotes(
        read("when,B1,A1\n1549238400994,1,2\n", "quotes", columns=(("time", "1"), ("bid", "2"), ("ask", "3")))
    )
    assert len(named) == 1
    with pytest.raises(UserError, match=r"column role.*choose bid"):
        read(text, columns=(("bidd", "1"),))
    with pytest.raises(UserError, match="Unknown column '7'"):
        read(text, columns=(("bid", "7"),))


@pytest.mark.parametrize(
    ("format_name", "text", "kind"),
    [
        ("truefx", "EUR/USD,20190204 00:00:00.994,1.1,1.2\n", "quotes"),
        ("histdata", "20190203 190000994,1.1,1.2,0\n", "quotes"),
        ("quotes", "1549238400994,1.1,1.2\n", "quotes"),
        ("quotes", "1549238400994,1.1,1.2,5,6\n", "quotes"),
        ("trades", "1549238400994,1.1,2,buy,5\n", "trades"),
    ],
)
def test_layouts_without_a_header(format_name: str, text: str, kind: str) -> None:
    found = read(text, format_name)
    assert list(found.columns) == [kind]
    assert found.columns[kind].ts_event.tolist() == [TS]


def test_lean_archives_take_the_day_from_the_name() -> None:
    archive = zipped({"20190204_eurusd_tick_quote.csv": "994,1.1,1.2\n995,1.1,1.2\n"})
    assert quotes(read(archive, "lean", name="20190204_quote.zip")).ts_event.tolist() == [TS, TS + 1_000_000]
    with pytest.raises(Undecodable, match="says EURUSD, not GBPUSD"):
        read(archive, "lean", name="20190204_quote.zip", symbol="GBPUSD")
    with pytest.raises(Undecodable, match="count from midnight"):
        read("994,1.1,1.2\n", "quotes")
    assert quotes(read("994,1.1,1.2\n", "quotes", day=date(2019, 2, 4))).ts_event.tolist() == [TS]


def test_parquet_tables_are_read_exactly() -> None:
    out = io.BytesIO()
    frame = pl.DataFrame({"ts": [TS, TS + 1], "bid": [1.14543, 1.1], "ask": [1.14545, 1e-5]})
    frame.write_parquet(out)
    found = read(out.getvalue(), name="x.parquet")
    assert quotes(found).bid.tolist() == [114_543, 110_000]
    assert quotes(found).ask.tolist() == [114_545, 1]
    assert any("shortest decimal form" in note for note in found.notes)
    stamped = io.BytesIO()
    frame.with_columns(pl.from_epoch("ts", "ns").dt.replace_time_zone("UTC")).write_parquet(stamped)
    assert quotes(read(stamped.getvalue())).ts_event.tolist() == [TS, TS + 1]
    with pytest.raises(Undecodable, match="Parquet file is damaged"):
        read(out.getvalue()[:-30])


def test_rows_that_cannot_be_taken_are_counted_by_reason_with_their_line() -> None:
    found = read(
        "timestamp,bid,ask\n"
        "1549238400,1.1,1.2\n"
        "1549238401,abc,1.2\n"
        "1549238402,1.1,1.2,9\n"
        "\n"
        "yesterday,1.1,1.2\n"
        "1549238403,1.1\n"
        "1549238404,-1.1,1.2\n"
        "1549238405,,1.2\n"
        "1549238406,1.1,1.2\n"
    )
    assert len(quotes(found)) == 2
    assert {(each.reason, each.count, each.first_line) for each in found.rejected} == {
        ("it has not 3 fields", 2, 4),
        ("the time is missing, malformed or outside 1980 to 2199", 1, 6),
        ("the bid is missing or no number", 2, 3),
        ("the bid is not above 0", 1, 8),
    }


def test_rows_of_another_symbol_are_left_out() -> None:
    found = read("symbol,time,bid,ask\nEUR/USD,1549238400,1,2\nGBP/USD,1549238400,1,2\n")
    assert len(quotes(found)) == 1
    assert [(each.count, each.first_line) for each in found.rejected] == [(1, 3)]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "empty"),
        (b"\n\n", "empty"),
        (b"timestamp,bid,ask\n", "no rows"),
        (b"timestamp,bid,ask\n1549238400,1.1,\xff\xfe1\n", "line 2 is not UTF-8"),
        (b"just some words\nand more\n", "one column only"),
        (b"a,b\x00,c\n1,2,3\n", "no text"),
        (b"1549238400,1.1,1.2\n", "--format quotes"),
        (b"time,open,high\n1549238400,1,2\n", "say which is which"),
        (b"time,Open,high,low,close\n1549238400,1,2,1,2\n", "those of bars.* with --propose"),
        (b"time,price,amount,is_snapshot\n1549238400,1,2,true\n", "column is_snapshot .* book changes"),
        (b"time,Action,price,size\n1549238400,add,1,2\n", "column action .* book changes"),
        (b"time,price,size,flags\n1549238400,1,2,128\n", "column flags .* book changes"),
        (b"time,bid,ask\n12345678901,1,2\n", "in no unit"),
        (b"time,bid,ask\n02/04/2019 10:00,1,2\n", "written in no form"),
        (b"bid,ask\n1.1,1.2\n", "--columns time"),
        (b"time,bid,ask\n1549238400,1.12345678901234567891,1.2\n", "18 dec"),
        (zipped({"a.csv": "time,bid,ask\n1549238400,1,2\n"})[:-30], "zip archive is damaged"),
        (zipped({}), "holds no file"),
    ],
)
def test_tables_that_cannot_be_read_are_refused_in_words(data: bytes, said: str) -> None:
    with pytest.raises(Undecodable, match=said):
        read(data)


def test_bars_are_not_named_by_columns_but_by_a_mapping() -> None:
    with pytest.raises(UserError, match=r"--columns open=… .* how long a bar is .* --propose"):
        read("t,o\n1549238400,1\n", columns=(("time", "t"), ("open", "o")))


def test_a_quotation_mark_that_does_not_close_costs_its_own_line_only() -> None:
    lines = [f'154923840{n},"1.1",1.2' for n in range(8)]
    lines[2], lines[5] = '1549238402,"1.1,1.2', '1549238405,1.1,1.2"'
    for quoted in (lines, [line.replace('"1.1"', "1.1") for line in lines]):
        found = read("time,bid,ask\n" + "\n".join(quoted) + "\n")
        assert len(quotes(found)) == 6
        assert [(each.count, each.first_line) for each in found.rejected] == [(2, 4)]
        assert "quotation mark" in found.rejected[0].reason
