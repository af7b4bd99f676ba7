"""Saving what a panel gives as text: the person says where, and the file appears whole or not at all."""

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QCoreApplication
from PySide6.QtWidgets import QFileDialog, QWidget

from app.toml import write_atomically
from app.windows.panel_host import PanelHost
from widgets.blotter.table import EventTable
from widgets.results import ResultsPanel
from widgets.signals.panel import SignalsPanel


def ask_and_save(parent: QWidget, name: str, text: str, say: Callable[[str], None]) -> None:
    """Ask where to save `text`, proposing `name`; `say` is given one sentence where it cannot be written."""
    dialog = QFileDialog(parent, QCoreApplication.translate("exports", "Export"))
    dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
    suffix = Path(name).suffix.removeprefix(".")
    dialog.setDefaultSuffix(suffix)
    dialog.setNameFilter(f"{suffix.upper()} (*.{suffix})")
    dialog.selectFile(name)
    dialog.fileSelected.connect(lambda path: save(Path(path), text, say))
    dialog.finished.connect(dialog.deleteLater)
    dialog.open()


def save(path: Path, text: str, say: Callable[[str], None]) -> None:
    """Write the file, or say in one sentence why not."""
    try:
        write_atomically(path, text)
    except OSError as error:
        sentence = QCoreApplication.translate(
            "exports", "%1 could not be written (%2); choose another folder or file name."
        )
        say(sentence.replace("%1", str(path)).replace("%2", error.strerror or str(error)))


def export_shown(host: PanelHost) -> bool:
    """Let the host's table ask for its export; False where it shows none."""
    if not host.is_seen():
        return False
    match host.widget:
        case EventTable() as table:
            table.export()
        case SignalsPanel() as panel if panel.table.isVisible():
            panel.table.export()
        case ResultsPanel() as panel if panel.statistics.isVisible():
            panel.export_statistics()
        case _:
            return False
    return True


def table_of(host: PanelHost) -> EventTable[object] | None:
    """The table in a host, whose columns a layout remembers; None where there is none."""
    match host.widget:
        case EventTable() as table:
            return table
        case SignalsPanel() as panel:
            return panel.table  # type: ignore[return-value]
        case ResultsPanel() as panel:
            return panel.statistics  # type: ignore[return-value]
        case _:
            return None
