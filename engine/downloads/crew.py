"""Several transfers at a time: who fetches what, how far all of it is, and the end of all when one fails."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from functools import partial
from typing import Final

from engine.downloads.line import Line
from engine.downloads.plan import RemoteFile
from engine.downloads.transfer import Fetched, Transfer
from engine.progress import Cancelled, Progress

_POLL_S: Final = 0.1
"""How often progress is told and a wish to cancel is looked for."""


class Crew:
    """Fetches files in background threads while the caller's thread tells of it.

    Parameters
    ----------
    wanted : sequence of RemoteFile
        What is to be fetched.
    files : int
        Of the whole order, those that are here included.
    """

    def __init__(
        self,
        line: Line,
        wanted: Sequence[RemoteFile],
        files: int,
        progress: Progress,
        cancelled: Callable[[], bool],
    ) -> None:
        self._line, self._wanted, self._files = line, wanted, files
        self._progress, self._cancelled = progress, cancelled
        self._lock = threading.Lock()
        self._bytes: dict[str, int] = {}
        self._shares: dict[str, float] = {}
        self._told = 0.0
        self._failure: BaseException | None = None

    def work(self) -> list[Fetched]:
        """Fetch all; raises what the first failing transfer raises, or Cancelled, when all have ended."""
        with ThreadPoolExecutor(self._line.settings.connections, "download") as pool:
            try:
                futures = [pool.submit(self._fetch, file) for file in self._wanted]
                self._watch(futures)
            except BaseException:
                self._line.hang_up()
                pool.shutdown(cancel_futures=True)
                raise
        return [future.result() for future in futures]

    def _fetch(self, file: RemoteFile) -> Fetched:
        """In a thread of the pool; the first one to fail hangs up for all, so that no request follows."""
        try:
            fetched = Transfer(self._line, file, partial(self._on_bytes, file.name)).run()
        except BaseException as error:
            with self._lock:
                self._failure = self._failure or error
            self._line.hang_up()
            raise
        with self._lock:
            self._shares[file.name] = 1.0
        return fetched

    def _watch(self, futures: Sequence[Future[Fetched]]) -> None:
        left = set(futures)
        while left:
            left = wait(left, _POLL_S, FIRST_COMPLETED).not_done
            if self._failure is not None:
                raise self._failure
            if self._cancelled():
                raise Cancelled
            self._tell(len(futures) - len(left))

    def _tell(self, done: int) -> None:
        with self._lock:
            size = sum(self._bytes.values())
            arrived = sum(self._shares.values())
        here = self._files - len(self._wanted)
        self._told = max(
            self._told, (here + arrived) / self._files
        )  # a file that starts over takes none back
        what = f"{here + done:,} of {self._files:,} files, {size / 1e6:,.1f} MB ({self._line.source.title})"
        self._progress(self._told, what)

    def _on_bytes(self, name: str, done: int, total: int | None) -> None:
        with self._lock:
            self._bytes[name] = done
            self._shares[name] = done / total if total else 0.0
