"""The strategy's callback that a thread is in, and how another thread gets it out of there.

A strategy is somebody's own code: it may wait for a socket, sleep, or never end its loop, and then the
session's thread takes no command any more, not even the kill switch. So whoever calls a callback says so
here, and the watchdog may raise `StrategyInterrupted` in it. Nothing else of the thread is ever interrupted:
neither the session's loop, nor the gate, nor the telling of events, which a callback comes through.

How it is raised depends on the thread. In a main thread (an engine process) a signal does it, which also
ends waiting in the operating system; its handler runs in that very thread and raises only while a callback
may be interrupted. In any other thread (`--engine thread`) Python's own asynchronous exceptions do it: they
end loops, but a wait for a socket, a lock or a sleep only when it is over.
"""

import _thread
import ctypes
import signal
import sys
import threading
import time
from types import FrameType, TracebackType
from typing import Final

if sys.platform == "win32":
    _SIGNAL: Final = signal.SIGBREAK
else:
    _SIGNAL: Final = signal.SIGUSR1  # means nothing to an engine process otherwise


_AGAIN_S: Final = 0.25
"""After this long an asynchronous exception was caught by the callback itself, and another one is due."""


class StrategyInterrupted(BaseException):
    """The callback did not come back and was stopped; no `Exception`, as strategies catch those."""


class Callbacks:
    """What the callbacks of one thread are doing; `callbacks()` gives that of the calling thread.

    Whoever calls a callback saves `running` and `interruptible`, sets them, and gives them back to `left`.
    That costs less than a context manager would at every tick.

    Attributes
    ----------
    entered : int
        Callbacks entered so far; unchanged while `running` is one that does not come back.
    running : str
        Name of the innermost callback; empty outside of all.
    interruptible : bool
        Whether its own code runs, and not ours.
    """

    __slots__ = (
        "_lock",
        "_raised_at",
        "_raising",
        "_sentence",
        "_thread",
        "entered",
        "interruptible",
        "running",
    )

    def __init__(self) -> None:
        self.entered = 0
        self.running = ""
        self.interruptible = False
        self._thread = threading.current_thread()
        self._sentence = ""
        self._raising = False
        self._raised_at = 0.0
        # Of asynchronous exceptions: one that was asked for must not reach what follows the callback.
        self._lock: threading.Lock | None = None

    def allow_interrupts(self) -> None:
        """Let other threads interrupt callbacks of this one, which calls it before the first of them."""
        if self._thread is threading.main_thread():
            signal.signal(_SIGNAL, self._on_signal)
        else:
            self._lock = threading.Lock()

    def left(self, outer: str, interruptible: bool) -> None:  # noqa: FBT001 - called at every tick
        """Go back to the callback around, or to none."""
        if self._lock is None:
            self.interruptible = interruptible
        else:
            with self._lock:
                self.interruptible = interruptible
                if self._raising:
                    self._raising = False
                    _raise_in(self._thread, None)
        self.running = outer

    def interrupt(self, sentence: str) -> bool:
        """Raise `StrategyInterrupted` in the callback, from any other thread; False where none can be.

        It may be too late by then, or the callback may catch even that: ask again while it runs on.
        """
        if not self.interruptible:
            return False
        self._sentence = sentence
        if self._thread is not threading.main_thread():
            return self._interrupt_soon()
        if sys.platform == "win32":
            _thread.interrupt_main(_SIGNAL)
        else:
            assert self._thread.ident is not None  # noqa: S101 - it runs
            signal.pthread_kill(self._thread.ident, _SIGNAL)
        return True

    @property
    def sentence(self) -> str:
        """What the newest interruption said."""
        return self._sentence

    def _interrupt_soon(self) -> bool:
        if self._lock is None:
            return False
        with self._lock:
            now = time.monotonic()
            # One at a time: a second one could be raised where the first has just been caught.
            if self.interruptible and (not self._raising or now - self._raised_at > _AGAIN_S):
                self._raising, self._raised_at = True, now
                _raise_in(self._thread, StrategyInterrupted)
            return self.interruptible

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        if self.interruptible:
            raise StrategyInterrupted(self._sentence)


class Shield:
    """Keeps our own code from being interrupted where a strategy's callback comes through it."""

    __slots__ = ("_before", "_callbacks")

    def __init__(self, callbacks: Callbacks) -> None:
        self._callbacks = callbacks
        self._before = False

    def __enter__(self) -> None:
        self._before = self._callbacks.interruptible
        self._callbacks.left(self._callbacks.running, interruptible=False)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._callbacks.left(self._callbacks.running, self._before)


_here = threading.local()


def callbacks() -> Callbacks:
    """Those of the calling thread, one a thread as one engine is."""
    found: Callbacks | None = getattr(_here, "callbacks", None)
    if found is None:
        found = _here.callbacks = Callbacks()
    return found


def _raise_in(thread: threading.Thread, error: type[BaseException] | None) -> None:
    """Raise `error` in the thread when it next runs Python; None takes back what was not raised yet."""
    assert thread.ident is not None  # noqa: S101 - it runs
    value = None if error is None else ctypes.py_object(error)
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread.ident), value)
