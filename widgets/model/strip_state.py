"""What the model strip reads, as protocols: whoever has these attributes can be bound to it."""
# ruff: noqa: D102 -- each protocol's docstring says what its attributes are

from collections.abc import Sequence
from typing import Protocol

from engine.messages.events import ArmingChanged
from engine.messages.frames import ModelHealth, Transport
from engine.messages.run import Arming


class StripSignals(Protocol):
    """Health of the run's models, and whether their signals are traded."""

    @property
    def models(self) -> Sequence[ModelHealth]: ...
    @property
    def arming(self) -> Arming | None: ...
    @property
    def arming_changed(self) -> ArmingChanged | None: ...


class StripSession(Protocol):
    """A session, as far as its models are concerned."""

    @property
    def signals(self) -> StripSignals: ...
    @property
    def transport(self) -> Transport | None: ...
