"""The order ticket in the window: what is typed, previewed, sent, and what becomes of it."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel, QLineEdit

from engine.link.scripted import EURUSD, control, frame, order, position, preview, scripted_session
from engine.link.trading_builders import twap
from engine.messages.commands import Preview, SetStop, Submit
from engine.messages.events import AnyEvent, Phase, Refused
from engine.messages.frames import Control
from engine.messages.orders import HAND, Denial, Sizing
from tests.gui.conftest import RUN, Desk
from widgets.chart.panel import ChartPanel
from widgets.ticket.fields import choose
from widgets.ticket.panel import TicketPanel

TOUCH = (Decimal("1.09372"), Decimal("1.09375"))
"""Of the scripted session after sixty frames."""


class Clock:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.now_s = 1_000.0

    def __call__(self) -> float:
        return self.now_s


class Ticket:
    """The ticket of a desk, and the engine's answers to it."""

    def __init__(self, desk: Desk, under: Control) -> None:
        self.desk, self.clock = desk, Clock()
        host = desk.window.hosts["ticket"]
        self.panel = TicketPanel(desk.station.theme, clock=self.clock)
        self.panel.command_asked.connect(desk.window.deeds.trade)
        host.replace(self.panel)
        self.form = self.panel.view
        desk.station.open_run(RUN)
        frames = scripted_session(3, 61)[:-1]
        desk.link.push(*(msgspec.structs.replace(each, control=under) for each in frames))
        self.wait()

    def wait(self, seconds: float = 0.5) -> None:
        self.clock.now_s += seconds
        self.desk.tick_later()

    def tell(self, events: Iterable[AnyEvent] = (), **parts: Any) -> None:
        state = self.desk.state
        parts = {"control": state.control, "now": self.desk.clock.now, **parts}
        first, number = state.last_event + 1, 9_000 + state.version
        self.desk.link.push(frame(number, instruments=[], events=events, first_event=first, **parts))
        self.desk.tick_later()

    @property
    def asked(self) -> Preview:
        return self.desk.previews[-1]

    def answer(self, **parts: Any) -> None:
        """Let the engine answer the latest preview."""
        self.tell(preview=preview(self.asked.request, **parts))

    @property
    def submitted(self) -> list[Submit]:
        return [command for command in self.desk.sent if isinstance(command, Submit)]

    @property
    def reason(self) -> str:
        return "" if self.panel.reason.isHidden() else self.panel.reason.text()


@pytest.fixture
def ticket(desk: Desk) -> Ticket:
    return Ticket(desk, control("replay", "paper"))


def test_a_market_order_is_previewed_and_sent_as_it_stands(desk: Desk, ticket: Ticket) -> None:
    assert [button.text() for button in ticket.panel.sides.values()] == ["Sell\n1.09372", "Buy\n1.09375"]
    (intent,) = ticket.asked.intents
    assert (intent.side, intent.type, intent.quantity) == ("BUY", "MARKET", Decimal(1_000))
    ticket.answer(quantity=Decimal(1_000), position_after=Decimal(11_000), position_before=Decimal(10_000))
    said = dict(line.split("\t") for line in ticket.panel.preview.text.splitlines())
    assert said == {
        "Quantity": "1,000 EUR",
        "Expected price": "1.09352",
        "Value": "10,935.20 USD",
        "Fee": "0.22 USD",
        "Margin": "546.76 USD",
        "Position": "+10,000 → +11,000",
        "Risk gate": "passes",
    }
    assert ticket.panel.send.text() == "Buy 1,000 EUR"
    desk.click(ticket.panel.send)
    (sent,) = ticket.submitted
    assert sent.intents == ticket.asked.intents
    assert intent.strategy == HAND


def test_a_preview_waits_until_typing_has_stopped(desk: Desk, ticket: Ticket) -> None:
    before = len(desk.previews)
    ticket.form.amount.clear()
    for letter in "25000":
        QTest.keyClicks(ticket.form.amount, letter)
        ticket.wait(0.05)
    assert len(desk.previews) == before
    ticket.wait(0.2)
    assert len(desk.previews) == before + 1
    assert ticket.asked.intents[0].quantity == Decimal(25_000)


