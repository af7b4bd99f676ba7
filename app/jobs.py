"""Imports, downloads and checks in the background: one after another, with progress and a way to stop."""

import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from time import monotonic
from typing import Final, Literal

import msgspec

from app.library import Work
from engine.errors import UserError
from engine.messages.data import Job
from engine.progress import Cancelled

type Lane = Literal["store", "network"]
"""What a job mostly waits for; jobs of one lane run one after another, the lanes beside each other."""

_FAULT: Final = "It failed because of a fault in the station."
_LIVE: Final = frozenset({"waiting", "running"})


@dataclass(slots=True)
class _Task:
    """A job and what it takes to run it."""

    job: Job
    work: Work
    stop: threading.Event = field(default_factory=threading.Event)


class JobQueue:
    """Runs jobs in threads of its own; all calls may come from any thread.

    Parameters
    ----------
    on_fault : callable
        Takes what broke a job that is no `UserError`: a fault of the program, for whoever collects those.
    """

    def __init__(self, on_fault: Callable[[BaseException], None] = lambda _error: None) -> None:
        self._on_fault = on_fault
        self._tasks: dict[int, _Task] = {}
        self._waiting: dict[Lane, deque[int]] = {"store": deque(), "network": deque()}
        self._threads: dict[Lane, threading.Thread] = {}
        self._changed = threading.Condition()
        self._added = 0
        self._version = 0
        self._closed = False

    @property
    def version(self) -> int:
        """Grows with every change of a job."""
        return self._version

    @property
    def jobs(self) -> Sequence[Job]:
        """All jobs as they are now, oldest first."""
        with self._changed:
            return [task.job for task in self._tasks.values()]

    def add(self, title: str, work: Work, lane: Lane = "store") -> int:
        """Put a job at the end of its lane; its number, from 1. Raises RuntimeError after `close`."""
        with self._changed:
            if self._closed:
                raise RuntimeError("a closed queue takes no jobs")
            self._added += 1
            number = self._added
            self._tasks[number] = _Task(Job(number=number, title=title), work)
            self._waiting[lane].append(number)
            self._version += 1
            if lane not in self._threads:
                thread = threading.Thread(target=self._run, args=(lane,), name=f"jobs-{lane}", daemon=True)
                self._threads[lane] = thread
                thread.start()
            self._changed.notify_all()
        return number

    def cancel(self, number: int) -> None:
        """Take a job that waits out of the queue, or ask one that runs to stop."""
        with self._changed:
            task = self._tasks.get(number)
            if task is None:
                return
            task.stop.set()
            if task.job.state == "waiting":
                self._change(task, state="cancelled", text="Cancelled before it began.")

    def clear_finished(self) -> None:
        """Forget the jobs that ended."""
        with self._changed:
            live = {number: self._tasks[number] for number in self._live()}
            if len(live) < len(self._tasks):
                self._tasks = live
                self._version += 1

    def wait(self, timeout_s: float) -> bool:
        """Wait until nothing is under way; False where that took longer."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._live(), timeout_s)

    def close(self, timeout_s: float = 10.0) -> bool:
        """Cancel everything and wait for what runs to stop; False where it has not by then."""
        deadline = monotonic() + timeout_s
        with self._changed:
            self._closed = True
            for number in self._live():
                self.cancel(number)
            self._changed.notify_all()
        for thread in self._threads.values():
            thread.join(max(0.0, deadline - monotonic()))
        return not any(thread.is_alive() for thread in self._threads.values())

    def _live(self) -> list[int]:
        return [number for number, task in self._tasks.items() if task.job.state in _LIVE]

    def _change(self, task: _Task, **changes: object) -> None:
        with self._changed:
            task.job = msgspec.structs.replace(task.job, **changes)
            self._version += 1
            self._changed.notify_all()

    def _run(self, lane: Lane) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting[lane] or self._closed)
                if self._closed:
                    return
                task = self._tasks.get(self._waiting[lane].popleft())
                if task is None or task.job.state != "waiting":
                    continue
                self._change(task, state="running")
            self._do(task)

    def _do(self, task: _Task) -> None:
        def progress(fraction: float, what: str) -> None:
            self._change(task, fraction=min(1.0, max(0.0, fraction)), what=what)

        try:
            text = task.work(progress, task.stop.is_set)
        except Cancelled:
            self._change(task, state="cancelled", text="Cancelled; nothing was stored.")
        except UserError as error:
            self._change(task, state="failed", text=str(error))
        except BaseException as error:  # noqa: BLE001 - told in the queue, and handed to who collects faults
            self._change(task, state="failed", text=_FAULT)
            self._on_fault(error)
        else:
            self._change(task, state="done", fraction=1.0, text=text)
