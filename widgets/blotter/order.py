"""Which rows of a table are shown and in which order, kept up incrementally. No Qt.

`QSortFilterProxyModel` asks Python for every comparison; with 100,000 rows present a batch of 1,000 takes it
longer than a frame. Here keys are made once per row and merged by bisection.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterable
from typing import Any


class RowOrder:
    """Numbers of the rows shown, ascending by key, or by number where there is no key.

    Attributes
    ----------
    ids : list of int
        Row numbers in order; replaced, never changed in place.
    """

    def __init__(self) -> None:
        self.ids: list[int] = []
        self._keys: list[Any] = []
        self._key: Callable[[int], Any] | None = None

    @property
    def sorted_by_key(self) -> bool:
        """Whether a key orders the rows."""
        return self._key is not None

    def sort(self, key: Callable[[int], Any] | None) -> None:
        """Order anew by `key` of a row's number; None is by number."""
        self._key = key
        self.place(self.ids)

    def place(self, ids: Iterable[int]) -> None:
        """Show exactly these rows, in order."""
        if self._key is None:
            self.ids, self._keys = sorted(ids), []
            return
        keys = {number: self._key(number) for number in ids}
        self.ids = sorted(keys, key=keys.__getitem__)
        self._keys = [keys[number] for number in self.ids]

    def merged(self, ids: Iterable[int]) -> tuple[list[int], list[Any]]:
        """Numbers and keys in the order that results from adding rows; only while a key orders them."""
        if self._key is None:
            raise ValueError("without a key new rows are appended")
        new = sorted(((self._key(number), number) for number in ids), key=lambda pair: pair[0])
        numbers, keys, start = [], [], 0
        for key, number in new:
            end = bisect_right(self._keys, key, start)
            numbers += self.ids[start:end]
            keys += self._keys[start:end]
            numbers.append(number)
            keys.append(key)
            start = end
        return numbers + self.ids[start:], keys + self._keys[start:]

    def take(self, merged: tuple[list[int], list[Any]]) -> None:
        """Make the outcome of `merged` the order."""
        self.ids, self._keys = merged

    def append(self, ids: Iterable[int]) -> None:
        """Add rows at the end; where a key orders them, `take` or `place` must put them right."""
        self.ids = [*self.ids, *ids]

    def remove(self, leaving: set[int]) -> None:
        """Stop showing these rows."""
        kept = [position for position, number in enumerate(self.ids) if number not in leaving]
        self.ids = [self.ids[position] for position in kept]
        if self._key is not None:
            self._keys = [self._keys[position] for position in kept]
