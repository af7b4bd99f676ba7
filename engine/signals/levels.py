"""The best levels of a book as floats, kept up one update at a time: what a model that reads the book is fed.

`engine.book` rebuilds books from columns, thousands of rows at once; here a level changes and the best ones
are wanted, for which two sorted lists a side are quickest (2 µs an update, however many levels).
"""

from bisect import bisect_left
from math import nan


class Levels:
    """One side of a book.

    Parameters
    ----------
    sign : int
        -1 for bids, whose best is the highest; 1 for asks.
    """

    def __init__(self, sign: int) -> None:
        self._sign = sign
        self._keys: list[float] = []
        self._sizes: list[float] = []

    def set(self, price: float, size: float) -> None:
        """Set the size of a level; 0 removes it."""
        key = self._sign * price
        keys, sizes = self._keys, self._sizes
        at = bisect_left(keys, key)
        if at < len(keys) and keys[at] == key:
            if size:
                sizes[at] = size
            else:
                del keys[at], sizes[at]
        elif size:
            keys.insert(at, key)
            sizes.insert(at, size)

    def clear(self) -> None:
        """Remove all levels."""
        self._keys.clear()
        self._sizes.clear()

    def best(self, count: int) -> tuple[list[float], list[float]]:
        """Prices and sizes of the best `count` levels, best first; missing ones are NaN and 0."""
        sign = self._sign
        prices, sizes = [sign * key for key in self._keys[:count]], self._sizes[:count]
        missing = count - len(prices)
        return (prices + [nan] * missing, sizes + [0.0] * missing) if missing else (prices, sizes)
