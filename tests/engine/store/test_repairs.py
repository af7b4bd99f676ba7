import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.columns import Action, Columns, Flag, Quotes, Snapshots, VendorBars, bars_kind
from engine.errors import UserError
from engine.feeds.importing import import_files
from engine.feeds.instruments import KnownInstruments
from engine.feeds.reader import Source
from engine.store import Store, corrected, journal, schema, writing
from engine.store.corrections import Correction, Rows
from engine.store.locking import exclusive
from engine.store.merging import joined
from engine.store.repairs import apply, finish, import_notes, interrupted, listed, preview, undo
from engine.store.row_groups import row_groups
from engine.store.schema import restated
from engine.store.verifying import verify
from tests.engine.store.rows import DAY_NS, EURUSD, NOON_NS, bars, deltas, quotes, same, trades
from tests.recordings import recording

ROOT = Path(__file__).resolve().parents[3]
CONFIGS = ROOT / "configs"
ID = "EURUSD.SIM"


def crossed_at(rows: Quotes, *places: int) -> Quotes:
    """The same quotes, with the ask two points below the bid at these places."""
    ask = rows.ask.copy()
    ask[list(places)] = rows.bid[list(places)] - 2
    return rows.with_arrays({"ask": ask})


def stored(folder: Path, **parts: Columns) -> Store:
    store = Store(folder)
    store.add(EURUSD, parts)
    return store


def drop(**asked: Any) -> Correction:
    return Correction(kind="quotes", action="drop", **asked)


