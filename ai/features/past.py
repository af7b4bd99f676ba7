"""What the batch form keeps of earlier rows: the newest rows of each series that a window reaches back into.

All series of a stream lie side by side in arrays with one base, so that the place of a row, and of the row
before a window of time, is found once for all of them.
"""

from collections.abc import Collection
from typing import Any

import numpy as np

from ai.features.memory import Arena
from ai.features.times import Int64, Times
from ai.features.windows import Window


class Past:
    """The newest rows of parallel series. Row -1 is before the first.

    Attributes
    ----------
    start : int
        First row of the block.
    """

    def __init__(self, windows: Collection[Window], times: Times, arena: Arena) -> None:
        self._windows, self._arena = windows, arena
        self._times = {ns: times.windows(ns) for ns in {window.ns for window in windows} if ns}
        self._series: list[Any] = []
        self._base, self._size = -1, 2 * arena.block
        self.start = self._end = 0
        self._first: dict[int, Int64] = {}
        self._before: dict[int, Int64] = {ns: arena.take(arena.block, np.int64) for ns in self._times}

    def add(self, before_first: complex) -> int:
        """Begin a series of the type of its row -1; its number."""
        rows = self._arena.take(self._size, type(before_first))
        rows[0] = before_first
        self._series.append(rows)
        return len(self._series) - 1

    def begin(self, rows: int) -> None:
        """Begin the block of the next rows."""
        self.start, self._end = self._end, self._end + rows
        self._first = {ns: rows.of(self.start, self._end) for ns, rows in self._times.items()}
        if self._end - self._base > self._size:
            self._make_room()
        for ns, first in self._first.items():
            np.subtract(first, 1 + self._base, out=self._before[ns][: len(first)])

    def _make_room(self) -> None:
        reach = [int(self._first[w.ns][0]) - 1 if w.ns else self.start - w.rows for w in self._windows]
        oldest = max(min([*reach, self.start - 1]), self._base)
        kept = slice(oldest - self._base, self.start - self._base)
        self._size = max(self._size, 2 * (kept.stop - kept.start) + self._arena.block)
        for number, rows in enumerate(self._series):
            moved = self._arena.take(self._size, rows.dtype) if self._size > len(rows) else rows
            moved[: kept.stop - kept.start] = rows[kept]
            self._series[number] = moved
        self._base = oldest

    @property
    def rows(self) -> Int64:
        """Rows of the block."""
        return np.arange(self.start, self._end)

    def block(self, series: int) -> Any:
        """Rows of a series in this block, to read or to fill."""
        return self._series[series][self.start - self._base : self._end - self._base]

    def last(self, series: int) -> Any:
        """Return the row of a series before this block."""
        return self._series[series][self.start - 1 - self._base]

    def missing(self, window: Window) -> int:
        """Leading rows of this block that have no whole window before them, if the window counts rows."""
        return min(max(window.rows - 1 - self.start, 0), self._end - self.start)

    def before(self, series: int, window: Window, out: Any) -> Any:
        """Return a series just before each row's window; `missing` leading rows are left out.

        `out` is memory for it that may be used.
        """
        rows = self._series[series]
        if window.ns:
            count = self._end - self.start
            return np.take(rows, self._before[window.ns][:count], out=out[:count], mode="clip")
        shift = window.rows + self._base
        return rows[self.start + self.missing(window) - shift : self._end - shift]

    def first(self, window: Window) -> Int64:
        """First row of each row's window of time."""
        return self._first[window.ns]
