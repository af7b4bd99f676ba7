"""Data that stopped coming is grey and tells its age, in every panel that shows prices."""

import pytest
from PySide6.QtCore import QPoint
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from app.paths import RESOURCES
from app.state.session import SessionState
from engine.link.scripted import START_NS, frame
from widgets.book import LadderPanel
from widgets.chart.panel import ChartPanel
from widgets.stale import StaleVeil
from widgets.theme import load_themes
from widgets.watchlist import WatchlistPanel

DARK = load_themes((RESOURCES / "themes.toml").read_bytes())["dark"]


def _state() -> SessionState:
    state = SessionState()
    state.apply(frame(1, quotes=[(START_NS + i * 10**9, 1.1, 1.1001, 1.0, 1.0) for i in range(5)]))
    return state


def _panel(kind: str) -> LadderPanel | WatchlistPanel | ChartPanel:
    state = _state()
    if kind == "chart":
        chart = ChartPanel(DARK)
        chart.bind(next(iter(state.markets.values())), state.orders)
        return chart
    panel: LadderPanel | WatchlistPanel = LadderPanel(DARK) if kind == "ladder" else WatchlistPanel(DARK)
    panel.bind(state)
    return panel


def _veil(panel: QWidget) -> StaleVeil:
    return panel.findChildren(StaleVeil)[0]


@pytest.mark.parametrize("kind", ["ladder", "watchlist", "chart"])
def test_stale_data_is_grey_counts_its_age_and_comes_back(qtbot: QtBot, kind: str) -> None:
    panel = _panel(kind)
    qtbot.addWidget(panel)
    panel.resize(400, 400)
    panel.show()
    QApplication.processEvents()
    panel.refresh()
    fresh = panel.grab().toImage()
    panel.set_stale(7.9)
    assert _veil(panel).text == "Stale 7 s"
    stale = panel.grab().toImage()
    assert stale != fresh
    # Where the data is and the veil's words are not.
    rows = range(24, 70) if kind == "watchlist" else range(80, 360)
    before, after = (
        max(image.pixelColor(x, y).lightness() for x in range(image.width()) for y in rows)
        for image in (fresh, stale)
    )
    assert after < before
    panel.resize(500, 420)
    over = _veil(panel).parentWidget()
    assert over is not None
    assert _veil(panel).size() == over.size()
    panel.set_stale(None)
    panel.resize(400, 400)
    QApplication.processEvents()
    assert _veil(panel).isHidden()
    assert panel.grab().toImage() == fresh


def test_the_age_is_painted_again_only_when_it_reads_differently(
    qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    below = QWidget()
    qtbot.addWidget(below)
    veil = StaleVeil(below, DARK)
    updates: list[str] = []
    monkeypatch.setattr(veil, "update", lambda: updates.append(veil.text))
    for age in (1.0, 1.4, 1.9, 2.0, 185.0, 7_620.0, None, None):
        veil.set_age(age)
    assert updates == ["Stale 1 s", "Stale 2 s", "Stale 3m 05s", "Stale 2h 07m", ""]


def test_the_mouse_passes_through(qtbot: QtBot) -> None:
    panel = _panel("ladder")
    qtbot.addWidget(panel)
    panel.resize(400, 400)
    panel.show()
    panel.set_stale(3.0)
    assert not isinstance(panel.childAt(QPoint(200, 200)), StaleVeil)
