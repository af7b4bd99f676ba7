"""Deltas between the rows of a table of books: what a vendor tells as whole books, kept as what changed."""

import numpy as np

from engine.columns import Action, Deltas, Flag, Int64, Side
from engine.store.merging import Mask


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
    """Row, action, side, price and size of each change.

    By price, and then by row: a price that the row before has too is the same level still.
    """
    row, level = np.nonzero(size > 0)
    at, of = price[row, level], size[row, level]
    order = np.lexsort((row, at))
    row, at, of = row[order], at[order], of[order]
    stays, changes = np.zeros(len(row), np.bool_), np.zeros(len(row), np.bool_)
    stays[1:] = (at[1:] == at[:-1]) & (row[1:] == row[:-1] + 1)
    changes[1:] = stays[1:] & (of[1:] != of[:-1])
    goes = ~np.roll(stays, -1) & (row + 1 < len(price))
    parts = [
        np.stack([row[goes] + 1, *_constants(goes, Action.DELETE, side), at[goes], 0 * of[goes]], axis=1),
        *(
            np.stack([row[rows], *_constants(rows, action, side), at[rows], of[rows]], axis=1)
            for rows, action in ((~stays, Action.ADD), (changes, Action.UPDATE))
        ),
    ]
    return np.concatenate(parts)


def _constants(rows: Mask, action: Action, side: Side) -> tuple[Int64, Int64]:
    count = int(rows.sum())
    return np.full(count, action, np.int64), np.full(count, side, np.int64)
