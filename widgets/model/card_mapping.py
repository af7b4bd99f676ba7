"""Asks what a model without a passport reads and tells; filled with what was guessed, used by one button."""

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import (
    QComboBox,
    QFormLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from widgets.model.card_parts import heading, words
from widgets.model.card_state import Choice, Mapping, MappingAnswers
from widgets.theme import Theme


class MappingForm(QWidget):
    """One mapping, to be confirmed or corrected.

    Signals
    -------
    used(MappingAnswers)
        The person wants exactly this mapping.
    """

    used = Signal(object)

    def __init__(self, mapping: Mapping, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        answers = mapping.answers
        self.features = _choices(mapping.features, answers.features)
        self.output = _choices(mapping.outputs, answers.output)
        self.meaning = _choices(mapping.meanings, answers.meaning)
        self.classes = QLineEdit(answers.classes)
        self.classes.setPlaceholderText(self.tr("in the model's order, for example: down, flat, up"))
        self.window_rows = QLineEdit("" if answers.window is None else str(answers.window))
        self.horizon = QLineEdit(answers.horizon)
        self.horizon.setPlaceholderText(self.tr("rows (100) or a time (10s)"))
        self.fit_on = _choices(mapping.fits, answers.fit_on)
        self.use = QPushButton(self.tr("Use this mapping"))
        self.use.setDefault(True)
        self.use.setToolTip(self.tr("Write it down as the model's passport and keep both"))
        self.use.clicked.connect(self._on_use_clicked)
        form = QFormLayout()
        form.setHorizontalSpacing(8)
        form.setVerticalSpacing(4)
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.ExpandingFieldsGrow)
        form.addRow(self.tr("Reads"), self.features)
        if len(mapping.outputs) > 1:
            form.addRow(self.tr("Prediction"), self.output)
        form.addRow(self.tr("Its output is"), self.meaning)
        form.addRow(self.tr("Class names"), self.classes)
        self._can_be_used = bool(mapping.features)
        self._has_free_window = answers.window is not None
        if self._has_free_window:
            form.addRow(self.tr("Window, rows"), self.window_rows)
        form.addRow(self.tr("Looks ahead"), self.horizon)
        form.addRow(self.tr("Inputs are"), self.fit_on)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addWidget(heading(self.tr("What it reads and tells")))
        column.addLayout(form)
        if mapping.problem:
            column.addWidget(words(mapping.problem, theme, "danger"))
        if mapping.assumed:
            column.addWidget(QLabel(self.tr("Assumed, as the file does not tell:")))
            for sentence in mapping.assumed:
                column.addWidget(words(f"·  {sentence}", theme, "warning"))
        column.addWidget(self.use)
        column.addStretch(1)
        self.meaning.currentIndexChanged.connect(self._on_meaning_chosen)
        self._on_meaning_chosen()

    def answers(self) -> MappingAnswers:
        """What the form says now; a window that is no number is 0, which nobody accepts."""
        rows = self.window_rows.text().strip()
        window = (int(rows) if rows.isdecimal() else 0) if self._has_free_window else None
        return MappingAnswers(
            features=self.features.currentData(),
            output=self.output.currentData() or "",
            meaning=self.meaning.currentData() or "",
            classes=self.classes.text() if self.classes.isEnabled() else "",
            window=window,
            horizon=self.horizon.text(),
            fit_on=self.fit_on.currentData() or "",
        )

    def set_busy(self, *, busy: bool) -> None:
        """Let it be used only while nothing else is being done."""
        self.use.setEnabled(self._can_be_used and not busy)

    def _on_meaning_chosen(self) -> None:
        self.classes.setEnabled(self.meaning.currentData() != "value")

    def _on_use_clicked(self) -> None:
        self.used.emit(self.answers())


def _choices(choices: Sequence[Choice], chosen: str) -> QComboBox:
    box = QComboBox()
    box.setMinimumContentsLength(12)
    box.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
    box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
    for choice in choices:
        box.addItem(choice.text, choice.id)
    box.setCurrentIndex(max(0, next((n for n, c in enumerate(choices) if c.id == chosen), 0)))
    return box
