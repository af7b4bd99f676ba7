"""What nobody caught is told once per place, from any thread, and panels take their own faults."""

import logging
import sys
import threading
from typing import override

import pytest
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget

from app.errors import Bug, BugCollector
from app.windows.bugs import BugReporter, stop_panel
from engine.errors import UserError
from tests.gui.conftest import Desk, desk  # noqa: F401 - a fixture
from widgets.theme import Theme

pytestmark = pytest.mark.expects_log


@pytest.fixture(autouse=True)
def quiet_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL)


def _raised(error: BaseException) -> BaseException:
    def fail() -> None:
        raise error

    with pytest.raises(type(error)) as caught:
        fail()
    return caught.value


def test_the_same_place_is_told_once_and_counted() -> None:
    bugs: list[Bug] = []
    collector = BugCollector(bugs.append)
    for number in range(3):
        collector.take(_raised(ValueError(f"number {number}")))
    collector.take(_raised(KeyError("other")))
    assert [bug.title for bug in bugs] == ["ValueError: number 0", "KeyError: 'other'"]
    assert "in fail" in bugs[0].report
    assert sorted(collector.seen.values()) == [1, 3]


def test_a_thread_that_dies_is_told() -> None:
    bugs: list[Bug] = []
    collector = BugCollector(bugs.append)
    collector.install()
    try:
        thread = threading.Thread(target=lambda: 1 / 0)
        thread.start()
        thread.join()
    finally:
        collector.remove()
    assert bugs[0].title.startswith("ZeroDivisionError")
    assert sys.excepthook is not collector._on_uncaught


class _PaintsBadly(QWidget):
    painted = 0

    def __init__(self, theme: Theme) -> None:
        super().__init__()

    def bind(self, *parts: object) -> None: ...

    def set_theme(self, theme: Theme) -> None: ...

    def refresh(self) -> None:
        self.update()

    @override
    def paintEvent(self, event: QPaintEvent) -> None:
        _PaintsBadly.painted += 1
        painter = QPainter(self)
        painter.drawLine(0, 0, 9, 9)
        raise RuntimeError("no colour left")


@pytest.mark.qt_no_exception_capture
def test_a_panel_that_fails_while_painting_is_stopped_and_the_window_goes_on(desk: Desk) -> None:  # noqa: F811
    bugs: list[Bug] = []
    collector = BugCollector(bugs.append, stop_panel)
    collector.install()
    try:
        desk.play()
        host = desk.window.hosts["ladder"]
        host.replace(_PaintsBadly(desk.station.theme))
        for _ in range(4):
            desk.tick_later()
    finally:
        collector.remove()
    assert host.is_stopped
    assert bugs == []
    assert _PaintsBadly.painted == 1
    assert not desk.window.grab().isNull()


def test_a_fault_elsewhere_is_shown_and_the_layout_is_saved(desk: Desk) -> None:  # noqa: F811
    reporter = BugReporter(desk.station)
    BugCollector(reporter.report, stop_panel).take(_raised(RuntimeError("lost")))
    desk.tick()
    assert reporter.dialog is not None
    assert "RuntimeError: lost" in reporter.dialog.report
    assert "last" in desk.station.layouts.names()
    reporter.dialog.close()


def test_what_the_person_can_mend_in_a_panel_is_a_sentence(desk: Desk) -> None:  # noqa: F811
    def slot(self: QWidget | None) -> None:
        raise UserError("Bar 'x' is none; write 1-MINUTE-MID.")

    widget = desk.window.hosts["tape"].widget
    with pytest.raises(UserError) as caught:
        slot(widget)
    assert stop_panel(caught.value)
    assert "1-MINUTE-MID" in desk.window.top.banner.text
    assert not desk.window.hosts["tape"].is_stopped
