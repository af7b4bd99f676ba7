from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.bars import BarSpec, bars_of
from engine.columns import Quotes, VendorBars
from engine.feeds.decoded import Decoded, Undecodable
from engine.feeds.importing import import_files
from engine.feeds.vendors.dukascopy_candles import decode, decode_candles
from engine.store import Store
from tests.engine.feeds.files import CANDLE, bi5, known, source_file
from tests.engine.feeds.mutations import mutations, survives
from tests.recordings import recording

DAY = "fx/dukascopy/EURUSD/2019/01/04"
START_NS = int(datetime(2019, 2, 4, tzinfo=UTC).timestamp()) * 1_000_000_000
SECOND_NS = 1_000_000_000
FLAT = (114_500, 114_500, 114_500, 114_500)


def bars(found: Decoded, kind: str = "bars-1-MINUTE-BID") -> VendorBars:
    part = found.columns[kind]
    assert isinstance(part, VendorBars)
    return part


def candles(*rows: tuple[float, ...]) -> bytes:
    """Rows of (second, open, close, low, high, volume in millions)."""
    return bi5(rows, CANDLE)


@pytest.mark.parametrize("side", ["BID", "ASK"])
def test_the_vendors_candles_and_bars_of_its_ticks_are_the_same_in_the_store(
    tmp_path: Path, side: str
) -> None:
    store = Store(tmp_path)
    for path in (recording(DAY), recording(f"{DAY}/{side}_candles_min_1.bi5")):
        import_files([path], "EURUSD.DUKASCOPY", store, known())
    vendors = store.read("EURUSD.DUKASCOPY", f"bars-1-MINUTE-{side}")
    ticks = store.read("EURUSD.DUKASCOPY", "quotes")
    assert isinstance(vendors, VendorBars)
    assert isinstance(ticks, Quotes)
    ours = bars_of(BarSpec.parse(f"1-MINUTE-{side}"), ticks)
    assert len(vendors) == len(ours) == 1440
    assert np.array_equal(vendors.ts_event, ours.ts_open)
    assert (vendors.ts_init - vendors.ts_event == 60 * SECOND_NS).all()
    for name in ("open", "high", "low", "close"):
        assert np.array_equal(getattr(vendors, name), getattr(ours, name)), name


def test_volumes_are_the_vendors_decimals() -> None:
    path = recording(f"{DAY}/BID_candles_min_1.bi5")
    rows = bars(decode(source_file(path.read_bytes(), str(path))))
    assert rows.price_precision == 5
    assert rows.volume[0] / 10**rows.size_precision == 293_760_000
    made = bars(decode_candles(candles((60, 1, 1, 1, 1, 0.1), (120, 1, 1, 1, 1, 2.06)), 0, 5))
    assert (made.volume.tolist(), made.size_precision) == ([100_000, 2_060_000], 0)


def test_candles_that_no_tick_made_are_left_out_and_told() -> None:
    found = decode_candles(candles((0, *FLAT, 1.5), (60, *FLAT, 0), (120, *FLAT, 0)), START_NS, 5)
    assert bars(found).ts_event.tolist() == [START_NS]
    assert found.notes == ("2 candles without ticks (the last close repeated, volume 0) are left out.",)
    weekend = decode_candles(candles((0, *FLAT, 0)), START_NS, 5)
    assert weekend.columns == {}
    assert weekend.rejected == ()


def test_impossible_candles_are_left_out_with_reason_and_place() -> None:
    good = (0, 5, 6, 4, 7, 1.0)
    found = decode_candles(
        candles(
            good,
            (86_400, 5, 6, 4, 7, 1),
            (61, 5, 6, 4, 7, 1),
            (120, 5, 6, 0, 7, 1),
            (180, 5, 6, 4, 7, -1),
            (240, 5, 6, 4, 7, float("inf")),
            (300, 5, 6, 7, 4, 1),
            (360, 3, 6, 4, 7, 1),
            (420, 5, 8, 4, 7, 1),
        ),
        START_NS,
        5,
    )
    assert len(bars(found)) == 1
    assert [(each.reason, each.count, each.first_line) for each in found.rejected] == [
        ("the time lies outside the day that the file covers", 1, 2),
        ("the time lies between two candles", 1, 3),
        ("a price is 0", 1, 4),
        ("the volume is negative or no number", 2, 5),
        ("the high is below the low", 1, 7),
        ("the open lies outside its bar's high and low", 1, 8),
        ("the close lies outside its bar's high and low", 1, 9),
    ]


