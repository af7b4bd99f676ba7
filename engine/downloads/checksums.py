"""SHA-256 sums that a source publishes beside its files, in the form of the tool `sha256sum`."""

import hashlib
from dataclasses import replace
from pathlib import Path

from engine.downloads.plan import RemoteFile


def checksum_file(file: RemoteFile) -> RemoteFile | None:
    """Remote file that holds the sum of `file`; None where the source publishes none."""
    if file.checksum_url is None:
        return None
    name = f"{file.name}.CHECKSUM"
    return replace(file, url=file.checksum_url, name=name, absence="empty", begins=b"", checksum_url=None)


def matches_published(path: Path, published: Path) -> bool:
    """Whether the file at `path` has the sum that the first word of `published` is, in hexadecimal."""
    words = published.read_text(encoding="ascii", errors="replace").split()
    with path.open("rb") as file:
        return bool(words) and hashlib.file_digest(file, "sha256").hexdigest() == words[0].lower()
