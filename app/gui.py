"""Composition root of the GUI process: makes the program out of its parts and runs its loop."""

import logging
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import psutil
from PySide6.QtCore import QCoreApplication, Qt, QTimer
from PySide6.QtGui import QGuiApplication, QIcon
from PySide6.QtWidgets import QApplication

from app.demo import start_demo
from app.display import check_display, check_libraries
from app.errors import BugCollector, log_qt_messages
from app.paths import CONFIGS, RESOURCES, default_store, home
from app.settings import SettingsFile
from app.station import Station
from app.style import apply_theme, ui_font
from app.windows.bugs import BugReporter, stop_panel
from app.windows.layouts import Layouts
from app.windows.main_window import MainWindow
from engine.errors import UserError
from engine.link.protocols import Link
from engine.messages.run import Run

type Hosting = Literal["process", "thread"]


def make_application(*, offscreen: bool = False) -> QApplication:
    """Make the Qt application, or say in one sentence why there can be none.

    Raises
    ------
    UserError
        System libraries are missing, or there is no display.
    """
    if offscreen:
        os.environ["QT_QPA_PLATFORM"] = "offscreen"
    check_libraries(offscreen=offscreen)
    check_display()
    log_qt_messages()
    QGuiApplication.setHighDpiScaleFactorRoundingPolicy(Qt.HighDpiScaleFactorRoundingPolicy.PassThrough)
    application = QApplication.instance() or QApplication(sys.argv[:1])
    assert isinstance(application, QApplication)  # noqa: S101 - the only kind that is made here
    QCoreApplication.setApplicationName("NextTick Station")
    QGuiApplication.setDesktopFileName("nexttick")
    application.setWindowIcon(QIcon(str(RESOURCES / "icons" / "nexttick.svg")))
    application.setStyle("Fusion")
    application.setFont(ui_font())
    application.setQuitOnLastWindowClosed(False)
    return application


def make_station(
    application: QApplication,
    open_link: Callable[[Run], Link] | None = None,
    *,
    hosting: Hosting | None = None,
    store: Path | None = None,
) -> Station:
    """Wire settings, layouts, sessions and windows together; shows nothing yet.

    Sessions run where `hosting` (or else the settings) say, or on what `open_link` gives.
    """
    settings = SettingsFile(home() / "settings.toml")
    open_link = open_link or link_opener(hosting or settings.settings.engine, settings)
    chosen = store or Path(settings.settings.store or default_store())
    layouts = Layouts(CONFIGS / "layouts", home() / "layouts")
    station = Station(settings, layouts, open_link, chosen, MainWindow)

    def dress() -> None:
        apply_theme(application, station.theme)

    station.theme_changed.connect(dress)
    dress()
    return station


def link_opener(hosting: Hosting, settings: SettingsFile) -> Callable[[Run], Link]:
    """Function that hosts a run this way; imported late, as the first window need not wait for it."""

    def open_link(run: Run) -> Link:
        from app.engines import opener  # noqa: PLC0415

        return opener(hosting, settings.settings.engine_when_window_closes)(run)

    return open_link


def run_until_closed(application: QApplication, station: Station) -> int:
    """Run the loop until the last window is closed; 0."""
    import asyncio  # noqa: PLC0415 - a tenth of a second that the first painted window need not wait for

    from qasync import QEventLoop  # noqa: PLC0415

    collector = BugCollector(BugReporter(station).report, stop_panel)
    collector.install()
    loop = QEventLoop(application, already_running=False)
    asyncio.set_event_loop(loop)
    loop.set_exception_handler(lambda _, context: _take_loop_error(collector, context))
    station.finished.connect(loop.stop)
    try:
        with loop:
            station.clock.start()
            loop.run_forever()
    finally:
        collector.remove()
        station.close()
    return 0


def _take_loop_error(collector: BugCollector, context: dict[str, object]) -> None:
    error = context.get("exception")
    if isinstance(error, BaseException):
        collector.take(error)
    else:
        logging.getLogger(__name__).error("event loop: %s", context.get("message"))


def main(*, hosting: Hosting | None = None, layout: str | None = None) -> int:
    """Open the station with the demo market playing.

    Raises
    ------
    UserError
        No display, missing system libraries, or no such layout.
    """
    application = make_application()
    station = make_station(application, hosting=hosting)
    if layout is not None:
        station.layouts.load(layout)
        station.settings.update(layout=layout)
    window = open_on_demo(station)
    window.deeds.offer_running()
    if station.settings.problem:
        window.top.banner.say(station.settings.problem, severity="warning")
    return run_until_closed(application, station)


def open_run(run: Run, *, engine: Hosting = "process", speed: float = 1.0) -> int:
    """Open the station on a run, playing; returns when its last window is closed."""
    application = make_application()
    store = Path(run.store) if run.store and not run.recording else None
    station = make_station(application, hosting=engine, store=store)
    session = station.open_run(run)
    session.set_speed(speed)
    session.play()
    station.new_window()
    return run_until_closed(application, station)


def watch_demo(
    *, seconds: float | None = None, offscreen: bool = False, screenshot: Path | None = None
) -> dict[str, object]:
    """Watch the demo market in a window, for so long or until it is closed, and tell what was measured.

    Raises
    ------
    UserError
        No display, missing system libraries, or the screenshot cannot be written.
    """
    application = make_application(offscreen=offscreen)
    station = make_station(application)
    window = open_on_demo(station)
    figures: dict[str, object] = {}

    def end() -> None:
        figures.update(demo_figures(station))
        if screenshot is not None:
            saved = window.grab().save(str(screenshot))
            figures["screenshot"] = str(screenshot) if saved else None
        QApplication.closeAllWindows()

    if seconds is not None:
        QTimer.singleShot(round(seconds * 1000), window, end)
    window.closed.connect(lambda: figures or figures.update(demo_figures(station)))
    run_until_closed(application, station)
    if screenshot is not None and figures.get("screenshot") is None:
        raise UserError(f"The screenshot could not be written to {screenshot}; choose another file name.")
    return figures


def demo_figures(station: Station) -> dict[str, object]:
    """What the station measured so far, for the demo's JSON."""
    frames, first_paint = station.clock.figures, station.clock.first_paint_s
    state = station.state
    started = psutil.Process().create_time()
    return {
        "frames": frames.count,
        "fps": round(frames.frames_per_s(over=frames.count), 1),
        "events": state.last_event if state else 0,
        "ticks": state.health.ticks if state else 0,
        "conflated": state.health.conflated if state else 0,
        "events_lost": state.events_lost if state else 0,
        "seconds_to_first_paint": None if first_paint is None else round(first_paint - started, 3),
    }


def open_on_demo(station: Station) -> MainWindow:
    """Open a window on the demo; the engine starts first, as it loads while the window is made."""
    start_demo(station)
    window = station.new_window()
    # Painted before the event loop is loaded, so that the person sees a window at once.
    station.clock.tick()
    QApplication.processEvents()
    return window
