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
        return next((lane.problem for lane in self._lanes if lane.problem), "")

    def close(self, wait_s: float) -> None:
        """Send what is left for at most so long; the last call."""
        self._deadline = time.monotonic() + wait_s
        self._wake.set()
        self._thread.join(wait_s)

    def _run(self) -> None:
        assert self._manifest is not None  # noqa: S101 - set before the thread was started
        while True:
            for lane in self._lanes:
                lane.send(self._manifest, now=self._deadline is not None)
            waiting = [lane for lane in self._lanes if lane.waiting]
            if self._deadline is not None and (not waiting or time.monotonic() >= self._deadline):
                return
            due = min((lane.due_s for lane in waiting), default=time.monotonic() + _LAST_RETRY_S)
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

    @property
    def problem(self) -> str:
        """One sentence; empty while all is well."""
        if self._failure or not self._missed:
            return self._failure
        return f"{self._missed:,} files made room before they were sent to {self._target.name}."

    def send(self, manifest: Manifest, *, now: bool) -> None:
        """Send what is due; `now` waits for no retry."""
        while self.waiting and (now or time.monotonic() >= self.due_s):
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
        reason = str(error).rstrip(".")
        self._failure = f"Recordings cannot be sent to {self._target.name} ({reason}); it is tried again."
        self.due_s = time.monotonic() + self._retry_s
        self._retry_s = min(2 * self._retry_s, _LAST_RETRY_S)
