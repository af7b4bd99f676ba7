"""Price levels out of single orders: what a market-by-order feed says of the book, as deltas.

Every message changes at most two levels: the one its order left and the one it rests on now. An order's past
gives the first, running sums over each level's changes give the level's size; both are sorts, no loop.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from engine.columns import Action, Deltas, Flag, Int64, Side, UInt8
from engine.store.merging import Mask


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class OrderMessages:
    """Messages that concern the book, in the order of the venue; equally long arrays.

    Attributes
    ----------
    sets, cancels, clears : bool arrays
        The order is now one of `size` at `price`; `size` of it is gone; all orders are gone.
    order_id : uint64 array
        Which order.
    side : uint8 array
        `Side` values.
    price, size : int64 arrays
        Scaled price, whole size.
    snapshot : bool array
        The message is one of a snapshot.
    update : int64 array, ascending
        Number of the update that the message belongs to; a book is only true after a whole update.
    ts_event, ts_init, sequence : int64 arrays
        Of the whole update, so equal in all of its messages.
    """

    sets: Mask
    cancels: Mask
    clears: Mask
    order_id: npt.NDArray[np.uint64]
    side: UInt8
    price: Int64
    size: Int64
    snapshot: Mask
    update: Int64
    ts_event: Int64
    ts_init: Int64
    sequence: Int64

    def __len__(self) -> int:
        return len(self.order_id)


def level_deltas(messages: OrderMessages, price_precision: int) -> tuple[Deltas, int]:
    """Deltas of the levels, and how many messages cancel an order that is not known.

    Of several changes of a level in one update the last one counts.
    """
    changes, unknown = _changes(messages)
    levels = _levels(changes, messages)
    clears = np.flatnonzero(messages.clears)
    none = np.zeros(len(clears), np.int64)
    rows = np.concatenate([clears, levels.row])
    order = np.argsort(rows, kind="stable")
    rows = rows[order]
    set_to = np.where(levels.before == 0, Action.ADD, Action.UPDATE)
    action = np.where(levels.size == 0, Action.DELETE, set_to)
    flags = np.where(messages.snapshot[rows], Flag.SNAPSHOT, 0)
    flags[_is_last(messages.update[rows])] |= Flag.LAST
    deltas = Deltas(
        ts_event=messages.ts_event[rows],
        ts_init=messages.ts_init[rows],
        action=np.concatenate([none + Action.CLEAR, action])[order].astype(np.uint8),
        side=np.concatenate([none + Side.NONE, levels.side])[order].astype(np.uint8),
        price=np.concatenate([none, levels.price])[order],
        size=np.concatenate([none, levels.size])[order],
        flags=flags.astype(np.uint8),
        sequence=messages.sequence[rows],
        price_precision=price_precision,
        size_precision=0,
    )
    return deltas, unknown


@dataclass(frozen=True, slots=True, eq=False)
class _Changes:
    """Signed changes of a level's size, and the messages (`row`) that make them, ascending."""

    row: Int64
    price: Int64
    side: UInt8
    size: Int64


@dataclass(frozen=True, slots=True, eq=False)
class _Levels:
    """Sizes of levels before and after an update, at the update's last message (`row`) that changes them."""

    row: Int64
    price: Int64
    side: UInt8
    size: Int64
    before: Int64


def _changes(messages: OrderMessages) -> tuple[_Changes, int]:
    """All changes, and how many cancels are of unknown orders; one that moves leaves its old level first."""
    # By order, each one's messages in their own sequence; a clear ends all orders.
    concerned = np.flatnonzero(messages.sets | messages.cancels)
    row = concerned[np.argsort(messages.order_id[concerned], kind="stable")]
    first = _is_first(messages.order_id[row], np.cumsum(messages.clears)[row])
    sets = messages.sets[row]
    before, after, set_at = _resting(first, sets, messages.size[row])
    leaves = np.flatnonzero(before > 0)
    old = row[set_at[leaves - 1]]
    gone = before[leaves] - np.where(sets[leaves], 0, after[leaves])
    new = row[sets]
    rows = np.concatenate([row[leaves], new])
    order = np.argsort(rows, kind="stable")
    changes = _Changes(
        rows[order],
        np.concatenate([messages.price[old], messages.price[new]])[order],
        np.concatenate([messages.side[old], messages.side[new]])[order],
        np.concatenate([-gone, messages.size[new]])[order],
    )
    return changes, int((~sets & (before == 0)).sum())


def _resting(first: Mask, sets: Mask, size: Int64) -> tuple[Int64, Int64, Int64]:
    """What rests of an order before and after each of its messages, and where it was last set.

    `first` marks each order's first message. Of an order that was never set nothing rests.
    """
    place = np.arange(len(size))
    set_at = np.maximum.accumulate(np.where(sets, place, -1))
    known = set_at >= np.maximum.accumulate(np.where(first, place, 0))
    set_at = np.where(known, set_at, place)
    cancelled = np.cumsum(np.where(sets, 0, size))
    after = np.where(known, np.maximum(size[set_at] - (cancelled - cancelled[set_at]), 0), 0)
    before = np.zeros_like(after)
    before[1:] = np.where(first[1:], 0, after[:-1])
    return before, after, set_at


def _levels(changes: _Changes, messages: OrderMessages) -> _Levels:
    order = np.lexsort((changes.price, changes.side))
    row, price, side = changes.row[order], changes.price[order], changes.side[order]
    change, era = changes.size[order], np.cumsum(messages.clears)[row]
    opens = _is_first(price, side, era)
    first = opens | _is_first(messages.update[row])
    total = np.cumsum(change)
    start = np.maximum.accumulate(np.where(opens, np.arange(len(row)), 0))
    size = total - (total - change)[start]
    last = np.roll(first, -1)
    before = np.zeros(int(last.sum()), np.int64)
    before[1:] = size[last][:-1]
    before[opens[first]] = 0
    kept = np.flatnonzero(last)
    changed = size[kept] != before
    kept, before = kept[changed], before[changed]
    again = np.argsort(row[kept], kind="stable")
    kept = kept[again]
    return _Levels(row[kept], price[kept], side[kept], size[kept], before[again])


def _is_first(*columns: npt.NDArray[np.generic]) -> Mask:
    """Rows that differ from the row before them in any of the columns."""
    first = np.zeros(len(columns[0]), np.bool_)
    first[:1] = True
    for column in columns:
        first[1:] |= column[1:] != column[:-1]
    return first


def _is_last(column: npt.NDArray[np.generic]) -> Mask:
    return np.roll(_is_first(column), -1)
