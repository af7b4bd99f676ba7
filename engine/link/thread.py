"""A session in a background thread of this process: the same bytes, the same loop, no second process.

For debugging and for machines that cannot spawn; the window and the engine then share one interpreter lock.
The kill switch works past a window that hangs, as long as what hangs gives that lock back, and ends a
strategy's loop, but not its sleep or its wait for a socket; nor can a thread that hangs be ended alone.
"""

import itertools
import os
import threading
import traceback
from collections.abc import Callable
from multiprocessing import Pipe
from pathlib import Path

from engine.callbacks import callbacks
from engine.errors import UserError
from engine.link.channel import Channel
from engine.link.connection import Connection
from engine.link.endpoint import Endpoint, new_door, write_endpoint
from engine.link.protocols import LinkDown, Session
from engine.link.server import Server
from engine.link.told import UNKNOWN
from engine.link.watchdog import Watchdog
from engine.messages.commands import AnyCommand, Stop
from engine.messages.frames import Frame
from engine.messages.run import Run

_numbers = itertools.count(1)


class ThreadLink:
    """Hosts what `make_session` makes; it is called in the session's own thread.

    Parameters
    ----------
    make_session : callable
    run : Run
        What it runs.
    run_folder : Path, optional
        Where the endpoint lies that other processes kill by; none can without it.

    Attributes
    ----------
    id : str
        Name of the session on this machine; see `Endpoint`.
    """

    def __init__(
        self, make_session: Callable[[], Session], run: Run = UNKNOWN, *, run_folder: Path | None = None
    ) -> None:
        self.id = f"{os.getpid()}-{next(_numbers)}"
        self._run, self._run_folder = run, run_folder
        self._channel = Channel()
        self._down: LinkDown | None = None
        self._closed = False
        ours, theirs = Pipe()
        self._threads = [
            threading.Thread(target=self._host, args=(make_session, theirs), name="session", daemon=True),
            threading.Thread(target=self._watch, args=(ours,), name="link-frames", daemon=True),
        ]
        self._failure: LinkDown | None = None
        for thread in self._threads:
            thread.start()

    def _host(self, make_session: Callable[[], Session], connection: Connection) -> None:
        try:
            self._serve(make_session, connection)
        except UserError as error:
            self._failure = LinkDown(str(error), [], expected=False)
        except Exception as error:  # noqa: BLE001 -- any crash of the session ends the link, never the window
            lines = traceback.format_exception(error)
            self._failure = LinkDown(
                f"The engine stopped: {lines[-1].strip()}. Restart the session to go on.",
                "".join(lines).splitlines()[-20:],
                expected=False,
            )
        finally:
            connection.close()

    def _serve(self, make_session: Callable[[], Session], connection: Connection) -> None:
        endpoint: Path | None = None
        door = new_door()
        watchdog = Watchdog(door, self._run, callbacks())
        try:
            if self._run_folder is not None:
                known = Endpoint(id=self.id, door=None, kill_door=door, pid=os.getpid(), run=self._run)
                endpoint = write_endpoint(self._run_folder, known)
            session = make_session()
            server = Server(session, run=self._run)
            watchdog.lead_to(server, session.kill_switch)
            server.welcome(connection)
            server.run()
        finally:
            watchdog.close()
            if endpoint is not None:
                endpoint.unlink(missing_ok=True)

    def _watch(self, connection: Connection) -> None:
        problem = self._channel.run(connection)
        if problem:
            self._down = LinkDown(f"The engine sent what cannot be read ({problem}).", [], expected=False)
            return
        self._threads[0].join()
        if self._closed:
            self._down = LinkDown("The session was closed.", [], expected=True)
        else:
            self._down = self._failure or LinkDown("The session ended.", [], expected=True)

    def send(self, command: AnyCommand) -> None:
        """Queue a command for the session."""
        self._channel.send(command)

    def drain(self) -> list[Frame]:
        """Frames that arrived since the last call."""
        return self._channel.drain()

    @property
    def down(self) -> LinkDown | None:
        """Why the session ended, with its traceback's last lines."""
        return self._down

    @property
    def silent_s(self) -> float:
        """Seconds for which the session could have sent a frame, and did not."""
        return self._channel.silent_s

    def close(self) -> None:
        """End the session; `join` waits for its threads."""
        self._closed = True
        self._channel.send(Stop())

    def join(self, timeout_s: float) -> bool:
        """Wait for the session's threads to end; False where one is still at work."""
        for thread in self._threads:
            thread.join(timeout_s)
        return not any(thread.is_alive() for thread in self._threads)
