"""Orders on the chart by the mouse: what a drag asks for, and what it shows until the venue has answered."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any, Literal

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QColor, QMouseEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.state.market import MarketState
from app.state.orders import OrdersState
from engine.link.builders import order, position
from engine.link.trading_builders import control, denied, intent
from engine.messages.commands import AnyCommand, Cancel, Modify, Submit
from engine.messages.events import AnyEvent, HaltStep, OrderChanged, Refused
from engine.messages.orders import HAND
from tests.widgets.chart.markets import INSTRUMENT, START, market, quotes, theme
from widgets.chart.panel import ChartPanel
from widgets.chart.trade_layer import TradeLayer

LEFT, RIGHT = Qt.MouseButton.LeftButton, Qt.MouseButton.RightButton
SHIFT, CTRL, NONE = (
    Qt.KeyboardModifier.ShiftModifier,
    Qt.KeyboardModifier.ControlModifier,
    Qt.KeyboardModifier.NoModifier,
)
type Side = Literal["BUY", "SELL"]


class Desk:
    """What the chart reads of a session, the mouse on it, and what it asked for."""

    def __init__(self, qtbot: QtBot) -> None:
        self.orders = OrdersState()
        self.refusal: Refused | None = None
        self.refusals = 0
        self.asked: list[AnyCommand] = []
        self.market: MarketState = market(quotes(np.arange(120), 100.0))
        self.panel = ChartPanel(theme())
        qtbot.addWidget(self.panel)
        self.panel.resize(900, 500)
        self.panel.command_asked.connect(self.asked.append)
        self.panel.bind(self.market, self.orders, None, None, self)
        self.panel.set_control(control())
        self.panel.show()
        qtbot.waitExposed(self.panel)
        self.see()
        canvas = self.panel.canvas
        canvas.view.auto_price, canvas.view.low, canvas.view.high = False, 90.0, 110.0
        canvas._forget_picture()
        self.see()

    def see(self) -> None:
        self.panel.refresh()
        QApplication.processEvents()
        self.panel.canvas.repaint()

    def tell(self, *events: AnyEvent) -> None:
        self.orders.apply(events)
        self.see()

    def hold(self, quantity: int, average: str = "100.0", strategy: str = HAND) -> None:
        self.tell(
            position(
                Decimal(quantity),
                position_id=f"P-{strategy}",
                average_open=Decimal(average),
                strategy=strategy,
                instrument=INSTRUMENT.id,
            )
        )

    # The mouse

    def at(self, price: float, x: int = 200) -> QPoint:
        return QPoint(x, round(self.panel.canvas.view.y_of(price)))

    def send(self, kind: QEvent.Type, at: QPoint, held: Qt.KeyboardModifier = NONE) -> None:
        canvas, place = self.panel.canvas, QPointF(at)
        event = QMouseEvent(kind, place, canvas.mapToGlobal(place), LEFT, LEFT, held)
        QApplication.sendEvent(canvas, event)

    def press(self, at: QPoint, held: Qt.KeyboardModifier = NONE) -> None:
        QTest.mousePress(self.panel.canvas, LEFT, held, at)

    def drag(
        self, start: float, end: float, held: Qt.KeyboardModifier = NONE, *, off: int = 0, drop: bool = True
    ) -> None:
        """Drag from beside a price to another one."""
        down, up = self.at(start) + QPoint(0, off), self.at(end) + QPoint(0, off)
        self.press(down, held)
        for part in range(1, 5):
            self.send(QEvent.Type.MouseMove, down + (up - down) * part / 4, held)
        if drop:
            QTest.mouseRelease(self.panel.canvas, LEFT, held, up)

    def layer(self) -> TradeLayer:
        canvas = self.panel.canvas
        assert canvas._axes is not None
        assert canvas._layout is not None
        return TradeLayer(canvas.trading, INSTRUMENT, canvas.view, canvas._axes, canvas._layout)

    def placed(self, order_id: str | None) -> tuple[str, QPoint, QPoint]:
        """Text of a line's tag, a place on the tag, and one on its cross."""
        for each in self.layer()._placed():
            if (each.order.order_id if each.order is not None else None) == order_id:
                return each.text, each.tag.topLeft() + QPoint(4, 4), each.cross.center()
        raise AssertionError(f"no line of {order_id}")

    def texts(self) -> list[str]:
        return [each.text for each in self.layer()._placed()]

    def text(self, order_id: str | None) -> str:
        return self.placed(order_id)[0]

    @property
    def note(self) -> str:
        return self.panel.canvas.trading.note


