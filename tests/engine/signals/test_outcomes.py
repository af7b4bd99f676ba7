"""What came of rows and entries, against sums made by hand and against the plain definition."""

from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from engine.link.scripted import signal
from engine.messages.columns import PREDICTION, Rows
from engine.messages.events import Direction, SignalJudged
from engine.signals.outcomes import Entry, Judge
from engine.signals.protocols import Forecast, ModelFacts

BY_TWO_ROWS = ModelFacts(
    name="m",
    clock="quotes",
    streams=frozenset({"quotes"}),
    levels=0,
    bars="",
    is_regression=False,
    horizon_rows=2,
    horizon_ns=None,
    latency_ns=1_000,
    trained=None,
)
PRICES = np.array([100.0, 101.0, 102.0, 101.0, 100.0, 103.0])
"""Over two rows: up, unchanged, down, up."""

UP = (0.75, 0.75, 0.25, 0.75, 0.75, 0.75)


def said(ups: "tuple[float, ...]", times: "list[int] | None" = None) -> Rows:
    """Rows of two classes; their side is that of the larger probability."""
    rows = np.zeros(len(ups), PREDICTION)
    rows["ts"] = range(len(ups)) if times is None else times
    rows["up"] = ups
    rows["down"] = 1 - rows["up"]
    rows["score"] = rows["up"] - rows["down"]
    return rows


def entry(row: int, direction: Direction = 1, number: int = 1) -> Entry:
    return Entry(row, signal(number, direction, up=0.75, down=0.625))


def given(
    judge: Judge, rows: Rows, row: "np.ndarray[Any, Any]", price: "np.ndarray[Any, Any]", entries: list[Entry]
) -> list[SignalJudged]:
    """What comes of rows of which the model was asked every one."""
    return judge.take(rows, row, entries, rows["ts"], price)


def test_rows_are_judged_by_the_price_at_their_horizon() -> None:
    judge = Judge(BY_TWO_ROWS)
    given(judge, said(UP), np.arange(6), PRICES, [])
    outcomes = judge.outcomes
    assert outcomes.rows == 4  # the last two have no end yet
    # Each side was given 0.75, and it came for rows 0, 2 (down) and 3, not for row 1, which ended unchanged.
    assert [(group.predicted, group.realised, group.count) for group in outcomes.bins] == [(0.75, 0.75, 4)]
    assert outcomes.brier == pytest.approx((3 * 0.25**2 + 0.75**2) / 4)
    assert outcomes.ece == pytest.approx(0.0)
    assert (outcomes.signals, outcomes.hits, outcomes.expected) == (0, 0, None)


def test_bins_part_probabilities_in_tenths() -> None:
    judge = Judge(BY_TWO_ROWS)
    given(judge, said((0.75, 0.95, 0.25, 1.0, 0.5, 0.5)), np.arange(6), PRICES, [])
    bins = judge.outcomes.bins
    assert [group.count for group in bins] == [2, 2]  # 0.75 twice (up, down), then 0.95 and 1.0
    assert [group.realised for group in bins] == [1.0, 0.5]
    assert bins[1].predicted == pytest.approx(0.975)
    assert judge.outcomes.ece == pytest.approx((2 * 0.25 + 2 * 0.475) / 4)


def test_an_entry_is_told_when_its_horizon_has_passed_and_not_before() -> None:
    judge = Judge(BY_TWO_ROWS)
    assert given(judge, said(UP[:2]), np.arange(2), PRICES[:2], [entry(0)]) == []
    told = given(judge, said(UP[2:4], [2, 3]), np.arange(2, 4), PRICES[2:4], [entry(2, -1, 2)])
    assert [(event.signal, event.ts, event.price, event.hit) for event in told] == [(1, 2, 102.0, True)]
    told = given(judge, said(UP[4:], [4, 5]), np.arange(4, 6), PRICES[4:], [])
    assert [(event.signal, event.price, event.hit) for event in told] == [(2, 100.0, True)]
    assert (judge.outcomes.signals, judge.outcomes.hits) == (2, 2)
    assert judge.outcomes.expected == pytest.approx((0.75 + 0.625) / 2)


