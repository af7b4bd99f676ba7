"""Work that must not hold the window up: one question after another in a thread, answered by a signal."""

import threading
from collections.abc import Callable

from PySide6.QtCore import QObject, Signal

from engine.errors import UserError


class Background(QObject):
    """Runs one function after another in a thread; the newest question replaces one that waits.

    Signals
    -------
    answered(object, object)
        What was asked, and the answer: a value, or the `UserError` that it ended with.
    broke(object)
        A fault of the program.
    """

    answered = Signal(object, object)
    broke = Signal(object)

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._waiting: tuple[object, Callable[[], object]] | None = None
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def ask(self, what: object, work: Callable[[], object]) -> None:
        """Let `work` be done; `answered` brings `what` and its answer."""
        with self._lock:
            self._waiting = what, work
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="background", daemon=True)
                self._thread.start()

    def _work(self) -> None:
        while True:
            with self._lock:
                if self._waiting is None:
                    self._thread = None
                    return
                (what, work), self._waiting = self._waiting, None
            try:
                self.answered.emit(what, work())
            except UserError as error:
                self.answered.emit(what, error)
            except Exception as error:  # noqa: BLE001 - shown by the window, which collects bugs
                self.broke.emit(error)