@pytest.fixture
def desk(qtbot: QtBot) -> Iterator[Desk]:
    made = Desk(qtbot)
    yield made
    made.panel.canvas._note_end.stop()
    made.panel.bind(None)


def limit(order_id: str = "L", price: str = "97.0", side: Side = "BUY", **more: object) -> OrderChanged:
    return order(
        order_id,
        side=side,
        price=Decimal(price),
        quantity=Decimal(3),
        instrument=INSTRUMENT.id,
        **more,  # type: ignore[arg-type]
    )


def stop(order_id: str = "S", trigger: str = "95.0", side: Side = "SELL", **more: object) -> OrderChanged:
    return order(
        order_id,
        side=side,
        type="STOP_MARKET",
        price=None,
        trigger=Decimal(trigger),
        quantity=Decimal(3),
        instrument=INSTRUMENT.id,
        **more,  # type: ignore[arg-type]
    )


@pytest.mark.parametrize("off", [-4, 0, 4])
def test_a_line_that_is_taken_within_four_pixels_moves_its_order(desk: Desk, off: int) -> None:
    desk.tell(limit())
    desk.drag(97.0, 98.5, off=off)
    assert desk.asked == [Modify(order_id="L", price=Decimal("98.5"))]


def test_a_stop_moves_by_its_trigger(desk: Desk) -> None:
    desk.tell(stop(), limit())
    desk.drag(95.0, 93.1)
    assert desk.asked == [Modify(order_id="S", trigger=Decimal("93.0"))]


def test_what_the_station_holds_says_so_and_moves(desk: Desk) -> None:
    desk.tell(stop(status="HELD"))
    assert "held here" in desk.text("S")
    desk.drag(95.0, 93.1)
    assert desk.asked == [Modify(order_id="S", trigger=Decimal("93.0"))]


def test_beside_a_line_the_chart_is_moved_as_ever(desk: Desk) -> None:
    desk.tell(limit())
    view = desk.panel.canvas.view
    start, left = desk.at(97.0) + QPoint(0, 7), view.left_ns
    desk.press(start)
    for x in (20, 40, 60):
        desk.send(QEvent.Type.MouseMove, start + QPoint(x, 0))
    QTest.mouseRelease(desk.panel.canvas, LEFT, NONE, start + QPoint(60, 0))
    assert view.left_ns == left - 60 * view.scale_ns
    assert not desk.asked


def test_the_axis_stretches_prices_although_a_line_ends_there(desk: Desk) -> None:
    desk.tell(limit())
    view, canvas = desk.panel.canvas.view, desk.panel.canvas
    span, x = view.high - view.low, canvas.width() - 10
    desk.press(desk.at(97.0, x))
    desk.send(QEvent.Type.MouseMove, desk.at(97.0, x) + QPoint(0, 60))
    QTest.mouseRelease(canvas, LEFT, NONE, desk.at(97.0, x))
    assert view.high - view.low > span
    assert not desk.asked


def test_ctrl_and_click_on_a_line_still_chooses_a_time(desk: Desk, qtbot: QtBot) -> None:
    desk.tell(limit())
    with qtbot.waitSignal(desk.panel.time_chosen):
        QTest.mouseClick(desk.panel.canvas, LEFT, CTRL, desk.at(97.0))
    assert not desk.asked


def test_a_drag_to_the_same_price_asks_for_nothing(desk: Desk) -> None:
    desk.tell(limit())
    desk.drag(97.0, 97.2)
    desk.drag(97.0, 97.0)
    assert not desk.asked
    assert desk.text("L") == "Buy 3.00 limit 97.0"


def test_the_market_may_move_during_a_drag(desk: Desk) -> None:
    desk.tell(limit())
    desk.drag(97.0, 98.5, drop=False)
    view = desk.panel.canvas.view
    view.low, view.high = 80.0, 140.0  # what an automatic range may do
    QTest.mouseRelease(desk.panel.canvas, LEFT, NONE, desk.at(98.5))
    assert desk.asked == [Modify(order_id="L", price=Decimal("98.5"))]


