"""Stored rows as a stream in the order of `ts_init`, in bounded memory: what feeds replay and backtest.

Files are sorted by `ts_event`, and the two clocks disagree (latency, a recorder whose clock is off), so rows
are brought into receive order while they stream: the footers say how early a row group's earliest row was
received, and only what no later group can precede is let go.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from engine.columns import Columns, Int64
from engine.store.merging import joined
from engine.store.row_groups import RowGroup, read_rows
from engine.store.schema import restated

END_OF_TIME = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Chunk:
    """All rows with `start_ns <= ts_init < end_ns`, by kind, each in the order of `ts_init`.

    Kinds without rows in this stretch of time are left out.
    """

    start_ns: int
    end_ns: int
    columns: Mapping[str, Columns]


def by_receipt[C: Columns](columns: C) -> C:
    """Rows in the order of `ts_init`; ties keep their order."""
    if (np.diff(columns.ts_init) >= 0).all():
        return columns
    return columns.take(np.argsort(columns.ts_init, kind="stable"))


class KindStream:
    """One kind's rows in receive order, read a row group at a time."""

    def __init__(
        self,
        kind: str,
        groups: list[RowGroup],
        precisions: tuple[int, int],
        start_ns: int,
        end_ns: int,
    ) -> None:
        self._kind = kind
        self._precisions = precisions
        self._start_ns, self._end_ns = start_ns, end_ns
        wanted = [g for g in groups if g.last_init_ns >= start_ns and g.first_init_ns < end_ns]
        self._waiting = sorted(enumerate(wanted), key=lambda placed: placed[1].first_init_ns)
        self._rows: Columns | None = None
        self._group_of: Int64 = np.zeros(0, np.int64)
        """Which group each loaded row is of: rows received at the same time stay in their stored order."""

    def _complete_before(self) -> int:
        """Rows received before this time are all in memory."""
        return self._waiting[0][1].first_init_ns if self._waiting else END_OF_TIME

    def _load_next(self) -> None:
        place, group = self._waiting.pop(0)
        rows = by_receipt(restated(read_rows(self._kind, group), *self._precisions))
        low, high = np.searchsorted(rows.ts_init, (self._start_ns, self._end_ns))
        rows = rows.take(slice(int(low), int(high)))
        group_of = np.full(len(rows), place, np.int64)
        if self._rows is not None and len(self._rows):
            rows = joined([self._rows, rows])
            group_of = np.concatenate([self._group_of, group_of])
            if not (np.diff(rows.ts_init) > 0).all():
                order = np.lexsort((group_of, rows.ts_init))
                rows, group_of = rows.take(order), group_of[order]
        self._rows, self._group_of = rows, group_of

    def horizon(self, rows: int) -> int:
        """Time before which about `rows` rows can be taken; `END_OF_TIME` where the stream ends first."""
        while True:
            loaded = self._rows
            if loaded is not None and len(loaded) > rows:
                # Never between rows of equal time, and never nothing at all.
                time = int(max(loaded.ts_init[rows], loaded.ts_init[0] + 1))
                if time <= self._complete_before():
                    return time
            if not self._waiting:
                return END_OF_TIME
            self._load_next()

    def take_before(self, time_ns: int) -> Columns | None:
        """Remove and return the rows received before `time_ns`; None where there are none."""
        while self._waiting and self._complete_before() < time_ns:
            self._load_next()
        if self._rows is None:
            return None
        count = int(np.searchsorted(self._rows.ts_init, time_ns))
        taken, self._rows = self._rows.take(slice(0, count)), self._rows.take(slice(count, None))
        self._group_of = self._group_of[count:]
        if not len(self._rows):
            self._rows = None
        return taken if count else None


def chunks(streams: Mapping[str, KindStream], start_ns: int, end_ns: int, rows: int) -> Iterator[Chunk]:
    """Cut parallel streams at common times, with at most about `rows` rows of each kind in a chunk.

    Rows of one `ts_init` never part, so a chunk exceeds `rows` only where more than that share a time.
    """
    begin = start_ns
    while begin < end_ns:
        until = min(min((stream.horizon(rows) for stream in streams.values()), default=END_OF_TIME), end_ns)
        taken = {kind: stream.take_before(until) for kind, stream in streams.items()}
        columns = {kind: part for kind, part in taken.items() if part is not None}
        if columns:
            yield Chunk(begin, until, columns)
        begin = until
