"""One background thread that answers what waits, all of it at once, and skips what came too late.

The market does not wait for a slow model: whoever asks never blocks. What waits is bounded, a question that
waited beyond its deadline is dropped unless it is its line's newest, and every drop is counted.
"""

import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Final

from ai.runtime.latency import LatencyHistogram

CAPACITY: Final = 256
"""Most questions of one line that wait."""

_ANSWERS_KEPT: Final = 1 << 16
_END_S: Final = 30.0


class Line[Q, A]:
    """One asker's end: questions in, answers out, in order.

    Attributes
    ----------
    dropped : int
        Questions that were not answered because newer ones came first, or because the worker had ended.
    answered : int
        Questions that were.
    """

    def __init__(self, worker: "Worker[Q, A]") -> None:
        self._worker = worker
        self.waiting: deque[tuple[int, Q]] = deque()
        self.dropped = self.answered = 0
        self._answers: deque[A] = deque(maxlen=_ANSWERS_KEPT)
        self._newest: deque[A] = deque(maxlen=1)

    @property
    def queued(self) -> int:
        """Questions that wait now."""
        return len(self.waiting)

    @property
    def failure(self) -> str:
        """What went wrong in the background; empty while it works."""
        return self._worker.failure

    def ask(self, question: Q) -> None:
        """Ask, without waiting for anything."""
        self._worker.ask(self, question)

    def newest(self) -> A | None:
        """Return the newest answer, if one came since the last call."""
        return self._newest.pop() if self._newest else None

    def take(self) -> list[A]:
        """All answers since the last call, the newest 65,536 at most."""
        taken = []
        while self._answers:
            taken.append(self._answers.popleft())
        return taken

    def put(self, answer: A) -> None:
        """Take one, in the worker's thread."""
        self.answered += 1
        self._answers.append(answer)
        self._newest.append(answer)

    def close(self) -> None:
        """Ask no more; what waits is forgotten."""
        self._worker.leave(self)


class Worker[Q, A]:
    """The thread.

    Parameters
    ----------
    answer : function of a list of questions
        Answers them in their order; called in the thread, with those of all lines together.
    deadline_ns : int
        How long a question may wait.
    clock : function
        Tells the time in ns.

    Attributes
    ----------
    queue_latency, inference_latency : LatencyHistogram
        From the question to its batch, and of a batch.
    """

    def __init__(
        self,
        answer: Callable[[list[Q]], list[A]],
        *,
        deadline_ns: int,
        clock: Callable[[], int] = time.perf_counter_ns,
    ) -> None:
        self.failure = ""
        self.queue_latency, self.inference_latency = LatencyHistogram(), LatencyHistogram()
        self._answer, self._deadline_ns, self._clock = answer, deadline_ns, clock
        self._lines: list[Line[Q, A]] = []
        self._has_ended = False
        self._news = threading.Condition()
        self._thread = threading.Thread(target=self._work, name="inference", daemon=True)
        self._thread.start()

    def line(self) -> Line[Q, A]:
        """Open a line."""
        line: Line[Q, A] = Line(self)
        with self._news:
            self._lines.append(line)
        return line

    def leave(self, line: Line[Q, A]) -> None:
        """Forget a line."""
        with self._news:
            if line in self._lines:
                self._lines.remove(line)
            line.waiting.clear()

    def ask(self, line: Line[Q, A], question: Q) -> None:
        """Put a question; see `Line.ask`."""
        with self._news:
            if self._has_ended or line not in self._lines:
                line.dropped += 1
                return
            line.waiting.append((self._clock(), question))
            if len(line.waiting) > CAPACITY:
                line.waiting.popleft()
                line.dropped += 1
            self._news.notify()

    def close(self) -> None:
        """End the thread, after the batch that it is at."""
        with self._news:
            self._has_ended = True
            self._news.notify()
        self._thread.join(_END_S)

    # -- in the thread ------------------------------------------------------------------------------------

    def _work(self) -> None:
        try:
            while batch := self._next_batch():
                begun = self._clock()
                answers = self._answer([question for _, question in batch])
                self.inference_latency.record(self._clock() - begun)
                for (line, _), answer in zip(batch, answers, strict=True):
                    line.put(answer)
        except Exception as error:  # noqa: BLE001 - runtimes have no error in common; whoever asks is told
            told = (str(error).strip().splitlines() or [""])[0][:200]
            self.failure = f"{type(error).__name__}: {told}" if told else type(error).__name__
        finally:
            with self._news:
                self._has_ended = True

    def _next_batch(self) -> list[tuple[Line[Q, A], Q]]:
        """Wait for questions; all that are in time, each line's newest included. Empty at the end."""
        with self._news:
            while not self._has_ended and not any(line.waiting for line in self._lines):
                self._news.wait()
            if self._has_ended:
                return []
            now = self._clock()
            batch = []
            for line in self._lines:
                while line.waiting:
                    asked, question = line.waiting.popleft()
                    if line.waiting and now - asked > self._deadline_ns:
                        line.dropped += 1
                    else:
                        self.queue_latency.record(now - asked)
                        batch.append((line, question))
            return batch
