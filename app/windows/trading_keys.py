"""A dialog with the keys of trading and the size that they trade; the settings file holds the same."""

from collections.abc import Mapping

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QGridLayout,
    QKeySequenceEdit,
    QLabel,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from app.windows.trading_actions import HOTKEYS


class TradingKeysDialog(QDialog):
    """Edits the keys; two actions never share one.

    Parameters
    ----------
    keys : mapping
        Chosen keys by the action's id; others have the table's.
    lots : int
        Size of an order by key.
    others : mapping
        Texts of the window's other actions by their keys, which are taken.

    Signals
    -------
    chosen(dict, int)
        Keys that differ from the table's by id, and lots.
    """

    chosen = Signal(object, int)

    def __init__(
        self, keys: Mapping[str, str], lots: int, others: Mapping[str, str], parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(self.tr("Trading keys"))
        self._others = others
        self.editors: dict[str, QKeySequenceEdit] = {}
        grid = QGridLayout()
        grid.setHorizontalSpacing(16)
        grid.setVerticalSpacing(4)
        self.lots = QSpinBox()
        self.lots.setRange(1, 1_000_000)
        self.lots.setValue(lots)
        self.lots.setAccessibleName(self.tr("Lots"))
        grid.addWidget(QLabel(self.tr("Size of an order by key, in lots")), 0, 0)
        grid.addWidget(self.lots, 0, 1)
        for row, act in enumerate(HOTKEYS, 1):
            editor = QKeySequenceEdit(QKeySequence(keys.get(act.id, act.keys)))
            editor.setClearButtonEnabled(True)
            editor.setMaximumSequenceLength(1)
            editor.setAccessibleName(act.label)
            editor.keySequenceChanged.connect(self._on_changed)
            self.editors[act.id] = editor
            grid.addWidget(QLabel(act.label), row, 0)
            grid.addWidget(editor, row, 1)
        note = QLabel(self.tr("They work while the session is armed, in the window and not in a text field."))
        note.setObjectName("form_note")
        note.setWordWrap(True)
        self.fault = QLabel()
        self.fault.setObjectName("form_error")
        self.fault.setWordWrap(True)
        buttons = QDialogButtonBox(
            QDialogButtonBox.StandardButton.Ok
            | QDialogButtonBox.StandardButton.Cancel
            | QDialogButtonBox.StandardButton.RestoreDefaults
        )
        self._ok = buttons.button(QDialogButtonBox.StandardButton.Ok)
        buttons.accepted.connect(self._on_accepted)
        buttons.rejected.connect(self.reject)
        buttons.button(QDialogButtonBox.StandardButton.RestoreDefaults).clicked.connect(self._on_restore)
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 16, 16, 16)
        column.setSpacing(12)
        column.addLayout(grid)
        column.addWidget(note)
        column.addWidget(self.fault)
        column.addWidget(buttons)
        self._on_changed()

    def keys(self) -> dict[str, str]:
        """Keys by action's id; an empty one is none."""
        portable = QKeySequence.SequenceFormat.PortableText
        return {name: editor.keySequence().toString(portable) for name, editor in self.editors.items()}

    def _on_changed(self) -> None:
        taken = dict(self._others)
        labels = {act.id: act.label for act in HOTKEYS}
        faults = []
        for name, key in self.keys().items():
            if key and key in taken:
                sentence = self.tr("%1 belongs to “%2” already; choose another key for “%3”.")
                faults.append(
                    sentence.replace("%1", key).replace("%2", taken[key]).replace("%3", labels[name])
                )
            elif key:
                taken[key] = labels[name]
        self.fault.setText(faults[0] if faults else "")
        self.fault.setVisible(bool(faults))
        self._ok.setEnabled(not faults)

    def _on_restore(self) -> None:
        for act in HOTKEYS:
            self.editors[act.id].setKeySequence(QKeySequence(act.keys))

    def _on_accepted(self) -> None:
        usual = {act.id: act.keys for act in HOTKEYS}
        changed = {name: key for name, key in self.keys().items() if key != usual[name]}
        self.chosen.emit(changed, self.lots.value())
        self.accept()
