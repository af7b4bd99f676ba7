"""From a book to the ladder's rows: which price is which row, and what each row holds. No Qt.

A row is an integer: `price = row * group * tick`. With ticks grouped, bids round down and asks round up, so
a row never shows a better price than its levels have; trades follow the side that took them, so the sums of
a column are the sums of its source whatever the grouping.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from engine.messages.columns import Rows
from engine.messages.events import OrderChanged
from engine.messages.instrument import Instrument
from engine.messages.orders import IN_DOUBT
from widgets.book.state import Book, Profile, Queues
from widgets.own_orders import Kind, kind_of, left_of, waits_at

type Int64 = npt.NDArray[np.int64]
type Float64 = npt.NDArray[np.float64]

GROUPS: Final = (1, 2, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10000)
"""Ticks that one row may hold."""

LEVELS_WANTED: Final = 20
"""Levels a side that automatic grouping makes fit."""

_BUYER: Final = 1


@dataclass(frozen=True, slots=True)
class Grid:
    """Prices to rows.

    Attributes
    ----------
    precision : int
        Decimal digits of the instrument's prices; a *point* is one unit of the last digit.
    tick_points : int
        Points per tick.
    group : int
        Ticks per row.
    """

    precision: int
    tick_points: int
    group: int = 1

    @classmethod
    def of(cls, instrument: Instrument, group: int = 1) -> "Grid":
        """Grid of an instrument's ticks."""
        points = int(instrument.tick_size.scaleb(instrument.price_precision))
        return cls(instrument.price_precision, max(1, points), group)

    @property
    def row_points(self) -> int:
        """Points per row."""
        return self.tick_points * self.group

    def points(self, prices: Float64) -> Int64:
        """Prices as whole points."""
        return np.rint(prices * 10.0**self.precision).astype(np.int64)

    def down(self, points: Int64) -> Int64:
        """Row whose price is at or below each price: bids, sells."""
        return points // self.row_points

    def up(self, points: Int64) -> Int64:
        """Row whose price is at or above each price: asks, buys."""
        return -(-points // self.row_points)

    def price(self, row: int) -> Decimal:
        """Exact price of a row."""
        return Decimal(row * self.row_points).scaleb(-self.precision)

    def row_of(self, price: float | Decimal, *, up: bool) -> int:
        """Row of one price."""
        points = np.array([round(price * 10**self.precision)], np.int64)
        return int((self.up if up else self.down)(points)[0])


class Own(NamedTuple):
    """Own orders of one row and side.

    Attributes
    ----------
    size : Decimal
        What is left of all of them.
    kind : Kind
        Of the oldest.
    queued : bool
        Whether one of them stands in a queue.
    ahead : float or None
        Least size that is estimated to stand before one of them; None where it is not known.
    doubtful : bool
        Whether one was sent and nobody knows what became of it.
    """

    size: Decimal
    kind: Kind
    queued: bool = False
    ahead: float | None = None
    doubtful: bool = False


class Row(NamedTuple):
    """What one row shows; equal rows look the same."""

    row: int
    bid: float
    ask: float
    bought: float
    sold: float
    unsided: float
    own_bid: Own | None
    own_ask: Own | None
    inside: bool
    last_size: float
    last_side: int


@dataclass(frozen=True, slots=True)
class Picture:
    """All that the ladder shows at one moment: rows from the highest price down, and the sums at its foot.

    `spread_points` is None while a side is empty, negative when the book is crossed.
    """

    grid: Grid
    rows: tuple[Row, ...]
    best_bid: int | None
    best_ask: int | None
    bid_total: float
    ask_total: float
    bid_levels: int
    ask_levels: int
    largest: float
    largest_traded: float

    @property
    def spread_points(self) -> int | None:
        """Best ask less best bid, in points."""
        if self.best_bid is None or self.best_ask is None:
            return None
        return self.best_ask - self.best_bid

    @property
    def spread_row(self) -> int | None:
        """Row in the middle of the spread; None where no row lies inside it."""
        inside = [row.row for row in self.rows if row.inside]
        return inside[len(inside) // 2] if inside else None

    @property
    def imbalance(self) -> float | None:
        """(bids - asks) / (bids + asks) over the levels known, -1 to 1; None for an empty book."""
        total = self.bid_total + self.ask_total
        return (self.bid_total - self.ask_total) / total if total > 0 else None


def mid_points(grid: Grid, book: Book) -> float | None:
    """Middle of the best prices in points; of one side alone its best; None for an empty book."""
    bests = [float(grid.points(side["price"][:1])[0]) for side in (book.bids, book.asks) if len(side)]
    return sum(bests) / len(bests) if bests else None


def choose_group(grid: Grid, book: Book, rows_a_side: int, current: int | None = None) -> int:
    """Smallest group with which `LEVELS_WANTED` levels fit in `rows_a_side` rows on each side of the mid.

    A finer group than `current` is taken only where it leaves a quarter of the rows free, so the ladder does
    not flip to and fro as the depth breathes.
    """
    mid = mid_points(grid, book)
    if mid is None:
        return current or 1
    reach = 0.0
    for side in (book.bids, book.asks):
        if len(side):
            furthest = grid.points(side["price"][:LEVELS_WANTED][-1:])[0]
            reach = max(reach, abs(float(furthest) - mid))
    for group in GROUPS:
        room = rows_a_side * grid.tick_points * group
        if current is not None and group < current:
            room = room * 3 // 4
        if reach <= room:
            return group
    return GROUPS[-1]


def _sums(rows: Int64, sizes: Float64, lowest: int, count: int) -> Float64:
    """Size per row of the window `[lowest, lowest + count)`, lowest first."""
    at = rows - lowest
    inside = (at >= 0) & (at < count)
    sums: Float64 = np.bincount(at[inside], sizes[inside], minlength=count).astype(np.float64)
    return sums


def _traded(grid: Grid, profile: Profile, lowest: int, count: int) -> list[Float64]:
    """Volume per row by aggressor: unknown, buyers, sellers."""
    edges = np.array([lowest - 1, lowest + count]) * grid.row_points
    seen = slice(*np.searchsorted(profile.points, edges).tolist())
    points = profile.points[seen]
    down, up = grid.down(points), grid.up(points)
    return [
        _sums(up if aggressor == _BUYER else down, sizes[seen], lowest, count)
        for aggressor, sizes in enumerate(profile.volume)
    ]


def _own(
    grid: Grid, orders: Iterable[OrderChanged], queues: Queues | None
) -> tuple[dict[int, Own], dict[int, Own]]:
    """Own orders per row, bids and asks; a stop stands at its trigger."""
    sides: tuple[dict[int, Own], dict[int, Own]] = ({}, {})
    for order in orders:
        price = waits_at(order)
        if price is None:
            continue
        sells = order.side == "SELL"
        row, side = grid.row_of(price, up=sells), sides[sells]
        queued = queues is not None and queues.queues(order.order_id)
        ahead = None if queues is None else queues.of(order.order_id)
        own = Own(left_of(order), kind_of(order), queued, ahead, order.status == IN_DOUBT)
        side[row] = own if row not in side else _together(side[row], own)
    return sides


def _together(older: Own, newer: Own) -> Own:
    known = [own.ahead for own in (older, newer) if own.ahead is not None]
    return Own(
        older.size + newer.size,
        older.kind,
        older.queued or newer.queued,
        min(known, default=None),
        older.doubtful or newer.doubtful,
    )


def _best(grid: Grid, levels: Rows) -> int | None:
    return int(grid.points(levels["price"][:1])[0]) if len(levels) else None


def picture(
    grid: Grid,
    book: Book,
    orders: Iterable[OrderChanged],
    top: int,
    count: int,
    queues: Queues | None = None,
) -> Picture:
    """Rows `top` down to `top - count + 1` of this book."""
    lowest = top - count + 1
    bids = _sums(grid.down(grid.points(book.bids["price"])), book.bids["size"], lowest, count)
    asks = _sums(grid.up(grid.points(book.asks["price"])), book.asks["size"], lowest, count)
    unsided, bought, sold = _traded(grid, book.traded, lowest, count)
    own_bids, own_asks = _own(grid, orders, queues)
    best_bid, best_ask = _best(grid, book.bids), _best(grid, book.asks)
    last, last_row = book.last_trade, None
    if last is not None:
        last_row = grid.row_of(last.price, up=last.aggressor == _BUYER)
    rows = [
        Row(
            row=row,
            bid=bid,
            ask=ask,
            bought=buy,
            sold=sell,
            unsided=other,
            own_bid=own_bids.get(row),
            own_ask=own_asks.get(row),
            inside=best_bid is not None
            and best_ask is not None
            and best_bid < row * grid.row_points < best_ask,
            last_size=last.size if last is not None and row == last_row else 0.0,
            last_side=last.aggressor if last is not None and row == last_row else 0,
        )
        for row, bid, ask, buy, sell, other in zip(
            range(lowest, top + 1), *(c.tolist() for c in (bids, asks, bought, sold, unsided)), strict=True
        )
    ]
    return Picture(
        grid=grid,
        rows=tuple(reversed(rows)),
        best_bid=best_bid,
        best_ask=best_ask,
        bid_total=float(book.bids["size"].sum()),
        ask_total=float(book.asks["size"].sum()),
        bid_levels=len(book.bids),
        ask_levels=len(book.asks),
        largest=float(max(bids.max(), asks.max())),
        largest_traded=float((bought + sold + unsided).max()),
    )
