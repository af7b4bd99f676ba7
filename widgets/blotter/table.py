"""One table for every kind of event: sort, filter, copy, choose columns, export."""

from collections.abc import Callable, Sequence
from typing import override

from PySide6.QtCore import QByteArray, QModelIndex, QPoint, Qt, Signal
from PySide6.QtGui import QAction, QGuiApplication, QKeySequence, QPainter, QPaintEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QLineEdit,
    QMenu,
    QTableView,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from widgets.blotter.column import Column, csv_text
from widgets.blotter.delegate import CellDelegate
from widgets.blotter.model import EventModel
from widgets.blotter.state import Feed
from widgets.chrome import dress, paint_empty
from widgets.numbers import size_text
from widgets.theme import Theme

_ROW = 20


class _View(QTableView):
    """A table that says in its empty area what would fill it."""

    def __init__(self, theme: Theme, title: str, hint: str) -> None:
        super().__init__()
        self.theme = theme
        self.title, self.hint = title, hint
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setFrameShape(QTableView.Shape.NoFrame)
        rows = self.verticalHeader()
        rows.hide()
        rows.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        rows.setMinimumSectionSize(_ROW)
        rows.setDefaultSectionSize(_ROW)

    @override
    def paintEvent(self, event: QPaintEvent) -> None:
        if self.model() is None or not self.model().rowCount():
            paint_empty(QPainter(self.viewport()), self.viewport().rect(), self.theme, self.title, self.hint)
            return
        super().paintEvent(event)


