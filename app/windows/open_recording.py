"""Choosing a recorded session to replay: what ran, when, how much was recorded, how it ended."""

from pathlib import Path
from typing import Final, override

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt, Signal
from PySide6.QtWidgets import (
    QAbstractItemView,
    QDialog,
    QDialogButtonBox,
    QHeaderView,
    QLabel,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from engine.errors import UserError
from engine.recording.recording import Recording, recordings
from engine.strategies import STRATEGIES
from widgets.numbers import date_time_text

type _Index = QModelIndex | QPersistentModelIndex

_LAST: Final = 4


class OpenRecordingDialog(QDialog):
    """Lists recordings, newest first, and builds the `Run` that replays one as it ran.

    Signals
    -------
    accepted_run(Run)
        The person wants this run.
    """

    accepted_run = Signal(object)

    def __init__(self, folder: Path, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(self.tr("Open a recording"))
        self.resize(860, 420)
        found, problems = recordings(folder)
        self._model = _Model(found, self)
        self._table = QTableView()
        self._table.setModel(self._model)
        self._table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self._table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self._table.setTabKeyNavigation(False)
        self._table.setShowGrid(False)
        self._table.verticalHeader().hide()
        self._table.verticalHeader().setDefaultSectionSize(24)
        header = self._table.horizontalHeader()
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(_LAST, QHeaderView.ResizeMode.Stretch)
        self._note = QLabel("\n".join(problems))
        self._note.setObjectName("form_note")
        self._note.setWordWrap(True)
        self._note.setTextFormat(Qt.TextFormat.PlainText)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel)
        self._open = buttons.addButton(self.tr("Replay"), QDialogButtonBox.ButtonRole.AcceptRole)
        self._open.setDefault(True)
        self._open.setEnabled(False)
        buttons.button(QDialogButtonBox.StandardButton.Cancel).setAutoDefault(False)
        buttons.accepted.connect(self.replay)
        buttons.rejected.connect(self.reject)
        column = QVBoxLayout(self)
        column.addWidget(self._table, 1)
        column.addWidget(self._note)
        column.addWidget(buttons)
        self._table.selectionModel().selectionChanged.connect(self._on_selected)
        self._table.doubleClicked.connect(self.replay)
        if found:
            self._table.selectRow(0)
        else:
            self._note.setText(
                "\n".join([*problems, self.tr("Nothing is recorded yet; every session of a window is.")])
            )

    @property
    def note(self) -> str:
        """What is said of the chosen recording."""
        return self._note.text()

    @property
    def rows(self) -> list[list[str]]:
        """Texts of the table."""
        return [self._model.texts(row) for row in range(self._model.rowCount())]

    def choose(self, row: int) -> None:
        """Choose a recording, as a person would."""
        self._table.selectRow(row)

    def replay(self) -> None:
        """Ask for the run of the chosen recording; nothing where it cannot be replayed."""
        recording = self._chosen
        if recording is None or not self._open.isEnabled():
            return
        self.accepted_run.emit(recording.replay())
        self.accept()

    @property
    def _chosen(self) -> Recording | None:
        rows = self._table.selectionModel().selectedRows()
        return self._model.recordings[rows[0].row()] if rows else None

    def _on_selected(self) -> None:
        recording = self._chosen
        if recording is None:
            self._open.setEnabled(False)
            return
        try:
            text, opens = self._told(recording)
        except UserError as error:
            text, opens = str(error), False
        self._note.setText(text)
        self._open.setEnabled(opens)

    def _told(self, recording: Recording) -> tuple[str, bool]:
        if not recording.manifest.market:
            return self.tr("It holds events alone, as market data were not to be recorded."), False
        market = recording.market()
        if not market:
            return self.tr("It ended before any market data came."), False
        rows = " · ".join(f"{found.rows:,} {kind}" for kind, found in market.items())
        first = min(found.first_ns for found in market.values())
        last = max(found.last_ns for found in market.values())
        lines = [rows, f"{date_time_text(first)} – {date_time_text(last)}"]
        if lost := recording.rows_lost:
            lines.append(self.tr("%1 rows that came are not in it.").replace("%1", f"{lost:,}"))
        return "\n".join(lines), True


class _Model(QAbstractTableModel):
    def __init__(self, found: list[Recording], parent: QWidget) -> None:
        super().__init__(parent)
        self.recordings = found
        self._texts = [self._text(recording) for recording in found]

    def texts(self, row: int) -> list[str]:
        return self._texts[row]

    def _text(self, recording: Recording) -> list[str]:
        manifest = recording.manifest
        strategy = manifest.run.strategy
        title = STRATEGIES[strategy].title if strategy in STRATEGIES else strategy
        return [
            date_time_text(manifest.started_ns),
            manifest.instrument.id,
            self.tr("no strategy") if strategy == "none" else title,
            f"{recording.bytes / 2**20:,.1f} MB",
            recording.ending,
        ]

    @override
    def rowCount(self, parent: _Index | None = None) -> int:
        return len(self.recordings)

    @override
    def columnCount(self, parent: _Index | None = None) -> int:
        return _LAST + 1

    @override
    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.ToolTipRole):
            return self._texts[index.row()][index.column()]
        return None

    @override
    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> object:
        if orientation is not Qt.Orientation.Horizontal or role != Qt.ItemDataRole.DisplayRole:
            return None
        names = ("Began (UTC)", "Instrument", "Strategy", "Size", "How it ended")
        return self.tr(names[section])
