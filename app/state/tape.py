"""The quotes or the trades of one instrument as the screen knows them: rows that arrive in order, by time.

What a chart asks of them — the extremes per pixel, the largest trades, the volume per pixel — costs a time
that grows with the number of pixels, not with the length of the history.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from app.state.growing import Growing
from app.state.pyramid import Floats, Indices, LargestPyramid, RangePyramid
from engine.messages.columns import QUOTE, TRADE, Rows

ROWS_KEPT: Final = 4_000_000
"""Rows a tape keeps before it forgets its oldest quarter: about 260 MB of quotes."""


@dataclass(frozen=True, slots=True, eq=False)
class Envelope:
    """First, last, lowest and highest value per pixel: all that a line of any density needs (M4).

    Attributes
    ----------
    count : int64 array `[pixels]`
        Rows in each pixel's stretch of time; where it is 0 the other arrays hold NaN.
    first, last, low, high : float64 arrays `[pixels]`
    before : float
        Last value before the first pixel, NaN where there is none.
    """

    count: Indices
    first: Floats
    last: Floats
    low: Floats
    high: Floats
    before: float


def pixel_edges(start_ns: int, end_ns: int, pixels: int) -> npt.NDArray[np.int64]:
    """Times that part `[start_ns, end_ns)` into `pixels` equal stretches, int64 `[pixels + 1]`, exact."""
    whole, rest = divmod(end_ns - start_ns, pixels)
    steps = np.arange(pixels + 1, dtype=np.int64)
    return start_ns + steps * whole + steps * rest // pixels


class Tape:
    """Rows of one structured dtype with a `ts`, in the order in which they came.

    Attributes
    ----------
    version : int
        Grows with every change.
    conflated : int
        Rows that happened but were never sent, for the screen could not have shown them.
    dropped : int
        Oldest rows that were forgotten; row `i` is the `dropped + i`-th ever seen.
    """

    def __init__(self, dtype: "np.dtype[np.void]", ranged: tuple[str, ...], limit: int = ROWS_KEPT) -> None:
        self._dtype, self._ranged, self._limit = dtype, ranged, limit
        self.version = 0
        self._edges_of: tuple[int, ...] = ()
        self._last_edges: Indices = np.empty(0, np.int64)
        self._reset()

    def _reset(self) -> None:
        self.conflated = self.dropped = 0
        self._rows: Growing[np.void] = Growing(self._dtype, self._limit)
        self._times: Growing[np.int64] = Growing(np.int64, self._limit)
        self._pyramids = {name: RangePyramid(self._limit) for name in self._ranged}

    def __len__(self) -> int:
        return len(self._rows)

    @property
    def rows(self) -> Rows:
        """All rows kept, oldest first, not copied."""
        return self._rows.view

    @property
    def times(self) -> npt.NDArray[np.int64]:
        """When each row was known, ns: its `ts`, or that of a row before it where that is later."""
        return self._times.view

    @property
    def reads(self) -> int:
        """Values that the last `envelope` of each column looked at."""
        return sum(pyramid.reads for pyramid in self._pyramids.values())

    def append(self, rows: Rows, conflated: int = 0) -> None:
        """Add rows at the end; `conflated` counts those that were left out between them."""
        if not len(rows) and not conflated:
            return
        self.version += 1
        self.conflated += conflated
        if len(rows):
            self._append(rows)
        if len(self._rows) > self._limit:
            self._forget(len(self._rows) - self._limit * 3 // 4)

    def _append(self, rows: Rows) -> None:
        times = np.maximum.accumulate(rows["ts"])
        if len(self._times):
            np.maximum(times, self._times.view[-1], out=times)
        self._rows.extend(rows)
        self._times.extend(times)
        for name, pyramid in self._pyramids.items():
            pyramid.extend(rows[name])

    def _forget(self, count: int) -> None:
        self.dropped += count
        self._rows.drop_first(count)
        self._times.drop_first(count)
        for pyramid in self._pyramids.values():
            pyramid.drop_first(count)

    def clear(self) -> None:
        """Forget everything, as a new epoch demands."""
        self.version += 1
        self._reset()

    def span(self, start_ns: int, end_ns: int) -> slice:
        """Rows with `start_ns <= ts < end_ns`."""
        first, last = self._times.view.searchsorted((start_ns, end_ns))
        return slice(int(first), int(last))

    def _edges(self, start_ns: int, end_ns: int, pixels: int) -> Indices:
        """First row of each pixel; kept for the next column's envelope, which asks for the same."""
        key = self.version, start_ns, end_ns, pixels
        if self._edges_of != key:
            self._last_edges = self._times.view.searchsorted(pixel_edges(start_ns, end_ns, pixels))
            self._edges_of = key
        return self._last_edges

    def envelope(self, column: str, start_ns: int, end_ns: int, pixels: int) -> Envelope:
        """Reduce a ranged column to four values per pixel of `[start_ns, end_ns)`.

        Raises
        ------
        KeyError
            `column` is not among the ranged ones.
        """
        pyramid = self._pyramids[column]
        edges = self._edges(start_ns, end_ns, pixels)
        starts, ends = edges[:-1], edges[1:]
        count = ends - starts
        values = pyramid.values
        if not len(values):
            nan = np.full(pixels, np.nan)
            return Envelope(count, nan, nan, nan, nan, np.nan)
        low, high = pyramid.extremes(starts, ends)
        empty = count == 0
        first = values.take(starts, mode="clip")
        last = values.take(ends - 1, mode="clip")
        for array in (first, last, low, high):
            array[empty] = np.nan
        before = float(values[starts[0] - 1]) if starts[0] else np.nan
        return Envelope(count, first, last, low, high, before)


