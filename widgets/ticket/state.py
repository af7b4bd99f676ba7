"""What the ticket reads, as protocols: whoever has these attributes can be bound to it."""
# ruff: noqa: D102 -- each protocol's docstring says what its attributes are

from collections.abc import Mapping, Sequence
from typing import Protocol

from engine.messages.columns import Rows
from engine.messages.events import OrderChanged, PositionChanged, Refused
from engine.messages.frames import Control, Transport
from engine.messages.instrument import Instrument
from engine.messages.orders import OrderPreview


class TicketBook(Protocol):
    """Latest book, dtype `LEVEL`, best price first."""

    @property
    def bids(self) -> Rows: ...
    @property
    def asks(self) -> Rows: ...
    @property
    def version(self) -> int: ...


class TicketMarket(Protocol):
    """One instrument and its book."""

    @property
    def instrument(self) -> Instrument: ...
    @property
    def book(self) -> TicketBook: ...


class TicketOrders(Protocol):
    """What became of what was sent, and every position; `version` grows with every change."""

    @property
    def version(self) -> int: ...
    @property
    def positions(self) -> Mapping[str, PositionChanged]: ...
    def of_request(self, request: str, /) -> Sequence[OrderChanged]: ...


class TicketSession(Protocol):
    """A session, as far as the ticket is concerned; `refusals` counts the refused commands."""

    @property
    def markets(self) -> Mapping[str, TicketMarket]: ...
    @property
    def orders(self) -> TicketOrders: ...
    @property
    def control(self) -> Control: ...
    @property
    def preview(self) -> OrderPreview | None: ...
    @property
    def transport(self) -> Transport | None: ...
    @property
    def refusal(self) -> Refused | None: ...
    @property
    def refusals(self) -> int: ...
