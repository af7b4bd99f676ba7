"""What the batch form keeps of earlier rows: the newest rows of each series that a window reaches back into.

All series of a stream lie side by side in arrays with one base, so that the place of a row, and of the row
before a window of time, is found once for all of them.
"""

from collections.abc import Collection
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from ai.features.windows import Window

type Int64 = npt.NDArray[np.int64]

BLOCK: Final = 16_384
"""Most rows of a block: the few arrays that an operation touches stay in the processor's cache."""


class Past:
    """The newest rows of parallel series. Row -1 is before the first.

    Attributes
    ----------
    start : int
        First row of the block.
    """

    def __init__(self, windows: Collection[Window]) -> None:
        self._windows = windows
        self._first = {window.ns: FirstRows() for window in windows if window.ns}
        self._ts: Int64 = np.empty(0, np.int64)
        self._origin = 0
        self._series: list[Any] = []
        self._base, self._size = -1, 4 * BLOCK
        self.start = self._end = 0
        self._before: dict[int, Int64] = {}

    def add(self, before_first: complex) -> int:
        """Begin a series of the type of its row -1; its number."""
        rows = np.empty(self._size, type(before_first))
        rows[0] = before_first
        self._series.append(rows)
        return len(self._series) - 1

    def extend(self, ts: Int64) -> None:
        """Take in the times of later rows; those before every later window are let go."""
        oldest = min((first.row for first in self._first.values()), default=self._end)
        kept = self._ts[oldest - self._origin :]
        self._ts = np.concatenate([kept, ts]) if len(kept) else ts
        self._origin = oldest

    def begin(self, rows: int) -> None:
        """Begin the block of the next rows."""
        self.start, self._end = self._end, self._end + rows
        for ns, first in self._first.items():
            first.find(self._ts, ns, self.start - self._origin, self._end - self._origin, self._origin)
        if self._end - self._base > self._size:
            self._make_room()
        self._before = {ns: first.rows - (1 + self._base) for ns, first in self._first.items()}

    def _make_room(self) -> None:
        reach = [int(self._first[w.ns].rows[0]) - 1 if w.ns else self.start - w.rows for w in self._windows]
        oldest = max(min([*reach, self.start - 1]), self._base)
        kept = slice(oldest - self._base, self.start - self._base)
        self._size = max(self._size, 2 * (kept.stop - kept.start + BLOCK))
        for number, rows in enumerate(self._series):
            moved = np.empty(self._size, rows.dtype) if self._size > len(rows) else rows
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
            return np.take(rows, self._before[window.ns], out=out[: self._end - self.start], mode="clip")
        shift = window.rows + self._base
        return rows[self.start + self.missing(window) - shift : self._end - shift]

    def first(self, window: Window) -> Int64:
        """First row of each row's window of time."""
        return self._first[window.ns].rows


class FirstRows:
    """First row of each row's window `(ts - ns, ts]`.

    Attributes
    ----------
    rows : int64 array
        For the block that was asked for last.
    row : int
        No later row's window begins before it.
    """

    def __init__(self) -> None:
        self.row = 0
        self.rows: Int64 = np.empty(0, np.int64)
        self._counted = np.arange(BLOCK)

    def find(self, ts: Int64, ns: int, start: int, end: int, origin: int) -> None:
        """Find them for the rows at `start` to `end` of `ts`, which begins at row `origin`.

        Times and ends of windows both ascend, so they are merged: a stable sort takes the two runs as they
        are and needs one pass, where a binary search for each row would be half as fast. The lowest bit of
        what is sorted tells an end from a time, and puts it after its equal.
        """
        low, base = self.row - origin, int(ts[self.row - origin])
        high = low + int(ts[low:end].searchsorted(ts[end - 1] - ns, side="right"))
        times = high - low
        merged = np.empty(times + end - start, np.int64)
        np.subtract(ts[low:high], base, out=merged[:times])
        np.subtract(ts[start:end], base + ns, out=merged[times:])
        np.left_shift(merged, 1, out=merged)
        np.bitwise_or(merged[times:], 1, out=merged[times:])
        merged.sort(kind="stable")
        np.bitwise_and(merged, 1, out=merged)
        self.rows = np.flatnonzero(merged.astype(np.bool_))
        np.subtract(self.rows, self._counted[: end - start], out=self.rows)
        np.add(self.rows, self.row, out=self.rows)
        self.row = origin + high
