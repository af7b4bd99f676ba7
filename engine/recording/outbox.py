"""Where complete files of a recording go besides, in a thread of its own: copies elsewhere, an Iceberg table.

Nothing that fails there touches the recording: it is told in one sentence and tried again.
"""

import threading
import time
from collections import deque
from collections.abc import Sequence
from pathlib import Path
from typing import Final, Protocol

from engine.errors import UserError
from engine.recording.manifest import Manifest

_FIRST_RETRY_S: Final = 1.0
_LAST_RETRY_S: Final = 60.0


class Target(Protocol):
    """One place that files go to. Sending a file again must change nothing."""

    name: str

    def send(self, path: Path, manifest: Manifest) -> None:
        """Take a file there; raises `OSError` or `UserError` where that fails."""

    def close(self) -> None:
        """Let go of what it holds; the last call."""


class BackgroundOutbox:
    """Sends files to targets, each in the order in which they were completed.

    Implements `engine.recording.writing.Outbox`.

    Parameters
    ----------
    targets : sequence of Target
    retry_s : float
        Seconds to the first new try; each further one waits twice as long, at most a minute.
    """

    def __init__(self, targets: Sequence[Target], retry_s: float = _FIRST_RETRY_S) -> None:
        self._lanes = [_Lane(target, retry_s) for target in targets]
        self._manifest: Manifest | None = None
        self._wake = threading.Event()
        self._deadline: float | None = None
        self._ended = False
        self._thread = threading.Thread(target=self._run, name="recorder-outbox", daemon=True)

    def begin(self, manifest: Manifest) -> None:
        """A recording begins."""
        self._manifest = manifest
        self._thread.start()

    def offer(self, path: Path) -> None:
        """A file is complete."""
        for lane in self._lanes:
            lane.waiting.append(path)
        self._wake.set()

    @property
    def problem(self) -> str:
        """What keeps files from getting there, one sentence; empty while all is well."""
        return next((problem for lane in self._lanes if (problem := lane.problem(ended=self._ended))), "")

    def close(self, wait_s: float) -> None:
        """Send what is left for at most so long; the last call."""
        self._deadline = time.monotonic() + wait_s
        self._wake.set()
        self._thread.join(wait_s)
        self._ended = True

    def _run(self) -> None:
        self._send_until_closed()
        for lane in self._lanes:
            lane.close()

    def _send_until_closed(self) -> None:
        assert self._manifest is not None  # noqa: S101 - set before the thread was started
        while True:
            for lane in self._lanes:
                lane.send(self._manifest)
            waiting = [lane for lane in self._lanes if lane.waiting]
            if self._deadline is not None and (not waiting or time.monotonic() >= self._deadline):
                return
            due = min((lane.due_s for lane in waiting), default=time.monotonic() + _LAST_RETRY_S)
            due = due if self._deadline is None else min(due, self._deadline)
            self._wake.wait(max(0.0, due - time.monotonic()))
            self._wake.clear()


class _Lane:
    """What waits for one target, and when it is tried next."""

    def __init__(self, target: Target, retry_s: float) -> None:
        self.waiting: deque[Path] = deque()
        self.due_s = 0.0
        self._failure = ""
        self._missed = 0
        self._target = target
        self._first_retry_s = self._retry_s = retry_s

    def problem(self, *, ended: bool) -> str:
        """One sentence; empty while all is well."""
        to = self._target.name
        if self.waiting and ended:
            return (
                f"{len(self.waiting):,} files were not sent to {to} ({self._failure or 'no time was left'}); "
                "send them with 'nexttick recordings send'."
            )
        if self._failure:
            return f"Recordings cannot be sent to {to} ({self._failure}); it is tried again."
        return f"{self._missed:,} files made room before they were sent to {to}." if self._missed else ""

    def close(self) -> None:
        self._target.close()

    def send(self, manifest: Manifest) -> None:
        """Send what is due."""
        while self.waiting and time.monotonic() >= self.due_s:
            path = self.waiting[0]
            try:
                self._target.send(path, manifest)
            except FileNotFoundError:
                self._missed += 1
            except (OSError, UserError) as error:
                self._later(error)
                return
            self.waiting.popleft()
            self._failure = ""
            self._retry_s = self._first_retry_s

    def _later(self, error: OSError | UserError) -> None:
        self._failure = str(error).rstrip(".")
        self.due_s = time.monotonic() + self._retry_s
        self._retry_s = min(2 * self._retry_s, _LAST_RETRY_S)
