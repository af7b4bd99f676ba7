"""The chart as its user sees it: pixels where the market says, following, choosing, and no idle work."""

from collections.abc import Iterator
from decimal import Decimal

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QColor, QImage, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.state.market import MarketState
from app.state.orders import OrdersState
from engine.messages.events import Filled, OrderChanged
from tests.widgets.chart.markets import (
    INSTRUMENT,
    SECOND,
    START,
    TICK,
    depth,
    give,
    market,
    quotes,
    theme,
    trades,
)
from widgets.chart.panel import ChartPanel


@pytest.fixture
def panel(qtbot: QtBot) -> Iterator[ChartPanel]:
    made = ChartPanel(theme())
    qtbot.addWidget(made)
    made.resize(900, 500)
    made.show()
    qtbot.waitExposed(made)
    yield made
    made.bind(None)


def _market(seconds: int = 120, price: float = 100.0) -> MarketState:
    return market(
        quotes(np.arange(seconds), price),
        trades(np.arange(0, seconds, 10), price, 5.0, 1),
        depth(np.arange(seconds), bid=price),
    )


def _painted(panel: ChartPanel) -> QImage:
    """What is on the canvas now, after one refresh as the frame clock does it."""
    panel.refresh()
    QApplication.processEvents()
    return panel.canvas.grab().toImage()


def _colour(image: QImage, x: int, y: int) -> str:
    return image.pixelColor(x, y).name()


def _is_like(image: QImage, x: int, y: int, token: str, tolerance: int = 40) -> bool:
    wanted, got = QColor(getattr(theme(), token)), image.pixelColor(x, y)
    return all(
        abs(a - b) <= tolerance
        for a, b in (
            (wanted.red(), got.red()),
            (wanted.green(), got.green()),
            (wanted.blue(), got.blue()),
        )
    )


def _fill(second: float, side: str, price: str) -> Filled:
    return Filled(
        ts=START + int(second * SECOND),
        trade_id="T",
        order_id="O",
        instrument=INSTRUMENT.id,
        strategy="s",
        side=side,  # type: ignore[arg-type]
        quantity=Decimal(1),
        price=Decimal(price),
        fee=Decimal(0),
        fee_currency="USD",
        liquidity="taker",
    )


def _working_order(price: str) -> OrderChanged:
    return OrderChanged(
        ts=START,
        order_id="W",
        instrument=INSTRUMENT.id,
        strategy="s",
        side="BUY",
        type="LIMIT",
        quantity=Decimal(3),
        filled=Decimal(0),
        price=Decimal(price),
        trigger=None,
        average_price=None,
        status="ACCEPTED",
    )


def test_without_a_market_it_says_what_would_fill_it(panel: ChartPanel) -> None:
    image = _painted(panel)
    ground = QColor(theme().panel).name()
    middle = [_colour(image, x, y) for x in range(200, 700) for y in range(220, 250)]
    assert any(colour != ground for colour in middle)
    panel.bind(market())
    waiting = _painted(panel)
    assert waiting != image


def test_the_largest_level_is_the_brightest_and_lies_at_its_price(panel: ChartPanel) -> None:
    state = market(quotes(np.arange(120), 100.0), None, depth(np.arange(120), wall=103.0))
    panel.bind(state)
    image = _painted(panel)
    view = panel.canvas.view
    x = view.x_of(START + 60 * SECOND)
    wall, level = (image.pixelColor(x, int(view.y_of(price))).lightness() for price in (103.0, 102.0))
    outside = image.pixelColor(x, int(view.y_of(105.75))).name()
    assert wall > 2 * level
    assert outside == QColor(theme().panel).name()


def test_the_bid_line_is_at_the_bid(panel: ChartPanel) -> None:
    state = market(quotes(np.arange(120), np.where(np.arange(120) < 60, 100.0, 104.0)))
    panel.bind(state)
    image = _painted(panel)
    view = panel.canvas.view
    for second, price in ((30, 100.0), (90, 104.0)):
        x, y = view.x_of(START + second * SECOND), int(view.y_of(price))
        assert any(_is_like(image, x, row, "bid") for row in (y - 1, y, y + 1))
    jump = view.x_of(START + 60 * SECOND)
    assert _is_like(image, jump, int(view.y_of(102.0)), "ask")  # the steps are joined upright


