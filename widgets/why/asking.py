"""When to ask the engine why, and which answer still counts: the newest question wins, none is hurried."""

from collections.abc import Callable
from typing import Final

from engine.messages.frames import Explanation

EVERY_S: Final = 0.09
"""Time from one question to the next, at least: one for each refresh of ten in a second."""

PATIENCE_S: Final = 1.0
"""After so long without an answer a newer question is asked all the same."""


class Asker:
    """Paces the questions of one inspector.

    Attributes
    ----------
    asked_ts : int or None
        Market time of the newest question.
    answer : Explanation or None
        Its answer, or that of the question before while it has none.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._asked_s = float("-inf")
        self.forget()

    def forget(self) -> None:
        """Drop question and answer: they are another run's."""
        self.asked_ts: int | None = None
        self.answer: Explanation | None = None

    @property
    def is_answered(self) -> bool:
        """Whether the answer is that to the newest question."""
        return self.answer is not None and self.answer.asked_ts == self.asked_ts

    @property
    def is_late(self) -> bool:
        """Whether the answer keeps a person waiting."""
        return not self.is_answered and self._clock() - self._asked_s >= PATIENCE_S

    def question(self, wanted_ts: int | None) -> int | None:
        """Return what to ask now, so that `wanted_ts` is answered; None where nothing is to be asked."""
        if wanted_ts is None or wanted_ts == self.asked_ts:
            return None
        since_s = self._clock() - self._asked_s
        waits = self.asked_ts is not None and not self.is_answered
        if since_s < (PATIENCE_S if waits else EVERY_S):
            return None
        self.asked_ts, self._asked_s = wanted_ts, self._clock()
        return wanted_ts

    def take(self, explanation: Explanation | None) -> None:
        """Keep what came, where it answers the newest question; any other is too old."""
        if explanation is not None and explanation.asked_ts == self.asked_ts:
            self.answer = explanation
