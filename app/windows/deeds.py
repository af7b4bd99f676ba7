"""What the actions do: each public method is the slot that a line of the actions' table names."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec
from PySide6.QtWidgets import QApplication, QFileDialog, QInputDialog

from app.demo import start_demo
from app.windows.background import Background
from app.windows.data_deeds import DataDeeds
from app.windows.exports import ask_and_save, export_shown
from app.windows.layouts import STANDARD
from app.windows.model_deeds import ModelDeeds
from app.windows.panel_host import PanelHost
from app.windows.risk_deeds import RiskDeeds
from app.windows.session_text import describe
from app.windows.trading_deeds import TradingDeeds
from app.windows.why_deeds import WhyDeeds
from engine.errors import UserError
from engine.messages.run import Run
from widgets.palette import Entry

if TYPE_CHECKING:
    from app.engines import Running
    from app.windows.main_window import MainWindow

LAYOUT_ENTRY: Final = "layout:"
ATTACH_ENTRY: Final = "attach:"
_ZOOM: Final = 1.5


class Deeds(ModelDeeds, WhyDeeds, DataDeeds, TradingDeeds, RiskDeeds):
    """Deeds of one window: session, view, windows, besides those of replay, models, reasons and trades."""

    def __init__(self, window: "MainWindow") -> None:
        super().__init__(window)
        self._asking = Background(self)
        self._asking.answered.connect(self._on_checked)
        self._asking.broke.connect(window.station.on_job_broke)

    # Session

    def import_files(self) -> None:
        """Ask for data files and import them."""
        dialog = QFileDialog(self._window, self.tr("Import data files"))
        dialog.setFileMode(QFileDialog.FileMode.ExistingFiles)
        dialog.filesSelected.connect(self.import_paths)
        dialog.open()

    def import_paths(self, paths: Sequence[str]) -> None:
        """Ask how to read these files, and import them."""
        from app.windows.import_dialog import ImportDialog  # noqa: PLC0415 - loads the importers

        dialog = ImportDialog([Path(path) for path in paths], self._station.store, self._window)
        dialog.imported.connect(self._on_imported)
        dialog.replay_asked.connect(self.open_replay_of)
        dialog.open()

    def open_replay(self) -> None:
        """Ask what to replay."""
        self.open_replay_of("")

    def open_replay_of(self, instrument: str) -> None:
        """Ask what to replay, with this stored instrument chosen."""
        from app.windows.open_replay import OpenReplayDialog  # noqa: PLC0415 - loads the store

        dialog = OpenReplayDialog(self._station.store, instrument, self._window)
        dialog.accepted_run.connect(self.open_run)
        dialog.open()

    def open_live(self) -> None:
        """Ask what to trade on now, on paper or live."""
        from app.profiles import Profiles  # noqa: PLC0415 - loads the adapters' parameters
        from app.windows.open_live import OpenLiveDialog  # noqa: PLC0415 - loads the store

        live_trading = self._station.settings.settings.live_trading
        dialog = OpenLiveDialog(
            self._station.store, Profiles(), live_trading=live_trading, parent=self._window
        )
        dialog.accepted_run.connect(self.open_checked)
        dialog.open()

    def open_checked(self, run: Run, speed: float | None = None) -> None:
        """Start a run; one that sends orders to a venue only after the venue was asked about the key."""
        if run.mode != "live":
            self.open_run(run, speed)
            return
        from app.connection_check import checked_before_trading  # noqa: PLC0415 - loads cryptography
        from app.engines import check_alone  # noqa: PLC0415
        from app.profiles import Profiles  # noqa: PLC0415
        from app.secrets import Secrets  # noqa: PLC0415

        try:
            check_alone(run, None if self._session is None else self._session.kill_name)
        except UserError as error:
            self._warn(str(error))
            return
        self._say(self.tr("Asking the venue about the key of %1 …").replace("%1", run.profile))
        self._asking.ask(run, lambda: checked_before_trading(run.profile, Secrets(), Profiles()))

    def _on_checked(self, run: object, answer: object) -> None:
        if isinstance(answer, UserError):
            self._warn(str(answer))
        elif isinstance(run, Run) and self.open_run(run):
            self._say(str(answer))

    def open_recording(self) -> None:
        """Ask which recorded session to replay."""
        from app.recordings import recordings_folder  # noqa: PLC0415 - loads Arrow
        from app.windows.open_recording import OpenRecordingDialog  # noqa: PLC0415

        folder = recordings_folder(self._station.settings.settings)
        dialog = OpenRecordingDialog(folder, self._window)
        dialog.accepted_run.connect(self.open_run)
        dialog.open()

    def show_connections(self) -> None:
        """Show the connections to venues, to be edited and tested."""
        from app.profiles import Profiles  # noqa: PLC0415 - with what it is for
        from app.secrets import Secrets  # noqa: PLC0415
        from app.windows.connections_dialog import ConnectionsDialog  # noqa: PLC0415 - loads cryptography

        live_trading = self._station.settings.settings.live_trading
        ConnectionsDialog(Profiles(), Secrets(), self._window, live_trading=live_trading).open()

    def open_run(self, run: Run, speed: float | None = None) -> bool:
        """Start a run in place of the session that is watched; False where it cannot be, which is told."""
        if self.parting.asks(lambda: self.open_run(run, speed)):
            return False
        try:
            session = self._station.open_run(run)
        except UserError as error:
            self._say(str(error))
            return False
        if run.mode == "replay":
            if speed is not None:
                session.set_speed(speed)
            session.play()
        return True

    def restart_session(self) -> None:
        """Run again from the beginning."""
        if self._session is not None and not self.parting.asks(self.restart_session):
            self._station.restart()

    def attach_session(self) -> None:
        """Choose among the engines that run on their own, and watch one."""
        group = self.tr("Running session")
        entries = [Entry(f"{ATTACH_ENTRY}{e.pid}", self._name(e), group) for e in self._station.running()]
        if entries:
            self._window.palette_.open_with(entries)
        else:
            self._say(self.tr("No other session runs; one that is kept when its window closes stands here."))

    def attach_to(self, pid: int) -> None:
        """Watch the engine of this process in place of the session that is watched."""
        if self.parting.asks(lambda: self.attach_to(pid)):
            return
        engine = next((each for each in self._station.running() if each.pid == pid), None)
        if engine is None:
            self._say(self.tr("This engine has ended; start the session anew."))
            return
        try:
            self._station.attach(engine)
        except UserError as error:
            self._say(str(error))

    def offer_running(self) -> None:
        """Say that sessions run that nobody watches, where some do, and offer to watch one."""
        engines = self._station.running()
        if not engines:
            return
        names = ", ".join(self._name(engine) for engine in engines)
        if len(engines) == 1:
            text, pid = self.tr("A session is still running: %1."), engines[0].pid
            action = (self.tr("Attach"), lambda: self.attach_to(pid))
        else:
            text = self.tr("Sessions are still running: %1.")
            action = (self.tr("Attach…"), self.attach_session)
        self._window.top.banner.say(text.replace("%1", names), key="running", action=action)

    def toggle_keep_engine(self) -> None:
        """Let sessions that start from now on end with the window, or run on."""
        settings = self._station.settings
        keeps = settings.settings.engine_when_window_closes != "stop"
        settings.update(engine_when_window_closes="stop" if keeps else "keep")

    def _name(self, engine: "Running") -> str:
        name, detail = describe(engine.run)
        return f"{name} ({detail})"

    def run_again_with(self, strategy: str, parameters: object, inference: object = None) -> None:
        """Run again from the beginning with another strategy, other parameters or other models."""
        if self._session is not None and not self.parting.asks(
            lambda: self.run_again_with(strategy, parameters, inference)
        ):
            changes = {"strategy": strategy, "parameters": parameters, "inference": inference}
            self._station.restart(msgspec.structs.replace(self._session.run, **changes))

    def watch_demo(self) -> None:
        """Start the demo market and let it play."""
        if not self.parting.asks(self.watch_demo):
            start_demo(self._station)

    def export_table(self) -> None:
        """Save the table that has the focus, or the first that is shown."""
        if not any(export_shown(host) for host in self._hosts_by_focus()):
            self._say(
                self.tr("No table is shown; show orders, fills, positions, account or log and export again.")
            )

    def save_export(self, name: str, text: str) -> None:
        """Ask where to save what a panel exports."""
        ask_and_save(self._window, name, text, self._warn)

    def quit(self) -> None:
        """Close every window and end the session."""
        QApplication.closeAllWindows()

    # View and windows

    def open_palette(self) -> None:
        """Search all actions."""
        self._window.palette_.open_with([*self._window.palette_entries(), *self.model_entries()])

    def zoom_in(self) -> None:
        """Show less time in the chart."""
        if self._window.chart is not None:
            self._window.chart.zoom(1 / _ZOOM)

    def zoom_out(self) -> None:
        """Show more time in the chart."""
        if self._window.chart is not None:
            self._window.chart.zoom(_ZOOM)

    def back_to_now(self) -> None:
        """Let the chart follow the clock again."""
        if self._window.chart is not None:
            self._window.chart.back_to_now()

    def toggle_theme(self) -> None:
        """Dark becomes light, light dark."""
        self._station.set_theme(theme="light" if self._station.settings.settings.theme == "dark" else "dark")

    def toggle_colour_blind(self) -> None:
        """Blue and orange, or green and red."""
        self._station.set_theme(colour_blind=not self._station.settings.settings.colour_blind)

    def toggle_full_screen(self) -> None:
        """Fill the screen, or not."""
        window = self._window
        window.showNormal() if window.isFullScreen() else window.showFullScreen()

    def new_window(self) -> None:
        """Open another window onto the same session."""
        self._station.new_window()

    def close_window(self) -> None:
        """Close this window; the last one ends the session."""
        self._window.close()

    def save_layout(self) -> None:
        """Ask for a name and save where all panels of all windows are."""
        dialog = QInputDialog(self._window)
        dialog.setWindowTitle(self.tr("Save layout"))
        dialog.setLabelText(self.tr("Name of the layout"))
        dialog.setTextValue(self._station.settings.settings.layout)
        dialog.textValueSelected.connect(self.save_layout_as)
        dialog.open()

    def save_layout_as(self, name: str) -> None:
        """Save where all panels of all windows are, and start with it from now on."""
        try:
            self._station.layouts.save(name, [window.saved_place() for window in self._station.windows])
        except UserError as error:
            self._say(str(error))
            return
        self._station.settings.update(layout=name)

    def load_layout(self) -> None:
        """Choose a layout by its name."""
        group = self.tr("Layout")
        entries = [Entry(f"{LAYOUT_ENTRY}{name}", name, group) for name in self._station.layouts.names()]
        self._window.palette_.open_with(entries)

    def load_layout_named(self, name: str) -> None:
        """Put all panels where this layout has them, and start with it from now on."""
        try:
            self._station.place_windows(name)
        except UserError as error:
            self._say(str(error))

    def reset_layout(self) -> None:
        """Put this window's panels where the standard layout has them."""
        self._window.place_panels(self._station.layouts.load(STANDARD))

    # Slots

    def _hosts_by_focus(self) -> list[PanelHost]:
        focus = QApplication.focusWidget()
        hosts = list(self._window.hosts.values())
        return sorted(hosts, key=lambda host: not (focus is not None and host.isAncestorOf(focus)))

    def _on_imported(self) -> None:
        self._station.store_changed.emit()
