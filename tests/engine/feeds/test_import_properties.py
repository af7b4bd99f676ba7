"""However a history is cut into files and imports, and in what order rows of one stamp come, it is one."""

import gzip
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.engine.feeds.test_importing import imported

START_MS = 1_549_238_400_000
DAY_MS = 86_400_000
STEPS_MS = (0, 0, 1, 999, DAY_MS // 2)
"""Rows often share their stamp, and days end between them."""

Draw = Callable[[st.SearchStrategy[int]], int]


@dataclass(frozen=True, slots=True)
class Kind:
    """A file of one kind: its name, how lines are drawn, and how lines become bytes."""

    instrument: str
    name: str
    lines: Callable[[Sequence[int], Draw], list[str]]
    packed: Callable[[Sequence[str]], bytes]


def _quotes(times: Sequence[int], draw: Draw) -> list[str]:
    """Rows of one stamp differ: a repeated quote says nothing and is stored once."""
    bids = [draw(st.integers(100, 104)) for _ in times]
    return [
        f"{time},1.{bid},1.{bid + 1 + n % 50}" for n, (time, bid) in enumerate(zip(times, bids, strict=True))
    ]


def _trades(times: Sequence[int], draw: Draw) -> list[str]:
    return [f"{time},1.{draw(st.integers(100, 102))},{n + 1},buy" for n, time in enumerate(times)]


def _bars(times: Sequence[int], draw: Draw) -> list[str]:
    """Klines of a minute, each once, in the order of the archive."""
    opens = sorted({time // 60_000 * 60_000 for time in times})
    rows = []
    for open_ms in opens:
        price = draw(st.integers(100, 900))
        rows.append(f"{open_ms},1.{price},2,1,1.5,7,{open_ms + 59_999},9,3,4,5,0")
    return rows


def _deltas(times: Sequence[int], draw: Draw) -> list[str]:
    """A snapshot, which later files go on from, and diffs that follow it."""
    book = {"lastUpdateId": 100, "bids": [["10", "1"]], "asks": [["20", "1"]]}
    lines = [f"{START_MS * 10**6} {json.dumps(book)}"]
    for number, time in enumerate(times, start=101):
        levels = [[str(draw(st.integers(5, 9))), str(draw(st.integers(0, 2)))]]
        diff = {"e": "depthUpdate", "E": time, "s": "ETHUSDT", "U": number, "u": number, "b": levels, "a": []}
        lines.append(f"{time * 10**6 + number} {json.dumps(diff)}")
    return lines


def _with(header: str) -> Callable[[Sequence[str]], bytes]:
    return lambda lines: "\n".join([header, *lines, ""]).encode()


def _recorded(lines: Sequence[str]) -> bytes:
    return gzip.compress("\n".join([*lines, ""]).encode())


KLINES = (
    "open_time,open,high,low,close,volume,close_time,quote_volume,count,taker_buy_volume,"
    "taker_buy_quote_volume,ignore"
)
KINDS = {
    "quotes": Kind("EURUSD.DUKASCOPY", "x.csv", _quotes, _with("time,bid,ask")),
    "trades": Kind("EURUSD.DUKASCOPY", "x.csv", _trades, _with("time,price,size,side")),
    "bars": Kind("ETHUSDT.BINANCE", "ETHUSDT-1m-2019-02-04.csv", _bars, _with(KLINES)),
    "deltas": Kind("ETHUSDT.BINANCE", "x.gz", _deltas, _recorded),
}


def drawn_lines(kind: Kind, data: st.DataObject) -> list[str]:
    steps = data.draw(st.lists(st.sampled_from(STEPS_MS), min_size=2, max_size=25))
    times = [START_MS + sum(steps[: n + 1]) for n in range(len(steps))]
    return kind.lines(times, data.draw)


def stored(store: Path) -> dict[str, bytes]:
    return {str(path.relative_to(store)): path.read_bytes() for path in store.rglob("*.parquet")}


def written(folder: Path, kind: Kind, lines: Sequence[str]) -> Path:
    folder.mkdir(parents=True)
    path = folder / kind.name
    path.write_bytes(kind.packed(lines))
    return path


@pytest.mark.parametrize("kind", KINDS.values(), ids=list(KINDS))
@settings(max_examples=20, deadline=None)
@given(data=st.data())
def test_any_cut_into_files_and_any_batching_of_them_store_the_same_bytes(
    kind: Kind, data: st.DataObject
) -> None:
    lines = drawn_lines(kind, data)
    cuts = data.draw(st.sets(st.integers(1, len(lines) - 1), max_size=4)) if len(lines) > 1 else set()
    parts = [lines[start:end] for start, end in pairwise([0, *sorted(cuts), len(lines)])]
    batches = data.draw(st.sets(st.integers(1, len(parts) - 1))) if len(parts) > 1 else set()
    with TemporaryDirectory() as folder:
        root = Path(folder)
        whole = imported(root / "whole", written(root / "one", kind, lines), instrument=kind.instrument)
        files = [written(root / str(number), kind, part) for number, part in enumerate(parts)]
        reports = [
            imported(root / "cut", *files[start:end], instrument=kind.instrument)
            for start, end in pairwise([0, *sorted(batches), len(files)])
        ]
        assert stored(root / "cut") == stored(root / "whole")
        assert sum(report.added for report in reports) == whole.added
        assert sum(report.rows for report in reports) == whole.rows


def test_a_candle_that_comes_again_with_other_values_replaces_the_old_one_and_is_told(tmp_path: Path) -> None:
    line = f"{START_MS},1.{{}},2,1,1.5,7,{START_MS + 59_999},9,3,4,5,0"
    kind = KINDS["bars"]
    old, new = (written(tmp_path / price, kind, [line.format(price)]) for price in ("100", "200"))
    imported(tmp_path / "store", old, instrument=kind.instrument)

    report = imported(tmp_path / "store", new, instrument=kind.instrument)

    assert (report.rows, report.added, report.duplicates) == (1, 1, 0)
    (note,) = (note for note in report.notes if "revised" in note)
    assert note.startswith("1 rows of bars-1-MINUTE-LAST")
    rows = pl.read_parquet(tmp_path / "store/**/*.parquet")
    assert rows["open"].cast(pl.Float64).to_list() == [1.2]


@pytest.mark.parametrize("kind", [KINDS["quotes"], KINDS["trades"]], ids=["quotes", "trades"])
@settings(max_examples=20, deadline=None)
@given(data=st.data())
def test_any_order_of_rows_of_one_stamp_stores_the_same_rows(kind: Kind, data: st.DataObject) -> None:
    lines = drawn_lines(kind, data)
    shuffled = [
        line
        for _, group in groupby(lines, key=lambda line: line.partition(",")[0])
        for line in data.draw(st.permutations(list(group)))
    ]
    with TemporaryDirectory() as folder:
        root = Path(folder)
        for name, rows in (("given", lines), ("shuffled", shuffled)):
            imported(root / "stores" / name, written(root / name, kind, rows), instrument=kind.instrument)
        frames = [pl.read_parquet(root / "stores" / name / "**/*.parquet") for name in ("given", "shuffled")]
        assert frames[0].sort(frames[0].columns).equals(frames[1].sort(frames[1].columns))
        assert frames[0]["ts_event"].equals(frames[1]["ts_event"])


@settings(max_examples=20, deadline=None)
@given(data=st.data())
def test_any_order_of_the_levels_of_one_update_stores_the_same_book_changes(data: st.DataObject) -> None:
    bids = data.draw(st.permutations([["9", "1"], ["8", "2"], ["7", "0"], ["6", "4"]]))
    book = {"lastUpdateId": 1, "bids": [["7", "1"]], "asks": [["20", "1"]]}
    diff = {"e": "depthUpdate", "E": START_MS, "s": "ETHUSDT", "U": 2, "u": 2, "b": bids, "a": []}
    lines = [f"{START_MS * 10**6 + n} {json.dumps(each)}" for n, each in enumerate((book, diff))]
    kind = KINDS["deltas"]
    with TemporaryDirectory() as folder:
        root = Path(folder)
        imported(root / "store", written(root / "file", kind, lines), instrument=kind.instrument)
        rows = pl.read_parquet(root / "store/**/*.parquet").filter(pl.col("sequence") == 2)
    assert sorted(rows.select("price", "size", "action").cast(pl.Int64).rows()) == [
        (6, 4, 2),
        (7, 0, 3),
        (8, 2, 2),
        (9, 1, 2),
    ]
    assert rows["flags"].to_list() == [0, 0, 0, 128]
