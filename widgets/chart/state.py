"""What the chart reads, as protocols: whoever has these attributes can be bound to it."""
# ruff: noqa: D102 -- each protocol's docstring says what its methods are

from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt

from engine.messages.columns import Rows
from engine.messages.events import Denied, Filled, OrderChanged, PositionChanged, Published, Refused
from engine.messages.instrument import Instrument
from widgets.signals.words import SignalRecord

type Floats = npt.NDArray[np.float64]
type Times = npt.NDArray[np.int64]


class Envelope(Protocol):
    """First, last, lowest and highest value per pixel, NaN where `count` is 0; `before` precedes them."""

    @property
    def count(self) -> Times: ...
    @property
    def first(self) -> Floats: ...
    @property
    def last(self) -> Floats: ...
    @property
    def low(self) -> Floats: ...
    @property
    def high(self) -> Floats: ...
    @property
    def before(self) -> float: ...


class Ticks(Protocol):
    """Rows in order of time with their extremes per pixel."""

    @property
    def rows(self) -> Rows: ...
    @property
    def version(self) -> int: ...
    @property
    def conflated(self) -> int: ...
    def __len__(self) -> int: ...
    @property
    def times(self) -> Times: ...
    def envelope(self, column: str, start_ns: int, end_ns: int, pixels: int) -> Envelope: ...


class Trades(Ticks, Protocol):
    """Trades; `largest` thins them, `volumes` sums bought and sold before each time."""

    def largest(self, start_ns: int, end_ns: int, limit: int) -> Rows: ...
    def volumes(self, edges_ns: Times) -> tuple[Floats, Floats]: ...


class Depth(Protocol):
    """Closed heatmap columns, dtype `DEPTH`; `dropped` older ones were forgotten."""

    @property
    def rows(self) -> Rows: ...
    @property
    def times(self) -> Times: ...
    @property
    def version(self) -> int: ...
    @property
    def dropped(self) -> int: ...
    def __len__(self) -> int: ...


class Bars(Protocol):
    """Bars of one spec; `candles` merges neighbours where there are more than `limit`.

    `interval_ns` is the length of time bars, None for others.
    """

    @property
    def interval_ns(self) -> int | None: ...

    @property
    def version(self) -> int: ...
    @property
    def behind(self) -> bool: ...
    @property
    def conflated(self) -> int: ...
    def __len__(self) -> int: ...
    def candles(self, start_ns: int, end_ns: int, limit: int) -> Rows: ...


class ChartMarket(Protocol):
    """One instrument's market; `bars` raises `UserError` for a bad spec.

    Markets of one session have the same `session`, whichever epoch they belong to.
    """

    @property
    def session(self) -> object: ...
    @property
    def instrument(self) -> Instrument: ...
    @property
    def quotes(self) -> Ticks: ...
    @property
    def trades(self) -> Trades: ...
    @property
    def depth(self) -> Depth: ...
    @property
    def now(self) -> int: ...
    def bars(self, spec: str) -> Bars: ...


class Positions(Protocol):
    """Every position that ever was, each in its row; `changed_since` names the rows that a version lacks."""

    @property
    def rows(self) -> Sequence[PositionChanged]: ...
    @property
    def version(self) -> int: ...
    def changed_since(self, version: int, /) -> Sequence[int]: ...


class ChartOrders(Protocol):
    """The session's fills and denials, only ever appended to, its orders, positions, and working orders."""

    @property
    def fills(self) -> Sequence[Filled]: ...
    @property
    def denials(self) -> Sequence[Denied]: ...
    @property
    def orders(self) -> Mapping[str, OrderChanged]: ...
    @property
    def positions(self) -> Positions: ...
    @property
    def version(self) -> int: ...
    def of_request(self, request: str, /) -> Sequence[OrderChanged]: ...
    def working(self, instrument: str) -> Sequence[OrderChanged]: ...


class ChartDesk(Protocol):
    """The session as far as the chart trades in it: the latest command that it refused."""

    @property
    def refusal(self) -> Refused | None: ...
    @property
    def refusals(self) -> int: ...


class SignalRecords(Protocol):
    """Signals in order; `version` grows with every change of any of them."""

    @property
    def rows(self) -> Sequence[SignalRecord]: ...
    @property
    def version(self) -> int: ...


class ChartSignals(Protocol):
    """An instrument's signals, and where each lies: `ts`, `price`, `direction` and `traded` of `marks`."""

    @property
    def records(self) -> SignalRecords: ...
    @property
    def marks(self) -> Rows: ...


class ChartNews(Protocol):
    """What was published in the session, by time, only ever appended to; `times` are those of `rows`."""

    @property
    def rows(self) -> Sequence[Published]: ...
    @property
    def times(self) -> Times: ...
    @property
    def version(self) -> int: ...
