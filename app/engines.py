"""How the program hosts a run: in a process of its own, in a thread, or by joining an engine that runs."""

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final, Literal

import msgspec

from app.paths import ROOT, logs, run_folder
from engine.errors import UserError
from engine.link.endpoint import Endpoint, Secrets, endpoints
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


type SecretsOf = Callable[[Run], Secrets]
"""Gives what a run needs to trade at a venue; asked at every start, and what it gives is not kept."""


def secrets_of(run: Run) -> Secrets:
    """Fields of the run's connection, from where keys are kept; nothing where it needs none.

    Paper trading on a live market needs a key only where the venue shows its market to nobody else, so what
    cannot trade is not told what could.

    Raises
    ------
    UserError
        Where they are kept stays locked.
    """
    if run.connection is None:
        return {}
    from app.profiles import kept_of  # noqa: PLC0415 - most runs trade at no venue
    from app.secrets import Secrets as Kept  # noqa: PLC0415
    from engine.nautilus.adapters import adapter_named  # noqa: PLC0415

    adapter = adapter_named(run.connection.adapter)
    if not adapter.secrets or not (run.mode == "live" or adapter.market_needs_keys):
        return {}
    fields = Kept().get(kept_of(run.connection))
    return {} if fields is None else {run.profile: dict(fields)}


def opener(
    hosting: Hosting, on_watcher_lost: OnWatcherLost = "stop", secrets_of: SecretsOf = secrets_of
) -> Callable[[Run], Link]:
    """Function that hosts a run in this way; an engine in a thread ends with the window in any case."""
    if hosting == "thread":
        return lambda run: in_thread(run, secrets_of(run))
    return lambda run: in_process(run, on_watcher_lost, secrets_of(run))


def in_process(
    run: Run, on_watcher_lost: OnWatcherLost = "stop", secrets: Secrets | None = None
) -> ProcessLink:
    """Spawn an engine; one that outlives its window can be joined by others."""
    # The engine must find our packages from whatever folder the program was started in.
    search = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH", "")]))
    return ProcessLink.spawn(
        run,
        command=COMMAND,
        log_folder=logs(),
        on_watcher_lost=on_watcher_lost,
        run_folder=run_folder(),
        joinable=on_watcher_lost != "stop",
        secrets=secrets,
        environment={"PYTHONPATH": search},
    )


def in_thread(run: Run, secrets: Secrets | None = None) -> ThreadLink:
    """Host the run in a background thread of this process."""
    from app.engine_main import make_session  # noqa: PLC0415 -- only this way of hosting loads the engine here

    told = [secrets or {}]

    def make() -> Session:
        return make_session(run, told.pop())

    return ThreadLink(make, run, run_folder=run_folder())


def running() -> list[Running]:
    """Engines that outlive their window, still run and can be joined, oldest first.

    Endpoints of engines that ended without a word, and files that are none, are left out.
    """
    return [
        Running(path, endpoint.pid, endpoint.run)
        for path, endpoint in endpoints(run_folder())
        if endpoint.door is not None
    ]


def sessions() -> list[Endpoint]:
    """All sessions that run on this machine, of whichever window, oldest first."""
    return [endpoint for _, endpoint in endpoints(run_folder())]


def check_alone(run: Run, own: str | None = None) -> None:
    """Raise `UserError` where another live session trades the run's instrument over the same connection.

    They would share one position at the venue, name their orders alike, and each take the other's fills for a
    stranger's.

    Parameters
    ----------
    own : str, optional
        Session in whose place the run comes.
    """
    for each in sessions():
        same = (each.run.profile, each.run.instrument) == (run.profile, run.instrument)
        if each.run.mode == "live" and same and each.id != own:
            raise UserError(
                f"{run.instrument} is traded live over {run.profile} already, by session {each.id}; attach "
                "to that one, or end it first."
            )


def attach(endpoint_file: Path, last_event: int = 0) -> ProcessLink:
    """Watch a running engine; raises `UserError` where it has ended, and then tidies its endpoint away."""
    return ProcessLink.attach(endpoint_file, last_event=last_event)
