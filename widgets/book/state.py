"""What the ladder reads, as protocols: whoever has these attributes can be bound to it."""
# ruff: noqa: D102 -- each protocol's docstring says what its attributes are

from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt

from engine.messages.columns import Rows
from engine.messages.events import OrderChanged
from engine.messages.instrument import Instrument


class LastTrade(Protocol):
    """The latest trade; `aggressor` is 1 for a buyer, 2 for a seller, 0 where nobody told."""

    @property
    def ts(self) -> int: ...
    @property
    def price(self) -> float: ...
    @property
    def size(self) -> float: ...
    @property
    def aggressor(self) -> int: ...


class Profile(Protocol):
    """Volume by price: `points` in units of the last digit, ascending; `volume` `[aggressor, price]`."""

    @property
    def points(self) -> npt.NDArray[np.int64]: ...
    @property
    def volume(self) -> npt.NDArray[np.float64]: ...
    @property
    def left_out(self) -> int: ...


class Book(Protocol):
    """Latest book, dtype `LEVEL`, best price first, and what was traded."""

    @property
    def bids(self) -> Rows: ...
    @property
    def asks(self) -> Rows: ...
    @property
    def quotes_only(self) -> bool: ...
    @property
    def last_trade(self) -> LastTrade | None: ...
    @property
    def traded(self) -> Profile: ...
    @property
    def version(self) -> int: ...


class BookMarket(Protocol):
    """One instrument and its book."""

    @property
    def instrument(self) -> Instrument: ...
    @property
    def book(self) -> Book: ...


class WorkingOrders(Protocol):
    """Orders that can still trade."""

    @property
    def version(self) -> int: ...
    def working(self, instrument: str, /) -> Sequence[OrderChanged]:
        """Orders of one instrument, oldest first."""
        ...


class Queues(Protocol):
    """What is estimated to stand before resting orders."""

    @property
    def version(self) -> int: ...
    def of(self, order_id: str, /) -> float | None:
        """Size before an order; None where it is not known."""
        ...

    def queues(self, order_id: str, /) -> bool:
        """Whether an order stands in a queue, known or not."""
        ...


class LadderState(Protocol):
    """A session, as far as the ladder is concerned."""

    @property
    def markets(self) -> Mapping[str, BookMarket]: ...
    @property
    def orders(self) -> WorkingOrders: ...
    @property
    def queues(self) -> Queues: ...
