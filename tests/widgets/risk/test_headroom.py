"""Limits turn red before they break, and say how much is left."""

from dataclasses import dataclass, field
from typing import Literal

import pytest
from pytestqt.qtbot import QtBot

from app.paths import RESOURCES
from app.state.market import MarketState
from app.state.risk import RiskState
from engine.messages.limits import AccountRisk, Exposure, LimitUse, Stage, StrategyProfit, TailRisk
from widgets.risk import RiskPanel
from widgets.risk.headroom import Headroom, headroom, lines_of
from widgets.theme import load_themes

THEME = load_themes((RESOURCES / "themes.toml").read_bytes())["dark"]


def same(text: str) -> str:
    return text


type Scope = Literal["account", "instrument"]


def use(value: float, limit: float = 100.0, unit: str = "money", name: str = "") -> LimitUse:
    scope: Scope = "instrument" if name else "account"
    return LimitUse(
        rule="gross_exposure",
        title="Gross exposure",
        scope=scope,
        name=name,
        unit=unit,
        value=value,
        limit=limit,
    )


@pytest.mark.parametrize(
    ("value", "tone"),
    [(0.0, "bid"), (74.9, "bid"), (75.0, "warning"), (89.9, "warning"), (90.0, "danger"), (130.0, "danger")],
)
def test_a_limit_is_amber_and_red_before_it_breaks(value: float, tone: str) -> None:
    assert headroom(use(value), "USD", same).tone == tone


def test_a_limit_of_nothing_is_used_up() -> None:
    assert headroom(use(0.0, 0.0), "USD", same).tone == "danger"


def test_a_bar_says_what_is_used_of_what_and_what_is_left() -> None:
    line = headroom(use(25_000.0, 100_000.0, name="BTCUSDT.BINANCE"), "USDT", same)
    assert line.plain() == "Gross exposure · BTCUSDT.BINANCE\t25,000 / 100,000 USDT\t25 %"
    assert line.tip == "25 % of the limit is used; 75,000 USDT is left."


@pytest.mark.parametrize(
    ("stage", "said"),
    [("normal", []), ("scaled", ["Protection\tsizes at 60 %"]), ("paused", ["Protection\tnothing new"])],
)
def test_what_a_drawdown_holds_back_is_said(stage: Stage, said: list[str]) -> None:
    lines = lines_of(AccountRisk(currency="USD", stage=stage, share=0.6), same)
    assert [line.plain() for line in lines if line.plain().startswith("Protection")] == said


def test_the_fullest_limit_stands_first() -> None:
    risk = AccountRisk(currency="USD", uses=[use(10.0), use(95.0, name="B.SIM"), use(50.0)])
    shares = [line.share for line in lines_of(risk, same) if isinstance(line, Headroom)]
    assert shares == [0.95, 0.5, 0.1]


def test_without_limits_the_panel_says_so() -> None:
    text = "\n".join(line.plain() for line in lines_of(AccountRisk(currency="USD"), same))
    assert "No limits are set" in text


def test_too_few_returns_are_said_instead_of_a_number() -> None:
    tail = TailRisk(
        method="ewma", level=0.99, horizon_s=86_400.0, returns=7, value_at_risk=None, expected_shortfall=None
    )
    text = "\n".join(line.plain() for line in lines_of(AccountRisk(currency="USD", tails=[tail]), same))
    assert "99 % EWMA\ttoo few returns (7)" in text


@dataclass
class FakeSession:
    account_risk: AccountRisk | None = None
    risk: RiskState = field(default_factory=RiskState)
    markets: dict[str, MarketState] = field(default_factory=dict)


def test_the_panel_shows_the_account_and_asks_for_its_limits(qtbot: QtBot) -> None:
    panel = RiskPanel(THEME)
    qtbot.addWidget(panel)
    session = FakeSession()
    panel.bind(session)
    assert not panel.edit.isVisibleTo(panel)
    session.account_risk = AccountRisk(
        currency="USD",
        equity=1_000_500.0,
        session_profit=500.0,
        uses=[use(95.0)],
        instruments=[Exposure(name="EURUSD.SIM", quantity=-10_000.0, value=-10_935.0)],
        strategies=[StrategyProfit(strategy="HAND-001", realised=-2.5, unrealised=502.5)],
        policy_version=3,
    )
    panel.refresh()
    said = panel.account.text
    assert "Limits\tversion 3" in said
    assert "EURUSD.SIM\t−10,935.00\t−10,000" in said
    assert "HAND-001\t+500.00 USD" in said
    with qtbot.waitSignal(panel.limits_asked):
        panel.edit.click()
    panel.bind(None)
    assert not panel.edit.isVisibleTo(panel)
