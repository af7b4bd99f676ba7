"""Connections to venues: which there are, their parameters and keys, what each can do, whether it answers."""

from collections.abc import Mapping
from typing import Final

import msgspec
from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFormLayout,
    QFrame,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from app.profiles import Profiles, kept_of
from app.secrets import Secrets
from app.windows.background import Background
from app.windows.connection_text import capability_rows
from app.windows.key_fields import KeyFields
from engine.credentials.asking import Ask, asked_over_http
from engine.credentials.checks import check_connection
from engine.credentials.standing import Standing
from engine.errors import UserError
from engine.messages.connection import Connection, Value
from engine.nautilus.adapters import ADAPTERS, Adapter, adapter_named, parameters_of
from engine.nautilus.adapters.clients import real_money_refused
from widgets.form import FormError, ParameterForm

_SIZE: Final = (920, 680)
_LIST_WIDTH: Final = 220
_GAP: Final = 8
_ROW: Final = 22


class ConnectionsDialog(QDialog):
    """Edits connection profiles and their keys.

    Parameters
    ----------
    live_trading : bool
        The person's setting of this name; without it the dialog says that real money is not traded.
    ask : Ask
        How a connection is tested.
    """

    def __init__(
        self,
        profiles: Profiles,
        secrets: Secrets,
        parent: QWidget | None = None,
        *,
        live_trading: bool = False,
        ask: Ask = asked_over_http,
    ) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(self.tr("Connections"))
        self.resize(*_SIZE)
        self._profiles, self._live_trading, self._ask = profiles, live_trading, ask
        self._adapter: Adapter = next(iter(ADAPTERS.values()))
        self._saved: str | None = None
        self._is_sure = False
        self._tests = Background(self)
        self._tests.answered.connect(self._on_tested)
        self._tests.broke.connect(self._on_broke)
        self.list = QListWidget()
        self.list.setFixedWidth(_LIST_WIDTH)
        self.kinds = QComboBox()
        for adapter in ADAPTERS.values():
            self.kinds.addItem(adapter.title, adapter.name)
        self._new, self._delete = self._button(self.tr("New")), self._button(self.tr("Delete"))
        self.name = QLineEdit()
        self.name.setAccessibleName("name")
        self.form = ParameterForm(self._fault_of)
        self.keys = KeyFields(secrets)
        self._venue, self._money, self._result = (
            _label("connection_venue"),
            _label("form_error"),
            _label("connection_result"),
        )
        self._can = QFormLayout()
        self._can.setVerticalSpacing(2)
        self._test, self._save = self._button(self.tr("Test connection")), self._button(self.tr("Save"))
        self._lay_out()
        self.list.currentTextChanged.connect(self._on_chosen)
        self._new.clicked.connect(lambda: self.start(str(self.kinds.currentData())))
        self._delete.clicked.connect(self.delete)
        self._test.clicked.connect(self.test)
        self._save.clicked.connect(self.save)
        self.form.changed.connect(self._on_edited)
        self._fill_list()
        if self.list.count():
            self.list.setCurrentRow(0)
        else:
            self.start(self._adapter.name)

    @property
    def told(self) -> str:
        """What the last test or save told."""
        return self._result.text()

    @property
    def money(self) -> str:
        """What stands there about real money; empty where a trial is chosen."""
        return self._money.text()

    @property
    def abilities(self) -> dict[str, str]:
        """What is shown of the venue, by label."""
        return dict(capability_rows(self._adapter))

    def start(self, adapter: str) -> None:
        """Begin a new profile of this adapter."""
        self.list.setCurrentRow(-1)
        name = adapter.replace("_", "-")
        taken = set(self._profiles.names())
        while name in taken:
            stem, _, number = name.rpartition("-")
            name = f"{stem}-{int(number) + 1}" if number.isdigit() and stem else f"{name}-2"
        self._show(Connection(name=name, adapter=adapter), saved=False)

    def choose(self, name: str) -> None:
        """Choose a profile, as a person would."""
        self.list.setCurrentItem(self.list.findItems(name, Qt.MatchFlag.MatchExactly)[0])

    def save(self) -> None:
        """Write the profile and keep the keys that were typed, or say what is wrong."""
        if self._saved is None and self.name.text().strip() in self._profiles.names():
            sentence = self.tr("There is a connection %1 already; call this one otherwise.")
            self._tell(sentence.replace("%1", self.name.text().strip()), bad=True)
            return
        try:
            connection = self._edited()
            self._profiles.save(connection)
        except UserError as error:
            self._tell(str(error), bad=True)
            return
        self._saved = connection.name
        self.keys.keep(kept_of(connection))
        self._fill_list(connection.name)
        self.name.setReadOnly(True)
        self._delete.setEnabled(True)
        self._tell(self.tr("%1 is saved.").replace("%1", connection.name))

    def delete(self) -> None:
        """Remove the profile with its keys, which nothing brings back; so it is asked for twice."""
        if self._saved is None:
            return
        if not self._is_sure:
            self._is_sure = True
            self._delete.setText(self.tr("Delete it and its keys for good?"))
            return
        gone = self._saved
        self.keys.remove()
        self._profiles.delete(gone)
        self._fill_list()
        if self.list.count():
            self.list.setCurrentRow(0)
        else:
            self.start(self._adapter.name)
        self._tell(self.tr("%1 is removed, with its keys.").replace("%1", gone))

    def test(self) -> None:
        """Ask the venue about the key, in the background; reads only."""
        try:
            connection = self._edited()
        except UserError as error:
            self._tell(str(error), bad=True)
            return
        read, ask = self.keys.merged(), self._ask
        self._test.setEnabled(False)
        self._tell(self.tr("Asking %1…").replace("%1", self._adapter.title))
        self._tests.ask(connection.name, lambda: check_connection(connection, read(), ask))

    def _edited(self) -> Connection:
        try:
            values = self.form.values()
        except FormError as error:
            raise UserError(str(error)) from error
        defaults = {field.name: field.default for field in msgspec.structs.fields(self._adapter.parameters)}
        changed = {
            name: value
            for name, value in values.items()
            if name == "environment" or value != msgspec.to_builtins(defaults[name])
        }
        return Connection(name=self.name.text().strip(), adapter=self._adapter.name, parameters=changed)

    def _show(self, connection: Connection, *, saved: bool) -> None:
        self._adapter = adapter_named(connection.adapter)
        self._saved = connection.name if saved else None
        self.name.setText(connection.name)
        self.name.setReadOnly(saved)
        self.kinds.setCurrentIndex(self.kinds.findData(connection.adapter))
        self._venue.setText(self._adapter.title)
        self._ask_first()
        while self._can.rowCount():
            self._can.removeRow(0)
        for label, text in capability_rows(self._adapter):
            self._can.addRow(label, _label("form_note", text))
        self._tell("")
        self.form.set_schema(msgspec.json.schema(self._adapter.parameters), connection.parameters)
        self.keys.show_keys(kept_of(connection), self._adapter)
        self._delete.setEnabled(saved)

    def _on_chosen(self, name: str) -> None:
        if not name or name == self._saved:
            return
        try:
            self._show(self._profiles.get(name), saved=True)
        except UserError as error:
            self._tell(str(error), bad=True)

    def _on_edited(self) -> None:
        sentence = ""
        try:
            parameters = parameters_of(self._adapter, self.form.values())
            if parameters.is_real_money:
                sentence = self.tr("Real money: orders of this connection cost it.")
                if not self._live_trading:
                    sentence = str(real_money_refused(self.name.text(), parameters))
        except (FormError, UserError):
            pass  # the form says what is wrong with it
        self._money.setText(sentence)
        self._money.setVisible(bool(sentence))

    def _ask_first(self) -> None:
        self._is_sure = False
        self._delete.setText(self.tr("Delete"))

    def _fault_of(self, values: Mapping[str, Value]) -> str:
        try:
            parameters_of(self._adapter, values)
        except UserError as error:
            return str(error)
        return ""

    def _on_tested(self, name: str, answer: object) -> None:
        self._test.setEnabled(True)
        if name != self.name.text().strip():
            return
        if isinstance(answer, Standing):
            self._tell(answer.sentence)
        else:
            self._tell(str(answer), bad=True)

    def _on_broke(self, error: Exception) -> None:
        self._test.setEnabled(True)
        raise error

    def _tell(self, sentence: str, *, bad: bool = False) -> None:
        self._result.setObjectName("form_error" if bad else "connection_result")
        self._result.style().unpolish(self._result)
        self._result.style().polish(self._result)
        self._result.setText(sentence)

    def _fill_list(self, chosen: str = "") -> None:
        self.list.blockSignals(True)
        self.list.clear()
        for name in self._profiles.names():
            item = QListWidgetItem(name, self.list)
            item.setSizeHint(QSize(0, _ROW))
        if chosen:
            self.choose(chosen)
        self.list.blockSignals(False)

    def _button(self, text: str) -> QPushButton:
        button = QPushButton(text)
        button.setAutoDefault(False)
        return button

    def _lay_out(self) -> None:
        making = QHBoxLayout()
        making.addWidget(self.kinds, 1)
        making.addWidget(self._new)
        left = QVBoxLayout()
        left.addWidget(self.list, 1)
        left.addLayout(making)
        left.addWidget(self._delete)
        head = QFormLayout()
        head.addRow(self.tr("Name"), self.name)
        head.addRow(self.tr("Venue"), self._venue)
        page = QWidget()
        column = QVBoxLayout(page)
        column.setContentsMargins(0, 0, _GAP, 0)
        column.setSpacing(_GAP)
        column.addLayout(head)
        column.addWidget(self.form)
        column.addWidget(self._money)
        column.addWidget(_heading(self.tr("Keys")))
        column.addWidget(self.keys)
        column.addWidget(_heading(self.tr("What it can")))
        column.addLayout(self._can)
        column.addStretch()
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setWidget(page)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.button(QDialogButtonBox.StandardButton.Close).setAutoDefault(False)
        buttons.addButton(self._save, QDialogButtonBox.ButtonRole.ActionRole)
        buttons.addButton(self._test, QDialogButtonBox.ButtonRole.ActionRole)
        buttons.rejected.connect(self.reject)
        right = QVBoxLayout()
        right.addWidget(scroll, 1)
        right.addWidget(self._result)
        right.addWidget(buttons)
        row = QHBoxLayout(self)
        row.addLayout(left)
        row.addLayout(right, 1)


def _label(name: str, text: str = "") -> QLabel:
    label = QLabel(text)
    label.setObjectName(name)
    label.setWordWrap(True)
    label.setTextFormat(Qt.TextFormat.PlainText)
    return label


def _heading(text: str) -> QLabel:
    label = _label("section", text)
    font = label.font()
    font.setBold(True)
    label.setFont(font)
    return label
