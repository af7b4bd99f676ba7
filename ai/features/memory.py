"""Memory of the batch form: blocks of rows, and one piece that all arrays of an evaluation come from."""

from typing import Any, Final

import numpy as np
import numpy.typing as npt

BLOCK: Final = 32_768
"""Most rows of a block: the few arrays that an operation touches stay in the processor's cache."""

_ARRAYS: Final = 64


class Arena:
    """Arrays that live as long as an evaluation, cut from large pieces.

    A system hands out a large piece in large pages; a first touch of each small page of separate arrays would
    take as long as a tenth of the work.

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
        """Return an array of `count` numbers of 8 or 16 bytes, not filled."""
        words = count * (np.dtype(kind).itemsize // 8)
        if self._used + words > len(self._piece):
            self._piece = np.empty(max(words, _ARRAYS * self.block))
            self._used = 0
        start, self._used = self._used, self._used + words
        return self._piece[start : self._used].view(kind)