def test_a_preview_is_asked_again_as_the_market_moves_on(desk: Desk, ticket: Ticket) -> None:
    ticket.answer()
    before = len(desk.previews)
    ticket.wait(0.3)
    assert len(desk.previews) == before
    ticket.wait(0.3)
    assert len(desk.previews) == before + 1
    # The last answer stands until the new one comes.
    assert "10,935.20 USD" in ticket.panel.preview.text


def test_what_the_gate_would_deny_cannot_be_sent_and_says_rule_value_and_limit(
    desk: Desk, ticket: Ticket
) -> None:
    text = "The order is worth more than 10,000 USD; make it smaller."
    denial = Denial(
        rule="order_notional", text=text, value=Decimal("10935.2"), limit=Decimal(10_000), unit="USD"
    )
    ticket.answer(denial=denial)
    shown = ticket.panel.preview.text
    assert "Risk gate\tOrder value" in shown
    assert "10,935.2 over 10,000 USD" in shown
    assert text in shown
    assert not ticket.panel.send.isEnabled()
    desk.click(ticket.panel.send)
    ticket.panel.place()
    assert ticket.submitted == []


@pytest.mark.parametrize(
    ("under", "said"),
    [
        (control("replay", "view"), "Orders are off (View); arm Paper with F10."),
        (control("live", "view"), "Orders are off (View); arm Live with F12."),
        (
            msgspec.convert({"mode": "paper", "arm": "paper", "halt": "halted"}, Control),
            "The kill switch has halted this session; re-arm it first.",
        ),
    ],
)
def test_where_no_order_passes_the_ticket_says_why(desk: Desk, under: Control, said: str) -> None:
    ticket = Ticket(desk, under)
    ticket.answer()
    assert not ticket.panel.send.isEnabled()
    assert ticket.reason == said
    ticket.panel.place()
    assert ticket.submitted == []


def test_a_reducing_order_may_be_sent_in_view(desk: Desk) -> None:
    ticket = Ticket(desk, control("replay", "view"))
    ticket.form.reduce_only.setChecked(True)
    ticket.wait()
    ticket.answer()
    desk.click(ticket.panel.send)
    assert [each.intents[0].reduce_only for each in ticket.submitted] == [True]


def test_nothing_is_sent_into_a_silent_session_or_after_the_end(desk: Desk, ticket: Ticket) -> None:
    ticket.answer()
    desk.link.fall_silent(7.0)
    ticket.wait()
    assert ticket.reason == "The session does not answer; wait, or restart it."
    desk.link.fall_silent(0.0)
    ticket.tell(phase=Phase.FINISHED)
    assert ticket.reason == "The run has ended; go back in it or restart it to trade."


def test_without_a_market_there_is_nothing_to_send(desk: Desk) -> None:
    desk.station.open_run(RUN)
    desk.link.push(frame(1, control=control()))
    desk.tick_later()
    panel = desk.panel("ticket", TicketPanel)
    assert panel.reason.text() == "There is no market yet; press play."
    assert not panel.send.isEnabled()


def test_a_fault_stands_at_its_field_and_nothing_is_asked(desk: Desk, ticket: Ticket) -> None:
    choose(ticket.form.kind, "LIMIT")
    assert ticket.form.price.text() == str(TOUCH[0])  # the bid, for a buyer
    ticket.wait()
    before = len(desk.previews)
    ticket.form.price.setText("1,0937")
    ticket.wait()
    row = ticket.form.rows["price"]
    assert row.fault == "Price must be a number such as 1234.5, with a point."
    assert ticket.form.price.property("invalid")
    assert not ticket.panel.send.isEnabled()
    assert ticket.reason == ""  # it is said once
    assert len(desk.previews) == before
    ticket.form.price.setText("1.0937")
    assert row.fault == ""
    ticket.wait()
    ticket.answer()
    desk.click(ticket.panel.send)
    assert ticket.submitted[0].intents[0].price == Decimal("1.0937")


