"""A model's signals in the running window: the panel, the chart's marks, and the time that both share."""

from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest

from engine.link.scripted import scripted_session
from tests.gui.conftest import RUN, Desk
from widgets.chart.panel import ChartPanel
from widgets.signals.panel import SignalsPanel


def _play_model(desk: Desk, frames: int = 100) -> None:
    desk.station.open_run(RUN)
    desk.link.push(*scripted_session(3, frames + 1, model=True)[:-1])
    desk.tick()
    desk.tick_later()
    desk.tick()


def test_a_session_with_a_model_brings_its_signals_to_the_front_once(desk: Desk) -> None:
    panel = desk.panel("signals", SignalsPanel)
    desk.play()
    desk.tick_later()
    assert panel.visibleRegion().isEmpty()
    _play_model(desk)
    assert not panel.visibleRegion().isEmpty()
    desk.window.docks["orders"].raise_()
    desk.link.push(*scripted_session(3, 110, model=True)[100:])
    desk.tick_later()
    desk.tick()
    assert panel.visibleRegion().isEmpty()  # what the person chose stays


def test_its_key_hides_and_shows_it(desk: Desk) -> None:
    _play_model(desk)
    panel = desk.panel("signals", SignalsPanel)
    desk.key(Qt.Key.Key_3, Qt.KeyboardModifier.AltModifier)
    assert not panel.isVisible()
    desk.key(Qt.Key.Key_3, Qt.KeyboardModifier.AltModifier)
    assert panel.isVisible()


def test_the_strip_below_the_chart_shows_its_times_to_the_pixel(desk: Desk) -> None:
    _play_model(desk)
    chart, panel = desk.panel("chart", ChartPanel), desk.panel("signals", SignalsPanel)
    shown, above = panel.strip.view, chart.canvas.view
    assert panel.strip.width() == chart.canvas.width()
    assert (shown.left_ns, shown.scale_ns, shown.width) == (above.left_ns, above.scale_ns, above.width)
    chart.zoom(2.0)
    desk.tick()
    desk.tick()
    assert (shown.left_ns, shown.scale_ns) == (above.left_ns, above.scale_ns)


def test_the_charts_crosshair_is_the_strips_too(desk: Desk) -> None:
    _play_model(desk)
    chart, panel = desk.panel("chart", ChartPanel), desk.panel("signals", SignalsPanel)
    before = panel.strip.grab().toImage()
    QTest.mouseMove(chart.canvas, QPoint(chart.canvas.width() // 2, 60))
    after = panel.strip.grab().toImage()
    x = chart.canvas.width() // 2
    changed = sum(before.pixel(x, y) != after.pixel(x, y) for y in range(40, before.height() - 30))
    assert changed > 10


def test_the_chart_marks_every_signal_and_the_panel_lists_them(desk: Desk) -> None:
    _play_model(desk, 100)
    chart, panel = desk.panel("chart", ChartPanel), desk.panel("signals", SignalsPanel)
    scene = chart.canvas.scene
    assert scene is not None
    assert scene.signals is not None
    assert scene.signals.drawn == panel.table.model.rowCount() == 8


def test_a_run_without_a_model_empties_the_panel(desk: Desk) -> None:
    _play_model(desk)
    panel = desk.panel("signals", SignalsPanel)
    assert panel.strip.isVisible()
    desk.play()
    desk.tick()
    assert not panel.strip.isVisible()
