"""What the actions do with the replay: play, step, seek, speed, bookmarks and the loop."""

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QObject

from app.windows.parting import Parting
from engine.messages.commands import Step
from widgets.transport.speed import next_speed

if TYPE_CHECKING:
    from app.session import StationSession
    from app.windows.main_window import MainWindow

_UNITS: Final = tuple(Step)


class ReplayDeeds(QObject):
    """Deeds of one window's transport, on the session that all windows share; without one they do nothing."""

    def __init__(self, window: "MainWindow") -> None:
        super().__init__(window)
        self._window = window
        self._station = window.station
        self.parting = Parting(window)
        self._loop_start: int | None = None
        self._station.session_changed.connect(self._on_session_changed)

    @property
    def _session(self) -> "StationSession | None":
        return self._station.session

    def _say(self, text: str) -> None:
        self._window.top.banner.say(text, severity="info", key="deed")

    def _warn(self, text: str) -> None:
        self._window.top.banner.say(text, severity="warning", key="deed")

    # Replay

    def toggle_play(self) -> None:
        """Play or pause."""
        if self._session is not None:
            self._session.toggle_play()

    def step(self) -> None:
        """Advance by the chosen unit."""
        if self._session is not None:
            self._session.step(self._window.top.transport.step_unit)

    def step_back(self) -> None:
        """Go back by the chosen unit."""
        self._back(self._window.top.transport.step_unit)

    def next_fill(self) -> None:
        """Advance to the next fill."""
        if self._session is not None:
            self._session.step(Step.FILL)

    def previous_fill(self) -> None:
        """Go back to the fill before now."""
        self._back(Step.FILL)

    def next_step_unit(self) -> None:
        """Choose the next unit of the step key."""
        bar = self._window.top.transport
        bar.set_step_unit(_UNITS[(_UNITS.index(bar.step_unit) + 1) % len(_UNITS)])

    def seek_start(self) -> None:
        """Go to the run's first moment."""
        if self._session is not None:
            self._session.seek_start()

    def seek(self, ts: int) -> None:
        """Go to a market time."""
        if self._session is not None:
            self._session.seek(ts)

    def finish(self) -> None:
        """Run to the end at full speed."""
        if self._session is not None:
            self._session.finish()

    def cancel_seek(self) -> None:
        """Stop a running seek where it is."""
        if self._session is not None and self._window.top.transport.is_seeking:
            self._session.cancel_seek()

    def set_speed(self, factor: float) -> None:
        """Market seconds per second; 0 is as fast as possible."""
        if self._session is not None:
            self._session.set_speed(factor)

    def faster(self) -> None:
        """Next speed up."""
        self.set_speed(next_speed(self._window.top.transport.speed, 1))

    def slower(self) -> None:
        """Next speed down."""
        self.set_speed(next_speed(self._window.top.transport.speed, -1))

    def real_time(self) -> None:
        """One market second per second."""
        self.set_speed(1.0)

    def max_speed(self) -> None:
        """As fast as possible."""
        self.set_speed(0.0)

    def _back(self, unit: Step) -> None:
        if self._session is not None and not self._session.step_back(unit):
            self._say(
                self.tr("There is nothing of this kind before now; choose another step or jump to the start.")
            )

    # Marks

    def toggle_bookmark(self) -> None:
        """Mark this market time, or unmark it."""
        if self._session is None or not self._session.now:
            return
        now, marks = self._session.now, self._station.bookmarks()
        self._station.set_bookmarks(
            [mark for mark in marks if mark != now] if now in marks else [*marks, now]
        )
        for window in self._station.windows:
            window.show_marks()

    def next_bookmark(self) -> None:
        """Go to the first bookmark after now."""
        self._seek_mark([mark for mark in self._station.bookmarks() if self._now < mark], 0)

    def previous_bookmark(self) -> None:
        """Go to the last bookmark before now."""
        self._seek_mark([mark for mark in self._station.bookmarks() if mark < self._now], -1)

    def set_loop_start(self) -> None:
        """Begin a loop at now; the second mark starts it."""
        if self._session is not None:
            self._loop_start = self._now
            self._window.top.transport.set_loop_start(self._loop_start)

    def set_loop_end(self) -> None:
        """End the loop at now and repeat from its beginning."""
        if self._session is None:
            return
        if self._loop_start is None or self._loop_start >= self._now:
            self._say(self.tr("Press [ where the loop begins, then ] at a later time where it ends."))
            return
        self._session.set_loop(self._loop_start, self._now)
        self._forget_loop_start()

    def clear_loop(self) -> None:
        """Repeat no longer."""
        self._forget_loop_start()
        if self._session is not None:
            self._session.set_loop(None, None)

    @property
    def _now(self) -> int:
        return self._session.now if self._session is not None else 0

    def _seek_mark(self, marks: list[int], index: int) -> None:
        if marks:
            self.seek(marks[index])
        else:
            self._say(self.tr("There is no bookmark there; press B to set one where the replay stands."))

    def _forget_loop_start(self) -> None:
        self._loop_start = None
        self._window.top.transport.set_loop_start(None)

    # Slots

    def _on_session_changed(self) -> None:
        self._forget_loop_start()
