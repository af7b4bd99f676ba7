"""What the results panel reads, as a protocol."""
# ruff: noqa: D102 -- the protocol's docstring says what its attributes are

from typing import Protocol

from engine.messages.events import Results


class ResultsSession(Protocol):
    """A session, whose `results` are None until its run is finished."""

    @property
    def results(self) -> Results | None: ...
