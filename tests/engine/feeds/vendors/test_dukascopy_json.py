import gzip
import itertools
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.columns import Columns, Quotes, VendorBars
from engine.feeds.decoded import Decoded, Undecodable
from engine.feeds.formats import detect
from engine.feeds.vendors import dukascopy_feed, dukascopy_json
from engine.feeds.vendors.dukascopy import decode_ticks, hour_start_ns
from engine.feeds.vendors.dukascopy_candles import decode_candles
from engine.store.schema import restated
from tests.engine.feeds.files import source_file
from tests.engine.feeds.mutations import mutations, survives
from tests.recordings import recording

DAY = "fx/dukascopy/EURUSD/2019/01/04"
START_MS = int(datetime(2019, 2, 4, tzinfo=UTC).timestamp()) * 1_000
TICKS = [[START_MS + 994, 1.14545, 1.14543, 1, 2.06], [START_MS + 1271, 1.14546, 1.14544, 1, 1]]
BARS = [
    [START_MS, 1.14543, 1.1457, 1.14542, 1.14569, 293.76],
    [START_MS + 60_000, 1.14569, 1.1458, 1.14565, 1.14575, 271.59],
]


def same(one: Columns, other: Columns) -> bool:
    arrays = zip(one.arrays().values(), other.arrays().values(), strict=True)
    precisions = (one.price_precision, one.size_precision) == (other.price_precision, other.size_precision)
    return precisions and all(np.array_equal(a, b) for a, b in arrays)


def from_rows(data: object, name: str = "eurusd-m1-bid-2019-02-04-2019-02-05.json") -> Decoded:
    text = data if isinstance(data, str | bytes) else json.dumps(data)
    return dukascopy_json.decode(source_file(text, name))


def from_feed(document: object, name: str = "EUR-USD/BID/2019/2/4.json") -> Decoded:
    text = document if isinstance(document, str | bytes) else json.dumps(document)
    return dukascopy_feed.decode(source_file(text, name))


def quotes(found: Decoded) -> Quotes:
    part = found.columns["quotes"]
    assert isinstance(part, Quotes)
    return part


def bars(found: Decoded, kind: str = "bars-1-MINUTE-BID") -> VendorBars:
    part = found.columns[kind]
    assert isinstance(part, VendorBars)
    return part


def hour() -> Quotes:
    path = recording(f"{DAY}/00h_ticks.bi5")
    part = decode_ticks(path.read_bytes(), hour_start_ns(path, None), 5).columns["quotes"]
    assert isinstance(part, Quotes)
    return part


def deltas(values: Sequence[int]) -> list[int]:
    return [0, *(later - one for one, later in itertools.pairwise(values))]


