import json
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.columns import Quotes
from engine.feeds.decoded import Undecodable
from engine.feeds.quality import crossed
from engine.feeds.vendors.dukascopy import decode_ticks, hour_start_ns
from tests.engine.feeds.files import CANDLE, bi5
from tests.recordings import recording

START_NS = int(datetime(2019, 2, 4, tzinfo=UTC).timestamp()) * 1_000_000_000


def recorded_day() -> Quotes:
    folder = recording("fx/dukascopy/EURUSD/2019/01/04")
    parts = []
    for path in sorted(folder.glob("*h_ticks.bi5")):
        part = decode_ticks(path.read_bytes(), hour_start_ns(path, None), 5).columns["quotes"]
        assert isinstance(part, Quotes)
        parts.append(part)
    return Quotes.concat(parts)


def test_a_recorded_day_has_the_vendors_ticks() -> None:
    day = recorded_day()
    assert len(day) == 136_741
    assert (day.ts_event[0] // 10**6, day.bid[0], day.ask[0]) == (1549238400994, 114_543, 114_545)
    assert (day.ts_event[-1] // 10**6, day.bid[-1], day.ask[-1]) == (1549324797992, 114_349, 114_355)
    assert (day.bid.max(), day.bid.min()) == (114_603, 114_244)
    assert not crossed(day).any()
    assert (np.diff(day.ts_event) >= 0).all()


def test_an_hour_equals_what_another_decoder_made_of_it() -> None:
    theirs = json.loads(recording("fx/dukascopy_decoded/EURUSD_2019-02-04_00h_ticks.json").read_bytes())
    path = recording("fx/dukascopy/EURUSD/2019/01/04/00h_ticks.bi5")
    mine = decode_ticks(path.read_bytes(), hour_start_ns(path, None), 5).columns["quotes"]
    assert isinstance(mine, Quotes)
    assert len(mine) == len(theirs) == 3_733
    expected = np.array(
        [
            [ms, round(a * 1e5), round(b * 1e5), round(av * 1e6), round(bv * 1e6)]
            for ms, a, b, av, bv in theirs
        ]
    )
    found = np.stack([mine.ts_event // 10**6, mine.ask, mine.bid, mine.ask_size, mine.bid_size], axis=1)
    assert mine.size_precision == 0
    assert np.array_equal(found, expected)


def test_the_tick_sizes_of_pairs_are_the_vendors() -> None:
    from tests.engine.feeds.files import known

    meta = json.loads(recording("fx/dukascopy_decoded/instrument-meta-data.json").read_bytes())
    known_pairs = known()
    majors = "EURUSD GBPUSD USDCHF AUDUSD NZDUSD USDCAD USDJPY EURJPY GBPJPY EURCHF EURGBP AUDNZD USDSEK "
    majors += (
        "USDNOK USDMXN USDZAR USDTRY USDCNH USDHKD USDSGD EURPLN EURHUF USDHUF EURCZK USDTHB XAUUSD XAGUSD"
    )
    for pair in majors.split():
        instrument = known_pairs.find(f"{pair}.DUKASCOPY").instrument
        assert 10**instrument.price_precision == meta[pair.lower()]["decimalFactor"], pair


@given(
    st.lists(
        st.tuples(
            st.integers(0, 3_599_999),
            st.integers(1, 2**32 - 1),
            st.integers(1, 2**32 - 1),
            st.integers(0, 99_999),
            st.integers(0, 99_999),
        ),
        max_size=30,
    )
)
def test_what_was_encoded_is_decoded_exactly(rows: list[tuple[int, int, int, int, int]]) -> None:
    """Volumes in hundredths of a million, as the vendor quotes them, survive their float32."""
    data = bi5([(ms, ask, bid, av / 100, bv / 100) for ms, ask, bid, av, bv in rows])
    quotes = decode_ticks(data, START_NS, 5).columns.get("quotes")
    if not rows:
        assert quotes is None
        return
    assert isinstance(quotes, Quotes)
    assert quotes.size_precision == 0
    expected = [(START_NS + ms * 10**6, ask, bid, av * 10**4, bv * 10**4) for ms, ask, bid, av, bv in rows]
    found = zip(quotes.ts_event, quotes.ask, quotes.bid, quotes.ask_size, quotes.bid_size, strict=True)
    assert [tuple(int(each) for each in row) for row in found] == expected


def test_an_hour_without_ticks_is_no_error() -> None:
    assert decode_ticks(b"", 0, 5).columns == {}
    assert decode_ticks(recording("fx/dukascopy_edge/empty.bi5").read_bytes(), 0, 5).columns == {}


def test_impossible_records_are_left_out_with_reason_and_place() -> None:
    good = (5, 114_545, 114_543, 1.0, 2.0)
    rows = [
        good,
        (3_600_000, 9, 9, 1, 1),
        (6, 0, 9, 1, 1),
        good,
        (7, 9, 9, float("nan"), 1),
        (8, 9, 9, 1, -1),
    ]
    decoded = decode_ticks(bi5(rows), START_NS, 5)
    assert len(decoded.columns["quotes"]) == 2
    assert {(each.reason, each.count, each.first_line) for each in decoded.rejected} == {
        ("the time lies outside the hour of the file", 1, 2),
        ("a price is 0", 1, 3),
        ("a volume is negative or no number", 2, 5),
    }


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda data: data[:-20], "cut off"),
        (lambda data: data[:10], "cut off"),
        (lambda data: b"timestamp,bid,ask\n" + data, "no LZMA"),
        (lambda data: data + b"more", "after its end"),
        (lambda data: bi5([(1, 2, 3, 4, 5)]) + bi5([(1, 2, 3, 4, 5)]), "after its end"),
    ],
)
def test_damaged_files_are_refused(damage, said: str) -> None:  # type: ignore[no-untyped-def]
    data = bi5([(n, 114_545 + n, 114_543, 1.5, 2.25) for n in range(500)])
    with pytest.raises(Undecodable, match=said):
        decode_ticks(damage(data), START_NS, 5)


def test_a_file_of_other_records_is_refused() -> None:
    with pytest.raises(Undecodable, match="20-byte records"):
        decode_ticks(bi5([(60, 1, 2, 3, 4, 5.0)], CANDLE), START_NS, 5)


def test_the_month_in_a_path_counts_from_zero() -> None:
    assert hour_start_ns(Path("x/EURUSD/2019/01/04/07h_ticks.bi5"), None) == START_NS + 7 * 3_600 * 10**9
    assert hour_start_ns(Path("downloads/07h_ticks.bi5"), date(2019, 2, 4)) == START_NS + 7 * 3_600 * 10**9


@pytest.mark.parametrize(
    ("path", "day", "said"),
    [
        ("07h_ticks.bi5", None, "--date"),
        ("2019/01/30/07h_ticks.bi5", None, "is no day"),
        ("2019/12/01/07h_ticks.bi5", None, "is no day"),
        ("2019/01/04/ticks.bi5", None, "hour"),
        ("2019/01/04/24h_ticks.bi5", None, "hour"),
        ("2019/01/04/07h_ticks.bi5", date(2019, 1, 4), "leave --date out"),
    ],
)
def test_a_path_that_does_not_tell_the_hour_is_refused(path: str, day: date | None, said: str) -> None:
    with pytest.raises(Undecodable, match=said):
        hour_start_ns(Path("/data") / path, day)
