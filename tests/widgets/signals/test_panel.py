"""The signals panel as its user sees it: curves where the numbers say, figures, list, and arrangement."""

from collections.abc import Iterator
from decimal import Decimal

import pytest
from PySide6.QtCore import QPoint
from PySide6.QtGui import QColor, QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.state.session import SessionState
from engine.link.scripted import (
    EURUSD,
    START_NS,
    acted,
    arming,
    frame,
    judged,
    model_health,
    order,
    predictions,
    signal,
)
from engine.messages.events import AnyEvent, EpochBegan
from engine.messages.frames import CalibrationBin, ModelHealth, Outcomes
from tests.widgets.chart.markets import theme
from widgets.chart.view import TimeWindow
from widgets.signals.figures import wilson
from widgets.signals.panel import SignalsPanel

SECOND = 1_000_000_000
NAN = float("nan")
OUTCOMES = Outcomes(
    rows=1_000,
    signals=10,
    hits=8,
    expected=0.625,
    bins=[CalibrationBin(0.45, 0.5, 900), CalibrationBin(0.62, 0.3, 100)],
    brier=0.2345,
    ece=0.0771,
    correlation=0.0456,
)


@pytest.fixture
def panel(qtbot: QtBot) -> Iterator[SignalsPanel]:
    made = SignalsPanel(theme())
    qtbot.addWidget(made)
    made.resize(700, 200)
    made.show()
    qtbot.waitExposed(made)
    yield made
    made.bind(None)


@pytest.fixture
def state() -> SessionState:
    """Forty seconds in which the model said 0.75 up, then twenty in which it said 0.5 down."""
    made = SessionState()
    rows: list[tuple[float, ...]] = [
        (START_NS + second * SECOND, 0.05, 0.2, 0.75, 0.7) for second in range(40)
    ]
    rows += [(START_NS + second * SECOND, 0.5, 0.4, 0.1, -0.4) for second in range(40, 60)]
    _give(made, rows, [signal(1, up=0.75, ts=START_NS + 20 * SECOND), acted(1, order_id="O-1")])
    return made


def _give(
    state: SessionState,
    rows: "list[tuple[float, ...]]" = [],  # noqa: B006 -- not changed
    events: "list[AnyEvent]" = [],  # noqa: B006
    *,
    outcomes: Outcomes | None = OUTCOMES,
    models: "list[ModelHealth] | None" = None,
    conflated: int = 0,
) -> None:
    state.apply(
        frame(
            state.version + 1,
            predictions=[predictions(rows, outcomes=outcomes, conflated=conflated)],
            models=[model_health()] if models is None else models,
            events=events,
            first_event=state.last_event + 1,
            now=START_NS + 60 * SECOND,
        )
    )


def _show(panel: SignalsPanel, state: SessionState) -> QImage:
    panel.bind(state)
    return _painted(panel)


def _painted(panel: SignalsPanel) -> QImage:
    panel.set_clock(START_NS + 60 * SECOND)
    panel.refresh()
    QApplication.processEvents()
    return panel.strip.grab().toImage()


def _is_like(image: QImage, x: int, y: int, token: str) -> bool:
    wanted, got = QColor(getattr(theme(), token)), image.pixelColor(x, y)
    distances = (wanted.red() - got.red(), wanted.green() - got.green(), wanted.blue() - got.blue())
    return sum(map(abs, distances)) < 60


def _at(panel: SignalsPanel, second: float, level: float) -> tuple[int, int]:
    view = panel.strip.view
    return view.x_of(START_NS + round(second * SECOND)), int(view.y_of(level))


def test_without_a_model_it_says_what_would_fill_it(panel: SignalsPanel) -> None:
    assert panel._empty.isVisible()
    state = SessionState()
    state.apply(frame(1))
    panel.bind(state)
    assert panel._empty.isVisible()
    _give(state, outcomes=None)
    panel.refresh()
    assert not panel._empty.isVisible()  # warming up: the strip says so