@pytest.mark.parametrize(
    ("path", "kind", "start"),
    [
        ("EURUSD/2019/01/04/ASK_candles_min_1.bi5", "bars-1-MINUTE-ASK", (2019, 2, 4)),
        ("EURUSD/2019/01/BID_candles_hour_1.bi5", "bars-1-HOUR-BID", (2019, 2, 1)),
        ("EURUSD/2019/BID_candles_day_1.bi5", "bars-1-DAY-BID", (2019, 1, 1)),
    ],
)
def test_name_and_path_tell_what_a_file_covers(path: str, kind: str, start: tuple[int, int, int]) -> None:
    rows = bars(decode(source_file(candles((0, 5, 6, 4, 7, 1.0)), f"/data/{path}")), kind)
    opened = int(datetime(*start, tzinfo=UTC).timestamp()) * SECOND_NS
    assert rows.ts_event.tolist() == [opened]


@pytest.mark.parametrize(
    ("path", "day", "said"),
    [
        ("BID_candles_min_1.bi5", None, "add --date"),
        ("2019/12/04/BID_candles_min_1.bi5", None, "is no day"),
        ("2019/12/BID_candles_hour_1.bi5", None, "is no day"),
        ("2019/01/04/BID_candles_min_1.bi5", date(2019, 1, 4), "leave --date out"),
        ("2019/01/04/candles.bi5", None, "does not tell which candles"),
    ],
)
def test_what_does_not_tell_its_time_is_refused(path: str, day: date | None, said: str) -> None:
    with pytest.raises(Undecodable, match=said):
        decode(source_file(candles((0, 5, 6, 4, 7, 1.0)), f"/data/{path}", day=day))


def test_the_users_day_stands_for_the_path() -> None:
    found = decode(source_file(candles((0, 5, 6, 4, 7, 1.0)), "BID_candles_hour_1.bi5", day=date(2019, 2, 4)))
    opened = int(datetime(2019, 2, 1, tzinfo=UTC).timestamp()) * SECOND_NS
    assert bars(found, "bars-1-HOUR-BID").ts_event.tolist() == [opened]


def test_damaged_candles_are_refused_or_told() -> None:
    data = recording(f"{DAY}/BID_candles_min_1.bi5").read_bytes()
    for damaged in mutations(data, 60):
        survives(decode, source_file(damaged, f"/data/{DAY}/BID_candles_min_1.bi5"))


@settings(max_examples=60)
@given(st.lists(st.tuples(*[st.integers(1, 2**32 - 1)] * 4, st.integers(0, 99_999)), max_size=20))
def test_what_was_encoded_is_decoded_exactly(rows: list[tuple[int, int, int, int, int]]) -> None:
    made = []
    for number, (*prices, volume) in enumerate(rows):
        low, open_, close, high = sorted(prices)
        made.append((number * 60, open_, close, low, high, (volume + 1) / 100))
    found = decode_candles(bi5(made, CANDLE), START_NS, 5).columns.get("bars-1-MINUTE-BID")
    if not rows:
        assert found is None
        return
    assert isinstance(found, VendorBars)
    expected = [
        (START_NS + s * SECOND_NS, o, h, low, c, round(v * 100) * 10**4) for s, o, c, low, h, v in made
    ]
    names = ("ts_event", "open", "high", "low", "close", "volume")
    assert list(zip(*(getattr(found, name).tolist() for name in names), strict=True)) == expected
