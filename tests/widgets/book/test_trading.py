"""Trading on the ladder by the mouse: what is asked for, and that a moving market does not change it."""

from collections.abc import Iterator
from decimal import Decimal
from itertools import pairwise

import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QColor, QMouseEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.paths import RESOURCES
from app.state.session import SessionState
from engine.link.builders import EURUSD, frame, order
from engine.link.trading_builders import control
from engine.messages.commands import (
    AnyCommand,
    BreakEven,
    Cancel,
    CancelAll,
    Flatten,
    Modify,
    Reverse,
    Submit,
)
from engine.messages.events import AnyEvent, HaltStep
from engine.messages.orders import HAND
from widgets.book import LadderPanel
from widgets.book.layout import Layout, Span
from widgets.theme import load_themes

THEME = load_themes((RESOURCES / "themes.toml").read_bytes())["dark"]
LEFT, RIGHT = Qt.MouseButton.LeftButton, Qt.MouseButton.RightButton
CTRL, NONE = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.NoModifier


class Ladder:
    """A ladder on a session, the mouse on it, and what it asked for."""

    def __init__(self, qtbot: QtBot, width: int = 360) -> None:
        self.state = SessionState()
        self.asked: list[AnyCommand] = []
        self.panel = LadderPanel(THEME)
        qtbot.addWidget(self.panel)
        self.panel.resize(width, 740)
        self.panel.command_asked.connect(self.asked.append)
        self.number = 0
        self.book()
        self.panel.bind(self.state)
        self.panel.set_control(control())
        self.panel.show()
        qtbot.waitExposed(self.panel)
        self.panel.size_box.set_size(Decimal(5_000))
        self.see()

    def book(self, bid: int = 100_000, *events: AnyEvent, size: float = 50_000.0) -> None:
        """One frame: 25 levels a side from this best bid, and these events."""
        self.number += 1
        self.state.apply(
            frame(
                self.number,
                bids=[((bid - k) / 1e5, size) for k in range(25)],
                asks=[((bid + 2 + k) / 1e5, size) for k in range(25)],
                events=events,
                first_event=self.state.last_event + 1,
            )
        )
        self.panel.refresh()

    def see(self) -> None:
        """Let the person see what was computed."""
        QApplication.processEvents()
        self.panel.view.repaint()

    @property
    def layout(self) -> Layout:
        return self.panel.view.layout_now

    def spot(self, span: Span, price: str) -> QPoint:
        rows = self.panel.price_rows()
        assert rows is not None
        row = int((rows.top - Decimal(price)) / rows.step)
        assert 0 <= row < rows.count
        return QPoint(span.middle, self.layout.row_top(row) + rows.row_px // 2)

    def press(self, at: QPoint, button: Qt.MouseButton = LEFT, held: Qt.KeyboardModifier = NONE) -> None:
        self.move(at)
        QTest.mousePress(self.panel.view, button, held, at)

    def move(self, to: QPoint) -> None:
        self.send(QEvent.Type.MouseMove, to)
        QApplication.processEvents()

    def send(self, kind: QEvent.Type, at: QPoint, button: Qt.MouseButton = Qt.MouseButton.NoButton) -> None:
        """One event and nothing else: QTest lets everything that waits happen first."""
        view = self.panel.view
        place = QPointF(at)
        QApplication.sendEvent(view, QMouseEvent(kind, place, view.mapToGlobal(place), button, button, NONE))

    def release(self, at: QPoint) -> None:
        QTest.mouseRelease(self.panel.view, LEFT, NONE, at)

    def click(
        self, span: Span, price: str, button: Qt.MouseButton = LEFT, held: Qt.KeyboardModifier = NONE
    ) -> None:
        at = self.spot(span, price)
        self.move(at)
        QTest.mouseClick(self.panel.view, button, held, at)

    def drag(self, span: Span, start: str, end: str) -> None:
        self.press(self.spot(span, start))
        self.move(self.spot(span, end))
        self.release(self.spot(span, end))

    @property
    def hint(self) -> str:
        return self.panel.view._hint()[0]


@pytest.fixture
def ladder(qtbot: QtBot) -> Iterator[Ladder]:
    made = Ladder(qtbot)
    yield made
    made.panel.bind(None)


def placed(command: AnyCommand) -> tuple[str, str, Decimal, Decimal | None, Decimal | None]:
    assert isinstance(command, Submit)
    (intent,) = command.intents
    assert (intent.instrument, intent.strategy) == (EURUSD.id, HAND)
    assert command.contingency == "none"
    return intent.side, intent.type, intent.quantity, intent.price, intent.trigger


def resting(order_id: str = "A", price: str = "0.99995", side: str = "BUY", **more: object) -> AnyEvent:
    return order(order_id, side=side, price=Decimal(price), quantity=Decimal(8_000), **more)  # type: ignore[arg-type]


def stop(order_id: str = "S", trigger: str = "0.99990") -> AnyEvent:
    return order(order_id, side="SELL", type="STOP_MARKET", price=None, trigger=Decimal(trigger))


def test_a_click_places_a_limit_order_at_its_price_on_its_side(ladder: Ladder) -> None:
    ladder.click(ladder.layout.bid, "0.99997")
    ladder.click(ladder.layout.ask, "1.00006")
    first, second = ladder.asked
    assert placed(first) == ("BUY", "LIMIT", Decimal(5_000), Decimal("0.99997"), None)
    assert placed(second) == ("SELL", "LIMIT", Decimal(5_000), Decimal("1.00006"), None)
    assert isinstance(first, Submit)
    assert isinstance(second, Submit)
    assert first.request != second.request


def test_with_ctrl_it_is_a_stop(ladder: Ladder) -> None:
    ladder.click(ladder.layout.bid, "1.00010", held=CTRL)
    ladder.click(ladder.layout.ask, "0.99990", held=CTRL)
    first, second = map(placed, ladder.asked)
    assert first == ("BUY", "STOP_MARKET", Decimal(5_000), None, Decimal("1.00010"))
    assert second == ("SELL", "STOP_MARKET", Decimal(5_000), None, Decimal("0.99990"))


@pytest.mark.parametrize("column", ["own_bid", "price", "own_ask", "volume"])
def test_other_columns_place_nothing(ladder: Ladder, column: str) -> None:
    ladder.click(getattr(ladder.layout, column), "0.99997")
    assert not ladder.asked


def test_the_price_that_was_pressed_counts_however_far_the_book_moves_meanwhile(ladder: Ladder) -> None:
    at = ladder.spot(ladder.layout.bid, "0.99997")
    ladder.press(at)
    for bid in range(100_001, 100_200, 7):
        ladder.book(bid)
        ladder.see()
    ladder.release(at)
    assert placed(ladder.asked[0]) == ("BUY", "LIMIT", Decimal(5_000), Decimal("0.99997"), None)
    rows = ladder.panel.price_rows()
    assert rows is not None
    assert rows.top > Decimal("1.00190")  # let go, the ladder catches up with the market


def test_a_book_that_came_but_is_not_painted_yet_does_not_change_what_is_pressed(ladder: Ladder) -> None:
    at = ladder.spot(ladder.layout.bid, "0.99997")
    ladder.move(at)
    ladder.see()
    ladder.book(100_150)
    ladder.send(QEvent.Type.MouseButtonPress, at, LEFT)
    ladder.send(QEvent.Type.MouseButtonRelease, at, LEFT)
    assert placed(ladder.asked[0])[3] == Decimal("0.99997")


def test_the_size_when_pressed_counts(ladder: Ladder) -> None:
    at = ladder.spot(ladder.layout.bid, "0.99997")
    ladder.press(at)
    ladder.panel.size_box.set_size(Decimal(90_000))
    ladder.release(at)
    assert placed(ladder.asked[0])[2] == Decimal(5_000)


@pytest.mark.parametrize(("column", "price"), [("bid", "0.99996"), ("ask", "0.99997"), ("price", "0.99997")])
def test_let_go_elsewhere_it_was_no_click(ladder: Ladder, column: str, price: str) -> None:
    ladder.press(ladder.spot(ladder.layout.bid, "0.99997"))
    ladder.release(ladder.spot(getattr(ladder.layout, column), price))
    assert not ladder.asked


def test_not_armed_a_click_says_why_and_does_nothing(ladder: Ladder) -> None:
    ladder.panel.set_control(control(arm="view"))
    ladder.click(ladder.layout.bid, "0.99997")
    assert not ladder.asked
    assert "orders are off" in ladder.hint
    ladder.panel.set_control(control(halt=HaltStep.HALTED))
    ladder.click(ladder.layout.bid, "0.99997")
    assert not ladder.asked
    assert "Halted" in ladder.hint
    ladder.panel.set_control(control())
    ladder.click(ladder.layout.bid, "0.99997")
    assert len(ladder.asked) == 1


def test_while_the_session_does_not_answer_nothing_is_placed(ladder: Ladder) -> None:
    ladder.book(100_000, resting())
    ladder.panel.set_stale(4.0)
    ladder.click(ladder.layout.bid, "0.99997")
    ladder.drag(ladder.layout.own_bid, "0.99995", "0.99992")
    assert not ladder.asked
    assert "does not answer" in ladder.hint
    ladder.click(ladder.layout.own_bid, "0.99995", RIGHT)
    assert ladder.asked == [Cancel("A")]
    ladder.panel.set_stale(None)
    ladder.click(ladder.layout.bid, "0.99997")
    assert len(ladder.asked) == 2


def test_hovering_says_what_a_click_would_do(ladder: Ladder) -> None:
    ladder.move(ladder.spot(ladder.layout.bid, "0.99997"))
    assert ladder.hint == "Buy 5,000 limit 0.99997"
    ladder.move(ladder.spot(ladder.layout.bid, "1.00005"))
    assert ladder.hint == "Buy 5,000 limit 1.00005 · fills at once"
    ladder.move(ladder.spot(ladder.layout.ask, "1.00006"))
    assert ladder.hint == "Sell 5,000 limit 1.00006"
    assert (
        ladder.panel.view.hand.hint(
            ladder.panel.view._seen,  # type: ignore[arg-type]
            ladder.panel.view._spot(),
            None,
            stop=True,
        )
        == "Sell 5,000 stop 1.00006 · triggers at once"
    )


def test_the_hint_follows_the_book_under_a_mouse_that_rests(ladder: Ladder) -> None:
    ladder.move(ladder.spot(ladder.layout.bid, "0.99997"))
    ladder.book(100_150)
    ladder.see()
    assert "0.99997" not in ladder.hint


def test_a_drag_moves_own_orders_to_another_price(ladder: Ladder) -> None:
    ladder.book(100_000, resting("A"), resting("B"), resting("C", "0.99994"), stop())
    ladder.drag(ladder.layout.own_bid, "0.99995", "0.99992")
    assert ladder.asked == [
        Modify(order_id="A", price=Decimal("0.99992")),
        Modify(order_id="B", price=Decimal("0.99992")),
    ]
    ladder.asked.clear()
    ladder.drag(ladder.layout.own_ask, "0.99990", "0.99988")
    assert ladder.asked == [Modify(order_id="S", trigger=Decimal("0.99988"))]


def test_the_limit_of_a_stop_keeps_its_distance(ladder: Ladder) -> None:
    ladder.book(
        100_000,
        order("L", side="SELL", type="STOP_LIMIT", price=Decimal("0.99987"), trigger=Decimal("0.99990")),
    )
    ladder.drag(ladder.layout.own_ask, "0.99990", "0.99991")
    assert ladder.asked == [
        Modify(order_id="L", price=Decimal("0.99988"), trigger=Decimal("0.99991")),
    ]


def test_a_drag_keeps_the_price_under_the_mouse_while_the_book_moves(ladder: Ladder) -> None:
    ladder.book(100_000, resting())
    start, end = (ladder.spot(ladder.layout.own_bid, price) for price in ("0.99995", "0.99992"))
    ladder.press(start)
    ladder.move(end)
    ladder.book(100_150)
    ladder.see()
    ladder.release(end)
    assert ladder.asked == [Modify(order_id="A", price=Decimal("0.99992"))]


def test_a_drag_back_to_the_same_price_does_nothing(ladder: Ladder) -> None:
    ladder.book(100_000, resting())
    ladder.press(ladder.spot(ladder.layout.own_bid, "0.99995"))
    ladder.move(ladder.spot(ladder.layout.own_bid, "0.99990"))
    assert ladder.hint == "Move 8,000 to 0.99990"
    ladder.move(ladder.spot(ladder.layout.own_bid, "1.00003"))
    assert ladder.hint == "Move 8,000 to 1.00003 · fills at once"
    ladder.move(ladder.spot(ladder.layout.own_bid, "0.99995"))
    ladder.release(ladder.spot(ladder.layout.own_bid, "0.99995"))
    assert not ladder.asked


@pytest.mark.parametrize("by", ["escape", "right button"])
def test_a_drag_can_be_given_up(ladder: Ladder, by: str) -> None:
    ladder.book(100_000, resting())
    ladder.press(ladder.spot(ladder.layout.own_bid, "0.99995"))
    end = ladder.spot(ladder.layout.own_bid, "0.99990")
    ladder.move(end)
    if by == "escape":
        QTest.keyClick(ladder.panel.view, Qt.Key.Key_Escape)
    else:
        QTest.mousePress(ladder.panel.view, RIGHT, NONE, end)
    ladder.release(end)
    assert not ladder.asked


def test_an_order_that_was_filled_during_its_drag_is_left_alone(ladder: Ladder) -> None:
    ladder.book(100_000, resting())
    ladder.press(ladder.spot(ladder.layout.own_bid, "0.99995"))
    end = ladder.spot(ladder.layout.own_bid, "0.99992")
    ladder.move(end)
    ladder.book(100_000, resting(status="FILLED"))
    ladder.release(end)
    assert not ladder.asked


@pytest.mark.parametrize("status", ["IN_DOUBT", "PENDING_UPDATE", "SUBMITTED"])
def test_an_order_that_nobody_knows_the_state_of_is_not_moved(ladder: Ladder, status: str) -> None:
    ladder.book(100_000, resting(status=status))
    ladder.drag(ladder.layout.own_bid, "0.99995", "0.99992")
    assert not ladder.asked


def test_not_armed_a_drag_moves_nothing_but_a_right_click_cancels(ladder: Ladder) -> None:
    ladder.book(100_000, resting("A"), resting("B"), resting("C", "0.99994"))
    ladder.panel.set_control(control(arm="view"))
    ladder.drag(ladder.layout.own_bid, "0.99995", "0.99992")
    assert not ladder.asked
    assert "orders are off" in ladder.hint
    ladder.click(ladder.layout.own_bid, "0.99995", RIGHT)
    assert ladder.asked == [Cancel("A"), Cancel("B")]


def test_a_right_click_without_an_order_does_nothing(ladder: Ladder) -> None:
    ladder.book(100_000, resting())
    ladder.click(ladder.layout.own_bid, "0.99994", RIGHT)
    ladder.click(ladder.layout.own_ask, "0.99995", RIGHT)
    assert not ladder.asked


def test_own_orders_say_their_kind_and_what_stands_before_them(ladder: Ladder) -> None:
    ladder.book(100_000, resting(), stop(), resting("T", "1.00009", "SELL", reduce_only=True))
    ladder.move(ladder.spot(ladder.layout.own_bid, "0.99995"))
    assert ladder.hint == "Buy 8,000 limit 0.99995 · ≈ 50,000 ahead"
    ladder.book(100_000, size=20_000.0)
    assert ladder.hint == "Buy 8,000 limit 0.99995 · ≈ 20,000 ahead"
    ladder.move(ladder.spot(ladder.layout.own_ask, "0.99990"))
    assert ladder.hint == "Sell 10,000 stop 0.99990"
    ladder.move(ladder.spot(ladder.layout.own_ask, "1.00009"))
    assert ladder.hint.startswith("Sell 8,000 target 1.00009 · ≈ ")
    ladder.book(100_000, resting("D", "0.99970"))
    ladder.panel.view.scroll_rows(-10)
    ladder.see()
    ladder.move(ladder.spot(ladder.layout.own_bid, "0.99970"))
    assert ladder.hint.endswith("queue unknown")


def test_a_size_that_is_none_places_nothing_and_says_why(ladder: Ladder) -> None:
    ladder.panel.size_box.field.setText("1500")
    ladder.panel.size_box.field.textEdited.emit("1500")
    ladder.click(ladder.layout.bid, "0.99997")
    assert not ladder.asked
    assert "1000 or 2000" in ladder.hint


def test_presets_and_sizes_are_remembered_for_each_instrument(ladder: Ladder, qtbot: QtBot) -> None:
    box = ladder.panel.size_box
    assert [button.text() for button in box.presets] == ["1k", "10k", "100k"]
    QTest.mouseClick(box.presets[1], LEFT)
    assert box.size_now == 10_000
    box.set_size(Decimal(25_000))
    with qtbot.waitSignal(ladder.panel.sizes_kept) as told:
        QTest.mouseClick(box.presets[2], RIGHT)
    assert told.args == [EURUSD.id, ["25000", "1000", "10000", "25000"]]
    other = LadderPanel(THEME)
    qtbot.addWidget(other)
    other.bind(ladder.state)
    assert other.size_box.size_now == 1_000
    other.remember_sizes({told.args[0]: told.args[1]})
    assert other.size_box.size_now == 25_000
    assert [button.text() for button in other.size_box.presets] == ["1k", "10k", "25k"]
    for damaged in (["25000"], ["25000", "1", "2", "3"], ["-1", "x", "", "1000"]):
        other.remember_sizes({EURUSD.id: damaged})
        assert other.size_box.size_now == 1_000


@pytest.mark.parametrize("width", [235, 360])
def test_hot_buttons_ask_for_the_instrument_that_is_shown(qtbot: QtBot, width: int) -> None:
    ladder = Ladder(qtbot, width)
    hot = ladder.panel.hot
    for name in ("flatten", "reverse", "cancel_all", "break_even"):
        QTest.mouseClick(hot.buttons[name], LEFT)
    name = EURUSD.id
    assert ladder.asked == [Flatten(name), Reverse(name), CancelAll(name), BreakEven(name)]
    ladder.panel.show_keys({"flatten": "Ctrl+F"})
    assert "Ctrl+F" in hot.buttons["flatten"].toolTip()
    for button in hot.buttons.values():
        assert button.fontMetrics().horizontalAdvance(button.text()) < button.width()


def test_not_armed_a_position_can_be_closed_but_not_turned_round(ladder: Ladder) -> None:
    ladder.panel.set_control(control(arm="view"))
    buttons = ladder.panel.hot.buttons
    assert not buttons["reverse"].isEnabled()
    assert "orders are off" in buttons["reverse"].toolTip()
    assert all(buttons[name].isEnabled() for name in ("flatten", "cancel_all", "break_even"))


@pytest.mark.parametrize("width", range(224, 700, 7))
@pytest.mark.parametrize("price_width", [46, 60, 75])
def test_columns_never_overlap_nor_leave_the_ladder(width: int, price_width: int) -> None:
    made = Layout.fit(width, 700, price_width, 3)
    spans = [made.own_bid, made.bid, made.price, made.ask, made.own_ask, made.volume]
    assert all(left.right == right.left for left, right in pairwise(spans))
    assert spans[-1].right <= max(width, 235)
    assert made.volume.width == 0 or made.volume.width >= 44
    assert min(made.bid.width, made.ask.width) >= 38


def test_where_a_click_would_place_an_order_is_outlined(ladder: Ladder) -> None:
    at = ladder.spot(ladder.layout.bid, "0.99997")
    edge = QPoint(ladder.layout.bid.left, at.y())

    def outlined() -> bool:
        return ladder.panel.view.grab().toImage().pixelColor(edge) == QColor(THEME.bid)

    assert not outlined()
    ladder.move(at)
    assert outlined()
    ladder.panel.set_control(control(arm="view"))
    assert not outlined()
