"""A dialog that goes on only when the account's name was typed: before Live, and after a halt."""

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QGridLayout, QLabel, QLineEdit, QVBoxLayout, QWidget


class ConfirmName(QDialog):
    """Asks for a name to be typed exactly.

    Parameters
    ----------
    sentence : str
        What will be so once it is confirmed.
    facts : sequence of (str, str)
        What it is about, by label.
    name : str
        What must be typed.
    deed : str
        Text of the button that goes on.

    Signals
    -------
    confirmed(str)
        The name was typed and the button pressed.
    """

    confirmed = Signal(str)

    def __init__(
        self,
        title: str,
        sentence: str,
        facts: Sequence[tuple[str, str]],
        name: str,
        deed: str,
        parent: QWidget,
    ) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(title)
        self.setMinimumWidth(420)
        self._name = name
        told = QLabel(sentence)
        told.setWordWrap(True)
        grid = QGridLayout()
        grid.setHorizontalSpacing(16)
        grid.setVerticalSpacing(4)
        grid.setColumnStretch(1, 1)
        for row, (label, text) in enumerate(facts):
            head, value = QLabel(label), QLabel(text)
            head.setObjectName("quiet")
            value.setWordWrap(True)
            value.setTextFormat(Qt.TextFormat.PlainText)
            grid.addWidget(head, row, 0, Qt.AlignmentFlag.AlignTop)
            grid.addWidget(value, row, 1)
        asked = QLabel(self.tr("Type the account's name, %1, to go on.").replace("%1", name))
        self.field = QLineEdit()
        self.field.setAccessibleName(self.tr("Account's name"))
        self.field.textChanged.connect(self._on_typed)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel)
        self.go = buttons.addButton(deed, QDialogButtonBox.ButtonRole.AcceptRole)
        self.go.setObjectName("danger")
        self.go.setEnabled(False)
        buttons.accepted.connect(self._on_accepted)
        buttons.rejected.connect(self.reject)
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 16, 16, 16)
        column.setSpacing(12)
        column.addWidget(told)
        column.addLayout(grid)
        column.addWidget(asked)
        column.addWidget(self.field)
        column.addWidget(buttons)
        self.field.setFocus()

    def _on_typed(self, text: str) -> None:
        self.go.setEnabled(text.strip() == self._name)

    def _on_accepted(self) -> None:
        if self.field.text().strip() == self._name:
            self.confirmed.emit(self._name)
            self.accept()
