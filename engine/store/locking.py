"""Who may write where: locks that the system drops when their process ends, however it ends.

A lock file is removed only by who holds it, and who has just locked one makes sure that it still stands under
its name, so nobody ever holds the lock of a file that is gone.
"""

import contextlib
import os
import secrets
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Final

from engine.errors import UserError

if sys.platform == "win32":
    import msvcrt

    def _try_lock(descriptor: int) -> None:
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
else:
    import fcntl

    def _try_lock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


_POLL_S: Final = 0.05
_HELD: Final = (BlockingIOError, PermissionError)
"""What POSIX and Windows raise where another process holds a lock."""


@contextmanager
def exclusive(folder: Path, name: str, waiting: Callable[[], None] | None = None) -> Iterator[None]:
    """Hold the lock of `folder` while the block runs; a folder that then holds nothing else is removed.

    Parameters
    ----------
    waiting : callable or None
        Called again and again while another process holds the lock; what it raises ends the wait. None: do
        not wait.

    Raises
    ------
    UserError
        Another process is writing there, and `waiting` is None.
    """
    lock = folder / ".lock"
    while (file := _locked(lock)) is None:
        if waiting is None:
            raise UserError(f"Another command is writing {name}; wait until it has finished, then try again.")
        waiting()
        time.sleep(_POLL_S)
    is_unused = True
    try:
        yield
    finally:
        is_unused = {path.name for path in folder.iterdir()} <= {lock.name}
        _release(file, lock if is_unused else None)
        if is_unused:
            _remove_if_empty(folder)


@contextmanager
def own_folder(parent: Path, name: str) -> Iterator[Path]:
    """Make a folder in `parent` that is this process's own while the block runs, and gone after it."""
    made = [path for path in (parent, *parent.parents) if not path.exists()]
    while True:
        folder = parent / f"{name}-{secrets.token_hex(4)}"
        lock = _lock_of(folder)
        file = _locked(lock)
        if file is not None:
            break
    try:
        folder.mkdir()
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)  # what cannot go now is removed as abandoned later
        _release(file, lock)
        for path in made or [parent]:
            _remove_if_empty(path)


def remove_abandoned(parent: Path) -> None:
    """Remove what `own_folder` made in `parent` for processes that ended without removing it."""
    if not parent.is_dir():
        return
    for lock in parent.glob("*.lock"):
        file = _locked(lock)
        if file is not None:
            shutil.rmtree(lock.with_suffix(""), ignore_errors=True)
            _release(file, lock)
    for folder in parent.iterdir():
        if folder.is_dir() and not _lock_of(folder).exists():
            shutil.rmtree(folder, ignore_errors=True)
    _remove_if_empty(parent)


def _lock_of(folder: Path) -> Path:
    return folder.with_name(f"{folder.name}.lock")


def _locked(path: Path) -> BinaryIO | None:
    """Open file `path`, made where it is missing, and hold its lock; None where another process does."""
    while True:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            file = path.open("a+b")
        except FileNotFoundError:
            continue  # another process found the folder empty and has just removed it
        try:
            _try_lock(file.fileno())
        except _HELD:
            file.close()
            return None
        except OSError:
            file.close()
            raise
        if _stands(file, path):
            return file
        file.close()


def _stands(file: BinaryIO, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    except FileNotFoundError:
        return False


def _release(file: BinaryIO, removed: Path | None) -> None:
    """Drop a lock, and remove its file `removed`.

    POSIX must remove it while the lock is held, or another's could be removed; Windows removes no open file,
    so there it goes afterwards, unless another process has it by then.
    """
    if removed is not None and os.name == "posix":
        removed.unlink(missing_ok=True)
    file.close()
    if removed is not None and os.name != "posix":
        with contextlib.suppress(OSError):
            removed.unlink(missing_ok=True)


def _remove_if_empty(folder: Path) -> None:
    with contextlib.suppress(OSError):  # it holds something, or is gone
        folder.rmdir()
