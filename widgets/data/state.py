"""What the data panel reads, as a protocol: whoever has these can be bound to it."""
# ruff: noqa: D102 -- the protocol's docstring says what its members are

from collections.abc import Sequence
from typing import Protocol

from engine.messages.data import Finding, Job, Repair, StoredDay


class Library(Protocol):
    """The tick store and what is being done with it.

    `version` grows with every change of any of them, and `make_old` has the store read anew, soon. `findings`
    are those of the last check of each day that is still as it was checked.
    """

    @property
    def version(self) -> int: ...
    def make_old(self) -> None: ...
    @property
    def days(self) -> Sequence[StoredDay]: ...
    @property
    def findings(self) -> Sequence[Finding]: ...
    @property
    def repairs(self) -> Sequence[Repair]: ...
    @property
    def jobs(self) -> Sequence[Job]: ...
