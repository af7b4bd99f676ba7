"""A window of the station: head, panels in docks around the chart, status line; deeds are in `deeds`."""

import base64
import time
from typing import Final, override

import msgspec
from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import (
    QCloseEvent,
    QDragEnterEvent,
    QDropEvent,
    QPaintEvent,
)
from PySide6.QtWidgets import QMainWindow, QTabWidget

from app.state.session import SessionState
from app.station import Station
from app.style import icon
from app.windows.actions import ACTIONS
from app.windows.deeds import ATTACH_ENTRY, LAYOUT_ENTRY, Deeds
from app.windows.docks import PanelDock, columns_of, first_size, place, saved_place, settle_titles
from app.windows.exports import table_of
from app.windows.kill_in_dialogs import KillInDialogs
from app.windows.layouts import Layout, WindowPlace
from app.windows.menus import give_keys, make_actions, palette_entries
from app.windows.mode_frame import FRAME_PX, paint_frame
from app.windows.model_deeds import MODEL_ENTRY
from app.windows.notices import Notices
from app.windows.panel_host import PanelHost
from app.windows.panels import PANELS
from app.windows.session_text import TimeDigits, describe
from app.windows.status_figures import StatusFigures
from app.windows.top_bar import TopBar
from app.windows.wiring import Wiring
from widgets.chart.panel import ChartPanel
from widgets.data.panel import DataPanel
from widgets.model.shelf import ModelsPanel
from widgets.palette import CommandPalette, Entry
from widgets.status import StatusStrip

_STATUS_EVERY_S: Final = 0.25


