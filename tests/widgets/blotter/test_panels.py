"""The tables: what they show, filter, copy and export."""

from decimal import Decimal

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from pytestqt.qtbot import QtBot

from app.paths import RESOURCES
from app.state.log import LogState
from app.state.orders import OrdersState
from engine.link.builders import account, fill, log, order, position
from engine.link.script import scripted_session
from engine.link.trading_builders import denied
from engine.messages.commands import Cancel, CancelAll, Flatten, Reverse
from engine.messages.orders import HAND
from widgets.blotter import (
    AccountPanel,
    DenialsPanel,
    FillsPanel,
    LogPanel,
    OrdersPanel,
    PositionsPanel,
)
from widgets.theme import load_themes

THEMES = load_themes((RESOURCES / "themes.toml").read_bytes())
DARK = THEMES["dark"]


@pytest.fixture
def state() -> OrdersState:
    return OrdersState()


def column_of(
    panel: OrdersPanel | FillsPanel | PositionsPanel | AccountPanel | LogPanel, name: str
) -> list[str]:
    at = [column.name for column in panel.model.columns].index(name)
    return [panel.model.index(row, at).data() for row in range(panel.model.rowCount())]


def test_an_order_is_one_row_with_its_latest_state(qtbot: QtBot, state: OrdersState) -> None:
    panel = OrdersPanel(DARK)
    qtbot.addWidget(panel)
    panel.bind(state)
    state.apply([order("a"), order("b", side="SELL"), order("a", "PARTIALLY_FILLED", filled=Decimal(4000))])
    panel.refresh()
    assert column_of(panel, "order_id") == ["b", "a"]
    assert column_of(panel, "status") == ["Accepted", "Partially filled"]
    assert column_of(panel, "filled") == ["0", "4,000"]
    panel.working.setChecked(True)
    state.apply([order("a", "FILLED", filled=Decimal(10_000))])
    panel.refresh()
    assert column_of(panel, "order_id") == ["b"]
    panel.working.setChecked(False)
    assert column_of(panel, "order_id") == ["b", "a"]


def test_the_filter_box_narrows_what_has_come_and_what_will(qtbot: QtBot, state: OrdersState) -> None:
    panel = FillsPanel(DARK)
    qtbot.addWidget(panel)
    panel.bind(state)
    state.apply([fill("T-1", strategy="alpha"), fill("T-2", strategy="beta")])
    panel.refresh()
    panel._search.setText("ALPHA")
    state.apply([fill("T-3", strategy="alpha"), fill("T-4", strategy="beta")])
    panel.refresh()
    assert column_of(panel, "trade_id") == ["T-3", "T-1"]
    assert panel._count.text() == "2 / 4"
    panel._search.clear()
    assert len(column_of(panel, "trade_id")) == 4


def test_a_correction_of_a_fill_says_that_it_is_one(qtbot: QtBot, state: OrdersState) -> None:
    panel = FillsPanel(DARK)
    qtbot.addWidget(panel)
    panel.bind(state)
    reason = "It was a guess."
    state.apply([fill("T-1"), fill("V-1", quantity=Decimal(-10_000), corrects="T-1", reason=reason)])
    panel.refresh()
    assert column_of(panel, "liquidity") == ["correction", "taker"]
    assert column_of(panel, "corrects") == ["T-1", ""]
    assert column_of(panel, "reason") == [reason, ""]
    at = [column.name for column in panel.model.columns].index("liquidity")
    tones = [panel.model.columns[at].tone(row) for row in state.fills]  # type: ignore[misc]
    assert tones == ["text", "warning"]
    kept = panel.csv_text().splitlines()
    assert any("V-1" in line and ",correction," in line and line.endswith(reason) for line in kept)


