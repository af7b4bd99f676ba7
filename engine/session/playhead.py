"""Moves the engine through a source's chunks in windows, and knows what comes next.

An event here is what the engine handles as one: a quote, a trade, or a whole book update. Windows end between
market times, never between two events of one time, so any sequence of windows makes the same orders.
"""

import time
from collections.abc import Iterator, Mapping
from typing import Final, Protocol

import numpy as np

from engine.columns import Columns, Deltas, Flag, Int64
from engine.session.source import Chunk, Source

WINDOW_EVENTS: Final = 1_000
"""Most events in one window: the engine keeps the interpreter lock for about 1 to 2 ms."""


class Venue(Protocol):
    """What is moved: see `engine.nautilus.engine.SimulatedVenue`."""

    def load(self, columns: Mapping[str, Columns]) -> None:
        """Replace the market data by the next stretch of time."""

    def run_to(self, ts_ns: int) -> None:
        """Let everything happen up to this market time."""


class Playhead:
    """Position of one run of a session in its market data.

    Attributes
    ----------
    now : int
        Market time up to which everything has happened; just before the start at first.
    ticks : int
        Events that have happened.
    load_s : float
        Seconds spent on reading and handing over chunks.
    """

    def __init__(self, source: Source, venue: Venue) -> None:
        self.now = source.start_ns - 1
        self.ticks = 0
        self.load_s = 0.0
        self._venue = venue
        self._chunks: Iterator[Chunk] = source.chunks()
        self._columns: Mapping[str, Columns] = {}
        self._times: Int64 = np.empty(0, np.int64)
        self._at = 0
        self._collected_to = self.now
        self._seen: list[Mapping[str, Columns]] = []

    @property
    def next_ts(self) -> int | None:
        """Market time of the next event; None at the end of the data."""
        while self._at == len(self._times):
            if not self._load_next():
                return None
        return int(self._times[self._at])

    def next_ts_of(self, kinds: frozenset[str]) -> int | None:
        """Market time of the next event of these kinds in the chunk at hand; None where it holds none."""
        if self.next_ts is None:
            return None
        ahead = []
        for kind in kinds & self._columns.keys():
            times = _event_times(self._columns[kind])
            at = int(np.searchsorted(times, self.now, side="right"))
            if at < len(times):
                ahead.append(int(times[at]))
        return min(ahead, default=None)

    def ahead(self, kind: str) -> Columns | None:
        """Rows of this kind that are still to happen in the chunk at hand; None where it holds none."""
        if self.next_ts is None or kind not in self._columns:
            return None
        columns = self._columns[kind]
        return columns.take(slice(int(np.searchsorted(columns.ts_init, self.now, side="right")), None))

    @property
    def chunk_end(self) -> int:
        """Market time of the last event of the chunk at hand."""
        return int(self._times[-1]) if len(self._times) else self.now

    def advance(self, limit_ns: int, events: int = WINDOW_EVENTS) -> int:
        """Run one window of about `events` events, none of them after `limit_ns`; how many happened.

        More than `events` happen only where they share one market time.
        """
        next_ts = self.next_ts
        if next_ts is None or next_ts > limit_ns:
            return 0
        times, at = self._times, self._at
        last = int(times[min(at + events, len(times)) - 1])
        end = int(np.searchsorted(times, min(last, limit_ns), side="right"))
        last = int(times[end - 1])
        self._venue.run_to(last)
        self._at, self.now = end, last
        self.ticks += end - at
        return end - at

    def rest(self, ts: int) -> None:
        """Let market time pass to `ts`, before which nothing happens any more."""
        self.now = max(self.now, ts)

    @property
    def left_a_chunk(self) -> bool:
        """Whether rows of a chunk that is done wait in `take_seen`, and keep it in memory."""
        return bool(self._seen)

    def take_seen(self) -> list[Mapping[str, Columns]]:
        """Rows that happened since the last call, in order: parts of chunks by kind, not copied."""
        self._collect()
        seen, self._seen = self._seen, []
        return seen

    def _collect(self) -> None:
        since, self._collected_to = self._collected_to, self.now
        if since == self.now:
            return
        part = {}
        for kind, columns in self._columns.items():
            low, high = np.searchsorted(columns.ts_init, (since, self.now), side="right")
            if high > low:
                part[kind] = columns.take(slice(int(low), int(high)))
        if part:
            self._seen.append(part)

    def _load_next(self) -> bool:
        started = time.perf_counter()
        self._collect()
        chunk = next(self._chunks, None)
        if chunk is None:
            return False
        self._columns = chunk.columns
        self._venue.load(chunk.columns)
        self._times = np.sort(np.concatenate([_event_times(part) for part in chunk.columns.values()]))
        self._at = 0
        self.load_s += time.perf_counter() - started
        return True


def _event_times(columns: Columns) -> Int64:
    """When each event of these rows happens: int64 array, ascending."""
    if not isinstance(columns, Deltas):
        return columns.ts_init
    last = (columns.flags & Flag.LAST) != 0
    last[-1] = True
    times: Int64 = columns.ts_init[last]
    return times
