"""The kill window: one small window of a process of its own, above all others, with one button.

It talks to a session's kill door only, so it works while the station's window hangs, is gone, or was never
there. `python -m app.kill_window ID` opens it on the session of this name; `launch` does that.
"""

import os
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, replace
from typing import Final, override

import psutil
from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QCloseEvent, QKeySequence, QShortcut
from PySide6.QtWidgets import QApplication, QGridLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from app.paths import ROOT, home, run_folder
from app.settings import SettingsFile
from app.style import apply_theme, themes, ui_font
from engine.errors import UserError
from engine.link.endpoint import read_endpoint
from engine.link.kill_channel import ENDED, Ask, Fire, KillLine, Look, Sight, Unanswered

KEY: Final = "Ctrl+Shift+K"
_EVERY_S: Final = 0.2
_ANSWER_S: Final = 1.0
_APPEAR_S: Final = 60.0
"""An engine that starts needs some of these before it can be found."""

_REFRESH_MS: Final = 100
_STAYS_S: Final = 3.0


@dataclass(frozen=True, slots=True)
class Told:
    """What the window shows: the newest sight, what is wrong, and whether the session has ended."""

    sight: Sight | None = None
    problem: str = ""
    ended: bool = False

    @property
    def leaves(self) -> Sight | None:
        """The last sight of a session that ended and may have left something at a venue; else None."""
        sight = self.sight
        left = self.ended and sight is not None and sight.mode == "live" and not sight.is_flat
        return sight if left else None


class Caller:
    """Asks a session's kill door again and again, in a thread of its own; `fire` is for any thread.

    Attributes
    ----------
    told : Told
        Replaced whole, so any thread may read it.
    asked : bool
        Whether it was asked to fire.
    """

    def __init__(self, session: str) -> None:
        self.told = Told()
        self.asked = False
        self._session = session
        self._pid = int(session.partition("-")[0])
        self._line: KillLine | None = None
        self._ask: Ask = Look()
        self._closing = threading.Event()
        self._due = threading.Event()
        self._thread = threading.Thread(target=self._call, name="kill-caller", daemon=True)
        self._thread.start()

    def fire(self, reason: str) -> None:
        """Fire, and go on until it is known to have arrived."""
        self._ask = Fire(reason)
        self.asked = True
        self._due.set()

    def close(self) -> None:
        """End the thread, which may still wait for an answer."""
        self._closing.set()
        self._due.set()
        self._thread.join(2 * _ANSWER_S)

    def _call(self) -> None:
        appears_until_s = time.monotonic() + _APPEAR_S
        while not self._closing.is_set():
            try:
                ask = self._ask
                sight = self._reached().ask(ask)
                if ask is self._ask:
                    self._ask = Look()
                self.told = replace(self.told, sight=sight, problem="")
            except Unanswered as error:
                self._hang_up()
                self.told = replace(self.told, problem=str(error))
            except UserError:
                self._hang_up()
                waited = time.monotonic() > appears_until_s
                if self.told.sight is not None or waited or not psutil.pid_exists(self._pid):
                    self.told = replace(self.told, problem=ENDED, ended=True)
                    return
            self._due.wait(_EVERY_S)
            self._due.clear()
        self._hang_up()

    def _reached(self) -> KillLine:
        if self._line is None:
            endpoint = read_endpoint(run_folder() / f"{self._session}.json")
            self._line = KillLine(endpoint.kill_door, _ANSWER_S)
        return self._line

    def _hang_up(self) -> None:
        if self._line is not None:
            self._line.close()
            self._line = None


