"""Trading by hand in a real replay, through the window: ticket, tables, keys and the kill switch."""

from collections.abc import Callable, Iterator
from decimal import Decimal

import pytest
from PySide6.QtCore import QCoreApplication, QEvent, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from app.gui import make_station
from app.session import StationSession
from app.station import Station
from app.windows.change_order import ChangeOrderDialog
from app.windows.confirm_name import ConfirmName
from app.windows.main_window import MainWindow
from engine.link.process import ProcessLink
from engine.link.protocols import Link
from engine.messages.events import HaltStep, OrderChanged, Phase
from engine.messages.orders import HAND
from engine.messages.run import Run
from tests.gui.conftest import qtbot_application
from widgets.blotter import OrdersPanel
from widgets.ticket.fields import choose
from widgets.ticket.panel import TicketPanel

_LOAD_MS = 40_000
SHIFT = Qt.KeyboardModifier.ShiftModifier


class _Trader:
    """A person at the window of a replay that plays, and what they see."""

    def __init__(self, qtbot: QtBot) -> None:
        self.qtbot = qtbot
        self.links: list[ProcessLink] = []
        self.station: Station = make_station(qtbot_application(), hosting="process")
        opener = self.station.open_link

        def open_link(run: Run) -> Link:
            link = opener(run)
            assert isinstance(link, ProcessLink)
            self.links.append(link)
            return link

        self.station.open_link = open_link
        self.session: StationSession = self.station.open_run(
            Run(instrument="EURUSD.SIM", simulate="fx", strategy="none")
        )
        self.window: MainWindow = self.station.new_window()
        self.station.clock.start()
        self.session.play()
        self.until(lambda: self.ticket.send.text() != "" and self.session.state.health.ticks > 0)

    def until(self, condition: Callable[[], bool]) -> None:
        self.qtbot.waitUntil(condition, timeout=_LOAD_MS)

    @property
    def ticket(self) -> TicketPanel:
        widget = self.window.hosts["ticket"].widget
        assert isinstance(widget, TicketPanel)
        return widget

    @property
    def orders(self) -> dict[str, OrderChanged]:
        return dict(self.session.state.orders.orders)

    @property
    def position(self) -> Decimal:
        return sum(
            (each.quantity for each in self.session.state.orders.positions.rows if each.strategy == HAND),
            Decimal(0),
        )

    def click(self, widget: QWidget) -> None:
        QTest.mouseClick(widget, Qt.MouseButton.LeftButton)

    def dialog[D: QWidget](self, kind: type[D]) -> D:
        self.until(lambda: any(each.isVisible() for each in self.window.findChildren(kind)))
        return next(each for each in self.window.findChildren(kind) if each.isVisible())

    def send(self) -> list[OrderChanged]:
        """Send what stands in the ticket once its preview has come; the orders that came of it."""
        known = set(self.orders)
        self.until(lambda: "Risk gate\tpasses" in self.ticket.preview.text and self.ticket.send.isEnabled())
        self.click(self.ticket.send)
        self.until(lambda: set(self.orders) > known)
        return [order for name, order in self.orders.items() if name not in known]

    def close(self) -> None:
        for window in list(self.station.windows):
            window.close()
        self.station.close()
        self.station.deleteLater()
        QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
        for link in self.links:
            link.join(10.0)


@pytest.fixture
def trader(qtbot: QtBot) -> Iterator[_Trader]:
    made = _Trader(qtbot)
    yield made
    made.close()


def test_a_person_trades_a_replay_from_the_window(trader: _Trader) -> None:
    ticket, state = trader.ticket, trader.session.state
    trader.until(lambda: "Orders are off" in ticket.reason.text())
    assert not ticket.send.isEnabled()
    QTest.keyClick(trader.window, Qt.Key.Key_F10)
    trader.until(lambda: state.control.arm == "paper")

    # At market: filled, and the ticket says so.
    (bought,) = trader.send()
    trader.until(lambda: trader.orders[bought.order_id].status == "FILLED")
    trader.until(lambda: ticket.life.text.startswith("Filled: buy 1,000 EUR at "))
    assert (bought.strategy, trader.position) == (HAND, Decimal(1_000))

    # A limit far below: changed and cancelled from the table.
    choose(ticket.view.kind, "LIMIT")
    ticket.view.price.setText("1.05")
    (resting,) = trader.send()
    trader.until(lambda: trader.orders[resting.order_id].status == "ACCEPTED")
    trader.until(lambda: ticket.life.text == "Accepted: buy 1,000 EUR works at 1.05000.")
    panel = trader.window.hosts["orders"].widget
    assert isinstance(panel, OrdersPanel)
    panel.refresh()
    panel.view.setFocus()
    panel.view.selectRow(0)
    QTest.keyClick(panel.view, Qt.Key.Key_F2)
    change = trader.dialog(ChangeOrderDialog)
    change.fields["price"].setText("1.06")
    trader.click(change.go)
    trader.until(lambda: trader.orders[resting.order_id].price == Decimal("1.06"))
    trader.window.activateWindow()  # no window manager does it here
    trader.until(lambda: QApplication.activeWindow() is trader.window)
    panel.view.setFocus()
    panel.view.selectRow(0)
    QTest.keyClick(panel.view, Qt.Key.Key_Delete)
    trader.until(lambda: trader.orders[resting.order_id].status == "CANCELED")

    # A bracket: the fill sets its exits to work.
    choose(ticket.view.kind, "MARKET")
    ticket.view.bracket.setChecked(True)
    ticket.view.stop.setText("2000")
    ticket.view.target.setText("2000")
    trader.send()
    trader.until(lambda: len(state.orders.working("EURUSD.SIM")) == 2)
    assert {each.type for each in state.orders.working("EURUSD.SIM")} == {"STOP_MARKET", "LIMIT"}
    trader.until(lambda: trader.position == Decimal(2_000))

    # The kill switch: nothing works, nothing is held, nothing passes.
    trader.click(trader.window.top.kill)
    trader.until(lambda: state.control.halt is HaltStep.HALTED)
    trader.until(lambda: "Halted by the kill switch" in trader.window.top.halt.text)
    assert state.orders.working("EURUSD.SIM") == []
    assert trader.position == 0
    QTest.keyClick(trader.window, Qt.Key.Key_B, SHIFT)
    trader.until(lambda: "re-arm it first" in trader.window.top.banner.text)
    trader.click(trader.window.top.halt.action)
    asked = trader.dialog(ConfirmName)
    asked.field.setText(state.control.account)
    trader.click(asked.go)
    trader.until(lambda: state.control.halt is HaltStep.NONE)
    trader.until(lambda: trader.window.top.halt.text == "")


def test_a_seek_back_does_the_trade_again_and_drops_what_came_later(trader: _Trader) -> None:
    state = trader.session.state
    QTest.keyClick(trader.window, Qt.Key.Key_F10)
    trader.until(lambda: state.control.arm == "paper")
    (first,) = trader.send()
    trader.until(lambda: trader.orders[first.order_id].status == "FILLED")
    after_first = trader.session.now
    fill = state.orders.fills[0]
    trader.until(lambda: trader.session.now > after_first + 1_000_000_000)
    trader.send()
    trader.until(lambda: trader.position == Decimal(2_000))
    trader.session.toggle_play()
    trader.until(lambda: trader.session.phase is Phase.PAUSED)
    trader.session.seek(after_first)
    trader.until(lambda: state.epoch > 1 and trader.session.now == after_first)
    trader.until(lambda: trader.position == Decimal(1_000))
    assert [(each.ts, each.price) for each in trader.session.state.orders.fills] == [(fill.ts, fill.price)]
