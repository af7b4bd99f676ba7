"""Exact market data as columns: what decoders make, the store keeps and the engine is fed with.

Prices and sizes are scaled integers (`value = column / 10**precision`), so nothing is rounded between a
vendor's file and an order. Floats appear only in `engine.messages.columns`, for painting.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from enum import IntEnum, IntFlag
from typing import Self

import numpy as np
import numpy.typing as npt

type Int64 = npt.NDArray[np.int64]
type UInt8 = npt.NDArray[np.uint8]


class Aggressor(IntEnum):
    """Side that took liquidity; values are NautilusTrader's `AggressorSide`."""

    NONE = 0
    BUYER = 1
    SELLER = 2


class Side(IntEnum):
    """Side of the book; values are NautilusTrader's `OrderSide`."""

    NONE = 0
    BUY = 1
    SELL = 2


class Action(IntEnum):
    """What a delta does to its level; values are NautilusTrader's `BookAction`."""

    ADD = 1
    UPDATE = 2
    DELETE = 3
    CLEAR = 4


class Flag(IntFlag):
    """Record flags of a delta; values are NautilusTrader's `RecordFlag`."""

    LAST = 128
    SNAPSHOT = 32


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Columns:
    """Equally long arrays and the two precisions that scale them; one row is one message.

    Attributes
    ----------
    ts_event : int64 array, ns since the Unix epoch, UTC
        When it happened at the venue.
    ts_init : int64 array, ns since the Unix epoch, UTC
        When the recorder received it; equal to `ts_event` where a source does not say. Replay runs in this
        order, so nothing is seen before it could have been known.
    price_precision, size_precision : int
        Decimal digits: `price = column / 10**price_precision`.
    """

    ts_event: Int64
    ts_init: Int64
    price_precision: int
    size_precision: int

    def __len__(self) -> int:
        return len(self.ts_event)

    @classmethod
    def array_names(cls) -> tuple[str, ...]:
        """Names of the array attributes, in order."""
        return tuple(f.name for f in fields(cls) if not f.name.endswith("_precision"))

    def arrays(self) -> dict[str, npt.NDArray[np.generic]]:
        """The arrays by name, not copied."""
        return {name: getattr(self, name) for name in self.array_names()}

    def take(self, rows: "npt.NDArray[np.integer] | npt.NDArray[np.bool_] | slice") -> Self:
        """Rows chosen by index array, mask or slice (a slice copies nothing)."""
        return self.with_arrays({name: array[rows] for name, array in self.arrays().items()})

    def with_arrays(self, arrays: Mapping[str, npt.NDArray[np.generic]]) -> Self:
        """Same precisions, the given arrays in place of those named."""
        return type(self)(
            **{**self.arrays(), **arrays},  # type: ignore[arg-type]
            price_precision=self.price_precision,
            size_precision=self.size_precision,
        )

    @classmethod
    def concat(cls, parts: Sequence[Self]) -> Self:
        """Rows of all parts in order; they must agree on precision.

        Raises
        ------
        ValueError
            No parts, or parts of different precision.
        """
        if not parts:
            raise ValueError("nothing to concatenate")
        if len({(part.price_precision, part.size_precision) for part in parts}) > 1:
            raise ValueError("parts of different precision cannot be concatenated")
        return parts[0].with_arrays(
            {name: np.concatenate([getattr(part, name) for part in parts]) for name in cls.array_names()}
        )


_UNNUMBERED: Int64 = np.zeros(0, np.int64)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Quotes(Columns):
    """Best bid and ask; prices and sizes are scaled int64, a size of 0 where the source has none.

    `sequence` is the venue's update number, comparable with that of `Deltas`; left out, it is all 0.
    """

    bid: Int64
    ask: Int64
    bid_size: Int64
    ask_size: Int64
    sequence: Int64 = field(default_factory=lambda: _UNNUMBERED)

    def __post_init__(self) -> None:
        if self.sequence is _UNNUMBERED:
            object.__setattr__(self, "sequence", np.zeros(len(self.ts_event), np.int64))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Trades(Columns):
    """Trades; `aggressor` holds `Aggressor` values, `trade_id` the venue's number (0: it gave none)."""

    price: Int64
    size: Int64
    aggressor: UInt8
    trade_id: Int64


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Deltas(Columns):
    """Book changes by level: `action` holds `Action`, `side` `Side`, `flags` `Flag` values.

    The rows of one book update share `sequence` and `ts_event`, and the last of them carries `Flag.LAST`. A
    snapshot is a CLEAR row followed by ADD rows, all with `Flag.SNAPSHOT`. A level of size 0 is a DELETE.
    """

    action: UInt8
    side: UInt8
    price: Int64
    size: Int64
    flags: UInt8
    sequence: Int64


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Snapshots(Columns):
    """Whole books, best level first: each array is int64 `[rows, levels]`; a missing level has size 0."""

    bid: Int64
    ask: Int64
    bid_size: Int64
    ask_size: Int64


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class VendorBars(Columns):
    """Bars as a vendor made them; the station's own are `engine.bars.Bars`.

    `ts_event` is when the bar opened and `ts_init` when it closed: before that nobody could know it. Prices
    and `volume` are scaled int64; a volume of 0 may also say that the vendor has none.
    """

    open: Int64
    high: Int64
    low: Int64
    close: Int64
    volume: Int64


class CorporateAction(IntEnum):
    """What a company did to its shares."""

    SPLIT = 1
    DIVIDEND = 2


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CorporateActions(Columns):
    """Splits and dividends; `action` holds `CorporateAction` values, `ts_event` is the ex-date's open.

    A split makes `numerator` new shares of `denominator` old ones (both 1 for a dividend); `amount` is a
    dividend per share, scaled as prices are (0 for a split).
    """

    action: UInt8
    amount: Int64
    numerator: Int64
    denominator: Int64


KINDS: Mapping[str, type[Columns]] = {
    "quotes": Quotes,
    "trades": Trades,
    "deltas": Deltas,
    "depth": Snapshots,
}
"""Ticks: the kinds that sessions replay and that are stored day by day."""

ACTIONS = "actions"
_BARS = "bars-"
ADJUSTED = "-ADJUSTED"
"""Ends the kind of bars whose prices the vendor adjusted for splits and dividends."""


def bars_kind(spec: str, *, adjusted: bool = False) -> str:
    """Kind of a vendor's bars of this specification, for example `bars-1-MINUTE-BID`."""
    return f"{_BARS}{spec}{ADJUSTED if adjusted else ''}"


def is_bars(kind: str) -> bool:
    """Whether `kind` is one of a vendor's bars."""
    return kind.startswith(_BARS)


def bars_spec(kind: str) -> str:
    """Specification of bars of this kind, for `engine.bars.BarSpec.parse`."""
    return kind.removeprefix(_BARS).removesuffix(ADJUSTED)


def columns_of(kind: str) -> type[Columns]:
    """Columns that rows of this kind are; raises KeyError where there is no such kind."""
    if is_bars(kind):
        return VendorBars
    return CorporateActions if kind == ACTIONS else KINDS[kind]