def test_a_fill_is_a_triangle_in_its_side_s_colour_with_its_tip_at_the_price(panel: ChartPanel) -> None:
    orders = OrdersState()
    panel.bind(market(quotes(np.arange(120), 100.0)), orders)
    before = _painted(panel)
    orders.apply([_fill(50, "BUY", "100.5"), _fill(80, "SELL", "100.0")])
    after = _painted(panel)
    view = panel.canvas.view
    for second, price, token, inward in ((50, 100.5, "bid", 7), (80, 100.0, "ask", -7)):
        x, y = view.x_of(START + second * SECOND), int(view.y_of(price))
        assert _colour(after, x, y + inward) != _colour(before, x, y + inward)
        assert _is_like(after, x, y + inward, token)
        assert _colour(after, x, y - 2 * inward) == _colour(before, x, y - 2 * inward)


def test_a_working_order_is_a_line_at_its_price_until_it_is_gone(panel: ChartPanel) -> None:
    orders = OrdersState()
    panel.bind(market(quotes(np.arange(120), 100.0)), orders)
    plain = _painted(panel)
    orders.apply([_working_order("98.0")])
    lined = _painted(panel)
    y = round(panel.canvas.view.y_of(98.0))
    changed = [x for x in range(600) if _colour(lined, x, y) != _colour(plain, x, y)]
    assert len(changed) > 200
    assert _is_like(lined, changed[0], y, "bid", 60)


def test_larger_trades_are_larger_discs(panel: ChartPanel) -> None:
    state = market(None, trades(np.array([0.0, 40.0, 80.0]), 100.0, [1.0, 100.0, 4.0], [1, 2, 1]))
    panel.bind(state)
    image = _painted(panel)
    panel.show_layer("trades", visible=False)
    without = _painted(panel)
    view = panel.canvas.view

    def height(second: int) -> int:
        x = view.x_of(START + second * SECOND)
        return sum(_colour(image, x, y) != _colour(without, x, y) for y in range(view.height))

    assert height(40) > 2 * height(80) > 0
    assert _is_like(image, view.x_of(START + 40 * SECOND), int(view.y_of(100.0)) + 4, "ask", 70)


