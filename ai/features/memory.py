"""Memory of the batch form: blocks of rows, and large pieces that all arrays of an evaluation come from.

The first touch of each small page costs a system about as much as filling it; it hands out large pages for
large pieces that begin where such a page does.
"""

from typing import Any, Final

import numpy as np
import numpy.typing as npt

BLOCK: Final = 49_152
"""Most rows of a block: few enough for the arrays that an operation touches to stay in the processor's cache,
and so many that threads seldom wait for Python between two operations."""

_ARRAYS: Final = 64
_LARGE_PAGE: Final = 2**21 // 8
_LARGE: Final = 2 * _LARGE_PAGE
_LINE: Final = 64 // 8
_APART: Final = 9 * _LINE
"""Between two arrays; those that begin at the same place of a page push each other out of the cache."""


def not_filled(count: int) -> npt.NDArray[np.float64]:
    """Return an array of `count` numbers, in large pages where it is large."""
    if count < _LARGE:
        return np.empty(count)
    piece = np.empty(count + 2 * _LARGE_PAGE)
    start = -(piece.ctypes.data // 8) % _LARGE_PAGE
    return piece[start : start + count]


class Arena:
    """Arrays that live as long as an evaluation.

    Parameters
    ----------
    block : int
        Most rows of a block.
    """

    def __init__(self, block: int) -> None:
        self.block = block
        self._piece = np.empty(0)
        self._used = 0

    def take(self, count: int, kind: npt.DTypeLike = np.float64) -> Any:
        """Return an array of `count` numbers of 8 or 16 bytes, not filled, at the start of a cache line."""
        words = count * (np.dtype(kind).itemsize // 8)
        if self._used + words > len(self._piece):
            self._piece = not_filled(max(words, _ARRAYS * self.block))
            self._used = 0
        found = self._piece[self._used : self._used + words].view(kind)
        self._used += -(-words // _LINE) * _LINE + _APART
        return found
