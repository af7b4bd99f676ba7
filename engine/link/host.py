"""The main thread of a spawned engine: reads what to run, listens, runs it, and says how it ended.

The exit code is the last word of the conversation: 0 ended, 2 the user can mend it (the sentence is the last
line of the log), 70 crashed (the traceback is in the log). A watchdog ends the process when its parent is
gone, even where the session hangs, so that no engine is left that nobody knows of.
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

from engine.errors import UserError
from engine.link.connection import free_address, listen
from engine.link.endpoint import Endpoint, Start, write_endpoint
from engine.link.protocols import Session
from engine.link.server import Server
from engine.messages.run import Run

MENDABLE: Final = 2
CRASHED: Final = 70
ORPHANED: Final = 71
SENTENCE: Final = "nexttick: "
"""Begins the log line that tells the user what to mend."""

_GRACE_S: Final = 2.0


def host(make_session: Callable[[Run], Session]) -> int:
    """Run the engine process; the exit code. Reads one `Start` line from standard input."""
    faulthandler.enable()
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
            target=_end_with_parent, args=(ended, start.address), name="watchdog", daemon=True
        ).start()
    listener = listen(start.address, start.authkey)
    arrivals = _Arrivals(listener)
    with contextlib.ExitStack() as on_end:
        on_end.callback(ended.set)
        on_end.callback(free_address, start.address)
        on_end.callback(listener.close)
        if start.folder is not None:
            on_end.callback(_publish(Path(start.folder), start).unlink, missing_ok=True)
        return _serve(make_session, start, arrivals)


def _publish(folder: Path, start: Start) -> Path:
    endpoint = Endpoint(address=start.address, authkey=start.authkey, pid=os.getpid(), run=start.run)
    return write_endpoint(folder, endpoint)


def _serve(make_session: Callable[[Run], Session], start: Start, arrivals: "_Arrivals") -> int:
    try:
        server = Server(make_session(start.run), on_watcher_lost=start.on_watcher_lost)
        arrivals.lead_to(server)
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


def _end_with_parent(ended: threading.Event, address: str) -> None:
    """End the process some time after its parent, who holds the other end of standard input."""
    while os.read(0, 1024):
        pass
    if not ended.wait(_GRACE_S):
        print("The parent is gone and the session does not end; leaving.", file=sys.stderr, flush=True)
        free_address(address)
        os._exit(ORPHANED)