def test_candles_show_open_high_low_and_close(panel: ChartPanel) -> None:
    seconds = np.array([0.0, 10.0, 20.0, 30.0, 60.0])
    state = market(None, trades(seconds, [100.0, 110.0, 96.0, 104.0, 104.0], 1.0, 0))
    panel.bind(state)
    panel.show_layer("trades", visible=False)
    assert panel.choose("1-MINUTE")
    image = _painted(panel)
    view = panel.canvas.view
    left, right = view.x_of(START // (60 * SECOND) * 60 * SECOND), view.x_of(START + 60 * SECOND)
    assert START % (60 * SECOND) == 20 * SECOND
    middle = (left + view.x_of(START + 40 * SECOND)) // 2
    assert right > middle
    assert _is_like(image, middle, int(view.y_of(102.0)), "bid")
    for wick in (109.0, 97.0):
        assert any(_is_like(image, x, int(view.y_of(wick)), "bid") for x in range(middle - 2, middle + 3))
    assert not _is_like(image, middle + 12, int(view.y_of(108.0)), "bid")


def test_the_lower_pane_shows_bought_minus_sold(panel: ChartPanel) -> None:
    state = market(None, trades(np.array([0.0, 60.0, 119.0]), 100.0, [50.0, 50.0, 1.0], [1, 2, 1]))
    panel.bind(state)
    image = _painted(panel)
    view, canvas = panel.canvas.view, panel.canvas
    top, bottom = view.height + 1, canvas.height() - 22
    middle = (top + bottom) // 2
    bought, sold = (view.x_of(START + second * SECOND) for second in (0, 60))

    def bar(x: int, y: int, token: str) -> bool:
        return any(_is_like(image, near, y, token, 75) for near in range(x - 5, x + 6))

    assert bar(bought, middle - 15, "bid")
    assert bar(sold, middle + 15, "ask")
    assert not bar(bought, middle + 15, "ask")


def test_panning_stops_following_and_back_to_now_resumes(panel: ChartPanel) -> None:
    state = _market()
    panel.bind(state)
    _painted(panel)
    canvas, view = panel.canvas, panel.canvas.view
    QTest.mousePress(canvas, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, QPoint(300, 200))
    QTest.mouseMove(canvas, QPoint(340, 200))
    QTest.mouseMove(canvas, QPoint(380, 200))
    QTest.mouseRelease(canvas, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, QPoint(380, 200))
    assert (view.following, panel.now_button.isVisible()) == (False, True)
    left = view.left_ns
    give(state, quotes(np.arange(120, 200), 100.0))
    _painted(panel)
    assert view.left_ns == left
    panel.now_button.click()
    _painted(panel)
    assert (view.following, panel.now_button.isVisible()) == (True, False)
    assert view.left_ns < START + 199 * SECOND < view.right_ns


def test_the_view_follows_the_clock_in_a_quiet_market(panel: ChartPanel) -> None:
    panel.bind(_market())
    _painted(panel)
    view = panel.canvas.view
    place = view.x_of(START + 119 * SECOND)
    panel.set_clock(START + 180 * SECOND)
    _painted(panel)
    assert view.x_of(START + 180 * SECOND) == pytest.approx(place, abs=2)


def _wheel(panel: ChartPanel, x: int, y: int, notches: int, modifier: Qt.KeyboardModifier) -> None:
    canvas = panel.canvas
    where = QPointF(x, y)
    event = QWheelEvent(
        where,
        canvas.mapToGlobal(where),
        QPoint(),
        QPoint(0, 120 * notches),
        Qt.MouseButton.NoButton,
        modifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(canvas, event)


def test_the_wheel_zooms_time_about_the_cursor_and_prices_with_ctrl(panel: ChartPanel) -> None:
    panel.bind(_market())
    _painted(panel)
    view = panel.canvas.view
    view.pan(1, 0)
    here, scale = view.time_at(250), view.scale_ns
    _wheel(panel, 250, 100, 2, Qt.KeyboardModifier.NoModifier)
    assert view.scale_ns < scale
    assert abs(view.x_of(here) - 250) <= 1
    span, price = view.high - view.low, view.price_at(100)
    _wheel(panel, 250, 100, -1, Qt.KeyboardModifier.ControlModifier)
    assert view.high - view.low > span
    assert view.price_at(100) == pytest.approx(price)
    QTest.mouseDClick(
        panel.canvas, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, QPoint(890, 100)
    )
    assert view.auto_price


def test_a_bad_bar_spec_is_answered_by_a_sentence_and_changes_nothing(panel: ChartPanel) -> None:
    panel.bind(_market())
    before = _painted(panel)
    panel.custom.setText("7-second-mid")
    QTest.keyClick(panel.custom, Qt.Key.Key_Return)
    assert panel.message.isVisible()
    assert panel.message.text().endswith(".")
    assert "SECOND" in panel.message.text()
    assert panel.choice_buttons[None].isChecked()
    panel.message.hide()
    assert _painted(panel).size() == before.size()
    panel.custom.setText("20-tick-last")
    QTest.keyClick(panel.custom, Qt.Key.Key_Return)
    assert panel.canvas.shown.spec == "20-TICK-LAST"
    assert panel.message.isHidden()


def test_a_preset_takes_trades_where_there_are_some_and_else_the_mid(panel: ChartPanel) -> None:
    state = market(quotes(np.arange(60), 100.0))
    panel.bind(state)
    panel.choice_buttons["1-SECOND"].click()
    assert panel.canvas.shown.spec == "1-SECOND-MID"
    give(state, None, trades(np.array([61.0]), 100.0, 1.0, 1))
    _painted(panel)
    assert panel.canvas.shown.spec == "1-SECOND-LAST"
    assert panel.choice_buttons["1-SECOND"].isChecked()


def test_tick_bars_of_conflated_ticks_say_so(panel: ChartPanel) -> None:
    state = _market()
    state.trades.append(trades(np.array([]), 0.0, 0.0, 0), conflated=1234)
    panel.bind(state)
    panel.choose("100-TICK-LAST")
    assert "1,234" in panel.conflation.text()
    assert panel.conflation.isVisible()
    panel.choose("1-SECOND-LAST")
    assert not panel.conflation.isVisible()


def test_hovering_tells_the_time_and_ctrl_click_chooses_it(panel: ChartPanel) -> None:
    panel.bind(_market())
    _painted(panel)
    hovered: list[object] = []
    chosen: list[object] = []
    panel.time_hovered.connect(hovered.append)
    panel.time_chosen.connect(chosen.append)
    view = panel.canvas.view
    QTest.mouseMove(panel.canvas, QPoint(200, 150))
    assert hovered[-1] == view.time_at(200)
    QTest.mouseClick(
        panel.canvas, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, QPoint(210, 150)
    )
    assert not chosen
    QTest.mouseClick(
        panel.canvas, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.ControlModifier, QPoint(210, 150)
    )
    assert chosen == [view.time_at(210)]
    QApplication.sendEvent(panel.canvas, QEvent(QEvent.Type.Leave))
    assert hovered[-1] is None


def test_the_price_range_is_told_when_it_changes(panel: ChartPanel, qtbot: QtBot) -> None:
    state = _market()
    panel.bind(state)
    with qtbot.waitSignal(panel.price_range_changed) as told:
        _painted(panel)
    low, high = told.args
    assert low < 100.0 < high
    give(state, quotes(np.arange(120, 130), 150.0))
    with qtbot.waitSignal(panel.price_range_changed) as told:
        _painted(panel)
    assert told.args[1] > 150.0


def test_nothing_is_drawn_when_nothing_changed_or_nobody_looks(panel: ChartPanel) -> None:
    state = _market()
    panel.bind(state)
    panel.choose("1-SECOND-BID")
    _painted(panel)
    scene, bars = panel.canvas.scene, state.bars("1-SECOND-BID")
    assert scene is not None
    drawn = scene.paintings
    _painted(panel)
    QTest.mouseMove(panel.canvas, QPoint(220, 150))
    _painted(panel)
    assert scene.paintings == drawn
    panel.hide()
    built = bars.version
    give(state, quotes(np.arange(120, 200), 100.0))
    panel.refresh()
    QApplication.processEvents()
    assert (scene.paintings, bars.version) == (drawn, built)
    panel.show()
    _painted(panel)
    assert scene.paintings > drawn


def test_news_out_of_sight_does_not_draw_the_picture_again(panel: ChartPanel) -> None:
    state = _market(1000)
    panel.bind(state)
    _painted(panel)
    panel.canvas.view.pan(3000, 0)
    _painted(panel)
    panel.canvas.view.show_times(START + 100 * SECOND, START + 400 * SECOND)
    panel.canvas.auto_price()
    _painted(panel)
    scene = panel.canvas.scene
    assert scene is not None
    drawn = scene.paintings
    give(state, quotes(np.arange(1000, 1100), 100.0))
    _painted(panel)
    assert scene.paintings == drawn


def test_painting_costs_the_same_after_twenty_times_the_history(panel: ChartPanel) -> None:
    reads = []
    for rows in (100_000, 2_000_000):
        seconds = np.linspace(0, rows / 500, rows)
        state = market(quotes(seconds, 100.0 + np.round(np.sin(seconds)) * TICK))
        panel.bind(None)
        panel.bind(state)
        _painted(panel)
        panel.canvas.view.show_times(START, START + int(seconds[-1] * SECOND))
        panel.canvas.auto_price()
        _painted(panel)
        reads.append(state.quotes.reads)
    assert reads[1] <= reads[0]


def test_bookmarks_and_the_loop_are_drawn_at_their_times(panel: ChartPanel) -> None:
    panel.bind(_market())
    plain = _painted(panel)
    panel.set_marks([START + 30 * SECOND], (START + 60 * SECOND, START + 90 * SECOND))
    marked = _painted(panel)
    view = panel.canvas.view
    for second in (30, 60, 90):
        x = view.x_of(START + second * SECOND)
        assert any(_colour(marked, x, y) != _colour(plain, x, y) for y in range(2, 40))
    outside = view.x_of(START + 45 * SECOND)
    assert _colour(marked, outside, 20) == _colour(plain, outside, 20)


def test_another_theme_paints_on_its_own_ground(panel: ChartPanel) -> None:
    panel.bind(market(quotes(np.arange(120), 100.0)))
    _painted(panel)
    panel.set_theme(theme("light"))
    image = _painted(panel)
    ground = [_colour(image, x, y) for x in range(4, 24) for y in range(4, 24)]
    assert ground.count(QColor(theme("light").panel).name()) > 300


def test_a_new_epoch_of_the_same_market_keeps_the_view(panel: ChartPanel) -> None:
    panel.bind(_market())
    _painted(panel)
    panel.canvas.view.show_times(START + 10 * SECOND, START + 20 * SECOND)
    left, scale = panel.canvas.view.left_ns, panel.canvas.view.scale_ns
    panel.bind(_market(60))
    _painted(panel)
    assert (panel.canvas.view.left_ns, panel.canvas.view.scale_ns) == (left, scale)


def test_a_market_without_trades_or_depth_has_no_lower_pane_and_greys_their_switches(
    panel: ChartPanel,
) -> None:
    state = market(quotes(np.arange(120), 100.0))
    panel.bind(state)
    _painted(panel)
    assert panel.canvas.view.height > 0.9 * (panel.canvas.height() - 22)
    assert not any(button.isEnabled() for button in panel.layer_buttons.values())
    give(state, None, trades(np.array([120.0]), 100.0, 1.0, 1), depth(np.array([120.0])))
    _painted(panel)
    assert panel.canvas.view.height < 0.9 * (panel.canvas.height() - 22)
    enabled = {layer for layer, button in panel.layer_buttons.items() if button.isEnabled()}
    assert enabled == {"heatmap", "trades", "flow"}


def test_trades_away_from_the_quotes_are_in_sight(panel: ChartPanel) -> None:
    panel.bind(market(quotes(np.arange(120), 100.0), trades(np.array([60.0]), 140.0, 1.0, 1)))
    _painted(panel)
    assert panel.canvas.view.high > 140.0


def test_measuring_with_shift_held_draws_a_box_and_does_not_move_the_view(panel: ChartPanel) -> None:
    panel.bind(_market())
    before = _painted(panel)
    left = panel.canvas.view.left_ns
    shift = Qt.KeyboardModifier.ShiftModifier
    QTest.mousePress(panel.canvas, Qt.MouseButton.LeftButton, shift, QPoint(200, 100))
    QTest.mouseMove(panel.canvas, QPoint(300, 180))
    box = _painted(panel)
    assert _colour(box, 250, 120) != _colour(before, 250, 120)
    assert panel.canvas.view.left_ns == left
    QTest.mouseRelease(panel.canvas, Qt.MouseButton.LeftButton, shift, QPoint(300, 180))
    QApplication.sendEvent(panel.canvas, QEvent(QEvent.Type.Leave))
    after = _painted(panel)
    assert _colour(after, 250, 120) == _colour(before, 250, 120)


def test_zooming_by_key_keeps_now_in_its_place_while_following(panel: ChartPanel) -> None:
    panel.bind(_market())
    _painted(panel)
    view = panel.canvas.view
    now = panel.canvas.now_ns
    x, scale = view.x_of(now), view.scale_ns
    panel.zoom(2.0)
    _painted(panel)
    assert view.scale_ns == 2 * scale
    assert view.following
    assert abs(view.x_of(now) - x) <= 1


def test_a_new_session_begins_with_a_fresh_view_and_keeps_the_bars(panel: ChartPanel) -> None:
    panel.bind(_session_market("first", 600))
    _painted(panel)
    panel.choice_buttons["1-SECOND"].click()
    panel.zoom(0.001)
    panel.canvas.view.pan(50, 0)
    _painted(panel)
    panel.bind(_session_market("second", 600))
    _painted(panel)
    view = panel.canvas.view
    assert view.following
    assert not panel.now_button.isVisible()
    assert panel.canvas.shown.spec == "1-SECOND-LAST"
    shown_s = view.width * view.scale_ns / SECOND
    assert shown_s == pytest.approx(120, rel=0.01)


def test_bars_fill_the_view_of_a_young_session(panel: ChartPanel) -> None:
    panel.choose("1-MINUTE-BID")
    state = _session_market("young", 60)
    panel.bind(state)
    _painted(panel)
    view = panel.canvas.view
    assert view.width * view.scale_ns / SECOND == pytest.approx(30 * 60, rel=0.01)
    give(state, quotes(np.arange(60, 7200), 100.0))
    _painted(panel)
    assert view.width * view.scale_ns / SECOND == pytest.approx(120 * 60, rel=0.01)


def test_a_bad_spec_entered_before_a_session_is_answered_when_it_begins(panel: ChartPanel) -> None:
    panel.choose("7-PARSEC-LAST")
    panel.bind(_market())
    assert panel.canvas.shown.spec is None
    assert "PARSEC" in panel.message.text()
    assert not panel.message.isHidden()


def test_the_header_says_what_bars_are_made_of(panel: ChartPanel) -> None:
    panel.bind(market(quotes(np.arange(60), 100.0)))
    assert panel.made_of.isHidden()
    assert "mid prices, by replay time (1-MINUTE-MID)" in panel.choice_buttons["1-MINUTE"].toolTip()
    panel.choose("1-MINUTE")
    assert panel.made_of.text() == "mid prices, replay time"
    assert not panel.made_of.isHidden()
    panel.bind(_market())
    panel.refresh()
    assert panel.made_of.text() == "trade prices, replay time"
    assert "(1-MINUTE-LAST)" in panel.choice_buttons["1-MINUTE"].toolTip()


def _session_market(session: str, seconds: int) -> MarketState:
    state = MarketState(INSTRUMENT, session)
    give(state, quotes(np.arange(seconds), 100.0), trades(np.arange(0, seconds, 10), 100.0, 5.0, 1))
    return state