def test_while_it_is_dragged_the_tag_says_where_to_and_the_old_line_stays(desk: Desk) -> None:
    desk.tell(limit())
    before = desk.panel.canvas.grab().toImage()
    desk.drag(97.0, 98.5, drop=False)
    assert desk.text("L") == "Buy 3.00 limit 98.5 (+3 ticks)"
    image = desk.panel.canvas.grab().toImage()
    ground = QColor(theme().panel)
    old, new = (
        {image.pixelColor(x, desk.at(price).y()).name() for x in range(20, 190)} for price in (97, 98.5)
    )
    assert QColor(theme().bid).name() in new
    assert QColor(theme().bid).name() not in old
    assert old - {ground.name()}
    assert before != image


def test_a_drag_says_where_the_order_would_not_wait(desk: Desk) -> None:
    desk.tell(limit(), stop())
    desk.drag(97.0, 100.5, drop=False)
    assert desk.text("L") == "Buy 3.00 limit 100.5 (+7 ticks)  fills at once"
    QTest.keyClick(desk.panel.canvas, Qt.Key.Key_Escape)
    desk.drag(95.0, 101.0, drop=False)
    assert desk.text("S") == "Sell 3.00 stop 101.0 (+12 ticks)  triggers at once"


def test_escape_puts_the_line_back(desk: Desk) -> None:
    desk.tell(limit())
    desk.drag(97.0, 98.5, drop=False)
    QTest.keyClick(desk.panel.canvas, Qt.Key.Key_Escape)
    assert desk.text("L") == "Buy 3.00 limit 97.0"
    QTest.mouseRelease(desk.panel.canvas, LEFT, NONE, desk.at(98.5))
    assert not desk.asked


def test_until_the_venue_confirms_a_move_is_shown_as_asked(desk: Desk) -> None:
    desk.tell(limit())
    desk.drag(97.0, 98.5)
    assert desk.text("L") == "Buy 3.00 limit 98.5 (+3 ticks) asked"
    desk.tell(limit(status="PENDING_UPDATE"))
    assert desk.text("L") == "Buy 3.00 limit 98.5 (+3 ticks) asked"
    desk.drag(98.5, 99.5)
    assert len(desk.asked) == 1  # one at a time
    desk.tell(limit(price="98.5"))
    assert desk.text("L") == "Buy 3.00 limit 98.5"
    assert not desk.note


@pytest.mark.parametrize("how", ["venue", "venue without a word", "gate", "session"])
def test_a_refused_move_returns_with_the_reason(desk: Desk, how: str) -> None:
    desk.tell(limit())
    desk.drag(97.0, 98.5)
    match how:
        case "venue":
            desk.tell(limit(reason="price out of range"))
        case "venue without a word":
            desk.tell(limit(status="PENDING_UPDATE"), limit(status="PENDING_UPDATE"))
            desk.tell(limit())
        case "gate":
            wanted = intent(instrument=INSTRUMENT.id, changes="L")
            desk.tell(denied("price_band_bps", "The price is too far away.", order_id="", wanted=wanted))
        case _:
            desk.refusal = Refused(ts=START, command="modify", text="The session is finished.")
            desk.refusals += 1
            desk.see()
    assert desk.text("L") == "Buy 3.00 limit 97.0"
    assert desk.note.startswith("Not moved: ")
    reasons = {"venue": "out of range", "gate": "too far away", "session": "finished"}
    assert reasons.get(how, "left the order where it was") in desk.note


def test_a_fill_in_between_is_no_refusal(desk: Desk) -> None:
    desk.tell(limit())
    desk.drag(97.0, 98.5)
    desk.tell(limit(status="PENDING_UPDATE"))
    desk.tell(limit(status="PARTIALLY_FILLED", filled=Decimal(1)))
    assert desk.text("L") == "Buy 2.00 limit 98.5 (+3 ticks) asked"
    desk.tell(limit(price="98.5", status="PARTIALLY_FILLED", filled=Decimal(1)))
    assert desk.text("L") == "Buy 2.00 limit 98.5"


