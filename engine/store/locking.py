"""One writer per instrument: a lock that the system drops when its process ends, however it ends."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from engine.errors import UserError

if sys.platform == "win32":
    import msvcrt

    def _try_lock(descriptor: int) -> None:
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
else:
    import fcntl

    def _try_lock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


@contextmanager
def exclusive(folder: Path, name: str) -> Iterator[None]:
    """Hold the lock of `folder` while the block runs.

    Raises
    ------
    UserError
        Another process is writing there.
    """
    with (folder / ".lock").open("a+b") as file:
        try:
            _try_lock(file.fileno())
        except OSError as error:
            raise UserError(
                f"Another import is writing {name}; wait until it has finished, then try again."
            ) from error
        yield