def test_only_the_fields_of_the_kind_are_there(ticket: Ticket) -> None:
    fields = ("price", "trigger", "trailing", "expiry", "target", "twap")
    seen = {}
    for kind in ("MARKET", "LIMIT", "STOP_LIMIT", "TRAILING_STOP_MARKET", "OCO"):
        choose(ticket.form.kind, kind)
        seen[kind] = [name for name in fields if ticket.form.rows[name].isVisibleTo(ticket.form)]
    assert seen == {
        "MARKET": ["twap"],
        "LIMIT": ["price"],
        "STOP_LIMIT": ["price", "trigger"],
        "TRAILING_STOP_MARKET": ["trailing"],
        "OCO": ["price", "trigger"],
    }
    choose(ticket.form.kind, "LIMIT")
    choose(ticket.form.time, "GTD")
    ticket.form.bracket.setChecked(True)
    assert [name for name in fields if ticket.form.rows[name].isVisibleTo(ticket.form)] == [
        "price",
        "expiry",
        "target",
    ]
    choose(ticket.form.kind, "MARKET")
    assert ticket.form.time.currentData() == "GTC"


def test_prices_begin_where_they_make_sense_until_the_person_types_one(desk: Desk, ticket: Ticket) -> None:
    form, bid, ask = ticket.form, *TOUCH
    ten = Decimal("0.00010")
    begun = {}
    for kind in ("LIMIT", "STOP_MARKET", "MARKET_IF_TOUCHED", "STOP_LIMIT", "OCO"):
        choose(form.kind, kind)
        buying = form.price.text(), form.trigger.text()
        desk.click(ticket.panel.sides["SELL"])
        begun[kind] = buying, (form.price.text(), form.trigger.text())
        assert not ticket.panel.view.rows["trigger"].fault
        desk.click(ticket.panel.sides["BUY"])
    assert begun["LIMIT"][0][0] == str(bid)
    assert begun["LIMIT"][1][0] == str(ask)
    assert [Decimal(side[1]) for side in begun["STOP_MARKET"]] == [ask + ten, bid - ten]
    assert [Decimal(side[1]) for side in begun["MARKET_IF_TOUCHED"]] == [bid - ten, ask + ten]
    assert [Decimal(side[0]) for side in begun["STOP_LIMIT"]] == [ask + ten, bid - ten]
    assert begun["OCO"] == ((str(bid), begun["STOP_MARKET"][0][1]), (str(ask), begun["STOP_MARKET"][1][1]))
    choose(form.kind, "LIMIT")
    form.price.clear()
    assert form.price.text() == ""  # who empties a field is about to type
    form.price.setText("1.09")
    desk.click(ticket.panel.sides["SELL"])
    choose(form.kind, "STOP_LIMIT")
    assert form.price.text() == "1.09"


def test_arrows_page_keys_and_wheel_step_on_the_grid(desk: Desk, ticket: Ticket) -> None:
    choose(ticket.form.kind, "LIMIT")
    price = ticket.form.price
    price.setFocus()
    for key, text in (
        (Qt.Key.Key_Up, "1.09373"),
        (Qt.Key.Key_Down, "1.09372"),
        (Qt.Key.Key_PageUp, "1.09382"),
    ):
        desk.key(key, widget=price)
        assert price.text() == text
    price.setText("1.093715")
    desk.key(Qt.Key.Key_Up, widget=price)
    assert price.text() == "1.09372"
    wheel(price, -120)
    assert price.text() == "1.09371"
    amount = ticket.form.amount
    amount.setFocus()
    desk.key(Qt.Key.Key_Up, Qt.KeyboardModifier.ShiftModifier, amount)
    assert amount.text() == "11000"
    wheel(price, 120)  # has not the focus: it scrolls the ticket
    assert price.text() == "1.09371"


