"""What time and sales reads, as protocols: whoever has these attributes can be bound to it."""
# ruff: noqa: D102 -- each protocol's docstring says what its attributes are

from typing import Protocol

from engine.messages.columns import Rows
from engine.messages.instrument import Instrument


class Tape(Protocol):
    """Rows in order; row `i` is the `dropped + i`-th ever, `conflated` counts those that were left out."""

    @property
    def rows(self) -> Rows: ...
    @property
    def version(self) -> int: ...
    @property
    def conflated(self) -> int: ...
    @property
    def dropped(self) -> int: ...


class TapeMarket(Protocol):
    """One instrument with its trades and quotes, dtypes `TRADE` and `QUOTE`."""

    @property
    def instrument(self) -> Instrument: ...
    @property
    def trades(self) -> Tape: ...
    @property
    def quotes(self) -> Tape: ...
