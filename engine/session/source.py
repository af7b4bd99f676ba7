"""Where a session's market data comes from: the store, a recording, the generated market, or columns at hand.

A source can be read again from its start at any time; that is what a seek back, and a watcher who joins late,
stand on.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

import numpy as np

from engine.columns import Columns
from engine.errors import UserError, unknown_name
from engine.feeds.simulated import PROFILES, Simulation, market
from engine.messages.instrument import Instrument
from engine.messages.run import Run
from engine.recording.merging import merged
from engine.recording.recording import Recording
from engine.store.row_groups import RowGroup, row_groups
from engine.store.store import Store

KINDS: Final = ("quotes", "trades", "deltas")
"""Kinds of columns that a session replays."""

CHUNK_ROWS: Final = 20_000
"""Rows of one kind in a chunk: 8 MB in the engine; larger ones no longer fit the processor's cache."""

SIMULATED_START_NS: Final = 1_767_603_600_000_000_000  # 2026-01-05 09:00 UTC, a Monday
SIMULATED_NS: Final = 1_800_000_000_000
_BLOCK_S: Final = 0.5  # made in one go: 5 s of market held the session up for 25 ms


@dataclass(frozen=True, slots=True)
class Chunk:
    """All rows of a stretch of time by kind, each in the order of `ts_init`; some, and no kind is empty.

    Rows of one `ts_init` are never parted by the end of a chunk.
    """

    columns: Mapping[str, Columns]


class Source(Protocol):
    """Market data of one instrument, in the order in which it was received."""

    @property
    def instrument(self) -> Instrument:
        """What is traded."""

    @property
    def kinds(self) -> frozenset[str]:
        """Kinds of columns that its chunks hold."""

    @property
    def start_ns(self) -> int:
        """Market time of the first row."""

    @property
    def end_ns(self) -> int:
        """Market time after which there is no row."""

    def chunks(self) -> Iterator[Chunk]:
        """All chunks from the start, the same at every call."""


def open_source(run: Run) -> Source:
    """Source of a run's market data.

    Raises
    ------
    UserError
        Unknown profile or instrument, nothing stored for it, or nothing in the given time; or no such
        recording, or one without market data.
    """
    if run.recording:
        return RecordedSource(run)
    if run.simulate is not None:
        return SimulatedSource(run)
    return StoredSource(run)


def check_named(run: Run) -> None:
    """Look whether the recording or stored instrument of a run is there; fast, as no market data are read.

    Raises
    ------
    UserError
        Unknown instrument, or no such recording.
    """
    if run.recording:
        Recording(Path(run.recording))
    elif run.simulate is None and run.connection is None:
        _stored_instrument(run)


def _stored_instrument(run: Run) -> Instrument:
    store = Store(Path(run.store))
    names = store.instruments()
    if not names:
        state = "is empty" if store.root.is_dir() else "does not exist"
        raise UserError(f"The store {run.store} {state}; import a file first, or choose a generated market.")
    if run.instrument not in names:
        raise unknown_name("instrument", run.instrument, names)
    return store.instrument(run.instrument)


class StoredSource:
    """An instrument of the tick store between two times, both inclusive."""

    def __init__(self, run: Run, rows: int = CHUNK_ROWS) -> None:
        self._store = Store(Path(run.store))
        self.instrument = _stored_instrument(run)
        groups = {kind: row_groups(self._store.files(run.instrument, kind)) for kind in KINDS}
        if not any(groups.values()):
            raise UserError(
                f"{run.instrument} has no quotes, trades or book updates to replay; import some first."
            )
        self._rows = rows
        self._low, self._high = run.start_ns, None if run.end_ns is None else run.end_ns + 1
        self.kinds = frozenset(kind for kind, part in groups.items() if any(map(self._wants, part)))
        first = next(self.chunks(), None)
        if first is None:
            every = [group for part in groups.values() for group in part]
            raise UserError(
                f"{run.instrument} has nothing in the given time; its data run from "
                f"{_readable(min(group.first_init_ns for group in every))} to "
                f"{_readable(max(group.last_init_ns for group in every))} UTC."
            )
        self.start_ns = min(int(part.ts_init[0]) for part in first.columns.values())
        last = max(group.last_init_ns for part in groups.values() for group in part if self._wants(group))
        self.end_ns = last if run.end_ns is None else min(last, run.end_ns)

    def _wants(self, group: RowGroup) -> bool:
        return (self._low is None or group.last_init_ns >= self._low) and (
            self._high is None or group.first_init_ns < self._high
        )

    def chunks(self) -> Iterator[Chunk]:
        """All chunks from the start."""
        stream = self._store.chunks(self.instrument.id, sorted(self.kinds), self._low, self._high, self._rows)
        for chunk in stream:
            yield Chunk(chunk.columns)


