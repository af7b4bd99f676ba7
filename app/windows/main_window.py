"""A window of the station: head, panels in docks around the chart, status line; deeds are in `deeds`."""

import base64
import time
from typing import Final, override

import msgspec
import psutil
from PySide6.QtCore import QSize, Qt, QTimer, Signal
from PySide6.QtGui import (
    QCloseEvent,
    QDragEnterEvent,
    QDropEvent,
    QPainter,
    QPaintEvent,
)
from PySide6.QtWidgets import QApplication, QDialog, QMainWindow, QTabWidget, QWidget

from app.session import Notice
from app.state.session import SessionState
from app.station import Station
from app.style import icon
from app.windows.actions import ACTIONS
from app.windows.deeds import ATTACH_ENTRY, LAYOUT_ENTRY, Deeds
from app.windows.disarmed import DisarmNotice
from app.windows.docks import DRAWN_FOR, PanelDock, columns_of, place, saved_place, settle_titles
from app.windows.exports import table_of
from app.windows.halt_notice import HaltNotice
from app.windows.kept_models import kept_models
from app.windows.ladder import name_keys, serve_ladder
from app.windows.layouts import Layout, WindowPlace
from app.windows.menus import give_keys, make_actions, palette_entries
from app.windows.model_deeds import MODEL_ENTRY
from app.windows.panel_host import PanelHost
from app.windows.panels import PANELS, Trading
from app.windows.recorder_notice import RecorderNotice
from app.windows.session_text import TimeDigits, describe, mode_of, status_cells
from app.windows.strategy import StrategyPanel
from app.windows.top_bar import TopBar
from widgets.blotter import OrdersPanel
from widgets.blotter.table import EventTable
from widgets.book import LadderPanel
from widgets.chart.panel import ChartPanel
from widgets.chart.view import TimeWindow
from widgets.correlation.panel import CorrelationPanel
from widgets.data.panel import DataPanel
from widgets.model.shelf import ModelsPanel
from widgets.model.strip import ModelPanel
from widgets.palette import CommandPalette, Entry
from widgets.rate import Rate
from widgets.results import ResultsPanel
from widgets.risk import RiskPanel
from widgets.signals.panel import SignalsPanel
from widgets.status import StatusStrip
from widgets.watchlist import WatchlistPanel
from widgets.why import WhyPanel

_FRAME_PX: Final = 3
_FRAME_OF: Final = {"quiet": 1, "signal": 2}
"""Width of the frame by its colour; what trades has all of it."""

