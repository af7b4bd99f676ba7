"""However the rows come, a check finds the same."""

from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.columns import Columns, bars_kind
from engine.messages.data import Finding
from engine.quality import Limits
from engine.quality import rows as rows_module
from engine.quality.calendars import Sessions
from engine.quality.rows import PIECE_ROWS, Piece, pieces
from engine.quality.rules import Rules
from engine.store import Store
from tests.engine.quality.markets import (
    CALENDARS,
    DAY_NS,
    FX,
    MONDAY,
    SECOND_NS,
    shifted,
    trades,
    vendor_bars,
    walk,
    with_values,
    without,
)

MIDNIGHT = MONDAY // DAY_NS * DAY_NS + DAY_NS


def faulty_quotes() -> Columns:
    """Two days of quotes with every fault that a rule for quotes looks for, some at the ends of pieces."""
    quotes = shifted(walk(60_000), MIDNIGHT - MONDAY - 300 * SECOND_NS)
    rows = [100, 101, PIECE_ROWS - 1, PIECE_ROWS, 40_000]
    quotes = with_values(quotes, rows, ask=quotes.bid[rows] - 2)
    for row in (5_000, PIECE_ROWS - 2, 45_000):
        some = slice(row, row + 4)
        quotes = with_values(quotes, some, bid=quotes.bid[some] + 700, ask=quotes.ask[some] + 700)
    frozen = slice(10_000, 20_000)
    quotes = with_values(quotes, frozen, bid=quotes.bid[10_000], ask=quotes.ask[10_000])
    quotes = with_values(quotes, [7, 50_000], ts_init=quotes.ts_event[[7, 50_000]] - SECOND_NS)
    start = int(quotes.ts_event[52_000])
    return without(quotes, start, start + 40 * SECOND_NS)


def faulty_trades() -> Columns:
    times = MIDNIGHT - 200 * SECOND_NS + np.arange(40_000) * 10_000_000
    ids = np.arange(1, 40_001)
    ids[PIECE_ROWS - 2 : PIECE_ROWS + 2] = ids[PIECE_ROWS - 2 : PIECE_ROWS + 2][::-1]
    made = trades(times, 110_000 + np.arange(40_000) % 5, ids)
    return made.take(~np.isin(np.arange(40_000), [300, 301, PIECE_ROWS, 30_000]))


def days(columns: Columns) -> Iterable[tuple[str, Columns]]:
    """What the store would keep, by file."""
    for number in np.unique(columns.ts_event // DAY_NS).tolist():
        part = columns.take(columns.ts_event // DAY_NS == number)
        yield rows_module.day_of(number * DAY_NS), part


def found(kind: str, columns: Columns, cuts: Iterable[int], store: Store) -> list[Finding]:
    """Findings of all rules of `kind`, its rows cut at `cuts`."""
    first, last = int(columns.ts_event[0]), int(columns.ts_event[-1])
    sessions: Sessions = CALENDARS.sessions(FX, first, last)
    rules = Rules(store, FX, sessions, Limits()).of(kind)
    parts = []
    for day, rows in days(columns):
        edges = sorted({0, len(rows), *(cut for cut in cuts if cut < len(rows))})
        parts += [Piece(day, start, rows.take(slice(start, end))) for start, end in pairwise(edges)]
    for piece in pieces(parts):
        for rule in rules:
            rule.take(piece)
    names = [day for day, _ in days(columns)]
    return [
        finding
        for rule in rules
        for _, by_day in rule.found(names)
        for day in sorted(by_day)
        for finding in by_day[day].kept
    ]


CASES = {"quotes": faulty_quotes(), "trades": faulty_trades()}


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    kind=st.sampled_from(sorted(CASES)),
    cuts=st.lists(st.one_of(st.integers(0, 60_000), st.sampled_from([PIECE_ROWS, PIECE_ROWS + 1]))),
)
def test_any_batching_gives_the_same_findings(tmp_path: Path, kind: str, cuts: list[int]) -> None:
    columns, store = CASES[kind], Store(tmp_path)
    whole = found(kind, columns, [], store)
    assert {each.check for each in whole} >= (
        {"crossed", "spike", "stale", "gap", "time-reversed"} if kind == "quotes" else {"sequence-gap"}
    )
    assert found(kind, columns, cuts, store) == whole


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(size=st.sampled_from([512, 1_024, 4_096]))
def test_rules_carry_what_they_need_over_the_end_of_a_piece(tmp_path: Path, size: int) -> None:
    """Counted faults do not depend on how long pieces are, though a spike's z score is taken in a piece."""
    columns, store = CASES["quotes"], Store(tmp_path)
    whole = found("quotes", columns, [], store)
    before = rows_module.PIECE_ROWS
    rows_module.PIECE_ROWS = size
    try:
        again = found("quotes", columns, [], store)
    finally:
        rows_module.PIECE_ROWS = before
    assert again == whole


def test_trade_ids_are_whole_over_the_end_of_a_piece(tmp_path: Path) -> None:
    holes = found("trades", CASES["trades"], [], Store(tmp_path))
    assert [each.value for each in holes if each.check == "sequence-gap"] == [2, 1, 1]


def test_two_bars_of_one_time_are_one_too_many(tmp_path: Path) -> None:
    """The store merges them; files that something else has written may hold them."""
    bars = vendor_bars(walk(90_000), "1-MINUTE-BID")
    twice = bars.take(np.array([0, 1, 2, 2, 3, 4]))
    other = with_values(twice, [3], close=twice.close[3] + 1)
    (one,) = found(bars_kind("1-MINUTE-BID"), other, [], Store(tmp_path))
    assert (one.check, one.severity, one.first_row) == ("duplicate-time", "warning", 3)
