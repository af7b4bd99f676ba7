"""What comes back from a source: an answer in blocks, or the reason why there is none."""

from collections.abc import Iterator, Mapping
from typing import Protocol

from engine.downloads.plan import RemoteFile


class Answer(Protocol):
    """One answer; its body is read once.

    Attributes
    ----------
    status : int
        HTTP status.
    headers : mapping
        Looked up in any case.
    is_delimited : bool
        Whether an end that comes too early would be noticed: it names its length, or comes in chunks.
    """

    status: int
    headers: Mapping[str, str]
    is_delimited: bool

    def blocks(self) -> Iterator[bytes]:
        """Body as it arrives; raises Interrupted where it stops too early or stalls."""

    def abort(self) -> None:
        """End a `blocks` that waits in another thread."""

    def close(self) -> None:
        """Be done with it."""


class Transport(Protocol):
    """What asks; one for all threads of a download."""

    def ask(self, file: RemoteFile, headers: Mapping[str, str]) -> Answer:
        """Request `file`; raises Interrupted where nothing can be reached."""

    def close(self) -> None:
        """Drop all connections."""


class Interrupted(Exception):  # noqa: N818 - it reads as what happened to an answer
    """Why an answer did not come or not all of it; its text completes "NAME could not be fetched: …".

    Attributes
    ----------
    is_unreachable : bool
        Not even a connection could be made.
    """

    def __init__(self, reason: str, *, is_unreachable: bool = False) -> None:
        super().__init__(reason)
        self.is_unreachable = is_unreachable
