"""The kill switch in the dialogs of a window, as they keep the mouse from the window's own button."""

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QCoreApplication, QObject, Qt
from PySide6.QtWidgets import QApplication, QDialog, QDialogButtonBox, QPushButton, QWidget

if TYPE_CHECKING:
    from app.windows.main_window import MainWindow

_NAME: Final = "kill"


class KillInDialogs(QObject):
    """Gives every dialog of one window that comes to the front the kill switch's key and a button.

    Parameters
    ----------
    window : MainWindow
    """

    def __init__(self, window: "MainWindow") -> None:
        super().__init__(window)
        self._window = window
        application = QApplication.instance()
        assert isinstance(application, QApplication)  # noqa: S101 - there is no window without one
        application.focusWindowChanged.connect(self._on_focus_moved)

    def _on_focus_moved(self) -> None:
        dialog = QApplication.activeWindow()
        if not isinstance(dialog, QDialog) or not self._is_ours(dialog):
            return
        kill = self._window.actions_[_NAME]
        if kill in dialog.actions():
            return
        dialog.addAction(kill)
        boxes = dialog.findChildren(QDialogButtonBox)
        if boxes and self._window.station.session is not None:
            button = _button(self._window.top.kill.toolTip())
            button.clicked.connect(kill.trigger)
            boxes[-1].addButton(
                button, QDialogButtonBox.ButtonRole.ResetRole
            )  # on the left, away from what goes on

    def _is_ours(self, dialog: QWidget) -> bool:
        parent = dialog.parentWidget()
        while parent is not None and parent.window() is not self._window:
            parent = parent.window().parentWidget()
        return parent is not None


def _button(tip: str) -> QPushButton:
    button = QPushButton(QCoreApplication.translate("TopBar", "KILL"))
    button.setObjectName(_NAME)
    button.setToolTip(tip)
    button.setAutoDefault(False)
    button.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # no key but its own
    return button