class KillWindow(QWidget):
    """Shows one session, and halts it."""

    def __init__(self, session: str) -> None:
        super().__init__()
        self.setWindowTitle(self.tr("Kill switch"))
        self.setWindowFlag(Qt.WindowType.WindowStaysOnTopHint)
        self.setFixedWidth(300)
        self._caller = Caller(session)
        self._ended_s = 0.0
        self.mode, self.about, self.account, self.step = QLabel(), QLabel(), QLabel(), QLabel()
        self.mode.setObjectName("mode")
        self.account.setObjectName("quiet")
        self.step.setWordWrap(True)
        self.step.setMinimumHeight(48)
        self.step.setAlignment(Qt.AlignmentFlag.AlignTop)
        for label in (self.about, self.account, self.step):
            label.setTextFormat(Qt.TextFormat.PlainText)
        self.button = QPushButton(self.tr("KILL"))
        self.button.setObjectName("kill")
        self.button.setFixedHeight(40)
        self.button.setToolTip(
            self.tr("Cancel all, block what is new, close every position, at once and unasked (%1)").replace(
                "%1", KEY
            )
        )
        self.button.clicked.connect(self.kill)
        QShortcut(QKeySequence(KEY), self, self.kill)
        self._lay_out()
        self._clock = QTimer(self)
        self._clock.timeout.connect(self.refresh)
        self._clock.start(_REFRESH_MS)
        self.refresh()

    def _lay_out(self) -> None:
        head = QGridLayout()
        head.setHorizontalSpacing(8)
        head.setVerticalSpacing(2)
        head.setColumnStretch(1, 1)
        head.addWidget(self.mode, 0, 0)
        head.addWidget(self.about, 0, 1)
        head.addWidget(self.account, 1, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(12, 12, 12, 12)
        column.setSpacing(8)
        column.addLayout(head)
        column.addWidget(self.button)
        column.addWidget(self.step)

    def kill(self) -> None:
        """Halt the session: at once and unasked."""
        self._caller.fire(self.tr("the kill window"))
        self.refresh()

    def refresh(self) -> None:
        """Show what was told last."""
        told = self._caller.told
        sight = told.sight
        self.button.setEnabled(not told.ended and not (sight is not None and sight.is_halted))
        words = self._words(told)
        if words != self.step.text():
            self.step.setText(words)
            if self.isVisible():
                self.resize(self.width(), max(self.height(), self.heightForWidth(self.width())))
        if sight is not None:
            self._show_mode(sight.mode)
            self.about.setText(sight.instrument)
            strategy = "" if sight.strategy == "none" else sight.strategy
            self.account.setText(" · ".join(filter(None, (strategy, sight.account))))
        if told.ended:
            self.button.setText(self.tr("Session ended"))
        if told.ended and told.leaves is None:
            self._ended_s = self._ended_s or time.monotonic()
            if time.monotonic() - self._ended_s > _STAYS_S:
                self.close()

    def _words(self, told: Told) -> str:
        sight = told.sight
        if told.ended:
            return self._last_words(told)
        if told.problem:
            return told.problem
        if sight is None:
            return self.tr("Waiting for the session…")
        if sight.fired is None:
            return self.tr("Sending the kill…") if self._caller.asked else sight.text_now
        note = "" if sight.is_halted else sight.note
        return note or sight.text or sight.text_now

    def _last_words(self, told: Told) -> str:
        left, sight = told.leaves, told.sight
        if left is not None:
            words = self.tr(
                "This session has ended with %1. They may still be at the venue, and nothing can be done "
                "about them from here. Cancel and close them at the venue (account %2), or open the session "
                "again; then close this window."
            )
            return words.replace("%1", left.left).replace("%2", left.account or "–")
        if sight is not None and not sight.is_flat:
            nothing = self.tr("Its orders and positions were simulated and ended with it.")
        else:
            nothing = self.tr("Nothing is left to kill.")
        return f"{told.problem} {nothing} {self.tr('This window closes by itself.')}"

    def _show_mode(self, mode: str) -> None:
        token = {"replay": "signal", "paper": "warning", "live": "danger"}[mode]
        self.mode.setText(mode.upper())
        if self.mode.property("token") != token:
            self.mode.setProperty("token", token)
            self.mode.style().unpolish(self.mode)
            self.mode.style().polish(self.mode)

    @override
    def closeEvent(self, event: QCloseEvent) -> None:
        self._clock.stop()
        self._caller.close()
        super().closeEvent(event)


def launch(session: str) -> subprocess.Popen[bytes]:
    """Open the window on this session, in a process that lives on whatever becomes of this one."""
    search = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH", "")]))
    process = subprocess.Popen(  # noqa: S603 - our own program
        (sys.executable, "-m", "app.kill_window", session),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": search},
        start_new_session=True,
        creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
    )
    threading.Thread(target=process.wait, name="kill-window-reaper", daemon=True).start()
    return process


def main(arguments: list[str]) -> int:
    """Show the window until it is closed, or its session has ended."""
    application = QApplication(sys.argv[:1])
    application.setStyle("Fusion")
    application.setFont(ui_font())
    chosen = SettingsFile(home() / "settings.toml").settings
    apply_theme(application, themes(colour_blind=chosen.colour_blind)[chosen.theme])
    window = KillWindow(arguments[0])
    window.show()
    return application.exec()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
