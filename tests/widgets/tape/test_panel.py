"""Time and sales on the screen."""

from dataclasses import dataclass, field

import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from app.paths import RESOURCES
from engine.link.builders import EURUSD, rows
from engine.messages.columns import QUOTE, TRADE, Rows, empty
from engine.messages.instrument import Instrument
from widgets.tape import TimeAndSalesPanel
from widgets.tape.view import HEAD, ROW
from widgets.theme import load_themes

THEME = load_themes((RESOURCES / "themes.toml").read_bytes())["dark"]


@dataclass
class FakeTape:
    rows: Rows
    version: int = 0
    conflated: int = 0
    dropped: int = 0

    def append(self, *table: tuple[float, ...], conflated: int = 0) -> None:
        self.rows = np.concatenate([self.rows, rows(self.rows.dtype, table)])
        self.conflated += conflated
        self.version += 1


@dataclass
class FakeMarket:
    instrument: Instrument = EURUSD
    trades: FakeTape = field(default_factory=lambda: FakeTape(empty(TRADE)))
    quotes: FakeTape = field(default_factory=lambda: FakeTape(empty(QUOTE)))


@pytest.fixture
def market() -> FakeMarket:
    made = FakeMarket()
    made.trades.append(*((k, 1.1, 1000.0 * (1 + k % 5), 1 + k % 2) for k in range(100)))
    return made


@pytest.fixture
def panel(qtbot: QtBot, market: FakeMarket) -> TimeAndSalesPanel:
    made = TimeAndSalesPanel(THEME)
    qtbot.addWidget(made)
    made.resize(300, 400)
    made.bind(market)
    made.grab()
    return made


def bar_colour(panel: TimeAndSalesPanel, row: int) -> tuple[int, int]:
    image = panel.view.viewport().grab().toImage()
    colour = image.pixelColor(image.width() - 2, HEAD + row * ROW + 1)
    return colour.green() - colour.red(), colour.red() - colour.green()


def test_the_newest_trade_is_on_top_in_its_aggressors_colour(
    panel: TimeAndSalesPanel, market: FakeMarket
) -> None:
    market.trades.append((200, 1.1, 9000.0, 1))
    panel.refresh()
    assert bar_colour(panel, 0)[0] > 20
    market.trades.append((201, 1.1, 9000.0, 2))
    panel.refresh()
    assert bar_colour(panel, 0)[1] > 20
    assert bar_colour(panel, 1)[0] > 20


def test_scrolling_holds_the_list_and_counts_what_comes(panel: TimeAndSalesPanel, market: FakeMarket) -> None:
    panel.view.verticalScrollBar().setValue(5)
    before = [bar_colour(panel, row) for row in range(20)]
    market.trades.append((300, 1.2, 5.0, 1), (301, 1.2, 5.0, 1), (302, 1.2, 5.0, 1))
    panel.refresh()
    assert panel.view.shown["ts"][-1] == 99
    assert [bar_colour(panel, row) for row in range(20)] == before
    assert not panel._now.isHidden()
    assert panel._now.text().endswith("3")
    panel._now.click()
    assert panel.view.shown["ts"][-1] == 302
    assert panel._now.isHidden()


def test_rows_left_out_are_told(panel: TimeAndSalesPanel, market: FakeMarket) -> None:
    assert panel.notice.isHidden()
    market.trades.append((300, 1.2, 5.0, 1), conflated=1_234)
    panel.refresh()
    assert "1,234" in panel.notice.text()
    assert panel.view.shown["count"].tolist()[-2:] == [0, 1]


def test_filter_and_sweeps(panel: TimeAndSalesPanel, market: FakeMarket) -> None:
    panel._smallest.setText("4000")
    assert set(panel.view.shown["size"].tolist()) == {4000.0, 5000.0}
    panel._smallest.clear()
    market.trades.append((500, 1.1, 10.0, 1), (500, 1.2, 20.0, 1))
    panel.refresh()
    panel._sweeps.setChecked(True)
    assert panel.view.shown[-1]["size"] == 30.0
    assert panel.view.shown[-1]["count"] == 2


def test_a_source_without_trades_shows_quotes_and_says_so(qtbot: QtBot) -> None:
    market = FakeMarket()
    market.quotes.append((1, 1.1, 1.2, 1, 1), (2, 1.15, 1.2, 1, 1))
    panel = TimeAndSalesPanel(THEME)
    qtbot.addWidget(panel)
    panel.bind(market)
    assert len(panel.view.shown) == 2
    assert "No trades" in panel.notice.text()
    assert panel.minimumSizeHint().width() <= 240, "the panels beside it keep their width"
    market.trades.append((3, 1.1, 1.0, 1))
    panel.refresh()
    assert panel.view.shown["ts"].tolist() == [3]
    assert panel.notice.isHidden()


def test_a_new_epoch_or_none_empties_the_list(panel: TimeAndSalesPanel) -> None:
    panel.bind(FakeMarket())
    assert len(panel.view.shown) == 0
    waiting = panel.view.viewport().grab().toImage()
    panel.bind(None)
    assert panel.view.viewport().grab().toImage() != waiting
