"""What looks at models in the background: a process per question, so that the window always paints on.

A process and not a thread, because parsing a large file or loading a runtime holds the interpreter.
"""

import os
import sys
from typing import Final

import msgspec
from PySide6.QtCore import QObject, QProcess, QProcessEnvironment, Signal

from app.model_messages import Broke, Failed, Reply, Request, Working
from app.paths import ROOT

_COMMAND: Final = (sys.executable, ["-m", "app.model_worker"])
_ENDING_MS: Final = 500
"""In which it ends the processes that it started; then it is killed."""


class ModelWork(QObject):
    """Answers questions on models, one at a time.

    Signals
    -------
    told(Reply)
        Any number of `Working`, then one of the others.
    """

    told = Signal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._process: QProcess | None = None
        self._answered = True

    @property
    def is_busy(self) -> bool:
        """Whether a question is under way."""
        return not self._answered

    def ask(self, request: Request) -> None:
        """Begin; a question under way is dropped."""
        self._leave()
        self._answered = False
        process = QProcess(self)
        environment = QProcessEnvironment.systemEnvironment()
        # It must find our packages from whatever folder the program was started in.
        paths = filter(None, [str(ROOT), os.environ.get("PYTHONPATH", "")])
        environment.insert("PYTHONPATH", os.pathsep.join(paths))
        process.setProcessEnvironment(environment)
        process.readyReadStandardOutput.connect(self._on_reply)
        process.finished.connect(self._on_finished)
        process.errorOccurred.connect(self._on_error)
        self._process = process
        process.start(*_COMMAND)
        process.write(msgspec.json.encode(request))
        process.closeWriteChannel()

    def close(self) -> None:
        """Drop what is under way and wait for its end; the last call."""
        self._leave()
        for process in self.findChildren(QProcess):
            runs = process.state() is not QProcess.ProcessState.NotRunning
            if runs and not process.waitForFinished(_ENDING_MS):
                process.kill()
                process.waitForFinished(_ENDING_MS)

    def _leave(self) -> None:
        """Let the last process end by itself, or end it where it has not answered."""
        process, self._process = self._process, None
        if process is None:
            return
        process.readyReadStandardOutput.disconnect(self._on_reply)
        process.finished.disconnect(self._on_finished)
        process.errorOccurred.disconnect(self._on_error)
        if process.state() is QProcess.ProcessState.NotRunning:
            process.deleteLater()
            return
        process.finished.connect(process.deleteLater)
        if not self._answered:
            process.terminate()
        self._answered = True

    def _on_reply(self) -> None:
        while self._process is not None and self._process.canReadLine():
            reply = msgspec.json.decode(self._process.readLine().data(), type=Reply)
            self._answered = not isinstance(reply, Working)
            self.told.emit(reply)

    def _on_finished(self) -> None:
        if not self._answered:
            self._fail(self.tr("The process that looks at models ended before it answered; try again."))

    def _on_error(self, error: QProcess.ProcessError) -> None:
        if error is QProcess.ProcessError.FailedToStart and not self._answered:
            self._fail(self.tr("The process that looks at models could not be started; try again."))

    def _fail(self, sentence: str) -> None:
        self._answered = True
        errors = b"" if self._process is None else bytes(self._process.readAllStandardError().data())
        told = errors.decode(errors="replace").strip()
        self.told.emit(Broke(told) if "Traceback" in told else Failed(sentence))