def test_probabilities_are_lines_in_their_sides_colours(panel: SignalsPanel, state: SessionState) -> None:
    image = _show(panel, state)
    for second, level, token in (
        (10.5, 0.75, "bid"),
        (10.5, 0.2, "quiet"),
        (10.5, 0.05, "ask"),
        (50.5, 0.5, "ask"),
        (50.5, 0.1, "bid"),
    ):
        x, y = _at(panel, second, level)
        assert any(_is_like(image, x, row, token) for row in (y - 1, y, y + 1)), (second, level)


def test_nothing_is_drawn_after_the_newest_row(panel: SignalsPanel, state: SessionState) -> None:
    image = _show(panel, state)
    x, y = _at(panel, 62.0, 0.1)
    assert x < panel.strip.view.width
    assert not any(_is_like(image, x, row, "bid") for row in (y - 1, y, y + 1))


def test_thresholds_are_dashed_lines_with_their_names(panel: SignalsPanel, state: SessionState) -> None:
    image = _show(panel, state)
    _, y = _at(panel, 0, 0.55)
    dashes = [_is_like(image, x, y, "signal") for x in range(300, 600)]
    assert 0.3 < sum(dashes) / len(dashes) < 0.7
    assert any(_is_like(image, x, y + 3, "signal") for x in range(60))  # the name's letters


def test_a_signal_lies_at_what_was_said(panel: SignalsPanel, state: SessionState) -> None:
    image = _show(panel, state)
    x, y = _at(panel, 20, 0.75)
    blue = sum(_is_like(image, x + dx, y + dy, "signal") for dx in range(-5, 6) for dy in range(-5, 6))
    assert blue > 8


