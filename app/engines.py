"""How the program hosts a run: in a process of its own, in a thread, or by joining an engine that runs."""

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final, Literal

import msgspec
import psutil

from app.paths import ROOT, logs, run_folder
from engine.errors import UserError
from engine.link.endpoint import read_endpoint
from engine.link.process import ProcessLink
from engine.link.protocols import Link, Session
from engine.link.server import OnWatcherLost
from engine.link.thread import ThreadLink
from engine.messages.run import Run

type Hosting = Literal["process", "thread"]
"""Where a session runs; `thread` shares the window's interpreter and is for debugging."""

COMMAND: Final = (sys.executable, "-m", "app.engine_main")


class Running(msgspec.Struct, frozen=True):
    """An engine that can be joined: the file that says how, its process, and what it runs."""

    file: Path
    pid: int
    run: Run


def opener(hosting: Hosting, on_watcher_lost: OnWatcherLost = "stop") -> Callable[[Run], Link]:
    """Function that hosts a run in this way; an engine in a thread ends with the window in any case."""
    if hosting == "thread":
        return in_thread

    def open_link(run: Run) -> ProcessLink:
        return in_process(run, on_watcher_lost)

    return open_link


def in_process(run: Run, on_watcher_lost: OnWatcherLost = "stop") -> ProcessLink:
    """Spawn an engine; one that outlives its window (`keep`) leaves its endpoint in the run folder."""
    # The engine must find our packages from whatever folder the program was started in.
    search = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH", "")]))
    return ProcessLink.spawn(
        run,
        command=COMMAND,
        log_folder=logs(),
        on_watcher_lost=on_watcher_lost,
        run_folder=run_folder() if on_watcher_lost == "keep" else None,
        environment={"PYTHONPATH": search},
    )


def in_thread(run: Run) -> ThreadLink:
    """Host the run in a background thread of this process."""
    from app.engine_main import make_session  # noqa: PLC0415 -- only this way of hosting loads the engine here

    def make() -> Session:
        return make_session(run)

    return ThreadLink(make)


def running() -> list[Running]:
    """Engines that were told to outlive their window and still run, oldest first.

    Endpoints of engines that ended without a word, and files that are none, are left out.
    """
    found = []
    for path in sorted(run_folder().glob("*.json"), key=lambda path: path.stat().st_mtime):
        try:
            endpoint = read_endpoint(path)
        except UserError:
            continue
        if psutil.pid_exists(endpoint.pid):
            found.append(Running(path, endpoint.pid, endpoint.run))
    return found


def attach(endpoint_file: Path, last_event: int = 0) -> ProcessLink:
    """Watch a running engine; raises `UserError` where it has ended, and then tidies its endpoint away."""
    return ProcessLink.attach(endpoint_file, last_event=last_event)
