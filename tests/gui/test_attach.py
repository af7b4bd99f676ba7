"""An engine that is kept outlives its window, is offered to the next one, and ends when it is asked to."""

import time
from collections.abc import Callable, Iterator

import psutil
import pytest
from PySide6.QtCore import QCoreApplication, QEvent
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.demo import demo_run
from app.engines import running
from app.gui import make_station
from app.station import Station
from app.windows.main_window import MainWindow
from engine.messages.events import Phase
from tests.gui.conftest import Desk, qtbot_application

_LOAD_MS = 40_000


class _Windows:
    """Stations one after the other, as a person opens and closes the program."""

    def __init__(self, qtbot: QtBot) -> None:
        self.qtbot = qtbot
        self.opened: list[Station] = []

    def open(self) -> tuple[Station, MainWindow]:
        station = make_station(qtbot_application(), hosting="process")
        self.opened.append(station)
        window = station.new_window()
        station.clock.start()
        return station, window

    def until(self, condition: Callable[[], bool]) -> None:
        self.qtbot.waitUntil(condition, timeout=_LOAD_MS)

    def close(self, station: Station) -> None:
        for window in list(station.windows):
            window.close()
        station.close()
        station.deleteLater()
        self.opened.remove(station)
        QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)


@pytest.fixture
def windows(qtbot: QtBot) -> Iterator[_Windows]:
    made = _Windows(qtbot)
    yield made
    for station in list(made.opened):
        station.settings.update(engine_when_window_closes="stop")
        made.close(station)
    for engine in running():
        psutil.Process(engine.pid).kill()
    # What left an engine behind waits for it in a thread; the leak fixtures look right after this.
    QApplication.processEvents()


def test_a_kept_engine_is_offered_attached_and_ended(windows: _Windows) -> None:
    station, window = windows.open()
    window.actions_["keep_engine"].trigger()
    session = station.open_run(demo_run())
    session.play()
    windows.until(lambda: session.state.health.ticks > 0)
    pid, ticks = session.engine_pid, session.state.health.ticks
    windows.close(station)
    assert [engine.pid for engine in running()] == [pid]

    station, window = windows.open()
    window.deeds.offer_running()
    assert "A session is still running: BTCUSDT.SIM" in window.top.banner.text
    window.top.banner.action.click()
    attached = station.session
    assert attached is not None
    windows.until(lambda: attached.state.health.ticks > ticks)
    assert attached.phase is Phase.PLAYING
    assert attached.engine_pid == pid
    assert station.running() == [], "the one that is watched is not offered"
    market = attached.state.markets["BTCUSDT.SIM"]
    transport = attached.state.transport
    assert transport is not None
    assert int(market.quotes.rows["ts"][0]) < transport.start + 2_000_000_000
    window.actions_["keep_engine"].trigger()
    windows.close(station)
    deadline = time.monotonic() + 10
    windows.until(lambda: not running() or time.monotonic() > deadline)
    assert running() == []


def test_without_another_session_the_menu_says_so(desk: Desk) -> None:
    desk.window.deeds.offer_running()
    assert desk.window.top.banner.text == ""
    desk.window.actions_["attach"].trigger()
    assert "No other session runs" in desk.window.top.banner.text


def test_an_engine_that_ended_meanwhile_is_said(desk: Desk) -> None:
    desk.play()
    desk.window.deeds.attach_to(2**22 + 1)
    assert "has ended" in desk.window.top.banner.text
    assert not desk.link.closed
