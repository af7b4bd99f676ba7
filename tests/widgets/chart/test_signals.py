"""Signals over the chart: where they lie, which are hollow, what the mouse is told, and the switch."""

from collections.abc import Iterator

import numpy as np
import pytest
from PySide6.QtCore import QPoint
from PySide6.QtGui import QColor, QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.state.orders import OrdersState
from app.state.signals import InstrumentSignals
from engine.link.scripted import acted, judged, order, signal
from engine.messages.events import Direction
from tests.widgets.chart.markets import SECOND, START, market, quotes, theme
from widgets.chart.panel import ChartPanel
from widgets.signals.words import sentence


@pytest.fixture
def panel(qtbot: QtBot) -> Iterator[ChartPanel]:
    made = ChartPanel(theme())
    qtbot.addWidget(made)
    made.resize(900, 500)
    made.show()
    qtbot.waitExposed(made)
    yield made
    made.bind(None)


@pytest.fixture
def signals(panel: ChartPanel) -> InstrumentSignals:
    made = InstrumentSignals()
    panel.bind(market(quotes(np.arange(120), 100.0)), OrdersState(), made)
    return made


def _tell(signals: InstrumentSignals, second: int, direction: Direction, *, order_made: bool = True) -> None:
    number = len(signals.records) + 1
    signals.take_signal(
        signal(number, direction, 0 if direction else 1, price=100.0, ts=START + second * SECOND)
    )
    signals.take_news(acted(number, "ordered" if order_made else "shadow"), None)


def _painted(panel: ChartPanel) -> QImage:
    panel.refresh()
    QApplication.processEvents()
    return panel.canvas.grab().toImage()


def _blue(image: QImage, x: int, y: int, half: int = 9) -> int:
    """Pixels about a point that are of the model's colour."""
    wanted = QColor(theme().signal)
    return sum(
        abs(got.red() - wanted.red()) + abs(got.green() - wanted.green()) + abs(got.blue() - wanted.blue())
        < 40
        for got in (
            image.pixelColor(column, row)
            for column in range(x - half, x + half)
            for row in range(y - half, y + half)
        )
    )


def _place(panel: ChartPanel, second: int, direction: int) -> tuple[int, int]:
    """Where the mark of a signal at price 100 is: entries stand off their price, exits on it."""
    view = panel.canvas.view
    return view.x_of(START + second * SECOND), int(view.y_of(100.0)) + 20 * direction


def test_marks_lie_at_their_time_below_above_and_on_the_price(
    panel: ChartPanel, signals: InstrumentSignals
) -> None:
    before = _painted(panel)
    kinds: tuple[tuple[int, Direction], ...] = ((40, 1), (60, 0), (80, -1))
    for second, direction in kinds:
        _tell(signals, second, direction)
    after = _painted(panel)
    for second, direction in kinds:
        place = _place(panel, second, direction)
        assert _blue(before, *place) == 0
        assert _blue(after, *place) > 15, second


def test_a_signal_without_an_order_is_hollow_until_one_is_made(
    panel: ChartPanel, signals: InstrumentSignals
) -> None:
    _tell(signals, 40, 1, order_made=False)
    _tell(signals, 60, 1)
    image = _painted(panel)
    x, y = _place(panel, 40, 1)
    hollow, full = _blue(image, x, y + 2, 3), _blue(image, *_place(panel, 60, 1), 3)
    assert hollow < full / 2
    signals.take_news(acted(1, order_id="O-1"), None)
    assert _blue(_painted(panel), x, y + 2, 3) > 2 * hollow


def test_the_switch_hides_them_and_is_grey_without_any(panel: ChartPanel, signals: InstrumentSignals) -> None:
    _painted(panel)
    assert not panel.layer_buttons["signals"].isEnabled()
    _tell(signals, 40, 1)
    _painted(panel)
    assert panel.layer_buttons["signals"].isEnabled()
    place = _place(panel, 40, 1)
    panel.show_layer("signals", visible=False)
    assert _blue(_painted(panel), *place) == 0
    panel.show_layer("signals", visible=True)
    assert _blue(_painted(panel), *place) > 15


def test_the_mouse_on_a_mark_is_told_what_it_was(panel: ChartPanel, signals: InstrumentSignals) -> None:
    _tell(signals, 40, 1)
    _painted(panel)
    canvas = panel.canvas
    layer = canvas.scene.signals if canvas.scene is not None else None
    assert layer is not None
    assert canvas._layout is not None
    x, y = _place(panel, 40, 1)
    assert layer.at(canvas.view, canvas._layout, (x + 5, y - 5)) is signals.records.rows[0]
    assert layer.at(canvas.view, canvas._layout, (x + 30, y)) is None
    QTest.mouseMove(canvas, QPoint(x + 30, y))
    away = _painted(panel)
    QTest.mouseMove(canvas, QPoint(x, y))
    over = _painted(panel)
    assert sum(_blue(over, x + step, y - 26) for step in range(-80, 90, 18)) > 100
    assert sum(_blue(away, x + step, y - 26) for step in range(-80, 90, 18)) == 0


def test_a_new_epoch_shows_its_own_signals(panel: ChartPanel, signals: InstrumentSignals) -> None:
    _tell(signals, 40, 1)
    _painted(panel)
    signals.begin()
    _tell(signals, 80, -1)
    panel.canvas._picture = None  # the new epoch's market repaints it in the running program
    image = _painted(panel)
    assert _blue(image, *_place(panel, 40, 1)) == 0
    assert _blue(image, *_place(panel, 80, -1)) > 15


def test_thousands_of_signals_are_thinned_to_what_can_be_told_apart(
    panel: ChartPanel, signals: InstrumentSignals
) -> None:
    for number in range(3_000):
        _tell(signals, 20 + number // 40, (1, 0, -1, 0)[number % 4])
    _painted(panel)
    assert panel.canvas.scene is not None
    assert panel.canvas.scene.signals is not None
    assert 50 < panel.canvas.scene.signals.drawn < 500


def test_a_signal_in_one_sentence() -> None:
    signals = InstrumentSignals()
    signals.take_signal(signal(1, 1, up=0.65, threshold=0.55, price=1.0))
    signals.take_news(acted(1), order("O-1", "FILLED", average_price=None))
    assert sentence(signals.records.rows[0], 5) == "▲ Long · Entry · 0.650 ≥ 0.550 · Ordered · pending"
    signals.take_news(judged(1, hit=True, price=1.0002), None)
    assert sentence(signals.records.rows[0], 5).endswith("Ordered · hit +2.00 bp")
    signals.take_signal(signal(2, 0, 1, up=0.3, threshold=0.4))
    signals.take_news(acted(2, "refused", text="Too large."), None)
    assert sentence(signals.records.rows[1], 5) == "× Flat · Exit · 0.300 < 0.400 · Refused · Too large."
    signals.take_signal(signal(3, -1, up=None, down=None, flat=None, score=-2.5, threshold=2.0, price=1.0))
    signals.take_news(judged(3, hit=False, price=1.0001), None)
    assert sentence(signals.records.rows[2], 5) == (
        "▼ Short · Entry · 2.5000 ≥ 2.0000 · On its way · miss −1.00 bp"
    )