def test_an_old_denial_is_no_answer(desk: Desk) -> None:
    wanted = intent(instrument=INSTRUMENT.id, changes="L")
    desk.tell(limit(), denied(order_id="", wanted=wanted))
    desk.drag(97.0, 98.5)
    desk.see()
    assert desk.text("L").endswith("asked")


def test_an_order_that_was_filled_during_its_drag_is_left_alone(desk: Desk) -> None:
    desk.tell(limit())
    desk.drag(97.0, 98.5, drop=False)
    desk.tell(limit(status="FILLED"))
    QTest.mouseRelease(desk.panel.canvas, LEFT, NONE, desk.at(98.5))
    assert not desk.asked
    assert "no longer at work" in desk.note


@pytest.mark.parametrize("how", ["right click on the tag", "click on the cross", "right click on the cross"])
def test_a_tag_cancels_its_order(desk: Desk, how: str) -> None:
    desk.tell(limit("A"), limit("B", "97.0"), stop())
    _, tag, cross = desk.placed("B")
    button = LEFT if how == "click on the cross" else RIGHT
    QTest.mouseClick(desk.panel.canvas, button, NONE, tag if how.endswith("tag") else cross)
    assert desk.asked == [Cancel("B")]


def test_a_press_on_the_cross_that_ends_elsewhere_cancels_nothing(desk: Desk) -> None:
    desk.tell(limit("A"), limit("B", "99.0"))
    QTest.mousePress(desk.panel.canvas, LEFT, NONE, desk.placed("A")[2])
    QTest.mouseRelease(desk.panel.canvas, LEFT, NONE, desk.placed("B")[2])
    QTest.mousePress(desk.panel.canvas, LEFT, NONE, desk.placed("A")[2])
    QTest.mouseRelease(desk.panel.canvas, LEFT, NONE, QPoint(50, 50))
    QTest.mouseClick(desk.panel.canvas, RIGHT, NONE, desk.at(97.0))  # the line is not its tag
    assert not desk.asked


def test_not_armed_nothing_moves_but_cancelling_works(desk: Desk) -> None:
    desk.tell(limit())
    desk.hold(3)
    for off in (control(arm="view"), control(halt=HaltStep.FLATTENING)):
        desk.panel.set_control(off)
        desk.drag(97.0, 98.5)
        desk.drag(100.0, 103.0, SHIFT)
        assert not desk.asked
        assert desk.text("L") == "Buy 3.00 limit 97.0"
    _, tag, cross = desk.placed("L")
    QTest.mousePress(desk.panel.canvas, LEFT, NONE, tag)
    QTest.mouseRelease(desk.panel.canvas, LEFT, NONE, tag)
    assert desk.note.startswith("Halted")
    QTest.mouseClick(desk.panel.canvas, LEFT, NONE, cross)
    assert desk.asked == [Cancel("L")]


def test_while_the_session_does_not_answer_nothing_moves(desk: Desk) -> None:
    desk.tell(limit())
    desk.panel.set_stale(4.0)
    desk.drag(97.0, 98.5)
    assert not desk.asked
    desk.panel.set_stale(None)
    desk.drag(97.0, 98.5)
    assert len(desk.asked) == 1


def test_disarmed_during_a_drag_nothing_is_asked_for(desk: Desk) -> None:
    desk.tell(limit())
    desk.drag(97.0, 98.5, drop=False)
    desk.panel.set_control(control(arm="view"))
    QTest.mouseRelease(desk.panel.canvas, LEFT, NONE, desk.at(98.5))
    assert not desk.asked
    assert "orders are off" in desk.note


def test_stops_and_targets_say_what_they_would_make(desk: Desk) -> None:
    desk.hold(2)
    target = limit("T", "104.5", "SELL", reduce_only=True, strategy=HAND)
    desk.tell(stop(strategy=HAND), target, limit(), stop("E", "106.0", "BUY", strategy=HAND), stop("X"))
    assert desk.text("S") == "Sell 3.00 stop 95.0  −10.00 USD"  # of the two that are held
    assert desk.text("T") == "Sell 3.00 target 104.5  +9.00 USD"
    assert desk.text("L") == "Buy 3.00 limit 97.0"
    assert desk.text("E") == "Buy 3.00 stop 106.0"  # it adds to the position
    assert desk.text("X") == "Sell 3.00 stop 95.0"  # it closes another's
    desk.drag(95.0, 98.0, drop=False)
    assert desk.text("S") == "Sell 3.00 stop 98.0 (+6 ticks)  −4.00 USD"


