import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest

from engine.errors import UserError
from engine.store import Store, schema, writing
from engine.store.locking import exclusive
from tests.engine.store.rows import DAY_NS, EURUSD, quotes, same

ROOT = Path(__file__).resolve().parents[3]


def contents(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.name != ".lock"
    }


def test_a_write_that_changes_nothing_touches_no_file(tmp_path: Path) -> None:
    store = Store(tmp_path)
    rows = quotes([1, DAY_NS])
    store.add(EURUSD, {"quotes": rows})
    before = {path: path.stat().st_mtime_ns for path in store.files("EURUSD.SIM", "quotes")}
    store.add(EURUSD, {"quotes": rows})
    assert {path: path.stat().st_mtime_ns for path in store.files("EURUSD.SIM", "quotes")} == before


def test_a_full_disk_leaves_the_store_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = Store(tmp_path)
    store.add(EURUSD, {"quotes": quotes([1])})
    before = contents(tmp_path)
    original = schema.write_tables

    def fails_on_the_second(tables: Iterator[pa.Table], path: Path) -> None:
        if "02-05" in path.name:
            path.write_bytes(b"half a file")
            raise OSError(28, "No space left on device")
        original(tables, path)

    monkeypatch.setattr(writing, "write_tables", fails_on_the_second)
    with pytest.raises(UserError, match="no space left"):
        store.add(EURUSD, {"quotes": quotes([2, DAY_NS], [3, 4])})
    assert contents(tmp_path) == before


def test_a_failed_first_write_leaves_no_instrument(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(tables: Iterator[pa.Table], path: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(writing, "write_tables", fails)
    with pytest.raises(UserError):
        Store(tmp_path).add(EURUSD, {"quotes": quotes([1])})
    assert list(tmp_path.iterdir()) == []


DIES = """
import os, sys
from pathlib import Path
from engine.store import Store
from tests.engine.store.rows import DAY_NS, EURUSD, quotes

real, done = Path.replace, []
def replace(self, target):
    if len(done) == int(sys.argv[2]):
        os._exit(9)  # what a power cut leaves: nothing is unwound
    done.append(target)
    return real(self, target)
Path.replace = replace
Store(Path(sys.argv[1])).add(EURUSD, {"quotes": quotes([2, DAY_NS, 2 * DAY_NS], [3, 4, 5])})
"""


@pytest.mark.parametrize("renames", [0, 2])
def test_a_killed_write_leaves_every_day_whole_and_the_next_one_completes_it(
    tmp_path: Path, renames: int
) -> None:
    store = Store(tmp_path)
    store.add(EURUSD, {"quotes": quotes([1, 2 * DAY_NS + 1], [1, 2])})

    done = subprocess.run([sys.executable, "-c", DIES, str(tmp_path), str(renames)], cwd=ROOT, check=False)

    assert done.returncode == 9
    found = store.read("EURUSD.SIM", "quotes").bid.tolist()
    assert found in ([1, 2], [1, 3, 2], [1, 3, 4, 2])
    assert len(found) == 2 + renames
    store.add(EURUSD, {"quotes": quotes([2, DAY_NS, 2 * DAY_NS], [3, 4, 5])})
    assert store.read("EURUSD.SIM", "quotes").bid.tolist() == [1, 3, 4, 5, 2]
    assert not list(tmp_path.rglob("*.part"))


def test_two_writers_of_one_instrument_are_told_apart(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.add(EURUSD, {"quotes": quotes([1])})
    with (
        exclusive(tmp_path / "EURUSD.SIM", "EURUSD.SIM"),
        pytest.raises(UserError, match="Another command is writing EURUSD"),
    ):
        store.add(EURUSD, {"quotes": quotes([2])})
    assert store.add(EURUSD, {"quotes": quotes([2], [8])}).rows == {"quotes": 1}


def test_a_damaged_day_is_named_with_what_to_do(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.add(EURUSD, {"quotes": quotes([1])})
    path = store.files("EURUSD.SIM", "quotes")[0]
    path.write_bytes(path.read_bytes()[:200])
    for ask in (
        lambda: store.info("EURUSD.SIM"),
        lambda: store.read("EURUSD.SIM", "quotes"),
        lambda: store.add(EURUSD, {"quotes": quotes([2])}),
        lambda: store.has_sequence("EURUSD.SIM", "quotes", 1),
    ):
        with pytest.raises(UserError, match="import that day again"):
            ask()


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="the superuser may write everywhere")
def test_a_store_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(UserError, match="permission denied"):
        Store(tmp_path).add(EURUSD, {"quotes": quotes([1])})


def test_a_store_where_a_file_is_in_the_way_is_said(tmp_path: Path) -> None:
    (tmp_path / "store").write_text("not a folder")
    with pytest.raises(UserError, match="is a file, not a tick store"):
        Store(tmp_path / "store").add(EURUSD, {"quotes": quotes([1])})


def test_rows_added_to_a_stored_day_are_merged_in_order(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.add(EURUSD, {"quotes": quotes([1, 5], [1, 5])})
    store.add(EURUSD, {"quotes": quotes([3, 5, 0], [3, 5, 9])})
    assert same(store.read("EURUSD.SIM", "quotes"), quotes([0, 1, 3, 5], [9, 1, 3, 5]))
