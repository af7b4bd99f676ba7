"""Each fault, put into clean data, is found by its check alone, and exactly where it was put."""

from pathlib import Path

import numpy as np
import pytest
from msgspec.structs import replace

from engine.columns import Action, Flag, Quotes, Side, Snapshots, Trades, VendorBars, bars_kind
from engine.feeds.simulated import PROFILES, simulate
from engine.quality import Limits
from engine.store import Store
from tests.engine.quality.markets import (
    CRYPTO,
    DAY_NS,
    FX,
    HOUR_NS,
    MINUTE_NS,
    MONDAY,
    SECOND_NS,
    at,
    checked,
    market,
    only,
    shifted,
    trades,
    vendor_bars,
    walk,
    with_values,
    without,
)


@pytest.mark.parametrize("seed", range(3))
def test_a_clean_market_has_no_findings(tmp_path: Path, seed: int) -> None:
    for name, seconds in (("fx", 300), ("crypto", 40)):
        made = simulate(PROFILES[name], seed, MONDAY, seconds)
        parts = {"quotes": made.quotes, "trades": made.trades, "deltas": made.deltas}
        result = checked(tmp_path / name, parts, made.instrument)
        assert result.findings == []
        assert result.score == 100


def test_quotes_at_random_have_no_findings(tmp_path: Path) -> None:
    result = checked(tmp_path, {"quotes": walk(60_000)})
    assert (result.findings, result.score, result.notes) == ([], 100, [])


def test_a_gap_is_found_between_the_rows_at_its_sides(tmp_path: Path) -> None:
    start, end = MONDAY + 100 * SECOND_NS, MONDAY + 190 * SECOND_NS
    quotes = without(walk(60_000), start, end)
    gap = only(checked(tmp_path, {"quotes": quotes}))
    before = int(np.searchsorted(quotes.ts_event, start)) - 1
    assert (gap.check, gap.severity, gap.day, gap.first_row, gap.rows) == (
        "gap",
        "warning",
        "2019-02-04",
        before,
        0,
    )
    assert (gap.start_ns, gap.end_ns) == (quotes.ts_event[before], quotes.ts_event[before + 1])
    assert gap.value == pytest.approx(90, abs=0.1)
    assert gap.text == "No quotes for 1 min 30 s while the market was open."


def test_the_weekend_and_holidays_of_currencies_are_no_gap(tmp_path: Path) -> None:
    friday, sunday = at("2019-02-01T21:55:00"), at("2019-02-03T22:00:00")
    christmas = at("2018-12-24T21:55:00"), at("2018-12-25T22:00:00")
    for number, (last, first) in enumerate([(friday, sunday), christmas]):
        before, after = walk(30_000, start_ns=last), walk(30_000, start_ns=first)
        both = Quotes.concat([without(before, last + 5 * MINUTE_NS, 2**62), after])
        assert checked(tmp_path / str(number), {"quotes": both}).findings == []


def test_the_same_silence_of_an_always_open_venue_is_a_gap(tmp_path: Path) -> None:
    last, first = at("2019-02-01T21:55:00"), at("2019-02-03T22:00:00")
    quotes = Quotes.concat(
        [walk(20_000, start_ns=last, instrument=CRYPTO), walk(20_000, start_ns=first, instrument=CRYPTO)]
    )
    result = checked(tmp_path, {"quotes": quotes}, CRYPTO)
    assert [(each.check, each.severity) for each in result.findings] == [
        ("gap", "warning"),
        ("gap", "error"),
        ("gap", "warning"),
    ]
    assert [each.value for each in result.findings] == [
        pytest.approx(122 * 60, abs=30),
        86_400,
        pytest.approx(22 * 3_600, abs=1),
    ]
    assert "whole session that ends on 2019-02-02" in result.findings[1].text


def test_missing_days_are_one_finding_each_and_cost_their_time(tmp_path: Path) -> None:
    hourly = np.arange(0, 5 * DAY_NS, 30 * SECOND_NS)
    quotes = walk(len(hourly), start_ns=0)
    times = at("2019-02-04T00:00:00") + hourly
    quotes = quotes.with_arrays({"ts_event": times, "ts_init": times})
    quotes = without(quotes, at("2019-02-05T22:00:00"), at("2019-02-07T22:00:00"))
    result = checked(tmp_path, {"quotes": quotes})
    assert [each.text for each in result.findings] == [
        "No quotes in the whole session that ends on 2019-02-06 (UTC).",
        "No quotes in the whole session that ends on 2019-02-07 (UTC).",
    ]
    (kind,) = result.kinds
    assert kind.missing_ns == DAY_NS  # 6 February has no file
    # Of 118 open hours those of the missing day are lost, and all points of 7 February, which nearly all is
    # missing; the last two hours of the 5th are a twelfth, which costs a sixth.
    assert result.score == pytest.approx(100 * (1 - (24 + 24 + 24 / 6) / 118))


