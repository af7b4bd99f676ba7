"""Keys of one connection in a dialog: typed unseen, shown by their last four, and where they are kept.

A keyring may ask the person to unlock it, and a vault takes a moment to open, so both are read and written in
the background.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

import msgspec
from PySide6.QtCore import Signal
from PySide6.QtWidgets import (
    QFileDialog,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from app import passphrase
from app.key_import import from_file
from app.secrets import Profile, Secrets, masked, vault_path
from app.windows.background import Background
from engine.errors import UserError
from engine.nautilus.adapters import Adapter

_GAP: Final = 4


class Held(msgspec.Struct, frozen=True):
    """What was found of a profile's keys: masks by field, None for none; or why nothing could be found."""

    place: str
    masks: dict[str, str] | None
    fault: str = ""
    locked: bool = False


class KeyFields(QWidget):
    """Shows which keys are kept for a profile, and takes others.

    Signals
    -------
    changed()
        Keys were kept or removed.
    """

    changed = Signal()

    def __init__(self, secrets: Secrets, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._secrets = secrets
        self._profile: Profile | None = None
        self._editors: dict[str, QLineEdit] = {}
        self._looks, self._writes = Background(self), Background(self)
        self._waiting: list[tuple[str, Callable[[], Held]]] = []
        self._is_writing = False
        self._looks.answered.connect(self._on_found)
        self._looks.broke.connect(self._on_look_broke)
        self._writes.answered.connect(self._on_written)
        self._writes.broke.connect(self._on_write_broke)
        self._form = QFormLayout()
        self._form.setHorizontalSpacing(8)
        self._form.setVerticalSpacing(_GAP)
        self._place, self._fault = _note(), _note("form_error")
        self._file = QPushButton(self.tr("Take from a file…"))
        self._remove = QPushButton(self.tr("Remove the keys"))
        for button in (self._file, self._remove):
            button.setAutoDefault(False)
        self._file.clicked.connect(self._ask_for_file)
        self._remove.clicked.connect(self.remove)
        self._words, self._again = _unseen(), _unseen()
        self._words.setPlaceholderText(self.tr("passphrase of the vault"))
        self._again.setPlaceholderText(self.tr("the same again"))
        self._unlock = QPushButton(self.tr("Unlock"))
        self._unlock.setAutoDefault(False)
        self._unlock.clicked.connect(self.unlock)
        for editor in (self._words, self._again):
            editor.returnPressed.connect(self.unlock)
        self._lock = QWidget()
        row = QHBoxLayout(self._lock)
        row.setContentsMargins(0, 0, 0, 0)
        for widget in (self._words, self._again, self._unlock):
            row.addWidget(widget)
        deeds = QHBoxLayout()
        deeds.addWidget(self._file)
        deeds.addWidget(self._remove)
        deeds.addStretch()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(_GAP)
        column.addLayout(self._form)
        column.addWidget(self._place)
        column.addWidget(self._lock)
        column.addWidget(self._fault)
        column.addLayout(deeds)
        self._lock.hide()
        self._fault.hide()

    @property
    def told(self) -> str:
        """Where keys are kept, or would be."""
        return self._place.text()

    @property
    def fault(self) -> str:
        """What is wrong, in one sentence; empty where nothing is."""
        return self._fault.text()

    @property
    def shown(self) -> dict[str, str]:
        """What each field shows while nothing is typed."""
        return {name: editor.placeholderText() for name, editor in self._editors.items()}

    @property
    def is_locked(self) -> bool:
        """Whether a passphrase is asked for."""
        return not self._lock.isHidden()

    def show_keys(self, profile: Profile, adapter: Adapter) -> None:
        """Ask for the keys of this profile, and look which are kept."""
        while self._form.rowCount():
            self._form.removeRow(0)
        self._profile = profile
        self._editors = {}
        for field in adapter.secrets:
            editor = _unseen()
            editor.setAccessibleName(field.name)
            self._editors[field.name] = editor
            self._form.addRow(field.title, editor)
        for button in (self._file, self._remove):
            button.setVisible(bool(adapter.secrets))
        self._tell("")
        self._lock.hide()
        if not adapter.secrets:
            self._place.setText(self.tr("No key is needed, as you log in elsewhere."))
            return
        self._place.setText(self.tr("Looking…"))
        self._remove.setEnabled(False)
        self._look()

    def typed(self) -> dict[str, str]:
        """Keys that the person typed and that are not kept yet."""
        return {name: editor.text() for name, editor in self._editors.items() if editor.text()}

    def type_key(self, name: str, text: str) -> None:
        """Type a key, as a person would."""
        self._editors[name].setText(text)

    def keep(self, profile: Profile) -> None:
        """Keep what was typed, beside what is kept of the other fields; nothing where nothing was typed."""
        typed = self.typed()
        if not typed:
            return
        self._profile = profile

        def keep() -> Held:
            self._secrets.set(profile, {**(self._secrets.get(profile) or {}), **typed})
            return self._found(profile)

        self._write(profile.name, keep)

    def remove(self) -> None:
        """Remove the keys of the profile."""
        profile = self._profile
        if profile is None:
            return

        def remove() -> Held:
            self._secrets.delete(profile)
            return self._found(profile)

        self._write(profile.name, remove)

    def take_file(self, path: Path) -> None:
        """Fill the fields from a file, which stays as it is."""
        if self._profile is None:
            return
        try:
            fields, warning = from_file(self._profile, path)
        except UserError as error:
            self._tell(str(error))
            return
        for name, text in fields.items():
            self._editors[name].setText(text)
        self._tell(warning)

    def unlock(self) -> None:
        """Open the vault with the passphrase that was typed, or make it."""
        words = self._words.text()
        if not self._again.isHidden():
            if words != self._again.text():
                self._tell(self.tr("The two passphrases differ; type the same twice."))
                return
            try:
                passphrase.checked(words)
            except UserError as error:
                self._tell(str(error))
                return
        passphrase.remember(words)
        for editor in (self._words, self._again):
            editor.clear()
        self._look()

    def merged(self) -> Callable[[], Mapping[str, str]]:
        """Read what is kept, with what was typed in its place; for the background."""
        profile, typed, secrets = self._profile, self.typed(), self._secrets

        def read() -> Mapping[str, str]:
            if profile is None or not profile.fields:
                return {}
            if len(typed) == len(profile.fields):
                return typed
            return {**(secrets.get(profile) or {}), **typed}

        return read

    def _look(self) -> None:
        profile = self._profile
        if profile is not None:
            self._looks.ask(profile.name, lambda: self._found(profile))

    def _write(self, name: str, work: Callable[[], Held]) -> None:
        """Do one write after another; none may take the place of one that waits."""
        self._waiting.append((name, work))
        self._write_next()

    def _write_next(self) -> None:
        if self._waiting and not self._is_writing:
            self._is_writing = True
            self._writes.ask(*self._waiting.pop(0))

    def _found(self, profile: Profile) -> Held:
        place, is_vault = self._secrets.place, self._secrets.is_vault
        if is_vault and passphrase.known() is None:
            return Held(place, None, locked=True)
        try:
            fields = self._secrets.get(profile)
        except UserError as error:
            if is_vault:
                passphrase.forget()
            return Held(place, None, str(error), locked=is_vault)
        masks = None if fields is None else {name: masked(text) for name, text in fields.items()}
        return Held(place, masks)

    def _on_found(self, name: str, answer: object) -> None:
        if self._profile is None or name != self._profile.name:
            return
        if isinstance(answer, Held):
            self._show(answer)
        else:
            self._tell(str(answer))

    def _on_written(self, name: str, answer: object) -> None:
        self._is_writing = False
        self._write_next()
        if not isinstance(answer, Held):
            self._tell(f"{name}: {answer}")  # even where another is shown by now: nothing was written
        elif self._profile is not None and name == self._profile.name:
            for editor in self._editors.values():
                editor.clear()
            self._show(answer)
            self._look()  # what was looked at before this was written may answer after it
            self.changed.emit()

    def _show(self, held: Held) -> None:
        is_new = not vault_path().exists()
        for name, editor in self._editors.items():
            kept = (held.masks or {}).get(name)
            unset = self.tr("locked") if held.locked and not is_new else self.tr("not set")
            editor.setPlaceholderText(unset if kept is None else self.tr("%1 kept").replace("%1", kept))
        if held.masks:
            said = self.tr("Kept in: %1.")
        elif held.locked and not is_new:
            said = self.tr("Locked: %1. Type its passphrase to see what is kept.")
        else:
            said = self.tr("Would be kept in: %1.")
        self._place.setText(said.replace("%1", held.place))
        self._remove.setEnabled(bool(held.masks))
        self._lock.setVisible(held.locked)
        self._again.setVisible(held.locked and is_new)
        self._unlock.setText(self.tr("Make the vault") if is_new else self.tr("Unlock"))
        self._tell(held.fault)

    def _tell(self, sentence: str) -> None:
        self._fault.setText(sentence)
        self._fault.setVisible(bool(sentence))

    def _ask_for_file(self) -> None:
        dialog = QFileDialog(self, self.tr("File of keys"))
        dialog.fileSelected.connect(lambda path: self.take_file(Path(path)))
        dialog.open()

    def _on_look_broke(self, error: Exception) -> None:
        raise error

    def _on_write_broke(self, error: Exception) -> None:
        self._is_writing = False
        self._write_next()
        raise error


def _unseen() -> QLineEdit:
    editor = QLineEdit()
    editor.setEchoMode(QLineEdit.EchoMode.Password)
    return editor


def _note(name: str = "form_note") -> QLabel:
    label = QLabel()
    label.setObjectName(name)
    label.setWordWrap(True)
    return label
