"""The one timer of the window: take what arrived, apply it, refresh what is visible and due, measure.

Everything on screen changes here and nowhere else, so that ticks cost by the frame and not by the signal, and
so that what is hidden costs nothing.
"""

import time
from collections.abc import Callable
from typing import Final, Protocol, override

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QCoreApplication, QEvent, QObject, Qt, QTimer

_PAINTED: Final = QEvent.Type(QEvent.registerEventType())
_KEPT_FRAMES: Final = 8192


class Refreshable(Protocol):
    """What the clock refreshes: most are panels in their hosts."""

    def is_due(self, now_s: float) -> bool:
        """Whether it is visible and its own rate lets it refresh now."""

    def refresh(self) -> None:
        """Take over what changed; must not raise."""


class FrameFigures:
    """Measured frames, newest last, in a bounded ring.

    Attributes
    ----------
    count : int
        Frames painted so far.
    """

    def __init__(self) -> None:
        self.count = 0
        self._intervals_ms = _Ring()
        self._tick_to_paint_ms = _Ring()

    def painted(self, interval_ms: float, tick_to_paint_ms: float | None) -> None:
        """Note one frame; `tick_to_paint_ms` where it showed ticks."""
        self.count += 1
        self._intervals_ms.add(interval_ms)
        if tick_to_paint_ms is not None:
            self._tick_to_paint_ms.add(tick_to_paint_ms)

    def clear(self) -> None:
        """Forget the frames so far; a benchmark does after its warm-up."""
        self.__init__()  # type: ignore[misc]

    @property
    def intervals_ms(self) -> npt.NDArray[np.float64]:
        """Time between paints."""
        return self._intervals_ms.values

    @property
    def tick_to_paint_ms(self) -> npt.NDArray[np.float64]:
        """Age of the oldest new tick of a frame when that frame was painted."""
        return self._tick_to_paint_ms.values

    def frames_per_s(self, over: int = 60) -> float:
        """Rate over the last frames; 0 before the second frame."""
        recent = self.intervals_ms[-over:]
        return 1000.0 * len(recent) / float(recent.sum()) if len(recent) else 0.0


class _Ring:
    def __init__(self) -> None:
        self._values = np.empty(_KEPT_FRAMES)
        self._count = 0

    def add(self, value: float) -> None:
        self._values[self._count % _KEPT_FRAMES] = value
        self._count += 1

    @property
    def values(self) -> npt.NDArray[np.float64]:
        if self._count <= _KEPT_FRAMES:
            return self._values[: self._count].copy()
        return np.roll(self._values, -(self._count % _KEPT_FRAMES))


class FrameClock(QObject):
    """Drives the window at screen rate.

    Parameters
    ----------
    pump : callable
        Applies what arrived and gives the monotonic ns at which the oldest new tick was processed: 0 where
        frames came without ticks, None where none came.
    rate_hz : float
        Screen refreshes per second.

    Attributes
    ----------
    figures : FrameFigures
    first_paint_s : float or None
        When the first frame was painted, seconds since the epoch.
    """

    def __init__(
        self, pump: Callable[[], int | None], *, rate_hz: float = 60.0, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self.figures = FrameFigures()
        self.first_paint_s: float | None = None
        self._pump = pump
        self._refreshables: list[Refreshable] = []
        self._last_paint_ns = 0
        self._waiting_ticks: list[int] = []
        self._paint_pending = False
        self._timer = QTimer(self)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.setInterval(max(8, round(1000 / rate_hz)))
        self._timer.timeout.connect(self._on_timeout)

    def add(self, refreshable: Refreshable) -> None:
        """Refresh this from the next frame on."""
        self._refreshables.append(refreshable)

    def remove(self, refreshable: Refreshable) -> None:
        """Refresh this no longer."""
        self._refreshables.remove(refreshable)

    def start(self) -> None:
        """Begin; the first interval counts from the first paint."""
        self._last_paint_ns = 0
        self._timer.start()

    def stop(self) -> None:
        """Pause the window; what arrives meanwhile waits in the link."""
        self._timer.stop()

    def tick(self) -> None:
        """Do one frame now; the timer does it while the clock runs."""
        oldest_tick_ns = self._pump()
        if oldest_tick_ns:
            self._waiting_ticks.append(oldest_tick_ns)
        now_s = time.monotonic()
        for refreshable in tuple(self._refreshables):
            if refreshable.is_due(now_s):
                refreshable.refresh()
        if not self._paint_pending:
            # Widgets asked for their repaint with low priority; this comes after all of them.
            self._paint_pending = True
            QCoreApplication.postEvent(self, QEvent(_PAINTED), Qt.EventPriority.LowEventPriority.value - 1)

    def _on_timeout(self) -> None:
        self.tick()

    def _on_painted(self) -> None:
        self._paint_pending = False
        now = time.monotonic_ns()
        waiting, self._waiting_ticks = self._waiting_ticks, []
        if self._last_paint_ns:
            age_ms = (now - min(waiting)) / 1e6 if waiting else None
            self.figures.painted((now - self._last_paint_ns) / 1e6, age_ms)
        self._last_paint_ns = now
        if self.first_paint_s is None:
            self.first_paint_s = time.time()

    @override
    def event(self, event: QEvent) -> bool:
        if event.type() == _PAINTED:
            self._on_painted()
            return True
        return super().event(event)
