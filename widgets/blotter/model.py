"""A Qt model over a feed: rows inserted, changed and removed in batches, never reset while it grows."""

from collections.abc import Callable, Sequence
from itertools import groupby
from typing import Any, override

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt

from widgets.blotter.column import Column
from widgets.blotter.order import RowOrder
from widgets.blotter.state import Feed

type Index = QModelIndex | QPersistentModelIndex
_NO_PARENT = QModelIndex()


class EventModel[T](QAbstractTableModel):
    """Rows of a feed, newest first until a column is sorted by; `accept` filters them."""

    def __init__(self, columns: Sequence[Column[T]]) -> None:
        super().__init__()
        self.columns = columns
        self._feed: Feed[T] | None = None
        self._order = RowOrder()
        self._sorted_by: Column[T] | None = None
        self._descending = True
        self._accept: Callable[[T], bool] | None = None
        self._version = 0
        self._first = 0
        self._end = 0

    # Rows

    @property
    def total(self) -> int:
        """Rows of the feed, hidden ones included."""
        return self._end - self._first

    def row(self, display: int) -> T:
        """Row at a place on the screen."""
        return self._at(self._order.ids[self._position(display)])

    def rows(self) -> list[T]:
        """All rows shown, from the top down."""
        numbers = self._order.ids
        return [self._at(number) for number in (reversed(numbers) if self._descending else numbers)]

    def _at(self, number: int) -> T:
        assert self._feed is not None  # noqa: S101 -- there are no numbers without a feed
        return self._feed.rows[number - self._first]

    def _position(self, display: int) -> int:
        return len(self._order.ids) - 1 - display if self._descending else display

    # Keeping up

    def follow(self, feed: Feed[T] | None) -> None:
        """Show another feed."""
        self.beginResetModel()
        self._feed = feed
        self._first = self._end = feed.dropped if feed else 0
        self._version = 0
        self._order.place([])
        self.endResetModel()
        self.refresh()

    def refresh(self) -> bool:
        """Take over what the feed has new; False where there was nothing."""
        feed = self._feed
        if feed is None or feed.version == self._version:
            return False
        if feed.version < self._version:
            self.follow(feed)
            return True
        self._drop_to(feed.dropped)
        touched = [index + self._first for index in feed.changed_since(self._version)]
        self._version = feed.version
        known_end, self._end = self._end, self._first + len(feed.rows)
        new = [number for number in touched if number >= known_end]
        changed = [number for number in touched if number < known_end]
        if changed:
            self._replace(changed, new)
        else:
            self._insert([number for number in new if self._accepts(number)])
        return True

    def _accepts(self, number: int) -> bool:
        return self._accept is None or self._accept(self._at(number))

    def _drop_to(self, first: int) -> None:
        """Forget rows that left the front of a bounded feed."""
        if first == self._first:
            return
        self._first = first
        gone = {number for number in self._order.ids if number < first}
        self._end = max(self._end, first)
        self._remove(gone)

    def _insert(self, numbers: list[int]) -> None:
        if not numbers:
            return
        self._append(numbers)
        if self._order.sorted_by_key:
            self._rearrange(lambda: self._order.settle(len(numbers)))

    def _append(self, numbers: list[int]) -> None:
        first = 0 if self._descending else len(self._order.ids)
        self.beginInsertRows(_NO_PARENT, first, first + len(numbers) - 1)
        self._order.append(numbers)
        self.endInsertRows()

    def _replace(self, changed: list[int], new: list[int]) -> None:
        """Take over changed rows, which may move, leave or come in, and new ones."""
        if self._accept is None and not self._order.sorted_by_key:
            self._insert(new)
            self._repaint([number - self._first for number in changed])
            return
        shown = set(self._order.ids)
        self._remove({number for number in changed if number in shown and not self._accepts(number)})
        entering = [n for n in (*changed, *new) if n not in shown and self._accepts(n)]
        if self._order.sorted_by_key or any(number not in shown for number in changed):
            if entering:
                self._append(entering)
            self._rearrange(lambda: self._order.place(self._order.ids))
        else:
            self._insert(entering)
        self._repaint(self._places(set(changed)))

    def _repaint(self, places: list[int]) -> None:
        if places:
            ends = sorted((self._position(min(places)), self._position(max(places))))
            self.dataChanged.emit(self.index(ends[0], 0), self.index(ends[1], len(self.columns) - 1))

    def _places(self, numbers: set[int]) -> list[int]:
        return [place for place, number in enumerate(self._order.ids) if number in numbers]

    def _remove(self, numbers: set[int]) -> None:
        """Remove rows, one signal per run of neighbours, from the end so that places stay valid."""
        if not numbers:
            return
        places = self._places(numbers)
        runs = [list(run) for _, run in groupby(enumerate(places), key=lambda pair: pair[1] - pair[0])]
        for run in reversed(runs):
            first, last = run[0][1], run[-1][1]
            ends = sorted((self._position(first), self._position(last)))
            self.beginRemoveRows(_NO_PARENT, ends[0], ends[1])
            self._order.remove(set(self._order.ids[first : last + 1]))
            self.endRemoveRows()

    def _rearrange(self, change: Callable[[], None]) -> None:
        """Change the order of the same rows; selections move along."""
        self.layoutAboutToBeChanged.emit()
        held = self.persistentIndexList()
        numbers = [self._order.ids[self._position(index.row())] for index in held]
        change()
        if held:
            wanted = set(numbers)
            places = {n: self._position(p) for p, n in enumerate(self._order.ids) if n in wanted}
            moved = [
                self.index(places[number], index.column())
                for number, index in zip(numbers, held, strict=True)
            ]
            self.changePersistentIndexList(held, moved)
        self.layoutChanged.emit()

    # Sorting and filtering

    def set_filter(self, accept: Callable[[T], bool] | None) -> None:
        """Show only rows that `accept` takes; None shows all."""
        self._accept = accept
        self.beginResetModel()
        self._order.place(number for number in range(self._first, self._end) if self._accepts(number))
        self.endResetModel()

    @override
    def sort(self, column: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        """Sort by a column's exact values; column -1 is the order of arrival, newest first."""
        by = self.columns[column] if 0 <= column < len(self.columns) else None

        def arrange() -> None:
            self._descending = by is None or order == Qt.SortOrder.DescendingOrder
            if by is not self._sorted_by or by is None:
                self._sorted_by = by
                self._order.sort((lambda number: by.key(self._at(number))) if by else None)

        self._rearrange(arrange)

    # Qt

    @override
    def rowCount(self, parent: Index = _NO_PARENT) -> int:
        return 0 if parent.isValid() else len(self._order.ids)

    @override
    def columnCount(self, parent: Index = _NO_PARENT) -> int:
        return 0 if parent.isValid() else len(self.columns)

    @override
    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid():
            return None
        column = self.columns[index.column()]
        match role:
            case Qt.ItemDataRole.DisplayRole:
                return column.text(self.row(index.row()))
            case Qt.ItemDataRole.ToolTipRole:
                return column.whole_text(self.row(index.row()))
            case Qt.ItemDataRole.TextAlignmentRole:
                side = Qt.AlignmentFlag.AlignRight if column.numeric else Qt.AlignmentFlag.AlignLeft
                return side | Qt.AlignmentFlag.AlignVCenter
            case _:
                return None

    @override
    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> Any:
        if orientation != Qt.Orientation.Horizontal or not 0 <= section < len(self.columns):
            return None
        column = self.columns[section]
        match role:
            case Qt.ItemDataRole.DisplayRole:
                return column.title
            case Qt.ItemDataRole.TextAlignmentRole:
                side = Qt.AlignmentFlag.AlignRight if column.numeric else Qt.AlignmentFlag.AlignLeft
                return side | Qt.AlignmentFlag.AlignVCenter
            case _:
                return None
