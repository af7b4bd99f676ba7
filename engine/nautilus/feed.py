"""Recorded market data served as if a venue sent them now: paper trading without a network.

Every row is stamped with the moment of the wall clock at which it is due: that of the first row, and the time
between the two divided by the speed. So orders, alerts, bars, latencies and the feed's age all count on one
clock, as they do at a venue. Prices and sizes stay as they were recorded, and at a speed of 1 so does time
between rows.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

import numpy as np
from nautilus_trader.config import DataClientConfig
from nautilus_trader.live import ClientCache
from nautilus_trader.live.clients import DataClientFactory, MarketDataClient
from nautilus_trader.model import Venue

from engine.columns import Columns, Deltas, Int64
from engine.messages.instrument import Instrument
from engine.nautilus.data import has_untold_sizes, to_nautilus, update_ends
from engine.nautilus.instrument import to_nautilus_instrument

NAME: Final = "RECORDED"
"""Name of the client, in the node and in what a session tells of it."""

_ORDER: Final = ("deltas", "quotes", "trades")
"""Kinds as they follow each other at the same time, as in a replay."""

_AHEAD_NS: Final = 250_000_000
_ROWS_AHEAD: Final = 1_000
"""Rows are made ready a little ahead of their time, many at once: one alone costs as much as a hundred."""

_FORGIVEN_NS: Final = 5_000_000_000
"""A machine that slept for longer than this finds the market where it left it."""

_LONGEST_WAIT_S: Final = 0.02
_UNSEEN: Final = 2_000
"""Most rows handed over and not yet processed, as fast as possible."""


class Feed:
    """Serves the rows of a source when they are due; used in the node's thread.

    Parameters
    ----------
    instrument : Instrument
    chunks : iterator of mapping
        Columns by kind, in order of time.
    start_ns : int
        Market time of the first row.
    speed : float
        Market seconds per second of the wall clock; 0 is as fast as they are processed.
    now_ns : callable
        The wall clock.

    Attributes
    ----------
    served : int
        Events handed over so far.
    ended : bool
        Whether nothing is left to serve.
    position : int
        Market time, as it was recorded, up to which everything was handed over.
    """

    def __init__(
        self,
        instrument: Instrument,
        chunks: Iterator[Mapping[str, Columns]],
        start_ns: int,
        speed: float = 1.0,
        now_ns: Callable[[], int] = time.time_ns,
    ) -> None:
        self.instrument = instrument
        self.served = 0
        self.ended = False
        self.position = start_ns - 1
        self.has_untold_sizes = False
        self._chunks, self._now_ns = chunks, now_ns
        self._speed = speed
        self._wall_ns, self._market_ns = 0, start_ns
        self._columns: Mapping[str, Columns] = {}
        self._times: Int64 = np.empty(0, np.int64)
        self._kinds: Int64 = np.empty(0, np.int64)
        self._at = 0
        self._ready: deque[tuple[int, int, Any]] = deque()
        """Market time, time at which it is due, and the event."""

    @property
    def speed(self) -> float:
        """Market seconds per second; 0 is as fast as possible."""
        return self._speed

    def connect(self, hand: Callable[[Any], None]) -> None:
        """Take what hands an event to the node."""
        self._hand: Callable[[Any], None] | None = hand

    def disconnect(self) -> None:
        """Let go of the node."""
        self._hand = None

    def start(self) -> None:
        """Let the first row be due now."""
        self._anchor(self._market_ns)

    async def serve(self, seen: Callable[[], int]) -> None:
        """Serve from now until nothing is left; `seen` counts the events that were processed."""
        self.start()
        while not self.ended:
            assert self._hand is not None  # noqa: S101 - the node has connected before it runs
            for event in self.due(_UNSEEN - (self.served - seen())):
                self._hand(event)
            await asyncio.sleep(self.wait_s() if self._speed else 0.0)

    def set_speed(self, speed: float) -> None:
        """Go on from where it is at another speed."""
        here = self.market_time(self._now_ns())
        self._speed = speed
        self._rewind()
        self._anchor(here)

    def wall_time(self, market_ns: int) -> int:
        """When a row of this market time is due."""
        return int(self._wall_times(np.array([market_ns], np.int64))[0])

    def market_time(self, wall_ns: int) -> int:
        """Market time that it should be; where it is, as fast as possible."""
        if not self._speed:
            return max(self.position, self._market_ns)
        return self._market_ns + round((wall_ns - self._wall_ns) * self._speed)

    def due(self, room: int) -> list[Any]:
        """Events that are due and were not handed over yet, at most `room` of them where there is no pace."""
        now = self._now_ns()
        handed: list[Any] = []
        while self._has_ready(now):
            market, due, event = self._ready[0]
            if due > now or (not self._speed and len(handed) >= room):
                break
            if self._speed and now - due > _FORGIVEN_NS:
                self._rewind()
                self._anchor(market)
                continue
            self._ready.popleft()
            self.position = market
            handed.append(event)
        self.served += len(handed)
        return handed

    def wait_s(self) -> float:
        """Seconds until something is due, a moment at most."""
        if not self._ready:
            return _LONGEST_WAIT_S
        return min(max(0.0, (self._ready[0][1] - self._now_ns()) / 1e9), _LONGEST_WAIT_S)

    def _has_ready(self, now: int) -> bool:
        """Have the next event ready, where there is one that is due soon."""
        if self._ready:
            return True
        while self._at == len(self._times):
            if not self._load():
                self.ended = True
                return False
        soon = min(self._at + _ROWS_AHEAD, len(self._times))
        if self._speed:
            limit = self.market_time(now + _AHEAD_NS)
            soon = min(soon, int(np.searchsorted(self._times, limit, side="right")))
        if soon <= self._at:
            return False
        self._make(self._at, soon)
        self._at = soon
        return True

    def _load(self) -> bool:
        chunk = next(self._chunks, None)
        if chunk is None:
            return False
        self._columns = chunk
        times, kinds = [], []
        for number, kind in enumerate(_ORDER):
            if kind in chunk:
                times.append(_event_times(chunk[kind]))
                kinds.append(np.full(len(times[-1]), number))
        every, of = np.concatenate(times), np.concatenate(kinds)
        order = np.lexsort((of, every))
        self._times, self._kinds, self._at = every[order], of[order], 0
        return True

    def _make(self, start: int, end: int) -> None:
        """Make the events `start` to `end` of the chunk ready."""
        now = self._now_ns()
        made = {}
        for number, kind in enumerate(_ORDER):
            if kind in self._columns:
                before = int((self._kinds[:start] == number).sum())
                count = int((self._kinds[start:end] == number).sum())
                rows = _events(self._columns[kind], before, before + count)
                self.has_untold_sizes |= has_untold_sizes(rows)
                made[number] = iter(
                    to_nautilus(self.instrument.id, self._stamped(rows, now)) if count else ()
                )
        due = self._wall_times(self._times[start:end]) if self._speed else np.full(end - start, now)
        for market, at, kind_number in zip(
            self._times[start:end].tolist(), due.tolist(), self._kinds[start:end].tolist(), strict=True
        ):
            self._ready.append((market, at, next(made[kind_number])))

    def _stamped(self, rows: Columns, now: int) -> Columns:
        if not self._speed:
            stamps = np.full(len(rows), now, np.int64)
            return rows.with_arrays({"ts_event": stamps, "ts_init": stamps})
        return rows.with_arrays(
            {"ts_event": self._wall_times(rows.ts_event), "ts_init": self._wall_times(rows.ts_init)}
        )

    def _wall_times(self, market: Int64) -> Int64:
        if not self._speed:
            return np.full(len(market), self._now_ns(), np.int64)
        since: Int64 = market - self._market_ns
        # Exact at true speed: a float would lose nanoseconds after three months.
        passed = since if self._speed == 1 else np.rint(since / self._speed).astype(np.int64)
        return self._wall_ns + passed

    def _anchor(self, market_ns: int) -> None:
        self._wall_ns, self._market_ns = self._now_ns(), market_ns

    def _rewind(self) -> None:
        """Forget what was made ready and not handed over; it is made again."""
        self._at -= len(self._ready)
        self._ready.clear()


class FeedClient(MarketDataClient):
    """Serves one instrument to whoever is there; the subscriptions of strategies change nothing."""

    feed: Feed

    async def _connect(self) -> None:
        self._handle_instrument(to_nautilus_instrument(self.feed.instrument))
        self.feed.connect(self._handle_data)

    async def _disconnect(self) -> None:
        pass

    async def _ignore(self, command: object) -> None:
        pass

    _subscribe_quotes = _subscribe_trades = _subscribe_book_deltas = _subscribe_instrument = _ignore
    _unsubscribe_quotes = _unsubscribe_trades = _unsubscribe_book_deltas = _unsubscribe_instrument = _ignore


def feed_factory(feed: Feed) -> type[DataClientFactory]:
    """Factory of the client that serves this feed."""

    class Factory(DataClientFactory):
        @staticmethod
        def create(*, name: str, config: DataClientConfig, cache: ClientCache, clock: Any) -> FeedClient:
            venue = Venue(feed.instrument.venue)
            client = FeedClient(name=name, config=config, cache=cache, clock=clock, venue=venue)
            client.feed = feed
            return client

    return Factory


def _event_times(columns: Columns) -> Int64:
    """When each event of these rows happens: int64 array, ascending."""
    if not isinstance(columns, Deltas):
        return columns.ts_init
    times: Int64 = columns.ts_init[update_ends(columns) - 1]
    return times


def _events(columns: Columns, start: int, end: int) -> Columns:
    """Rows of the events `start` to `end`."""
    if isinstance(columns, Deltas):
        ends = np.concatenate([[0], update_ends(columns)])
        start, end = int(ends[start]), int(ends[end])
    return columns.take(slice(start, end))
