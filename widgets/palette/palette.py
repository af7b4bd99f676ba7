"""The command palette: every action by a few letters of its name, with its key beside it."""

from collections.abc import Sequence
from typing import Final, override

import msgspec
from PySide6.QtCore import (
    QAbstractListModel,
    QEvent,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    QRect,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import QKeyEvent, QPainter
from PySide6.QtWidgets import (
    QFrame,
    QLineEdit,
    QListView,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from widgets.palette.matching import match_score
from widgets.theme import Theme

_ROW_PX: Final = 28
_ROWS: Final = 12
_WIDTH: Final = 520

type _Index = QModelIndex | QPersistentModelIndex


class Entry(msgspec.Struct, frozen=True):
    """One thing to choose: its id, its name, where it belongs and the key that does the same."""

    id: str
    text: str
    group: str = ""
    key: str = ""


class _Entries(QAbstractListModel):
    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.rows: list[Entry] = []

    def show(self, rows: list[Entry]) -> None:
        self.beginResetModel()
        self.rows = rows
        self.endResetModel()

    @override
    def rowCount(self, parent: _Index | None = None) -> int:
        return len(self.rows)

    @override
    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        return self.rows[index.row()].text if role == Qt.ItemDataRole.DisplayRole else None


class _Row(QStyledItemDelegate):
    def __init__(self, theme: Theme, model: _Entries, parent: QObject) -> None:
        super().__init__(parent)
        self.theme = theme
        self._model = model

    @override
    def sizeHint(self, option: QStyleOptionViewItem, index: _Index) -> QSize:
        return QSize(0, _ROW_PX)  # as wide as the list

    @override
    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: _Index) -> None:
        entry = self._model.rows[index.row()]
        box: QRect = option.rect
        view = self.parent()
        if isinstance(view, QListView) and view.currentIndex().row() == index.row():
            painter.fillRect(box, self.theme.colour("selection"))
        inner = box.adjusted(12, 0, -12, 0)
        middle = Qt.AlignmentFlag.AlignVCenter
        painter.setPen(self.theme.colour("text"))
        used = painter.boundingRect(inner, middle | Qt.AlignmentFlag.AlignLeft, entry.text)
        painter.drawText(inner, middle | Qt.AlignmentFlag.AlignLeft, entry.text)
        painter.setPen(self.theme.colour("quiet"))
        if entry.group:
            beside = inner.adjusted(used.width() + 12, 0, 0, 0)
            painter.drawText(beside, middle | Qt.AlignmentFlag.AlignLeft, entry.group)
        painter.drawText(inner, middle | Qt.AlignmentFlag.AlignRight, entry.key)


class CommandPalette(QFrame):
    """A search field and the entries that match, over the window.

    Signals
    -------
    chosen(str)
        Id of the entry that the person chose; the palette is closed by then.
    """

    chosen = Signal(str)

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent, Qt.WindowType.Popup)
        self._window = parent
        self.setObjectName("palette")
        self._entries: list[Entry] = []
        self._field = QLineEdit()
        self._field.setPlaceholderText(self.tr("What do you want to do?"))
        self._field.textChanged.connect(self._on_text_changed)
        self._field.installEventFilter(self)
        self._model = _Entries(self)
        self._list = QListView()
        self._list.setModel(self._model)
        self._list.setUniformItemSizes(True)
        self._list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._list.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._list.clicked.connect(self._on_clicked)
        self._row = _Row(theme, self._model, self._list)
        self._list.setItemDelegate(self._row)
        column = QVBoxLayout(self)
        column.setContentsMargins(1, 1, 1, 1)
        column.setSpacing(0)
        column.addWidget(self._field)
        column.addWidget(self._list)
        self.setFixedSize(_WIDTH, 42 + _ROWS * _ROW_PX)

    def set_theme(self, theme: Theme) -> None:
        """Paint in these colours."""
        self._row.theme = theme

    def open_with(self, entries: Sequence[Entry]) -> None:
        """Show these, with an empty search, at the top of the parent."""
        self._entries = list(entries)
        self._field.clear()
        self._on_text_changed("")
        parent = self._window
        at = parent.mapToGlobal(parent.rect().topLeft())
        self.move(at.x() + (parent.width() - _WIDTH) // 2, at.y() + 64)
        self.show()
        self._field.setFocus()

    def search(self, query: str) -> list[Entry]:
        """Entries that match, best first; those without a query in their given order."""
        scored = [
            (score, order, entry)
            for order, entry in enumerate(self._entries)
            if (score := match_score(query, f"{entry.text} {entry.group}")) is not None
        ]
        return [entry for _, _, entry in sorted(scored, key=lambda item: (-item[0], item[1]))]

    def _on_text_changed(self, text: str) -> None:
        self._model.show(self.search(text))
        self._list.setCurrentIndex(self._model.index(0))

    def _on_clicked(self, index: QModelIndex) -> None:
        self._choose(index.row())

    def _choose(self, row: int) -> None:
        if 0 <= row < len(self._model.rows):
            entry = self._model.rows[row]
            self.close()
            self.chosen.emit(entry.id)

    def _move(self, by: int) -> None:
        count = len(self._model.rows)
        if count:
            self._list.setCurrentIndex(self._model.index((self._list.currentIndex().row() + by) % count))

    @override
    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress:
            match event.key():
                case Qt.Key.Key_Down:
                    self._move(1)
                case Qt.Key.Key_Up:
                    self._move(-1)
                case Qt.Key.Key_Return | Qt.Key.Key_Enter:
                    self._choose(self._list.currentIndex().row())
                case _:
                    return super().eventFilter(watched, event)
            return True
        return super().eventFilter(watched, event)
