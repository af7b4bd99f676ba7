"""The closed columns of the depth heatmap: what the book looked like at each boundary, oldest first."""

from typing import Final

import numpy as np
import numpy.typing as npt

from app.state.growing import Growing
from engine.messages.columns import DEPTH, Rows

COLUMNS_KEPT: Final = 60_000
"""Columns kept before the oldest quarter is forgotten: over 16 hours of seconds, about 60 MB."""


class DepthHistory:
    """Columns of dtype `DEPTH`, in order of time.

    Attributes
    ----------
    version : int
        Grows with every change.
    dropped : int
        Oldest columns that were forgotten; row `i` is the `dropped + i`-th ever seen.
    """

    def __init__(self, limit: int = COLUMNS_KEPT) -> None:
        self._limit = limit
        self._rows: Growing[np.void] = Growing(DEPTH, limit)
        self._times: Growing[np.int64] = Growing(np.int64)
        self.version = self.dropped = 0

    def __len__(self) -> int:
        return len(self._rows)

    @property
    def rows(self) -> Rows:
        """All columns kept, not copied."""
        return self._rows.view

    @property
    def times(self) -> npt.NDArray[np.int64]:
        """When each column was closed, ns; never decreasing."""
        return self._times.view

    def append(self, rows: Rows) -> None:
        """Add closed columns at the end."""
        if not len(rows):
            return
        self.version += 1
        times = np.maximum.accumulate(rows["ts"])
        if len(self._times):
            np.maximum(times, self._times.view[-1], out=times)
        self._rows.extend(rows)
        self._times.extend(times)
        if len(self._rows) > self._limit:
            count = len(self._rows) - self._limit * 3 // 4
            self.dropped += count
            self._rows.drop_first(count)
            self._times.drop_first(count)

    def span(self, start_ns: int, end_ns: int) -> slice:
        """Columns with `start_ns <= ts < end_ns`."""
        first, last = self._times.view.searchsorted((start_ns, end_ns))
        return slice(int(first), int(last))