def wheel(editor: QLineEdit, turn: int) -> None:
    centre = QPointF(editor.rect().center())
    event = QWheelEvent(
        centre,
        editor.mapToGlobal(centre),
        QPoint(),
        QPoint(0, turn),
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(editor, event)


def test_a_size_by_risk_goes_out_as_the_quantity_that_was_shown(desk: Desk, ticket: Ticket) -> None:
    choose(ticket.form.amount_by, "risk")
    ticket.form.amount.setText("0.5")
    ticket.form.bracket.setChecked(True)
    ticket.form.stop.setText("20")
    ticket.wait()
    assert ticket.asked.sizing == Sizing("risk", Decimal("0.5"))
    assert ticket.reason == "Working out the size…"
    ticket.answer(quantity=Decimal(74_000), loss_at_stop=Decimal("14.8"), note="Exits are held.")
    assert ticket.panel.preview.text.endswith("Exits are held.")
    assert "At the stop\t−14.80 USD" in ticket.panel.preview.text
    assert ticket.panel.send.text() == "Buy 74,000 EUR with exits"
    desk.click(ticket.panel.send)
    (sent,) = ticket.submitted
    assert sent.contingency == "bracket"
    assert [each.quantity for each in sent.intents] == [Decimal(74_000)] * 2


def test_a_size_of_less_than_a_lot_is_not_sent(desk: Desk, ticket: Ticket) -> None:
    choose(ticket.form.amount_by, "notional")
    ticket.form.amount.setText("10")
    ticket.wait()
    ticket.answer(quantity=Decimal(0))
    assert ticket.reason == "This comes to less than one lot; make it larger."
    desk.click(ticket.panel.send)
    assert ticket.submitted == []


def move(desk: Desk, ticket: Ticket, bid: str, ask: str) -> None:
    """Let the market go elsewhere."""
    ticket.tell(bids=[(float(bid), 1e6)], asks=[(float(ask), 1e6)])


def test_a_size_by_risk_stands_while_the_market_moves(desk: Desk, ticket: Ticket) -> None:
    choose(ticket.form.amount_by, "risk")
    ticket.form.amount.setText("0.5")
    ticket.form.bracket.setChecked(True)
    ticket.form.stop.setText("20")
    ticket.wait()
    ticket.answer(quantity=Decimal(74_000))
    before = len(desk.previews)
    for step in range(5):
        ticket.clock.now_s += 0.05
        move(desk, ticket, f"1.0940{step}", f"1.0940{step + 2}")
        assert ticket.panel.send.text() == "Buy 74,000 EUR with exits"
        assert ticket.panel.send.isEnabled()
    assert len(desk.previews) == before
    desk.click(ticket.panel.send)
    entry, stop = ticket.submitted[0].intents
    assert (entry.quantity, stop.trigger) == (Decimal(74_000), Decimal("1.09406") - Decimal("0.00020"))


def test_an_answer_to_what_stood_there_before_is_none_to_what_stands_there_now(
    desk: Desk, ticket: Ticket
) -> None:
    choose(ticket.form.amount_by, "notional")
    ticket.form.amount.setText("50000")
    ticket.wait()
    ticket.answer(quantity=Decimal(45_000))
    ticket.form.amount.setText("5000")
    ticket.wait()
    assert ticket.asked.sizing == Sizing("notional", Decimal(5_000))
    assert ticket.reason == "Working out the size…"
    assert ticket.panel.send.text() == "Buy"
    ticket.answer(quantity=Decimal(4_000))
    assert ticket.panel.send.text() == "Buy 4,000 EUR"


def test_a_changed_side_is_not_sent_with_the_other_sides_size(desk: Desk, ticket: Ticket) -> None:
    choose(ticket.form.amount_by, "notional")
    ticket.form.amount.setText("50000")
    ticket.wait()
    ticket.answer(quantity=Decimal(45_000))
    assert ticket.panel.send.isEnabled()
    desk.click(ticket.panel.sides["SELL"])
    assert not ticket.panel.send.isEnabled()
    desk.click(ticket.panel.send)
    assert ticket.submitted == []


def test_two_quick_clicks_are_one_order(desk: Desk, ticket: Ticket) -> None:
    ticket.answer()
    desk.click(ticket.panel.send)
    desk.click(ticket.panel.send)
    ticket.panel.place()
    assert len(ticket.submitted) == 1
    ticket.tell([order("H-1", "SUBMITTED", request=ticket.submitted[0].request)])
    desk.click(ticket.panel.send)
    assert len(ticket.submitted) == 2


def test_ctrl_enter_in_a_field_sends(desk: Desk, ticket: Ticket) -> None:
    ticket.answer()
    ticket.form.amount.setFocus()
    desk.key(Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier, ticket.form.amount)
    assert len(ticket.submitted) == 1


def test_the_ticket_follows_the_life_of_its_order_and_keeps_its_fields(desk: Desk, ticket: Ticket) -> None:
    ticket.answer()
    desk.click(ticket.panel.send)
    life = ticket.panel.life
    assert life.text == "Sent; waiting for the answer."
    request = ticket.submitted[0].request
    common: dict[str, Any] = {"request": request, "quantity": Decimal(1_000), "price": None, "type": "MARKET"}
    steps: list[tuple[str, dict[str, Any], str]] = [
        ("SUBMITTED", {}, "Pending: buy 1,000 EUR, the venue has not answered yet."),
        ("ACCEPTED", {}, "Accepted: buy 1,000 EUR works at the market."),
        (
            "HELD",
            {"price": Decimal("1.1")},
            "Held here: buy 1,000 EUR at 1.10000 is sent as the entry fills, "
            "and only while the station runs.",
        ),
        (
            "IN_DOUBT",
            {},
            "In doubt: buy 1,000 EUR was sent and no answer came. It is not sent again; "
            "the venue is asked what became of it, and this line will say.",
        ),
        (
            "FILLED",
            {"filled": Decimal(1_000), "average_price": Decimal("1.09375")},
            "Filled: buy 1,000 EUR at 1.09375.",
        ),
    ]
    for status, more, said in steps:
        ticket.tell([order("H-1", status, **{**common, **more})])
        assert life.text == said
    assert ticket.form.amount.text() == "1000"


def test_a_rejection_says_the_venues_reason_and_each_order_of_a_bracket_its_own(
    desk: Desk, ticket: Ticket
) -> None:
    ticket.answer()
    desk.click(ticket.panel.send)
    request = ticket.submitted[0].request
    ticket.tell(
        [
            order("H-1", "PARTIALLY_FILLED", request=request, filled=Decimal(4_000)),
            order("H-2", "REJECTED", type="STOP_MARKET", request=request, reason="Margin is insufficient."),
        ]
    )
    assert ticket.panel.life.text.splitlines() == [
        "Limit: Partially filled: 4,000 EUR of 10,000 EUR at –.",
        "Stop: Rejected: Margin is insufficient.",
    ]


def test_the_many_orders_of_a_twap_are_told_in_sum(desk: Desk, ticket: Ticket) -> None:
    ticket.answer()
    desk.click(ticket.panel.send)
    request = ticket.submitted[0].request
    slices = [
        order(f"H-{n}", "FILLED", request=request, filled=Decimal(1_000), quantity=Decimal(1_000))
        for n in range(7)
    ]
    failed = order("H-8", "REJECTED", request=request, reason="Margin is insufficient.")
    ticket.tell([*slices, failed, order("H-9", "SUBMITTED", request=request)])
    assert ticket.panel.life.text.splitlines() == [
        "9 orders, 1 at work; 7,000 EUR filled.",
        "Rejected: Margin is insufficient.",
    ]


def test_a_twap_is_told_by_its_own_row_and_what_was_refused_last(desk: Desk, ticket: Ticket) -> None:
    ticket.answer()
    desk.click(ticket.panel.send)
    request = ticket.submitted[0].request
    slices = [order(f"H-{n}", "FILLED", request=request, filled=Decimal(1_000)) for n in range(2)]
    ticket.tell([twap(request), *slices, order("H-8", "REJECTED", request=request, reason="Too fast.")])
    assert ticket.panel.life.text.splitlines() == [
        "TWAP: Partially filled: 2,000 EUR of 10,000 EUR filled. 2 of 10 slices sent, "
        "the next at 08:00:04.000 UTC.",
        "Rejected: Too fast.",
    ]


def test_a_refused_request_says_so_and_one_without_answer_warns(desk: Desk, ticket: Ticket) -> None:
    ticket.answer()
    desk.click(ticket.panel.send)
    ticket.wait(2.5)
    assert ticket.panel.life.text == "No answer yet; look into the orders before you send it again."
    ticket.tell([Refused(ts=0, command="submit", text="The replay is loading; send it when it plays.")])
    assert ticket.panel.life.text == "The replay is loading; send it when it plays."


def test_another_session_forgets_the_last_ones_order(desk: Desk, ticket: Ticket) -> None:
    ticket.answer()
    desk.click(ticket.panel.send)
    desk.station.restart()
    desk.link.push(*scripted_session(3, 3)[:-1])
    desk.tick_later()
    assert ticket.panel.life.isHidden()


def test_another_unit_begins_with_a_size_of_its_own(ticket: Ticket) -> None:
    ticket.form.amount.setText("5000")
    begun = {}
    for unit in ("equity", "risk", "lots", "notional", "quantity"):
        choose(ticket.form.amount_by, unit)
        begun[unit] = ticket.form.amount.text()
    assert begun == {"equity": "1", "risk": "0.5", "lots": "1", "notional": "1000", "quantity": "1000"}


def test_the_button_names_what_waits_and_no_size_of_nothing(ticket: Ticket) -> None:
    choose(ticket.form.kind, "STOP_MARKET")
    ticket.form.trigger.setText("1.09500")
    ticket.wait()
    assert ticket.panel.send.text() == "Buy 1,000 EUR stop at 1.09500"
    choose(ticket.form.kind, "MARKET")
    choose(ticket.form.amount_by, "equity")
    ticket.wait()
    ticket.answer(quantity=Decimal(0))
    assert ticket.panel.send.text() == "Buy"


def test_the_button_stays_where_it_is_when_an_order_was_sent(desk: Desk, ticket: Ticket) -> None:
    before = ticket.panel.send.geometry()
    desk.click(ticket.panel.send)
    ticket.tell([order("H-1", strategy=HAND, request=ticket.submitted[0].request)])
    assert ticket.panel.life.isVisible()
    assert ticket.panel.send.geometry() == before


def test_esc_and_a_click_into_the_chart_give_the_keys_back(desk: Desk, ticket: Ticket) -> None:
    desk.window.activateWindow()
    desk.qtbot.waitUntil(lambda: QApplication.activeWindow() is desk.window)

    def leave_by_esc() -> None:
        QTest.keyClick(ticket.form.amount, Qt.Key.Key_Escape)

    def leave_by_click() -> None:
        desk.click(desk.panel("chart", ChartPanel).canvas)

    for count, leave in enumerate((leave_by_esc, leave_by_click), 1):
        ticket.form.amount.setFocus()
        leave()
        focused = QApplication.focusWidget()
        assert focused is not ticket.form.amount
        QTest.keyClick(focused or desk.window, Qt.Key.Key_B, Qt.KeyboardModifier.ShiftModifier)
        assert len(ticket.submitted) == count


def test_the_stop_of_a_held_position_is_given_a_rule(desk: Desk, ticket: Ticket) -> None:
    row = ticket.panel.stop
    assert row.isHidden()
    ticket.tell([position(Decimal(3_000), strategy=HAND, position_id="P-9")])
    assert row.isVisible()
    choose(row.kind, "chandelier")
    row.period.setText("22")
    row.multiple.setText("2.5")
    desk.click(row.set)
    assert desk.sent[-1] == SetStop(
        instrument=EURUSD.id, kind="chandelier", period=22, multiple=Decimal("2.5")
    )
    choose(row.kind, "break-even")
    assert row.period.isHidden()
    row.distance.setText("-1")
    assert not row.set.isEnabled()
    assert "Profit" in row.row.fault
    row.distance.setText("12")
    desk.click(row.set)
    assert desk.sent[-1] == SetStop(instrument=EURUSD.id, kind="break-even", distance_bps=Decimal(12))
    under = msgspec.structs.replace(ticket.desk.state.control, stop="break-even from 12 bps")
    ticket.tell(control=under)
    assert "In force: break-even from 12 bps" in [label.text() for label in row.findChildren(QLabel)]
    ticket.tell([position(Decimal(0), strategy=HAND, position_id="P-9")])
    assert row.isHidden()
