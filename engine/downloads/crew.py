"""Several transfers at a time: who fetches what, how far all of it is, and the end of all when one fails."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import Final

from engine.downloads.plan import RemoteFile
from engine.downloads.transfer import Fetched, Line, Transfer
from engine.feeds.importing import Cancelled, Progress

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
        line.on_bytes = self._on_bytes

    def work(self) -> list[Fetched]:
        """Fetch all; raises what the first failing transfer raises, or Cancelled, when all have ended."""
        with ThreadPoolExecutor(self._line.settings.connections, "download") as pool:
            futures = [pool.submit(Transfer(self._line, file).run) for file in self._wanted]
            try:
                self._watch(futures)
            except BaseException:
                self._line.hang_up()
                for future in futures:
                    future.cancel()
                raise
        return [future.result() for future in futures]

    def _watch(self, futures: Sequence[Future[Fetched]]) -> None:
        left = set(futures)
        while left:
            done, left = wait(left, _POLL_S, FIRST_COMPLETED)
            for future in done:
                future.result()
            if self._cancelled():
                raise Cancelled
            self._tell(len(futures) - len(left))

    def _tell(self, done: int) -> None:
        with self._lock:
            size = sum(self._bytes.values())
            under_way = sum(share for share in self._shares.values() if share < 1)
        here = self._files - len(self._wanted) + done
        what = f"{here:,} of {self._files:,} files, {size / 1e6:,.1f} MB ({self._line.source.title})"
        self._progress(min(1.0, (here + under_way) / self._files), what)

    def _on_bytes(self, file: RemoteFile, done: int, total: int | None) -> None:
        with self._lock:
            self._bytes[file.name] = done
            self._shares[file.name] = done / total if total else 0.0
