"""What a session needs to trade at a venue reaches it once, and nothing else."""

import hashlib
import os
import signal
import sys
from collections.abc import Iterable
from pathlib import Path

import psutil
import pytest

from engine.link.endpoint import Start, new_door
from engine.link.process import ProcessLink
from engine.messages.commands import Pause
from engine.messages.events import AnyEvent, Logged
from engine.messages.run import Run
from tests.engine.link.fakes import until
from tests.engine.link.test_watchdog import ENGINE

KEY = "planted-7f3a9c-key"
SECRETS = {"demo": {"key": KEY, "secret": f"{KEY}-too"}}


def spawned(folder: Path, strategy: str) -> ProcessLink:
    return ProcessLink.spawn(
        Run(instrument="EURUSD.SIM", strategy=strategy),
        command=ENGINE,
        log_folder=folder / "logs",
        run_folder=folder / "run",
        secrets=SECRETS,
    )


def holders(folders: Iterable[Path]) -> list[Path]:
    """Files below the folders that hold the planted key."""
    files = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
    return [path for path in files if KEY.encode() in path.read_bytes()]


def seen_by_others(pid: int) -> str:
    process = psutil.Process(pid)
    return " ".join([*process.cmdline(), *process.environ().values()])


def test_they_arrive_and_are_in_no_file_argument_or_environment(tmp_path: Path) -> None:
    link = spawned(tmp_path, "telling")
    events: list[AnyEvent] = []

    def texts() -> list[str]:
        events.extend(each.event for frame in link.drain() for each in frame.events)
        return [event.text for event in events if isinstance(event, Logged)]

    until(texts, "the session's word")
    assert hashlib.sha256(KEY.encode()).hexdigest() in texts()
    link.send(Pause())
    until(lambda: "0 secrets are left" in texts(), "them to be forgotten")
    assert (tmp_path / "run" / f"{link.pid}.json").exists()
    assert KEY not in seen_by_others(link.pid)
    assert holders([tmp_path]) == []
    link.close()
    assert link.join(10)
    assert holders([tmp_path]) == []


@pytest.mark.parametrize("way", ["broken", "none"])
def test_a_crash_writes_none_of_them(tmp_path: Path, way: str) -> None:
    link = spawned(tmp_path, way)
    if way == "none":
        until(link.drain, "the session to be up")
        os.kill(link.pid, signal.SIGABRT)
    until(lambda: link.down, "its end")
    assert link.log is not None
    assert "Traceback" in link.log.read_text() or "Fatal Python error" in link.log.read_text()
    assert holders([tmp_path, Path.cwd() / "core"]) == []
    link.close()
    assert link.join(10)


@pytest.mark.skipif(sys.platform == "win32", reason="limits of POSIX")
def test_an_engine_leaves_no_image_of_its_memory(tmp_path: Path) -> None:
    link = spawned(tmp_path, "none")
    until(link.drain, "the session to be up")
    assert psutil.Process(link.pid).rlimit(psutil.RLIMIT_CORE) == (1, 1)  # type: ignore[attr-defined, unused-ignore]
    link.close()
    assert link.join(10)


def test_they_show_in_no_text_of_the_start() -> None:
    start = Start(
        run=Run(instrument="EURUSD.SIM"),
        door=new_door(),
        kill_door=new_door(),
        on_watcher_lost="stop",
        secrets=SECRETS,
    )
    for text in (repr(start), str(start), f"{start!r}", repr([start]), repr(start.door)):
        assert KEY not in text
        assert repr(start.door.key) not in text
    assert "demo" in repr(start)
    for door in (start.door, start.kill_door):
        Path(door.address).parent.rmdir()
