"""What the inspector reads, as protocols: whoever has these attributes can be bound to it."""
# ruff: noqa: D102 -- each protocol's docstring says what its attributes are

from collections.abc import Mapping, Sequence
from typing import Protocol

from engine.messages.events import Filled, OrderChanged, SignalActed, Signalled
from engine.messages.frames import Explanation, ModelHealth, Transport
from engine.messages.instrument import Instrument


class Record(Protocol):
    """One signal and what became of it; what is None has not come (yet)."""

    @property
    def signalled(self) -> Signalled: ...
    @property
    def acted(self) -> SignalActed | None: ...
    @property
    def order(self) -> OrderChanged | None: ...


class Records(Protocol):
    """Signals by their number as text; `rows` has them in order."""

    @property
    def rows(self) -> Sequence[Record]: ...
    def get(self, key: str, /) -> Record | None: ...


class OfInstrument(Protocol):
    """What the models said of one instrument."""

    @property
    def records(self) -> Records: ...


class WhySignals(Protocol):
    """What the run's models said, and the answer to the latest question."""

    @property
    def models(self) -> Sequence[ModelHealth]: ...
    @property
    def explanation(self) -> Explanation | None: ...
    def of(self, instrument: str, /) -> OfInstrument: ...


class WhyOrders(Protocol):
    """Orders and fills of the session."""

    @property
    def orders(self) -> Mapping[str, OrderChanged]: ...
    @property
    def fills(self) -> Sequence[Filled]: ...
    def of_request(self, request: str, /) -> Sequence[OrderChanged]: ...


class WhyMarket(Protocol):
    """Facts of an instrument that its prices are read with."""

    @property
    def instrument(self) -> Instrument: ...


class WhySession(Protocol):
    """A session, as far as its reasons are concerned."""

    @property
    def epoch(self) -> int: ...
    @property
    def transport(self) -> Transport | None: ...
    @property
    def signals(self) -> WhySignals: ...
    @property
    def orders(self) -> WhyOrders: ...
    @property
    def markets(self) -> Mapping[str, WhyMarket]: ...
