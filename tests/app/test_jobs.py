import threading
import time
from collections.abc import Callable, Iterator

import pytest

from app.jobs import JobQueue
from app.library import Work
from engine.errors import UserError
from engine.messages.data import Job
from engine.progress import Cancelled, Progress

LIMIT_S = 5.0


@pytest.fixture
def faults() -> list[BaseException]:
    return []


@pytest.fixture
def queue(faults: list[BaseException]) -> Iterator[JobQueue]:
    here = JobQueue(faults.append)
    yield here
    assert here.close(LIMIT_S)


class Gate:
    """Work that tells when it begins, and ends when it may."""

    def __init__(self, outcome: str = "Fine.") -> None:
        self.began, self.may_end = threading.Event(), threading.Event()
        self._outcome = outcome

    def __call__(self, progress: Progress, cancelled: Callable[[], bool]) -> str:
        self.began.set()
        progress(0.5, "Half")
        while not self.may_end.wait(0.001):
            if cancelled():
                raise Cancelled
        return self._outcome


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + LIMIT_S
    while not condition():
        assert time.monotonic() < deadline
        threading.Event().wait(0.001)


def job(queue: JobQueue, number: int) -> Job:
    return next(each for each in queue.jobs if each.number == number)


def ended(queue: JobQueue, number: int) -> Job:
    until(lambda: job(queue, number).state not in {"waiting", "running"})
    return job(queue, number)


def failing(error: BaseException) -> Work:
    def work(_progress: Progress, _cancelled: Callable[[], bool]) -> str:
        raise error

    return work


def test_jobs_of_a_lane_run_one_after_another(queue: JobQueue) -> None:
    gates = [Gate(f"Number {number}.") for number in range(3)]
    numbers = [queue.add(f"Job {number}", gate) for number, gate in enumerate(gates)]
    assert numbers == [1, 2, 3]
    for number, gate in zip(numbers, gates, strict=True):
        assert gate.began.wait(LIMIT_S)
        until(lambda number=number: job(queue, number).fraction == 0.5)  # type: ignore[misc]
        assert [each.state for each in queue.jobs].count("running") == 1
        assert job(queue, number).what == "Half"
        gate.may_end.set()
        done = ended(queue, number)
        assert (done.state, done.fraction, done.text) == ("done", 1.0, f"Number {number - 1}.")


def test_a_download_runs_beside_an_import_but_not_beside_a_download(queue: JobQueue) -> None:
    reading, fetching, next_one = Gate(), Gate(), Gate()
    queue.add("Import", reading)
    queue.add("Download", fetching, "network")
    third = queue.add("Download", next_one, "network")
    assert reading.began.wait(LIMIT_S)
    assert fetching.began.wait(LIMIT_S)
    assert job(queue, third).state == "waiting"
    fetching.may_end.set()
    assert next_one.began.wait(LIMIT_S)
    assert not reading.may_end.is_set()


def test_the_version_grows_with_each_change_and_only_then(queue: JobQueue) -> None:
    gate = Gate()
    before = queue.version
    number = queue.add("Import", gate)
    until(lambda: job(queue, number).fraction == 0.5)
    running = queue.version
    assert running >= before + 3
    queue.clear_finished()
    queue.cancel(99)
    assert queue.version == running
    gate.may_end.set()
    ended(queue, number)
    assert queue.version > running


def test_a_running_job_is_cancelled_and_a_waiting_one_never_begins(queue: JobQueue) -> None:
    running, waiting, last = Gate(), Gate(), Gate()
    first, second, third = (queue.add("Import", gate) for gate in (running, waiting, last))
    assert running.began.wait(LIMIT_S)
    queue.cancel(second)
    assert job(queue, second).state == "cancelled"
    queue.cancel(first)
    assert ended(queue, first).text == "Cancelled; nothing was stored."
    assert last.began.wait(LIMIT_S)
    assert not waiting.began.is_set()
    last.may_end.set()
    assert ended(queue, third).state == "done"
    queue.cancel(third)
    assert job(queue, third).state == "done"


def test_a_mistake_of_the_user_is_told_in_its_own_sentence(
    queue: JobQueue, faults: list[BaseException]
) -> None:
    failed = ended(queue, queue.add("Import", failing(UserError("It is empty; choose another."))))
    assert (failed.state, failed.text) == ("failed", "It is empty; choose another.")
    assert faults == []


@pytest.mark.parametrize("fault", [ValueError("secret details"), SystemExit(3)])
def test_a_fault_is_handed_to_whoever_collects_them_and_the_next_job_runs(
    fault: BaseException, queue: JobQueue, faults: list[BaseException]
) -> None:
    number = queue.add("Import", failing(fault))
    gate = Gate()
    gate.may_end.set()
    following = queue.add("Check", gate)
    assert ended(queue, following).state == "done"
    assert job(queue, number).state == "failed"
    assert job(queue, number).text == "It failed because of a fault in the station."
    assert faults == [fault]


def test_finished_jobs_are_forgotten_when_asked(queue: JobQueue) -> None:
    done, running = Gate(), Gate()
    done.may_end.set()
    first = queue.add("Import", done)
    second = queue.add("Import", running)
    assert running.began.wait(LIMIT_S)
    assert [each.number for each in queue.jobs] == [first, second]
    queue.clear_finished()
    assert [each.number for each in queue.jobs] == [second]


def test_closing_cancels_what_runs_and_what_waits() -> None:
    queue = JobQueue()
    running, waiting = Gate(), Gate()
    queue.add("Import", running)
    queue.add("Import", waiting)
    assert running.began.wait(LIMIT_S)
    assert queue.close(LIMIT_S)
    assert [each.state for each in queue.jobs] == ["cancelled", "cancelled"]
    assert not waiting.began.is_set()
    with pytest.raises(RuntimeError, match="closed"):
        queue.add("Import", waiting)


def test_closing_tells_that_a_job_does_not_heed() -> None:
    queue = JobQueue()
    began, end = threading.Event(), threading.Event()

    def deaf(_progress: Progress, _cancelled: Callable[[], bool]) -> str:
        began.set()
        end.wait()
        return ""

    queue.add("Import", deaf)
    assert began.wait(LIMIT_S)
    assert not queue.close(0.01)
    end.set()
    assert queue.close(LIMIT_S)


def test_many_threads_may_use_it_at_once(queue: JobQueue) -> None:
    gate = Gate()
    gate.may_end.set()
    threads = [threading.Thread(target=lambda: [queue.add("Job", gate) for _ in range(25)]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert queue.wait(LIMIT_S)
    assert {each.state for each in queue.jobs} == {"done"}
    assert [each.number for each in queue.jobs] == list(range(1, 101))