def feed_of(rows: Quotes) -> dict[str, object]:
    """Ticks as the chart feed codes them."""
    ms = (rows.ts_event // 10**6).tolist()
    return {
        "timestamp": ms[0],
        "multiplier": 1e-05,
        "ask": rows.ask[0] / 1e5,
        "bid": rows.bid[0] / 1e5,
        "times": deltas(ms),
        "asks": deltas(rows.ask.tolist()),
        "bids": deltas(rows.bid.tolist()),
        "askVolumes": [int(size) / 1e6 for size in rows.ask_size],
        "bidVolumes": [int(size) / 1e6 for size in rows.bid_size],
    }


def test_the_recorded_hour_equals_what_is_read_of_its_bi5() -> None:
    path = recording("fx/dukascopy_decoded/EURUSD_2019-02-04_00h_ticks.json")
    found = from_rows(path.read_bytes(), path.name)
    assert len(quotes(found)) == 3_733
    assert same(quotes(found), hour())
    assert found.timestamps == "milliseconds since 1970, UTC"
    assert detect(path, path.read_bytes()).name == "dukascopy-json"


def test_the_recorded_minutes_equal_the_vendors_candles() -> None:
    path = recording("fx/dukascopy_decoded/sample_m1_data.json")
    found = from_rows(path.read_bytes(), path.name)
    rows = bars(found)
    raw = recording(f"{DAY}/BID_candles_min_1.bi5").read_bytes()
    candles = bars(decode_candles(raw, START_MS * 10**6, 5))
    assert same(rows.take(rows.ts_event < (START_MS + 86_400_000) * 10**6), candles)
    assert any("taken as those of the bid" in note for note in found.notes)


def test_the_recorded_hours_are_bars_of_an_hour() -> None:
    path = recording("fx/dukascopy_decoded/sample_h1_data.json")
    found = from_rows(path.read_bytes(), path.name)
    rows = bars(found, "bars-1-HOUR-BID")
    assert (rows.open[0], rows.high[0], rows.low[0], rows.close[0]) == (114_482, 114_499, 114_462, 114_481)
    assert rows.volume[0] == 6_718_490_200
    assert rows.ts_event[0] == 1_548_979_200_000 * 10**6
    assert any("without ticks" in note for note in found.notes) == (
        len(rows) < len(json.loads(path.read_text()))
    )


def test_deltas_equal_what_is_read_of_the_bi5() -> None:
    rows = hour()
    text = json.dumps(feed_of(rows))
    assert same(quotes(from_feed(text)), rows)
    assert same(quotes(from_feed(f"_callbacks._1({text});")), rows)
    assert same(quotes(from_feed(gzip.compress(text.encode()))), rows)
    for data in (text.encode(), f"_callbacks._1({text});".encode()):
        assert detect(Path("4.json"), data).name == "dukascopy-feed"


def test_deltas_of_candles_are_bars() -> None:
    document = {
        "timestamp": START_MS,
        "shift": 60_000,
        "multiplier": 1e-05,
        "open": 1.14543,
        "high": 1.1457,
        "low": 1.14542,
        "close": 1.14569,
        "times": [0, 1, 2, 1],
        "opens": [0, 26, 5, 0],
        "highs": [0, 10, -6, 0],
        "lows": [0, 23, 9, 0],
        "closes": [0, 6, -1, 0],
        "volumes": [293.76, 271.59, 0, 0],
    }
    found = from_feed(document)
    rows = bars(found)
    assert (rows.ts_event // 10**6 - START_MS).tolist() == [0, 60_000]
    assert rows.open.tolist() == [114_543, 114_569]
    assert rows.high.tolist() == [114_570, 114_580]
    assert rows.low.tolist() == [114_542, 114_565]
    assert rows.close.tolist() == [114_569, 114_575]
    assert rows.volume.tolist() == [293_760_000, 271_590_000]
    assert found.notes == ("2 candles without ticks (the last close repeated, volume 0) are left out.",)
    assert "bars-1-MINUTE-ASK" in from_feed(document, "EUR-USD/ASK/2019/2/4.json").columns


def test_rows_as_objects_are_the_same_rows() -> None:
    tick_keys = ("timestamp", "askPrice", "bidPrice", "askVolume", "bidVolume")
    bar_keys = ("timestamp", "open", "high", "low", "close", "volume")
    as_ticks = from_rows([dict(zip(tick_keys, row, strict=True)) for row in TICKS])
    as_bars = from_rows([dict(zip(bar_keys, row, strict=True)) for row in BARS])
    assert same(quotes(as_ticks), quotes(from_rows(TICKS)))
    assert same(bars(as_bars), bars(from_rows(BARS)))


def test_every_digit_of_a_number_is_kept() -> None:
    rows = quotes(from_rows(f"[[{START_MS}, 100000000.12345678, 1e-8, 1.123456789, 1.14E0]]"))
    assert (rows.ask.tolist(), rows.bid.tolist(), rows.price_precision) == ([10_000_000_012_345_678], [1], 8)
    assert (rows.ask_size.tolist(), rows.size_precision) == ([1_123_456_789], 3)


def test_rows_that_are_none_are_left_out_with_reason_and_place() -> None:
    rows = [*TICKS, [START_MS, 0, 1, 1, 1], [START_MS, None, 1, 1, 1], [START_MS, 1, 1, -1, 1], [1, 2], 7]
    found = from_rows(rows)
    assert len(quotes(found)) == 2
    assert {(each.reason, each.count, each.first_line) for each in found.rejected} == {
        ("the ask volume is below 0", 1, 5),
        ("the ask volume is missing or no number", 2, 6),
        ("the ask is missing or no number", 1, 4),
        ("the ask is not above 0", 1, 3),
    }


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"asks": [0]}, "not equally long"),
        ({"asks": [0, None]}, "all rows after it would be wrong"),
        ({"asks": [0, 0.5]}, "all rows after it would be wrong"),
        ({"bids": 7}, "no list of bids"),
        ({"ask": None}, "ask is missing"),
        ({"multiplier": "x"}, "multiplier is missing"),
        ({"timestamp": 0.5}, "finer than a millisecond"),
        ({"asks": [0, 10**17], "multiplier": 100}, "more than 18 digits"),
    ],
)
def test_deltas_that_cannot_be_summed_are_refused(change: dict[str, object], said: str) -> None:
    document = {
        "timestamp": START_MS,
        "multiplier": 1e-05,
        "ask": 1.1,
        "bid": 1.1,
        "times": [0, 1],
        "asks": [0, 1],
        "bids": [0, 1],
        "askVolumes": [1, 1],
        "bidVolumes": [1, 1],
    }
    assert len(quotes(from_feed(document))) == 2
    with pytest.raises(Undecodable, match=said):
        from_feed(document | change)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ("[[1549238400994, 1.1", "cut off in line 1"),
        ("[" * 100_000, "nested too deeply"),
        ("[[1549238400994, 1.1]]", "neither time, ask, bid"),
        ('{"a": 1}', "no list of rows"),
        (b"[\xff]", "not UTF-8"),
    ],
)
def test_other_json_is_refused(data: str | bytes, said: str) -> None:
    with pytest.raises(Undecodable, match=said):
        from_rows(data)


