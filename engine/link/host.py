"""The main thread of a spawned engine: reads what to run, listens, runs it, and says how it ended.

The exit code is the last word of the conversation: 0 ended, 2 the user can mend it (the sentence is the last
line of the log), 70 crashed (the traceback is in the log), 72 hung and ended by the kill switch (a sentence,
and the threads' stacks). Its parent's end ends the process, even where the session hangs, so that no engine
is left that nobody knows of.
"""

import contextlib
import faulthandler
import os
import sys
import threading
import traceback
from collections.abc import Callable
from multiprocessing import AuthenticationError
from multiprocessing.connection import Listener
from pathlib import Path
from typing import Final

import msgspec

from engine.callbacks import callbacks
from engine.errors import UserError
from engine.link.connection import free_address, listen
from engine.link.endpoint import Endpoint, Secrets, Start, write_endpoint
from engine.link.protocols import Session
from engine.link.server import Server
from engine.link.watchdog import STUCK_S, Watchdog
from engine.messages.run import Run

MENDABLE: Final = 2
CRASHED: Final = 70
ORPHANED: Final = 71
STUCK: Final = 72
SENTENCE: Final = "nexttick: "
"""Begins the log line that tells the user what to mend."""

type MakeSession = Callable[[Run, Secrets], Session]
"""Makes the session of a run; what it needs to trade at a venue is handed to it here, once."""

_GRACE_S: Final = 2.0


def host(make_session: MakeSession, *, stuck_s: float = STUCK_S) -> int:
    """Run the engine process; the exit code. Reads one `Start` line from standard input.

    `stuck_s` is how long it may hang once it is to be halted.
    """
    faulthandler.enable()
    _leave_no_core()
    try:
        start = msgspec.json.decode(sys.stdin.buffer.readline(), type=Start)
    except msgspec.MsgspecError as error:
        print(
            f"{SENTENCE}The window starts this program and tells it what to run ({error}).", file=sys.stderr
        )
        return MENDABLE
    ended = threading.Event()
    if start.on_watcher_lost == "stop":
        threading.Thread(
            target=_end_with_parent, args=(ended, start), name="parent-watch", daemon=True
        ).start()
    watchdog = Watchdog(
        start.kill_door,
        start.run,
        callbacks(),
        end=lambda sentence: _end_stuck(start, sentence),
        stuck_s=stuck_s,
    )
    listener = listen(start.door.address, start.door.key)
    arrivals = _Arrivals(listener)
    with contextlib.ExitStack() as on_end:
        on_end.callback(ended.set)
        on_end.callback(free_address, start.door.address)
        on_end.callback(listener.close)
        on_end.callback(watchdog.close)
        if start.folder is not None:
            on_end.callback(_publish(Path(start.folder), start).unlink, missing_ok=True)
        return _serve(make_session, start, arrivals, watchdog)


def _leave_no_core() -> None:
    """Keep what this process knows out of any file that the system would make of its crash."""
    if sys.platform != "win32":
        import resource  # noqa: PLC0415 - not on Windows, which makes no such file unasked

        # 1 and not 0: it also keeps Linux from handing the memory to a program that collects crashes.
        resource.setrlimit(resource.RLIMIT_CORE, (1, 1))


def _publish(folder: Path, start: Start) -> Path:
    pid = os.getpid()
    door = start.door if start.joinable else None
    return write_endpoint(
        folder, Endpoint(id=str(pid), door=door, kill_door=start.kill_door, pid=pid, run=start.run)
    )


def _serve(make_session: MakeSession, start: Start, arrivals: "_Arrivals", watchdog: Watchdog) -> int:
    try:
        try:
            session = make_session(start.run, start.secrets)
        finally:
            start.secrets.clear()
        server = Server(session, on_watcher_lost=start.on_watcher_lost, run=start.run)
        arrivals.lead_to(server)
        watchdog.lead_to(server, session.kill_switch)
        server.run()
    except UserError as error:
        print(f"{SENTENCE}{error}", file=sys.stderr, flush=True)
        return MENDABLE
    except Exception:  # noqa: BLE001 -- the last frame of the process: what it says here is all that is left
        traceback.print_exc()
        sys.stderr.flush()
        return CRASHED
    return 0


class _Arrivals:
    """Answers the door from the first moment on; who comes before the session is up waits inside."""

    def __init__(self, listener: Listener) -> None:
        self._listener = listener
        self._server: Server | None = None
        self._up = threading.Event()
        threading.Thread(target=self._accept, name="link-listener", daemon=True).start()

    def lead_to(self, server: Server) -> None:
        self._server = server
        self._up.set()

    def _accept(self) -> None:
        while True:
            try:
                connection = self._listener.accept()
            except (AuthenticationError, EOFError, ConnectionError) as error:
                print(f"A connection was refused: {error!r}", file=sys.stderr, flush=True)
                continue
            except OSError:
                return  # the listener was closed
            self._up.wait()
            assert self._server is not None  # noqa: S101 -- set before the event
            self._server.welcome(connection)


def _end_with_parent(ended: threading.Event, start: Start) -> None:
    """End the process some time after its parent, who holds the other end of standard input."""
    while os.read(0, 1024):
        pass
    if not ended.wait(_GRACE_S):
        print("The parent is gone and the session does not end; leaving.", file=sys.stderr, flush=True)
        _leave(start, ORPHANED)


def _end_stuck(start: Start, sentence: str) -> None:
    print(f"{SENTENCE}{sentence}", file=sys.stderr, flush=True)
    _leave(start, STUCK)


def _leave(start: Start, code: int) -> None:
    """End the process whose main thread does not, and what others know it by."""
    if start.folder is not None:
        (Path(start.folder) / f"{os.getpid()}.json").unlink(missing_ok=True)
    for door in (start.door, start.kill_door):
        free_address(door.address)
    os._exit(code)
