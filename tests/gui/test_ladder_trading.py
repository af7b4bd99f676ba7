"""Ladder and chart in the window: what the mouse on them sends to the engine, and what becomes of it."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QMouseEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget

from app.settings import SettingsFile
from engine.link.scripted import control, frame, order, scripted_session
from engine.messages.commands import (
    AnyCommand,
    BreakEven,
    Cancel,
    CancelAll,
    Flatten,
    Modify,
    Preview,
    Reverse,
    Submit,
)
from engine.messages.events import AnyEvent
from engine.messages.frames import Control
from engine.messages.orders import HAND
from tests.gui.conftest import RUN, Desk
from widgets.book import LadderPanel
from widgets.book.layout import Span
from widgets.chart.panel import ChartPanel

LEFT, RIGHT, NONE = Qt.MouseButton.LeftButton, Qt.MouseButton.RightButton, Qt.KeyboardModifier.NoModifier
EURUSD = RUN.instrument
TICK = Decimal("0.00001")


class Screen:
    """Ladder and chart of a desk that plays, armed or not."""

    def __init__(self, desk: Desk, under: Control) -> None:
        self.desk = desk
        self.ladder = desk.panel("ladder", LadderPanel)
        self.chart = desk.panel("chart", ChartPanel)
        desk.station.open_run(RUN)
        desk.link.push(*(msgspec.structs.replace(f, control=under) for f in scripted_session(3, 61)[:-1]))
        desk.tick_later()
        book = desk.state.markets[EURUSD].book
        self.bid = Decimal(str(round(float(book.bids["price"][0]), 5)))

    def tell(self, *events: AnyEvent, **parts: Any) -> None:
        state = self.desk.state
        parts = {"control": state.control, "now": self.desk.clock.now, **parts}
        made = frame(
            9_000 + state.version, instruments=[], events=events, first_event=state.last_event + 1, **parts
        )
        self.desk.link.push(made)
        self.desk.tick_later()

    @property
    def sent(self) -> list[AnyCommand]:
        """Commands about orders, in order."""
        about = Submit | Modify | Cancel | CancelAll | Flatten | Reverse | BreakEven
        return [command for command in self.desk.sent if isinstance(command, about)]

    def row(self, span: Span, price: Decimal) -> QPoint:
        rows = self.ladder.price_rows()
        assert rows is not None
        number = int((rows.top - price) / rows.step)
        return QPoint(span.middle, self.ladder.view.layout_now.row_top(number) + rows.row_px // 2)


def drag(widget: QWidget, places: Iterable[QPoint]) -> None:
    """Press at the first place, move over the others, let go at the last."""
    first, *others = places
    QTest.mousePress(widget, LEFT, NONE, first)
    for place in map(QPointF, others):
        kind = QEvent.Type.MouseMove
        QApplication.sendEvent(widget, QMouseEvent(kind, place, widget.mapToGlobal(place), LEFT, LEFT, NONE))
    QTest.mouseRelease(widget, LEFT, NONE, others[-1])


@pytest.fixture
def screen(desk: Desk) -> Screen:
    return Screen(desk, control())


def test_a_click_on_the_ladder_reaches_the_engine_and_its_order_shows_its_queue(screen: Screen) -> None:
    view, price = screen.ladder.view, screen.bid - 3 * TICK
    spot = screen.row(view.layout_now.bid, price)
    QTest.mouseClick(view, LEFT, NONE, spot)
    (command,) = screen.sent
    assert isinstance(command, Submit)
    (intent,) = command.intents
    assert (intent.side, intent.type, intent.price, intent.strategy) == ("BUY", "LIMIT", price, HAND)
    assert intent.quantity == screen.ladder.size_box.size_now == 1_000
    screen.tell(order("H-1", price=price, quantity=intent.quantity, strategy=HAND, ts=screen.desk.clock.now))
    level = screen.desk.state.markets[EURUSD].book.bids["size"][3]
    assert screen.desk.state.queues.of("H-1") == level > 0
    QTest.mouseClick(view, RIGHT, NONE, screen.row(view.layout_now.own_bid, price))
    assert screen.sent[1:] == [Cancel("H-1")]


def test_in_view_the_ladder_places_nothing_and_the_window_stays_quiet(desk: Desk) -> None:
    screen = Screen(desk, control(arm="view"))
    view = screen.ladder.view
    QTest.mouseClick(view, LEFT, NONE, screen.row(view.layout_now.bid, screen.bid - 3 * TICK))
    assert not screen.sent
    assert "orders are off" in view._hint()[0]
    assert not desk.window.top.banner.isVisible()


def test_an_order_is_dragged_on_the_ladder_and_on_the_chart(screen: Screen) -> None:
    price = screen.bid - 3 * TICK
    screen.tell(order("H-1", price=price, strategy=HAND, ts=screen.desk.clock.now))
    view = screen.ladder.view
    own = view.layout_now.own_bid
    drag(view, [screen.row(own, price), screen.row(own, price - TICK), screen.row(own, price - 2 * TICK)])
    assert screen.sent == [Modify(order_id="H-1", price=price - 2 * TICK)]
    canvas = screen.chart.canvas
    canvas.repaint()
    start, end = (QPoint(150, round(canvas.view.y_of(float(each)))) for each in (price, price - 5 * TICK))
    drag(canvas, [start, end])
    assert screen.sent[1:] == [Modify(order_id="H-1", price=price - 5 * TICK)]
    (line,) = (each for each in canvas.trading.lines([]) if each.order.order_id == "H-1")
    assert line.asked
    screen.tell(order("H-1", price=price - 5 * TICK, strategy=HAND, ts=screen.desk.clock.now))
    (line,) = (each for each in canvas.trading.lines([]) if each.order.order_id == "H-1")
    assert (line.was, line.price) == (None, price - 5 * TICK)


def test_escape_ends_a_drag_before_it_ends_a_seek(screen: Screen) -> None:
    price = screen.bid - 3 * TICK
    screen.tell(order("H-1", price=price, strategy=HAND, ts=screen.desk.clock.now))
    canvas = screen.chart.canvas
    canvas.repaint()
    sent = len(screen.desk.sent)
    QTest.mousePress(canvas, LEFT, NONE, QPoint(150, round(canvas.view.y_of(float(price)))))
    QTest.keyClick(canvas, Qt.Key.Key_Escape)
    QTest.mouseRelease(canvas, LEFT, NONE, QPoint(150, 20))
    later = [command for command in screen.desk.sent[sent:] if not isinstance(command, Preview)]
    assert not later


def test_hot_buttons_reach_the_engine_and_name_their_keys(screen: Screen) -> None:
    hot = screen.ladder.hot
    for button in hot.buttons.values():
        QTest.mouseClick(button, LEFT)
    assert screen.sent == [Flatten(EURUSD), Reverse(EURUSD), CancelAll(EURUSD), BreakEven(EURUSD)]
    assert "Shift+F" in hot.buttons["flatten"].toolTip()
    screen.desk.station.set_trading_keys({"flatten": "Ctrl+F12"}, 1)
    assert "Ctrl+F12" in hot.buttons["flatten"].toolTip()


def test_the_size_of_the_ladder_is_there_again_after_a_restart(screen: Screen) -> None:
    field = screen.ladder.size_box.field
    field.setFocus()
    field.selectAll()
    QTest.keyClicks(field, "25k")
    kept = SettingsFile(screen.desk.station.settings.path).settings.ladder_sizes
    assert kept == {EURUSD: ["25000", "1000", "10000", "100000"]}
    again = screen.desk.station.new_window().hosts["ladder"]
    again.refresh()
    assert isinstance(again.widget, LadderPanel)
    assert again.widget.size_box.size_now == 25_000
