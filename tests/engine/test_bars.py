"""Bars are exact, final once closed, and the same however their ticks arrive."""

import lzma
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.bars import BarBuilder, Bars, BarSpec, bars_of, price_and_size
from engine.columns import Quotes, Trades
from engine.errors import UserError
from tests.recordings import recording

SECOND = 1_000_000_000
MINUTE = 60 * SECOND

SPECS = ["1-SECOND-LAST", "2-SECOND-LAST", "1-TICK-LAST", "3-TICK-LAST", "1-VOLUME-LAST", "7-VOLUME-LAST"]
TICKS = st.lists(st.tuples(st.integers(0, 5 * SECOND), st.integers(90, 110), st.integers(0, 30)), max_size=40)


def rows(bars: Bars) -> list[list[int]]:
    return np.stack(list(bars.arrays().values()), axis=1).tolist()  # type: ignore[no-any-return]


def build(spec: str, ticks: Sequence[tuple[int, int, int]], cuts: Sequence[int] = ()) -> list[list[int]]:
    """Rows of the closed bars and, last, of the open one."""
    table = np.array(ticks, np.int64).reshape(len(ticks), 3)
    builder = BarBuilder(BarSpec.parse(spec), price_precision=2, size_precision=0)
    made = []
    for start, end in zip([0, *cuts], [*cuts, len(ticks)], strict=True):
        made += rows(builder.append(*table[start:end].T.copy()))
    return made + rows(builder.current)


