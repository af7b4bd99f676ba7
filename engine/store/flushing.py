"""Waits until what was written has reached the disk, so that a rename after it never names half a file."""

import os
from collections.abc import Iterable
from pathlib import Path


def flush(path: Path) -> None:
    """Wait until the bytes of a file are on the disk."""
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def flush_folders(folders: Iterable[Path]) -> None:
    """Wait until the names in these folders are on the disk; only POSIX can and needs to."""
    if os.name != "posix":
        return
    for folder in set(folders):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
