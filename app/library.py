"""The tick store as the window shows it: read in the background, as often as it changes, without Qt."""

import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from engine.messages.data import Finding, Job, Repair, StoredDay
from engine.progress import Progress

if TYPE_CHECKING:
    from app.jobs import JobQueue

type Work = Callable[[Progress, Callable[[], bool]], str]
"""What a job does: takes its progress and whether it was cancelled, answers its outcome in one sentence."""


class DataLibrary:
    """Implements `widgets.data.state.Library` over a tick store and the queue of jobs.

    Parameters
    ----------
    root : Path
        Folder of the tick store; it need not exist yet.
    queue : JobQueue

    Attributes
    ----------
    days, findings, repairs : sequences
        As they were last read; empty until the first reading is done.
    problem : str
        Why the store could not be read, one sentence; empty while it can.
    """

    def __init__(self, root: Path, queue: "JobQueue") -> None:
        self.root, self.queue = root, queue
        self.days: Sequence[StoredDay] = ()
        self.findings: Sequence[Finding] = ()
        self.repairs: Sequence[Repair] = ()
        self.problem = ""
        self._readings = 0
        self._wanted = threading.Event()
        self._ended = False
        self._thread: threading.Thread | None = None

    @property
    def version(self) -> int:
        """Grows with every reading and every change of a job."""
        return self._readings + self.queue.version

    @property
    def jobs(self) -> Sequence[Job]:
        """Jobs, oldest first."""
        return self.queue.jobs

    def make_old(self) -> None:
        """Read the store anew, soon; what is shown stays until that is done."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._read_on, name="data-library", daemon=True)
            self._thread.start()
        self._wanted.set()

    def close(self) -> None:
        """Stop reading; the last call."""
        self._ended = True
        self._wanted.set()
        if self._thread is not None:
            self._thread.join()

    def _read_on(self) -> None:
        while True:
            self._wanted.wait()
            self._wanted.clear()
            if self._ended:
                return
            self._read()
            self._readings += 1

    def _read(self) -> None:
        from engine.errors import UserError  # noqa: PLC0415 - with the rest, which loads polars
        from engine.quality import findings, stored_days  # noqa: PLC0415
        from engine.store import Store  # noqa: PLC0415
        from engine.store.repairs import listed  # noqa: PLC0415

        if not self.root.is_dir():
            return
        store = Store(self.root)
        try:
            names = store.instruments()
            self.days = stored_days(store)
            self.findings = [each for name in names for each in findings(store, name)]
            self.repairs = [each for name in names for each in listed(store, name)]
            self.problem = ""
        except UserError as error:
            self.problem = str(error)
