"""What the transfers of one download share, and how all of them are ended at once."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from engine.downloads.access import Access
from engine.downloads.answer import Answer, Transport
from engine.downloads.cache import Cache
from engine.downloads.pace import Clock, RateLimit
from engine.downloads.settings import DownloadSettings
from engine.downloads.source import Source


@dataclass(slots=True, kw_only=True)
class Line:
    """What the transfers of one download share.

    Attributes
    ----------
    stop : Event
        Set by `hang_up`.
    """

    source: Source
    settings: DownloadSettings
    cache: Cache
    transport: Transport
    access: Access
    clock: Clock
    limit: RateLimit
    stop: threading.Event = field(default_factory=threading.Event)
    _answers: set[Answer] = field(default_factory=set)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @contextmanager
    def reading(self, answer: Answer) -> Iterator[None]:
        """Let `hang_up` end the answer while the block runs; it is closed afterwards."""
        with self._lock:
            self._answers.add(answer)
            if self.stop.is_set():  # hung up before the answer was here
                answer.abort()
        try:
            yield
        finally:
            with self._lock:
                self._answers.discard(answer)
            answer.close()

    def hang_up(self) -> None:
        """End all transfers: those under way between two blocks, those that wait at once."""
        self.stop.set()
        with self._lock:
            for answer in self._answers:
                answer.abort()
