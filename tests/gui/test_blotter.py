"""Orders and positions in the window's tables: cancelled, changed and closed from there."""

from decimal import Decimal

import pytest
from PySide6.QtCore import QCoreApplication, Qt

from app.windows.change_order import ChangeOrderDialog
from engine.link.scripted import control, frame, order, position
from engine.link.trading_builders import twap
from engine.messages.commands import Cancel, Flatten, Modify
from engine.messages.events import AnyEvent, OrderChanged
from tests.gui.conftest import Desk
from widgets.blotter import OrdersPanel, PositionsPanel


def tell(desk: Desk, *events: AnyEvent) -> None:
    desk.play()
    news = frame(
        9_000,
        instruments=[],
        control=control("replay", "view"),
        events=events,
        first_event=desk.state.last_event + 1,
        now=desk.clock.now,
    )
    desk.link.push(news)
    desk.window.docks["orders"].raise_()
    desk.tick_later()
    orders = desk.panel("orders", OrdersPanel).view

    def shown() -> None:
        desk.tick_later()
        assert orders.model().rowCount() == len(desk.state.orders.orders)

    desk.qtbot.waitUntil(shown)


def change(desk: Desk, working: OrderChanged) -> ChangeOrderDialog:
    """Pick an order in the table and ask for its change by key."""
    tell(desk, working)
    panel = desk.panel("orders", OrdersPanel)
    panel.view.setFocus()
    panel.view.selectRow(0)
    desk.key(Qt.Key.Key_F2, widget=panel.view)
    QCoreApplication.processEvents()
    return next(each for each in desk.window.findChildren(ChangeOrderDialog) if each.isVisible())


def test_cancelling_and_flattening_work_in_view_too(desk: Desk) -> None:
    tell(desk, order("H-1"), position())
    orders = desk.panel("orders", OrdersPanel)
    orders.view.setFocus()
    orders.view.selectRow(0)
    desk.key(Qt.Key.Key_Delete, widget=orders.view)
    desk.window.docks["positions"].raise_()
    desk.tick_later()
    positions = desk.panel("positions", PositionsPanel)
    positions.view.setFocus()
    positions.view.selectRow(0)
    desk.key(Qt.Key.Key_Delete, widget=positions.view)
    assert desk.sent == [Cancel("H-1"), Flatten("EURUSD.SIM")]


def test_a_running_twap_is_a_row_that_is_cancelled_like_an_order(desk: Desk) -> None:
    tell(desk, twap("r1"), order("H-1", "FILLED", request="r1"))
    orders = desk.panel("orders", OrdersPanel)
    shown = orders.view.model()
    rows = [[str(shown.index(row, at).data()) for at in range(shown.columnCount())] for row in range(2)]
    [at] = [row for row, texts in enumerate(rows) if "r1" in texts]
    assert {"TWAP", "10,000", "2,000", "Partially filled"} <= set(rows[at])
    assert any(text.startswith("2 of 10 slices sent, the next at") for text in rows[at])
    orders.view.selectRow(at)
    orders.prepare_menu()
    assert orders.cancel.isEnabled()
    assert not orders.change.isEnabled()
    orders.view.setFocus()
    desk.key(Qt.Key.Key_Delete, widget=orders.view)
    assert desk.sent == [Cancel("r1")]


def test_only_what_differs_is_changed(desk: Desk) -> None:
    dialog = change(desk, order("H-1", quantity=Decimal(10_000), price=Decimal("1.0930")))
    assert list(dialog.fields) == ["price", "quantity"]
    assert not dialog.go.isEnabled()
    dialog.fields["price"].setText("1.09310")
    desk.click(dialog.go)
    assert desk.sent == [Modify(order_id="H-1", price=Decimal("1.09310"))]


@pytest.mark.parametrize(
    ("field", "text"), [("price", "1.0931005"), ("quantity", "1500"), ("quantity", "4000"), ("price", "")]
)
def test_what_no_venue_could_take_cannot_be_asked(desk: Desk, field: str, text: str) -> None:
    dialog = change(desk, order("H-1", "PARTIALLY_FILLED", filled=Decimal(4_000)))
    dialog.fields[field].setText(text)
    assert not dialog.go.isEnabled()
    dialog.fields["price"].setText("1.09")
    assert dialog.go.isEnabled() == (field == "price")
    dialog.close()


def test_a_stop_limit_has_both_prices(desk: Desk) -> None:
    dialog = change(desk, order("H-1", type="STOP_LIMIT", price=Decimal("1.1"), trigger=Decimal("1.0999")))
    dialog.fields["trigger"].setText("1.1001")
    dialog.fields["quantity"].setText("20k")
    desk.click(dialog.go)
    assert desk.sent == [Modify(order_id="H-1", quantity=Decimal(20_000), trigger=Decimal("1.1001"))]
