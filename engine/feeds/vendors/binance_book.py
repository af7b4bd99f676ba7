"""Binance's procedure for a local book: which recorded diffs make the venue's book, and from where on.

Spot: drop diffs with `u <= lastUpdateId` of the snapshot; the first one applied must have
`U <= lastUpdateId + 1 <= u`, and each next one `U == previous u + 1`. USD-M futures: drop
`u < lastUpdateId`; the first one needs `U <= lastUpdateId <= u`, each next one `pu == previous u`. The diff
that covers the snapshot may have been received before it, so diffs wait until a snapshot comes.

Where the numbers break, the book is no longer the venue's: it is cleared, and what follows is left out until
the next snapshot.
"""

from collections.abc import Callable, Sequence
from itertools import chain

import msgspec
import numpy as np
import polars as pl

from engine.columns import Action, Deltas, Flag, Int64, Side
from engine.feeds.decimals import scaled
from engine.feeds.decoded import Undecodable

_NO_SNAPSHOT = "there is no snapshot for the book updates, and no stored book ends where they begin"
_AFTER_GAP = "the numbers of the book updates break, and no snapshot follows"


class BookUpdate(msgspec.Struct, gc=False):
    """A diff, or with `snapshot` a whole book; levels are (price, size) texts as received.

    `first`, `last` and `previous` are the wire's U, u and pu; a snapshot has its `lastUpdateId` as `last`.
    One that `breaks` is no message: it empties a book that can no longer be followed.
    """

    line: int
    received_ns: int
    event_ns: int
    first: int
    last: int
    previous: int | None
    bids: list[tuple[str, str]]
    asks: list[tuple[str, str]]
    snapshot: bool = False
    breaks: bool = False

    def covers(self, snapshot_id: int) -> bool:
        """Whether the book of that snapshot may go on with this diff."""
        low = snapshot_id + 1 if self.previous is None else snapshot_id
        return self.first <= low <= self.last

    def older_than(self, snapshot_id: int) -> bool:
        """Whether the snapshot holds all of this diff already."""
        return self.last <= snapshot_id if self.previous is None else self.last < snapshot_id

    def follows(self, last: int) -> bool:
        """Whether this diff comes right after the one that ended at `last`."""
        return self.first == last + 1 if self.previous is None else self.previous == last

    @property
    def before(self) -> int:
        """Number at which a book must stand to go on with this diff."""
        return self.first - 1 if self.previous is None else self.previous


class FollowedBook(msgspec.Struct):
    """Deltas of the diffs that apply (None: there are none), and what was left out: reason, line, count."""

    deltas: Deltas | None
    gaps: int
    left_out: list[tuple[str, int, int]]
    notes: list[str]


class _Follower:
    """Walks updates in the order of receipt; `applied` is what makes the book, in its own order."""

    def __init__(self, continues: Callable[[int], bool]) -> None:
        self.applied: list[BookUpdate] = []
        self.gaps = self.older = self.unneeded = 0
        self.waiting: list[BookUpdate] = []
        self._continues = continues
        self._at: int | None = None
        self._from_snapshot = False

    def take(self, update: BookUpdate) -> None:
        if update.snapshot:
            self._take_snapshot(update)
        elif self._at is not None:
            self._take_diff(update, self._at)
        elif not self.waiting and not self.gaps and self._continues(update.before):
            self._apply(update)
        else:
            self.waiting.append(update)

    def _take_snapshot(self, snapshot: BookUpdate) -> None:
        if self._at is not None:
            self.unneeded += 1
            return
        newer = [diff for diff in self.waiting if not diff.older_than(snapshot.last)]
        if newer and not newer[0].covers(snapshot.last):
            self.unneeded += 1  # it is older than the first diff; the procedure asks for another one
            return
        self.older += len(self.waiting) - len(newer)
        self.waiting = []
        if newer or not snapshot.event_ns:
            # The snapshot stands before its diffs in the store's order, whatever the venue's clock said.
            earliest = min((diff.event_ns for diff in newer), default=snapshot.received_ns)
            known = snapshot.event_ns or snapshot.received_ns
            snapshot.event_ns = min(known, earliest)
        self._apply(snapshot)
        self._from_snapshot = True
        for diff in newer:
            diff.received_ns = snapshot.received_ns  # no one could have had this book earlier
            self._take_diff(diff, self._at or snapshot.last)

    def _take_diff(self, diff: BookUpdate, at: int) -> None:
        if self._from_snapshot and diff.older_than(at):
            self.older += 1
        elif diff.covers(at) if self._from_snapshot else diff.follows(at):
            self._apply(diff)
        else:
            self._break_at(diff)

    def _break_at(self, diff: BookUpdate) -> None:
        self.gaps += 1
        self._at = None
        self.waiting = [diff]
        self.applied.append(
            BookUpdate(
                line=diff.line,
                received_ns=diff.received_ns,
                event_ns=diff.event_ns,
                first=0,
                last=0,
                previous=None,
                bids=[],
                asks=[],
                breaks=True,
            )
        )

    def _apply(self, update: BookUpdate) -> None:
        self.applied.append(update)
        self._at = update.last
        self._from_snapshot = False


