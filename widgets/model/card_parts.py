"""Pieces of a model card: facts under a heading, ticks, and small tables of figures."""

from collections.abc import Sequence
from typing import Final

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QLabel, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from widgets.model.card_state import Deed, Section, Table, Tick
from widgets.numbers import mono_font
from widgets.theme import Theme

_LABEL_PX: Final = 92
_RIGHT: Final = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
_SIGNS: Final[dict[bool | None, tuple[str, str]]] = {
    True: ("✓", "bid"),
    False: ("✗", "danger"),
    None: ("–", "quiet"),
}


def words(text: str, theme: Theme, token: str = "text") -> QLabel:  # noqa: S107 - a colour's name, no secret
    """Text that wraps and can be copied, in a token's colour."""
    label = QLabel(text)
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setWordWrap(True)
    label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    label.setStyleSheet(f"color: {getattr(theme, token)};")
    label.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Minimum)
    return label


def heading(text: str) -> QLabel:
    """Small quiet title."""
    label = QLabel(text)
    label.setObjectName("card_heading")
    label.setIndent(0)
    return label


def group(title: str, *parts: QWidget) -> QWidget:
    """Parts under one heading."""
    view = QWidget()
    column = QVBoxLayout(view)
    column.setContentsMargins(0, 0, 0, 0)
    column.setSpacing(6)
    for part in (heading(title), *parts):
        column.addWidget(part)
    return view


def section_view(section: Section, theme: Theme) -> QWidget:
    """Facts under their heading, then the table."""
    facts = QWidget()
    grid = QGridLayout(facts)
    grid.setContentsMargins(0, 0, 0, 0)
    grid.setHorizontalSpacing(8)
    grid.setVerticalSpacing(2)
    grid.setColumnMinimumWidth(0, _LABEL_PX)
    grid.setColumnStretch(1, 1)
    for row, fact in enumerate(section.facts):
        name = QLabel(fact.label)
        name.setObjectName("quiet")
        grid.addWidget(name, row, 0, Qt.AlignmentFlag.AlignTop)
        text = words(fact.text, theme, fact.tone)
        text.setToolTip(fact.tip)
        grid.addWidget(text, row, 1)
    table = [table_view(section.table, theme)] if section.table.lines else []
    return group(section.title, facts, *table)


def ticks_view(ticks: Sequence[Tick], theme: Theme) -> QWidget:
    """One line for each thing that was verified; sign, name and what was found."""
    view = QWidget()
    grid = QGridLayout(view)
    grid.setContentsMargins(0, 0, 0, 0)
    grid.setHorizontalSpacing(8)
    grid.setVerticalSpacing(2)
    grid.setColumnMinimumWidth(1, _LABEL_PX - 16)
    grid.setColumnStretch(2, 1)
    for row, tick in enumerate(ticks):
        sign, token = _SIGNS[tick.ok]
        mark = words(sign, theme, token)
        mark.setFont(mono_font(12, bold=True))
        name = QLabel(tick.label)
        top = Qt.AlignmentFlag.AlignTop
        grid.addWidget(mark, row, 0, top)
        grid.addWidget(name, row, 1, top)
        grid.addWidget(words(tick.text, theme, "danger" if tick.ok is False else "quiet"), row, 2)
    return view


def table_view(table: Table, theme: Theme) -> QWidget:
    """Figures in columns, at the right of their columns; the best line is marked."""
    view = QWidget()
    grid = QGridLayout(view)
    grid.setContentsMargins(0, 0, 0, 0)
    grid.setHorizontalSpacing(12)
    grid.setVerticalSpacing(2)
    for place, name in enumerate(table.columns):
        head = QLabel(name)
        head.setObjectName("card_column")
        grid.addWidget(head, 0, place, _RIGHT if place else Qt.AlignmentFlag.AlignLeft)
    for row, line in enumerate(table.lines, start=1):
        colour = theme.signal if line.best else theme.text
        for place, cell in enumerate(line.cells):
            label = QLabel(f"{cell} ●" if line.best and place == 0 else cell)
            label.setStyleSheet(f"color: {colour};")
            if place:
                label.setFont(mono_font(11))
            grid.addWidget(label, row, place, _RIGHT if place else Qt.AlignmentFlag.AlignLeft)
        if line.note:
            grid.addWidget(words(line.note, theme, "quiet"), row, 1, 1, max(1, len(table.columns) - 1))
    grid.setColumnStretch(len(table.columns), 0)
    grid.setColumnStretch(0, 1)
    return view


def dress_button(button: QPushButton, deed: Deed) -> None:
    """Give a button its words, its tip and whether it can be pressed; without words it is not shown."""
    button.setText(deed.text)
    button.setToolTip(deed.tip)
    button.setEnabled(deed.enabled)
    button.setVisible(bool(deed.text))