def test_an_unchanged_price_and_one_within_the_flat_zone_are_no_hits() -> None:
    for facts, row, hit in (
        (BY_TWO_ROWS, 1, False),
        (BY_TWO_ROWS, 0, True),
        (replace(BY_TWO_ROWS, flat_within=0.021), 0, False),
        (replace(BY_TWO_ROWS, flat_within=0.019), 0, True),
    ):
        (told,) = given(Judge(facts), said(UP), np.arange(6), PRICES, [entry(row)])
        assert told.hit is hit, (facts.flat_within, row)


@pytest.mark.parametrize("late", [0, 3, 40])
@pytest.mark.parametrize(
    ("stride", "horizon_rows", "horizon_ns"), [(50, None, 60), (7, 20, None), (7, 1, None)]
)
def test_rows_that_nobody_asked_of_still_tell_the_price_at_the_horizon(
    stride: int, horizon_rows: int | None, horizon_ns: int | None, late: int
) -> None:
    """Against the plain definition, row by row; answers may come after their horizon."""
    rng = np.random.default_rng(stride)
    count = 2_000
    times = np.cumsum(rng.integers(0, 5, count))
    price = 100 + rng.integers(-2, 3, count).cumsum() / 10
    asked = np.arange(30, count, stride)
    ups = rng.random(len(asked))
    judge = Judge(replace(BY_TWO_ROWS, horizon_rows=horizon_rows, horizon_ns=horizon_ns))
    told = []
    rows = said(tuple(ups), times[asked].tolist())
    for start in range(0, count, 10):
        answered = (asked >= start - late) & (asked < start - late + 10)
        entries = [Entry(int(row), signal(int(row), 1)) for row in asked[answered]]
        clock = slice(start, start + 10)
        told += judge.take(rows[answered], asked[answered], entries, times[clock], price[clock])
    hits, squares, ends = 0, [], []
    for row, up in zip(asked[asked < count - late], rows["up"][asked < count - late], strict=True):
        if horizon_rows is not None:
            end = row + horizon_rows
            if end >= count:
                break
        else:
            if times[row] + horizon_ns >= times[-1]:
                break
            end = max(at for at in range(count) if times[at] <= times[row] + horizon_ns)
        side = 1 if up > 0.5 else -1
        came = (price[end] / price[row] - 1) * side > 0
        squares.append((max(up, 1 - up) - came) ** 2)
        hits += price[end] > price[row]
        ends.append((int(row), int(times[end]), float(price[end])))
    assert len(ends) > 30
    assert [(event.signal, event.ts, event.price) for event in told] == ends
    assert (judge.outcomes.rows, judge.outcomes.hits) == (len(squares), hits)
    assert judge.outcomes.brier == pytest.approx(np.mean(squares), abs=1e-6)


