"""Flags of news: where they stand, which of many, what the mouse is told, and the switch."""

from collections.abc import Iterator

import numpy as np
import pytest
from PySide6.QtGui import QColor, QImage
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.state.news import NewsState
from app.state.orders import OrdersState
from engine.messages.events import Published
from tests.widgets.chart.markets import SECOND, START, market, quotes, theme
from widgets.chart.news import news_sentence
from widgets.chart.panel import ChartPanel


@pytest.fixture
def news() -> NewsState:
    return NewsState()


@pytest.fixture
def panel(qtbot: QtBot, news: NewsState) -> Iterator[ChartPanel]:
    made = ChartPanel(theme())
    qtbot.addWidget(made)
    made.resize(900, 500)
    made.bind(market(quotes(np.arange(120), 100.0)), OrdersState(), None, news)
    made.show()
    qtbot.waitExposed(made)
    yield made
    made.bind(None)


def published(second: float, title: str = "Rates held", importance: int = 0, **more: object) -> Published:
    return Published(
        ts=START + int(second * SECOND),
        series="wire",
        title=title,
        importance=importance,
        **more,  # type: ignore[arg-type]
    )


def painted(panel: ChartPanel) -> QImage:
    panel.refresh()
    QApplication.processEvents()
    return panel.canvas.grab().toImage()


def pixels(image: QImage, colour: str) -> int:
    wanted = QColor(colour).rgb()
    return sum(image.pixel(x, y) == wanted for x in range(image.width()) for y in range(image.height()))


def test_a_flag_stands_at_its_time_and_says_its_headline(panel: ChartPanel, news: NewsState) -> None:
    painted(panel)
    news.take(published(60, sentiment=0.4, subjects=("EUR",)))
    painted(panel)
    scene, canvas = panel.canvas.scene, panel.canvas
    assert scene is not None
    assert scene.news is not None
    assert scene.news.drawn == 1
    layout = canvas._layout
    assert layout is not None
    foot = layout.price.bottom - 6
    x = canvas.view.x_of(START + 60 * SECOND)
    assert scene.news.at(canvas.view, layout, (x + 3, foot)) is news.rows[0]
    assert scene.news.at(canvas.view, layout, (x + 60, foot)) is None
    assert scene.news.at(canvas.view, layout, (x, 20)) is None


def test_of_many_in_one_place_the_most_important_is_shown(panel: ChartPanel, news: NewsState) -> None:
    for place in range(50):
        news.take(published(60 + place / 100, f"item {place}", importance=3 if place == 20 else 1))
    painted(panel)
    scene, layout = panel.canvas.scene, panel.canvas._layout
    assert scene is not None
    assert scene.news is not None
    assert layout is not None
    assert scene.news.drawn <= 2
    x = panel.canvas.view.x_of(START + 60 * SECOND + SECOND // 5)
    found = scene.news.at(panel.canvas.view, layout, (x + 3, layout.price.bottom - 6))
    assert found is not None
    assert found.title == "item 20"
    behind = scene.news.behind(panel.canvas.view, layout, found)
    assert behind == 49
    assert news_sentence(found, behind).endswith("item 20  +49")


def test_the_switch_hides_them(panel: ChartPanel, news: NewsState) -> None:
    painted(panel)
    assert not panel.layer_buttons["news"].isEnabled()
    news.take(published(60, importance=3, sentiment=-0.5))
    before = pixels(painted(panel), theme().ask)
    assert panel.layer_buttons["news"].isEnabled()
    panel.show_layer("news", visible=False)
    assert before > pixels(painted(panel), theme().ask)


def test_the_sentence_names_the_figures() -> None:
    told = news_sentence(
        published(0, "Payrolls", subjects=("USD",), actual="304K", forecast="165K", sentiment=-0.126)
    )
    assert told.endswith("USD  Payrolls  actual 304K  forecast 165K  sentiment -0.13")
    assert news_sentence(published(0, "x" * 300)).endswith("x…")
