"""The background thread answers in order, skips and counts what is late, and never dies unseen."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from ai.runtime.worker import CAPACITY, Worker

MS = 1_000_000


class Slow:
    """A model that answers when it is told to, and remembers what it was asked in one go."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.started, self.go = threading.Semaphore(0), threading.Semaphore(0)

    def __call__(self, questions: list[int]) -> list[int]:
        self.batches.append(questions)
        self.started.release()
        assert self.go.acquire(timeout=10)
        return [-question for question in questions]


class Clock:
    def __init__(self) -> None:
        self.now = 0

    def __call__(self) -> int:
        return self.now


@contextmanager
def working(
    answer: Callable[[list[int]], list[int]], deadline_ms: int = 50, clock: Clock | None = None
) -> Iterator[Worker[int, int]]:
    worker = Worker(answer, deadline_ns=deadline_ms * MS, clock=clock or Clock())
    try:
        yield worker
    finally:
        if isinstance(answer, Slow):
            answer.go.release(1_000)
        worker.close()


def eventually(condition: Callable[[], object]) -> None:
    waiting = threading.Event()
    for _ in range(2_000):
        if condition():
            return
        waiting.wait(0.005)
    pytest.fail("it did not happen within 10 s")


def test_what_waits_is_answered_in_one_batch_across_lines() -> None:
    slow = Slow()
    with working(slow) as worker:
        one, other = worker.line(), worker.line()
        one.ask(1)
        assert slow.started.acquire(timeout=10)
        for question in (2, 3):
            one.ask(question)
        other.ask(4)
        assert (one.queued, other.queued) == (2, 1)
        slow.go.release(2)
        eventually(other.newest)
        assert slow.batches == [[1], [2, 3, 4]]
        assert one.newest() == -3
        assert one.newest() is None
        assert (one.take(), other.take()) == ([-1, -2, -3], [-4])
        assert (one.dropped, other.dropped) == (0, 0)
        assert worker.queue_latency.count == 4
        assert worker.inference_latency.count == 2


def test_the_late_are_dropped_and_counted_and_the_newest_is_asked_all_the_same() -> None:
    slow, clock = Slow(), Clock()
    with working(slow, 50, clock) as worker:
        line, other = worker.line(), worker.line()
        line.ask(0)
        assert slow.started.acquire(timeout=10)
        for question in range(1, 7):
            clock.now = 10 * MS * question
            line.ask(question)
        other.ask(100)
        clock.now = 90 * MS
        slow.go.release(1)
        assert slow.started.acquire(timeout=10)
        # Asked at 10, 20 and 30 ms: waited longer than 50 ms at 90.
        assert slow.batches[1] == [4, 5, 6, 100]
        assert (line.dropped, other.dropped) == (3, 0)
        for _ in range(3):
            line.ask(7)
        clock.now = 1_000 * MS
        slow.go.release(1)
        assert slow.started.acquire(timeout=10)
        assert slow.batches[2] == [7]
        assert line.dropped == 5
        assert worker.queue_latency.max_ns == 910 * MS


def test_what_waits_is_bounded() -> None:
    slow = Slow()
    with working(slow) as worker:
        line = worker.line()
        line.ask(-1)
        assert slow.started.acquire(timeout=10)
        for question in range(3 * CAPACITY):
            line.ask(question)
        assert line.queued == CAPACITY
        assert line.dropped == 2 * CAPACITY
        slow.go.release(1)
        assert slow.started.acquire(timeout=10)
        assert slow.batches[1] == list(range(2 * CAPACITY, 3 * CAPACITY))


def test_a_failure_is_told_and_ends_the_thread() -> None:
    def fail(questions: list[int]) -> list[int]:
        raise RuntimeError("out of memory\nat node 7")

    with working(fail) as worker:
        line = worker.line()
        line.ask(1)
        eventually(lambda: line.failure)
        assert line.failure == "RuntimeError: out of memory"
        assert line.newest() is None
        line.ask(2)
        assert (line.dropped, line.queued) == (1, 0)


def test_a_closed_line_is_not_answered_and_a_closed_worker_takes_nothing() -> None:
    slow = Slow()
    with working(slow) as worker:
        line, other = worker.line(), worker.line()
        line.ask(1)
        assert slow.started.acquire(timeout=10)
        line.ask(2)
        other.ask(3)
        line.close()
        line.ask(4)
        slow.go.release(2)
        eventually(other.newest)
        assert slow.batches == [[1], [3]]
        assert line.dropped == 1
    other.ask(5)
    assert other.dropped == 1
    assert not any(thread.name == "inference" for thread in threading.enumerate())
