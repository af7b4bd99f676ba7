"""A session in a process of its own: spawned, watched, re-attached, and ended without leaving anything.

The window must live whatever the engine does, so everything that can wait — connecting, reading, writing,
reaping, ending — waits in a background thread, and an engine that ends says why.
"""

import os
import re
import secrets as tokens
import signal
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from multiprocessing import AuthenticationError
from pathlib import Path
from typing import Final, Self

import msgspec
import psutil

from engine.errors import UserError
from engine.link.channel import Channel
from engine.link.connection import Connection, connect, free_address, hang_up
from engine.link.endpoint import Door, Secrets, Start, is_running, new_door, read_endpoint, remove_endpoint
from engine.link.host import CRASHED, MENDABLE, SENTENCE, STUCK
from engine.link.protocols import LinkDown
from engine.link.server import OnWatcherLost
from engine.messages.commands import AnyCommand, Stop
from engine.messages.frames import Frame
from engine.messages.run import Run

LOG_LINES: Final = 20
CLOSED: Final = LinkDown("The session was closed.", [], expected=True)
_LOGS_KEPT: Final = 50
_CONNECT_S: Final = 30.0
_EXIT_S: Final = 1.0
_STOP_S: Final = 2.0
_TERMINATE_S: Final = 0.5
_COLOURS: Final = re.compile(r"\x1b\[[0-9;]*m")


class _Engine:
    """A child process, its log, and a thread that reaps it the moment it ends.

    `start` is written to its standard input, which stays open: its end is how the child knows of ours.
    """

    def __init__(
        self, command: Sequence[str], log: Path, environment: Mapping[str, str] | None, start: Start
    ) -> None:
        self.log = log
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("wb") as output:
            self._process = subprocess.Popen(  # noqa: S603 -- our own command, handed in by the composition root
                command,
                stdin=subprocess.PIPE,
                bufsize=0,
                stdout=output,
                stderr=subprocess.STDOUT,
                env={**os.environ, **(environment or {}), "PYTHONUNBUFFERED": "1"},
                # Its own session: Ctrl+C in the terminal is for the window, which then ends the engine.
                start_new_session=True,
                creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
            )
        self.pid = self._process.pid
        self.code: int | None = None
        self.ended = threading.Event()
        self._tell(msgspec.json.encode(start) + b"\n")
        left = [start.door, start.kill_door]
        endpoint = None if start.folder is None else Path(start.folder) / f"{self.pid}.json"
        threading.Thread(target=self._reap, args=(left, endpoint), name="engine-reaper", daemon=True).start()

    def _reap(self, doors: Sequence[Door], endpoint: Path | None) -> None:
        """Wait for its end, and tidy away what one leaves that was killed."""
        self.code = self._process.wait()
        if endpoint is not None:
            endpoint.unlink(missing_ok=True)
        for door in doors:
            free_address(door.address)
        assert self._process.stdin is not None  # noqa: S101 -- opened as a pipe above
        self._process.stdin.close()
        self.ended.set()

    def _tell(self, line: bytes) -> None:
        assert self._process.stdin is not None  # noqa: S101 -- opened as a pipe above
        try:
            self._process.stdin.write(line)
        except OSError:
            return  # it ended before it listened; the reaper knows why

    def end(self, patience_s: float) -> None:
        """Wait this long for a normal end, then ask, then kill; returns when the process is gone."""
        if not self.ended.wait(patience_s):
            self._process.terminate()
            if not self.ended.wait(_TERMINATE_S):
                self._process.kill()
        self.ended.wait()

    def log_tail(self) -> list[str]:
        """Last lines of the log, without colours."""
        with self.log.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - 2**16))
            text = file.read().decode(errors="replace")
        return [_COLOURS.sub("", line) for line in text.splitlines() if line.strip()][-LOG_LINES:]

    def obituary(self) -> LinkDown:
        """Why it ended, in words; call after `ended`."""
        tail = self.log_tail()
        code = self.code
        if code == 0:
            return LinkDown("The session ended.", tail, expected=True)
        if code in (MENDABLE, STUCK):
            said = [line for line in tail if line.startswith(SENTENCE)]
            if said:
                return LinkDown(said[-1].removeprefix(SENTENCE), tail, expected=False)
        how = f"it ended with exit code {code}"
        if code is not None and code < 0:
            how = f"killed by signal {-code} ({signal.strsignal(-code)})"
        elif code == CRASHED and tail:
            how = tail[-1]
        return LinkDown(
            f"The engine stopped: {how}. Restart the session to go on; the log is {self.log}.",
            tail,
            expected=False,
        )


