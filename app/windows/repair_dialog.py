"""Repairing stored rows: what can be done, shown before it is done, and undone again."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final, cast

import msgspec
from PySide6.QtCore import Qt, QTimer, Signal
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
from app.corrections import Action, ByHand, Label, offers
from app.windows.background import Background
from engine.errors import UserError
from engine.messages.data import Finding, Repair
from engine.store import Store
from engine.store.corrections import Correction
from engine.store.repairs import Preview, apply, preview

_WIDTH: Final = 640
_TYPING_MS: Final = 400
_FIELDS: Final[dict[str, tuple[str, ...]]] = {
    "drop-range": ("start", "end"),
    "clip": ("start", "end", "low", "high"),
    "split-adjust": ("end", "ratio"),
}
"""What each correction by hand must be told."""


class RepairDialog(QDialog):
    """Asks what to do about stored rows of one kind, shows what that would change, and does it.

    Parameters
    ----------
    store : Path
        Folder of the tick store.
    instrument, kind : str
    found : sequence of Finding
        Of this instrument and kind; what can be done about them is offered first.
    day : str
        Prefills the range of a correction by hand.

    Signals
    -------
    repaired(object)
        The `Repair` that was made.

    Raises
    ------
    UserError
        Nothing can be done about these findings.
    """

    repaired = Signal(object)

    def __init__(
        self,
        store: Path,
        instrument: str,
        kind: str,
        found: Sequence[Finding] = (),
        day: str = "",
        parent: QWidget | None = None,
    ) -> None:
        offered = offers(found) if found else []
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(self.tr("Repair stored rows"))
        self.setMinimumWidth(_WIDTH)
        self._store, self._instrument, self._kind = Store(store), instrument, kind
        self._action = QComboBox()
        for offer in offered:
            self._action.addItem(self._about_findings(offer.label, found[0]), (offer.label, offer.correction))
        for action in ("drop-range", "clip", "split-adjust"):
            self._action.addItem(self._by_hand(action), (action, None))
        self._fields = {name: QLineEdit() for name in ("start", "end", "low", "high", "ratio")}
        for name in ("start", "end"):
            self._fields[name].setText(day)
            self._fields[name].setPlaceholderText("2019-02-04T09:30:00")
        self._fields["ratio"].setPlaceholderText(self.tr("4:1 is four new shares for one"))
        reason = "" if not found else found[0].text if len(found) == 1 else f"{found[0].check} × {len(found)}"
        self._reason = QLineEdit(reason)
        self._shown = QLabel()
        self._shown.setWordWrap(True)
        self._shown.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._shown.setAlignment(Qt.AlignmentFlag.AlignTop)
        self._shown.setMinimumHeight(8 * self.fontMetrics().lineSpacing())
        self._typing = QTimer(self, singleShot=True, interval=_TYPING_MS)
        self._asked: Correction | None = None
        self._lay_out()
        self._background = Background(self)
        self._background.answered.connect(self._on_answered)
        self._background.broke.connect(self._on_broke)
        self._typing.timeout.connect(self.look)
        for field in self._fields.values():
            field.textChanged.connect(self._typing.start)
        self._action.currentIndexChanged.connect(self._on_action)
        self._on_action()

    def _lay_out(self) -> None:
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel)
        self._go = buttons.addButton(self.tr("Repair"), QDialogButtonBox.ButtonRole.AcceptRole)
        buttons.accepted.connect(self.repair)
        buttons.rejected.connect(self.reject)
        self._form = QFormLayout()
        self._form.addRow(self.tr("Instrument"), QLabel(f"{self._instrument}  {self._kind}"))
        self._form.addRow(self.tr("Action"), self._action)
        for text, name in (
            (self.tr("From (UTC)"), "start"),
            (self.tr("To, or the split (UTC)"), "end"),
            (self.tr("Lowest price"), "low"),
            (self.tr("Highest price"), "high"),
            (self.tr("New shares for old"), "ratio"),
        ):
            self._form.addRow(text, self._fields[name])
        self._form.addRow(self.tr("Reason"), self._reason)
        self._form.addRow(self.tr("What changes"), self._shown)
        note = QLabel(self.tr("The rows that go are kept; the repair can be undone under Repairs."))
        note.setObjectName("form_note")
        column = QVBoxLayout(self)
        column.addLayout(self._form)
        column.addWidget(note)
        column.addWidget(buttons)

    def _about_findings(self, label: Label, first: Finding) -> str:
        words = {
            "drop-like": self.tr("Take out all %1 rows in this time"),
            "fill-like": self.tr("Give %1 quotes in this time the values of the last good one"),
            "drop-rows": self.tr("Take out exactly these rows"),
            "fill-rows": self.tr("Give exactly these quotes the values of the last good one"),
        }
        return words[label].replace("%1", first.check)

    def _by_hand(self, action: str) -> str:
        words = {
            "drop-range": self.tr("Take out all rows of a range of time"),
            "clip": self.tr("Clip prices to bounds: invents prices"),
            "split-adjust": self.tr("Adjust all rows before a split"),
        }
        return words[action]

    # What a person does

    @property
    def text(self) -> str:
        """What the repair would change, or why it cannot be made."""
        return self._shown.text()

    def choose(self, label: Label | Action, **fields: str) -> None:
        """Choose an action and fill its fields, as a person would."""
        labels = [self._action.itemData(place)[0] for place in range(self._action.count())]
        self._action.setCurrentIndex(labels.index(label))
        for name, text in fields.items():
            self._fields[name].setText(text)

    def _on_action(self) -> None:
        label, _ = self._action.currentData()
        for name, field in self._fields.items():
            self._form.setRowVisible(field, name in _FIELDS.get(label, ()))
        self.look()

    def _correction(self) -> Correction:
        label, correction = self._action.currentData()
        if correction is not None:
            return cast("Correction", correction)
        texts = {name: self._fields[name].text().strip() for name in _FIELDS[label]}
        return ByHand(action=label, kind=self._kind, **texts).correction()

    def look(self) -> None:
        """Find out what the chosen action would change."""
        self._go.setEnabled(False)
        try:
            correction = self._asked = self._correction()
        except UserError as error:
            self._asked = None
            self._shown.setText(str(error))
            return
        self._shown.setText(self.tr("Looking…"))
        self._background.ask(correction, lambda: preview(self._store, self._instrument, correction))

    def repair(self) -> None:
        """Make the change that is shown."""
        if self._asked is None:
            return
        correction = msgspec.structs.replace(self._asked, reason=self._reason.text().strip())
        self._go.setEnabled(False)
        self._shown.setText(self.tr("Repairing…"))
        self._background.ask(correction, lambda: apply(self._store, self._instrument, correction))

    # Slots

    def _on_answered(self, asked: object, answer: object) -> None:
        match answer:
            case Preview() if asked is self._asked:
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
