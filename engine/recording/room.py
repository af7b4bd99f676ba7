"""How much recordings may take: within one session, and all of them together.

Events are few and tell what was done, so they are kept; market data make room, the oldest first.
"""

import contextlib
from collections import deque
from pathlib import Path

from engine.errors import UserError
from engine.recording.manifest import NAME
from engine.store.locking import exclusive


class Room:
    """The closed files of one session's market data, and what they and all other recordings may take.

    Parameters
    ----------
    folder : Path
        The session's recording.
    cap_bytes, total_cap_bytes : int
        Most bytes of the session, and of all recordings beside it and itself; 0 is no limit.

    Attributes
    ----------
    bytes : int
        Size of the closed files that are left.
    rows_dropped : int
        Rows that made room for others.
    freed_of_others : int
        Bytes of other recordings' market data that made room.
    """

    def __init__(self, folder: Path, cap_bytes: int, total_cap_bytes: int) -> None:
        self.bytes = 0
        self.rows_dropped = 0
        self.freed_of_others = 0
        self._folder = folder
        self._cap, self._total_cap = cap_bytes, total_cap_bytes
        self._closed: deque[tuple[Path, int, int]] = deque()

    def closed(self, path: Path, rows: int) -> None:
        """Take a file of market data that is complete."""
        size = path.stat().st_size
        self._closed.append((path, size, rows))
        self.bytes += size

    def make(self, open_bytes: int) -> None:
        """Drop the oldest market data until the session, with `open_bytes` in other files, keeps its cap."""
        if self._cap:
            self._drop(self.bytes + open_bytes - self._cap)

    def make_in_total(self) -> None:
        """Drop the oldest market data of other recordings, then of this one, until all are within the cap."""
        if not self._total_cap:
            return
        excess = size_of(self._folder.parent) - self._total_cap
        if excess > 0:
            freed = _drop_of_others(self._folder, excess)
            self.freed_of_others += freed
            self._drop(excess - freed)

    def _drop(self, excess: int) -> None:
        while excess > 0 and self._closed:
            path, size, rows = self._closed.popleft()
            path.unlink(missing_ok=True)
            self.bytes -= size
            self.rows_dropped += rows
            excess -= size


def size_of(folder: Path) -> int:
    """Bytes of all files in a folder and those below; files that vanish meanwhile count as nothing."""
    total = 0
    for path in folder.rglob("*"):
        with contextlib.suppress(OSError):
            total += path.stat().st_size
    return total


def _drop_of_others(own: Path, excess: int) -> int:
    """Delete market data of ended recordings, the oldest first; how many bytes that freed."""
    freed = 0
    for folder in sorted(path.parent for path in own.parent.glob(f"*/{NAME}")):
        if folder == own or freed >= excess:
            continue
        with contextlib.suppress(UserError, OSError), exclusive(folder, folder.name):
            for path in sorted(folder.glob("*.arrows"), key=lambda path: path.stat().st_mtime_ns):
                if freed >= excess:
                    break
                size = path.stat().st_size
                path.unlink()
                freed += size
    return freed