def test_an_answer_that_comes_when_its_row_is_long_gone_is_not_judged(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("engine.signals.outcomes.LATE_ROWS", 3)
    judge = Judge(BY_TWO_ROWS)
    times, none = np.arange(6), np.empty(0, np.int64)
    judge.take(said(()), none, [], times, PRICES)
    answered = said((0.75, 0.75), [2, 3])
    told = judge.take(answered, np.array([2, 3]), [entry(2), entry(3, 1, 2)], none, np.empty(0))
    assert [(event.signal, event.ts, event.price) for event in told] == [(2, 5, 103.0)]
    assert judge.outcomes.rows == 1


def test_where_there_is_no_price_nothing_is_judged() -> None:
    price = np.array([100.0, 101.0, np.nan, 101.0])
    judge = Judge(BY_TWO_ROWS)
    told = given(judge, said(UP[:4]), np.arange(4), price, [entry(0), entry(1, 1, 2)])
    assert [event.signal for event in told] == [2]
    assert (judge.outcomes.rows, judge.outcomes.signals) == (1, 1)


def test_a_horizon_in_time_waits_until_no_row_can_come_before_its_end() -> None:
    judge = Judge(replace(BY_TWO_ROWS, horizon_rows=None, horizon_ns=10))
    assert given(judge, said((0.75, 0.75), [0, 10]), np.arange(2), PRICES[:2], [entry(0)]) == []
    (told,) = given(judge, said((0.75, 0.75), [10, 11]), np.arange(2, 4), np.array([98.0, 90.0]), [])
    assert (told.ts, told.price, told.hit) == (10, 98.0, False)


def test_a_quiet_market_keeps_its_price() -> None:
    """Nothing came within ten ns, so the price at the horizon is the row's own."""
    judge = Judge(replace(BY_TWO_ROWS, horizon_rows=None, horizon_ns=10))
    (told,) = given(judge, said((0.75, 0.75), [0, 50]), np.arange(2), np.array([100.0, 120.0]), [entry(0)])
    assert (told.ts, told.price, told.hit) == (0, 100.0, False)


def test_a_row_without_a_side_says_nothing_that_could_come_true() -> None:
    rows = said((0.5, 0.75, 0.75, 0.75))
    rows["score"][1] = np.nan
    judge = Judge(BY_TWO_ROWS)
    given(judge, rows, np.arange(4), PRICES[:4], [])
    assert judge.outcomes.rows == 0


def test_a_model_without_a_horizon_is_not_judged() -> None:
    judge = Judge(replace(BY_TWO_ROWS, horizon_rows=None))
    assert given(judge, said(UP), np.arange(6), PRICES, [entry(0)]) == []
    assert judge.outcomes.rows == 0


def test_a_regression_is_judged_by_its_correlation() -> None:
    rng = np.random.default_rng(5)
    price = 100 + rng.standard_normal(300).cumsum()
    rows = said((np.nan,) * 300)
    rows["score"] = rng.standard_normal(300)
    judge = Judge(replace(BY_TWO_ROWS, is_regression=True))
    given(judge, rows, np.arange(300), price, [Entry(3, signal(up=None, down=None))])
    outcomes = judge.outcomes
    expected = np.corrcoef(rows["score"][:298], price[2:] / price[:-2] - 1)[0, 1]
    assert outcomes.correlation == pytest.approx(expected, abs=1e-6)
    assert (outcomes.bins, outcomes.brier, outcomes.ece, outcomes.expected) == ([], None, None, None)
    assert outcomes.signals == 1


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("by_rows", [True, False])
def test_any_batching_gives_the_same(*, by_rows: bool, seed: int) -> None:
    rng = np.random.default_rng(seed)
    count = 400
    times = np.cumsum(rng.integers(0, 3, count))
    row = np.arange(count)
    price = 100 + rng.integers(-2, 3, count).cumsum() / 10
    rows = said(tuple(rng.random(count)), list(times))
    facts = replace(
        BY_TWO_ROWS, horizon_rows=7 if by_rows else None, horizon_ns=None if by_rows else 11, flat_within=1e-3
    )
    places = np.sort(rng.choice(count, 40, replace=False))
    entries = [Entry(int(row[place]), signal(i + 1, 1)) for i, place in enumerate(places)]
    whole = Judge(facts)
    expected = given(whole, rows, row, price, entries)
    assert len(expected) > 30
    parts = Judge(facts)
    told = []
    cuts = [0, *np.sort(rng.integers(0, count, 30)).tolist(), count]
    for start, end in pairwise(cuts):
        due = [e for e, place in zip(entries, places, strict=True) if start <= place < end]
        told += given(parts, rows[start:end], row[start:end], price[start:end], due)
    assert told == expected
    assert parts.outcomes.rows == whole.outcomes.rows
    assert parts.outcomes.brier == pytest.approx(whole.outcomes.brier)
    assert parts.outcomes.correlation == pytest.approx(whole.outcomes.correlation)
    assert [group.count for group in parts.outcomes.bins] == [group.count for group in whole.outcomes.bins]


def test_forecasts_of_a_stream_are_judged_as_rows_are() -> None:
    rows = said(UP)
    forecasts = [
        Forecast(i, i, float(row["down"]), 0.0, float(row["up"]), float(row["score"]), float(price), np.nan)
        for i, (row, price) in enumerate(zip(rows, PRICES, strict=True))
    ]
    one, other = Judge(BY_TWO_ROWS), Judge(BY_TWO_ROWS)
    told = one.take_forecasts(forecasts, [entry(0)], np.arange(6), PRICES)
    assert told == given(other, rows, np.arange(6), PRICES, [entry(0)])
    assert one.outcomes == other.outcomes
    assert one.take_forecasts([], [], np.empty(0, np.int64), np.empty(0)) == []
