"""Saying what the columns of a table are: a role above each, proposed and to be checked."""

from typing import Final, Literal

import msgspec
from PySide6.QtCore import Signal
from PySide6.QtWidgets import (
    QComboBox,
    QDialogButtonBox,
    QFormLayout,
    QLabel,
    QLineEdit,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from app.mappings import mapping_text, save_mapping
from engine.errors import UserError
from engine.feeds.mapping import KINDS, NamedMapping, TableMapping, roles
from engine.feeds.mapping_proposal import Proposal
from engine.feeds.timestamps import TimeRule

_ROWS_SHOWN: Final = 6
_NO_ROLE: Final = "–"
_STAMPS: Final[tuple[Literal["open", "close"], ...]] = ("open", "close")
_UNSAVED: Final = "of this import"


class MappingPage(QWidget):
    """Shows a proposal, takes corrections.

    Signals
    -------
    accepted(NamedMapping)
        The table is to be read with this mapping, which is saved where the person named it.
    cancelled()
        The person wants to go back.
    """

    accepted = Signal(object)
    cancelled = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._proposal: Proposal | None = None
        self._kind = QComboBox()
        self._kind.addItems(list(KINDS))
        self._kind.currentIndexChanged.connect(self._on_kind_changed)
        self._format = QLineEdit()
        self._format.setPlaceholderText(self.tr("found out; else for example %m/%d/%Y %H:%M:%S"))
        self._zone = QLineEdit()
        self._zone.setPlaceholderText(self.tr("UTC; else for example America/New_York"))
        self._bars = QLineEdit()
        self._bars.setPlaceholderText("1-MINUTE-LAST")
        self._stamped = QComboBox()
        self._stamped.addItems([self.tr("their opening"), self.tr("their close")])
        self._scale = QLineEdit()
        self._name = QLineEdit()
        self._name.setPlaceholderText(self.tr("a name, to use it again for tables with this header"))
        self._rows = QTableWidget()
        self._rows.verticalHeader().hide()
        self._rows.setEditTriggers(QTableWidget.EditTrigger.NoEditTriggers)
        self._rows.setSelectionMode(QTableWidget.SelectionMode.NoSelection)
        self._doubts = QLabel()
        self._doubts.setObjectName("form_note")
        self._doubts.setWordWrap(True)
        self._fault = QLabel()
        self._fault.setObjectName("form_error")
        self._fault.setWordWrap(True)
        self._fault.hide()
        self._lay_out()

    def _lay_out(self) -> None:
        self._form = QFormLayout()
        self._form.addRow(self.tr("A row is one of"), self._kind)
        self._form.addRow(self.tr("Bars"), self._bars)
        self._form.addRow(self.tr("Bars are named by"), self._stamped)
        self._form.addRow(self.tr("Times are written"), self._format)
        self._form.addRow(self.tr("Their time zone"), self._zone)
        self._form.addRow(self.tr("Price scale"), self._scale)
        self._form.addRow(self.tr("Save as"), self._name)
        buttons = QDialogButtonBox()
        back = buttons.addButton(self.tr("Back"), QDialogButtonBox.ButtonRole.RejectRole)
        go = buttons.addButton(self.tr("Import"), QDialogButtonBox.ButtonRole.AcceptRole)
        back.clicked.connect(self.cancelled)
        go.clicked.connect(self.accept)
        column = QVBoxLayout(self)
        column.addWidget(self._rows, 1)
        column.addWidget(self._doubts)
        column.addLayout(self._form)
        column.addWidget(self._fault)
        column.addWidget(buttons)

    @property
    def fault(self) -> str:
        """What is wrong with the answers; empty where nothing is."""
        return self._fault.text()

    def show_proposal(self, proposal: Proposal) -> None:
        """Begin with this proposal."""
        self._proposal = None
        mapping, table = proposal.mapping, proposal.table
        count = min(_ROWS_SHOWN, len(table.lines))
        numbers = [str(number + 1) for number in range(len(table.columns))]
        self._rows.setRowCount(count + 1)
        self._rows.setColumnCount(len(table.columns))
        self._rows.setHorizontalHeaderLabels(table.names or numbers)
        for at, column in enumerate(table.columns):
            self._rows.setCellWidget(0, at, QComboBox())
            for row in range(count):
                self._rows.setItem(row + 1, at, QTableWidgetItem(str(column[row])))
        self._doubts.setText("\n".join(proposal.unsure))
        self._doubts.setVisible(bool(proposal.unsure))
        self._format.setText(mapping.time.format)
        self._zone.setText(mapping.time.zone)
        self._bars.setText(mapping.bars)
        self._stamped.setCurrentIndex(_STAMPS.index(mapping.stamped))
        self._scale.setText(mapping.price_scale)
        self._proposal = proposal
        self._kind.setCurrentText(mapping.kind)
        self._on_kind_changed()
        self._rows.resizeColumnsToContents()

    def choose(self, column: int, role: str) -> None:
        """Say what a column (from 0) is."""
        self._role(column).setCurrentText(role)

    def name(self, name: str) -> None:
        """Name what is to be saved."""
        self._name.setText(name)

    def mapping(self) -> TableMapping:
        """What the person says.

        Raises
        ------
        UserError
            A role is given twice or lacking, or a value cannot be.
        """
        proposal = self._proposal
        if proposal is None:
            raise UserError(self.tr("There is no table yet."))
        names = proposal.table.names
        columns: dict[str, str] = {}
        for at in range(self._rows.columnCount()):
            role = self._role(at).currentText()
            if role in columns:
                raise UserError(self.tr("Two columns are %1; leave one of them out.").replace("%1", role))
            if role != _NO_ROLE:
                columns[role] = names[at] if names and names.count(names[at]) == 1 else str(at + 1)
        kind = KINDS[self._kind.currentIndex()]
        found = TableMapping(
            kind=kind,
            header=proposal.mapping.header,
            columns=columns,
            bars=self._bars.text().strip() if kind == "bars" else "",
            stamped=_STAMPS[self._stamped.currentIndex()],
            price_scale=self._scale.text().strip() or "1",
            buy=proposal.mapping.buy,
            sell=proposal.mapping.sell,
            time=msgspec.structs.replace(
                TimeRule(zone=self._zone.text().strip()), format=self._format.text().strip()
            ),
        )
        if found.missing:
            raise UserError(self.tr("Say which column is %1.").replace("%1", ", ".join(found.missing)))
        return found

    def accept(self) -> None:
        """Take the answers and save them where they are named; or say what is wrong."""
        name = self._name.text().strip()
        try:
            mapping = self.mapping()
            if name:
                save_mapping(name, mapping_text(mapping))
        except UserError as error:
            self._fault.setText(str(error))
            self._fault.show()
            return
        self._fault.clear()
        self._fault.hide()
        self.accepted.emit(NamedMapping(name or self.tr(_UNSAVED), mapping))

    def _role(self, column: int) -> QComboBox:
        widget = self._rows.cellWidget(0, column)
        assert isinstance(widget, QComboBox)  # noqa: S101 - `show_proposal` put it there
        return widget

    def _on_kind_changed(self) -> None:
        """Offer the roles of the kind, keeping what is said already."""
        if self._proposal is None:
            return
        mapping, names = self._proposal.mapping, self._proposal.table.names
        kind = KINDS[self._kind.currentIndex()]
        offered = [_NO_ROLE, *roles(kind), *(role for role in mapping.columns if role not in roles(kind))]
        if kind != mapping.kind:
            offered = [_NO_ROLE, *roles(kind)]
        of = {theirs: role for role, theirs in mapping.columns.items()}
        for at in range(self._rows.columnCount()):
            chosen = self._role(at)
            before = chosen.currentText() or of.get(names[at] if names else str(at + 1), _NO_ROLE)
            chosen.clear()
            chosen.addItems(offered)
            chosen.setCurrentText(before if before in offered else _NO_ROLE)
        for field in (self._bars, self._stamped):
            self._form.setRowVisible(field, kind == "bars")
