"""Head of a model card: name, verdict and why, what nobody may overlook, and the question of trust."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QCheckBox, QHBoxLayout, QLabel, QProgressBar, QPushButton, QVBoxLayout, QWidget

from widgets.model.card_parts import dress_button, words
from widgets.model.card_state import Card
from widgets.theme import Theme


class CardHead(QWidget):
    """Shows the first part of a `Card`.

    Signals
    -------
    trusted()
        The person ticked the box and pressed the button.
    convert_asked()
    """

    trusted = Signal()
    convert_asked = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("card_head")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._title, self._verdict, self._file = QLabel(), QLabel(), QLabel()
        self._explanation, self._problem, self._working = QLabel(), QLabel(), QLabel()
        for label, name in (
            (self._title, "card_title"),
            (self._file, "quiet"),
            (self._explanation, ""),
            (self._problem, "form_error"),
            (self._working, "quiet"),
        ):
            label.setObjectName(name)
            label.setTextFormat(Qt.TextFormat.PlainText)
        for label in (self._file, self._explanation, self._problem):
            label.setWordWrap(True)
            label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._verdict.setObjectName("mode")
        self._bar = QProgressBar()
        self._bar.setRange(0, 0)
        self._bar.setTextVisible(False)
        self._bar.setFixedWidth(96)
        self.convert_button = QPushButton()
        self.convert_button.clicked.connect(self.convert_asked)
        self._warned: tuple[str, ...] = ()
        self._warnings = QVBoxLayout()
        self._warnings.setSpacing(4)
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 12, 16, 12)
        column.setSpacing(6)
        column.addLayout(self._top())
        for widget in (self._file, self._explanation, self._trust(), self._problem):
            column.addWidget(widget)
        column.addLayout(self._warnings)

    def _top(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(12)
        row.addWidget(self._title)
        row.addWidget(self._verdict, 0, Qt.AlignmentFlag.AlignVCenter)
        row.addStretch(1)
        for widget in (self._working, self._bar, self.convert_button):
            row.addWidget(widget)
        return row

    def _trust(self) -> QWidget:
        self.trust_box, self._trust_words = QCheckBox(), QLabel()
        self._trust_words.setWordWrap(True)
        self.trust_button = QPushButton(self.tr("Trust this file"))
        self.trust_box.toggled.connect(self.trust_button.setEnabled)
        self.trust_button.clicked.connect(self.trusted)
        self._trust_row = QWidget()
        row = QHBoxLayout(self._trust_row)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        top = Qt.AlignmentFlag.AlignTop
        row.addWidget(self.trust_box, 0, top)
        row.addWidget(self._trust_words, 1)
        row.addWidget(self.trust_button, 0, top)
        return self._trust_row

    def show_card(self, card: Card, theme: Theme) -> None:
        """Show this; a tick is taken back where the words beside it are others."""
        self._title.setText(card.title)
        self._verdict.setText(card.verdict)
        colour = getattr(theme, card.verdict_tone)
        self._verdict.setStyleSheet(f"background: {colour}; color: {theme.panel};")
        self._verdict.setVisible(bool(card.verdict))
        self._file.setText(card.file)
        working = f"{card.working} …" if card.working else ""
        for label, text in (
            (self._explanation, card.explanation),
            (self._problem, card.problem),
            (self._working, working),
        ):
            label.setText(text)
            label.setVisible(bool(text))
        self._bar.setVisible(bool(working))
        if self._trust_words.text() != card.trust:
            self.trust_box.setChecked(False)
        self._trust_words.setText(card.trust)
        self._trust_row.setVisible(bool(card.trust))
        self.trust_button.setEnabled(self.trust_box.isChecked() and not working)
        dress_button(self.convert_button, card.convert)
        self._show_warnings(card.warnings, theme)

    def _show_warnings(self, warnings: tuple[str, ...], theme: Theme) -> None:
        if warnings == self._warned:
            return
        self._warned = warnings
        while (item := self._warnings.takeAt(0)) is not None:
            if (widget := item.widget()) is not None:
                widget.hide()
                widget.deleteLater()
        for text in warnings:
            label = words(text, theme)
            label.setObjectName("card_warning")
            label.setStyleSheet("")
            self._warnings.addWidget(label)
