"""Several instruments' rows as one sequence by `ts_event`, with a stated rule for ties.

Rows of equal `ts_event` follow the order in which the instruments were named, and within one instrument their
stored order. Nothing else decides, so equal questions have equal answers however the rows were batched.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from engine.columns import Columns, Int64
from engine.errors import UserError
from engine.store.store import Store


@dataclass(frozen=True, slots=True, eq=False)
class Merged:
    """A stretch of the common sequence.

    Attributes
    ----------
    which : int64 array
        Whose row comes here: its place among the instruments as they were named.
    row : int64 array
        Which row of that instrument's `parts`.
    parts : list of Columns
        Rows of each instrument in this stretch, by `ts_event`; some may have none.
    """

    which: Int64
    row: Int64
    parts: list[Columns]

    def __len__(self) -> int:
        return len(self.which)

    @property
    def ts_event(self) -> Int64:
        """Times of the sequence, ns UTC, ascending."""
        return np.concatenate([part.ts_event for part in self.parts])[self._flat()]

    def _flat(self) -> Int64:
        starts = np.cumsum([0, *(len(part) for part in self.parts)])[:-1]
        flat: Int64 = starts[self.which] + self.row
        return flat


def merge_order(times: Sequence[Int64]) -> tuple[Int64, Int64]:
    """Which sequence's row comes when, and which of its rows it is; each of `times` ascends."""
    which = np.repeat(np.arange(len(times)), [len(each) for each in times])
    row = np.concatenate([np.arange(len(each)) for each in times])
    order = np.argsort(np.concatenate(times), kind="stable")
    return which[order], row[order]


def merged(
    store: Store,
    instruments: Sequence[str],
    kind: str,
    start_ns: int | None = None,
    end_ns: int | None = None,
) -> Iterator[Merged]:
    """Yield stored rows with `start_ns <= ts_event < end_ns` in the common order, in bounded memory.

    Raises
    ------
    UserError
        An instrument is unknown, named twice, or has no rows of this kind.
    """
    streams = [_Stream(store, name, kind, start_ns, end_ns) for name in checked(store, instruments, kind)]
    while sum(stream.more() for stream in streams):
        # What every stream has in memory up to this time can be ordered; later rows may still come before it.
        until = min(stream.known_to for stream in streams)
        parts = [stream.take_to(until) for stream in streams]
        which, row = merge_order([part.ts_event for part in parts])
        if len(which):
            yield Merged(which, row, parts)


def checked(store: Store, instruments: Sequence[str], kind: str, least: int = 1) -> list[str]:
    """`instruments` themselves, where `kind` is stored of each.

    Raises
    ------
    UserError
        Fewer than `least`, one twice, one unknown or without rows of this kind.
    """
    if len(instruments) < least:
        raise UserError(f"Name at least {least} instruments of the store; 'nexttick data list' shows them.")
    for number, name in enumerate(instruments):
        if name in instruments[:number]:
            raise UserError(f"{name} was named twice; name each instrument once.")
        store.instrument(name)
        if not store.files(name, kind):
            raise UserError(f"No {kind} of {name} are stored; choose another kind, or import some.")
    return list(instruments)


_END = np.iinfo(np.int64).max


class _Stream:
    """One instrument's rows by `ts_event`, a row group at a time."""

    def __init__(
        self, store: Store, instrument: str, kind: str, start_ns: int | None, end_ns: int | None
    ) -> None:
        self._groups = store.in_event_order(instrument, kind)
        self._range = start_ns, end_ns
        self._rows: Columns = store.read(instrument, kind, 0, 0)
        self._ended = False

    def more(self) -> bool:
        """Whether rows are left, of which some are then in memory."""
        while not len(self._rows) and not self._ended:
            group = next(self._groups, None)
            if group is None:
                self._ended = True
            else:
                self._rows = _between(group, *self._range)
        return len(self._rows) > 0

    @property
    def known_to(self) -> int:
        """All rows up to this time (inclusive) are in memory; the group after may begin at the same time."""
        if self._ended:
            return int(_END)
        last = int(self._rows.ts_event[-1])
        while True:
            group = next(self._groups, None)
            if group is None:
                self._ended = True
                return int(_END)
            group = _between(group, *self._range)
            if not len(group):
                continue
            self._rows = type(group).concat([self._rows, group])
            if int(group.ts_event[0]) > last:
                return last
            last = int(group.ts_event[-1])

    def take_to(self, until: int) -> Columns:
        """Remove and return the rows up to and including `until`."""
        count = int(np.searchsorted(self._rows.ts_event, until, side="right"))
        taken, self._rows = self._rows.take(slice(0, count)), self._rows.take(slice(count, None))
        return taken


def _between(rows: Columns, start_ns: int | None, end_ns: int | None) -> Columns:
    low, high = 0, len(rows)
    if start_ns is not None:
        low = int(np.searchsorted(rows.ts_event, start_ns))
    if end_ns is not None:
        high = int(np.searchsorted(rows.ts_event, end_ns))
    return rows if (low, high) == (0, len(rows)) else rows.take(slice(low, high))
