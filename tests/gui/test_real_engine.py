"""The window on a real engine process: stepping, seeking both ways, and an engine killed in mid-replay."""

import os
import signal
import sys
from collections.abc import Callable, Iterator

import pytest
from PySide6.QtCore import QCoreApplication, QEvent, Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from app.demo import demo_run
from app.gui import make_station
from app.session import StationSession
from app.station import Station
from app.windows.main_window import MainWindow
from engine.link.process import ProcessLink
from engine.link.protocols import Link
from engine.link.thread import ThreadLink
from engine.messages.events import Phase
from engine.messages.run import Run
from tests.gui.conftest import qtbot_application

_LOAD_MS = 40_000


class _Running:
    def __init__(self, qtbot: QtBot, hosting: str) -> None:
        self.qtbot = qtbot
        self.links: list[ProcessLink | ThreadLink] = []
        self.station: Station = make_station(
            qtbot_application(), hosting="thread" if hosting == "thread" else "process"
        )
        opener = self.station.open_link

        def open_link(run: Run) -> Link:
            link = opener(run)
            assert isinstance(link, ProcessLink | ThreadLink)
            self.links.append(link)
            return link

        self.station.open_link = open_link
        self.session: StationSession = self.station.open_run(demo_run())
        self.window: MainWindow = self.station.new_window()
        self.station.clock.start()
        self.until(lambda: self.session.phase is Phase.PAUSED)

    def until(self, condition: Callable[[], bool]) -> None:
        self.qtbot.waitUntil(condition, timeout=_LOAD_MS)

    def close(self) -> None:
        for window in list(self.station.windows):
            window.close()
        self.station.close()
        self.station.deleteLater()
        QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
        for link in self.links:
            link.join(10.0)


@pytest.fixture(params=["process", "thread"])
def running(qtbot: QtBot, request: pytest.FixtureRequest) -> Iterator[_Running]:
    made = _Running(qtbot, request.param)
    yield made
    made.close()


def test_steps_and_seeks_both_ways_show_where_the_market_is(running: _Running) -> None:
    session, window = running.session, running.window
    transport = session.state.transport
    assert transport is not None
    assert session.state.health.ticks == 0
    QTest.keyClick(window, Qt.Key.Key_Right)
    running.until(lambda: session.state.health.ticks > 0)
    assert session.phase is Phase.PAUSED
    later = transport.start + 40_000_000_000
    session.seek(later)
    running.until(lambda: session.now == later and session.phase is Phase.PAUSED)
    fills = [fill.ts for fill in session.state.orders.fills]
    assert fills, "the demo trades once its features are warm"
    epoch = session.state.epoch
    QTest.keyClick(window, Qt.Key.Key_Left, Qt.KeyboardModifier.ShiftModifier)
    before = max(ts for ts in fills if ts < later)
    running.until(lambda: session.now == before and session.phase is Phase.PAUSED)
    assert session.state.epoch == epoch + 1
    running.until(
        lambda: [fill.ts for fill in session.state.orders.fills] == [ts for ts in fills if ts <= before]
    )
    market = session.state.markets["BTCUSDT.SIM"]
    assert int(market.quotes.rows["ts"][-1]) <= before
    assert int(market.quotes.rows["ts"][0]) < transport.start + 1_000_000_000
    assert session.state.events_lost == 0


@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL is POSIX's")
@pytest.mark.parametrize("running", ["process"], indirect=True)  # what runs in a thread cannot be killed
def test_an_engine_killed_in_mid_replay_is_said_and_restarted(running: _Running) -> None:
    session, window, link = running.session, running.window, running.links[0]
    assert isinstance(link, ProcessLink)
    session.play()
    running.until(lambda: session.state.health.ticks > 0)
    os.kill(link.pid, signal.SIGKILL)
    running.until(lambda: "killed by signal 9" in window.top.banner.text)
    painted = running.station.clock.figures.count
    running.until(lambda: running.station.clock.figures.count > painted + 5)
    QTest.mouseClick(window.top.banner.action, Qt.MouseButton.LeftButton)
    running.until(lambda: session.phase is Phase.PAUSED)
    session.play()
    running.until(lambda: session.state.health.ticks > 0)
    assert window.top.banner.text == ""
