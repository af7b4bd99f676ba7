"""What the signals panel reads, as protocols: whoever has these attributes can be bound to it."""
# ruff: noqa: D102 -- each protocol's docstring says what its attributes are

from collections.abc import Mapping, Sequence
from typing import Protocol

from engine.messages.columns import Rows
from engine.messages.frames import ModelHealth, Outcomes
from engine.messages.instrument import Instrument
from engine.messages.run import Arming
from widgets.chart.state import Ticks
from widgets.signals.words import SignalRecord


class Records(Protocol):
    """Signals in order, replaced in place as more becomes known of them."""

    @property
    def rows(self) -> Sequence[SignalRecord]: ...
    @property
    def version(self) -> int: ...
    def changed_since(self, version: int, /) -> Sequence[int]: ...


class SignalsOfInstrument(Protocol):
    """Predictions (dtype `PREDICTION`), thresholds, outcomes and signals of one instrument."""

    @property
    def predictions(self) -> Ticks: ...
    @property
    def enter(self) -> float | None: ...
    @property
    def exit(self) -> float | None: ...
    @property
    def outcomes(self) -> Outcomes | None: ...
    @property
    def records(self) -> Records: ...
    @property
    def marks(self) -> Rows: ...


class Signals(Protocol):
    """The models of a session and what they say of each instrument."""

    @property
    def models(self) -> Sequence[ModelHealth]: ...
    @property
    def arming(self) -> Arming | None: ...
    def of(self, instrument: str, /) -> SignalsOfInstrument: ...


class SignalsMarket(Protocol):
    """Facts of an instrument."""

    @property
    def instrument(self) -> Instrument: ...


class SignalsSession(Protocol):
    """A session, as far as its signals are concerned."""

    @property
    def signals(self) -> Signals: ...
    @property
    def markets(self) -> Mapping[str, SignalsMarket]: ...
