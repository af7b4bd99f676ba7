"""An import that is killed with SIGKILL, at every kind of moment, in a process of its own."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from engine.feeds.importing import import_files
from engine.store import Store
from engine.store.seals import Seal, check_seal
from engine.store.verifying import verify
from tests.engine.feeds.files import bi5, hour, known
from tests.engine.store.rows import EURUSD, quotes

pytestmark = pytest.mark.skipif(os.name != "posix", reason="only POSIX has SIGKILL")

ROOT = Path(__file__).resolve().parents[3]
DAYS = ("2019/01/04", "2019/01/05", "2019/01/06")

IS_KILLED = """
import importlib, os, signal, sys
from pathlib import Path
from engine.feeds.importing import import_files
from engine.store import Store
from tests.engine.feeds.files import known

module, name, method, after = sys.argv[3:]
owner = getattr(importlib.import_module(module), name)
original, calls = getattr(owner, method), []

def killing(*arguments, **named):
    if len(calls) == int(after):
        os.kill(os.getpid(), signal.SIGKILL)
    calls.append(1)
    return original(*arguments, **named)

setattr(owner, method, killing)
import_files([Path(sys.argv[1])], "EURUSD.DUKASCOPY", Store(Path(sys.argv[2])), known())
"""

DECODING = ("engine.feeds.reader", "Reader", "read")
SETTING_ASIDE = ("engine.store.incoming", "Spill", "add")
STAGING = ("engine.store.writing", "_FileMerge", "stage")
RENAMING = ("pathlib", "Path", "replace")


def days(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.rglob("*.parquet")}


def leftovers(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.name.startswith(".") and path.name not in {".lock"}]


def imported(path: Path, store: Path) -> None:
    import_files([path], "EURUSD.DUKASCOPY", Store(store), known())


@pytest.mark.parametrize(
    ("where", "after"), [(DECODING, 2), (SETTING_ASIDE, 1), (STAGING, 2), (RENAMING, 0), (RENAMING, 2)]
)
def test_every_day_is_old_or_new_and_the_next_write_clears_up(
    tmp_path: Path, where: tuple[str, str, str], after: int
) -> None:
    ticks = [(n * 1_000, 114_545 + n % 3, 114_543, 1.5, 2.25) for n in range(50)]
    for day in DAYS[:2]:
        hour(tmp_path / "old", bi5(ticks), day=day)
    for day in DAYS:
        hour(tmp_path / "new", bi5(ticks), day=day, number=1)
    imported(tmp_path / "old", tmp_path / "store")
    old = days(tmp_path / "store")
    imported(tmp_path / "old", tmp_path / "whole")
    imported(tmp_path / "new", tmp_path / "whole")
    new = days(tmp_path / "whole")

    arguments = [str(tmp_path / "new"), str(tmp_path / "store"), *where, str(after)]
    dead = subprocess.run([sys.executable, "-c", IS_KILLED, *arguments], cwd=ROOT, check=False)

    assert dead.returncode == -signal.SIGKILL
    found = days(tmp_path / "store")
    assert found.keys() >= old.keys()
    assert all(data in (old.get(name), new[name]) for name, data in found.items())
    assert sum(data == new[name] for name, data in found.items()) == (after if where == RENAMING else 0)
    assert all(check_seal(path) is Seal.WHOLE for path in (tmp_path / "store").rglob("[!.]*.parquet"))
    assert (tmp_path / "store" / ".importing").exists()

    Store(tmp_path / "store").add(EURUSD, {"quotes": quotes([1])})
    assert not (tmp_path / "store" / ".importing").exists(), "any write clears what the dead one set aside"
    imported(tmp_path / "new", tmp_path / "store")
    assert days(tmp_path / "store" / "EURUSD.DUKASCOPY") == new
    assert leftovers(tmp_path / "store") == []
    assert verify(Store(tmp_path / "store")).problems == []