def test_export_has_every_digit_and_only_the_rows_shown(qtbot: QtBot, state: OrdersState) -> None:
    panel = FillsPanel(DARK)
    qtbot.addWidget(panel)
    panel.bind(state)
    state.apply(
        [
            fill(
                "T-1",
                quantity=Decimal("1234567.10"),
                price=Decimal("1.09350"),
                fee=Decimal("-0.0000000001"),
                ts=7,
            ),
            fill("T-2", strategy="other, with a comma"),
        ]
    )
    panel.refresh()
    panel._search.setText("T-1")
    with qtbot.waitSignal(panel.export_asked) as asked:
        panel.export()
    name, text = asked.args
    assert name == "fills.csv"
    assert text == (
        "ts_ns,instrument,side,quantity,price,fee,fee_currency,liquidity,trade_id,order_id,strategy,"
        "corrects,reason\n"
        "7,EURUSD.SIM,BUY,1234567.10,1.09350,-0.0000000001,USD,taker,T-1,O-1,ema_cross,,\n"
    )
    panel._search.setText("T-2")
    assert '"other, with a comma"' in panel.csv_text()


def test_rows_are_copied_as_they_read(qtbot: QtBot, state: OrdersState) -> None:
    panel = AccountPanel(DARK)
    qtbot.addWidget(panel)
    panel.bind(state)
    state.apply([account(Decimal("1000000.00"), Decimal("5.00"))])
    panel.refresh()
    panel.view.setColumnHidden(0, True)
    panel.view.selectRow(0)
    panel.copy()
    assert QGuiApplication.clipboard().text() == "SIM-001\tUSD\t1,000,000.00\t999,995.00\t5.00"


@pytest.mark.parametrize(
    ("made", "important"),
    [
        (OrdersPanel, {"quantity", "price", "filled", "average_price", "status", "type"}),
        (FillsPanel, {"quantity", "price", "fee", "liquidity"}),
        (PositionsPanel, {"quantity", "realised_pnl", "average_open", "average_close"}),
    ],
)
def test_what_matters_is_in_sight_at_690_pixels(
    qtbot: QtBot, made: type[OrdersPanel | FillsPanel | PositionsPanel], important: set[str]
) -> None:
    panel = made(DARK)
    qtbot.addWidget(panel)
    width, seen = 0, set()
    for section, name in enumerate(panel.csv_text().strip().split(",")):
        width += panel.view.columnWidth(section)
        if width <= 690 - 9:  # the scroll bar
            seen.add(name)
    assert important <= seen


def test_a_cell_is_short_and_its_tip_and_copy_are_whole(qtbot: QtBot, state: OrdersState) -> None:
    panel = FillsPanel(DARK)
    qtbot.addWidget(panel)
    panel.bind(state)
    state.apply([fill("T-1", ts=1_723_120_267_412_000_000)])
    panel.refresh()
    cells = [panel.model.index(0, at) for at in (0, 1)]
    assert [cell.data() for cell in cells] == ["12:31:07.412", "EURUSD"]
    tips = [cell.data(Qt.ItemDataRole.ToolTipRole) for cell in cells]
    assert tips == ["2024-08-08 12:31:07.412", "EURUSD.SIM"]
    panel.view.selectRow(0)
    panel.copy()
    assert QGuiApplication.clipboard().text().split("\t")[:2] == tips


def test_profit_has_its_sign_and_its_colour(qtbot: QtBot, state: OrdersState) -> None:
    panel = PositionsPanel(DARK)
    qtbot.addWidget(panel)
    panel.bind(state)
    state.apply(
        [
            position(Decimal(-5), position_id="a", realised_pnl=Decimal("-12.50")),
            position(Decimal(0), position_id="b", realised_pnl=Decimal("3.00"), closed_ns=9),
            position(Decimal(1), position_id="c", realised_pnl=Decimal("0.00")),
        ]
    )
    panel.refresh()
    assert column_of(panel, "realised_pnl") == ["0.00", "+3.00", "−12.50"]
    assert column_of(panel, "quantity") == ["+1", "0", "−5"]
    pnl = next(column for column in panel.model.columns if column.name == "realised_pnl")
    assert pnl.tone is not None
    assert [pnl.tone(row) for row in panel.model.rows()] == ["text", "bid", "ask"]
    panel.open.setChecked(True)
    assert column_of(panel, "position_id") == ["c", "a"]


