"""From a dropped file to signals and back, on a real engine and a real look at the file."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QCoreApplication, QEvent, Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from app.demo import MODEL
from app.gui import make_station
from app.station import Station
from engine.link.process import ProcessLink
from engine.link.protocols import Link
from engine.messages.events import Phase
from engine.messages.run import Run
from tests.gui.conftest import qtbot_application

LOAD_MS = 60_000
SECOND_NS = 1_000_000_000


@pytest.fixture
def station(qtbot: QtBot, tmp_path: Path) -> Iterator[Station]:
    made = make_station(qtbot_application(), hosting="process", store=tmp_path / "store")
    links: list[ProcessLink] = []
    opener = made.open_link

    def open_link(run: Run) -> Link:
        link = opener(run)
        assert isinstance(link, ProcessLink)
        links.append(link)
        return link

    made.open_link = open_link
    made.new_window()
    made.clock.start()
    yield made
    for window in list(made.windows):
        window.close()
    made.close()
    made.deleteLater()
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    for link in links:
        link.join(10.0)


def test_a_dropped_model_is_armed_where_the_market_stands_and_disarmed(
    qtbot: QtBot, station: Station
) -> None:
    def until(condition: Callable[[], bool]) -> None:
        qtbot.waitUntil(condition, timeout=LOAD_MS)

    session = station.open_run(Run(instrument="BTCUSDT.SIM", simulate="crypto", seed=7))
    until(lambda: session.phase is Phase.PAUSED)
    assert session.state.transport is not None
    there = session.state.transport.start + 15 * SECOND_NS
    session.seek(there)
    until(lambda: session.now == there and session.phase is Phase.PAUSED)
    session.set_speed(2.0)
    until(lambda: session.state.transport is not None and session.state.transport.speed == 2.0)

    (window,) = station.windows
    window.deeds.take_dropped([str(MODEL)])
    (card,) = window.deeds.cards
    until(card.view.buttons["armed"].isEnabled)
    QTest.mouseClick(card.view.buttons["armed"], Qt.MouseButton.LeftButton)
    assert session.run.strategy == "ai_signal"
    until(lambda: session.now == there and session.phase is Phase.PAUSED)
    signals = session.state.signals
    until(lambda: bool(signals.models) and signals.models[0].predictions > 0)
    assert session.state.transport.speed == 2.0
    assert signals.models[0].name == "demo-mlp"
    assert signals.models[0].simulated
    assert signals.arming == "armed"

    QTest.mouseClick(card.view.buttons["off"], Qt.MouseButton.LeftButton)
    until(lambda: signals.arming == "off")
    until(lambda: card.view.session_text.startswith("Disarmed in BTCUSDT.SIM"))
    QTest.mouseClick(card.view.buttons["shadow"], Qt.MouseButton.LeftButton)
    until(lambda: card.view.session_text.startswith("Shadow in BTCUSDT.SIM"))
    card.close()