def test_the_length_of_bars_is_told_by_name_or_steps() -> None:
    assert "bars-1-MINUTE-ASK" in from_rows(BARS[:1], "eurusd-m1-ask-2019.json").columns
    assert "bars-1-MINUTE-BID" in from_rows(BARS, "x.json").columns
    assert any("no two rows are closer" in note for note in from_rows(BARS, "eurusd-s1-bid.json").notes)
    with pytest.raises(Undecodable, match="how long a bar is"):
        from_rows(BARS[:1], "x.json")
    late = from_rows(BARS, "eurusd-m5-bid.json")
    assert [(each.reason, each.first_line) for each in late.rejected] == [
        ("the time lies between two bars", 2)
    ]


def test_rows_of_numbers_are_dukascopys_only_where_a_name_says_so() -> None:
    data = json.dumps(BARS).encode()
    for name in ("eurusd-m1-bid-2019-02-04-2019-02-05.json", "EURUSD_ticks.json", "dukascopy/x.json"):
        assert detect(Path(name), data).name == "dukascopy-json"
    with pytest.raises(Undecodable, match="no known form"):
        detect(Path("bitcoin.json"), data)


def test_an_answer_without_rows_is_no_error() -> None:
    names = ("times", "asks", "bids", "askVolumes", "bidVolumes")
    assert from_feed({name: [] for name in names}).columns == {}
    assert from_rows([]).columns == {}


def test_damaged_files_are_refused_or_told() -> None:
    ticks = recording("fx/dukascopy_decoded/EURUSD_2019-02-04_00h_ticks.json").read_bytes()[:4_000]
    whole = ticks[: ticks.rfind(b",\n")] + b"\n]"
    minutes = recording("fx/dukascopy_decoded/sample_m1_data.json").read_bytes()
    feed = json.dumps(feed_of(hour().take(slice(50)))).encode()
    for damaged in mutations(whole, 150):
        survives(dukascopy_json.decode, source_file(damaged, "x.json"))
    for damaged in mutations(minutes[:3_000] + b"]", 20):
        survives(dukascopy_json.decode, source_file(damaged, "m1-bid.json"))
    for damaged in mutations(feed, 150):
        survives(dukascopy_feed.decode, source_file(damaged, "x.json"))


@settings(max_examples=50)
@given(
    st.lists(
        st.tuples(st.integers(0, 10**6), *[st.integers(1, 10**8)] * 2, *[st.integers(0, 10**6)] * 2),
        min_size=1,
        max_size=20,
    )
)
def test_rows_and_deltas_give_the_ticks_that_they_were_made_of(rows: list[tuple[int, ...]]) -> None:
    ms, ask, bid, ask_size, bid_size = (np.array(column) for column in zip(*rows, strict=True))
    ts = (START_MS + ms) * 10**6
    ticks = Quotes(
        ts_event=ts,
        ts_init=ts,
        ask=ask,
        bid=bid,
        ask_size=ask_size * 10_000,
        bid_size=bid_size * 10_000,
        price_precision=5,
        size_precision=0,
    )
    decimals = [
        f"[{START_MS + row[0]}, {row[1]}e-5, {row[2]}e-5, {row[3] / 100}, {row[4] / 100}]" for row in rows
    ]
    assert same(quotes(from_feed(feed_of(ticks))), ticks)
    assert same(restated(quotes(from_rows(f"[{', '.join(decimals)}]")), 5, 0), ticks)