class MainWindow(QMainWindow):
    """One window onto the station's session.

    Signals
    -------
    closed()
    """

    closed = Signal()

    def __init__(self, station: Station) -> None:
        super().__init__()
        self.station = station
        self.setObjectName("station")
        self.setAcceptDrops(True)
        self.setDockNestingEnabled(True)
        self.setCorner(Qt.Corner.BottomLeftCorner, Qt.DockWidgetArea.LeftDockWidgetArea)
        self.setCorner(Qt.Corner.BottomRightCorner, Qt.DockWidgetArea.RightDockWidgetArea)
        self.setTabPosition(Qt.DockWidgetArea.AllDockWidgetAreas, QTabWidget.TabPosition.North)
        self.setDockOptions(self.dockOptions() | QMainWindow.DockOption.GroupedDragging)
        self.resize(first_size(self))
        self.setContentsMargins(FRAME_PX, FRAME_PX, FRAME_PX, FRAME_PX)
        self.top = TopBar(station.theme, self)
        self.setMenuWidget(self.top)
        self.status = StatusStrip(station.theme)
        self.statusBar().setSizeGripEnabled(False)
        self.statusBar().addPermanentWidget(self.status, 1)
        self.palette_ = CommandPalette(station.theme, self)
        self.docks: dict[str, PanelDock] = {}
        self.hosts: dict[str, PanelHost] = {}
        self.deeds = Deeds(self)
        self._wiring = Wiring(self)
        self._make_panels()
        self.actions_ = make_actions(self, self.top.menus, self.deeds, self.docks, self._keys())
        self._connect()
        self._status_due_s = 0.0
        self._notices = Notices(self)
        KillInDialogs(self)
        self._loop: tuple[int, int] | None = None
        self._results_shown = self._signals_shown = False
        self._figures = StatusFigures(station, self.status)
        self._digits = TimeDigits()
        self._settling = QTimer(self, singleShot=True, interval=0)
        self._settling.timeout.connect(self._on_docks_moved)
        for dock in self.docks.values():
            for moved in (dock.dockLocationChanged, dock.topLevelChanged, dock.visibilityChanged):
                moved.connect(self._settling.start)
        station.clock.add(self)
        self._on_theme_changed()
        self._on_session_changed()

    # Building

    def _make_panels(self) -> None:
        for spec in PANELS:
            host = PanelHost(spec, self.station.theme, self._session_state, self._wiring.connect)
            self.hosts[spec.id] = host
            self.station.clock.add(host)
            if spec.area == "centre":
                self.setCentralWidget(host)
            else:
                self.docks[spec.id] = PanelDock(host, self)

    def _session_state(self) -> SessionState | None:
        return self.station.state

    def _connect(self) -> None:
        bar, deeds = self.top.transport, self.deeds
        bar.start_asked.connect(deeds.seek_start)
        bar.back_asked.connect(deeds.step_back)
        bar.play_toggled.connect(deeds.toggle_play)
        bar.step_asked.connect(deeds.step)
        bar.finish_asked.connect(deeds.finish)
        bar.seek_cancelled.connect(deeds.cancel_seek)
        bar.speed_chosen.connect(deeds.set_speed)
        bar.sought.connect(deeds.seek)
        self.top.card.clicked.connect(deeds.show_session_model)
        self.top.arm.asked.connect(deeds.set_arm)
        self.top.kill.clicked.connect(deeds.kill)
        self.palette_.chosen.connect(self._on_palette_chosen)
        self.station.session_changed.connect(self._on_session_changed)
        self.station.theme_changed.connect(self._on_theme_changed)
        self.station.keys_changed.connect(self._on_keys_changed)
        self.station.store_changed.connect(self._wiring.show_stored)

    # What others ask of it

    def palette_entries(self) -> list[Entry]:
        """Every action with its key, for the command palette."""
        return palette_entries(self.actions_)

    @property
    def chart(self) -> ChartPanel | None:
        """The chart; None while it is stopped."""
        widget = self.hosts["chart"].widget
        return widget if isinstance(widget, ChartPanel) else None

    def show_marks(self) -> None:
        """Flag the bookmarks and the loop in the timeline and the chart."""
        bookmarks = self.station.bookmarks()
        self.top.transport.set_bookmarks(bookmarks)
        if self.chart is not None:
            self.chart.set_marks(bookmarks, self._loop)

    def show_queue(self) -> None:
        """Bring the queue of jobs to the front."""
        dock = self.docks["data"]
        dock.show()
        dock.raise_()
        panel = self.hosts["data"].widget
        if isinstance(panel, DataPanel):
            panel.show_queue()

    def show_models(self) -> None:
        """List the kept models anew."""
        panel = self.hosts["models"].widget
        if isinstance(panel, ModelsPanel):
            panel.make_old()

    def place_panels(self, layout: Layout, number: int = 0) -> None:
        """Put the panels where a layout has them; `number` counts the station's windows."""
        place(self, self.docks, layout, number)
        for name, state in columns_of(layout, number).items():
            host = self.hosts.get(name)
            table = table_of(host) if host is not None else None
            if table is not None:
                table.restore_state(base64.b64decode(state))

    def saved_place(self) -> WindowPlace:
        """Where everything is, for a saved layout."""
        tables = {name: table_of(host) for name, host in self.hosts.items()}
        columns = {
            name: base64.b64encode(table.save_state()).decode()
            for name, table in tables.items()
            if table is not None
        }
        return msgspec.structs.replace(saved_place(self), columns=columns)

    def deeds_stored(self) -> list[str]:
        """Instruments in the tick store."""
        from app.windows.stored import stored_instruments  # noqa: PLC0415 - the store loads polars

        return stored_instruments(self.station.store)

    # What the frame clock asks

    rate_hz = 60.0
    weight = 0

    def is_seen(self) -> bool:
        """Whether the window is on screen."""
        return self.isVisible() and not self.isMinimized()

    def make_due(self) -> None:
        """Let the next refresh take everything over, however short the last one is ago."""
        self._status_due_s = 0.0

    def refresh(self) -> None:
        """Take over the session's clock every frame, its figures and notices a few times a second."""
        self.top.transport.refresh()
        self._follow_loop()
        now_s = time.monotonic()
        if now_s < self._status_due_s:
            return
        self._status_due_s = now_s + _STATUS_EVERY_S
        state = self.station.state
        self._figures.refresh(now_s)
        if state is not None:
            self.top.transport.set_time_precision(self._digits.of(state))
            self._raise_results(state)
            self._raise_signals(state)
        self._notices.refresh()

    def _raise_results(self, state: SessionState) -> None:
        """Bring the results to the front when a run is finished, once."""
        if state.results is not None and not self._results_shown:
            self.docks["results"].raise_()
        self._results_shown = state.results is not None

    def _raise_signals(self, state: SessionState) -> None:
        """Bring the signals to the front when a session shows a model, once."""
        if state.signals.models and not self._signals_shown:
            self._signals_shown = True
            self.docks["signals"].raise_()
            self.docks["model_strip"].raise_()

    def _follow_loop(self) -> None:
        transport = self.station.state.transport if self.station.state else None
        loop = transport.loop if transport else None
        if loop != self._loop:
            self._loop = loop
            self.show_marks()

    # Slots

    def _on_session_changed(self) -> None:
        session = self.station.session
        self._notices.start_anew()
        self.top.transport.bind(session.state if session else None)
        run = session.run if session else None
        self.top.transport.set_replays(
            replays=run is None or run.mode == "replay", has_speed=run is None or not run.profile
        )
        self.show_marks()
        self._results_shown = self._signals_shown = False
        self.status.set_hint(
            self.tr(
                "This is a generated market. Drop a data file or a model here, or press Ctrl+I or Ctrl+M."
            )
            if session is not None and session.run.simulate
            else ""
        )
        self.top.show_session(*describe(run), has_model=run is not None and run.inference is not None)
        self._notices.show_mode(session.notice if session else None)
        self.setWindowTitle(f"{self.top.session_name} – NextTick Station" if session else "NextTick Station")
        self._wiring.show_session()
        self.update()

    def _on_theme_changed(self) -> None:
        theme = self.station.theme
        for act in ACTIONS:
            if act.icon:
                self.actions_[act.id].setIcon(icon(act.icon, theme))
        self.actions_["colour_blind"].setChecked(self.station.settings.settings.colour_blind)
        keeps = self.station.settings.settings.engine_when_window_closes != "stop"
        self.actions_["keep_engine"].setChecked(keeps)
        names = ("start", "back", "play", "pause", "step", "finish")
        self.top.transport.set_icons({name: icon(name, theme) for name in names})
        self.top.transport.set_theme(theme)
        self.status.set_theme(theme)
        self.palette_.set_theme(theme)
        for host in self.hosts.values():
            host.set_theme(theme)
        for dock in self.docks.values():
            dock.set_icons(icon("float", theme, "quiet"), icon("close", theme, "quiet"))
        self.update()

    def _keys(self) -> dict[str, str]:
        return self.station.settings.settings.trading_keys

    def _on_keys_changed(self) -> None:
        give_keys(self.actions_, self._keys())
        self._wiring.show_keys(self._keys())

    def _on_docks_moved(self) -> None:
        settle_titles(self, self.docks)

    def _on_palette_chosen(self, name: str) -> None:
        if name.startswith(LAYOUT_ENTRY):
            self.deeds.load_layout_named(name.removeprefix(LAYOUT_ENTRY))
        elif name.startswith(MODEL_ENTRY):
            self.deeds.open_kept(name.removeprefix(MODEL_ENTRY))
        elif name.startswith(ATTACH_ENTRY):
            self.deeds.attach_to(int(name.removeprefix(ATTACH_ENTRY)))
        else:
            self.actions_[name].trigger()

    # Qt

    @override
    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if self.station.session is not None:
            paint_frame(self, event, self.station.theme, self._notices.mode_colour)

    @override
    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if any(url.isLocalFile() for url in event.mimeData().urls()):
            event.acceptProposedAction()

    @override
    def dropEvent(self, event: QDropEvent) -> None:
        paths = [url.toLocalFile() for url in event.mimeData().urls() if url.isLocalFile()]
        if paths:
            event.acceptProposedAction()
            self.deeds.take_dropped(paths)

    @override
    def closeEvent(self, event: QCloseEvent) -> None:
        ends = self.station.settings.settings.engine_when_window_closes == "stop"
        if ends and len(self.station.windows) == 1 and self.deeds.parting.asks(self.close):
            event.ignore()
            return
        for host in self.hosts.values():
            self.station.clock.remove(host)
        self.station.clock.remove(self)
        for floating in self.docks.values():
            if floating.isFloating():
                floating.hide()
        super().closeEvent(event)
        self.closed.emit()
