"""One sentence above the panels: what happened, what it means, what to do; never in the way of the market."""

from collections.abc import Callable
from typing import Literal

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPlainTextEdit, QPushButton, QVBoxLayout, QWidget

from widgets.numbers import mono_font

type Severity = Literal["info", "warning", "danger"]


class Banner(QWidget):
    """Shows one message at a time; a newer one takes the place of an older one.

    Parameters
    ----------
    stays : bool
        Whether only whoever said something can take it back, and its action leaves it there.

    Signals
    -------
    dismissed(str)
        The person put away the message of this key.
    """

    dismissed = Signal(str)

    def __init__(self, parent: QWidget | None = None, *, stays: bool = False) -> None:
        super().__init__(parent)
        self.setObjectName("banner")
        self._stays = stays
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.key = ""
        self._deed: Callable[[], None] | None = None
        self._text = QLabel()
        self._text.setTextFormat(Qt.TextFormat.PlainText)
        self._text.setWordWrap(True)
        self._action = QPushButton()
        self._action.clicked.connect(self._on_action_clicked)
        self._more = QPushButton(self.tr("Details"))
        self._more.setCheckable(True)
        self._dismiss = QPushButton(self.tr("Dismiss"))
        self._dismiss.clicked.connect(self.dismiss)
        self._dismiss.setVisible(not stays)
        self._details = QPlainTextEdit()
        self._details.setReadOnly(True)
        self._details.setFont(mono_font(11))
        self._details.setFixedHeight(140)
        self._details.hide()
        self._more.toggled.connect(self._details.setVisible)
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addWidget(self._text, 1)
        for button in (self._more, self._action, self._dismiss):
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            row.addWidget(button)
        column = QVBoxLayout(self)
        column.setContentsMargins(12, 6, 12, 6)
        column.addLayout(row)
        column.addWidget(self._details)
        self.hide()

    @property
    def text(self) -> str:
        """Sentence shown; empty where there is none."""
        return "" if self.isHidden() else self._text.text()

    @property
    def details(self) -> str:
        """Log lines that go with it."""
        return self._details.toPlainText()

    @property
    def more(self) -> QPushButton:
        """Button that shows or hides the details."""
        return self._more

    @property
    def action(self) -> QPushButton:
        """Button that does what the sentence proposes."""
        return self._action

    def say(
        self,
        text: str,
        *,
        severity: Severity = "info",
        key: str = "",
        details: str = "",
        action: tuple[str, Callable[[], None]] | None = None,
    ) -> None:
        """Show a sentence; `key` names its cause, so that `clear(key)` removes no other one."""
        self.key = key
        self._text.setText(text)
        if self.property("severity") != severity:
            self.setProperty("severity", severity)
            self.style().unpolish(self)
            self.style().polish(self)
        if self._details.toPlainText() != details:
            self._details.setPlainText(details)
        self._more.setVisible(bool(details))
        self._more.setChecked(self._more.isChecked() and bool(details))
        self._action.setVisible(action is not None)
        self._deed = None
        if action is not None:
            self._action.setText(action[0])
            self._deed = action[1]
        self.show()

    def clear(self, key: str | None = None) -> None:
        """Put the sentence away; with a key only where it is that cause's."""
        if key is None or key == self.key:
            self.key = ""
            self.hide()

    def dismiss(self) -> None:
        """Put the sentence away, as the person does."""
        key = self.key
        self.clear()
        self.dismissed.emit(key)

    def _on_action_clicked(self) -> None:
        deed = self._deed
        if not self._stays:
            self.clear()
        if deed is not None:
            deed()