class RecordedSource:
    """The market data of a recorded session between two times, both inclusive, as it received them.

    Of a session that still records it is what was there when this was made.
    """

    def __init__(self, run: Run, rows: int = CHUNK_ROWS) -> None:
        recording = Recording(Path(run.recording))
        self.instrument = recording.manifest.instrument
        if run.instrument not in ("", self.instrument.id):
            raise UserError(
                f"The recording {recording.id} is of {self.instrument.id}, not {run.instrument}; "
                "leave out the instrument."
            )
        if not recording.manifest.market:
            raise UserError(
                f"The recording {recording.id} holds events alone, as market data were not to be recorded; "
                "its events can be exported with 'nexttick recordings export'."
            )
        market = {kind: found for kind, found in recording.market().items() if kind in KINDS}
        if not market:
            raise UserError(f"The recording {recording.id} ended before any market data came.")
        first = min(found.first_ns for found in market.values())
        last = max(found.last_ns for found in market.values())
        self._low = first if run.start_ns is None else run.start_ns
        self.end_ns = last if run.end_ns is None else min(last, run.end_ns)
        self._rows = rows
        self._market = {
            kind: found
            for kind, found in market.items()
            if found.first_ns <= self.end_ns and found.last_ns >= self._low
        }
        self.kinds = frozenset(self._market)
        begin = next(self.chunks(), None)
        if begin is None:
            raise UserError(
                f"The recording {recording.id} has nothing in the given time; its data run from "
                f"{_readable(first)} to {_readable(last)} UTC."
            )
        self.start_ns = min(int(part.ts_init[0]) for part in begin.columns.values())

    def chunks(self) -> Iterator[Chunk]:
        """All chunks from the start."""
        streams = {kind: found.batches() for kind, found in self._market.items()}
        for parts in merged(streams, self._rows):
            if min(int(rows.ts_init[0]) for rows in parts.values()) > self.end_ns:
                return
            wanted = {kind: self._within(rows) for kind, rows in parts.items()}
            if wanted := {kind: rows for kind, rows in wanted.items() if len(rows)}:
                yield Chunk(wanted)

    def _within(self, rows: Columns) -> Columns:
        first = int(np.searchsorted(rows.ts_init, self._low))
        return rows.take(slice(first, int(np.searchsorted(rows.ts_init, self.end_ns, side="right"))))


class SimulatedSource:
    """Half an hour of a generated market (or as long as the run says), made when it is first needed."""

    def __init__(self, run: Run) -> None:
        name = run.simulate or ""
        if name not in PROFILES:
            raise unknown_name("generated market", name, PROFILES)
        profile = PROFILES[name]
        self.instrument = profile.instrument
        if run.instrument not in ("", self.instrument.id):
            raise UserError(
                f"The generated {name} market is {self.instrument.id}, not {run.instrument}; "
                "leave out the instrument."
            )
        self.kinds = frozenset(KINDS)
        self.start_ns = SIMULATED_START_NS if run.start_ns is None else run.start_ns
        self.end_ns = self.start_ns + SIMULATED_NS if run.end_ns is None else run.end_ns
        if self.end_ns <= self.start_ns:
            raise UserError("The end must lie after the start; give a later end.")
        self._market = market(profile, run.seed, self.start_ns, _BLOCK_S)
        self._made: list[Simulation] = []

    def chunks(self) -> Iterator[Chunk]:
        """All chunks from the start; what was made once is kept, so a second reading is free."""
        at = 0
        while True:
            if at == len(self._made):
                self._made.append(next(self._market))
            block = self._made[at]
            parts = {kind: _until(getattr(block, kind), self.end_ns) for kind in KINDS}
            if parts := {kind: part for kind, part in parts.items() if len(part)}:
                yield Chunk(parts)
            at += 1
            if self.start_ns + at * _BLOCK_S * 1e9 > self.end_ns:
                return


class ColumnsSource:
    """Columns that are in memory already, cut into chunks of about `rows` rows of each kind."""

    def __init__(self, instrument: Instrument, *parts: Columns, rows: int = CHUNK_ROWS) -> None:
        self.instrument = instrument
        self._parts = {type(part).__name__.lower(): part for part in parts if len(part)}
        self.kinds = frozenset(self._parts)
        self.start_ns = min(int(part.ts_init[0]) for part in self._parts.values())
        self.end_ns = max(int(part.ts_init[-1]) for part in self._parts.values())
        self._rows = rows

    def chunks(self) -> Iterator[Chunk]:
        """All chunks from the start."""
        done = dict.fromkeys(self._parts, 0)
        while any(done[kind] < len(part) for kind, part in self._parts.items()):
            until = min(
                int(part.ts_init[min(done[kind] + self._rows, len(part)) - 1])
                for kind, part in self._parts.items()
                if done[kind] < len(part)
            )
            taken = {}
            for kind, part in self._parts.items():
                end = int(np.searchsorted(part.ts_init, until, side="right"))
                if end > done[kind]:
                    taken[kind] = part.take(slice(done[kind], end))
                    done[kind] = end
            yield Chunk(taken)


def _readable(ts: int) -> str:
    return str(np.datetime64(ts, "ns").astype("datetime64[ms]"))


def _until[C: Columns](columns: C, end_ns: int) -> C:
    return columns.take(slice(0, int(np.searchsorted(columns.ts_init, end_ns, side="right"))))
