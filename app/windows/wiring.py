"""What each panel of a window is connected to, whenever it is made (anew)."""

from typing import TYPE_CHECKING

from PySide6.QtWidgets import QWidget

from app.windows.kept_models import kept_models
from app.windows.ladder import name_keys, serve_ladder
from app.windows.panels import Trading
from app.windows.strategy import StrategyPanel
from widgets.blotter import OrdersPanel
from widgets.blotter.table import EventTable
from widgets.book import LadderPanel
from widgets.chart.panel import ChartPanel
from widgets.chart.view import TimeWindow
from widgets.correlation.panel import CorrelationPanel
from widgets.data.panel import DataPanel
from widgets.model.shelf import ModelsPanel
from widgets.model.strip import ModelPanel
from widgets.results import ResultsPanel
from widgets.risk import RiskPanel
from widgets.signals.panel import SignalsPanel
from widgets.watchlist import WatchlistPanel
from widgets.why import WhyPanel

if TYPE_CHECKING:
    from app.windows.main_window import MainWindow


class Wiring:
    """Connects the panels of one window with its deeds and with each other.

    Parameters
    ----------
    window : MainWindow
        Its hosts may come later than this, its deeds not.
    """

    def __init__(self, window: "MainWindow") -> None:
        self._window, self._deeds = window, window.deeds

    def connect(self, widget: QWidget) -> None:
        """Connect a panel that was just made."""
        self._connect_trading(widget)
        match widget:
            case RiskPanel():
                widget.limits_asked.connect(self._deeds.edit_limits)
            case ChartPanel():
                widget.time_chosen.connect(self._deeds.seek)
                widget.time_hovered.connect(self._on_time_hovered)
                widget.time_window_changed.connect(self._on_time_window_changed)
            case StrategyPanel():
                widget.run_asked.connect(self._deeds.run_again_with)
                widget.load_asked.connect(self._deeds.load_model)
                widget.card_asked.connect(self._deeds.open_kept)
                self._show_run(widget)
            case EventTable():
                widget.export_asked.connect(self._deeds.save_export)
                widget.why_asked.connect(self._deeds.explain_row)
            case SignalsPanel():
                widget.time_hovered.connect(self._on_time_hovered)
                widget.export_asked.connect(self._deeds.save_export)
                widget.why_asked.connect(self._deeds.explain_row)
            case ResultsPanel():
                widget.export_asked.connect(self._deeds.save_export)
            case ModelPanel():
                widget.arming_asked.connect(self._deeds.set_arming)
            case WhyPanel():
                widget.asked.connect(self._deeds.explain_at)
            case WatchlistPanel():
                widget.replay_asked.connect(self._deeds.open_replay_of)
                widget.set_stored(self._window.deeds_stored())
            case _:
                self._connect_kept(widget)

    def _connect_trading(self, widget: QWidget) -> None:
        """Connect a panel from which orders are placed, changed or cancelled."""
        panel: object = widget
        if isinstance(panel, Trading):
            panel.command_asked.connect(self._deeds.trade)
        if isinstance(widget, OrdersPanel):
            widget.change_asked.connect(self._deeds.change_order)

    def _connect_kept(self, widget: QWidget) -> None:
        """Connect a panel that shows what is kept, not what a session does, or keeps something itself."""
        match widget:
            case LadderPanel():
                serve_ladder(widget, self._window.station)
            case ModelsPanel():
                widget.set_source(kept_models)
                widget.load_asked.connect(self._deeds.load_model)
                widget.card_asked.connect(self._deeds.open_kept)
                widget.armed_asked.connect(self._deeds.arm_kept)
                widget.shadow_asked.connect(self._deeds.shadow_kept)
                widget.export_asked.connect(self._deeds.save_export)
            case DataPanel():
                self._deeds.serve_data(widget)
            case CorrelationPanel():
                self._deeds.serve_correlation(widget)
            case _:
                pass

    # What panels are told of the whole

    def show_session(self) -> None:
        """Let the strategy's form begin with what the session runs."""
        panel = self._panel("strategy")
        if isinstance(panel, StrategyPanel):
            self._show_run(panel)

    def _show_run(self, panel: StrategyPanel) -> None:
        session = self._window.station.session
        panel.show_run(session.run if session else None)

    def show_keys(self, keys: dict[str, str]) -> None:
        """Name the keys of trading where they are shown."""
        ladder = self._panel("ladder")
        if isinstance(ladder, LadderPanel):
            name_keys(ladder, keys)

    def show_stored(self) -> None:
        """List the store's instruments anew."""
        watchlist, correlation = self._panel("watchlist"), self._panel("correlation")
        if isinstance(watchlist, WatchlistPanel):
            watchlist.set_stored(self._window.deeds_stored())
        if isinstance(correlation, CorrelationPanel):
            correlation.show_instruments(self._window.deeds_stored())

    def _panel(self, name: str) -> QWidget | None:
        return self._window.hosts[name].widget

    def _on_time_hovered(self, ts: int | None) -> None:
        why, signals = self._panel("why"), self._panel("signals")
        if isinstance(why, WhyPanel):
            why.point_at(ts)
        if isinstance(signals, SignalsPanel):
            signals.point_at(ts)

    def _on_time_window_changed(self, window: TimeWindow) -> None:
        panel = self._panel("signals")
        if isinstance(panel, SignalsPanel):
            panel.set_window(window)