def contents(folder: Path) -> dict[str, bytes]:
    """Files of the folder by name; of a Parquet file its rows, because two writes may differ in bytes."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.name != ".lock"
    }


# -- what each action does --------------------------------------------------------------------------------


def test_crossed_quotes_are_dropped_from_the_files_themselves_and_come_back(tmp_path: Path) -> None:
    rows = crossed_at(quotes([1, 2, 3, DAY_NS, DAY_NS + 1]), 1, 3)
    store = stored(tmp_path, quotes=rows)

    repair = apply(store, ID, drop(where="crossed", reason="swapped sides"))

    assert (repair.number, repair.rows_removed, repair.rows_added) == (1, 2, 0)
    assert same(store.read(ID, "quotes"), rows.take(np.array([0, 2, 4])))
    assert pl.read_parquet(tmp_path / f"{ID}/quotes/*.parquet").height == 3
    assert pl.read_parquet(tmp_path / f"{ID}/repairs/0001/removed/quotes/*.parquet").height == 2
    assert listed(store, ID) == [repair]

    undone = undo(store, ID, 1)

    assert (undone.rows_restored, undone.rows_taken, undone.rows_missing) == (2, 0, 0)
    assert same(store.read(ID, "quotes"), rows)
    assert [each.undone for each in listed(store, ID)] == [True]


def test_a_preview_tells_what_would_change_and_changes_nothing(tmp_path: Path) -> None:
    store = stored(tmp_path, quotes=crossed_at(quotes([1, 2, 3, DAY_NS]), 1, 3))
    before = contents(tmp_path)

    shown = preview(store, ID, drop(where="crossed"))

    assert (shown.rows, shown.rows_removed, shown.rows_added, shown.files) == (4, 2, 0, 2)
    assert shown.examples[0].before["bid"] == "1.14501"
    assert shown.examples[0].after is None
    assert contents(tmp_path) == before


def test_a_range_includes_both_ends_and_looks_at_no_other_file(tmp_path: Path) -> None:
    store = stored(tmp_path, quotes=quotes([1, 2, 3, 4, DAY_NS]))
    assert preview(store, ID, drop(start_ns=NOON_NS + 2, end_ns=NOON_NS + 3)).rows == 4
    apply(store, ID, drop(start_ns=NOON_NS + 2, end_ns=NOON_NS + 3))
    assert (store.read(ID, "quotes").ts_event - NOON_NS).tolist() == [1, 4, DAY_NS]


def test_rows_of_a_finding_are_dropped_unless_they_changed_since(tmp_path: Path) -> None:
    store = stored(tmp_path, quotes=quotes([1, 2, 3]))
    finding = Rows(day="2019-02-04", first_row=1, rows=1, start_ns=NOON_NS + 2)
    apply(store, ID, drop(rows=(finding,)))
    assert (store.read(ID, "quotes").ts_event - NOON_NS).tolist() == [1, 3]
    with pytest.raises(UserError, match="check them again"):
        apply(store, ID, drop(rows=(finding,)))


def test_a_day_without_rows_left_has_no_file_until_it_is_undone(tmp_path: Path) -> None:
    rows = quotes([1, DAY_NS])
    store = stored(tmp_path, quotes=rows)
    apply(store, ID, drop(start_ns=NOON_NS + DAY_NS))
    assert [day.day for day in store.days(ID, "quotes")] == [4]
    undo(store, ID, 1)
    assert same(store.read(ID, "quotes"), rows)


def test_bad_quotes_take_the_values_of_the_last_good_one_even_of_the_day_before(tmp_path: Path) -> None:
    rows = crossed_at(quotes([1, 2, DAY_NS, DAY_NS + 1, DAY_NS + 2], [10, 20, 30, 40, 50]), 1, 2, 4)
    store = stored(tmp_path, quotes=rows)

    apply(store, ID, Correction(kind="quotes", action="fill-forward", where="crossed"))

    filled = store.read(ID, "quotes")
    assert filled.bid.tolist() == [10, 10, 10, 40, 40]
    assert filled.ask.tolist() == [11, 11, 11, 41, 41]
    assert np.array_equal(filled.ts_event, rows.ts_event)
    undo(store, ID, 1)
    assert same(store.read(ID, "quotes"), rows)


def test_a_bad_quote_with_no_good_one_before_it_is_not_filled(tmp_path: Path) -> None:
    store = stored(tmp_path, quotes=crossed_at(quotes([1, 2]), 0))
    with pytest.raises(UserError, match="no good one before"):
        apply(store, ID, Correction(kind="quotes", action="fill-forward", where="crossed"))
    assert not (tmp_path / ID / "repairs").exists()


def test_clipping_moves_prices_to_the_bounds_and_dropping_invents_none(tmp_path: Path) -> None:
    rows = trades([1, 2, 3], [100, 114_500, 900_000], [1, 2, 3])
    store = stored(tmp_path, trades=rows)
    bounds: dict[str, Any] = {"kind": "trades", "low": Decimal("1.1"), "high": Decimal("1.2")}

    apply(store, ID, Correction(action="clip", **bounds))
    assert store.read(ID, "trades").price.tolist() == [110_000, 114_500, 120_000]
    undo(store, ID, 1)
    apply(store, ID, Correction(action="drop", where="outside", **bounds))
    assert store.read(ID, "trades").price.tolist() == [114_500]
    undo(store, ID, 2)
    assert same(store.read(ID, "trades"), rows)


def test_a_split_divides_prices_and_multiplies_sizes_before_it_exactly(tmp_path: Path) -> None:
    rows = trades([1, 2, DAY_NS], [1_001, 1_002, 250], [1, 2, 3])
    store = stored(tmp_path, trades=rows, quotes=quotes([1]))
    split = Correction(kind="trades", action="split-adjust", ratio="4:1", end_ns=NOON_NS + DAY_NS - 1)

    assert preview(store, ID, split).price_decimals == 2
    apply(store, ID, split)

    adjusted = store.read(ID, "trades")
    assert adjusted.price_precision == 7
    assert [Decimal(price).scaleb(-7) for price in adjusted.price.tolist()] == [
        Decimal("0.0025025"),
        Decimal("0.002505"),
        Decimal("0.0025"),
    ]
    assert adjusted.size.tolist() == [28, 28, 7]
    assert store.read(ID, "quotes").bid.tolist() == [11_450_000]
    undo(store, ID, 1)
    assert same(store.read(ID, "trades"), restated(rows, 7, 0))


def test_a_split_that_needs_rounding_is_refused_with_the_way_out(tmp_path: Path) -> None:
    store = stored(tmp_path, trades=trades([1], [1_000], [1]))
    with pytest.raises(UserError, match=r"rounding.*vendor's adjusted"):
        apply(store, ID, Correction(kind="trades", action="split-adjust", ratio="3:1", end_ns=NOON_NS + 5))


def test_a_reverse_split_may_grow_the_decimals_of_sizes(tmp_path: Path) -> None:
    store = stored(tmp_path, trades=trades([1], [1_000], [1]))
    apply(store, ID, Correction(kind="trades", action="split-adjust", ratio="1:10", end_ns=NOON_NS + 5))
    there = store.read(ID, "trades")
    assert (there.price.tolist(), there.size.tolist(), there.size_precision) == ([10_000], [7], 1)
    assert str(store.instrument(ID).lot_size) == "1000.0"


def test_dropped_book_updates_leave_a_clear_and_end_before_a_snapshot(tmp_path: Path) -> None:
    rows = deltas([1, 2, 3, 4, 5], [7, 8, 9, 10, 11], [1, 1, 1, 1, 1], [1, 2, 3, 4, 5])
    flags = rows.flags.copy()
    flags[4] |= Flag.SNAPSHOT
    rows = rows.with_arrays({"flags": flags})
    store = stored(tmp_path, deltas=rows)
    asked = {"kind": "deltas", "action": "drop", "start_ns": NOON_NS + 2}

    with pytest.raises(UserError, match="without a snapshot"):
        apply(store, ID, Correction(**asked, end_ns=NOON_NS + 3))  # type: ignore[arg-type]
    apply(store, ID, Correction(**asked, end_ns=NOON_NS + 4))  # type: ignore[arg-type]

    left = store.read(ID, "deltas")
    assert left.action.tolist() == [Action.UPDATE, Action.CLEAR, Action.UPDATE]
    assert left.price.tolist() == [7, 0, 11]
    undo(store, ID, 1)
    assert same(store.read(ID, "deltas"), rows)


def test_books_of_any_depth_and_bars_are_repaired_too(tmp_path: Path) -> None:
    ts = np.arange(3, dtype=np.int64) + NOON_NS
    side = np.array([[5, 4], [9, 8], [5, 4]], np.int64)
    depth = Snapshots(
        ts_event=ts,
        ts_init=ts,
        bid=side,
        ask=np.full((3, 2), 7, np.int64),
        bid_size=np.ones((3, 2), np.int64),
        ask_size=np.ones((3, 2), np.int64),
        price_precision=5,
        size_precision=0,
    )
    prices = np.array([7, 700_000, 9], np.int64)
    minutes = VendorBars(
        ts_event=ts,
        ts_init=ts + 60,
        **dict.fromkeys(("open", "high", "low", "close", "volume"), prices),
        price_precision=5,
        size_precision=0,
    )
    kind = bars_kind("1-MINUTE-BID")
    store = stored(tmp_path, depth=depth, **{kind: minutes})

    apply(store, ID, Correction(kind="depth", action="drop", where="crossed"))
    apply(store, ID, Correction(kind=kind, action="clip", low=Decimal(0), high=Decimal(1)))

    assert store.read(ID, "depth").bid.tolist() == [[5, 4], [5, 4]]  # type: ignore[attr-defined]
    assert store.read(ID, kind).high.tolist() == [7, 100_000, 9]  # type: ignore[attr-defined]
    undo(store, ID, 1)
    undo(store, ID, 2)
    assert same(store.read(ID, "depth"), depth)
    assert same(store.read(ID, kind), minutes)


def test_a_repaired_bar_that_the_vendor_revises_stays_revised(tmp_path: Path) -> None:
    kind = bars_kind("1-MINUTE-BID")
    first = bars([1, 2, 3], [7, 700_000, 9])
    store = stored(tmp_path, **{kind: first})
    apply(store, ID, Correction(kind=kind, action="clip", low=Decimal(0), high=Decimal(1)))

    again = store.add(EURUSD, {kind: first})
    assert (again.rows, again.withheld, again.replaced) == ({kind: 0}, {kind: 1}, {kind: 0})
    revised = store.add(EURUSD, {kind: bars([2], [8])})
    assert (revised.rows, revised.withheld, revised.replaced) == ({kind: 1}, {kind: 0}, {kind: 1})
    assert same(store.read(ID, kind), bars([1, 2, 3], [7, 8, 9]))

    undone = undo(store, ID, 1)
    assert (undone.rows_restored, undone.rows_missing, undone.rows_replaced) == (0, 1, 1)
    assert same(store.read(ID, kind), bars([1, 2, 3], [7, 8, 9]))


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"kind": "trades", "action": "fill-forward", "where": "crossed"}, "only for quotes"),
        ({"kind": "trades", "action": "drop", "where": "crossed"}, "are not crossed"),
        ({"kind": "quotes", "action": "drop"}, "Say which rows"),
        ({"kind": "quotes", "action": "clip", "low": Decimal(2), "high": Decimal(1)}, "lower one first"),
        (
            {"kind": "quotes", "action": "clip", "low": Decimal("0.123456"), "high": Decimal(1)},
            "more decimals",
        ),
        ({"kind": "quotes", "action": "split-adjust", "ratio": "4:1"}, "time of the split"),
        ({"kind": "quotes", "action": "split-adjust", "ratio": "4:0", "end_ns": 1}, "no split"),
        ({"kind": "quotes", "action": "split-adjust", "ratio": "1", "end_ns": 1}, "no split"),
        (
            {"kind": "bars-1-DAY-LAST-ADJUSTED", "action": "split-adjust", "ratio": "2", "end_ns": 1},
            "already",
        ),
        ({"kind": "quotes", "action": "fill-forward"}, "which quotes are bad"),
        ({"kind": "trades", "action": "drop", "start_ns": 1}, "No trades of EURUSD.SIM are stored"),
        ({"kind": "quotes", "action": "drop", "where": "locked"}, "nothing was changed"),
    ],
)
def test_what_makes_no_sense_is_said_and_nothing_is_recorded(
    tmp_path: Path, asked: dict[str, Any], words: str
) -> None:
    store = stored(tmp_path, quotes=quotes([1, 2]))
    with pytest.raises(UserError, match=words):
        apply(store, ID, Correction(**asked))
    assert not (tmp_path / ID / "repairs").exists()


# -- undoing ----------------------------------------------------------------------------------------------

TIMES = st.lists(st.sampled_from([0, 1, 2, DAY_NS // 2 - 1, DAY_NS // 2]), min_size=1, max_size=16)
ASKED = st.one_of(
    st.builds(drop, where=st.sampled_from(["crossed", "locked"])),
    st.builds(
        lambda start, length: drop(start_ns=NOON_NS + start, end_ns=NOON_NS + start + length),
        st.integers(0, 2),
        st.integers(0, 2),
    ),
    st.builds(
        lambda low: Correction(kind="quotes", action="clip", low=Decimal(low), high=Decimal(low) + 20),
        st.integers(1, 20),
    ),
    st.just(Correction(kind="quotes", action="fill-forward", where="crossed")),
    st.builds(
        lambda ratio, end: Correction(
            kind="quotes", action="split-adjust", ratio=ratio, end_ns=NOON_NS + end
        ),
        st.sampled_from(["2:1", "1:5", "5:4"]),
        st.sampled_from([0, 1, DAY_NS]),
    ),
)


def drawn(times: list[int], data: st.DataObject) -> Quotes:
    """Quotes in order, of which some are crossed or locked and some are received late; no two rows alike."""
    times = sorted(times)
    count = len(times)
    late = data.draw(st.lists(st.integers(0, 1), min_size=count, max_size=count))
    spread = data.draw(st.lists(st.integers(-1, 1), min_size=count, max_size=count))
    rows = quotes(times, [100_000 * (n + 1) for n in range(count)])
    return rows.with_arrays(
        {"ts_init": rows.ts_event + np.array(late), "ask": rows.bid + np.array(spread, np.int64)}
    )


@settings(max_examples=20, deadline=None)
@given(TIMES, st.lists(ASKED, min_size=1, max_size=4), st.data())
def test_any_repairs_undone_in_reverse_give_the_same_rows(
    times: list[int], corrections: list[Correction], data: st.DataObject
) -> None:
    with TemporaryDirectory() as folder, row_groups_of(data.draw(st.sampled_from([2, 100]))):
        store = stored(Path(folder), quotes=drawn(times, data))
        before = [pl.read_parquet(path).rows() for path in store.files(ID, "quotes")]
        for correction in corrections:
            try:
                apply(store, ID, correction)
            except UserError:  # nothing is like this, or nothing is left: no step was made
                continue
        for repair in reversed(listed(store, ID)):
            assert undo(store, ID, repair.number).rows_missing == 0
        assert [pl.read_parquet(path).rows() for path in store.files(ID, "quotes")] == before


@settings(max_examples=12, deadline=None)
@given(TIMES, TIMES, st.data())
def test_a_repair_is_undone_exactly_after_later_imports_too(
    times: list[int], later: list[int], data: st.DataObject
) -> None:
    first = drawn(times, data)
    second = drawn(later, data)
    second = second.with_arrays({"bid": second.bid + 7, "ask": second.ask + 7})
    with TemporaryDirectory() as one, TemporaryDirectory() as other, row_groups_of(3):
        repaired, plain = stored(Path(one), quotes=first), stored(Path(other), quotes=first)
        apply_or_not(repaired, drop(where="crossed"))
        for store in (repaired, plain):
            store.add(EURUSD, {"quotes": second})
        for repair in listed(repaired, ID):
            undo(repaired, ID, repair.number)
        for left, right in zip(repaired.files(ID, "quotes"), plain.files(ID, "quotes"), strict=True):
            assert pl.read_parquet(left).equals(pl.read_parquet(right))


@contextmanager
def row_groups_of(rows: int) -> Iterator[None]:
    """Files whose row groups, and so the stretches that are read at a time, hold this many rows."""
    with pytest.MonkeyPatch.context() as patched:
        for module in (schema, writing, journal, corrected):
            patched.setattr(module, "ROW_GROUP_ROWS", rows)
        yield


def apply_or_not(store: Store, correction: Correction) -> None:
    if preview(store, ID, correction).rows_removed:
        apply(store, ID, correction)


def test_a_repair_is_undone_at_the_decimals_that_an_import_brought_since(tmp_path: Path) -> None:
    rows = crossed_at(quotes([1, 2, 3]), 1)
    store = stored(tmp_path, quotes=rows)
    apply(store, ID, Correction(kind="quotes", action="fill-forward", where="crossed"))
    finer = restated(quotes([9], [114_509]), 7, 2)
    store.add(EURUSD, {"quotes": finer})

    assert undo(store, ID, 1).rows_missing == 0

    assert same(store.read(ID, "quotes"), joined([restated(rows, 7, 2), finer]))
    assert verify(store).problems == []


def test_a_day_that_was_deleted_and_imported_again_comes_back_by_undoing(tmp_path: Path) -> None:
    rows = crossed_at(quotes([1, 2, 3]), 1)
    store = stored(tmp_path, quotes=rows)
    apply(store, ID, Correction(kind="quotes", action="fill-forward", where="crossed"))
    store.files(ID, "quotes")[0].unlink()
    store.add(EURUSD, {"quotes": rows})

    assert undo(store, ID, 1).rows_missing == 1

    assert same(store.read(ID, "quotes"), rows)


def test_stretches_of_a_file_are_repaired_like_the_whole(tmp_path: Path) -> None:
    rows = crossed_at(quotes(list(range(20))), 3, 4, 5, 9, 15)
    asked = Correction(kind="quotes", action="fill-forward", where="crossed")
    whole = stored(tmp_path / "whole", quotes=rows)
    apply(whole, ID, asked)
    with row_groups_of(4):
        parts = stored(tmp_path / "parts", quotes=rows)
        assert len(row_groups(parts.files(ID, "quotes"))) == 5
        apply(parts, ID, asked)
        finding = Rows(day="2019-02-04", first_row=6, rows=5, start_ns=NOON_NS + 6)
        assert same(parts.read(ID, "quotes"), whole.read(ID, "quotes"))
        assert preview(parts, ID, drop(rows=(finding,))).rows_removed == 5


def test_a_step_that_a_later_one_touched_names_the_one_to_undo_first(tmp_path: Path) -> None:
    rows = crossed_at(quotes([1, 2, 3, 4]), 1, 3)
    store = stored(tmp_path, quotes=rows)
    apply(store, ID, Correction(kind="quotes", action="fill-forward", where="crossed"))
    apply(store, ID, drop(start_ns=NOON_NS + 4))
    apply(store, ID, drop(end_ns=NOON_NS + 1))

    with pytest.raises(UserError, match="undo repair 2 first"):
        undo(store, ID, 1)
    undo(store, ID, 2)
    undo(store, ID, 1)
    undo(store, ID, 3)
    assert same(store.read(ID, "quotes"), rows)


@pytest.mark.parametrize("crossed", [0, 1])
def test_rows_are_not_put_back_among_prices_that_were_split_since(tmp_path: Path, crossed: int) -> None:
    store = stored(tmp_path, quotes=crossed_at(quotes([1, 2, 3]), crossed))
    apply(store, ID, drop(where="crossed"))
    apply(store, ID, Correction(kind="quotes", action="split-adjust", ratio="2:1", end_ns=NOON_NS + 3))
    with pytest.raises(UserError, match="undo repair 2 first"):
        undo(store, ID, 1)


@pytest.mark.parametrize(("number", "words"), [(7, "has no repair 7"), (1, "undone already")])
def test_what_cannot_be_undone_is_said(tmp_path: Path, number: int, words: str) -> None:
    store = stored(tmp_path, quotes=quotes([1, 2]))
    with pytest.raises(UserError, match="never repaired"):
        undo(store, ID, 1)
    apply(store, ID, drop(end_ns=NOON_NS + 1))
    undo(store, ID, 1)
    with pytest.raises(UserError, match=words):
        undo(store, ID, number)


# -- importing again --------------------------------------------------------------------------------------


def test_dropped_rows_do_not_come_back_with_the_same_file(tmp_path: Path) -> None:
    rows = crossed_at(quotes([1, 1, 2, 3, DAY_NS]), 1, 3)
    store = stored(tmp_path, quotes=rows)
    apply(store, ID, drop(where="crossed"))
    left = store.read(ID, "quotes")

    added = store.add(EURUSD, {"quotes": rows})

    assert (added.rows, added.duplicates) == ({"quotes": 0}, {"quotes": 5})
    assert same(store.read(ID, "quotes"), left)
    undo(store, ID, 1)
    assert same(store.read(ID, "quotes"), rows)
    assert store.add(EURUSD, {"quotes": rows}).rows == {"quotes": 0}


def test_rows_that_only_repairs_keep_out_are_counted_as_such(tmp_path: Path) -> None:
    twice = trades([1, 1, 5], [7, 7, 9], [0, 0, 0])
    store = stored(tmp_path, trades=twice)
    apply(store, ID, Correction(kind="trades", action="drop", start_ns=NOON_NS + 5))
    rows = Rows(day="2019-02-04", first_row=1, rows=1, start_ns=NOON_NS + 1)
    apply(store, ID, Correction(kind="trades", action="drop", rows=(rows,)))

    added = store.add(EURUSD, {"trades": twice})

    assert (added.duplicates, added.withheld) == ({"trades": 3}, {"trades": 2})
    assert len(store.read(ID, "trades")) == 1


def test_a_day_that_was_dropped_whole_stays_away(tmp_path: Path) -> None:
    store = stored(tmp_path, quotes=quotes([1, DAY_NS]))
    apply(store, ID, drop(start_ns=NOON_NS + DAY_NS))
    assert store.add(EURUSD, {"quotes": quotes([1, DAY_NS])}).withheld == {"quotes": 1}
    assert len(store.days(ID, "quotes")) == 1


def test_new_rows_from_before_a_split_are_told(tmp_path: Path) -> None:
    store = stored(tmp_path, trades=trades([10], [1_000], [1]))
    split = Correction(kind="trades", action="split-adjust", ratio="2:1", end_ns=NOON_NS + 20)
    apply(store, ID, split)

    added = store.add(EURUSD, {"trades": trades([5, 10], [900, 1_000], [2, 1])})

    assert added.rows == {"trades": 1}
    left_out, unadjusted = import_notes(store, ID, added, NOON_NS + 5)
    assert "1 trades were left out" in left_out
    assert "Repair 1 adjusted trades for a split" in unadjusted
    assert import_notes(store, ID, added, NOON_NS + 21) == [left_out]


# -- killed, refused, stopped -----------------------------------------------------------------------------

DIES = """
import os, signal, sys
from pathlib import Path
from engine.store import corrected, Store, journal, schema, writing
from engine.store.corrections import Correction
from engine.store.merging import joined
from engine.store.repairs import apply, undo