def test_log_levels_and_dropped_lines_are_told(qtbot: QtBot) -> None:
    state = LogState(capacity=3)
    panel = LogPanel(DARK)
    qtbot.addWidget(panel)
    panel.bind(state)
    state.apply([log("a", "error"), log("b", "debug"), log("c", "warning"), log("d", "error")])
    panel.refresh()
    assert column_of(panel, "text") == ["d", "c", "b"]
    assert "1 older dropped" in panel._count.text()
    panel.level.setCurrentIndex(2)
    assert column_of(panel, "text") == ["d", "c"]
    panel._search.setText("d")
    assert column_of(panel, "text") == ["d"]


def test_columns_chosen_sorting_and_widths_come_back(qtbot: QtBot) -> None:
    first, second = FillsPanel(DARK), FillsPanel(DARK)
    for panel in (first, second):
        qtbot.addWidget(panel)
    first.column_menu().actions()[2].setChecked(False)
    first.view.setColumnWidth(4, 177)
    first.view.sortByColumn(4, Qt.SortOrder.AscendingOrder)
    assert second.restore_state(first.save_state())
    assert second.view.isColumnHidden(2)
    assert second.view.columnWidth(4) == 177
    assert second.view.horizontalHeader().sortIndicatorSection() == 4
    assert not second.restore_state(b"nonsense")


def test_the_last_column_cannot_be_hidden(qtbot: QtBot) -> None:
    panel = AccountPanel(DARK)
    qtbot.addWidget(panel)
    for section in range(1, len(panel.model.columns)):
        panel.view.setColumnHidden(section, True)
    assert [action.isEnabled() for action in panel.column_menu().actions()][:2] == [False, True]


def test_what_the_user_looks_at_stays_when_rows_come_on_top(qtbot: QtBot, state: OrdersState) -> None:
    panel = FillsPanel(DARK)
    qtbot.addWidget(panel)
    panel.resize(600, 300)
    state.apply([fill(f"T-{k}") for k in range(200)])
    panel.bind(state)
    panel.grab()
    bar = panel.view.verticalScrollBar()
    bar.setValue(50)
    top = panel.model.row(bar.value()).trade_id
    state.apply([fill(f"N-{k}") for k in range(7)])
    panel.refresh()
    assert panel.model.row(bar.value()).trade_id == top


@pytest.mark.parametrize("theme", list(THEMES))
def test_a_whole_session_paints_in_both_themes_and_goes_with_none(qtbot: QtBot, theme: str) -> None:
    orders, lines = OrdersState(), LogState()
    for frame in scripted_session(frames=120):
        events = [numbered.event for numbered in frame.events]
        orders.apply(events)
        lines.apply(events)
    for kind in (OrdersPanel, FillsPanel, PositionsPanel, AccountPanel):
        panel = kind(DARK)
        qtbot.addWidget(panel)
        panel.set_theme(THEMES[theme])
        panel.bind(orders)
        assert panel.model.rowCount() > 0
        assert not panel.grab().isNull()
        panel.bind(None)
        assert panel.model.rowCount() == 0
        assert not panel.grab().isNull()


def test_a_buy_is_painted_in_the_colour_of_bids(qtbot: QtBot, state: OrdersState) -> None:
    panel = FillsPanel(DARK)
    qtbot.addWidget(panel)
    panel.resize(800, 200)
    state.apply([fill(side="BUY")])
    panel.bind(state)
    image = panel.view.viewport().grab().toImage()
    cell = panel.view.visualRect(panel.model.index(0, 2))
    seen = [
        image.pixelColor(x, y)
        for x in range(cell.left(), cell.right())
        for y in range(cell.top(), cell.bottom())
    ]
    assert max(colour.green() - colour.red() for colour in seen) > 60
    assert max(colour.red() - colour.green() for colour in seen) < 20


def asked_of(panel: OrdersPanel | PositionsPanel) -> list[object]:
    asked: list[object] = []
    panel.command_asked.connect(asked.append)
    return asked


