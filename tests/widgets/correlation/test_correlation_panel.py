"""The correlation panel: what it asks, what it shows of the answer, and what it says of doubts."""

import pytest
from msgspec.structs import replace
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from engine.messages.data import Correlations, LeadLagCurve
from tests.widgets.chart.markets import theme
from widgets.correlation.curve import lead_sentence
from widgets.correlation.matrix import tint, value_text
from widgets.correlation.panel import CorrelationPanel

NAMES = ["BTCUSDT.A", "ETHUSDT.A", "SOLUSDT.A"]
FOUND = Correlations(
    instruments=("BTCUSDT.A", "ETHUSDT.A"),
    kind="quotes",
    by="event",
    sampling="previous-tick",
    step_ns=1,
    start_ns=0,
    end_ns=1,
    returns=1_234,
    matrix=[[1.0, -0.5], [-0.5, None]],
)
CURVE = LeadLagCurve(
    first="BTCUSDT.A",
    second="ETHUSDT.A",
    shifts_ns=[-1_000_000, 0, 1_000_000],
    correlation=[0.1, 0.2, 0.6],
    lead_ns=1_000_000,
    ratio=3.0,
)


@pytest.fixture
def panel(qtbot: QtBot) -> CorrelationPanel:
    made = CorrelationPanel(theme())
    qtbot.addWidget(made)
    made.resize(1200, 300)
    made.show_instruments(NAMES)
    made.show()
    qtbot.waitExposed(made)
    return made


def test_two_instruments_can_be_asked_about(qtbot: QtBot, panel: CorrelationPanel) -> None:
    panel.choose("BTCUSDT.A")
    assert not panel.go.isEnabled()
    panel.choose("BTCUSDT.A", "ETHUSDT.A")
    with qtbot.waitSignal(panel.matrix_asked) as asked:
        panel.go.click()
    question = asked.args[0]
    assert question.instruments == ("BTCUSDT.A", "ETHUSDT.A")
    assert (question.sampling, question.step_ns) == ("previous-tick", 60_000_000_000)
    assert not panel.go.isEnabled()
    panel.show_matrix(FOUND)
    assert panel.go.isEnabled()
    assert panel.told.text() == "1,234 returns"


def test_a_click_on_a_pair_asks_for_its_curve(qtbot: QtBot, panel: CorrelationPanel) -> None:
    panel.show_matrix(FOUND)
    with qtbot.waitSignal(panel.curve_asked) as asked:
        centre = panel.matrix.cell(0, 1).center()
        QTest.mouseClick(panel.matrix, Qt.MouseButton.LeftButton, pos=centre)
    assert asked.args[0].instruments == ("BTCUSDT.A", "ETHUSDT.A")
    panel.show_curve(CURVE)
    assert not panel.grab().isNull()
    assert lead_sentence(CURVE) == "BTCUSDT.A leads ETHUSDT.A by 0.001 s  ·  lead-lag ratio 3.00"


def test_an_instrument_with_itself_is_no_pair(qtbot: QtBot, panel: CorrelationPanel) -> None:
    panel.show_matrix(FOUND)
    with qtbot.assertNotEmitted(panel.curve_asked):
        centre = panel.matrix.cell(1, 1).center()
        QTest.mouseClick(panel.matrix, Qt.MouseButton.LeftButton, pos=centre)


def test_problems_and_doubts_are_told(panel: CorrelationPanel) -> None:
    panel.choose(*NAMES[:2])
    panel.show_matrix(None, "They have no time in common.")
    assert panel.told.text() == "They have no time in common."
    assert panel.go.isEnabled()


def test_what_was_asked_before_is_not_left_beside_a_new_question(panel: CorrelationPanel) -> None:
    panel.choose(*NAMES[:2])
    for problem in ("", "They have no time in common."):
        panel.show_matrix(FOUND)
        panel.show_curve(CURVE)
        panel.go.click() if not problem else panel.show_matrix(None, problem)
        assert (panel.matrix.found, panel.curve.found) == (None, None)


def test_the_number_of_returns_stands_beside_a_doubt_and_few_are_one(panel: CorrelationPanel) -> None:
    panel.show_matrix(replace(FOUND, doubt="Their clocks differ."))
    assert panel.told.text() == "1,234 returns  ·  Their clocks differ."
    assert panel.told.objectName() == "warning"
    panel.show_matrix(replace(FOUND, returns=29))
    assert panel.told.text().startswith("29 returns  ·  so few that chance shows")
    assert panel.told.objectName() == "warning"
    panel.show_matrix(replace(FOUND, returns=30))
    assert (panel.told.text(), panel.told.objectName()) == ("30 returns", "quiet")


def test_a_step_can_be_chosen_only_where_prices_are_sampled_by_it(panel: CorrelationPanel) -> None:
    enabled = []
    for place in range(panel.sampling.count()):
        panel.sampling.setCurrentIndex(place)
        enabled.append(panel.step.isEnabled())
    assert enabled == [True, False, False]


@pytest.mark.parametrize("name", ["dark", "light"])
def test_an_unticked_box_is_seen(panel: CorrelationPanel, name: str) -> None:
    dress = theme(name)
    panel.set_theme(dress)
    panel.choose()
    view = panel.instruments
    row = view.visualItemRect(view.item(0))
    image = view.viewport().grab(row).toImage()
    edge = [image.pixelColor(x, row.height() // 2) for x in range(20)]
    assert dress.colour("quiet") in edge


def test_ticks_survive_a_new_list(panel: CorrelationPanel) -> None:
    panel.choose("ETHUSDT.A")
    panel.show_instruments([*NAMES, "XRPUSDT.A"])
    assert panel.chosen == ["ETHUSDT.A"]


def test_numbers_and_colours() -> None:
    assert value_text(-0.456) == "−0.46"
    assert value_text(None) == "–"
    assert tint(1.0, theme()).alphaF() > tint(0.1, theme()).alphaF()
