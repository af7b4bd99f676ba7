"""Repairing stored rows: what can be done about findings, shown before it is done, and undone again."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec
from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFormLayout,
    QLabel,
    QLineEdit,
    QVBoxLayout,
    QWidget,
)

from app.commands.data.repair import told
from app.corrections import Label, offers
from app.windows.background import Background
from engine.errors import UserError
from engine.messages.data import Finding, Repair
from engine.store import Store
from engine.store.corrections import Correction
from engine.store.repairs import Preview, apply, preview

_WIDTH: Final = 620


class RepairDialog(QDialog):
    """Asks what to do about findings, shows what that would change, and does it.

    Signals
    -------
    repaired(object)
        The `Repair` that was made.
    """

    repaired = Signal(object)

    def __init__(self, found: Sequence[Finding], store: Path, parent: QWidget | None = None) -> None:
        """Raise `UserError` where nothing can be done about these findings."""
        self._offers = offers(found)
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(self.tr("Repair stored rows"))
        self.setMinimumWidth(_WIDTH)
        self._store, self._instrument = Store(store), found[0].instrument
        self._action = QComboBox()
        for offer in self._offers:
            self._action.addItem(self._label(offer.label, found), offer.correction)
        self._reason = QLineEdit(found[0].text if len(found) == 1 else f"{found[0].check} × {len(found)}")
        self._shown = QLabel()
        self._shown.setWordWrap(True)
        self._shown.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._shown.setAlignment(Qt.AlignmentFlag.AlignTop)
        self._shown.setMinimumHeight(8 * self.fontMetrics().lineSpacing())
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel)
        self._go = buttons.addButton(self.tr("Repair"), QDialogButtonBox.ButtonRole.AcceptRole)
        buttons.accepted.connect(self.repair)
        buttons.rejected.connect(self.reject)
        form = QFormLayout()
        form.addRow(self.tr("Instrument"), QLabel(f"{self._instrument}  {found[0].kind}"))
        form.addRow(self.tr("Action"), self._action)
        form.addRow(self.tr("Reason"), self._reason)
        form.addRow(self.tr("What changes"), self._shown)
        note = QLabel(self.tr("The rows that go are kept; the repair can be undone under Repairs."))
        note.setObjectName("form_note")
        column = QVBoxLayout(self)
        column.addLayout(form)
        column.addWidget(note)
        column.addWidget(buttons)
        self._background = Background(self)
        self._background.answered.connect(self._on_answered)
        self._background.broke.connect(self._on_broke)
        self._action.currentIndexChanged.connect(self.look)
        self.look()

    def _label(self, label: Label, found: Sequence[Finding]) -> str:
        words = {
            "drop-like": self.tr("Take out all %1 rows in this time"),
            "fill-like": self.tr("Give %1 quotes in this time the values of the last good one"),
            "drop-rows": self.tr("Take out exactly these rows"),
            "fill-rows": self.tr("Give exactly these quotes the values of the last good one"),
        }
        return words[label].replace("%1", found[0].check)

    @property
    def text(self) -> str:
        """What the repair would change, or why it cannot be made."""
        return self._shown.text()

    def choose(self, label: Label) -> None:
        """Choose an action, as a person would."""
        self._action.setCurrentIndex([offer.label for offer in self._offers].index(label))

    def look(self) -> None:
        """Find out what the chosen action would change."""
        correction: Correction = self._action.currentData()
        self._go.setEnabled(False)
        self._shown.setText(self.tr("Looking…"))
        self._background.ask(correction, lambda: preview(self._store, self._instrument, correction))

    def repair(self) -> None:
        """Make the change that is shown."""
        chosen: Correction = self._action.currentData()
        correction = msgspec.structs.replace(chosen, reason=self._reason.text().strip())
        self._go.setEnabled(False)
        self._shown.setText(self.tr("Repairing…"))
        self._background.ask(correction, lambda: apply(self._store, self._instrument, correction))

    def _on_answered(self, asked: object, answer: object) -> None:
        match answer:
            case Preview() if asked is self._action.currentData():
                self._shown.setText("\n".join(told(answer, "would")))
                self._go.setEnabled(answer.rows_removed > 0)
            case Repair():
                self.repaired.emit(answer)
                self.accept()
            case UserError():
                self._shown.setText(str(answer))
            case _:
                pass  # of an action that is no longer chosen

    def _on_broke(self, error: BaseException) -> None:
        self._shown.setText(self.tr("The repair failed by a fault in the station; nothing was changed."))
        raise error