def naive(spec_text: str, ticks: Sequence[tuple[int, int, int]]) -> list[list[int]]:
    spec, bars, key, filled = BarSpec.parse(spec_text), [], -1, 0
    for ts, price, whole_size in ticks:
        pieces = [whole_size]
        if spec.interval_ns:
            new = ts // spec.interval_ns > key
            key = max(key, ts // spec.interval_ns)
            opened = key * spec.interval_ns
        elif spec.aggregation == "TICK":
            new, opened = filled % spec.step == 0, ts
            filled += 1
        else:
            pieces = [1] * whole_size  # unit by unit: splitting at bar ends is then no special case
        for size in pieces:
            if spec.aggregation == "VOLUME":
                new, opened = filled % spec.step == 0, ts
                filled += 1
            if new:
                bars.append([opened, price, price, price, price, size])
                continue
            bar = bars[-1]
            bar[2], bar[3], bar[4] = max(bar[2], price), min(bar[3], price), price
            bar[5] += size
    return bars


@given(spec=st.sampled_from(SPECS), ticks=TICKS, cuts=st.lists(st.integers(0, 40), max_size=10).map(sorted))
def test_any_batching_gives_the_bars_of_one_tick_at_a_time(
    spec: str, ticks: list[tuple[int, int, int]], cuts: list[int]
) -> None:
    assert build(spec, ticks, cuts) == naive(spec, ticks)


def test_a_minute_bar_holds_its_first_instant_and_not_its_last() -> None:
    ticks = [(0, 5, 1), (MINUTE - 1, 7, 2), (MINUTE, 6, 4), (4 * MINUTE + 3, 8, 8)]
    assert build("1-MINUTE-LAST", ticks) == [
        [0, 5, 7, 5, 7, 3],
        [MINUTE, 6, 6, 6, 6, 4],
        [4 * MINUTE, 8, 8, 8, 8, 8],  # minutes 2 and 3 had no ticks and have no bars
    ]


def test_a_late_tick_counts_into_the_open_bar_and_leaves_closed_bars_alone() -> None:
    ticks = [(0, 5, 1), (MINUTE, 6, 1), (30, 9, 1)]
    assert build("1-MINUTE-LAST", ticks, [2]) == [[0, 5, 5, 5, 5, 1], [MINUTE, 6, 9, 6, 9, 2]]


def test_a_tick_that_overfills_a_volume_bar_is_split() -> None:
    ticks = [(1, 50, 4), (2, 60, 18), (3, 40, 2)]
    assert build("10-VOLUME-LAST", ticks) == [
        [1, 50, 60, 50, 60, 10],
        [2, 60, 60, 60, 60, 10],
        [2, 60, 60, 40, 40, 4],
    ]


def test_a_volume_step_is_in_units_of_the_base_currency() -> None:
    trades = Trades(
        ts_event=np.arange(4),
        ts_init=np.arange(4),
        price_precision=0,
        size_precision=3,
        price=np.array([1, 2, 3, 4]),
        size=np.array([500, 500, 999, 1]),
        aggressor=np.ones(4, np.uint8),
        trade_id=np.arange(4),
    )
    assert rows(bars_of(BarSpec.parse("1-VOLUME-LAST"), trades)) == [
        [0, 1, 2, 1, 2, 1000],
        [2, 3, 4, 3, 4, 1000],
    ]


def quotes(bid: list[int], ask: list[int]) -> Quotes:
    n = len(bid)
    return Quotes(
        ts_event=np.arange(n),
        ts_init=np.arange(n),
        price_precision=5,
        size_precision=0,
        bid=np.array(bid),
        ask=np.array(ask),
        bid_size=np.full(n, 3),
        ask_size=np.full(n, 4),
    )


def test_a_mid_of_odd_sum_is_exact_with_one_digit_more() -> None:
    bars = bars_of(BarSpec.parse("2-TICK-MID"), quotes([100, 104], [101, 106]))
    assert (bars.price_precision, bars.size_precision) == (6, 1)
    assert rows(bars) == [[0, 1005, 1050, 1005, 1050, 70]]


def test_each_price_type_reads_its_own_side() -> None:
    for spec, price, size in (("1-TICK-BID", 100, 3), ("1-TICK-ASK", 101, 4)):
        ticks = price_and_size(BarSpec.parse(spec), quotes([100], [101]))
        assert (ticks.price.tolist(), ticks.size.tolist()) == ([price], [size])


def test_an_unfinished_bar_is_given_only_for_time() -> None:
    ticks = quotes([1, 2, 3], [2, 3, 4])
    assert len(bars_of(BarSpec.parse("2-TICK-BID"), ticks)) == 1
    assert len(bars_of(BarSpec.parse("1-MINUTE-BID"), ticks)) == 1
    assert len(bars_of(BarSpec.parse("1-MINUTE-BID"), ticks.take(slice(0)))) == 0


@pytest.mark.parametrize(
    "text", ["1-MINUTE-BID", "30-SECOND-ASK", "12-HOUR-MID", "1-DAY-LAST", "100-TICK-LAST"]
)
def test_a_spec_reads_back_as_written(text: str) -> None:
    assert str(BarSpec.parse(text.lower())) == text


@pytest.mark.parametrize(
    ("text", "choice"),
    [
        ("1-MINUT-BID", "choose MINUTE"),
        ("1-MINUTE-BIT", "choose BID"),
        ("MINUTE", "1-MINUTE-BID"),
        ("0-TICK-LAST", "positive whole number"),
        ("x-TICK-LAST", "positive whole number"),
        ("7-MINUTE-BID", "6-MINUTE-BID"),
        ("60-SECOND-BID", "30-SECOND-BID"),
        ("2-DAY-BID", "1-DAY-BID"),
    ],
)
def test_a_bad_spec_names_the_nearest_valid_choices(text: str, choice: str) -> None:
    with pytest.raises(UserError, match=choice):
        BarSpec.parse(text)


def test_a_price_that_the_columns_lack_is_the_users_to_mend() -> None:
    with pytest.raises(UserError, match="made of trades, not of quotes"):
        bars_of(BarSpec.parse("1-MINUTE-LAST"), quotes([1], [2]))


def dukascopy(folder: Path, side: str) -> tuple[list[list[int]], np.ndarray]:
    """Minute bars of a recorded day's ticks, and the vendor's own candles as `s, o, c, l, h, v`."""
    tick = np.dtype([("ms", ">u4"), ("ask", ">u4"), ("bid", ">u4"), ("ask_size", ">f4"), ("bid_size", ">f4")])
    builder = BarBuilder(BarSpec.parse(f"1-MINUTE-{side}"), price_precision=5, size_precision=2)
    bars = []
    for hour in range(24):
        hours = np.frombuffer(lzma.decompress((folder / f"{hour:02d}h_ticks.bi5").read_bytes()), tick)
        size = np.rint(hours[f"{side.lower()}_size"].astype(np.float64) * 100).astype(np.int64)
        ts = (hours["ms"].astype(np.int64) + hour * 3_600_000) * 1_000_000
        bars += rows(builder.append(ts, hours[side.lower()].astype(np.int64), size))
    candle = np.dtype([(name, ">u4") for name in "soclh"] + [("v", ">f4")])
    raw = lzma.decompress((folder / f"{side}_candles_min_1.bi5").read_bytes())
    return bars + rows(builder.current), np.frombuffer(raw, candle)


@pytest.mark.parametrize("side", ["BID", "ASK"])
def test_minute_bars_of_recorded_ticks_equal_the_vendors_candles(side: str) -> None:
    made, candles = dukascopy(recording("fx/dukascopy/EURUSD/2019/01/04"), side)
    bars = np.array(made)
    # Every minute of this day has ticks, so no rule for empty minutes enters the comparison.
    assert len(candles) == len(bars) == 1440
    assert (bars[:, 0] == candles["s"] * np.int64(SECOND)).all()
    for column, name in enumerate("ohlc", start=1):
        assert (bars[:, column] == candles[name]).sum() == 1440, name
    assert bars[:, 5] / 100 == pytest.approx(candles["v"], rel=1e-4, abs=0.02)
