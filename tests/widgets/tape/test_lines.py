"""Lines of a tape: in any batching the same, open about gaps, bounded."""

from dataclasses import dataclass, field

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.link.builders import rows
from engine.messages.columns import QUOTE, TRADE, Rows, empty
from widgets.tape.lines import KEPT, TapeLines, aggregated


@dataclass
class FakeTape:
    rows: Rows = field(default_factory=lambda: empty(TRADE))
    version: int = 0
    conflated: int = 0
    dropped: int = 0

    def append(self, new: Rows, conflated: int = 0) -> None:
        self.rows = np.concatenate([self.rows, new]) if len(self.rows) else new
        self.conflated += conflated
        self.version += 1


def trades(*table: tuple[int, float, float, int]) -> Rows:
    return rows(TRADE, table)


def shown(lines: TapeLines, *columns: str) -> list[tuple[float, ...]]:
    return [tuple(line[column] for column in columns) for line in lines.lines]


def test_trades_arrive_once_each() -> None:
    tape, lines = FakeTape(), TapeLines()
    tape.append(trades((1, 10.0, 2, 1), (2, 10.5, 3, 2)))
    lines.update(tape, "trades")
    lines.update(tape, "trades")
    tape.append(trades((3, 11.0, 4, 0)))
    lines.update(tape, "trades")
    assert shown(lines, "price", "size", "side") == [(10.0, 2.0, 1), (10.5, 3.0, 2), (11.0, 4.0, 0)]


def test_what_was_left_out_stands_where_it_is_missing() -> None:
    tape, lines = FakeTape(), TapeLines()
    tape.append(trades((1, 10.0, 2, 1)))
    lines.update(tape, "trades")
    tape.append(trades((5, 10.0, 9, 1)), conflated=37)
    lines.update(tape, "trades")
    assert shown(lines, "count", "size") == [(1, 2.0), (0, 37.0), (1, 9.0)]
    assert lines.left_out == 37
    lines.min_size = 5.0
    lines.refilter()
    assert shown(lines, "count", "size") == [(0, 37.0), (1, 9.0)]


def test_a_sweep_is_one_line_and_a_gap_parts_it() -> None:
    tape, lines = FakeTape(), TapeLines()
    lines.aggregate = True
    tape.append(trades((1, 10.0, 2, 1), (1, 10.1, 3, 1), (1, 10.1, 4, 2), (2, 10.1, 1, 2)))
    lines.update(tape, "trades")
    assert shown(lines, "price", "size", "count") == [(10.1, 5.0, 2), (10.1, 4.0, 1), (10.1, 1.0, 1)]
    tape.append(trades((2, 10.0, 1, 2)), conflated=1)
    lines.update(tape, "trades")
    assert shown(lines, "count")[-3:] == [(1,), (0,), (1,)]


@given(
    st.lists(st.tuples(st.integers(1, 4), st.integers(1, 9), st.integers(0, 2)), max_size=40),
    st.integers(1, 6),
)
def test_sweeps_do_not_depend_on_batches_and_keep_all_volume(
    table: list[tuple[int, int, int]], batch: int
) -> None:
    all_rows = trades(*((ts, 1.0, size, side) for ts, size, side in sorted(table, key=lambda row: row[0])))
    tape, lines = FakeTape(), TapeLines()
    lines.aggregate = True
    for start in range(0, len(all_rows), batch):
        tape.append(all_rows[start : start + batch])
        lines.update(tape, "trades")
    whole = TapeLines()
    whole.update(tape, "trades")
    assert lines.lines["size"].sum() == all_rows["size"].sum()
    whole.lines = aggregated(whole.lines)
    columns = ("ts", "price", "size", "side", "count")
    assert shown(lines, *columns) == shown(whole, *columns)


def test_quotes_show_only_changes_of_price_across_batches() -> None:
    tape, lines = FakeTape(empty(QUOTE)), TapeLines()
    tape.append(rows(QUOTE, [(1, 1.0, 1.1, 5, 5), (2, 1.0, 1.1, 9, 9), (3, 1.05, 1.1, 5, 5)]))
    lines.update(tape, "quotes")
    tape.append(rows(QUOTE, [(4, 1.05, 1.1, 1, 1), (5, 1.05, 1.08, 1, 1)]))
    lines.update(tape, "quotes")
    assert shown(lines, "ts", "side") == [(1, 0), (3, 1), (5, 2)]


@pytest.mark.parametrize("change", ["mode", "fewer rows"])
def test_another_tape_starts_the_list_anew(change: str) -> None:
    tape, lines = FakeTape(), TapeLines()
    tape.append(trades((1, 10.0, 2, 1), (2, 10.0, 2, 1)), conflated=3)
    lines.update(tape, "trades")
    other, mode = FakeTape(), "trades"
    if change == "mode":
        other.rows, mode = rows(QUOTE, [(9, 1.0, 1.1, 5, 5)]), "quotes"
    else:
        other.append(trades((9, 11.0, 1, 1)))
    lines.update(other, "quotes" if mode == "quotes" else "trades")
    assert shown(lines, "ts") == [(9,)]
    assert lines.left_out == 0


def test_the_list_is_bounded_and_survives_a_tape_that_forgets() -> None:
    tape, lines = FakeTape(), TapeLines()
    many = np.zeros(KEPT + 500, TRADE)
    many["ts"] = np.arange(len(many))
    tape.append(many)
    lines.update(tape, "trades")
    assert len(lines.lines) == KEPT
    assert lines.lines["ts"][0] == 500
    tape.dropped, tape.rows = 1_000, tape.rows[1_000:]
    tape.append(trades((10**6, 1.0, 1, 1)))
    lines.update(tape, "trades")
    assert lines.lines["ts"][-1] == 10**6
    assert len(lines.lines) == KEPT