def follow(updates: Sequence[BookUpdate], continues: Callable[[int], bool]) -> FollowedBook:
    """Apply the procedure to updates in the order of receipt.

    `continues(number)` tells whether the book up to that update number is known from an earlier recording.
    """
    follower = _Follower(continues)
    for update in updates:
        follower.take(update)
    left_out = []
    if follower.waiting:
        reason = _AFTER_GAP if follower.gaps else _NO_SNAPSHOT
        left_out.append((reason, follower.waiting[0].line, len(follower.waiting)))
    notes = []
    if follower.older:
        notes.append(f"{follower.older} book updates older than the snapshot were skipped, as Binance says.")
    if follower.unneeded:
        notes.append(f"{follower.unneeded} book snapshots were not needed, or too old for the updates.")
    if any(reason is _NO_SNAPSHOT for reason, _, _ in left_out):
        notes.append("No book was stored; to have one, first import the recording that this one continues.")
    return FollowedBook(_deltas(follower.applied), follower.gaps, left_out, notes)


def _deltas(updates: list[BookUpdate]) -> Deltas | None:
    """One row per level, a CLEAR row before each snapshot's, the last row of each update flagged."""
    if not updates:
        return None
    snapshots = np.array([update.snapshot for update in updates])
    clears = snapshots | np.array([update.breaks for update in updates])
    bids = np.array([len(update.bids) for update in updates], np.int64)
    asks = np.array([len(update.asks) for update in updates], np.int64)
    rows = clears + bids + asks
    starts = np.cumsum(rows) - rows
    update_of = np.repeat(np.arange(len(updates)), rows)
    place = np.arange(rows.sum()) - starts[update_of]
    is_clear = clears[update_of] & (place == 0)
    is_bid = ~is_clear & (place < (clears + bids)[update_of])
    prices, sizes, precisions = _levels(updates, is_clear)
    action = np.where(sizes == 0, Action.DELETE, np.where(snapshots[update_of], Action.ADD, Action.UPDATE))
    flags = np.where(snapshots[update_of], Flag.SNAPSHOT, 0)
    flags[(starts + rows - 1)[rows > 0]] |= Flag.LAST
    return Deltas(
        ts_event=np.array([update.event_ns for update in updates], np.int64)[update_of],
        ts_init=np.array([update.received_ns for update in updates], np.int64)[update_of],
        action=np.where(is_clear, Action.CLEAR, action).astype(np.uint8),
        side=np.where(is_clear, Side.NONE, np.where(is_bid, Side.BUY, Side.SELL)).astype(np.uint8),
        price=prices,
        size=sizes,
        flags=flags.astype(np.uint8),
        sequence=np.array([update.last for update in updates], np.int64)[update_of],
        price_precision=precisions[0],
        size_precision=precisions[1],
    )


def _levels(
    updates: list[BookUpdate], is_clear: np.ndarray[tuple[int], np.dtype[np.bool_]]
) -> tuple[Int64, Int64, tuple[int, int]]:
    """Prices and sizes of all rows; 0 in CLEAR rows."""
    levels = list(chain.from_iterable(chain(update.bids, update.asks) for update in updates))
    price = scaled(pl.Series([level[0] for level in levels], dtype=pl.String))
    size = scaled(pl.Series([level[1] for level in levels], dtype=pl.String))
    good = price.valid & size.valid & (price.integers > 0) & (size.integers >= 0)
    if not good.all():
        bad = levels[int(np.argmin(good))]
        raise Undecodable(
            f"a level of the book has price {bad[0]!r} and size {bad[1]!r}, which is impossible"
        )
    prices, sizes = np.zeros(len(is_clear), np.int64), np.zeros(len(is_clear), np.int64)
    prices[~is_clear], sizes[~is_clear] = price.integers, size.integers
    return prices, sizes, (price.precision, size.precision)
