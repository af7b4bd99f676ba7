"""Several imports into one store at the same time: real processes, and the moments between them."""

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from engine.feeds.importing import import_files
from engine.progress import Cancelled
from engine.store import Store
from engine.store.locking import exclusive
from tests.engine.feeds.files import bi5, hour, known, recording
from tests.engine.feeds.test_importing import contents, imported

ROOT = Path(__file__).resolve().parents[3]
START_NS = 1_549_238_400_000_000_000

IMPORTS = """
import sys
from pathlib import Path
import msgspec
from engine.feeds.importing import import_files
from engine.store import Store
from tests.engine.feeds.files import known

store, instrument, *files = sys.argv[1:]
tell = lambda _fraction, what: print(what, flush=True)
sys.stdin.readline()
done = import_files([Path(file) for file in files], instrument, Store(Path(store)), known(), progress=tell)
print(msgspec.json.encode(done).decode(), flush=True)
"""


def ticks(first: int) -> list[tuple[float, ...]]:
    return [(n * 1_000, 114_545 + (n + first) % 3, 114_543, 1.5, 2.25) for n in range(100)]


def started(store: Path, instrument: str, *files: Path) -> subprocess.Popen[str]:
    """Process that imports as soon as it is sent a line."""
    arguments = [str(store), instrument, *map(str, files)]
    return subprocess.Popen(
        [sys.executable, "-c", IMPORTS, *arguments],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def ended(process: subprocess.Popen[str]) -> tuple[list[str], dict[str, Any]]:
    """What it said on the way, and its report."""
    with process:
        out, _ = process.communicate("\n")
    assert process.returncode == 0
    *said, report = out.splitlines()
    return said, json.loads(report)


def parquet(folder: Path) -> Mapping[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.rglob("*.parquet")}


def test_imports_at_once_are_as_if_one_came_after_the_other(tmp_path: Path) -> None:
    hours = [hour(tmp_path, bi5(ticks(number)), number=number) for number in range(4)]
    store = tmp_path / "store"
    running = [
        started(store, "EURUSD.DUKASCOPY", *hours[:3]),
        started(store, "EURUSD.DUKASCOPY", *hours[1:]),
        started(store, "EURUSD.OTHER", *hours),
    ]
    for process in running:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    (_, one), (_, two), (_, other) = [ended(process) for process in running]

    assert (one["rows"], two["rows"], other["added"]) == (300, 300, 400)
    assert one["added"] + two["added"] == 400
    assert one["duplicates"] + two["duplicates"] == 200
    imported(tmp_path / "alone", *hours)
    assert parquet(store / "EURUSD.DUKASCOPY") == parquet(tmp_path / "alone")
    assert parquet(store / "EURUSD.OTHER") == parquet(tmp_path / "alone")
    assert not (store / ".importing").exists()


def test_the_second_import_reads_and_then_waits_for_the_first_to_store(tmp_path: Path) -> None:
    path, store = hour(tmp_path, bi5(ticks(0))), tmp_path / "store"
    with started(store, "EURUSD.DUKASCOPY", path) as second:
        assert second.stdin is not None
        assert second.stdout is not None
        with exclusive(store / "EURUSD.DUKASCOPY", "EURUSD.DUKASCOPY"):
            second.stdin.write("\n")
            second.stdin.flush()
            assert second.stdout.readline() == "Reading 00h_ticks.bi5\n"
            assert second.stdout.readline() == "Waiting for another import of EURUSD.DUKASCOPY\n"
        _, report = ended(second)
    assert report["added"] == 100


def test_a_wait_can_be_cancelled(tmp_path: Path) -> None:
    path, store = hour(tmp_path, bi5(ticks(0))), Store(tmp_path / "store")
    imported(store.root, path)
    before = contents(store.root)
    other = hour(tmp_path, bi5(ticks(1)), number=1)
    said: list[str] = []
    with exclusive(store.root / "EURUSD.DUKASCOPY", "EURUSD.DUKASCOPY"), pytest.raises(Cancelled):
        import_files(
            [other],
            "EURUSD.DUKASCOPY",
            store,
            known(),
            progress=lambda _part, what: said.append(what),
            cancelled=lambda: "Waiting" in "".join(said),
        )
    assert contents(store.root) == before


TRADE = {"e": "trade", "E": 1, "s": "ETHUSDT", "t": 1, "p": "10", "q": "1", "T": START_NS // 10**6, "m": True}


def diff(n: int, number: int, bid: str) -> tuple[int, dict[str, object]]:
    message = {"e": "depthUpdate", "E": START_NS // 10**6 + n, "s": "ETHUSDT", "U": number, "u": number}
    return START_NS + n, {**message, "b": [[bid, "1"]], "a": []}


def test_a_book_that_is_stored_while_another_import_reads_is_continued(tmp_path: Path) -> None:
    """As if the second import had come after the first, although it began to read before."""
    first, second, more = (tmp_path / name for name in ("first.gz", "second.gz", "more.csv"))
    snapshot = {"lastUpdateId": 5, "bids": [["10", "1"]], "asks": [["11", "1"]]}
    first.write_bytes(recording([(START_NS, snapshot), diff(1, 6, "10")]))
    second.write_bytes(recording([diff(2, 7, "9"), diff(3, 8, "8"), (START_NS + 4, TRADE)]))
    more.write_text("time,price,size,side,id\n1549238401,10.25,0.5,buy,2\n")
    store = Store(tmp_path / "store")
    said: list[str] = []

    def tell(_fraction: float, what: str) -> None:
        if what == "Reading more.csv" and what not in said:
            import_files([first], "ETHUSDT.BINANCE", store, known())
        said.append(what)

    report = import_files([second, more], "ETHUSDT.BINANCE", store, known(), progress=tell)

    assert said.count("Reading second.gz") == 2
    assert (report.kinds, report.rejected) == ({"trades": 2, "deltas": 2}, [])
    imported(tmp_path / "alone", first, second, more, instrument="ETHUSDT.BINANCE")
    alone = Store(tmp_path / "alone").read("ETHUSDT.BINANCE", "deltas")
    found = store.read("ETHUSDT.BINANCE", "deltas")
    assert found.sequence.tolist() == alone.sequence.tolist() == [5, 5, 5, 6, 7, 8]