class QuoteTape(Tape):
    """Best bid and ask, dtype `QUOTE`; `bid` and `ask` are ranged."""

    def __init__(self, limit: int = ROWS_KEPT) -> None:
        super().__init__(QUOTE, ("bid", "ask"), limit)


class TradeTape(Tape):
    """Trades, dtype `TRADE`; `price` is ranged, volumes are summed by aggressor."""

    def __init__(self, limit: int = ROWS_KEPT) -> None:
        super().__init__(TRADE, ("price",), limit)

    def _reset(self) -> None:
        super()._reset()
        self._largest = LargestPyramid(self._limit)
        self._bought: Growing[np.float64] = Growing(np.float64, self._limit)
        self._sold: Growing[np.float64] = Growing(np.float64, self._limit)

    def _append(self, rows: Rows) -> None:
        super()._append(rows)
        self._largest.extend(rows["size"])
        for total, aggressor in ((self._bought, 1), (self._sold, 2)):
            sums = np.cumsum(rows["size"] * (rows["aggressor"] == aggressor))
            total.extend(sums + (total.view[-1] if len(total) else 0.0))

    def _forget(self, count: int) -> None:
        super()._forget(count)
        self._largest.drop_first(count)
        self._bought.drop_first(count)
        self._sold.drop_first(count)

    def largest(self, start_ns: int, end_ns: int, limit: int) -> Rows:
        """Trades of a stretch, thinned to the largest of each few neighbours where there are over `limit`."""
        rows = self.span(start_ns, end_ns)
        return self.rows[self._largest.largest(rows.start, rows.stop, limit)]

    def volumes(self, edges_ns: npt.NDArray[np.int64]) -> tuple[Floats, Floats]:
        """Volume bought and sold by aggressors since the first trade ever seen, before each of these times.

        Differences of neighbours are the volumes between two edges.
        """
        rows = self._times.view.searchsorted(edges_ns)
        return _total_before(self._bought.view, rows), _total_before(self._sold.view, rows)


def _total_before(totals: Floats, rows: npt.NDArray[np.intp]) -> Floats:
    if not len(totals):
        return np.zeros(len(rows))
    return np.where(rows > 0, totals.take(rows - 1, mode="clip"), 0.0)