class ProcessLink:
    """Talks to an engine process; made by `spawn` or `attach`.

    Attributes
    ----------
    pid : int
        The engine's process.
    log : Path or None
        Where its output goes; None of an engine that another process spawned.
    """

    def __init__(self, door: Door, pid: int, engine: _Engine | None, last_event: int) -> None:
        self.pid = pid
        self.log = None if engine is None else engine.log
        self._door = door
        self._engine = engine
        self._channel = Channel(last_event)
        self._connection: Connection | None = None
        self._down: LinkDown | None = None
        self._leaving = threading.Event()
        self._closer: threading.Thread | None = None
        self._reader = threading.Thread(target=self._watch, name="link-frames", daemon=True)

    @property
    def id(self) -> str:
        """Name of the session on this machine; see `Endpoint`."""
        return str(self.pid)

    @classmethod
    def spawn(
        cls,
        run: Run,
        *,
        command: Sequence[str],
        log_folder: Path,
        on_watcher_lost: OnWatcherLost = "stop",
        run_folder: Path | None = None,
        joinable: bool = True,
        secrets: Secrets | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> Self:
        """Start an engine process for `run` and watch it from its first event on; returns at once.

        Parameters
        ----------
        command : sequence of str
            What to execute; it calls `engine.link.host.host`.
        log_folder : Path
            Where the process's standard output and error go, one file a process.
        on_watcher_lost : {'stop', 'cancel', 'keep'}
            What the engine does when this link is gone.
        run_folder : Path, optional
            Where the engine leaves its endpoint; without it nobody can attach, and no other process can kill.
        joinable : bool
            Whether others may `attach`.
        secrets : mapping, optional
            What the session needs to trade at a venue; told to the engine once and kept nowhere here.
        environment : mapping, optional
            Additions to the child's environment. Never a secret.
        """
        name = f"engine-{datetime.now(UTC):%Y%m%d-%H%M%S}-{tokens.token_hex(3)}.log"
        start = Start(
            run=run,
            door=new_door(),
            kill_door=new_door(),
            on_watcher_lost=on_watcher_lost,
            folder=None if run_folder is None else str(run_folder),
            joinable=joinable,
            secrets={profile: dict(fields) for profile, fields in (secrets or {}).items()},
        )
        engine = _Engine(command, log_folder / name, environment, start)
        for old in sorted(log_folder.glob("engine-*.log"))[:-_LOGS_KEPT]:
            old.unlink(missing_ok=True)
        link = cls(start.door, engine.pid, engine, 0)
        link._reader.start()
        return link

    @classmethod
    def attach(cls, endpoint_file: Path, *, last_event: int = 0) -> Self:
        """Watch an engine that runs already, from the event after `last_event` on; returns at once.

        Raises
        ------
        UserError
            The engine has ended (its endpoint file is then removed), it belongs to its window, or the file is
            no endpoint.
        """
        endpoint = read_endpoint(endpoint_file)
        if not is_running(endpoint_file, endpoint):
            remove_endpoint(endpoint_file, endpoint)
            raise UserError("This engine has ended; start the session anew.")
        if endpoint.door is None:
            raise UserError(
                f"The session {endpoint.id} belongs to its window and ends with it; watch it there."
            )
        link = cls(endpoint.door, endpoint.pid, None, last_event)
        link._reader.start()
        return link

    def _watch(self) -> None:
        connection = self._connect()
        if connection is not None and self._leaving.is_set() and self._engine is None:
            hang_up(connection)
        problem = "" if connection is None else self._channel.run(connection)
        self._channel.close()
        if self._down is None:
            self._down = self._why(problem)

    def _connect(self) -> Connection | None:
        deadline = time.monotonic() + (_CONNECT_S if self._engine else _EXIT_S)
        while not self._leaving.is_set() and time.monotonic() < deadline:
            if self._engine is not None and self._engine.ended.is_set():
                return None
            try:
                self._connection = connect(self._door.address, self._door.key)
            except (OSError, EOFError):
                time.sleep(0.01)  # a starting interpreter needs some of these before it listens
            except AuthenticationError:
                return None
            else:
                return self._connection
        return None

    def _why(self, problem: str) -> LinkDown:
        if problem:
            reason = f"The engine sent what cannot be read ({problem}); restart the session."
            return LinkDown(reason, self._tail(), expected=False)
        if self._engine is not None and self._engine.ended.wait(_EXIT_S):
            return self._engine.obituary()
        if self._engine is None and not psutil.pid_exists(self.pid):
            return LinkDown("The engine has ended; start the session anew.", [], expected=False)
        reason = (
            f"The connection to the engine was lost, but its process {self.pid} runs; attach again or end it."
        )
        return LinkDown(reason, self._tail(), expected=False)

    def _tail(self) -> list[str]:
        return [] if self._engine is None else self._engine.log_tail()

    def send(self, command: AnyCommand) -> None:
        """Queue a command; nothing after the link went down."""
        self._channel.send(command)

    def drain(self) -> list[Frame]:
        """Frames that arrived since the last call."""
        return self._channel.drain()

    @property
    def down(self) -> LinkDown | None:
        """Why the engine or the connection ended."""
        return self._down

    @property
    def silent_s(self) -> float:
        """Seconds for which the engine could have sent a frame, and did not; 0 once the link is down."""
        return 0.0 if self._down else self._channel.silent_s

    def close(self) -> None:
        """Leave: an engine spawned here is stopped (and killed if it must be), any other is left running."""
        self._leave(stop=self._engine is not None)

    def detach(self) -> None:
        """Leave the engine to its rule for a lost watcher."""
        self._leave(stop=False)

    def end(self) -> None:
        """Stop the engine, whoever spawned it, and leave."""
        self._leave(stop=True)

    def _leave(self, *, stop: bool) -> None:
        if self._closer is not None:
            return
        if stop:
            self._channel.send(Stop())
        self._leaving.set()
        self._down = self._down or CLOSED
        self._channel.close()
        # Not a daemon: an interpreter that exits waits these few seconds and leaves no process behind.
        self._closer = threading.Thread(target=self._part, args=(stop,), name="engine-closer")
        self._closer.start()

    def _part(self, stop: bool) -> None:  # noqa: FBT001 -- a thread's target
        if stop and self._engine is not None:
            # Without a connection it cannot have heard `Stop`.
            self._engine.end(_STOP_S if self._connection is not None else 0.0)
        elif stop:
            self._reader.join(_STOP_S)  # the engine hangs up once it heard `Stop`
        if self._connection is not None:
            hang_up(self._connection)
        # An engine of someone else's that is stopped in the middle of the handshake must not hold us.
        self._reader.join(None if stop else _STOP_S)

    def join(self, timeout_s: float) -> bool:
        """Wait after `close` until process and threads are gone; False where the time did not suffice."""
        if self._closer is not None:
            self._closer.join(timeout_s)
            return not self._closer.is_alive()
        return False