def test_an_order_says_its_life_flags_and_origin_in_words(qtbot: QtBot, state: OrdersState) -> None:
    panel = OrdersPanel(DARK)
    qtbot.addWidget(panel)
    panel.bind(state)
    state.apply(
        [
            order("h", "IN_DOUBT", strategy=HAND, time_in_force="IOC", reduce_only=True, post_only=True),
            order("x", "SUBMITTED", strategy="EXTERNAL", type="STOP_LIMIT", contingent=("y",)),
            order("s", "REJECTED", strategy="ema_cross", reason="Margin is insufficient."),
        ]
    )
    panel.refresh()
    assert column_of(panel, "status") == ["Rejected", "Pending", "In doubt"]
    assert column_of(panel, "strategy") == ["ema_cross", "Foreign", "Hand"]
    assert column_of(panel, "time_in_force") == ["GTC", "GTC", "IOC"]
    assert column_of(panel, "flags") == ["", "linked", "post, reduce"]
    assert column_of(panel, "type") == ["Limit", "Stop-limit", "Limit"]
    assert column_of(panel, "reason")[0] == "Margin is insufficient."
    assert "EXTERNAL" in panel.csv_text()
    panel._search.setText("in doubt")
    assert column_of(panel, "order_id") == ["h"]


def test_working_orders_are_cancelled_whoever_placed_them(qtbot: QtBot, state: OrdersState) -> None:
    panel = OrdersPanel(DARK)
    qtbot.addWidget(panel)
    panel.bind(state)
    state.apply([order("a"), order("b", "FILLED"), order("c", strategy="EXTERNAL")])
    panel.refresh()
    asked = asked_of(panel)
    panel.view.selectAll()
    panel.prepare_menu()
    assert panel.cancel.text() == "Cancel 2 orders"
    assert not panel.change.isEnabled()
    panel.cancel.trigger()
    assert asked == [Cancel("c"), Cancel("a")]
    panel.view.selectRow(1)
    panel.prepare_menu()
    assert not panel.cancel.isEnabled()
    panel.cancel_all.trigger()
    assert asked[2:] == [CancelAll("EURUSD.SIM")]


def test_only_an_order_that_the_venue_has_can_be_changed(qtbot: QtBot, state: OrdersState) -> None:
    panel = OrdersPanel(DARK)
    qtbot.addWidget(panel)
    panel.bind(state)
    state.apply([order("a"), order("b", "PENDING_UPDATE")])
    panel.refresh()
    wanted: list[object] = []
    panel.change_asked.connect(wanted.append)
    for row, can in ((0, False), (1, True)):
        panel.view.selectRow(row)
        panel.prepare_menu()
        assert panel.change.isEnabled() == can
        panel.change.trigger()
    assert wanted == [state.orders["a"]]


def test_open_positions_are_flattened_and_reversed(qtbot: QtBot, state: OrdersState) -> None:
    panel = PositionsPanel(DARK)
    qtbot.addWidget(panel)
    panel.bind(state)
    state.apply([position(), position(Decimal(0), position_id="P-2", closed_ns=5)])
    panel.refresh()
    asked = asked_of(panel)
    panel.view.selectRow(0)  # the closed one
    panel.prepare_menu()
    assert not panel.flatten.isEnabled()
    panel.view.selectRow(1)
    panel.prepare_menu()
    panel.flatten.trigger()
    panel.reverse.trigger()
    assert asked == [Flatten("EURUSD.SIM"), Reverse("EURUSD.SIM")]


def test_a_denial_has_its_rule_value_and_limit(qtbot: QtBot, state: OrdersState) -> None:
    panel = DenialsPanel(DARK)
    qtbot.addWidget(panel)
    panel.bind(state)
    state.apply(
        [
            denied(),
            denied("halted", "The session is halted; re-arm it.", value=None, limit=None, unit=""),
            denied("leverage", value=Decimal("3.25"), limit=Decimal(3), unit="x", order_id="O-7"),
        ]
    )
    panel.refresh()
    at = [column.name for column in panel.model.columns]
    shown = [
        [panel.model.index(row, at.index(name)).data() for name in ("rule", "value", "limit", "unit")]
        for row in range(3)
    ]
    assert shown == [
        ["Leverage", "3.25", "3", "x"],
        ["Halted", "–", "–", ""],
        ["Order size", "10,000", "5,000", "EUR"],
    ]
    panel._search.setText("leverage")
    assert panel.model.rowCount() == 1
    assert "O-7" in panel.csv_text()
