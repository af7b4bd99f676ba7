"""The one timer of the window: take what arrived, apply it, refresh what is visible and due, measure.

Everything on screen changes here and nowhere else, so that ticks cost by the frame and not by the signal, and
so that what is hidden costs nothing.
"""

import math
import time
from collections.abc import Callable
from typing import Final, Protocol, override

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QCoreApplication, QEvent, QObject, Qt, QTimer

_PAINTED: Final = QEvent.Type(QEvent.registerEventType())
_KEPT_FRAMES: Final = 8192
_LEAST_WEIGHT: Final = 6
_MOST_WEIGHT: Final = 20
_SHORT_MS: Final = 8.0
_LONG_MS: Final = 12.0
_FIRST_HZ: Final = 60.0
"""Panels of at least this rate show a tick first: the chart."""

_MARKET_HZ: Final = 30.0
"""Panels of at least this rate show the market itself: chart, ladder, time and sales."""

_EARLY_S: Final = 0.002
"""A little early is better than a frame late."""


class Refreshable(Protocol):
    """What the clock refreshes: windows, and panels in their hosts.

    Attributes
    ----------
    rate_hz : float
        Refreshes per second at most.
    weight : int
        What its painting costs beside others; 0 is always refreshed.
    """

    @property
    def rate_hz(self) -> float: ...  # noqa: D102
    @property
    def weight(self) -> int: ...  # noqa: D102

    def is_seen(self) -> bool:
        """Whether any of it is on screen."""

    def refresh(self) -> None:
        """Take over what changed; must not raise."""


class _Budget:
    """Weight that one frame may refresh: what fits well before the next one, on this machine and now."""

    def __init__(self) -> None:
        self.weight = float(_LEAST_WEIGHT)

    def learn(self, work_ms: float) -> None:
        """Shrink at once when a frame took long, grow slowly while frames are short."""
        if work_ms > _LONG_MS:
            self.weight = max(_LEAST_WEIGHT, self.weight - 1.0)
        elif work_ms < _SHORT_MS:
            self.weight = min(_MOST_WEIGHT, self.weight + 0.1)


class _Waiting:
    """Ticks that arrived and that some panel of at least this rate has yet to paint."""

    def __init__(self, rate_hz: float) -> None:
        self.batches: list[tuple[int, int]] = []  # oldest tick, arrival; monotonic ns
        self._rate_hz = rate_hz
        self._shown_until_ns = 0

    def note(self, seen: list[Refreshable], refreshed_ns: dict[Refreshable, int], now_ns: int) -> None:
        panels = [part for part in seen if part.weight and part.rate_hz >= self._rate_hz]
        self._shown_until_ns = min((refreshed_ns.get(part, 0) for part in panels), default=now_ns)

    def painted(self, now_ns: int) -> float | None:
        """Age in ms of the oldest tick that is on screen only now; None where there is none."""
        shown = [oldest for oldest, arrived in self.batches if arrived <= self._shown_until_ns]
        del self.batches[: len(shown)]
        return (now_ns - min(shown)) / 1e6 if shown else None


