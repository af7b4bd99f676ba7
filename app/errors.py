"""Bugs: a traceback that nobody caught is logged, shown once, and never ends the window.

What a person can mend is a `UserError` and goes to the banner; what raises inside a panel stops that panel.
The rest comes here, from slots, timers, painting, threads and the event loop.
"""

import logging
import sys
import threading
import traceback
from collections.abc import Callable
from types import TracebackType
from typing import Final

import msgspec
from PySide6.QtCore import QMessageLogContext, QtMsgType, qInstallMessageHandler

_log: Final = logging.getLogger(__name__)


class Bug(msgspec.Struct, frozen=True):
    """One fault of the program: where it arose and all that is known of it."""

    title: str
    report: str


class BugCollector:
    """Takes what nobody caught; tells of each place once, counts the repetitions.

    Parameters
    ----------
    on_bug : callable
        Told of each new bug; may be called from any thread.
    on_error : callable
        Asked first: True where somebody dealt with the exception.
    """

    def __init__(
        self, on_bug: Callable[[Bug], None], on_error: Callable[[BaseException], bool] = lambda _: False
    ) -> None:
        self.seen: dict[tuple[object, ...], int] = {}
        self._on_bug = on_bug
        self._on_error = on_error
        self._before: tuple[object, object] | None = None

    def install(self) -> None:
        """Catch what arises from now on; `remove` undoes it."""
        self._before = sys.excepthook, threading.excepthook
        sys.excepthook = self._on_uncaught
        threading.excepthook = self._on_thread_died

    def remove(self) -> None:
        """Leave exceptions to whoever had them before."""
        if self._before is not None:
            sys.excepthook, threading.excepthook = self._before  # type: ignore[assignment]
            self._before = None

    def take(self, error: BaseException) -> None:
        """Take one exception."""
        try:
            if not self._on_error(error):
                self._collect(error)
        finally:
            # A painter among the locals would live on in the traceback, and Qt dies of painting over it.
            traceback.clear_frames(error.__traceback__)

    def _collect(self, error: BaseException) -> None:
        place = _place(error)
        self.seen[place] = self.seen.get(place, 0) + 1
        if self.seen[place] > 1:
            return
        report = "".join(traceback.format_exception(error))
        _log.error("A fault in the program:\n%s", report)
        self._on_bug(Bug(f"{type(error).__name__}: {error}", report))

    def _on_uncaught(self, _: type[BaseException], error: BaseException, __: TracebackType | None) -> None:
        if isinstance(error, KeyboardInterrupt):
            sys.__excepthook__(type(error), error, error.__traceback__)
            return
        self.take(error)

    def _on_thread_died(self, args: threading.ExceptHookArgs) -> None:
        if args.exc_value is not None:
            self.take(args.exc_value)


def log_qt_messages() -> None:
    """Send what Qt prints to the log."""
    qInstallMessageHandler(_on_qt_message)


def _on_qt_message(kind: QtMsgType, _: QMessageLogContext, message: str) -> None:
    # The offscreen platform says of every window what it cannot do; nobody can do anything about it.
    if not message.startswith("This plugin does not support"):
        level = logging.INFO if kind in {QtMsgType.QtDebugMsg, QtMsgType.QtInfoMsg} else logging.WARNING
        logging.getLogger("qt").log(level, message)


def _place(error: BaseException) -> tuple[object, ...]:
    frames = traceback.extract_tb(error.__traceback__)
    return (type(error), *((frames[-1].filename, frames[-1].lineno) if frames else ()))
