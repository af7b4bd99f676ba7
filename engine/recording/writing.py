"""What the recorder's thread does: lines into the journal, rows into segments, old files make room."""

import contextlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

import msgspec

from engine.columns import Columns
from engine.messages.commands import AnyCommand
from engine.messages.events import AnyEvent, EpochBegan
from engine.messages.frames import Recorder
from engine.recording.journal import Journal, Line, OpenFile
from engine.recording.manifest import Manifest
from engine.recording.room import Room
from engine.recording.segments import SegmentWriter

_LEAST_FILE_BYTES: Final = 64 * 2**10
_FILES_IN_CAP: Final = 16


class Keeping(msgspec.Struct, frozen=True, kw_only=True):
    """Where and how much is recorded.

    Attributes
    ----------
    root : str
        Folder of all recordings.
    market : bool
        Market data too, or events alone.
    lines : bool
        Events and commands, too; without them the audit log alone.
    cap_bytes, total_cap_bytes : int
        Most bytes of one recording, and of all together; 0 is no limit.
    file_bytes : int
        Size at which a file is closed and the next begun; less where the cap is small.
    """

    root: str
    market: bool = True
    lines: bool = True
    cap_bytes: int = 2 * 2**30
    total_cap_bytes: int = 20 * 2**30
    file_bytes: int = 16 * 2**20


class Outbox(Protocol):
    """Takes complete files elsewhere; see `engine.recording.outbox`. No call but `close` waits."""

    def begin(self, manifest: Manifest) -> None:
        """A recording begins."""

    def offer(self, path: Path) -> None:
        """A file is complete."""

    @property
    def problem(self) -> str:
        """What keeps files from getting there, one sentence; empty while all is well."""

    def close(self, wait_s: float) -> None:
        """Take what is left for at most so long; the last call."""


@dataclass(frozen=True, slots=True)
class Rows:
    """Market data of a stretch of time by kind, not copied; `bytes` is what they take in memory."""

    part: Mapping[str, Columns]
    bytes: int


@dataclass(frozen=True, slots=True)
class Happened:
    """Events in their order."""

    events: Sequence[AnyEvent]
    at_ns: int
    bytes: int


@dataclass(frozen=True, slots=True)
class Asked:
    """A command."""

    command: AnyCommand
    ts: int
    at_ns: int
    bytes: int


@dataclass(frozen=True, slots=True)
class Lost:
    """So many rows by kind were left out here."""

    rows: Mapping[str, int]
    bytes: int = 0


type Item = Rows | Happened | Asked | Lost


class Writing:
    """One recording's open files.

    Parameters
    ----------
    folder : Path
    keeping : Keeping
    open_file : callable
    outbox : Outbox or None
        Told of every complete file.
    """

    def __init__(self, folder: Path, keeping: Keeping, open_file: OpenFile, outbox: Outbox | None) -> None:
        self._folder, self._open_file, self._outbox = folder, open_file, outbox
        self._cap, self._total_cap = keeping.cap_bytes, keeping.total_cap_bytes
        self._file_bytes = keeping.file_bytes
        if self._cap:
            fits = max(_LEAST_FILE_BYTES, self._cap // _FILES_IN_CAP)
            self._file_bytes = min(keeping.file_bytes, fits)
        self._room = Room(folder, self._cap, self._total_cap)
        self._journal = Journal(folder, open_file, self._file_bytes, self._offer)
        self._writers: dict[str, SegmentWriter] = {}
        self._number = 0
        self._epoch = 1
        self._received_lost = 0

    def take(self, items: Iterable[Item]) -> None:
        """Write what was handed over; raises OSError where the disk takes no more."""
        lines: list[Line] = []
        waiting: dict[str, list[Columns]] = {}
        for item in items:
            match item:
                case Rows(part):
                    for kind, rows in part.items():
                        waiting.setdefault(kind, []).append(rows)
                case Lost(rows=lost):
                    self._write(waiting)
                    waiting = {}
                    self._lose(lost)
                case Happened(events, at_ns):
                    lines += [self._line(event.ts, at_ns, event=event) for event in events]
                case Asked(command, ts, at_ns):
                    lines.append(self._line(ts, at_ns, command=command))
        self._journal.write(lines)
        self._write(waiting)

    def flush(self) -> None:
        """Hand all to the operating system, and keep within the caps."""
        self._journal.flush()
        for writer in self._writers.values():
            writer.flush()
        self._room.make(self._open_bytes)

    def close(self) -> None:
        """Complete all files."""
        self._journal.close()
        for writer in self._writers.values():
            self._complete(writer)
        self._room.make(self._open_bytes)

    def abandon(self) -> None:
        """Let go of all files as they are: the disk takes no more."""
        files: list[Journal | SegmentWriter] = [self._journal, *self._writers.values()]
        for file in files:
            with contextlib.suppress(OSError):
                file.close()

    @property
    def rows_kept(self) -> int:
        """Rows that are in the recording."""
        return sum(writer.rows for writer in self._writers.values()) - self._room.rows_dropped

    @property
    def taken_of_others(self) -> str:
        """One sentence where earlier recordings made room for this one; empty where none did."""
        if not self._room.freed_of_others:
            return ""
        return (
            f"All recordings together have reached their cap of {self._total_cap / 2**20:,.0f} MB: the "
            "oldest market data of earlier ones make room; give them more room in the settings to keep all."
        )

    def status(self) -> Recorder:
        """How it is doing."""
        dropped = self._room.rows_dropped
        capped = (
            f"The recording has reached its cap of {self._cap / 2**20:,.0f} MB: the oldest market data make "
            "room for new; give recordings more room in the settings to keep all."
        )
        return Recorder(
            state="capped" if dropped else "recording",
            folder=str(self._folder),
            bytes_written=self._room.bytes + self._open_bytes,
            cap_bytes=self._cap,
            rows=sum(writer.rows for writer in self._writers.values()),
            events=self._journal.lines,
            rows_lost=dropped + self._received_lost,
            text=capped if dropped else "",
        )

    @property
    def _open_bytes(self) -> int:
        return self._journal.bytes + sum(writer.bytes for writer in self._writers.values())

    def _line(
        self,
        ts: int,
        at_ns: int,
        *,
        event: AnyEvent | None = None,
        command: AnyCommand | None = None,
    ) -> Line:
        if isinstance(event, EpochBegan):
            self._epoch = event.epoch
        self._number += 1
        return Line(number=self._number, ts=ts, at_ns=at_ns, epoch=self._epoch, event=event, command=command)

    def _write(self, waiting: Mapping[str, Sequence[Columns]]) -> None:
        for kind, parts in waiting.items():
            writer = self._writer(kind)
            writer.write(parts[0] if len(parts) == 1 else type(parts[0]).concat(parts))
            if writer.bytes >= self._file_bytes:
                self._complete(writer)
                self._room.make_in_total()

    def _lose(self, lost: Mapping[str, int]) -> None:
        for kind, rows in lost.items():
            writer = self._writer(kind)
            self._complete(writer)
            writer.lose(rows)
            self._received_lost += rows

    def _writer(self, kind: str) -> SegmentWriter:
        if kind not in self._writers:
            self._writers[kind] = SegmentWriter(self._folder, kind, self._open_file)
        return self._writers[kind]

    def _complete(self, writer: SegmentWriter) -> None:
        done = writer.close()
        if done is not None:
            self._room.closed(*done)
            self._offer(done[0])

    def _offer(self, path: Path) -> None:
        if self._outbox is not None:
            self._outbox.offer(path)
