"""The queue of jobs: in order, with progress, stoppable, and no error lost."""

import threading
from collections.abc import Callable, Iterator

import pytest

from app.jobs import JobQueue
from engine.errors import UserError
from engine.feeds.importing import Cancelled

LONG_S = 20.0


@pytest.fixture
def faults() -> list[BaseException]:
    return []


@pytest.fixture
def queue(faults: list[BaseException]) -> Iterator[JobQueue]:
    made = JobQueue(faults.append)
    yield made
    made.close(LONG_S)


class Gate:
    """Work that begins, waits to be let through, and can be cancelled."""

    def __init__(self) -> None:
        self.begun, self.open = threading.Event(), threading.Event()

    def __call__(self, progress: Callable[[float, str], None], cancelled: Callable[[], bool]) -> str:
        progress(0.5, "half way")
        self.begun.set()
        while not self.open.wait(0.005):
            if cancelled():
                raise Cancelled
        return "through"


def done(progress: Callable[[float, str], None], cancelled: Callable[[], bool]) -> str:
    return "done"


def states(queue: JobQueue) -> list[str]:
    return [job.state for job in queue.jobs]


def test_jobs_of_a_lane_run_one_after_another(queue: JobQueue) -> None:
    first = Gate()
    queue.add("first", first)
    queue.add("second", done)
    assert first.begun.wait(LONG_S)
    assert states(queue) == ["running", "waiting"]
    assert (queue.jobs[0].fraction, queue.jobs[0].what) == (0.5, "half way")
    first.open.set()
    assert queue.wait(LONG_S)
    assert [(job.state, job.text) for job in queue.jobs] == [("done", "through"), ("done", "done")]


def test_a_download_does_not_wait_for_an_import(queue: JobQueue) -> None:
    importing, fetching = Gate(), Gate()
    queue.add("import", importing)
    queue.add("download", fetching, "network")
    assert importing.begun.wait(LONG_S)
    assert fetching.begun.wait(LONG_S)
    importing.open.set()
    fetching.open.set()
    assert queue.wait(LONG_S)


def test_a_job_can_be_cancelled_before_and_while_it_runs(queue: JobQueue) -> None:
    running = Gate()
    one, two = queue.add("one", running), queue.add("two", done)
    assert running.begun.wait(LONG_S)
    queue.cancel(two)
    queue.cancel(one)
    assert queue.wait(LONG_S)
    assert states(queue) == ["cancelled", "cancelled"]
    queue.clear_finished()
    assert queue.jobs == []


def test_errors_are_told_and_faults_are_handed_on(queue: JobQueue, faults: list[BaseException]) -> None:
    def refused(progress: object, cancelled: object) -> str:
        raise UserError("x.csv is empty; choose another file.")

    def broken(progress: object, cancelled: object) -> str:
        raise ValueError("a bug")

    queue.add("refused", refused)
    queue.add("broken", broken)
    queue.add("after them", done)
    assert queue.wait(LONG_S)
    assert states(queue) == ["failed", "failed", "done"]
    assert queue.jobs[0].text == "x.csv is empty; choose another file."
    assert "fault in the station" in queue.jobs[1].text
    assert [str(fault) for fault in faults] == ["a bug"]


def test_the_version_grows_with_every_change(queue: JobQueue) -> None:
    seen = [queue.version]
    queue.add("one", done)
    assert queue.wait(LONG_S)
    seen.append(queue.version)
    queue.clear_finished()
    seen.append(queue.version)
    assert seen == sorted(set(seen))


def test_closing_stops_what_runs() -> None:
    queue, running = JobQueue(), Gate()
    queue.add("one", running)
    queue.add("two", done)
    assert running.begun.wait(LONG_S)
    queue.close(LONG_S)
    assert states(queue) == ["cancelled", "cancelled"]
