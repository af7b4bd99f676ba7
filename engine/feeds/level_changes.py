"""Deltas between the rows of a table of books: what a vendor tells as whole books, kept as what changed."""

import numpy as np

from engine.columns import Action, Deltas, Flag, Int64, Side
from engine.store.merging import Mask

_BLOCK_ROWS = 1 << 14
"""Rows compared at once; each level is held against all of the row before."""


def level_changes(
    ts_event: Int64, prices: tuple[Int64, Int64], sizes: tuple[Int64, Int64], precisions: tuple[int, int]
) -> Deltas:
    """Deltas that lead from each book to the next; the first one is a snapshot.

    A level that leaves a book is deleted, also one that is only pushed beyond the last level.

    Parameters
    ----------
    ts_event : int64 array `[rows]`, ns
    prices, sizes : pairs of int64 arrays `[rows, levels]`
        Of bids and asks, scaled; a level of size 0 is none.
    precisions : pair of int
        Of prices and sizes.
    """
    parts = [
        _side_changes(side, price, size)
        for side, price, size in zip((Side.BUY, Side.SELL), prices, sizes, strict=True)
    ]
    first = np.zeros((1, 5), np.int64)
    first[0, 1] = Action.CLEAR
    events = np.concatenate([first, *parts]) if len(ts_event) else np.concatenate(parts)
    # Within a book: the snapshot's clear, then what leaves, then what comes or changes.
    leaves = events[:, 1] == Action.DELETE
    events = events[np.lexsort((~leaves & (events[:, 1] != Action.CLEAR), events[:, 0]))]
    row, action, side, price, size = events.T
    flags = np.where(row == 0, Flag.SNAPSHOT, 0)
    flags[np.flatnonzero(np.diff(row, append=-1))] |= Flag.LAST
    return Deltas(
        ts_event=ts_event[row],
        ts_init=ts_event[row],
        action=action.astype(np.uint8),
        side=side.astype(np.uint8),
        price=price.copy(),
        size=size.copy(),
        flags=flags.astype(np.uint8),
        sequence=np.zeros(len(row), np.int64),
        price_precision=precisions[0],
        size_precision=precisions[1],
    )


def _side_changes(side: Side, price: Int64, size: Int64) -> Int64:
    """Row, action, side, price and size of each change."""
    found = [np.zeros((0, 5), np.int64)]
    for start in range(0, len(price), _BLOCK_ROWS):
        rows = slice(max(start - 1, 0), start + _BLOCK_ROWS)
        for at, action, levels in _block(price[rows], size[rows], first=not start):
            events = np.empty((len(at), 5), np.int64)
            events[:, 0] = at + rows.start
            events[:, 1], events[:, 2] = action, side
            events[:, 3:] = levels
            found.append(events)
    return np.concatenate(found)


def _block(price: Int64, size: Int64, *, first: bool) -> list[tuple[Int64, int, Int64]]:
    """Rows, action, and price and size, of the changes in a block whose first row is known (or the first)."""
    there = size > 0
    same = (price[1:, :, None] == price[:-1, None, :]) & there[1:, :, None] & there[:-1, None, :]
    stays = same & (size[1:, :, None] == size[:-1, None, :])
    new = there[1:] & ~same.any(axis=2)
    changed = same.any(axis=2) & ~stays.any(axis=2)
    gone = there[:-1] & ~same.any(axis=1)
    found = [
        _events(gone, Action.DELETE, price[:-1], np.zeros_like(size[:-1])),
        _events(changed, Action.UPDATE, price[1:], size[1:]),
        _events(new, Action.ADD, price[1:], size[1:]),
    ]
    if first:
        (at,) = np.nonzero(there[0])
        found.append((np.zeros(len(at), np.int64), Action.ADD, np.stack([price[0, at], size[0, at]], axis=1)))
    return found


def _events(of: Mask, action: Action, price: Int64, size: Int64) -> tuple[Int64, int, Int64]:
    at, level = np.nonzero(of)
    return at + 1, action, np.stack([price[at, level], size[at, level]], axis=1)