def test_days_years_apart_are_as_good_as_each_of_them(tmp_path: Path) -> None:
    """What lies between was never imported: one note, no points, and no open time of either day."""
    day = walk(60_000)
    rows = np.arange(0, 60_000, 20)
    day = with_values(day, rows, ask=day.bid[rows] - 1)
    alone = checked(tmp_path / "alone", {"quotes": day})
    later = walk(4, start_ns=at("2024-07-30T12:00:00"))
    both = checked(tmp_path / "both", {"quotes": Quotes.concat([day, later])})
    (note,) = (each for each in both.findings if each.check == "gap")
    assert (note.severity, note.day, note.first_row, note.rows) == ("note", "2019-02-04", 59_999, 0)
    assert (note.start_ns, note.end_ns) == (day.ts_event[-1], later.ts_event[0])
    # 1,430 weekdays from 5 February 2019 to 29 July 2024, less three each of Christmas and New Year's Day.
    assert note.text == "Not imported: quotes of 1,424 sessions from 2019-02-04 to 2024-07-30 (UTC)."
    assert both.found == alone.found + 1
    assert both.kinds[0].missing_ns == 0
    assert alone.score is not None
    assert 0 < alone.score < 90
    assert both.score == pytest.approx(alone.score, abs=0.01)
    assert [each.score for each in both.days] == [alone.score, 100]
    (told,) = (each for each in both.kinds[0].reasons if each.check == "gap")
    assert (told.note, told.points, told.text) == (True, 0, "gap: 1 finding")


@pytest.mark.parametrize(("days", "severities"), [(5, ["error"] * 5), (6, ["note"])])
def test_a_hole_counts_up_to_a_trading_week(tmp_path: Path, days: int, severities: list[str]) -> None:
    """By days of a venue that never closes, from one midnight to another."""
    seconds = np.arange(0, DAY_NS, 10 * SECOND_NS)
    monday = at("2019-02-04T00:00:00")
    times = np.concatenate([monday + seconds, monday + (1 + days) * DAY_NS + seconds])
    quotes = walk(len(times), instrument=CRYPTO).with_arrays({"ts_event": times, "ts_init": times})
    result = checked(tmp_path, {"quotes": quotes}, CRYPTO)
    assert [each.severity for each in result.findings if each.check == "gap"] == severities
    counted = 2 if severities == ["note"] else 2 + days
    assert result.score == pytest.approx(100 * 2 / counted, abs=0.1)


def test_a_gap_is_found_among_days_that_lie_far_apart(tmp_path: Path) -> None:
    """Forty days of two hundred rows: the holes between them do not make a long silence usual."""
    minutes = np.arange(200) * MINUTE_NS
    times = np.concatenate([MONDAY + number * 14 * DAY_NS + minutes for number in range(40)])
    times = times[~((times > times[4_130]) & (times < times[4_190]))]
    quotes = walk(len(times)).with_arrays({"ts_event": times, "ts_init": times})
    found = [each for each in checked(tmp_path, {"quotes": quotes}).findings if each.check == "gap"]
    assert [each.value for each in found if each.severity == "warning"] == [3_600]
    assert [each.severity for each in found].count("note") == 39


def test_bars_of_days_years_apart_cost_nothing(tmp_path: Path) -> None:
    """A file of bars is a year, so the hole lies inside of both."""
    days = [
        vendor_bars(walk(90_000, start_ns=at(day)), "1-MINUTE-BID") for day in ("2019-02-04", "2021-03-09")
    ]
    result = checked(tmp_path, {bars_kind("1-MINUTE-BID"): VendorBars.concat(days)})
    assert [(each.check, each.severity) for each in result.findings] == [("gap", "note")]
    assert [each.score for each in result.days] == [100, 100]
    assert result.score == 100