class FrameFigures:
    """Measured frames, newest last, in a bounded ring.

    Attributes
    ----------
    count : int
        Frames painted so far.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.count = 0
        self._clock = clock
        self._last_tick_s = -math.inf
        self._intervals_ms = _Ring()
        self._tick_to_paint_ms = _Ring()
        self._tick_to_all_ms = _Ring()

    def painted(
        self, interval_ms: float, tick_to_paint_ms: float | None, tick_to_all_ms: float | None = None
    ) -> None:
        """Note one frame; the ages of the oldest ticks that it was the first, or the last, panel to show."""
        self.count += 1
        self._intervals_ms.add(interval_ms)
        if tick_to_paint_ms is not None:
            self._tick_to_paint_ms.add(tick_to_paint_ms)
            self._last_tick_s = self._clock()
        if tick_to_all_ms is not None:
            self._tick_to_all_ms.add(tick_to_all_ms)

    def clear(self) -> None:
        """Forget the frames so far; a benchmark does after its warm-up."""
        self.__init__(self._clock)  # type: ignore[misc]

    @property
    def seconds_since_tick(self) -> float:
        """How long ago a new tick was painted; infinite where none was."""
        return self._clock() - self._last_tick_s

    @property
    def intervals_ms(self) -> npt.NDArray[np.float64]:
        """Time between paints."""
        return self._intervals_ms.values

    @property
    def tick_to_paint_ms(self) -> npt.NDArray[np.float64]:
        """Age of the oldest new tick of a frame when the chart that shows it was painted."""
        return self._tick_to_paint_ms.values

    @property
    def tick_to_all_ms(self) -> npt.NDArray[np.float64]:
        """Its age when the last of the panels in sight that show the market was painted."""
        return self._tick_to_all_ms.values

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
        self._due_s: dict[Refreshable, float] = {}
        self._budget = _Budget()
        self._last_paint_ns = self._tick_ns = 0
        self._refreshed_ns: dict[Refreshable, int] = {}
        self._first, self._all = _Waiting(_FIRST_HZ), _Waiting(_MARKET_HZ)
        self._paint_pending = False
        self._timer = QTimer(self)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        # Twice the screen's rate, so that what arrives is taken at once; panels keep to their own rates.
        self._timer.setInterval(max(4, round(500 / rate_hz)))
        self._timer.timeout.connect(self._on_timeout)

    def add(self, refreshable: Refreshable) -> None:
        """Refresh this from the next frame on."""
        self._due_s[refreshable] = 0.0

    def remove(self, refreshable: Refreshable) -> None:
        """Refresh this no longer."""
        del self._due_s[refreshable]
        self._refreshed_ns.pop(refreshable, None)

    def start(self) -> None:
        """Begin; the first interval counts from the first paint."""
        self._last_paint_ns = 0
        self._timer.start()

    def measure_anew(self) -> None:
        """Forget the figures so far; the first interval counts from the next paint."""
        self.figures.clear()
        self._last_paint_ns = 0
        self._first.batches.clear()
        self._all.batches.clear()

    def stop(self) -> None:
        """Pause the window; what arrives meanwhile waits in the link."""
        self._timer.stop()

    def tick(self, *, everything: bool = False) -> None:
        """Do one frame now; the timer does it while the clock runs.

        With `everything`, all that is seen is refreshed, however short ago it was.
        """
        self._tick_ns = time.monotonic_ns()
        oldest_tick_ns = self._pump()
        seen = [part for part in self._due_s if part.is_seen()]
        if oldest_tick_ns:
            self._first.batches.append((oldest_tick_ns, self._tick_ns))
            self._all.batches.append((oldest_tick_ns, self._tick_ns))
        now_s = time.monotonic()
        chosen = seen if everything else self._chosen(seen, now_s)
        for part in chosen:
            self._due_s[part] = now_s + 1.0 / part.rate_hz - _EARLY_S
            self._refreshed_ns[part] = self._tick_ns
            part.refresh()
        for waiting in (self._first, self._all):
            waiting.note(seen, self._refreshed_ns, self._tick_ns)
        if chosen and not self._paint_pending:
            # Widgets asked for their repaint with low priority; this comes after all of them.
            self._paint_pending = True
            QCoreApplication.postEvent(self, QEvent(_PAINTED), Qt.EventPriority.LowEventPriority.value - 1)

    def _chosen(self, seen: list[Refreshable], now_s: float) -> list[Refreshable]:
        """Those that are due, the most overdue by their own rate first, as far as the frame's budget goes."""
        due = [part for part in seen if now_s >= self._due_s[part]]
        due.sort(key=lambda part: (now_s - self._due_s[part]) * part.rate_hz, reverse=True)
        left = self._budget.weight
        chosen: list[Refreshable] = []
        for part in due:
            # What is too heavy for any budget has its turn alone.
            if part.weight <= left or left == self._budget.weight:
                left -= part.weight
                chosen.append(part)
        return chosen

    def _on_timeout(self) -> None:
        self.tick()

    def _on_painted(self) -> None:
        self._paint_pending = False
        now = time.monotonic_ns()
        self._budget.learn((now - self._tick_ns) / 1e6)
        ages = self._first.painted(now), self._all.painted(now)
        if self._last_paint_ns:
            self.figures.painted((now - self._last_paint_ns) / 1e6, *ages)
        self._last_paint_ns = now
        if self.first_paint_s is None:
            self.first_paint_s = time.time()

    @override
    def event(self, event: QEvent) -> bool:
        if event.type() == _PAINTED:
            self._on_painted()
            return True
        return super().event(event)
