"""A book from recorded updates: which of them make the venue's book, and the deltas that those are.

A snapshot begins a book. Where an update is missing or cannot be read, the book is no longer the venue's: it
is cleared, and what follows is left out until the next snapshot. All updates are judged at once, as arrays,
because a day of a busy book has a million of them.
"""

from dataclasses import dataclass

import numpy as np

from engine.columns import Action, Deltas, Flag, Int64, UInt8
from engine.feeds.decoded import Undecodable
from engine.store.merging import Mask

NO_SNAPSHOT = "there is no snapshot for the book updates, and no stored book ends where they begin"
AFTER_GAP = "a book update before them is missing or cannot be taken, and the next snapshot is not yet there"
_LARGEST_STEP_BACK_NS = 60_000_000_000
"""A venue's clock may be put back a little; more than a minute is a damaged file."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class BookUpdates:
    """Updates in the order in which they apply, and their levels one after another.

    Attributes
    ----------
    event_ns, received_ns, sequence : int64 array `[updates]`
    snapshot : bool array `[updates]`
        Whole books, or parts of one.
    begins : bool array `[updates]`
        Snapshots that empty the book first.
    broken : bool array `[updates]`
        Updates that cannot be applied: something before them is missing, or a row of them is bad.
    rows : int64 array `[updates]`
        How many levels each has.
    side : uint8 array `[levels]`, `Side`
    price, size : int64 array `[levels]`, scaled
    """

    event_ns: Int64
    received_ns: Int64
    sequence: Int64
    snapshot: Mask
    begins: Mask
    broken: Mask
    rows: Int64
    side: UInt8
    price: Int64
    size: Int64
    price_precision: int
    size_precision: int


@dataclass(frozen=True, slots=True, eq=False)
class FollowedUpdates:
    """What became of the updates.

    Attributes
    ----------
    deltas : Deltas or None
        None where no update applies.
    gaps : int
        Breaks of a book that was known; each is a CLEAR without the snapshot flag and without a number, so
        that no later file goes on from it.
    without_snapshot, after_gap : bool array `[updates]`
        Updates that were left out before the first book began, and after a break.
    held_back : int
        Updates whose times lay before those of an earlier one, and are that one's now.
    """

    deltas: Deltas | None
    gaps: int
    without_snapshot: Mask
    after_gap: Mask
    held_back: int


def follow_updates(updates: BookUpdates, *, known_before: bool = False) -> FollowedUpdates:
    """Apply what can be applied; `known_before` says that the first update goes on with a stored book.

    Raises
    ------
    Undecodable
        The times go back by more than a minute.
    """
    place = np.arange(len(updates.rows))
    begun = np.maximum.accumulate(np.where(updates.begins & ~updates.broken, place, -1))
    broken = np.maximum.accumulate(np.where(updates.broken, place, -2 if known_before else -1))
    kept = begun > broken
    before = np.concatenate([[known_before], kept[:-1]])
    breaks = updates.broken & before
    deltas, held_back = _deltas(updates, kept, breaks)
    ever = np.logical_or.accumulate(kept) | known_before
    return FollowedUpdates(
        deltas=deltas,
        gaps=int(breaks.sum()),
        without_snapshot=~kept & ~ever,
        after_gap=~kept & ever,
        held_back=held_back,
    )


def _deltas(updates: BookUpdates, kept: Mask, breaks: Mask) -> tuple[Deltas | None, int]:
    """One row a level, a CLEAR row where a book begins or breaks, the last row of each update flagged."""
    clears = (kept & updates.begins) | breaks
    rows = np.where(kept, updates.rows, 0) + clears
    taken = np.flatnonzero(rows)
    if not len(taken):
        return None, 0
    rows = rows[taken]
    starts = np.cumsum(rows) - rows
    update = np.repeat(taken, rows)
    is_clear = np.zeros(len(update), np.bool_)
    is_clear[starts[clears[taken]]] = True
    levels = np.repeat(kept, updates.rows)
    event, received = _never_back(updates.event_ns[taken]), _never_back(updates.received_ns[taken])
    held_back = (event != updates.event_ns[taken]) | (received != updates.received_ns[taken])
    side, price, size = np.zeros(len(update), np.uint8), *np.zeros((2, len(update)), np.int64)
    side[~is_clear], price[~is_clear], size[~is_clear] = (
        each[levels] for each in (updates.side, updates.price, updates.size)
    )
    snapshot = updates.snapshot[update] & ~breaks[update]
    action = np.where(snapshot, np.uint8(Action.ADD), np.uint8(Action.UPDATE))
    action[size == 0] = Action.DELETE
    action[is_clear] = Action.CLEAR
    flags = snapshot * np.uint8(Flag.SNAPSHOT)
    flags[starts + rows - 1] |= np.uint8(Flag.LAST)
    return Deltas(
        ts_event=np.repeat(event, rows),
        ts_init=np.repeat(received, rows),
        action=action,
        side=side,
        price=price,
        size=size,
        flags=flags,
        sequence=np.where(breaks[update], 0, updates.sequence[update]),
        price_precision=updates.price_precision,
        size_precision=updates.size_precision,
    ), int(held_back.sum())


def _never_back(times: Int64) -> Int64:
    """Times of updates that apply in this order: none lies before an earlier one's."""
    latest: Int64 = np.maximum.accumulate(times)
    back_ns = int((latest - times).max())
    if back_ns > _LARGEST_STEP_BACK_NS:
        raise Undecodable(
            f"the times of its book updates go back by {back_ns / 1e9:,.0f} seconds, so it is damaged; fetch "
            "it again"
        )
    return latest


def held_back_note(count: int) -> list[str]:
    """What to say of updates whose times were not in order."""
    if not count:
        return []
    return [
        f"{count} book updates have times before those of an earlier one; they were given that one's, so "
        "that they stay in the order in which they apply."
    ]