def test_a_thin_hour_borrows_what_is_usual_from_those_around_it(tmp_path: Path) -> None:
    """Three rows in the last hour say nothing of it; a silence of a minute there is like those before."""
    rng = np.random.default_rng(3)
    times = MONDAY + np.cumsum(rng.exponential(20 * SECOND_NS, 1_500)).astype(np.int64)
    end = times[-1] // HOUR_NS * HOUR_NS
    times = np.concatenate([times[times < end], end + np.array([1, 2, 3]), [end + 90 * SECOND_NS]])
    quotes = walk(len(times)).with_arrays({"ts_event": times, "ts_init": times})
    assert [each for each in checked(tmp_path, {"quotes": quotes}).findings if each.check == "gap"] == []


@pytest.mark.parametrize("quiet_first", [False, True])
def test_a_silence_between_a_busy_and_a_quiet_hour_is_held_to_the_quiet(
    tmp_path: Path, *, quiet_first: bool
) -> None:
    """Ten rows a second and one a minute, in either order: the minute between them lies in both hours."""
    busy = np.arange(0, HOUR_NS - 10 * SECOND_NS, SECOND_NS // 10)
    quiet = np.arange(HOUR_NS + 50 * SECOND_NS, 20 * HOUR_NS, 60 * SECOND_NS)
    after = np.concatenate([busy, quiet])
    times = MONDAY + (20 * HOUR_NS - after[::-1] if quiet_first else after)
    quotes = walk(len(times)).with_arrays({"ts_event": times, "ts_init": times})
    assert [each for each in checked(tmp_path, {"quotes": quotes}).findings if each.check == "gap"] == []


def test_a_frozen_price_is_stale_while_rows_keep_coming(tmp_path: Path) -> None:
    quotes = walk(60_000)
    rows = slice(20_000, 30_001)  # about 100 s
    frozen = with_values(quotes, rows, bid=quotes.bid[20_000], ask=quotes.ask[20_000])
    stale = only(checked(tmp_path, {"quotes": frozen}))
    assert (stale.check, stale.severity, stale.first_row, stale.rows) == ("stale", "warning", 20_000, 10_001)
    assert (stale.start_ns, stale.end_ns) == (quotes.ts_event[20_000], quotes.ts_event[30_000])


def test_a_price_is_not_stale_over_a_silence_and_ends_with_its_file(tmp_path: Path) -> None:
    """Of 40 s before midnight and 40 s after it, parted or with a silence between, none is a minute long."""
    midnight = MONDAY // DAY_NS * DAY_NS + DAY_NS
    quotes = shifted(walk(60_000), midnight - MONDAY - 300 * SECOND_NS)
    for pause, first in ((0, midnight), (70 * SECOND_NS, midnight + 60 * SECOND_NS)):
        frozen = np.abs(quotes.ts_event - first) <= 40 * SECOND_NS
        price = int(quotes.bid[frozen][0])
        same = with_values(quotes, frozen, bid=price, ask=price + 1)
        late = same.ts_event + np.where(same.ts_event > first, pause, 0)
        result = checked(
            tmp_path / str(pause), {"quotes": same.with_arrays({"ts_event": late, "ts_init": late})}
        )
        assert {each.check for each in result.findings} - {"spike"} == ({"gap"} if pause else set())


@pytest.mark.parametrize(("spread", "name"), [(-3, "crossed"), (0, "locked")])
def test_quotes_that_no_venue_shows(tmp_path: Path, spread: int, name: str) -> None:
    quotes = walk(20_000)
    bad = with_values(quotes, [500, 502], ask=quotes.bid[[500, 502]] + spread)
    found = only(checked(tmp_path, {"quotes": bad}))
    assert (found.check, found.first_row, found.rows) == (name, 500, 3)
    assert found.text.startswith("2 rows have")
    assert found.value == (pytest.approx(0.00003) if spread else None)


def test_a_crossed_whole_book_is_found_and_a_missing_side_is_none(tmp_path: Path) -> None:
    quotes = walk(2_000)
    books = Snapshots(
        ts_event=quotes.ts_event,
        ts_init=quotes.ts_init,
        bid=np.stack([quotes.bid, quotes.bid - 1], axis=1),
        ask=np.stack([quotes.ask, quotes.ask + 1], axis=1),
        bid_size=np.stack([quotes.bid_size, quotes.bid_size], axis=1),
        ask_size=np.stack([quotes.ask_size, quotes.ask_size], axis=1),
        price_precision=quotes.price_precision,
        size_precision=quotes.size_precision,
    )
    ask, size = books.ask.copy(), books.ask_size.copy()
    ask[700] = books.bid[700] - 2
    ask[900], size[900] = 0, 0
    found = only(checked(tmp_path, {"depth": books.with_arrays({"ask": ask, "ask_size": size})}))
    assert (found.kind, found.check, found.first_row, found.rows) == ("depth", "crossed", 700, 1)


@pytest.mark.parametrize("row", [9_000, 16_383, 16_384, 32_767])
def test_a_spike_is_the_rows_that_left_and_came_back(tmp_path: Path, row: int) -> None:
    quotes = walk(40_000)
    rows = slice(row, row + 3)
    bad = with_values(quotes, rows, bid=quotes.bid[rows] + 600, ask=quotes.ask[rows] + 600)
    spike = only(checked(tmp_path, {"quotes": bad}))
    assert (spike.check, spike.severity, spike.first_row, spike.rows) == ("spike", "error", row, 3)
    assert spike.value == pytest.approx(1e4 * 600 / 110_000, rel=0.1)


def test_a_price_that_stays_is_a_jump_and_costs_nothing(tmp_path: Path) -> None:
    quotes = walk(40_000)
    later = slice(9_000, None)
    moved = with_values(quotes, later, bid=quotes.bid[later] + 600, ask=quotes.ask[later] + 600)
    result = checked(tmp_path, {"quotes": moved})
    jump = only(result)
    assert (jump.check, jump.severity, jump.first_row, jump.rows) == ("spike", "note", 9_000, 1)
    assert result.score == 100


def test_a_quiet_market_that_moves_a_tick_has_no_spike(tmp_path: Path) -> None:
    """A tick of ten basis points: most moves are of one tick, some of three, and none is unusual."""
    quotes = walk(20_000)
    rng = np.random.default_rng(5)
    bid = 1_000 + rng.choice([0, 1, -1, 3], len(quotes), p=[0.9, 0.045, 0.045, 0.01])
    result = checked(tmp_path, {"quotes": quotes.with_arrays({"bid": bid, "ask": bid + 1})})
    assert [each for each in result.findings if each.check == "spike"] == []


def test_returns_that_hardly_differ_are_measured_by_half_a_tick_at_least(tmp_path: Path) -> None:
    """A price that only ever rises by one tick has no spread of returns; three ticks at once are no alarm."""
    quotes = walk(8_000)
    bid = 1_000 + np.arange(8_000) // 80 + np.where(np.arange(8_000) >= 4_000, 2, 0)
    result = checked(tmp_path, {"quotes": quotes.with_arrays({"bid": bid, "ask": bid + 1})})
    assert result.findings == []


def test_a_move_over_the_weekend_is_no_jump(tmp_path: Path) -> None:
    last, first = at("2019-02-01T21:55:00"), at("2019-02-03T22:00:00")
    before, after = (
        without(walk(30_000, start_ns=last), last + 5 * MINUTE_NS, 2**62),
        walk(9_000, start_ns=first),
    )
    after = after.with_arrays({"bid": after.bid + 5_000, "ask": after.ask + 5_000})
    assert checked(tmp_path, {"quotes": Quotes.concat([before, after])}).findings == []


def test_rows_that_stand_twice(tmp_path: Path) -> None:
    """Trades of one moment are usual; rows that agree in everything are told, but may be two real trades."""
    times = np.sort(MONDAY + np.random.default_rng(1).integers(0, 400 * SECOND_NS, 5_000))
    made = trades(times, 110_000 + np.arange(5_000) % 7, np.zeros(5_000, np.int64))
    same = np.insert(np.arange(5_000), 1_200, 1_200)
    found = only(checked(tmp_path, {"trades": made.take(same)}))
    assert (found.check, found.severity, found.first_row, found.rows) == ("duplicate-time", "note", 1_201, 1)


def test_receive_times_before_the_event_tell_how_far(tmp_path: Path) -> None:
    quotes = walk(20_000)
    late = with_values(quotes, slice(None), ts_init=quotes.ts_event + 5_000_000)
    behind = with_values(late, [77], ts_init=quotes.ts_event[77] - 2_500_000)
    found = [each for each in checked(tmp_path, {"quotes": behind}).findings if "clock" in each.text]
    assert [
        (each.check, each.severity, each.first_row, each.rows) for each in found if "clock" in each.text
    ] == [("time-reversed", "note", 77, 1)]
    assert found[0].value == 2.5


def test_receive_times_that_run_backwards_are_found(tmp_path: Path) -> None:
    quotes = walk(20_000)
    lag = np.where(np.arange(20_000) < 900, 3 * SECOND_NS, SECOND_NS)
    found = only(checked(tmp_path, {"quotes": quotes.with_arrays({"ts_init": quotes.ts_event + lag})}))
    assert (found.check, found.severity, found.first_row, found.rows) == ("time-reversed", "warning", 900, 1)
    assert found.value == pytest.approx(2_000, abs=20)


def test_missing_trade_ids_tell_how_many(tmp_path: Path) -> None:
    made = market()
    kept = np.ones(len(made.trades), np.bool_)
    kept[1_000:1_005] = False
    result = checked(tmp_path, {"trades": made.trades.take(kept)}, made.instrument)
    found = only(result)
    assert (found.check, found.first_row, found.rows, found.value) == ("sequence-gap", 1_000, 1, 5)
    assert found.text == "5 trade ids are missing before this trade."


def test_trade_ids_of_time_that_was_never_imported_are_not_missing(tmp_path: Path) -> None:
    made = market().trades
    later = shifted(made, 14 * DAY_NS)
    later = later.with_arrays({"trade_id": later.trade_id + made.trade_id[-1] + 500})
    result = checked(tmp_path, {"trades": Trades.concat([made, later])}, CRYPTO)
    assert [(each.check, each.severity) for each in result.findings] == [("gap", "note")]
    assert result.score == 100


def test_trade_ids_of_one_moment_may_come_in_any_order(tmp_path: Path) -> None:
    made = market().trades
    ids = made.trade_id.copy()
    for start in range(0, len(ids) - 4, 4):
        ids[start : start + 4] = ids[start : start + 4][::-1]
    assert checked(tmp_path, {"trades": made.with_arrays({"trade_id": ids})}, CRYPTO).findings == []


def test_a_venue_that_counts_all_its_instruments_together_misses_nothing(tmp_path: Path) -> None:
    made = market().trades
    assert (
        checked(tmp_path, {"trades": made.with_arrays({"trade_id": made.trade_id * 7})}, CRYPTO).findings
        == []
    )


@pytest.mark.parametrize("ticks", [1, -1])
def test_a_trade_outside_all_quotes_of_its_moment(tmp_path: Path, ticks: int) -> None:
    made = market()
    row = len(made.trades) // 2
    around = np.abs(made.quotes.ts_init - made.trades.ts_init[row]) < 2 * SECOND_NS
    highest, lowest = int(made.quotes.ask[around].max()), int(made.quotes.bid[around].min())
    bad = with_values(made.trades, [row], price=highest + 1 if ticks > 0 else lowest - 1)
    found = only(checked(tmp_path, {"quotes": made.quotes, "trades": bad}, made.instrument))
    assert (found.kind, found.check, found.first_row, found.rows) == ("trades", "trade-outside-book", row, 1)
    assert found.value is not None
    assert found.value >= 0.1


def test_clocks_that_differ_by_less_than_the_window_make_no_alarm(tmp_path: Path) -> None:
    made = market()
    late = shifted(made.quotes, SECOND_NS // 5)
    assert checked(tmp_path, {"quotes": late, "trades": made.trades}, made.instrument).findings == []


def test_a_book_that_lost_an_update_differs_from_its_quotes(tmp_path: Path) -> None:
    made = market(20)
    deltas = made.deltas
    at_quote = np.minimum(np.searchsorted(made.quotes.ts_event, deltas.ts_event), len(made.quotes) - 1)
    best = (made.quotes.bid[at_quote] == deltas.price) & (made.quotes.ts_event[at_quote] == deltas.ts_event)
    row = int(np.flatnonzero(best & (np.arange(len(deltas)) > 5_000))[0])
    wrong = with_values(deltas, [row], size=deltas.size[row] + 1)
    result = checked(tmp_path, {"quotes": made.quotes, "deltas": wrong}, made.instrument)
    assert {each.check for each in result.findings} == {"book-against-quotes"}
    first = result.findings[0]
    assert (first.kind, first.severity, first.first_row) == ("deltas", "error", row)
    assert first.start_ns == deltas.ts_event[row]


def test_a_book_without_a_snapshot_is_not_compared(tmp_path: Path) -> None:
    made = market(10)
    later = made.deltas.take(made.deltas.flags & Flag.SNAPSHOT == 0)
    result = checked(tmp_path, {"quotes": made.quotes, "deltas": later}, made.instrument)
    assert result.findings == []
    assert result.notes == [
        "No book update could be compared with a quote, for want of a snapshot or quotes."
    ]


def test_a_break_of_the_update_numbers_is_found_where_the_book_was_cleared(tmp_path: Path) -> None:
    made = market(20)
    flags, action = made.deltas.flags.copy(), made.deltas.action.copy()
    row = int(np.flatnonzero((flags & Flag.LAST) > 0)[50])
    flags[row], action[row] = int(Flag.LAST), int(Action.CLEAR)
    side = made.deltas.side.copy()
    side[row] = int(Side.NONE)
    broken = made.deltas.with_arrays({"flags": flags, "action": action, "side": side})
    found = only(checked(tmp_path, {"deltas": broken.take(slice(0, row + 1))}, made.instrument))
    assert (found.check, found.first_row, found.rows) == ("sequence-gap", row, 1)


def test_bars_of_a_vendor_must_be_those_of_the_ticks(tmp_path: Path) -> None:
    quotes, kind = walk(90_000), bars_kind("1-MINUTE-BID")
    bars = vendor_bars(quotes, "1-MINUTE-BID")
    assert checked(tmp_path / "equal", {"quotes": quotes, kind: bars}).findings == []
    bad = with_values(bars, [5], high=bars.high[5] + 4)
    found = only(checked(tmp_path / "high", {"quotes": quotes, kind: bad}))
    assert (found.kind, found.check, found.day, found.first_row, found.rows) == (
        kind,
        "bars-against-ticks",
        "2019-01-01",
        5,
        1,
    )
    assert found.value == pytest.approx(0.00004)
    volume = with_values(bars, [7], volume=bars.volume[7] * 2)
    found = only(checked(tmp_path / "volume", {"quotes": quotes, kind: volume}))
    assert (found.first_row, found.severity, found.text) == (
        7,
        "warning",
        "1 bar has another volume than the ticks.",
    )


def test_a_vendor_that_counts_another_volume_is_only_noted(tmp_path: Path) -> None:
    quotes, kind = walk(60_000), bars_kind("1-MINUTE-BID")
    bars = vendor_bars(quotes, "1-MINUTE-BID")
    result = checked(tmp_path, {"quotes": quotes, kind: with_values(bars, slice(None), volume=1)})
    assert [each.severity for each in result.findings] == ["note"]
    assert result.score == 100


def test_daily_bars_of_shares_need_a_session_each(tmp_path: Path) -> None:
    """By the New York exchange's own calendar: Washington's birthday is none, the day that is left out is."""
    share = replace(FX, id="AAPL.NASDAQ", kind="equity", base="AAPL", quote="USD")
    days = ["2019-02-13", "2019-02-14", "2019-02-15", "2019-02-19", "2019-02-21"]
    opens = np.array([at(f"{day}T14:30:00") for day in days])
    price = np.full(len(days), 17_000_000)
    bars = VendorBars(
        ts_event=opens,
        ts_init=opens + 6 * HOUR_NS + 30 * MINUTE_NS,
        open=price,
        high=price + 10,
        low=price - 10,
        close=price,
        volume=price,
        price_precision=5,
        size_precision=0,
    )
    result = checked(tmp_path, {bars_kind("1-DAY-LAST"): bars}, share)
    assert result.calendar == "XNAS"
    found = only(result)
    assert found.text == "No bars-1-DAY-LAST in the whole session that ends on 2019-02-20 (UTC)."
    assert found.first_row == 3


def test_near_faults_are_one_finding_and_the_number_of_more_is_told(tmp_path: Path) -> None:
    quotes = walk(60_000)
    every = np.arange(0, 60_000, 7_000)  # 70 s apart
    bad = with_values(quotes, every, ask=quotes.bid[every] - 1)
    result = checked(tmp_path, {"quotes": bad}, limits=Limits(kept=3))
    assert result.counts == {"quotes": {"crossed": len(every)}}
    assert (result.found, len(result.findings)) == (len(every), 3)
    assert Store(tmp_path).files(FX.id, "quotes")
