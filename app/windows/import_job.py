"""An import in the background, so that the market goes on while files are read."""

import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

from PySide6.QtCore import QObject, Signal

from app.paths import CONFIGS, home
from engine.errors import UserError
from engine.feeds.importing import import_files
from engine.feeds.instruments import KnownInstruments
from engine.feeds.reader import Source, UnnamedColumns
from engine.feeds.report import ImportReport
from engine.progress import Cancelled, Progress
from engine.store import Store


class Importer(Protocol):
    """What reads the files; a test puts a slow one in its place."""

    def __call__(self, progress: Progress, cancelled: Callable[[], bool], /) -> ImportReport: ...  # noqa: D102


def file_importer(paths: Sequence[Path], instrument: str, store: Path, source: Source) -> Importer:
    """Importer of these files into a store."""

    def work(progress: Progress, cancelled: Callable[[], bool]) -> ImportReport:
        known = known_instruments()
        return import_files(paths, instrument, Store(store), known, source, progress, cancelled)

    return work


def known_instruments() -> KnownInstruments:
    """Instruments that come with the station and those that the person added."""
    return KnownInstruments.load(CONFIGS / "instruments.toml", home() / "instruments.toml")


class ImportJob(QObject):
    """One import, from `start` to one of its ends.

    Signals
    -------
    progressed(float, str)
        Fraction done and what is being done.
    succeeded(ImportReport)
    refused(str)
        One sentence: what is wrong and the next step; the store is as it was.
    cancelled()
        The store is as it was.
    broke(BaseException)
        A fault of the program.

    Attributes
    ----------
    columns_unknown : bool
        Whether it was refused because nobody said what the columns of a table are.
    """

    progressed = Signal(float, str)
    succeeded = Signal(object)
    refused = Signal(str)
    cancelled = Signal()
    broke = Signal(object)

    def __init__(self, importer: Importer, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._importer = importer
        self.columns_unknown = False
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._work, name="import", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def cancel(self) -> None:
        """Ask it to stop; `cancelled` tells when it did."""
        self._stop.set()

    def join(self, timeout_s: float) -> bool:
        """Wait for the end; False where it has not come."""
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _work(self) -> None:
        try:
            report = self._importer(self.progressed.emit, self._stop.is_set)
        except UserError as error:
            self.columns_unknown = isinstance(error, UnnamedColumns)
            self.refused.emit(str(error))
        except Cancelled:
            self.cancelled.emit()
        except Exception as error:  # noqa: BLE001 - shown by the window, which collects bugs
            self.broke.emit(error)
        else:
            self.succeeded.emit(report)
