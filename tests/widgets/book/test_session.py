"""The panels beside the chart on the real read models, from a whole session's frames."""

from pytestqt.qtbot import QtBot

from app.paths import RESOURCES
from app.state.session import SessionState
from engine.link.script import scripted_session
from widgets.blotter import AccountPanel, FillsPanel, LogPanel, OrdersPanel, PositionsPanel
from widgets.book import LadderPanel
from widgets.results import ResultsPanel
from widgets.risk import RiskPanel
from widgets.tape import TimeAndSalesPanel
from widgets.theme import load_themes

THEME = load_themes((RESOURCES / "themes.toml").read_bytes())["dark"]


def test_a_session_arrives_in_every_panel_frame_by_frame(qtbot: QtBot) -> None:
    state = SessionState()
    frames = scripted_session(frames=60)
    state.apply(frames[0])
    ladder, tape, risk, results = (
        LadderPanel(THEME),
        TimeAndSalesPanel(THEME),
        RiskPanel(THEME),
        ResultsPanel(THEME),
    )
    orders, fills, positions = OrdersPanel(THEME), FillsPanel(THEME), PositionsPanel(THEME)
    account, log = AccountPanel(THEME), LogPanel(THEME)
    panels = (ladder, tape, risk, results, orders, fills, positions, account, log)
    for panel in panels:
        qtbot.addWidget(panel)
    for whole in (ladder, risk, results):
        whole.bind(state)
    (market,) = state.markets.values()
    tape.bind(market)
    for table in (orders, fills, positions, account):
        table.bind(state.orders)
    log.bind(state.log)
    for frame in frames[1:]:
        state.apply(frame)
        for panel in panels:
            panel.refresh()
    shown = ladder.view.shown
    assert shown is not None
    assert shown.bid_total == market.book.bids["size"].sum()
    assert tape.view.shown["size"].sum() == market.trades.rows["size"].sum()
    assert fills.model.total == len(state.orders.fills) > 0
    assert orders.model.total == len(state.orders.orders)
    assert positions.model.total == len(state.orders.positions)
    assert account.model.total == 1
    assert log.model.total == len(state.log.lines)
    assert len(risk.cards.cards) == 1
    assert [row[0] for row in results.statistics.model.rows()] == list(state.results.stats)  # type: ignore[union-attr]
