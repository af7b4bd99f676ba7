"""`nexttick bench ui`: the window's frames and delays under load, offscreen, with every panel visible.

First a session in the engine process replays about 20,000 ticks a second. Then, on an hour of depth and a
million ticks and with ticks going on at the same rate, the chart is panned and zoomed with every frame.
"""

import argparse
import time
from collections.abc import Callable, Iterator
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import psutil
from PySide6.QtCore import QEvent, QEventLoop, QPoint, QPointF, Qt, QTimer
from PySide6.QtGui import QMouseEvent, QWheelEvent
from PySide6.QtWidgets import QApplication, QWidget

from app.commands import Report, Result
from app.commands.bench_chart import beside_pyqtgraph
from app.commands.bench_feed import FRAME_S, HISTORY_TICKS, TICKS_PER_S, feed
from app.demo import demo_run
from app.gui import make_application, make_station
from app.state.session import SessionState
from app.station import Station
from app.windows.layouts import DockPlace, Layout
from app.windows.main_window import MainWindow
from engine.errors import UserError
from engine.link.builders import EURUSD
from engine.link.scripted import ScriptedLink
from engine.messages.events import Phase
from engine.messages.run import Run

_WARM_UP_S: Final = 4.0
_SPEED: Final = 16.0

ALL_PANELS: Final = Layout(
    title="Every panel",
    docks=[
        DockPlace(id="watchlist", area="left", width=250, height=110),
        DockPlace(id="risk", area="left", width=250, height=300),
        DockPlace(id="strategy", area="left", width=250, height=260),
        DockPlace(id="ladder", area="right", width=320),
        DockPlace(id="tape", area="right", beside=True, width=210),
        DockPlace(id="orders", area="bottom", height=150),
        DockPlace(id="fills", area="bottom", beside=True),
        DockPlace(id="positions", area="bottom", beside=True),
        DockPlace(id="account", area="top", height=90),
        DockPlace(id="log", area="top", beside=True),
        DockPlace(id="results", area="top", beside=True),
    ],
)
"""Every panel of the window seen at once; no layout to work with."""


def run_bench_ui(args: argparse.Namespace, report: Report) -> Result:
    """Measure both parts; raises `UserError` for an impossible length."""
    if args.seconds < 1:
        raise UserError("--seconds must be at least 1.")
    application = make_application(offscreen=True)
    report(f"Replaying {TICKS_PER_S:,} ticks/s with every panel visible for {args.seconds:g} s.")
    replay = _replay(application, args.seconds)
    seconds = max(args.seconds / 4, 5.0)
    report(f"Panning and zooming over {HISTORY_TICKS:,} ticks and an hour of depth for {seconds:g} s.")
    history = _pan_and_zoom(application, seconds)
    result = {**replay, "pan_and_zoom": history}
    return Result(result, _text(result))


def _replay(application: QApplication, seconds: float) -> dict[str, Any]:
    station = make_station(application, hosting="process")
    session = station.open_run(demo_run())
    session.set_speed(_SPEED)
    session.play()
    window = open_window(station)
    wait(application, lambda: session.phase is Phase.PLAYING, 60.0)
    spin(application, _WARM_UP_S)
    memory, before, started = _Memory(session.state), session.state.health, time.monotonic()
    station.clock.measure_anew()
    spin(application, seconds, memory.sample)
    elapsed = time.monotonic() - started
    if session.down is not None:
        raise RuntimeError(f"the engine ended: {session.down.reason}")
    health = session.state.health
    figures = {
        **_frames(station),
        "conflated": health.conflated - before.conflated,
        "events_lost": session.state.events_lost,
        **memory.slopes(),
        "ticks_per_s": round((health.ticks - before.ticks) / elapsed),
    }
    close_window(application, station, window)
    return figures


def _pan_and_zoom(application: QApplication, seconds: float) -> dict[str, Any]:
    link = ScriptedLink()
    station = make_station(application, lambda _: link)
    station.open_run(Run(instrument=EURUSD.id, simulate="fx"))
    window = open_window(station)
    frames = feed()
    link.push(next(frames))
    spin(application, _WARM_UP_S)
    gestures = _gestures(window)
    timer = QTimer(interval=round(FRAME_S * 1000))

    def refresh() -> None:
        link.push(next(frames))
        next(gestures)

    timer.timeout.connect(refresh)
    station.clock.measure_anew()
    timer.start()
    spin(application, seconds)
    timer.stop()
    state = station.state
    assert state is not None  # noqa: S101 - a run was opened above
    held = state.markets[EURUSD.id]
    assert window.chart is not None  # noqa: S101 - the layout shows it
    station.clock.stop()
    canvas = window.chart.canvas
    figures = {
        **_frames(station),
        "ticks_held": len(held.quotes),
        "depth_columns_held": len(held.depth),
        "chart_pan": beside_pyqtgraph(application, canvas, held, lambda pixels: _drag(canvas, pixels)),
    }
    close_window(application, station, window)
    return figures


def _gestures(window: MainWindow) -> Iterator[None]:
    """Zoom out over the hour, drag back and forth through it, zoom in, and over again: one step a frame."""
    chart = window.chart
    assert chart is not None  # noqa: S101 - the layout shows it
    canvas = chart.canvas
    while True:
        for turn in (-60, 60):
            for _ in range(40):
                _wheel(canvas, turn)
                yield
            for step in (12, -12):
                at = QPointF(canvas.width() / 2 - step * 15, canvas.height() / 3)
                _mouse(canvas, QEvent.Type.MouseButtonPress, at)
                for _ in range(30):
                    at += QPointF(step, 0)
                    _mouse(canvas, QEvent.Type.MouseMove, at)
                    yield
                _mouse(canvas, QEvent.Type.MouseButtonRelease, at)


