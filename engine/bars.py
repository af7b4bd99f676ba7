"""Bars from ticks, exact and the same for any batching, so that chart, export and strategy agree.

The specification's grammar and its limits are NautilusTrader's (`1-MINUTE-BID`), so a spec that is valid here
is valid in the engine. All arithmetic is on scaled integers.
"""

from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Self

import numpy as np
import numpy.typing as npt

from engine.columns import Columns, Int64, Quotes, Trades
from engine.errors import UserError, unknown_name


class Aggregation(StrEnum):
    """What closes a bar: the clock, a number of ticks, or a traded volume."""

    SECOND = "SECOND"
    MINUTE = "MINUTE"
    HOUR = "HOUR"
    DAY = "DAY"
    TICK = "TICK"
    VOLUME = "VOLUME"


class PriceType(StrEnum):
    """Which price of a tick a bar is made of; `LAST` is the trade's."""

    BID = "BID"
    ASK = "ASK"
    MID = "MID"
    LAST = "LAST"


_UNIT_NS = {
    Aggregation.SECOND: 1_000_000_000,
    Aggregation.MINUTE: 60_000_000_000,
    Aggregation.HOUR: 3_600_000_000_000,
    Aggregation.DAY: 86_400_000_000_000,
}
_UNITS_IN_NEXT = {Aggregation.SECOND: 60, Aggregation.MINUTE: 60, Aggregation.HOUR: 24, Aggregation.DAY: 2}
_EXAMPLES = "1-MINUTE-BID, 100-TICK-LAST or 1000-VOLUME-LAST"


