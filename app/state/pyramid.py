"""Minimum, maximum and largest-of-many over any stretch of a long column, at a cost that ignores its length.

A chart asks for the extremes of some thousand stretches (one per pixel) of millions of rows, at every pan and
zoom. Each pyramid keeps, beside the values, the extremes of every complete block of 16 (or 4) neighbours, of
every block of those, and so on; a stretch is then a few whole blocks and two ragged ends per level.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

from app.state.growing import FIRST_CAPACITY, Growing

type Floats = npt.NDArray[np.float64]
type Indices = npt.NDArray[np.int64]

_FACTOR: Final = 16
_SHIFT: Final = 4
_DENSE: Final = 128
"""Blocks per stretch up to which one pass over all of them beats picking ragged ends (measured)."""


class RangePyramid:
    """Extremes of one float64 column.

    Parameters
    ----------
    reserve : int
        Values to make room for at once, see `Growing`.

    Attributes
    ----------
    reads : int
        Values looked at by the last query: what tests hold to the number of stretches.
    """

    def __init__(self, reserve: int = 0) -> None:
        self._reserve = reserve
        self._values: Growing[np.float64] = Growing(np.float64, reserve or FIRST_CAPACITY)
        self._lows: list[Growing[np.float64]] = []
        self._highs: list[Growing[np.float64]] = []
        self.reads = 0

    @property
    def values(self) -> Floats:
        """The column itself, not copied."""
        return self._values.view

    def extend(self, values: Floats) -> None:
        """Append finite values."""
        self._values.extend(values)
        low = high = self._values
        level = 0
        while len(low) >= _FACTOR:
            if level == len(self._lows):
                self._lows.append(Growing(np.float64))
                self._highs.append(Growing(np.float64))
            low = _close_blocks(low, self._lows[level], np.minimum)
            high = _close_blocks(high, self._highs[level], np.maximum)
            level += 1

    def drop_first(self, count: int) -> None:
        """Forget the oldest `count` values."""
        kept = self._values.view[count:].copy()
        self.__init__(self._reserve)  # type: ignore[misc]
        self.extend(kept)

    def extremes(self, starts: Indices, ends: Indices) -> tuple[Floats, Floats]:
        """Lowest and highest value of each stretch `[start, end)`.

        Parameters
        ----------
        starts, ends : int64 arrays `[n]`
            Ascending, stretches not overlapping, inside the column.

        Returns
        -------
        low, high : float64 arrays `[n]`
            `inf` and `-inf` where a stretch is empty.
        """
        low, high = np.full(len(starts), np.inf), np.full(len(starts), -np.inf)
        self.reads = 0
        if not len(starts):
            return low, high
        lows = highs = self._values
        level = 0
        while int(ends[-1] - starts[0]) > _DENSE * len(starts) and level < len(self._lows):
            upper_starts, upper_ends = -(-starts >> _SHIFT), ends >> _SHIFT
            self._ragged(lows, highs, (starts, ends), (low, high))
            starts, ends = upper_starts, np.maximum(upper_starts, upper_ends)
            lows, highs = self._lows[level], self._highs[level]
            level += 1
        self._dense(lows.view, starts, ends, np.minimum, low)
        self._dense(highs.view, starts, ends, np.maximum, high)
        return low, high

    def _ragged(
        self,
        lows: Growing[np.float64],
        highs: Growing[np.float64],
        stretch: tuple[Indices, Indices],
        into: tuple[Floats, Floats],
    ) -> None:
        """Fold what whole blocks leave over: each start to its block's end, a last block's start to the end.

        The two blocks of a stretch are laid side by side, so that both ends are one run of values.
        """
        starts, ends = stretch
        one_block = -(-starts >> _SHIFT) > ends >> _SHIFT
        pair = np.stack([(starts - 1) >> _SHIFT, ends >> _SHIFT], axis=1)
        pair[one_block, 0] = starts[one_block] >> _SHIFT
        base = np.arange(0, 2 * _FACTOR * len(starts), 2 * _FACTOR)
        runs = np.empty(2 * len(starts), np.int64)
        runs[0::2] = base + np.where(one_block, starts & (_FACTOR - 1), ((starts - 1) & (_FACTOR - 1)) + 1)
        runs[1::2] = base + np.where(
            one_block, (starts & (_FACTOR - 1)) + ends - starts, _FACTOR + (ends & (_FACTOR - 1))
        )
        filled = runs[1::2] > runs[0::2]
        values = lows.blocks(_FACTOR).take(pair, axis=0, mode="clip").ravel()
        self.reads += values.size
        np.minimum(into[0], np.minimum.reduceat(values, runs)[0::2], out=into[0], where=filled)
        if highs is not lows:
            values = highs.blocks(_FACTOR).take(pair, axis=0, mode="clip").ravel()
            self.reads += values.size
        np.maximum(into[1], np.maximum.reduceat(values, runs)[0::2], out=into[1], where=filled)

    def _dense(self, values: Floats, starts: Indices, ends: Indices, fold: np.ufunc, into: Floats) -> None:
        """Fold whole stretches in one pass."""
        filled = ends > starts
        if not filled.any():
            return
        starts, ends = starts[filled], ends[filled]
        bounds = np.empty(2 * len(starts), np.int64)
        bounds[0::2], bounds[1::2] = starts, ends
        first, last = int(starts[0]), int(ends[-1])
        self.reads += last - first
        # The last end is the slice's own end: reduceat takes it from there.
        folded = fold.reduceat(values[first:last], bounds[:-1] - first)[0::2]
        into[filled] = fold(into[filled], folded)


def _close_blocks(
    below: Growing[np.float64], level: Growing[np.float64], fold: np.ufunc
) -> Growing[np.float64]:
    done, complete = len(level), len(below) >> _SHIFT
    if complete > done:
        blocks = below.view[done << _SHIFT : complete << _SHIFT].reshape(-1, _FACTOR)
        level.extend(fold.reduce(blocks, axis=1))
    return level


class LargestPyramid:
    """Rows that carry the largest value of each block of 4, 16, 64 … neighbours of one float64 column."""

    def __init__(self, reserve: int = 0) -> None:
        self._reserve = reserve
        self._values: Growing[np.float64] = Growing(np.float64, reserve or FIRST_CAPACITY)
        self._levels: list[Growing[np.int64]] = []

    def extend(self, values: Floats) -> None:
        """Append finite values."""
        self._values.extend(values)
        below, level = len(self._values), 0
        while below >= 4:
            if level == len(self._levels):
                self._levels.append(Growing(np.int64))
            self._close_blocks(level)
            below, level = len(self._levels[level]), level + 1

    def drop_first(self, count: int) -> None:
        """Forget the oldest `count` values."""
        kept = self._values.view[count:].copy()
        self.__init__(self._reserve)  # type: ignore[misc]
        self.extend(kept)

    def largest(self, start: int, end: int, limit: int) -> Indices:
        """Rows of `[start, end)`, thinned to the largest of each block so that about `limit` are left.

        Returns
        -------
        int64 array, ascending
            All rows where there are at most `limit`; else one a block, which is the same block wherever the
            stretch begins, so that panning does not make rows flicker.
        """
        level = 0
        while (end - start) >> (2 * level) > limit and level < len(self._levels):
            level += 1
        if level == 0:
            return np.arange(start, end)
        first = -(-start >> 2 * level)
        last = max(first, min(end >> 2 * level, len(self._levels[level - 1])))
        rows = self._levels[level - 1].view[first:last]
        head = np.arange(start, min(first << 2 * level, end))
        tail = np.arange(max(last << 2 * level, start), end)
        return np.concatenate([self._one(head), rows, self._one(tail)])

    def _one(self, rows: Indices) -> Indices:
        """Largest row of a ragged end, if it has any."""
        return rows[[self._values.view[rows].argmax()]] if len(rows) else rows

    def _close_blocks(self, level: int) -> None:
        above = self._levels[level]
        below = len(self._values) if level == 0 else len(self._levels[level - 1])
        done, complete = len(above), below >> 2
        if complete <= done:
            return
        if level == 0:
            rows = np.arange(4 * done, 4 * complete).reshape(-1, 4)
        else:
            rows = self._levels[level - 1].view[4 * done : 4 * complete].reshape(-1, 4)
        pick = self._values.view[rows].argmax(axis=1)
        above.extend(rows[np.arange(len(rows)), pick])
