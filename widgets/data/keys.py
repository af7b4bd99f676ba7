"""Keys that a focused view keeps for itself though the window has them as shortcuts."""

from collections.abc import Collection
from typing import Final, override

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QWidget

ROWS: Final = frozenset(
    {Qt.Key.Key_Up, Qt.Key.Key_Down, Qt.Key.Key_Home, Qt.Key.Key_End, Qt.Key.Key_PageUp, Qt.Key.Key_PageDown}
)
"""Keys that go through rows."""

RETURN: Final = frozenset({Qt.Key.Key_Return, Qt.Key.Key_Enter})
"""Keys that ask for what is picked."""


class OwnKeys(QObject):
    """Has a widget get these keys while it has the focus, before any shortcut does.

    Parameters
    ----------
    widget : QWidget
        Owns the new object.
    keys : collection of Qt.Key
        Taken without modifiers only.
    """

    def __init__(self, widget: QWidget, keys: Collection[Qt.Key]) -> None:
        super().__init__(widget)
        self._keys = keys
        widget.installEventFilter(self)

    @override
    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() != QEvent.Type.ShortcutOverride or not isinstance(event, QKeyEvent):
            return False
        plain = not event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
        if not plain or event.key() not in self._keys:
            return False
        event.accept()
        return True
