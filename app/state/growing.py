"""An array that grows at its end: what every read model of the session appends to, sixty times a second."""

import numpy as np
import numpy.typing as npt

FIRST_CAPACITY = 1024
_BLOCK = 16


class Growing[T: np.generic]:
    """One-dimensional array with amortised growth.

    Parameters
    ----------
    dtype : dtype
        Of the elements; structured dtypes too.
    reserve : int
        Elements to make room for at once: address space only, memory is taken as it is filled. Without it a
        long array is copied whenever it doubles, which the screen shows as a stall.
    """

    __slots__ = ("_buffer", "_reserve", "_size")

    def __init__(self, dtype: "npt.DTypeLike", reserve: int = FIRST_CAPACITY) -> None:
        self._reserve = reserve
        self._buffer: npt.NDArray[T] = np.empty(0, dtype)
        self._size = 0

    def __len__(self) -> int:
        return self._size

    @property
    def view(self) -> npt.NDArray[T]:
        """What was appended so far, not copied; a later append may move to another buffer."""
        return self._buffer[: self._size]

    def blocks(self, width: int) -> npt.NDArray[T]:
        """The array as rows of `width` elements (a divisor of 16).

        What the last row holds past the end means nothing.
        """
        return self._buffer[: -(-self._size // width) * width].reshape(-1, width)

    def extend(self, values: npt.NDArray[T]) -> None:
        """Append all of `values`."""
        size = self._size + len(values)
        if size > len(self._buffer):
            grown = np.empty(_padded(max(size, 2 * self._size, self._reserve)), self._buffer.dtype)
            grown[: self._size] = self.view
            self._buffer = grown
        self._buffer[self._size : size] = values
        self._size = size

    def truncate(self, size: int) -> None:
        """Forget the elements from index `size` on."""
        self._size = min(self._size, size)

    def drop_first(self, count: int) -> None:
        """Forget the oldest `count` elements, and give back the memory that they took."""
        kept = self.view[count:]
        self._buffer = np.empty(_padded(max(len(kept), self._reserve)), self._buffer.dtype)
        self._size = len(kept)
        self._buffer[: self._size] = kept


def _padded(size: int) -> int:
    """Capacity that `blocks` can cut into whole rows."""
    return -(-size // _BLOCK) * _BLOCK