_STATUS_EVERY_S: Final = 0.25
_CONNECTION: Final = "connection"
_REFUSAL: Final = "refusal"


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
        self.resize(QSize(*DRAWN_FOR).boundedTo(self.screen().availableSize()))
        self.setContentsMargins(_FRAME_PX, _FRAME_PX, _FRAME_PX, _FRAME_PX)
        self.top = TopBar(station.theme, self)
        self.setMenuWidget(self.top)
        self.status = StatusStrip(station.theme)
        self.statusBar().setSizeGripEnabled(False)
        self.statusBar().addPermanentWidget(self.status, 1)
        self.palette_ = CommandPalette(station.theme, self)
        self.docks: dict[str, PanelDock] = {}
        self.hosts: dict[str, PanelHost] = {}
        self.deeds = Deeds(self)
        self._make_panels()
        self.actions_ = make_actions(self, self.top.menus, self.deeds, self.docks, self._keys())
        self._connect()
        self._status_due_s = 0.0
        self._refusals_seen = 0
        self._disarmed = DisarmNotice(self.top.banner, self.deeds.show_model_strip)
        self._recorder = RecorderNotice(self.top.banner)
        self._halt = HaltNotice(self.top.halt, self.deeds.rearm)
        self._dismissed: str | None = None
        self._loop: tuple[int, int] | None = None
        self._results_shown = self._signals_shown = False
        self._mode_colour = "signal"
        self._rate = Rate()
        self._digits = TimeDigits()
        self._process = psutil.Process()
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
            host = PanelHost(spec, self.station.theme, self._session_state, self._on_panel_made)
            self.hosts[spec.id] = host
            self.station.clock.add(host)
            if spec.area == "centre":
                self.setCentralWidget(host)
            else:
                self.docks[spec.id] = PanelDock(host, self)

    def _session_state(self) -> SessionState | None:
        return self.station.state

    def _on_panel_made(self, widget: QWidget) -> None:
        self._connect_trading(widget)
        match widget:
            case RiskPanel():
                widget.limits_asked.connect(self.deeds.edit_limits)
            case ChartPanel():
                widget.time_chosen.connect(self.deeds.seek)
                widget.time_hovered.connect(self._on_time_hovered)
                widget.time_window_changed.connect(self._on_time_window_changed)
            case StrategyPanel():
                widget.run_asked.connect(self._on_run_asked)
                widget.load_asked.connect(self.deeds.load_model)
                widget.card_asked.connect(self.deeds.open_kept)
                session = self.station.session
                widget.show_run(session.run if session else None)
            case EventTable():
                widget.export_asked.connect(self.deeds.save_export)
                widget.why_asked.connect(self.deeds.explain_row)
            case SignalsPanel():
                widget.time_hovered.connect(self._on_time_hovered)
                widget.export_asked.connect(self.deeds.save_export)
                widget.why_asked.connect(self.deeds.explain_row)
            case ResultsPanel():
                widget.export_asked.connect(self.deeds.save_export)
            case ModelPanel():
                widget.arming_asked.connect(self.deeds.set_arming)
            case WhyPanel():
                widget.asked.connect(self.deeds.explain_at)
            case WatchlistPanel():
                widget.replay_asked.connect(self._on_replay_asked)
                widget.set_stored(self.deeds_stored())
            case _:
                self._on_kept_panel_made(widget)

    def _connect_trading(self, widget: QWidget) -> None:
        """Connect a panel from which orders are placed, changed or cancelled."""
        panel: object = widget
        if isinstance(panel, Trading):
            panel.command_asked.connect(self.deeds.trade)
        if isinstance(widget, OrdersPanel):
            widget.change_asked.connect(self.deeds.change_order)

    def _on_kept_panel_made(self, widget: QWidget) -> None:
        """Connect a panel that shows what is kept, not what a session does, or keeps something itself."""
        match widget:
            case LadderPanel():
                serve_ladder(widget, self.station)
            case ModelsPanel():
                widget.set_source(kept_models)
                widget.load_asked.connect(self.deeds.load_model)
                widget.card_asked.connect(self.deeds.open_kept)
                widget.armed_asked.connect(self.deeds.arm_kept)
                widget.shadow_asked.connect(self.deeds.shadow_kept)
                widget.export_asked.connect(self.deeds.save_export)
            case DataPanel():
                self.deeds.serve_data(widget)
            case CorrelationPanel():
                self.deeds.serve_correlation(widget)
            case _:
                pass

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
        self.top.banner.dismissed.connect(self._on_banner_dismissed)
        self.palette_.chosen.connect(self._on_palette_chosen)
        self.station.session_changed.connect(self._on_session_changed)
        self.station.theme_changed.connect(self._on_theme_changed)
        self.station.keys_changed.connect(self._on_keys_changed)
        application = QApplication.instance()
        assert isinstance(application, QApplication)  # noqa: S101 - there is no window without one
        application.focusWindowChanged.connect(self._on_focus_moved)
        self.station.store_changed.connect(self._on_store_changed)

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
        ticks_per_s = self._rate.over(state.health.ticks if state is not None else 0, now_s)
        memory = self._process.memory_info().rss
        session = self.station.session
        one_process = session is not None and session.shares_our_process
        figures = self.station.clock.figures
        self.status.set_cells(status_cells(state, figures, ticks_per_s, memory, one_process=one_process))
        if state is not None:
            self.top.transport.set_time_precision(self._digits.of(state))
            self._raise_results(state)
            self._raise_signals(state)
        self._show_notice()

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

    def _show_notice(self) -> None:
        session = self.station.session
        banner = self.top.banner
        notice = session.notice if session is not None else None
        self._show_mode(notice)
        if notice is None:
            self._dismissed = None
            banner.clear(_CONNECTION)
        elif self._dismissed != notice.cause:
            banner.say(
                notice.text,
                severity="danger" if notice.cause != "end" else "info",
                key=_CONNECTION,
                details="\n".join(notice.details),
                action=(self.tr("Restart"), self.deeds.restart_session),
            )
        if session is None:
            return
        if session.state.refusals > self._refusals_seen and session.state.refusal is not None:
            banner.say(session.state.refusal.text, severity="warning", key=_REFUSAL)
        self._refusals_seen = session.state.refusals
        self._disarmed.refresh(session.state)
        self._recorder.refresh(session.state)

    def _show_mode(self, notice: Notice | None) -> None:
        mode = mode_of(notice, self.station.state)
        self.top.show_mode(*mode)
        state = self.station.state
        self.top.arm.show_control(state.control if state is not None else None)
        self.top.kill.setEnabled(state is not None)
        self._halt.refresh(state)
        stale_s = self.station.session.stale_s if self.station.session is not None else None
        for host in self.hosts.values():
            host.set_stale(stale_s)
        self.top.transport.set_down(down=notice is not None and notice.cause != "silence")
        if mode[1] != self._mode_colour:
            self._mode_colour = mode[1]
            self.update()

    # Slots

    def _on_session_changed(self) -> None:
        session = self.station.session
        self._refusals_seen = 0
        self._dismissed = None
        self.top.banner.clear(_CONNECTION)
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
        self._show_mode(session.notice if session else None)
        self.setWindowTitle(f"{self.top.session_name} – NextTick Station" if session else "NextTick Station")
        panel = self.hosts["strategy"].widget
        if isinstance(panel, StrategyPanel):
            panel.show_run(session.run if session else None)
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
        ladder = self.hosts["ladder"].widget
        if isinstance(ladder, LadderPanel):
            name_keys(ladder, self._keys())

    def _on_store_changed(self) -> None:
        panel = self.hosts["watchlist"].widget
        if isinstance(panel, WatchlistPanel):
            panel.set_stored(self.deeds_stored())
        correlation = self.hosts["correlation"].widget
        if isinstance(correlation, CorrelationPanel):
            correlation.show_instruments(self.deeds_stored())

    def _on_time_hovered(self, ts: int | None) -> None:
        panel = self.hosts["why"].widget
        if isinstance(panel, WhyPanel):
            panel.point_at(ts)
        signals = self.hosts["signals"].widget
        if isinstance(signals, SignalsPanel):
            signals.point_at(ts)

    def _on_time_window_changed(self, window: TimeWindow) -> None:
        panel = self.hosts["signals"].widget
        if isinstance(panel, SignalsPanel):
            panel.set_window(window)

    def _on_docks_moved(self) -> None:
        settle_titles(self, self.docks)

    def _on_focus_moved(self) -> None:
        """Let the kill switch's key work in a dialog of this window too."""
        dialog = QApplication.activeWindow()
        parent = dialog.parentWidget() if isinstance(dialog, QDialog) else None
        if dialog is not None and parent is not None and parent.window() is self:
            dialog.addAction(self.actions_["kill"])

    def _on_banner_dismissed(self, key: str) -> None:
        session = self.station.session
        if key == _CONNECTION and session is not None and session.notice is not None:
            self._dismissed = session.notice.cause

    def _on_palette_chosen(self, name: str) -> None:
        if name.startswith(LAYOUT_ENTRY):
            self.deeds.load_layout_named(name.removeprefix(LAYOUT_ENTRY))
        elif name.startswith(MODEL_ENTRY):
            self.deeds.open_kept(name.removeprefix(MODEL_ENTRY))
        elif name.startswith(ATTACH_ENTRY):
            self.deeds.attach_to(int(name.removeprefix(ATTACH_ENTRY)))
        else:
            self.actions_[name].trigger()

    def _on_run_asked(self, strategy: str, parameters: object, inference: object) -> None:
        self.deeds.run_again_with(strategy, parameters, inference)

    def _on_replay_asked(self, instrument: str) -> None:
        self.deeds.open_replay_of(instrument)

    # Qt

    @override
    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        inner = self.rect().adjusted(_FRAME_PX, _FRAME_PX, -_FRAME_PX, -_FRAME_PX)
        # Nearly every repaint is one of the panels' and stays clear of the frame.
        if self.station.session is None or inner.contains(event.rect()):
            return
        painter = QPainter(self)
        colour = self.station.theme.colour(self._mode_colour)
        width, height = self.width(), self.height()
        wide = _FRAME_OF.get(self._mode_colour, _FRAME_PX)
        for box in (
            (0, 0, width, wide),
            (0, height - wide, width, wide),
            (0, 0, wide, height),
            (width - wide, 0, wide, height),
        ):
            painter.fillRect(*box, colour)

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