class EventTable[T](QWidget):
    """Rows of a feed with a filter box.

    Parameters
    ----------
    columns : sequence of Column
    searched : callable
        Text of a row that the filter box looks in; cheap, for it runs over all rows at each key stroke.
    name : str
        Suggested name of exported files, without its ending.
    empty : tuple of str
        What would be here, and what fills it.

    Signals
    -------
    export_asked(str, str)
        Suggested file name, and the text to save: the rows shown, exact.
    why_asked(object)
        The person wants to know how this row came about; only where the table `explains`.

    Attributes
    ----------
    explains : bool
        Whether its rows have a story; a double click then asks for it.
    """

    export_asked = Signal(str, str)
    why_asked = Signal(object)
    explains = False

    def __init__(
        self,
        theme: Theme,
        columns: Sequence[Column[T]],
        searched: Callable[[T], str],
        name: str,
        empty: tuple[str, str],
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.model = EventModel(columns)
        self._searched = searched
        self._name = name
        self._narrowed: Callable[[T], bool] | None = None
        self.view = _View(theme, *empty)
        self.view.setModel(self.model)
        self._delegate = CellDelegate(theme, self.view)
        self.view.setItemDelegate(self._delegate)
        self._search = QLineEdit()
        self._search.setPlaceholderText(self.tr("Filter"))
        self._search.setClearButtonEnabled(True)
        self._search.setMaximumWidth(180)
        self._search.textChanged.connect(self._apply_filter)
        self._count = QLabel()
        self._count.setObjectName("quiet")
        self._bar = QHBoxLayout()
        self._lay_out()
        self._prepare_header(columns)
        self._prepare_actions()
        self.model.rowsInserted.connect(self._on_rows_inserted)
        self.set_theme(theme)
        self._tell_count()

    def _lay_out(self) -> None:
        save = QToolButton()
        save.setText(self.tr("CSV"))
        save.setToolTip(self.tr("Export the rows shown, with all digits"))
        save.clicked.connect(self.export)
        self._bar.setContentsMargins(4, 2, 4, 2)
        self._bar.setSpacing(4)
        self._bar.addWidget(self._search)
        self._bar.addStretch()
        self._bar.addWidget(self._count)
        self._bar.addWidget(save)
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(0)
        box.addLayout(self._bar)
        box.addWidget(self.view, 1)

    def _prepare_header(self, columns: Sequence[Column[T]]) -> None:
        header = self.view.horizontalHeader()
        header.setSectionsMovable(True)
        header.setHighlightSections(False)
        header.setMinimumSectionSize(36)
        header.setStretchLastSection(not columns[-1].numeric)
        header.setSortIndicator(-1, Qt.SortOrder.DescendingOrder)
        header.setSortIndicatorClearable(True)
        header.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        header.customContextMenuRequested.connect(self._on_header_menu_asked)
        for section, column in enumerate(columns):
            self.view.setColumnWidth(section, column.width)
        self.view.setSortingEnabled(True)

    def _prepare_actions(self) -> None:
        copy = QAction(self.tr("Copy rows"), self.view)
        copy.setShortcut(QKeySequence(QKeySequence.StandardKey.Copy))
        copy.setShortcutContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        copy.triggered.connect(self.copy)
        export = QAction(self.tr("Export rows as CSV…"), self.view)
        export.triggered.connect(self.export)
        newest = QAction(self.tr("Newest first"), self.view)
        newest.triggered.connect(self.sort_by_arrival)
        self._actions = [copy, export, newest]
        self._deeds = 0
        if self.explains:
            why = QAction(self.tr("Why?"), self.view)
            why.triggered.connect(self.ask_why)
            self._actions.insert(0, why)
            self.view.doubleClicked.connect(self.ask_why)
        self.view.addActions(self._actions)
        self.view.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.view.customContextMenuRequested.connect(self._on_menu_asked)

    def add_deed(self, text: str, key: str, deed: Callable[[], None]) -> QAction:
        """Offer a deed on rows, above those of every table; its key works where the table has the focus."""
        action = QAction(text, self.view)
        action.setShortcut(QKeySequence(key))
        action.setShortcutContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        action.triggered.connect(deed)
        self._actions.insert(self._deeds, action)
        self._deeds += 1
        self.view.addAction(action)
        return action

    # Content

    def follow(self, feed: Feed[T] | None) -> None:
        """Show another feed; None empties the table."""
        self.model.follow(feed)
        self._tell_count()

    def refresh(self) -> None:
        """Show what is new; costs nothing where nothing is."""
        if self.model.refresh():
            self._tell_count()

    def narrow(self, accept: Callable[[T], bool] | None) -> None:
        """Show only rows that `accept` takes, besides what the filter box says."""
        self._narrowed = accept
        self._apply_filter()

    def add_control(self, control: QWidget) -> None:
        """Place a control beside the filter box."""
        self._bar.insertWidget(self._bar.count() - 3, control)

    def set_theme(self, theme: Theme) -> None:
        """Repaint in another theme."""
        dress(self, theme)
        self.view.theme = theme
        self._delegate.set_theme(theme)
        self.view.viewport().update()

    def csv_text(self) -> str:
        """Rows shown, from the top down, all columns, exact."""
        return csv_text(self.model.columns, self.model.rows())

    def export(self) -> None:
        """Ask for the rows shown to be saved."""
        self.export_asked.emit(f"{self._name}.csv", self.csv_text())

    def copy(self) -> None:
        """Put the selected rows on the clipboard, columns parted by tabs, with dates and venues."""
        shown = [c for s, c in enumerate(self.model.columns) if not self.view.isColumnHidden(s)]
        lines = ["\t".join(column.whole_text(row) for column in shown) for row in self.picked]
        QGuiApplication.clipboard().setText("\n".join(lines))

    @property
    def picked(self) -> list[T]:
        """Rows that are selected, from the top down."""
        places = sorted(index.row() for index in self.view.selectionModel().selectedRows())
        return [self.model.row(place) for place in places]

    @property
    def current_row(self) -> T | None:
        """Row that is picked; None where none is."""
        index = self.view.currentIndex()
        return self.model.row(index.row()) if index.isValid() else None

    def ask_why(self) -> None:
        """Ask how the picked row came about."""
        row = self.current_row
        if row is not None:
            self.why_asked.emit(row)

    def sort_by_arrival(self) -> None:
        """Go back to the newest row on top."""
        self.view.sortByColumn(-1, Qt.SortOrder.DescendingOrder)

    def save_state(self) -> bytes:
        """Columns shown, their order, widths and the sorting, for `restore_state`."""
        return bytes(self.view.horizontalHeader().saveState().data())

    def restore_state(self, state: bytes) -> bool:
        """Bring back what `save_state` gave; False where it does not fit this table."""
        return self.view.horizontalHeader().restoreState(QByteArray(state))

    def _tell_count(self) -> None:
        shown, total = self.model.rowCount(), self.model.total
        text = size_text(total, 0) if shown == total else f"{size_text(shown, 0)} / {size_text(total, 0)}"
        self._count.setText(self._count_text(text))

    def _count_text(self, count: str) -> str:
        return count

    def _apply_filter(self) -> None:
        wanted, narrowed, searched = self._search.text().strip().lower(), self._narrowed, self._searched
        if not wanted:
            self.model.set_filter(narrowed)
        elif narrowed is None:
            self.model.set_filter(lambda row: wanted in searched(row).lower())
        else:
            self.model.set_filter(lambda row: narrowed(row) and wanted in searched(row).lower())
        self._tell_count()

    def _on_rows_inserted(self, _parent: QModelIndex, first: int, last: int) -> None:
        bar = self.view.verticalScrollBar()
        if first == 0 and bar.value() > 0:  # keep what the user looks at in its place
            bar.setMaximum(bar.maximum() + last + 1)
            bar.setValue(bar.value() + last + 1)

    def prepare_menu(self) -> None:
        """Let a table say which of its deeds the picked rows allow, before its menu is shown."""

    def _on_menu_asked(self, place: QPoint) -> None:
        self.prepare_menu()
        menu = QMenu(self)
        menu.addActions(self._actions[: self._deeds])
        menu.addSeparator()
        menu.addActions(self._actions[self._deeds :])
        menu.exec(self.view.viewport().mapToGlobal(place))
        menu.deleteLater()

    def _on_header_menu_asked(self, place: QPoint) -> None:
        menu = self.column_menu()
        menu.exec(self.view.horizontalHeader().mapToGlobal(place))
        menu.deleteLater()

    def column_menu(self) -> QMenu:
        """Menu that shows and hides columns; at least one stays."""
        menu = QMenu(self)
        hidden = [self.view.isColumnHidden(section) for section in range(len(self.model.columns))]
        for section, column in enumerate(self.model.columns):
            action = menu.addAction(column.title)
            action.setCheckable(True)
            action.setChecked(not hidden[section])
            action.setEnabled(hidden[section] or hidden.count(False) > 1)
            action.toggled.connect(lambda on, at=section: self.view.setColumnHidden(at, not on))
        return menu
