"""Feature rows of a stream, kept for a while: what windows are views of, and explanations look back at.

Rows lie in blocks that are never moved, and each block begins with the last rows of the one before, so every
window is a view of one block: nothing is copied for a prediction, and one that waits in a queue stays as it
was.
"""

from array import array
from bisect import bisect_right
from typing import Any, Final

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from ai.runtime.predictor import Floats

BLOCK_ROWS: Final = 4_096
_MOST_ROWS: Final = 1_000_000
_MOST_BYTES: Final = 128 << 20


class Block:
    """Some rows in a row.

    Attributes
    ----------
    first : int
        Number of its first row; the first `window - 1` rows of all but the oldest block are copies.
    x : float32 array `[rows, F]`
    windows : float32 array `[rows, 1, T, F]`
        View: the window that ends in each row. The first `T - 1` are not to be read.
    ts : array of int
    """

    def __init__(self, first: int, window: int, columns: int, before: "Block | None") -> None:
        rows, kept = BLOCK_ROWS + window - 1, window - 1
        # Rows that nobody reads stand before the first, so that window k ends in row k.
        padded = np.zeros((rows + kept, columns), np.float32)
        self.first = first - kept if before is not None else first
        self.x = padded[kept:]
        self.windows = sliding_window_view(padded, window, axis=0).transpose(0, 2, 1)[:, None]
        self.ts = array("q", bytes(8 * rows))
        if before is not None:
            self.x[:kept] = before.x[len(before.x) - kept :]
            self.ts[:kept] = before.ts[len(before.ts) - kept :]


class History:
    """The newest rows, at least 10,000 and at most about a million or 128 MB."""

    def __init__(self, window: int, columns: int) -> None:
        self._window, self._columns = window, columns
        row_bytes = 4 * columns + 8
        most = max(10_000 + window, min(_MOST_ROWS, _MOST_BYTES // row_bytes))
        self._blocks_kept = -(-most // BLOCK_ROWS)
        self.blocks = [Block(0, window, columns, None)]

    def next_block(self) -> Block:
        """Begin a block after the full newest one; the oldest beyond the bound is let go."""
        last = self.blocks[-1]
        self.blocks.append(Block(last.first + len(last.x), self._window, self._columns, last))
        del self.blocks[: -self._blocks_kept]
        return self.blocks[-1]

    def row_at(self, ts: int, rows: int) -> int:
        """Newest of the first `rows` rows that is not later than `ts`; -1 where none is kept."""
        for block in reversed(self.blocks):
            filled = min(rows - block.first, len(block.ts))
            place = bisect_right(block.ts, ts, 0, max(filled, 0)) - 1
            if place >= 0:
                return block.first + place
        return -1

    def window(self, row: int) -> Floats | None:
        """Return the window `[1, T, F]` that ends in this row; None where it is not kept any more."""
        for block in reversed(self.blocks):
            if block.first <= row - self._window + 1 and row < block.first + len(block.x):
                found: Floats = block.windows[row - block.first]
                return found
        return None

    def ts(self, row: int) -> int:
        """Time of a row that is kept."""
        block = next(each for each in reversed(self.blocks) if each.first <= row)
        return block.ts[row - block.first]

    def rows(self, start: int, end: int) -> Floats:
        """Rows `start` to `end`, which are kept: float32 `[rows, F]`; `end` may be `start`."""
        if start == end:
            return np.empty((0, self._columns), np.float32)
        parts: list[Any] = []
        for block in reversed(self.blocks):
            if end <= start:
                break
            if block.first < end:
                low = max(start, block.first)
                parts.insert(0, block.x[low - block.first : end - block.first])
                end = low
        return np.concatenate(parts) if len(parts) != 1 else parts[0]
