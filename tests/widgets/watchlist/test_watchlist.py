"""The watchlist shows prices and changes of the session, and what is stored besides."""

from collections.abc import Sequence

import pytest
from PySide6.QtGui import QFontMetrics
from pytestqt.qtbot import QtBot

from app.state.session import SessionState
from app.style import themes
from engine.link.scripted import START_NS, frame
from widgets.numbers import mono_font
from widgets.watchlist import WatchlistPanel


def _quotes(*mids: float) -> Sequence[tuple[object, ...]]:
    return [(START_NS + i, mid - 1e-5, mid + 1e-5, 1.0, 1.0) for i, mid in enumerate(mids)]


def test_prices_change_and_stored_instruments(qtbot: QtBot) -> None:
    panel = WatchlistPanel(themes()["dark"])
    qtbot.addWidget(panel)
    state = SessionState()
    state.apply(frame(1, quotes=_quotes(1.1, 1.1011)))
    panel.set_stored(["EURUSD.SIM", "ETHUSDT.BINANCE"])
    panel.bind(state)
    assert panel.rows == [
        ("EURUSD.SIM", "1.10109", "1.10111", "+0.10 %"),
        ("ETHUSDT.BINANCE", "", "", ""),
    ]
    state.apply(frame(2, quotes=_quotes(1.0989)))
    panel.refresh()
    assert panel.rows[0][3] == "−0.10 %"


def test_a_market_of_trades_only_has_no_bid_and_ask(qtbot: QtBot) -> None:
    panel = WatchlistPanel(themes()["dark"])
    qtbot.addWidget(panel)
    state = SessionState()
    state.apply(frame(1, trades=[(START_NS, 2.0, 1.0, 1), (START_NS + 1, 2.5, 1.0, 2)]))
    panel.bind(state)
    assert panel.rows == [("EURUSD.SIM", "–", "–", "+25.00 %")]


def test_double_click_on_a_stored_one_asks_for_its_replay(qtbot: QtBot) -> None:
    panel = WatchlistPanel(themes()["dark"])
    qtbot.addWidget(panel)
    panel.set_stored(["ETHUSDT.BINANCE"])
    with qtbot.waitSignal(panel.replay_asked) as asked:
        panel.choose(0)
    assert asked.args == ["ETHUSDT.BINANCE"]


@pytest.mark.parametrize(("width", "change_shown"), [(250, False), (420, True)])
def test_symbols_and_prices_are_whole_at_the_default_width(
    qtbot: QtBot, width: int, change_shown: bool
) -> None:
    panel = WatchlistPanel(themes()["dark"])
    qtbot.addWidget(panel)
    panel.resize(width, 200)
    panel.show()
    state = SessionState()
    state.apply(frame(1, quotes=_quotes(1.1)))
    panel.set_stored(["BTCUSDT-PERP.BINANCE"])
    panel.bind(state)
    table = panel._table
    assert table.isColumnHidden(3) is not change_shown
    qtbot.waitUntil(lambda: not table.horizontalScrollBar().isVisible())
    digits, words = QFontMetrics(mono_font(11)), QFontMetrics(table.font())
    for column in (1, 2):
        assert table.columnWidth(column) >= digits.horizontalAdvance(panel.rows[0][column]) + 4
    assert table.columnWidth(0) >= words.horizontalAdvance("BTCUSDT-PERP")
