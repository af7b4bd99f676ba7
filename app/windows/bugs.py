"""What a person sees of a bug: a traceback they can copy, once per place; a panel's own fault stays in it."""

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QLabel,
    QPlainTextEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from app.errors import Bug
from app.station import Station
from app.windows.panel_host import host_of
from engine.errors import UserError
from widgets.numbers import mono_font


class BugDialog(QDialog):
    """Shows bugs as they come; what was shown stays in it."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(self.tr("A fault in the program"))
        self.resize(720, 420)
        text = QLabel(
            self.tr(
                "Something in the station is wrong. Settings and layouts are saved, the session goes on. "
                "Please report the text below; restart the station if it behaves oddly."
            )
        )
        text.setWordWrap(True)
        self._report = QPlainTextEdit()
        self._report.setReadOnly(True)
        self._report.setFont(mono_font(11))
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        copy = QPushButton(self.tr("Copy"))
        buttons.addButton(copy, QDialogButtonBox.ButtonRole.ActionRole)
        copy.clicked.connect(lambda: QGuiApplication.clipboard().setText(self._report.toPlainText()))
        buttons.rejected.connect(self.close)
        column = QVBoxLayout(self)
        for widget in (text, self._report, buttons):
            column.addWidget(widget)

    @property
    def report(self) -> str:
        """All tracebacks shown."""
        return self._report.toPlainText()

    def add(self, bug: Bug) -> None:
        """Show one more."""
        self._report.appendPlainText(bug.report)
        self.show()


class BugReporter(QObject):
    """Brings bugs of any thread to the dialog, and saves the person's state first."""

    _came = Signal(object)

    def __init__(self, station: Station) -> None:
        super().__init__(station)
        self._station = station
        self.dialog: BugDialog | None = None
        self._came.connect(self._on_came, Qt.ConnectionType.QueuedConnection)

    def report(self, bug: Bug) -> None:
        """Show a bug; from any thread."""
        self._came.emit(bug)

    def _on_came(self, bug: Bug) -> None:
        station = self._station
        if station.windows:
            station.layouts.save("last", [window.saved_place() for window in station.windows])
        station.settings.update()
        if self.dialog is None:
            self.dialog = BugDialog(station.windows[0] if station.windows else None)
        self.dialog.add(bug)


def stop_panel(error: BaseException) -> bool:
    """Stop the panel in which an exception arose, or show what the person can mend; True for both."""
    host = host_of(error.__traceback__)
    if host is not None and not host.is_stopped:
        if isinstance(error, UserError):
            host.window().top.banner.say(str(error), severity="warning")  # type: ignore[attr-defined]
            return True
        host.stop(error)
        return True
    return host is not None
