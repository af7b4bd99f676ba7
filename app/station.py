"""The running program: one session, the windows that watch it, the settings and the one clock.

The composition root (`app.gui`) makes it; windows and dialogs get it handed in.
"""

import threading
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from app.frame_clock import FrameClock
from app.jobs import JobQueue
from app.library import DataLibrary
from app.policies import under_limits
from app.session import StationSession
from app.settings import SettingsFile
from app.state.session import SessionState
from app.style import themes
from app.windows.layouts import STANDARD, Layout, Layouts
from engine.errors import UserError
from engine.link.protocols import Link
from engine.messages.run import Run
from widgets.theme import Theme

if TYPE_CHECKING:
    from app.engines import Running
    from app.windows.main_window import MainWindow


class Station(QObject):
    """What all windows share.

    Parameters
    ----------
    settings : SettingsFile
    layouts : Layouts
    open_link : callable
        Hosts a run and gives the link to it.
    store : Path
        Folder of the tick store.
    make_window : callable
        Makes another window of this station.

    Signals
    -------
    session_changed()
        Another session, or the same one run again, takes the place of the last.
    theme_changed()
    keys_changed()
        The person chose other keys.
    store_changed()
        Something was imported.
    finished()
        The last window was closed; the session has ended by then.
    """

    session_changed = Signal()
    theme_changed = Signal()
    keys_changed = Signal()
    store_changed = Signal()
    finished = Signal()

    def __init__(
        self,
        settings: SettingsFile,
        layouts: Layouts,
        open_link: Callable[[Run], Link],
        store: Path,
        make_window: "Callable[[Station], MainWindow]",
    ) -> None:
        super().__init__()
        self.settings = settings
        self.layouts = layouts
        self.store = store
        self.session: StationSession | None = None
        self.clock = FrameClock(self._pump, parent=self)
        self.windows: list[MainWindow] = []
        self.open_link = open_link
        self._make_window = make_window
        self.store_changed.connect(self._on_store_changed)

    @cached_property
    def library(self) -> DataLibrary:
        """The tick store as panels show it, with the queue of jobs; made when it is first asked for."""
        return DataLibrary(self.store, JobQueue(self.on_job_broke))

    @property
    def theme(self) -> Theme:
        """Theme of the settings."""
        chosen = self.settings.settings
        return themes(colour_blind=chosen.colour_blind)[chosen.theme]

    @property
    def state(self) -> SessionState | None:
        """Read models of the session; None where there is none."""
        return self.session.state if self.session is not None else None

    def open_run(self, run: Run) -> StationSession:
        """Start a run in place of the one that is watched.

        Raises
        ------
        UserError
            What it is to run over is not there, or the person's limits cannot be read; the session that is
            watched goes on.
        """
        if run.simulate is None:
            from engine.session.source import check_named  # noqa: PLC0415 - loads Arrow

            check_named(run)
        run = under_limits(run)
        if self.session is not None:
            self.session.close()
        self.session = StationSession(run, self.open_link)
        if run.mode == "live" and self.settings.settings.kill_window == "live":
            self.open_kill_window()
        self.session_changed.emit()
        return self.session

    def open_kill_window(self) -> bool:
        """Open the kill window on the session, in a process of its own; False where nothing can be killed."""
        name = None if self.session is None else self.session.kill_name
        if name is not None:
            from app.kill_window import launch  # noqa: PLC0415 - with the first

            launch(name)
        return name is not None

    def running(self) -> "list[Running]":
        """Engines that run on their own and that this station does not watch, oldest first."""
        from app.engines import running  # noqa: PLC0415 - a window without sessions need not load it

        watched = self.session.engine_pid if self.session is not None else None
        return [each for each in running() if each.pid != watched]

    def attach(self, engine: "Running") -> StationSession:
        """Watch an engine that runs already, in place of the session that is watched.

        Raises
        ------
        UserError
            It has ended meanwhile.
        """
        from app.engines import attach  # noqa: PLC0415

        link = attach(engine.file)
        if self.session is not None:
            self.session.close()
        self.session = StationSession(engine.run, self.open_link, link=link)
        self.session_changed.emit()
        return self.session

    def restart(self, run: Run | None = None) -> None:
        """Run again from the beginning, the same or a changed run; the log is kept."""
        if self.session is None:
            return
        self.session.restart(run)
        self.session_changed.emit()

    def set_theme(self, **changes: object) -> None:
        """Change `theme` or `colour_blind`."""
        self.settings.update(**changes)
        self.theme_changed.emit()

    def set_trading_keys(self, keys: dict[str, str], lots: int) -> None:
        """Change the keys of trading and the size that they trade."""
        self.settings.update(trading_keys=keys, hand_lots=lots)
        self.keys_changed.emit()

    def bookmarks(self) -> list[int]:
        """Market times of the session's instrument that the person marked, ascending."""
        if self.session is None:
            return []
        return self.settings.settings.bookmarks.get(self.session.run.instrument, [])

    def set_bookmarks(self, times: list[int]) -> None:
        """Replace the bookmarks of the session's instrument."""
        if self.session is not None:
            marks = {**self.settings.settings.bookmarks, self.session.run.instrument: sorted(set(times))}
            self.settings.update(bookmarks={name: kept for name, kept in marks.items() if kept})

    def new_window(self) -> "MainWindow":
        """Open another window onto the session, laid out as the settings say."""
        window = self._make_window(self)
        self.windows.append(window)
        window.closed.connect(lambda: self._on_window_closed(window))
        window.show()
        window.place_panels(self._layout(), len(self.windows) - 1)
        return window

    def place_windows(self, name: str) -> None:
        """Lay all windows out by name, opening those that the layout has besides; remembered.

        Raises
        ------
        UserError
            There is no such layout, or its file is damaged.
        """
        layout = self.layouts.load(name)
        self.settings.update(layout=name)
        for number, window in enumerate(self.windows):
            window.place_panels(layout, number)
        for _ in range(len(layout.windows) - len(self.windows)):
            self.new_window()

    def _layout(self) -> Layout:
        try:
            return self.layouts.load(self.settings.settings.layout)
        except UserError:
            # A layout that was deleted by hand is no reason not to start.
            return self.layouts.load(STANDARD)

    def _on_window_closed(self, window: "MainWindow") -> None:
        self.windows.remove(window)
        window.deleteLater()
        if not self.windows:
            self.close()
            self.finished.emit()

    def close(self) -> None:
        """Stop the clock; end the session or leave its engine running, as the settings say; the last call."""
        self.clock.stop()
        if "library" in self.__dict__:
            self.library.queue.close()
            self.library.close()
        if self.session is not None:
            keep = self.settings.settings.engine_when_window_closes != "stop"
            self.session.leave() if keep else self.session.close()
            self.session = None

    def _on_store_changed(self) -> None:
        if "library" in self.__dict__:
            self.library.make_old()

    def on_job_broke(self, error: BaseException) -> None:
        """Hand a job's fault to whoever collects the program's faults, as if it had come here."""
        threading.excepthook(threading.ExceptHookArgs((type(error), error, error.__traceback__, None)))

    def _pump(self) -> int | None:
        if self.session is None or not self.session.pump():
            return None
        return self.session.state.health.oldest_tick_ns