def test_the_position_stands_at_its_average_price_with_its_profit(desk: Desk) -> None:
    desk.hold(2, "99.75")
    assert desk.text(None) == "Long 2.00 99.8  +1.00 USD"
    y = desk.at(99.75).y()
    image = desk.panel.canvas.grab().toImage()
    assert image.pixelColor(50, y).name() == QColor(theme().quiet).name()
    desk.hold(-2, "101.0")
    assert desk.text(None).startswith("Short 2.00 101.0  +1.50")
    desk.hold(3, "103.0", "ema_cross")
    assert any(text.endswith("−8.25 USD  ema_cross") for text in desk.texts())
    desk.hold(0)
    desk.hold(0, strategy="ema_cross")
    with pytest.raises(AssertionError):
        desk.text(None)


def paired(asked: Submit) -> dict[str, Any]:
    return {"strategy": HAND, "reduce_only": True, "request": asked.request, "contingent": ("A", "B")}


def exits(command: AnyCommand) -> list[tuple[str, str, Decimal, Decimal | None, Decimal | None]]:
    assert isinstance(command, Submit)
    assert all(each.reduce_only and each.strategy == HAND for each in command.intents)
    return [(each.side, each.type, each.quantity, each.price, each.trigger) for each in command.intents]


@pytest.mark.parametrize(
    ("held", "to", "wanted"),
    [
        (2, 96.0, ("SELL", "STOP_MARKET", Decimal(2), None, Decimal("96.0"))),
        (2, 104.0, ("SELL", "LIMIT", Decimal(2), Decimal("104.0"), None)),
        (-2, 104.0, ("BUY", "STOP_MARKET", Decimal(2), None, Decimal("104.0"))),
        (-2, 96.0, ("BUY", "LIMIT", Decimal(2), Decimal("96.0"), None)),
    ],
)
def test_shift_and_drag_pulls_a_stop_or_a_target_out_of_the_position(
    desk: Desk, held: int, to: float, wanted: tuple[object, ...]
) -> None:
    desk.hold(held)
    desk.drag(100.0, to, SHIFT)
    (command,) = desk.asked
    assert exits(command) == [wanted]
    assert isinstance(command, Submit)
    assert command.contingency == "none"


def test_above_its_open_but_below_the_market_it_is_a_stop(desk: Desk) -> None:
    desk.hold(2, "95.0")
    desk.drag(95.0, 98.0, SHIFT)
    assert exits(desk.asked[0]) == [("SELL", "STOP_MARKET", Decimal(2), None, Decimal("98.0"))]


def test_with_the_other_exit_at_work_both_become_one_cancels_other(desk: Desk) -> None:
    desk.hold(3)
    desk.tell(stop(reduce_only=True, strategy=HAND))
    desk.drag(100.0, 104.0, SHIFT)
    (both,) = desk.asked
    assert exits(both) == [
        ("SELL", "STOP_MARKET", Decimal(3), None, Decimal("95.0")),
        ("SELL", "LIMIT", Decimal(3), Decimal("104.0"), None),
    ]
    assert isinstance(both, Submit)
    assert both.contingency == "oco"
    pair = paired(both)
    desk.tell(stop("A", status="SUBMITTED", **pair), limit("B", "104.0", "SELL", **pair))
    assert desk.asked == [both]  # the position keeps its stop until both are at work
    desk.drag(100.0, 105.0, SHIFT)
    assert len(exits(desk.asked.pop())) == 1  # what is being replaced is not replaced twice
    desk.tell(stop("A", **pair))
    assert desk.asked == [both, Cancel("S")]
    desk.see()
    assert len(desk.asked) == 2


