"""A session in an engine process of its own, watched by a command instead of a window."""

import contextlib
import math
import signal
import threading
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Final

from app.commands import Report
from app.engines import opener
from app.policies import under_limits
from app.session import StationSession
from engine.errors import UserError
from engine.messages.commands import AnyCommand
from engine.messages.events import ArmStateChanged, ConnectionChanged, HaltChanged, Phase, Results
from engine.messages.run import Run

if TYPE_CHECKING:
    from engine.session.backtest import Outcome

DEFAULT_MINUTES: Final = math.inf

_LOOK_S: Final = 0.02
_RESULTS_S: Final = 30.0
"""Longest that a session may take to stop and say what came of it."""

_RUNNING: Final = (Phase.PLAYING, Phase.PAUSED, Phase.SEEKING)


def check_minutes(minutes: float) -> None:
    """Raise `UserError` for a time that is none."""
    if not minutes > 0:
        raise UserError(f"--minutes {minutes:g} is not possible; give more than 0, or leave it out.")


def watch(run: Run, minutes: float, report: Report, first: tuple[AnyCommand, ...] = ()) -> "Outcome":
    """Run a session until the time is up, its data end, Ctrl+C or SIGTERM, and tell its log as it comes.

    Parameters
    ----------
    first : tuple of commands
        Sent as soon as it runs.

    Raises
    ------
    UserError
        It could not start, one of `first` was refused, or it failed on the way.
    """
    session = StationSession(under_limits(run), opener("process"))
    try:
        watcher = _Watcher(session, report)
        try:
            with _terminated_as_interrupted():
                watcher.until(lambda: session.phase in _RUNNING, math.inf)
                for command in first:
                    session.send(command)
                watcher.until(lambda: watcher.is_over, minutes * 60)
        except KeyboardInterrupt:
            if session.phase not in _RUNNING:
                raise
            report("Stopping …")
        session.finish()
        watcher.until(lambda: session.state.results is not None, _RESULTS_S)
        return watcher.outcome()
    finally:
        session.close()


@contextlib.contextmanager
def _terminated_as_interrupted() -> Iterator[None]:
    """Whoever ends the program politely is told what came of it, and what stays open, as with Ctrl+C."""

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


class _Watcher:
    """Applies what comes and tells it."""

    def __init__(self, session: StationSession, report: Report) -> None:
        self._session, self._report = session, report
        self._told = 0
        self._halt: HaltChanged | None = None
        self._arming: ArmStateChanged | None = None
        self._connections: dict[str, ConnectionChanged] = {}
        self._warnings: dict[str, None] = {}

    @property
    def is_over(self) -> bool:
        """Whether nothing more comes: the data ended, or the session did."""
        state = self._session.state
        return state.results is not None or any(each.state == "ended" for each in state.connections.values())

    def until(self, done: Callable[[], bool], seconds: float) -> None:
        """Watch until `done()` or for so many seconds; raises `UserError` where the session is gone."""
        deadline = time.monotonic() + seconds
        while not done() and time.monotonic() < deadline:
            if not self._session.pump():
                time.sleep(_LOOK_S)
            self._tell()
            self._look()

    def _tell(self) -> None:
        log = self._session.state.log
        for line in log.lines[max(0, self._told - log.dropped) :]:
            self._report(line.text)
            if line.level == "warning":
                self._warnings[line.text] = None
        self._told = log.version
        self._tell_changes()

    def _tell_changes(self) -> None:
        """Tell what a window shows by its frame and its status line: halts, armings that end, connections."""
        state = self._session.state
        for name, connection in state.connections.items():
            if connection.text and connection is not self._connections.get(name):
                self._report(connection.text)
        self._connections = dict(state.connections)
        if state.halt is not None and state.halt is not self._halt:
            self._warn(f"Kill switch ({state.halt.reason.removesuffix('.')}): {state.halt.text}")
        if state.arming is not None and state.arming is not self._arming and state.arming.by == "rule":
            self._warn(f"Nothing opens any more: {state.arming.reason} Start the command again to go on.")
        self._halt, self._arming = state.halt, state.arming

    def _warn(self, text: str) -> None:
        self._report(text)
        self._warnings[text] = None

    def _look(self) -> None:
        session = self._session
        if session.phase == Phase.FAILED:
            raise UserError(session.failed_text)
        if session.down is not None and session.state.results is None:
            raise UserError(session.down_text)
        if session.state.refusal is not None:
            raise UserError(session.state.refusal.text)

    def outcome(self) -> "Outcome":
        """What came of it."""
        from engine.session.backtest import Outcome  # noqa: PLC0415 - loads the engine

        results: Results | None = self._session.state.results
        if results is None:
            raise UserError("The session did not say what came of it; its log is in the logs' folder.")
        return Outcome(results, list(self._session.state.orders.fills), list(self._warnings))