@dataclass(frozen=True, slots=True)
class BarSpec:
    """How ticks become bars, written `STEP-AGGREGATION-PRICE`.

    Attributes
    ----------
    step : int
        Bars of so many seconds, minutes, hours or days (a divisor of the next larger unit, so that bars start
        at the same times every day), ticks, or whole units of volume in base currency.
    """

    step: int
    aggregation: Aggregation
    price_type: PriceType

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `1-MINUTE-BID`, in upper or lower case.

        Raises
        ------
        UserError
            Not of three parts, an unknown word, or a step that the aggregation does not allow.
        """
        parts = text.strip().upper().split("-")
        if len(parts) != 3:
            raise UserError(
                f"Bar spec {text!r} is not STEP-AGGREGATION-PRICE; write for example {_EXAMPLES}."
            )
        step, aggregation, price_type = parts
        if aggregation not in Aggregation:
            raise unknown_name("bar aggregation", aggregation, Aggregation)
        if price_type not in PriceType:
            raise unknown_name("bar price", price_type, PriceType)
        if not (step.isascii() and step.isdigit() and 0 < int(step) < 10**9):
            raise UserError(
                f"Bar spec {text!r} must start with a positive whole number, for example {_EXAMPLES}."
            )
        spec = cls(int(step), Aggregation(aggregation), PriceType(price_type))
        spec._check_step()
        return spec

    def __str__(self) -> str:
        return f"{self.step}-{self.aggregation}-{self.price_type}"

    @property
    def interval_ns(self) -> int | None:
        """Length of a time bar in ns; None for tick and volume bars."""
        unit = _UNIT_NS.get(self.aggregation)
        return None if unit is None else unit * self.step

    def _check_step(self) -> None:
        units = _UNITS_IN_NEXT.get(self.aggregation)
        if units is None or (self.step < units and units % self.step == 0):
            return
        valid = [str(n) for n in range(1, units) if units % n == 0]
        near = sorted(valid, key=lambda n: abs(int(n) - self.step))[:3]
        choices = " or ".join(f"{n}-{self.aggregation}-{self.price_type}" for n in near)
        raise UserError(
            f"Bars of {self.step} {self.aggregation} do not start alike every day; choose {choices}."
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Bars:
    """Bars in order of time, one row each; scaled int64 arrays of equal length.

    Attributes
    ----------
    ts_open : ns UTC
        Time bars: start of the interval `[ts_open, ts_open + interval)`. Tick and volume bars: `ts_event` of
        the first tick.
    open, high, low, close : price * 10**price_precision
    volume : size * 10**size_precision
    """

    ts_open: Int64
    open: Int64
    high: Int64
    low: Int64
    close: Int64
    volume: Int64
    price_precision: int
    size_precision: int

    def __len__(self) -> int:
        return len(self.ts_open)

    def arrays(self) -> dict[str, Int64]:
        """The six arrays by name, not copied."""
        return {f.name: getattr(self, f.name) for f in fields(self) if not f.name.endswith("_precision")}

    def take(self, rows: npt.NDArray[np.bool_] | slice) -> Self:
        """Rows chosen by mask or slice (a slice copies nothing)."""
        return self.with_arrays({name: array[rows] for name, array in self.arrays().items()})

    def then(self, later: Self) -> Self:
        """Return these bars followed by `later`."""
        return self.with_arrays(
            {name: np.concatenate([array, getattr(later, name)]) for name, array in self.arrays().items()}
        )

    def with_arrays(self, arrays: dict[str, Int64]) -> Self:
        """Same precisions, other arrays."""
        return type(self)(**arrays, price_precision=self.price_precision, size_precision=self.size_precision)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PricedTicks:
    """The one price and size of each tick that a spec looks at, with the precisions that scale them."""

    ts_event: Int64
    price: Int64
    size: Int64
    price_precision: int
    size_precision: int


def price_and_size(spec: BarSpec, columns: Columns) -> PricedTicks:
    """Pick the price and size columns of `spec`.

    BID and ASK take that side's price and size, LAST the trade's. MID is (bid + ask) / 2 of both, which may
    end in half a unit: it is written exactly as (bid + ask) * 5 with one decimal digit more.

    Raises
    ------
    UserError
        BID, ASK or MID asked of trades, LAST of quotes, or anything of another kind of columns.
    """
    price_precision, size_precision = columns.price_precision, columns.size_precision
    match spec.price_type, columns:
        case PriceType.LAST, Trades():
            price, size = columns.price, columns.size
        case PriceType.BID, Quotes():
            price, size = columns.bid, columns.bid_size
        case PriceType.ASK, Quotes():
            price, size = columns.ask, columns.ask_size
        case PriceType.MID, Quotes():
            price, size = (columns.bid + columns.ask) * 5, (columns.bid_size + columns.ask_size) * 5
            price_precision, size_precision = price_precision + 1, size_precision + 1
        case _:
            needed = "trades" if spec.price_type == PriceType.LAST else "quotes"
            raise UserError(
                f"{spec} bars are made of {needed}, not of {type(columns).__name__.lower()}; "
                f"choose another price type or import {needed}."
            )
    return PricedTicks(
        ts_event=columns.ts_event,
        price=price,
        size=size,
        price_precision=price_precision,
        size_precision=size_precision,
    )


class BarBuilder:
    """Turns ticks into bars as they come.

    Time bars lie on a grid from the Unix epoch and are left-closed, right-open; an interval without ticks has
    no bar. Time never runs backwards here: a tick whose `ts_event` lies before the open bar counts into the
    open bar, as a closed bar is final. Such a bar closes with the first tick of a later interval.

    A tick bar closes with its last tick. A volume bar closes when it holds exactly `step` units: a tick that
    overfills it is split and the rest opens the next bar at the same price, as NautilusTrader's
    `VolumeBarAggregator` does (López de Prado, Advances in Financial Machine Learning, ch. 2, keeps the tick
    whole instead). A tick of size 0 therefore never touches a volume bar.

    Parameters
    ----------
    spec : BarSpec
    price_precision, size_precision : int
        Decimal digits of the rows given to `append`; see `price_and_size`.
    """

    def __init__(self, spec: BarSpec, *, price_precision: int, size_precision: int) -> None:
        self.spec = spec
        self._empty = Bars(
            **dict.fromkeys(_ARRAYS, np.empty(0, np.int64)),
            price_precision=price_precision,
            size_precision=size_precision,
        )
        self._open = self._empty
        self._filled = 0
        """Ticks or scaled volume in the open bar."""
        self._step = spec.step * (10**size_precision if spec.aggregation == Aggregation.VOLUME else 1)

    @property
    def current(self) -> Bars:
        """The open bar as a table of one row, or of none before the first tick and after a full bar."""
        return self._open

    def append(self, ts_event: Int64, price: Int64, size: Int64) -> Bars:
        """Take in ticks in order and return the bars that they closed, oldest first."""
        interval = self.spec.interval_ns
        if interval is not None:
            group = ts_event = self._interval_starts(ts_event, interval)
            last_is_full = False
        elif self.spec.aggregation == Aggregation.TICK:
            group = (self._filled + np.arange(len(price))) // self._step
            last_is_full = self._fill(len(price))
        else:
            ts_event, price, size, group = self._split(ts_event, price, size)
            last_is_full = self._fill(int(size.sum()))
        if not len(price):
            return self._empty
        bars = self._joined(self._aggregated(group, ts_event, price, size), first_group=int(group[0]))
        closed = bars if last_is_full else bars.take(slice(-1))
        self._open = self._empty if last_is_full else bars.take(slice(-1, None))
        return closed

    def _fill(self, amount: int) -> bool:
        """Count `amount` into bars of `step`; whether the last bar came out full."""
        self._filled = (self._filled + amount) % self._step
        return self._filled == 0

    def _interval_starts(self, ts_event: Int64, interval: int) -> Int64:
        starts = np.maximum.accumulate(ts_event // interval * interval)
        return np.maximum(starts, self._open.ts_open[0]) if len(self._open) else starts

    def _split(self, ts_event: Int64, price: Int64, size: Int64) -> tuple[Int64, Int64, Int64, Int64]:
        """Cut each row at the bar ends that it crosses; `group` numbers the bars from the open one, 0."""
        some = size > 0
        ts_event, price, size = ts_event[some], price[some], size[some]
        after = self._filled + size.cumsum()
        before = after - size
        first, last = before // self._step, (after - 1) // self._step
        pieces = last - first + 1
        row = np.repeat(np.arange(len(size)), pieces)
        group = first[row] + np.arange(len(row)) - np.repeat(pieces.cumsum() - pieces, pieces)
        piece = np.minimum(after[row], (group + 1) * self._step) - np.maximum(before[row], group * self._step)
        return ts_event[row], price[row], piece, group

    def _aggregated(self, group: Int64, ts_event: Int64, price: Int64, size: Int64) -> Bars:
        starts = np.flatnonzero(np.concatenate([(True,), group[1:] != group[:-1]]))
        ends = np.concatenate([starts[1:], (len(group),)]) - 1
        return self._empty.with_arrays(
            {
                "ts_open": ts_event[starts],
                "open": price[starts],
                "high": np.maximum.reduceat(price, starts),
                "low": np.minimum.reduceat(price, starts),
                "close": price[ends],
                "volume": np.add.reduceat(size, starts),
            }
        )

    def _joined(self, bars: Bars, first_group: int) -> Bars:
        """Put the open bar before `bars`, or into the first of them when that continues it."""
        held = self._open
        if not len(held):
            return bars
        if first_group != (int(held.ts_open[0]) if self.spec.interval_ns else 0):
            return held.then(bars)
        bars.ts_open[0], bars.open[0] = held.ts_open[0], held.open[0]
        bars.high[0] = max(bars.high[0], held.high[0])
        bars.low[0] = min(bars.low[0], held.low[0])
        bars.volume[0] += held.volume[0]
        return bars


_ARRAYS = ("ts_open", "open", "high", "low", "close", "volume")


def bars_of(spec: BarSpec, columns: Columns) -> Bars:
    """All bars of `columns`, with the last time bar although nothing after it closed it.

    An unfinished tick or volume bar is left out: it would not be a bar of `spec.step`.

    Raises
    ------
    UserError
        The kind of columns has no such price; see `price_and_size`.
    """
    ticks = price_and_size(spec, columns)
    builder = BarBuilder(spec, price_precision=ticks.price_precision, size_precision=ticks.size_precision)
    closed = builder.append(ticks.ts_event, ticks.price, ticks.size)
    return closed.then(builder.current) if spec.interval_ns else closed
