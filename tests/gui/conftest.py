"""A window on a scripted session: what the tests of the running program start from."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QCoreApplication, QEvent, Qt
from PySide6.QtGui import QAction
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMenu, QWidget
from pytestqt.qtbot import QtBot

from app.gui import make_station
from app.session import StationSession
from app.state.session import SessionState
from app.station import Station
from app.windows.main_window import MainWindow
from engine.link.scripted import ScriptedLink, scripted_session
from engine.messages.commands import AnyCommand, Preview
from engine.messages.frames import Transport
from engine.messages.run import Run

RUN = Run(instrument="EURUSD.SIM", simulate="fx", strategy="ema_cross", parameters={"fast": 10, "slow": 30})


class Desk:
    """Station, its first window, and every link that was opened, newest last."""

    def __init__(self, qtbot: QtBot, store: Path) -> None:
        self.links: list[ScriptedLink] = []
        self.runs: list[Run] = []
        self.qtbot = qtbot
        self.station: Station = make_station(qtbot_application(), self._open_link, store=store)
        self.window: MainWindow = self.station.new_window()

    def _open_link(self, run: Run) -> ScriptedLink:
        self.runs.append(run)
        self.links.append(ScriptedLink())
        return self.links[-1]

    @property
    def link(self) -> ScriptedLink:
        return self.links[-1]

    @property
    def sent(self) -> list[AnyCommand]:
        """What the person asked for: all commands but the previews that the ticket asks for by itself."""
        return [command for command in self.link.sent if not isinstance(command, Preview)]

    @property
    def previews(self) -> list[Preview]:
        """What the ticket asked about, in order."""
        return [command for command in self.link.sent if isinstance(command, Preview)]

    @property
    def session(self) -> StationSession:
        assert self.station.session is not None
        return self.station.session

    @property
    def state(self) -> SessionState:
        return self.session.state

    @property
    def clock(self) -> Transport:
        """The session's clock as the window knows it."""
        assert self.state.transport is not None
        return self.state.transport

    def panel[P: QWidget](self, name: str, kind: type[P]) -> P:
        widget = self.window.hosts[name].widget
        assert isinstance(widget, kind)
        return widget

    def menu_actions(self, window: MainWindow | None = None) -> list[tuple[QAction, list[QAction]]]:
        """Each menu of the window with its actions."""
        menus = []
        for action in (window or self.window).top.menus.actions():
            menu = action.menu()
            assert isinstance(menu, QMenu)
            menus.append((action, menu.actions()))
        return menus

    def key(
        self,
        key: Qt.Key,
        modifier: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier,
        widget: QWidget | None = None,
    ) -> None:
        """Press and let go of a key, in the window or in one of its widgets."""
        QTest.keyClick(widget or self.window, key, modifier)

    def click(self, widget: QWidget) -> None:
        QTest.mouseClick(widget, Qt.MouseButton.LeftButton)

    def play(self, frames: int = 60, seed: int = 3) -> None:
        """Open a session and let it have played so many frames."""
        self.station.open_run(RUN)
        self.link.push(*scripted_session(seed, frames + 1)[:-1])
        self.tick()

    def tick(self) -> None:
        """Do one frame in which all that is seen is refreshed, its painting included.

        What a frame leaves for the next is up to how fast this machine is just now; `test_frame_clock` tells
        it with a clock of its own.
        """
        self.station.clock.tick(everything=True)
        QCoreApplication.processEvents()

    def tick_later(self) -> None:
        """Do one frame in which everything is due, however seldom it is refreshed."""
        self.window.make_due()
        self.station.clock.tick(everything=True)
        QCoreApplication.processEvents()

    def close(self) -> None:
        for window in list(self.station.windows):
            window.close()
        self.station.close()
        self.station.deleteLater()
        QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
        QCoreApplication.processEvents()


def qtbot_application() -> QApplication:
    """Application that pytest-qt made."""
    application = QApplication.instance()
    assert isinstance(application, QApplication)
    return application


@pytest.fixture
def desk(qtbot: QtBot, tmp_path: Path) -> Iterator[Desk]:
    """A station with one window and no session yet."""
    made = Desk(qtbot, tmp_path / "store")
    with qtbot.waitExposed(made.window):
        pass
    yield made
    made.close()
