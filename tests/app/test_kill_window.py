"""The kill window: halts a session whose own window hangs, and needs nothing of that window."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator

import psutil
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.engines import sessions
from app.gui import make_station
from app.kill_window import KillWindow, launch
from app.paths import run_folder
from engine.link.kill_channel import Fire, KillLine, Look, Sight
from engine.link.process import ProcessLink
from engine.link.thread import ThreadLink
from engine.messages.commands import Stop
from engine.messages.run import Run
from tests.app.test_kill_command import Begin, begin
from tests.engine.link.fakes import until
from tests.engine.link.hanging import HangingSession
from tests.engine.link.test_watchdog import ENGINE

__all__ = ["begin"]

STATION = f"""
import sys, time
from app.paths import logs, run_folder
from engine.link.process import ProcessLink
from engine.messages.commands import Play
from engine.messages.run import Run
run = Run(instrument="EURUSD.SIM", strategy=sys.argv[1], mode="paper")
link = ProcessLink.spawn(run, command={ENGINE!r}, log_folder=logs(), run_folder=run_folder(), joinable=False)
while not link.drain():
    time.sleep(0.01)
link.send(Play())
print(link.pid, flush=True)
time.sleep(3600)  # its main thread hangs, and never drains the link again
"""


@pytest.fixture
def station() -> Iterator[Callable[[str], tuple[int, int]]]:
    """Begin a station of its own process with a session that hangs in this way; both processes."""
    begun: list[subprocess.Popen[bytes]] = []

    def start(way: str) -> tuple[int, int]:
        process = subprocess.Popen([sys.executable, "-c", STATION, way], stdout=subprocess.PIPE)
        begun.append(process)
        assert process.stdout is not None
        return process.pid, int(process.stdout.readline())

    yield start
    for process in begun:
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()
    until(lambda: not sessions(), "the engines to end with their windows")


def sight_of(session: str) -> Sight:
    until(lambda: session in [each.id for each in sessions()], "its endpoint")
    (endpoint,) = [each for each in sessions() if each.id == session]
    with KillLine(endpoint.kill_door) as line:
        return line.ask(Look())


def opened(qtbot: QtBot, session: int) -> KillWindow:
    window = KillWindow(str(session))
    qtbot.addWidget(window)
    window.show()
    qtbot.waitUntil(lambda: "EURUSD.SIM" in window.about.text(), timeout=10_000)
    return window


@pytest.mark.parametrize("way", ["none", "sleep"])
def test_it_halts_a_session_whose_window_is_stopped(
    qtbot: QtBot, station: Callable[[str], tuple[int, int]], way: str
) -> None:
    window_process, engine = station(way)
    os.kill(window_process, signal.SIGSTOP)
    window = opened(qtbot, engine)
    assert window.mode.text() == "PAPER"
    assert "1 working order, +2 EURUSD.SIM" in window.step.text()
    QTest.mouseClick(window.button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: sight_of(str(engine)).is_halted, timeout=5_000)
    qtbot.waitUntil(lambda: not window.button.isEnabled(), timeout=5_000)
    assert sight_of(str(engine)).fired == "the kill window"
    if way == "sleep":
        qtbot.waitUntil(lambda: "So it is." in window.step.text(), timeout=5_000)
    window.close()
    os.kill(window_process, signal.SIGCONT)


def test_its_key_does_as_its_button(qtbot: QtBot, begin: Begin) -> None:
    link = begin()
    window = opened(qtbot, link.pid)
    assert window.windowFlags() & Qt.WindowType.WindowStaysOnTopHint
    with qtbot.waitActive(window, timeout=2_000):
        window.activateWindow()
    modifiers = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier
    QTest.keyClick(window, Qt.Key.Key_K, modifiers)
    qtbot.waitUntil(lambda: sight_of(str(link.pid)).is_halted, timeout=5_000)
    window.close()


def test_a_stopped_engine_is_told_and_the_kill_arrives_when_it_goes_on(qtbot: QtBot, begin: Begin) -> None:
    link = begin()
    window = opened(qtbot, link.pid)
    os.kill(link.pid, signal.SIGSTOP)
    qtbot.waitUntil(lambda: "does not answer" in window.step.text(), timeout=5_000)
    QTest.mouseClick(window.button, Qt.MouseButton.LeftButton)
    os.kill(link.pid, signal.SIGCONT)
    qtbot.waitUntil(lambda: sight_of(str(link.pid)).is_halted, timeout=5_000)
    window.close()


def test_an_end_that_may_have_left_something_at_a_venue_stays_to_be_read(
    qtbot: QtBot, begin: Begin, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.kill_window._STAYS_S", 0.0)
    link = begin(mode="live")
    window = opened(qtbot, link.pid)
    os.kill(link.pid, signal.SIGKILL)
    left = "has ended with 1 working order, +2 EURUSD.SIM. They may still be at the venue"
    qtbot.waitUntil(lambda: left in window.step.text(), timeout=5_000)
    assert not window.button.isEnabled()
    assert window.button.text() == "Session ended"
    qtbot.wait(300)
    assert window.isVisible()
    window.close()


def test_what_was_simulated_is_gone_with_its_session_and_so_is_the_window(qtbot: QtBot, begin: Begin) -> None:
    link = begin(mode="paper")
    window = opened(qtbot, link.pid)
    os.kill(link.pid, signal.SIGKILL)
    told = "This session has ended. Its orders and positions were simulated"
    qtbot.waitUntil(lambda: told in window.step.text(), timeout=5_000)
    qtbot.waitUntil(lambda: not window.isVisible(), timeout=10_000)


def test_its_process_knows_no_key_in_its_arguments_and_ends_with_the_session(begin: Begin) -> None:
    link: ProcessLink = begin()
    process = launch(str(link.pid))
    endpoint = sessions()[0]
    seen = " ".join([*psutil.Process(process.pid).cmdline(), *psutil.Process(process.pid).environ().values()])
    for key in (endpoint.kill_door.key, endpoint.kill_door.key.hex().encode()):
        assert key not in seen.encode()
    assert endpoint.kill_door.address not in seen
    with KillLine(endpoint.kill_door) as line:
        until(lambda: line.ask(Fire("flat")).is_halted, "the halt")
    link.send(Stop())
    try:
        process.wait(timeout=20)
    finally:
        process.kill()
    assert process.returncode == 0


def test_a_live_session_brings_its_kill_window_and_others_have_it_at_a_key(
    qapp: QApplication, monkeypatch: pytest.MonkeyPatch
) -> None:
    links: list[ThreadLink] = []

    def host(run: Run) -> ThreadLink:
        links.append(ThreadLink(lambda: HangingSession("none"), run, run_folder=run_folder()))
        return links[-1]

    named: list[str] = []
    monkeypatch.setattr("app.kill_window.launch", named.append)
    station = make_station(qapp, host)
    station.open_run(Run(instrument="EURUSD.SIM", simulate="fx", mode="live"))
    assert named == [links[0].id]
    station.settings.update(kill_window="never")
    station.open_run(Run(instrument="EURUSD.SIM", simulate="fx", mode="live"))
    station.open_run(Run(instrument="EURUSD.SIM", simulate="fx"))
    assert len(named) == 1
    window = station.new_window()
    window.actions_["kill_window"].trigger()
    assert named == [links[0].id, links[2].id]
    assert sight_of(links[2].id).instrument == "EURUSD.SIM"
    window.close()
    for link in links:
        assert link.join(10)
