"""Where windows of time begin: found once for all that is evaluated on a stream, also by several threads."""

from threading import Lock

import numpy as np
import numpy.typing as npt

type Int64 = npt.NDArray[np.int64]


class Times:
    """Times of a stream's rows, as far as windows reach back.

    Attributes
    ----------
    ts : int64 array
        ns, ascending.
    origin : int
        Row of `ts[0]`.
    """

    def __init__(self) -> None:
        self.ts: Int64 = np.empty(0, np.int64)
        self.origin = 0
        self._first: dict[int, FirstRows] = {}

    def extend(self, ts: Int64) -> None:
        """Take in the times of later rows; those before every later window are let go."""
        oldest = min((first.row for first in self._first.values()), default=self.origin + len(self.ts))
        kept = self.ts[oldest - self.origin :]
        self.ts = np.concatenate([kept, ts]) if len(kept) else ts
        self.origin = oldest

    def windows(self, ns: int) -> "FirstRows":
        """First rows of windows of `ns` for one more reader, who must ask for every block."""
        found = self._first.setdefault(ns, FirstRows(self, ns))
        found.readers += 1
        return found


class FirstRows:
    """First row of each row's window `(ts - ns, ts]`.

    Attributes
    ----------
    row : int
        No later row's window begins before it.
    readers : int
        How many ask for each block; it is kept until the last has.
    """

    def __init__(self, times: Times, ns: int) -> None:
        self.row = self.readers = 0
        self._times, self._ns = times, ns
        self._merged = self._counted = np.empty(0, np.int64)
        self._lock = Lock()
        self._found: dict[int, Int64] = {}
        self._readings: dict[int, int] = {}

    def of(self, start: int, end: int) -> Int64:
        """First rows of the windows of rows `start` to `end`; not to be written to."""
        with self._lock:
            if start not in self._found:
                self._found[start], self._readings[start] = self._merge(start, end), 0
            self._readings[start] += 1
            if self._readings[start] < self.readers:
                return self._found[start]
            del self._readings[start]
            return self._found.pop(start)

    def _merge(self, start: int, end: int) -> Int64:
        """Merge the times and the ends of windows, both of which ascend.

        A stable sort takes two ascending runs as they are and merges them in one pass, in half the time of a
        binary search for each row. The lowest bit of what is sorted tells an end, and puts it after a time
        that equals it.
        """
        ts, origin = self._times.ts, self._times.origin
        low, base = self.row - origin, int(ts[self.row - origin])
        high = low + int(ts[low : end - origin].searchsorted(ts[end - 1 - origin] - self._ns, side="right"))
        times = high - low
        if len(self._merged) < times + end - start:
            self._merged = np.empty(2 * (times + end - start), np.int64)
        merged = self._merged[: times + end - start]
        np.subtract(ts[low:high], base, out=merged[:times])
        np.subtract(ts[start - origin : end - origin], base + self._ns, out=merged[times:])
        np.left_shift(merged, 1, out=merged)
        np.bitwise_or(merged[times:], 1, out=merged[times:])
        merged.sort(kind="stable")
        np.bitwise_and(merged, 1, out=merged)
        (rows,) = merged.astype(np.bool_).nonzero()
        if len(self._counted) < len(rows):
            self._counted = np.arange(len(rows))
        np.subtract(rows, self._counted[: len(rows)], out=rows)
        np.add(rows, self.row, out=rows)
        self.row = origin + high
        return rows
