"""Risk in words, signs and colours."""

from dataclasses import dataclass, field

import pytest
from pytestqt.qtbot import QtBot

from app.paths import RESOURCES
from app.state.risk import RiskState
from engine.link.builders import EURUSD, risk
from engine.messages.frames import Risk
from engine.messages.instrument import Instrument
from widgets.risk import RiskPanel
from widgets.risk.figures import Card, Figure, card_of, total_cards
from widgets.theme import load_themes

THEMES = load_themes((RESOURCES / "themes.toml").read_bytes())


def same(text: str) -> str:
    return text


def figure(card: Card, label: str) -> Figure:
    return next(figure for figure in card.figures if figure.label == label)


def card(shown: Risk) -> Card:
    return card_of(shown, EURUSD, same)


@dataclass
class FakeMarket:
    instrument: Instrument = EURUSD


@dataclass
class FakeSession:
    risk: RiskState = field(default_factory=RiskState)
    markets: dict[str, FakeMarket] = field(default_factory=lambda: {EURUSD.id: FakeMarket()})
    account_risk: None = None


def test_every_number_with_a_side_tells_it_in_its_sign_and_in_its_tone() -> None:
    short = card(risk(-10_000, average_open=1.0936, mid=1.0935, realised_pnl=-12.5))
    assert (short.badge, short.badge_tone) == ("SHORT", "ask")
    assert figure(short, "Position") == Figure("Position", "−10,000", "ask")
    assert figure(short, "Unrealised") == Figure("Unrealised", "+1.00 USD", "bid")
    assert figure(short, "Realised, net") == Figure("Realised, net", "−12.50 USD", "ask")
    assert figure(short, "Average open").text == "1.09360"
    assert figure(short, "Fees paid").text == "0.22 USD"


def test_flat_is_neither_gain_nor_loss() -> None:
    flat = card(risk(0.0, average_open=None, realised_pnl=-0.001))
    assert (flat.badge, flat.badge_tone) == ("FLAT", "quiet")
    assert figure(flat, "Average open").text == "–"
    assert figure(flat, "Realised, net") == Figure("Realised, net", "0.00 USD", "text")


def test_what_is_marked_at_the_mid_and_what_is_net_of_fees_says_so(qtbot: QtBot) -> None:
    panel = RiskPanel(THEMES["dark"])
    qtbot.addWidget(panel)
    session = FakeSession()
    session.risk.apply([risk(1000)], 1)
    panel.bind(session)
    shown = panel.cards.cards[0]
    tips = [panel.cards.tip_at(30 + 18 * line) for line in range(len(shown.figures))]
    told = dict(zip((figure.label for figure in shown.figures), tips, strict=True))
    for label in ("Exposure", "Unrealised", "Equity"):
        assert "marked at the mid price" in told[label]
    assert "net of all fees" in told["Realised, net"]
    assert panel.cards.tip_at(5) == ""
    assert panel.cards.tip_at(panel.cards.height() + 500) == ""


@pytest.mark.parametrize(
    ("drawdown", "deepest", "tone", "said"),
    [(-50.0, -50.0, "warning", True), (-20.0, -50.0, "text", False), (0.0, 0.0, "quiet", False)],
)
def test_amber_means_the_deepest_drawdown_so_far_and_a_word_says_so(
    drawdown: float, deepest: float, tone: str, said: bool
) -> None:
    shown = figure(card(risk(equity=1_000.0, drawdown=drawdown, max_drawdown=deepest)), "Drawdown")
    assert shown.tone == tone
    assert ("deepest yet" in shown.note) is said


def test_drawdown_is_also_a_share_of_the_peak() -> None:
    shown = figure(card(risk(equity=950.0, drawdown=-50.0, max_drawdown=-80.0)), "Drawdown")
    assert shown.text == "−50.00 USD"
    assert shown.note == "−5.00 %"


def test_sums_are_of_one_currency_and_only_of_what_can_be_summed() -> None:
    risks = [
        risk(1.0, instrument="A.SIM", realised_pnl=5.0, fees=1.0),
        risk(1.0, instrument="B.SIM", realised_pnl=-2.0, fees=0.5),
    ]
    (total,) = total_cards(risks, same)
    assert figure(total, "Realised, net").text == "+3.00 USD"
    assert figure(total, "Fees paid").text == "1.50 USD"
    assert "Equity" not in {figure.label for figure in total.figures}
    assert total_cards(risks[:1], same) == []


@pytest.mark.parametrize("theme", list(THEMES))
def test_the_panel_follows_its_session(qtbot: QtBot, theme: str) -> None:
    session = FakeSession()
    panel = RiskPanel(THEMES[theme])
    qtbot.addWidget(panel)
    panel.resize(260, 400)
    panel.bind(None)
    unbound = panel.grab().toImage()
    panel.bind(session)
    assert panel.grab().toImage() != unbound
    for now in range(100):
        session.risk.apply([risk(equity=1000.0 - now, drawdown=-float(now), max_drawdown=-float(now))], now)
    panel.refresh()
    assert [card.title for card in panel.cards.cards] == [EURUSD.id]
    assert not panel.grab().isNull()
    session.risk = RiskState()
    panel.refresh()
    assert panel.cards.cards == []


def test_an_unchanged_state_is_not_read_again(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    session = FakeSession()
    session.risk.apply([risk()], 1)
    panel = RiskPanel(THEMES["dark"])
    qtbot.addWidget(panel)
    panel.bind(session)
    shown: list[object] = []
    monkeypatch.setattr(panel.cards, "show_cards", lambda *args, **kwargs: shown.append(args))
    panel.refresh()
    assert not shown
    session.risk.apply([risk()], 2)
    panel.refresh()
    assert shown


def test_the_equity_line_is_painted_below_the_figures(qtbot: QtBot) -> None:
    session = FakeSession()
    for now in range(50):
        session.risk.apply([risk(equity=1000.0 + now % 7)], now)
    theme = THEMES["dark"]
    panel = RiskPanel(theme)
    qtbot.addWidget(panel)
    panel.resize(260, 400)
    panel.bind(session)
    image = panel.cards.grab().toImage()
    top = 24 + 2 + 9 * 18
    blues = [
        image.pixelColor(x, y).blue() - image.pixelColor(x, y).red()
        for x in range(10, 240, 3)
        for y in range(top, top + 50)
    ]
    assert max(blues) > 100
