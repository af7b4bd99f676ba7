"""The order book as a pure value: deltas in, levels out, the same for any batching of the same deltas.

Replay, the book check, the ladder and the depth heatmap all rebuild books from `engine.columns.Deltas`; this
is the one place where a delta means something. Prices and sizes stay the scaled integers of the columns.

Both sides lie in one pair of sorted arrays: a bid's key is its price, an ask's key its price + 2**62, so the
bids stand first with the best one last, the asks follow with the best one first, and one merge serves both.
"""

from copy import copy
from typing import Self

import numpy as np
import numpy.typing as npt

from engine.columns import Action, Deltas, Int64, Side, Snapshots, UInt8

_ASK_OFFSET = 1 << 62
_FIRST_ASK = 1 << 61
"""No scaled price reaches this, so it parts the bids' keys from the asks'."""

_TINY_ROWS = 4
"""Up to here a Python loop over rows beats the fixed cost of the vectorised merge (measured: about 25 µs)."""

_BLOCK_ROWS = 1 << 16
"""Long batches are sorted in blocks of this many rows, which stay in the processor's cache."""

_NO_SIDE = "a delta other than CLEAR must name the side BUY or SELL"


class Book:
    """Price levels of both sides of one instrument.

    `ADD` and `UPDATE` both set the size of a level, `DELETE` or a size of 0 removes it, `CLEAR` removes all
    levels of both sides whatever its `side` says.
    """

    __slots__ = ("_asks_at", "_keys", "_sizes")

    def __init__(self) -> None:
        self._keys: Int64 = np.empty(0, np.int64)
        self._sizes: Int64 = np.empty(0, np.int64)
        self._asks_at = 0

    def __len__(self) -> int:
        """Levels of both sides together."""
        return len(self._keys)

    def apply(self, deltas: Deltas) -> None:
        """Apply all rows in order.

        Raises
        ------
        ValueError
            A row other than CLEAR names neither side; the book is then as it was.
        """
        action, side, price, size = deltas.action, deltas.side, deltas.price, deltas.size
        if len(price) <= _TINY_ROWS:
            self._apply_rows(action, side, price, size)
            return
        clears, asks = action == Action.CLEAR, side == Side.SELL
        if not (asks | (side == Side.BUY) | clears).all():
            raise ValueError(_NO_SIDE)
        if clears.any():
            rest = slice(int(np.flatnonzero(clears)[-1]) + 1, None)
            action, asks, price, size = action[rest], asks[rest], price[rest], size[rest]
            self.clear()
        keys = price + asks * np.int64(_ASK_OFFSET)
        sizes = size * (action != Action.DELETE)
        for start in range(0, len(keys), _BLOCK_ROWS):
            block = slice(start, start + _BLOCK_ROWS)
            self._merge(*_last_per_key(keys[block], sizes[block]))

    def load(self, snapshots: Snapshots, row: int) -> None:
        """Replace the book by one row of `snapshots`; levels of size 0 are missing ones."""
        bid_size, ask_size = snapshots.bid_size[row], snapshots.ask_size[row]
        keys = np.concatenate([snapshots.bid[row], snapshots.ask[row] + _ASK_OFFSET])
        self.clear()
        self._merge(*_last_per_key(keys, np.concatenate([bid_size, ask_size])))

    def clear(self) -> None:
        """Remove all levels of both sides."""
        self._keys = np.empty(0, np.int64)
        self._sizes = np.empty(0, np.int64)
        self._asks_at = 0

    def copy(self) -> Self:
        """Make an equal book that changes independently."""
        other = copy(self)
        other._keys, other._sizes = self._keys.copy(), self._sizes.copy()  # noqa: SLF001 - its own class
        return other

    def best_bid(self) -> tuple[int, int] | None:
        """Highest bid as scaled (price, size), or None on an empty side."""
        at = self._asks_at
        return (int(self._keys[at - 1]), int(self._sizes[at - 1])) if at else None

    def best_ask(self) -> tuple[int, int] | None:
        """Lowest ask as scaled (price, size), or None on an empty side."""
        at = self._asks_at
        if at == len(self._keys):
            return None
        return int(self._keys[at]) - _ASK_OFFSET, int(self._sizes[at])

    def bids(self, levels: int | None = None) -> Int64:
        """Best `levels` bids (all by default), highest first: int64 `[n, 2]` of scaled price and size."""
        first = 0 if levels is None else max(0, self._asks_at - levels)
        rows = slice(first, self._asks_at)
        return np.stack([self._keys[rows], self._sizes[rows]], axis=1)[::-1]

    def asks(self, levels: int | None = None) -> Int64:
        """Best `levels` asks (all by default), lowest first: int64 `[n, 2]` of scaled price and size."""
        rows = slice(self._asks_at, None if levels is None else self._asks_at + levels)
        return np.stack([self._keys[rows] - _ASK_OFFSET, self._sizes[rows]], axis=1)

    @property
    def crossed(self) -> bool:
        """Whether the best bid is at or above the best ask, which no matching venue can show."""
        at = self._asks_at
        return 0 < at < len(self._keys) and int(self._keys[at - 1]) >= int(self._keys[at]) - _ASK_OFFSET

    def _apply_rows(self, action: UInt8, side: UInt8, price: Int64, size: Int64) -> None:
        rows = list(zip(action.tolist(), side.tolist(), price.tolist(), size.tolist(), strict=True))
        if any(s not in (Side.BUY, Side.SELL) and a != Action.CLEAR for a, s, _, _ in rows):
            raise ValueError(_NO_SIDE)
        for row_action, row_side, row_price, row_size in rows:
            if row_action == Action.CLEAR:
                self.clear()
            else:
                key = row_price if row_side == Side.BUY else row_price + _ASK_OFFSET
                self._set(key, 0 if row_action == Action.DELETE else row_size)

    def _set(self, key: int, size: int) -> None:
        keys, sizes = self._keys, self._sizes
        at = int(keys.searchsorted(key))
        present = at < len(keys) and keys[at] == key
        if size > 0 and present:
            sizes[at] = size
        elif size > 0:
            self._keys = np.concatenate([keys[:at], (key,), keys[at:]], dtype=np.int64)
            self._sizes = np.concatenate([sizes[:at], (size,), sizes[at:]], dtype=np.int64)
            self._asks_at += key < _FIRST_ASK
        elif present:
            self._keys = np.concatenate([keys[:at], keys[at + 1 :]])
            self._sizes = np.concatenate([sizes[:at], sizes[at + 1 :]])
            self._asks_at -= key < _FIRST_ASK

    def _merge(self, keys: Int64, sizes: Int64) -> None:
        """Set the levels at `keys` (sorted, unique) to `sizes`; 0 removes."""
        count = len(self._keys)
        at = self._keys.searchsorted(keys)
        present = np.zeros(len(keys), np.bool_)
        if count:
            present = self._keys[np.minimum(at, count - 1)] == keys
        self._sizes[at[present]] = sizes[present]
        new = ~present & (sizes > 0)
        if new.any():
            self._insert(at[new], keys[new], sizes[new])
        keep = self._sizes > 0
        if not keep.all():
            self._keys, self._sizes = self._keys[keep], self._sizes[keep]
        self._asks_at = int(self._keys.searchsorted(_FIRST_ASK))

    def _insert(self, at: npt.NDArray[np.intp], keys: Int64, sizes: Int64) -> None:
        places = at + np.arange(len(at))
        total = len(self._keys) + len(places)
        old = np.ones(total, np.bool_)
        old[places] = False
        merged_keys, merged_sizes = np.empty(total, np.int64), np.empty(total, np.int64)
        merged_keys[places], merged_sizes[places] = keys, sizes
        merged_keys[old], merged_sizes[old] = self._keys, self._sizes
        self._keys, self._sizes = merged_keys, merged_sizes