def dying(name):
    real = getattr(Path, name)
    def moved(self, target):
        global left
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        left -= 1
        return real(self, target)
    setattr(Path, name, moved)

left = int(sys.argv[2])
dying("rename")
dying("replace")
store = Store(Path(sys.argv[1]))
if sys.argv[3] == "undo":
    undo(store, "EURUSD.SIM", 1)
else:
    apply(store, "EURUSD.SIM", Correction(kind="quotes", action="drop", where="crossed"))
"""


@pytest.mark.parametrize("moves", [0, 1, 2, 3])
@pytest.mark.parametrize("doing", ["apply", "undo"])
@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL")
def test_a_killed_repair_is_not_there_or_can_be_finished(tmp_path: Path, moves: int, doing: str) -> None:
    rows = crossed_at(quotes([1, 2, 3, DAY_NS, DAY_NS + 1]), 1, 3)
    dropped = rows.take(np.array([0, 2, 4]))
    store = stored(tmp_path, quotes=rows)
    if doing == "undo":
        apply(store, ID, drop(where="crossed"))
    old, new = (rows, dropped) if doing == "apply" else (dropped, rows)

    done = subprocess.run(
        [sys.executable, "-c", DIES, str(tmp_path), str(moves), doing], cwd=ROOT, check=False
    )

    assert done.returncode == -signal.SIGKILL
    assert interrupted(store, ID)
    finish(store, ID)
    assert not interrupted(store, ID)
    assert same(store.read(ID, "quotes"), new if moves else old)
    assert [repair.undone for repair in listed(store, ID)] == (
        [doing == "undo" and moves > 0] if moves or doing == "undo" else []
    )
    if moves and doing == "apply":
        undo(store, ID, 1)
        assert same(store.read(ID, "quotes"), rows)


def test_an_import_finishes_a_killed_repair_before_it_adds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = crossed_at(quotes([1, 2, 3]), 1)
    store = stored(tmp_path, quotes=rows)
    with monkeypatch.context() as patched:
        patched.setattr("engine.store.journal.finish", lambda _folder: None)
        apply(store, ID, drop(where="crossed"))
    assert len(store.read(ID, "quotes")) == 3

    assert store.add(EURUSD, {"quotes": rows}).rows == {"quotes": 0}

    assert len(store.read(ID, "quotes")) == 2


@contextmanager
def writing_elsewhere(folder: Path) -> Iterator[None]:
    with exclusive(folder / ID, ID):
        yield


def test_two_writers_at_once_are_refused_in_a_sentence(tmp_path: Path) -> None:
    store = stored(tmp_path, quotes=quotes([1, 2]))
    with writing_elsewhere(tmp_path), pytest.raises(UserError, match="wait until it has finished"):
        apply(store, ID, drop(end_ns=NOON_NS + 1))
    apply(store, ID, drop(end_ns=NOON_NS + 1))
    with writing_elsewhere(tmp_path), pytest.raises(UserError, match="wait until it has finished"):
        undo(store, ID, 1)


def test_a_stopped_repair_leaves_no_trace(tmp_path: Path) -> None:
    store = stored(tmp_path, quotes=quotes([1, DAY_NS]))
    before = contents(tmp_path)

    def stop(fraction: float, _what: str) -> None:
        if fraction:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        apply(store, ID, drop(start_ns=NOON_NS), stop)
    assert contents(tmp_path) == before


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="the superuser may write everywhere")
def test_a_store_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    store = stored(tmp_path, quotes=quotes([1, 2]))
    (tmp_path / ID).chmod(0o500)
    try:
        with pytest.raises(UserError, match="permission denied"):
            apply(store, ID, drop(end_ns=NOON_NS + 1))
    finally:
        (tmp_path / ID).chmod(0o700)


def test_a_damaged_record_is_named(tmp_path: Path) -> None:
    store = stored(tmp_path, quotes=quotes([1, 2]))
    apply(store, ID, drop(end_ns=NOON_NS + 1))
    (tmp_path / ID / "repairs/0001/repair.json").write_text("{")
    with pytest.raises(UserError, match=r"repair\.json is damaged"):
        listed(store, ID)


# -- real recordings --------------------------------------------------------------------------------------


def test_a_vendors_crossed_quotes_are_filled_and_all_come_back(tmp_path: Path) -> None:
    path = recording("fx/fxcm_lean/20140501_quote.zip")
    store, known = Store(tmp_path), KnownInstruments.load(CONFIGS / "instruments.toml")
    import_files([path], "EURUSD.FXCM", store, known, Source(crossed="keep"))
    before = store.read("EURUSD.FXCM", "quotes")

    repair = apply(store, "EURUSD.FXCM", Correction(kind="quotes", action="fill-forward", where="crossed"))

    assert repair.rows_removed == repair.rows_added == int((before.bid > before.ask).sum()) == 3_991
    filled = store.read("EURUSD.FXCM", "quotes")
    assert not (filled.bid > filled.ask).any()
    again = import_files([path], "EURUSD.FXCM", store, known, Source(crossed="keep"))
    assert (again.added, again.duplicates) == (0, len(before))
    assert any("3,991 quotes were left out" in note for note in again.notes)
    undo(store, "EURUSD.FXCM", 1)
    assert same(store.read("EURUSD.FXCM", "quotes"), before)