@pytest.mark.parametrize("how", ["refused", "one of them rejected", "without an answer"])
def test_where_the_pair_is_refused_the_exit_at_work_stays(desk: Desk, how: str) -> None:
    desk.hold(3)
    desk.tell(stop(reduce_only=True, strategy=HAND))
    desk.drag(100.0, 104.0, SHIFT)
    (both,) = desk.asked
    assert isinstance(both, Submit)
    pair = paired(both)
    wrong = {"refused": "DENIED", "one of them rejected": "REJECTED", "without an answer": "IN_DOUBT"}[how]
    rest = "DENIED" if how == "refused" else "ACCEPTED"
    desk.tell(stop("A", status=wrong, reason="Too many.", **pair))
    desk.tell(limit("B", "104.0", "SELL", status=rest, **pair))
    assert desk.asked == [both]
    assert ("Too many." in desk.note) == (how != "without an answer")


def test_where_the_session_refuses_a_pair_another_may_be_pulled(desk: Desk) -> None:
    desk.hold(3)
    desk.tell(stop(reduce_only=True, strategy=HAND))
    desk.drag(100.0, 104.0, SHIFT)
    desk.refusal, desk.refusals = Refused(ts=START, command="submit", text="It is loading."), 1
    desk.see()
    assert "It is loading." in desk.note
    desk.drag(100.0, 105.0, SHIFT)
    assert [len(exits(command)) for command in desk.asked] == [2, 2]


def test_an_exit_that_fills_before_its_pair_is_at_work_takes_the_pair_with_it(desk: Desk) -> None:
    desk.hold(3)
    desk.tell(stop(reduce_only=True, strategy=HAND))
    desk.drag(100.0, 104.0, SHIFT)
    (both,) = desk.asked
    assert isinstance(both, Submit)
    pair = paired(both)
    desk.tell(stop("A", status="SUBMITTED", **pair), limit("B", "104.0", "SELL", status="SUBMITTED", **pair))
    desk.tell(stop(status="FILLED", reduce_only=True, strategy=HAND, filled=Decimal(3)))
    assert desk.asked == [both, Cancel("A")]


@pytest.mark.parametrize("other", ["of a strategy", "of a pair", "not reducing"])
def test_exits_that_are_not_simple_and_ours_are_left_alone(desk: Desk, other: str) -> None:
    desk.hold(3)
    desk.tell(
        stop(
            reduce_only=other != "not reducing",
            strategy="ema_cross" if other == "of a strategy" else HAND,
            contingent=("T",) if other == "of a pair" else (),
        )
    )
    desk.drag(100.0, 104.0, SHIFT)
    (command,) = desk.asked
    assert len(exits(command)) == 1


def test_no_exit_is_pulled_out_of_a_strategys_position(desk: Desk) -> None:
    desk.hold(2, strategy="ema_cross")
    desk.drag(100.0, 104.0, SHIFT)
    assert not desk.asked
    assert "closes its position itself" in desk.note


def test_a_plain_drag_from_the_position_moves_the_chart(desk: Desk) -> None:
    desk.hold(2)
    desk.drag(100.0, 96.0)
    assert not desk.asked
    desk.drag(100.0, 100.0, SHIFT)
    assert not desk.asked


def test_shift_and_drag_elsewhere_still_measures(desk: Desk) -> None:
    desk.hold(2)
    desk.press(desk.at(105.0), SHIFT)
    assert desk.panel.canvas.pointer.measured_from is not None
    QTest.mouseRelease(desk.panel.canvas, LEFT, SHIFT, desk.at(105.0))


def test_over_a_line_the_cursor_says_that_it_can_be_taken(desk: Desk) -> None:
    desk.tell(limit())
    canvas = desk.panel.canvas
    place = QPointF(desk.at(97.0))
    for at, shape in (
        (place, Qt.CursorShape.SizeVerCursor),
        (place + QPointF(0, 20), Qt.CursorShape.CrossCursor),
    ):
        none = Qt.MouseButton.NoButton
        event = QMouseEvent(QEvent.Type.MouseMove, at, canvas.mapToGlobal(at), none, none, NONE)
        QApplication.sendEvent(canvas, event)
        assert canvas.cursor().shape() is shape


def test_what_was_asked_of_one_session_is_no_matter_of_the_next(desk: Desk) -> None:
    desk.tell(limit())
    desk.drag(97.0, 98.5)
    desk.orders = OrdersState()
    desk.orders.apply([limit()])
    desk.panel.bind(desk.market, desk.orders, None, None, desk)
    desk.see()
    assert desk.text("L") == "Buy 3.00 limit 97.0"