def _last_per_key(keys: Int64, sizes: Int64) -> tuple[Int64, Int64]:
    """Sorted unique keys and, for each, the size of its last row."""
    order = keys.argsort(kind="stable")
    ordered = keys[order]
    last = np.ones(len(keys), np.bool_)
    np.not_equal(ordered[1:], ordered[:-1], out=last[:-1])
    return ordered[last], sizes[order[last]]


def depth_columns(
    book: Book, deltas: Deltas, boundaries_ts: Int64, levels: int
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float32]]:
    """Advance `book` through all of `deltas` and read its best levels at each boundary.

    The book at a boundary holds every row with `ts_init <= boundary` (the order replay runs in); a row whose
    `ts_init` lies before that of a row above it counts as received with that row. Rows after the last
    boundary are applied too, so the next call continues with the next deltas.

    Parameters
    ----------
    book : Book
        State before the first row; afterwards the state after the last row.
    deltas : Deltas
        Rows in the order in which they apply.
    boundaries_ts : int64 array `[n]`, ns, ascending
        When each column is read.
    levels : int
        Levels a side, L.

    Returns
    -------
    price : float64 array `[n, 2, L]`
        Bids (index 0) and asks (index 1), best first, in quote currency; NaN where a side has fewer.
    size : float32 array `[n, 2, L]`
        Sizes in base currency, NaN at the same places.
    """
    received = np.maximum.accumulate(deltas.ts_init)
    ends = received.searchsorted(boundaries_ts, side="right")
    price = np.full((len(ends), 2, levels), np.nan)
    size = np.full((len(ends), 2, levels), np.nan, np.float32)
    price_scale, size_scale = 10.0**deltas.price_precision, 10.0**deltas.size_precision
    start = 0
    for column, end in enumerate(ends.tolist()):
        if end > start:
            book.apply(deltas.take(slice(start, end)))
            start = end
        for side, rows in enumerate((book.bids(levels), book.asks(levels))):
            price[column, side, : len(rows)] = rows[:, 0] / price_scale
            size[column, side, : len(rows)] = rows[:, 1] / size_scale
    book.apply(deltas.take(slice(start, None)))
    return price, size
