"""A form made of a struct's schema, so that a strategy's parameters need no form of their own."""

import math
from collections.abc import Callable, Mapping
from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QCheckBox, QComboBox, QFormLayout, QLabel, QLineEdit, QWidget

from widgets.form.fields import Field, Value, fields_of


class FormError(ValueError):
    """A value that the form refuses; the text is one sentence for the person."""


class ParameterForm(QWidget):
    """Edits the values of one struct.

    Parameters
    ----------
    check : callable or None
        Says in one sentence what is wrong with values that are each in range but do not go together; an empty
        text where nothing is.

    Signals
    -------
    changed()
        The person changed a value.
    """

    changed = Signal()

    def __init__(
        self, check: Callable[[dict[str, Value]], str] | None = None, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._check = check
        self._fields: list[Field] = []
        self._editors: dict[str, QLineEdit | QCheckBox | QComboBox] = {}
        self._grid = QFormLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(8)
        self._grid.setVerticalSpacing(4)
        self._grid.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.ExpandingFieldsGrow)
        self._error = QLabel()
        self._error.setObjectName("form_error")
        self._error.setWordWrap(True)
        self._error.hide()
        self._fault = ""

    @property
    def error(self) -> str:
        """What is wrong with the values now; empty where nothing is."""
        return self._fault

    @property
    def editors(self) -> list[QWidget]:
        """Fields from the top down; replaced by `set_schema`."""
        return list(self._editors.values())

    def set_schema(self, schema: Mapping[str, Any], values: Mapping[str, Value] | None = None) -> None:
        """Ask for the fields of `msgspec.json.schema(struct)`, filled with defaults and the given values."""
        while self._grid.rowCount():
            self._grid.takeRow(0) if self._holds_error(0) else self._grid.removeRow(0)
        self._editors = {}
        self._fields = fields_of(schema)
        for field in self._fields:
            value = (values or {}).get(field.name, field.default)
            editor = self._editor(field, value)
            self._editors[field.name] = editor
            label = QLabel(f"{field.title} ({field.unit})" if field.unit else field.title)
            tip = " — ".join(part for part in (field.description, field.range_text) if part)
            label.setToolTip(tip)
            editor.setToolTip(tip)
            editor.setAccessibleName(field.name)
            self._grid.addRow(label, editor)
            if field.zero_note:
                note = QLabel(field.zero_note)
                note.setObjectName("form_note")
                note.setWordWrap(True)
                self._grid.addRow("", note)
        self._grid.addRow(self._error)
        self._on_edited()

    def values(self) -> dict[str, Value]:
        """Values by name.

        Raises
        ------
        FormError
            A value is not of its type, outside its range, or at odds with another.
        """
        values = {field.name: self._value(field) for field in self._fields if not self._is_left_out(field)}
        if self._check is not None and (fault := self._check(values)):
            raise FormError(fault)
        return values

    def set_value(self, name: str, text: str) -> None:
        """Type a value, as a person would."""
        editor = self._editors[name]
        match editor:
            case QLineEdit():
                editor.setText(text)
            case QCheckBox():
                editor.setChecked(text == "true")
            case QComboBox():
                editor.setCurrentText(text)

    def _holds_error(self, row: int) -> bool:
        item = self._grid.itemAt(row, QFormLayout.ItemRole.SpanningRole)
        return item is not None and item.widget() is self._error

    def _editor(self, field: Field, value: Value | None) -> QLineEdit | QCheckBox | QComboBox:
        if field.kind == "boolean":
            box = QCheckBox()
            box.setChecked(bool(value))
            box.toggled.connect(self._on_edited)
            return box
        if field.kind == "choice":
            combo = QComboBox()
            combo.addItems(field.choices)
            combo.setCurrentText("" if value is None else str(value))
            combo.currentTextChanged.connect(self._on_edited)
            return combo
        line = QLineEdit("" if value is None else _number_text(value))
        line.setPlaceholderText(field.range_text)
        line.textChanged.connect(self._on_edited)
        return line

    def _is_left_out(self, field: Field) -> bool:
        editor = self._editors[field.name]
        may_be = field.default is None or field.optional
        return isinstance(editor, QLineEdit) and not editor.text().strip() and may_be

    def _value(self, field: Field) -> Value:
        editor = self._editors[field.name]
        match editor:
            case QCheckBox():
                return editor.isChecked()
            case QComboBox():
                return editor.currentText()
            case QLineEdit():
                return _typed(field, editor.text().strip())

    def _on_edited(self, _: object = None) -> None:
        faults = {}
        for field in self._fields:
            try:
                if not self._is_left_out(field):
                    self._value(field)
            except FormError as fault:
                faults[field.name] = str(fault)
        for name, editor in self._editors.items():
            invalid = name in faults
            if editor.property("invalid") != invalid:
                editor.setProperty("invalid", invalid)
                editor.style().unpolish(editor)
                editor.style().polish(editor)
        self._fault = next(iter(faults.values()), "")
        if not faults:
            try:
                self.values()
            except FormError as fault:
                self._fault = str(fault)
        self._error.setText(self._fault)
        self._error.setVisible(bool(self._fault))
        self.changed.emit()


def _typed(field: Field, text: str) -> Value:
    if field.kind == "text":
        return text
    try:
        value = int(text) if field.kind == "integer" else float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        what = "a whole number" if field.kind == "integer" else "a number"
        raise FormError(f"{field.title} must be {what}, not {text!r}.")
    if field.kind == "decimal":
        return text
    if fault := field.fault(value):
        raise FormError(fault)
    return value


def _number_text(value: Value) -> str:
    return f"{value:g}" if isinstance(value, float) and value == float(f"{value:g}") else str(value)
