"""The ticket's editors: a number that steps on its grid by keys and wheel, and what is wrong with it."""

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Final, override

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QKeyEvent, QWheelEvent
from PySide6.QtWidgets import QComboBox, QGridLayout, QHBoxLayout, QLabel, QLineEdit, QWidget

from widgets.numbers import mono_font
from widgets.ticket.typed import FieldError, decimal_of, plain, stepped

_STEPS: Final = {
    Qt.Key.Key_Up: 1,
    Qt.Key.Key_Down: -1,
    Qt.Key.Key_PageUp: 10,
    Qt.Key.Key_PageDown: -10,
}
_NOTCH: Final = 120


class StepEdit(QLineEdit):
    """A number as it is typed; arrows, page keys and the wheel step it, Esc leaves it.

    Attributes
    ----------
    step : Decimal or None
        Grid that it steps on; None steps nothing.
    start : callable
        Where stepping begins while the field is empty or no number; None is nowhere.
    """

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.step: Decimal | None = None
        self.start: Callable[[], Decimal | None] = lambda: None
        self._turned = 0
        self.setAccessibleName(name)
        self.setFont(mono_font(11))
        self.setAlignment(Qt.AlignmentFlag.AlignRight)

    def step_by(self, count: int) -> None:
        """Step so many times up, or down."""
        if self.step is None:
            return
        try:
            value = decimal_of(self.text(), "", scaled=True)
        except FieldError:
            begin = self.start()
            if begin is not None:
                self.setText(plain(begin))
            return
        self.setText(plain(stepped(value, self.step, count)))

    @override
    def event(self, event: QEvent) -> bool:
        # Otherwise the window's own keys take the arrows and Esc away.
        if (
            isinstance(event, QKeyEvent)
            and event.type() == QEvent.Type.ShortcutOverride
            and (event.key() in _STEPS or event.key() == Qt.Key.Key_Escape)
        ):
            event.accept()
            return True
        return super().event(event)

    @override
    def keyPressEvent(self, event: QKeyEvent) -> None:
        count = _STEPS.get(Qt.Key(event.key()))
        if event.key() == Qt.Key.Key_Escape:
            self.clearFocus()  # the keys of trading work again
        elif count is None:
            super().keyPressEvent(event)
        else:
            self.step_by(count * (10 if event.modifiers() & Qt.KeyboardModifier.ShiftModifier else 1))

    @override
    def wheelEvent(self, event: QWheelEvent) -> None:
        if not self.hasFocus() or self.step is None:
            event.ignore()  # scrolls the ticket
            return
        self._turned += event.angleDelta().y() or event.angleDelta().x()
        notches = int(self._turned / _NOTCH)
        self._turned -= notches * _NOTCH
        if notches:
            self.step_by(notches)
        event.accept()


class Row(QWidget):
    """A label, its editors beside each other, and under them what is wrong with them.

    Signals
    -------
    changed()
        Something was typed or chosen in it.
    """

    changed = Signal()

    def __init__(self, label: str | QWidget, editors: Sequence[QWidget]) -> None:
        super().__init__()
        self._fault = QLabel()
        self._fault.setObjectName("form_error")
        self._fault.setWordWrap(True)
        self._fault.hide()
        head = QLabel(label) if isinstance(label, str) else label
        if isinstance(head, QLabel):
            head.setObjectName("quiet")
        line = QHBoxLayout()
        line.setSpacing(4)
        for editor in editors:
            # The first takes the room: a number, or the box that has no number before it.
            line.addWidget(editor, 1 if editor is editors[0] else 0)
            if isinstance(editor, QLineEdit):
                editor.textChanged.connect(self._on_changed)
            elif isinstance(editor, QComboBox):
                editor.currentIndexChanged.connect(self._on_changed)
        self._lines = [editor for editor in editors if isinstance(editor, QLineEdit)]
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(8)
        grid.setVerticalSpacing(2)
        grid.setColumnMinimumWidth(0, 64)
        grid.setColumnStretch(1, 1)
        grid.addWidget(head, 0, 0)
        grid.addLayout(line, 0, 1)
        grid.addWidget(self._fault, 1, 0, 1, 2)

    @property
    def fault(self) -> str:
        """What is said to be wrong; empty where nothing is."""
        return "" if self._fault.isHidden() else self._fault.text()

    def show_fault(self, text: str, editor: QLineEdit | None = None) -> None:
        """Say what is wrong with it, or with one of its editors; empty where nothing is."""
        if self._fault.text() != text:
            self._fault.setText(text)
        self._fault.setVisible(bool(text))
        for line in self._lines:
            invalid = bool(text) and (editor is None or line is editor)
            if line.property("invalid") != invalid:
                line.setProperty("invalid", invalid)
                line.style().unpolish(line)
                line.style().polish(line)

    def _on_changed(self, _: object = None) -> None:
        self.changed.emit()


def choice(entries: Sequence[tuple[str, object]], name: str) -> QComboBox:
    """Box of texts, each with what it stands for."""
    box = QComboBox()
    box.setAccessibleName(name)
    box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
    for text, data in entries:
        box.addItem(text, data)
    return box


def choose(box: QComboBox, data: object) -> None:
    """Choose what stands for this; nothing where there is none."""
    index = box.findData(data)
    if index >= 0:
        box.setCurrentIndex(index)