def test_it_shows_the_charts_times_to_the_pixel_where_it_is_as_wide(
    panel: SignalsPanel, state: SessionState
) -> None:
    panel.set_window(TimeWindow(left_ns=START_NS, scale_ns=SECOND // 10, plot=620, whole=700))
    _show(panel, state)
    view = panel.strip.view
    assert (view.left_ns, view.scale_ns, view.width) == (START_NS, SECOND // 10, 620)
    panel.set_window(TimeWindow(left_ns=START_NS + SECOND, scale_ns=SECOND // 10, plot=620, whole=700))
    _painted(panel)
    assert view.left_ns == START_NS + SECOND


def test_it_shows_the_same_times_where_it_is_of_another_width(
    panel: SignalsPanel, state: SessionState
) -> None:
    panel.set_window(TimeWindow(left_ns=START_NS, scale_ns=SECOND // 20, plot=1200, whole=1300))
    _show(panel, state)
    view = panel.strip.view
    assert abs(view.left_ns - START_NS) < SECOND // 5
    assert abs(view.right_ns - (START_NS + 60 * SECOND)) < SECOND // 5


def test_without_a_chart_it_follows_the_clock(panel: SignalsPanel, state: SessionState) -> None:
    _show(panel, state)
    view = panel.strip.view
    assert view.left_ns < START_NS
    assert START_NS + 60 * SECOND < view.right_ns < START_NS + 90 * SECOND


def test_the_crosshair_reads_the_row_and_is_told_to_others(
    panel: SignalsPanel, state: SessionState, qtbot: QtBot
) -> None:
    _show(panel, state)
    strip = panel.strip
    tape = state.signals.of(EURUSD.id).predictions
    assert strip.readout(tape, START_NS + 50 * SECOND).endswith("▲ 0.100   • 0.400   ▼ 0.500")
    with qtbot.waitSignal(panel.time_hovered) as told:
        QTest.mouseMove(strip, QPoint(200, 40))
    assert told.args == [strip.view.time_at(200)]
    plain = _painted(panel)
    panel.point_at(START_NS + 30 * SECOND)
    assert _painted(panel) != plain


def test_an_idle_refresh_paints_nothing_anew(panel: SignalsPanel, state: SessionState) -> None:
    panel.set_window(TimeWindow(START_NS, SECOND // 10, 620, 700))
    _show(panel, state)
    curves = panel.strip.curves
    assert curves is not None
    paintings = curves.paintings
    for _ in range(3):
        _painted(panel)
        panel.point_at(None)
    assert curves.paintings == paintings
    _give(state, [(START_NS + 61 * SECOND, 0.2, 0.2, 0.6, 0.4)])
    _painted(panel)
    assert curves.paintings == paintings + 1


def test_a_score_is_one_line_around_zero_with_thresholds_on_both_sides(panel: SignalsPanel) -> None:
    state = SessionState()
    rows = [(START_NS + second * SECOND, NAN, NAN, NAN, 3.0 if second < 30 else -2.0) for second in range(60)]
    state.apply(
        frame(
            predictions=[predictions(rows, enter=1.5, exit=0.5, outcomes=Outcomes(rows=9, correlation=0.25))],
            models=[model_health(horizon_rows=None, horizon_ns=5 * SECOND)],
        )
    )
    image = _show(panel, state)
    for second, level in ((10.5, 3.0), (50.5, -2.0)):
        x, y = _at(panel, second, level)
        assert any(_is_like(image, x, row, "signal") for row in (y - 1, y, y + 1))
    _, y = _at(panel, 0, -1.5)
    assert sum(_is_like(image, x, y, "signal") for x in range(300, 600)) > 80
    assert panel.headline.parts[0] == ("−2.0000", "ask")
    panel.choose("outcomes")
    text = panel.page.text
    assert "after 5.000 s" in text
    assert "Correlation\t+0.250" in text
    assert "Brier" not in text
    assert not panel.diagram.isVisible()


def test_the_head_tells_now_and_how_often_it_came_true(panel: SignalsPanel, state: SessionState) -> None:
    _show(panel, state)
    assert [text for text, _ in panel.headline.parts] == [
        "▲ 0.100",
        "• 0.400",
        "▼ 0.500",
        "▲ Long for 40.0 s",
        "hit 80.0 % (49–94 · n 10)",
    ]
    _give(state, events=[arming("shadow")])
    _painted(panel)
    assert panel.headline.parts[0] == ("SHADOW", "warning")


def test_outcomes_come_with_interval_and_counts(panel: SignalsPanel, state: SessionState) -> None:
    _give(state, conflated=1_234)
    panel.choose("outcomes")
    _show(panel, state)
    text = panel.page.text
    for line in (
        "after 20 rows",
        "Hit rate\t80.0 %\t49–94 · n 10",
        "Expected\t62.5 %",
        "Correlation\t+0.046",
        "Brier score\t0.234",
        "Calibration error\t0.077",
        "Rows judged\t1,000",
        "Rows shown\t60\t1,234 conflated",
    ):
        assert line in text
    assert panel.diagram.text.splitlines() == ["said\tcame\tn", "0.450\t0.500\t900", "0.620\t0.300\t100"]


def test_before_the_first_horizon_nothing_is_claimed(panel: SignalsPanel) -> None:
    state = SessionState()
    _give(state, [(START_NS, 0.1, 0.2, 0.7, 0.6)], outcomes=Outcomes())
    panel.choose("outcomes")
    _show(panel, state)
    assert "Hit rate\t–" in panel.page.text
    assert "Brier score\t–" in panel.page.text
    _give(state, outcomes=None)
    _painted(panel)
    assert "names no horizon" in panel.page.text


def test_wilsons_interval() -> None:
    assert wilson(8, 10) == pytest.approx((0.4902, 0.9433), abs=1e-4)
    assert wilson(0, 10) == pytest.approx((0.0, 0.2775), abs=1e-4)
    assert wilson(10, 10) == pytest.approx((0.7225, 1.0), abs=1e-4)
    assert wilson(500, 1_000) == pytest.approx((0.4691, 0.5309), abs=1e-4)


def test_the_list_tells_all_of_a_signal(panel: SignalsPanel, qtbot: QtBot) -> None:
    state = SessionState()
    events: list[AnyEvent] = [
        signal(1, up=0.65, price=1.0, ts=START_NS),
        acted(1, order_id="O-7"),
        order("O-7", "FILLED", average_price=Decimal("1.00003")),
        judged(1, hit=True, price=1.0001),
        signal(2, 0, 1, up=0.3, threshold=0.4, ts=START_NS + SECOND),
        acted(2, "refused", text="Too large."),
        signal(3, -1, down=0.7, ts=START_NS + 2 * SECOND),
    ]
    _give(state, [(START_NS, 0.1, 0.2, 0.7, 0.6)], events)
    panel.choose("list")
    _show(panel, state)
    table = panel.table
    cells = [
        [table.model.data(table.model.index(row, column)) for column in range(7)]
        for row in range(table.model.rowCount())
    ]
    assert [row[1:] for row in cells] == [
        ["▼ Short", "0.700", "On its way", "pending", "–", "Entry"],
        ["× Flat", "0.300", "Refused", "", "–", "Exit"],
        ["▲ Long", "0.650", "Ordered", "hit +1.00 bp", "1.00003", "Entry"],
    ]
    with qtbot.waitSignal(panel.why_asked) as asked:
        table.view.selectRow(2)
        table.ask_why()
    assert asked.args is not None
    assert asked.args[0].signalled.number == 1
    with qtbot.waitSignal(panel.export_asked) as exported:
        table.export()
    assert exported.args is not None
    assert "1.00003" in exported.args[1]
    _give(state, events=[acted(3, "shadow")])
    _painted(panel)
    assert table.model.data(table.model.index(0, 3)) == "Shadow"


def test_a_small_panel_shows_one_part_a_large_one_all(panel: SignalsPanel, state: SessionState) -> None:
    _show(panel, state)
    parts = {"output": panel.strip, "outcomes": panel.page, "list": panel.table}
    for chosen, part in parts.items():
        panel.buttons[chosen].click()  # type: ignore[index]
        assert [name for name, each in parts.items() if each.isVisible()] == [chosen]
        assert part.isVisible()
    panel.resize(700, 600)
    QApplication.processEvents()
    assert all(part.isVisible() for part in parts.values())
    assert not any(button.isVisible() for button in panel.buttons.values())
    assert panel.page.mapTo(panel, QPoint()).x() > panel.table.width() - 5  # beside the list
    panel.resize(304, 700)
    QApplication.processEvents()
    assert panel.width() == 304
    assert panel.table.mapTo(panel, QPoint()).y() > panel.page.mapTo(panel, QPoint()).y()
    panel.resize(304, 200)
    QApplication.processEvents()
    assert (panel.width(), panel.height()) == (304, 200)


def test_a_new_epoch_empties_it_and_fills_it_again(panel: SignalsPanel, state: SessionState) -> None:
    _show(panel, state)
    state.apply(frame(9, epoch=2, instruments=[EURUSD], first_event=3, events=[EpochBegan(ts=0, epoch=2)]))
    _painted(panel)
    assert panel._empty.isVisible()
    assert panel.table.model.rowCount() == 0
    _give(state, [(START_NS, 0.1, 0.2, 0.7, 0.6)])
    _painted(panel)
    assert panel.headline.parts[0] == ("▲ 0.700", "bid")


def test_the_other_theme_has_its_own_colours(panel: SignalsPanel, state: SessionState) -> None:
    dark = _show(panel, state)
    panel.set_theme(theme("light"))
    light = _painted(panel)
    assert light != dark
    assert light.pixelColor(5, 100).lightness() > 200


def test_the_crosshair_tells_the_row_at_its_time_and_none_after_it(
    panel: SignalsPanel, state: SessionState
) -> None:
    _show(panel, state)
    strip = panel.strip
    assert strip.curves is not None
    tape, turn = strip.curves.tape, START_NS + 40 * SECOND
    assert strip.view.scale_ns > 1
    assert "▲ 0.750" in strip.readout(tape, turn - 1)
    assert "▲ 0.100" in strip.readout(tape, turn)