def _drag(canvas: QWidget, pixels: int) -> None:
    at = QPointF(canvas.width() / 2, canvas.height() / 3)
    _mouse(canvas, QEvent.Type.MouseButtonPress, at)
    at += QPointF(pixels, 0)
    _mouse(canvas, QEvent.Type.MouseMove, at)
    _mouse(canvas, QEvent.Type.MouseButtonRelease, at)


def _wheel(canvas: QWidget, turn: int) -> None:
    at = QPointF(canvas.width() / 2, canvas.height() / 3)
    none = Qt.KeyboardModifier.NoModifier
    event = QWheelEvent(
        at,
        canvas.mapToGlobal(at),
        QPoint(),
        QPoint(0, turn),
        Qt.MouseButton.NoButton,
        none,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(canvas, event)


def _mouse(canvas: QWidget, kind: QEvent.Type, at: QPointF) -> None:
    button, none = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    QApplication.sendEvent(canvas, QMouseEvent(kind, at, canvas.mapToGlobal(at), button, button, none))


# The window and its figures


def open_window(station: Station) -> MainWindow:
    """Open a window with every panel and let the clock run."""
    window = station.new_window()
    window.resize(1600, 900)
    window.place_panels(ALL_PANELS)
    station.clock.start()
    return window


def close_window(application: QApplication, station: Station, window: MainWindow) -> None:
    """End window and station."""
    window.close()
    station.close()
    application.processEvents()


def wait(application: QApplication, ready: Callable[[], bool], limit_s: float) -> None:
    """Run the event loop until the session is ready; raises `RuntimeError` where that takes too long."""
    until = time.monotonic() + limit_s
    while not ready():
        if time.monotonic() > until:
            raise RuntimeError("the session did not start to play")
        spin(application, 0.05)


def spin(application: QApplication, seconds: float, each_second: Callable[[], None] | None = None) -> None:
    """Run an event loop for so long."""
    loop = QEventLoop(application)
    QTimer.singleShot(round(seconds * 1000), loop.quit)
    sampler = QTimer(interval=1000)
    if each_second is not None:
        sampler.timeout.connect(each_second)
        sampler.start()
    loop.exec()
    sampler.stop()


def _frames(station: Station) -> dict[str, Any]:
    figures = station.clock.figures
    return {
        "frame_ms": _spread(figures.intervals_ms),
        "tick_to_paint_ms": _spread(figures.tick_to_paint_ms),
        "tick_to_all_panels_ms": _spread(figures.tick_to_all_ms),
    }


def _spread(values: npt.NDArray[np.float64]) -> dict[str, float]:
    if not len(values):
        raise RuntimeError("nothing was painted")
    shares = {"p50": 50, "p95": 95, "p99": 99, "max": 100}
    return {name: round(float(np.percentile(values, share)), 1) for name, share in shares.items()}


class _Memory:
    """Memory of this process, and what of its growth is history that is kept on purpose."""

    def __init__(self, state: SessionState) -> None:
        self._process = psutil.Process()
        self._state = state
        self._samples: list[tuple[float, float, float]] = []

    def sample(self) -> None:
        """Take one sample."""
        rss = self._process.memory_info().rss / 2**20
        self._samples.append((time.monotonic() / 60, rss, _history_mb(self._state)))

    def slopes(self) -> dict[str, float]:
        """MB per minute of both; least squares."""
        minutes, rss, history = np.array(self._samples).T if len(self._samples) > 1 else np.zeros((3, 2))
        if np.ptp(minutes) == 0:
            return {"rss_slope_mb_per_min": 0.0, "history_mb_per_min": 0.0}
        return {
            "rss_slope_mb_per_min": round(float(np.polyfit(minutes, rss, 1)[0]), 1),
            "history_mb_per_min": round(float(np.polyfit(minutes, history, 1)[0]), 1),
        }


def _history_mb(state: SessionState) -> float:
    """Bytes of the market's rows and their times; the pyramids over them come on top."""
    parts = [part for m in state.markets.values() for part in (m.quotes, m.trades, m.depth)]
    return sum(part.rows.nbytes + part.times.nbytes for part in parts) / 2**20


def _text(result: dict[str, Any]) -> str:
    def line(title: str, figures: dict[str, Any]) -> str:
        frame, tick = figures["frame_ms"], figures["tick_to_paint_ms"]
        return (
            f"{title:<14} frames p50 {frame['p50']} p95 {frame['p95']} p99 {frame['p99']} "
            f"max {frame['max']} ms, tick to paint p50 {tick['p50']} p99 {tick['p99']} ms"
        )

    pan = result["pan_and_zoom"]["chart_pan"]
    return "\n".join(
        [
            line("replay", result),
            line("pan and zoom", result["pan_and_zoom"]),
            f"one pan of the chart: {pan['station_ms']['p50']} ms, "
            f"in pyqtgraph {pan['pyqtgraph_ms']['p50']} ms ({pan['ratio']} times)",
            f"{result['ticks_per_s']:,} ticks/s, {result['conflated']:,} conflated, "
            f"{result['events_lost']} events lost, memory {result['rss_slope_mb_per_min']:+.1f} MB/min "
            f"(history kept: {result['history_mb_per_min']:+.1f})",
        ]
    )
