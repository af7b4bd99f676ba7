"""The frame clock refreshes what is due, measures what was painted, and tells ticks from idle frames."""

import time

import pytest
from PySide6.QtCore import QCoreApplication
from pytestqt.qtbot import QtBot

from app.frame_clock import FrameClock, FrameFigures


class _Panel:
    def __init__(self, *, seen: bool = True, rate_hz: float = 60.0, weight: int = 0) -> None:
        self.seen, self.rate_hz, self.weight = seen, rate_hz, weight
        self.refreshes = 0

    def is_seen(self) -> bool:
        return self.seen

    def refresh(self) -> None:
        self.refreshes += 1


def test_only_what_is_seen_is_refreshed(qtbot: QtBot) -> None:
    clock = FrameClock(lambda: None)
    shown, hidden = _Panel(), _Panel(seen=False)
    clock.add(shown)
    clock.add(hidden)
    clock.tick()
    clock.remove(shown)
    clock.tick(everything=True)
    assert (shown.refreshes, hidden.refreshes) == (1, 0)


def test_a_slow_panel_is_refreshed_at_its_own_rate(qtbot: QtBot) -> None:
    clock = FrameClock(lambda: None)
    slow = _Panel(rate_hz=0.1)
    clock.add(slow)
    for _ in range(3):
        clock.tick()
    assert slow.refreshes == 1
    clock.tick(everything=True)
    assert slow.refreshes == 2


def test_heavy_panels_take_turns_and_none_starves(qtbot: QtBot) -> None:
    clock = FrameClock(lambda: None)
    panels = [_Panel(rate_hz=1000.0, weight=8), *(_Panel(rate_hz=1000.0, weight=4) for _ in range(4))]
    for panel in panels:
        clock.add(panel)
    clock.tick()
    assert 0 < sum(panel.refreshes for panel in panels) < len(panels)
    for _ in range(60):
        clock.tick()
        time.sleep(0.001)
    assert min(panel.refreshes for panel in panels) >= 10


def test_a_tick_is_painted_when_the_last_fast_panel_has_shown_it(qtbot: QtBot) -> None:
    made = time.monotonic_ns() - 30_000_000
    arrivals = iter([None, made, None, None])
    clock = FrameClock(lambda: next(arrivals))
    clock.add(_Panel(rate_hz=1000.0, weight=8))
    clock.add(_Panel(rate_hz=1000.0, weight=8))
    counts = []
    for _ in range(4):
        clock.tick()
        QCoreApplication.processEvents()
        time.sleep(0.002)
        counts.append(len(clock.figures.tick_to_all_ms))
    assert counts == [0, 0, 1, 1]


def test_tick_to_paint_counts_from_the_oldest_tick_to_after_the_paint(qtbot: QtBot) -> None:
    made = time.monotonic_ns() - 30_000_000
    arrivals = iter([None, made, None])
    clock = FrameClock(lambda: next(arrivals))
    clock.add(_Panel(rate_hz=1000.0))
    for _ in range(3):
        clock.tick()
        QCoreApplication.processEvents()
    assert clock.figures.count == 2  # the first paint has no interval
    (late,) = clock.figures.tick_to_paint_ms
    assert 30 <= late < 500


def test_frames_that_pile_up_are_one_paint_and_the_oldest_tick_counts(qtbot: QtBot) -> None:
    first = time.monotonic_ns() - 80_000_000
    arrivals = iter([None, first, first + 70_000_000])
    clock = FrameClock(lambda: next(arrivals))
    clock.add(_Panel(rate_hz=1000.0))
    clock.tick(everything=True)
    QCoreApplication.processEvents()
    clock.tick(everything=True)
    clock.tick(everything=True)
    QCoreApplication.processEvents()
    assert clock.figures.count == 1
    assert clock.figures.tick_to_paint_ms[0] >= 80


def test_the_clock_runs_at_screen_rate_until_it_is_stopped(qtbot: QtBot) -> None:
    calls: list[int] = []
    clock = FrameClock(lambda: calls.append(1))
    clock.add(_Panel())
    clock.start()
    qtbot.waitUntil(lambda: len(calls) > 5, timeout=2000)
    clock.stop()
    seen = len(calls)
    qtbot.wait(50)
    assert len(calls) == seen
    assert clock.first_paint_s is not None


def test_figures_keep_the_newest_frames() -> None:
    figures = FrameFigures()
    for index in range(10_000):
        figures.painted(float(index), None)
    assert figures.count == 10_000
    assert len(figures.intervals_ms) == 8192
    assert figures.intervals_ms[-1] == 9_999
    assert figures.intervals_ms[0] == 10_000 - 8192
    assert figures.frames_per_s(over=2) == pytest.approx(2000 / (9_999 + 9_998))
