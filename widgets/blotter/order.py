"""Which rows of a table are shown and in which order, kept up incrementally. No Qt.

`QSortFilterProxyModel` asks Python for every comparison; with 100,000 rows present a batch of 1,000 takes it
longer than a frame. Here keys are made once per row and merged by bisection.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterable
from operator import itemgetter
from typing import Any, Final

_FEW: Final = 250
"""Up to so many new rows, moving the tail for each is cheaper than building the list anew."""


class RowOrder:
    """Numbers of the rows shown, ascending by key, or by number where there is no key.

    Attributes
    ----------
    ids : list of int
        Row numbers in order.
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

    def append(self, ids: Iterable[int]) -> None:
        """Add rows at the end; where a key orders them, `settle` must put them right."""
        self.ids.extend(ids)

    def settle(self, count: int) -> None:
        """Put the last `count` rows, just appended, where their key belongs."""
        if self._key is None or count == 0:
            return
        new = sorted(((self._key(number), number) for number in self.ids[-count:]), key=itemgetter(0))
        del self.ids[-count:]
        if count <= _FEW:
            for key, number in new:
                at = bisect_right(self._keys, key)
                self._keys.insert(at, key)
                self.ids.insert(at, number)
            return
        self._merge(new)

    def _merge(self, new: list[tuple[Any, int]]) -> None:
        numbers, keys, start = [], [], 0
        for key, number in new:
            end = bisect_right(self._keys, key, start)
            numbers += self.ids[start:end]
            keys += self._keys[start:end]
            numbers.append(number)
            keys.append(key)
            start = end
        self.ids, self._keys = numbers + self.ids[start:], keys + self._keys[start:]

    def remove(self, leaving: set[int]) -> None:
        """Stop showing these rows."""
        kept = [position for position, number in enumerate(self.ids) if number not in leaving]
        self.ids = [self.ids[position] for position in kept]
        if self._key is not None:
            self._keys = [self._keys[position] for position in kept]
