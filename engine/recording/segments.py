"""Market data of one kind on their way to disk: files of record batches, each readable without those before.

The one place that knows how a segment lies in a file; `engine.recording` says it in words.
"""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

import numpy as np
import pyarrow as pa

from engine.book import Book
from engine.columns import Action, Columns, Deltas, Flag, Int64, Side
from engine.recording.journal import OpenFile
from engine.store.schema import from_table, is_stored_schema, to_table

BATCH_ROWS: Final = 65_536
"""Most rows in one record batch, so that reading needs little memory."""

_NAME: Final = re.compile(r"([a-z]+)-(\d{6,})\.arrows")
# Without Arrow's own threads: the recorder's thread is all that recording may take.
_OPTIONS: Final = pa.ipc.IpcWriteOptions(compression="zstd", use_threads=False)


@dataclass(frozen=True, slots=True)
class Segment:
    """One file of market data; see `engine.recording` for the three counts."""

    path: Path
    kind: str
    number: int
    first_row: int
    lost_before: int
    head_rows: int


class SegmentWriter:
    """Writes one kind's rows; a new file begins where `close` or `lose` ended the last one.

    Parameters
    ----------
    folder : Path
    kind : str
    open_file : callable

    Attributes
    ----------
    rows : int
        Rows written.
    """

    def __init__(self, folder: Path, kind: str, open_file: OpenFile) -> None:
        self.rows = 0
        self._folder, self._kind, self._open_file = folder, kind, open_file
        self._number = 0
        self._received = 0
        self._lost = 0
        self._first_row = 0
        self._path = folder
        self._file: BinaryIO | None = None
        self._stream: pa.ipc.RecordBatchStreamWriter | None = None
        self._head = _Head() if kind == "deltas" else None

    @property
    def bytes(self) -> int:
        """Size of the file at hand, with what is still to be flushed."""
        return 0 if self._file is None else self._file.tell()

    def write(self, columns: Columns) -> None:
        """Append rows; raises OSError where the disk takes no more."""
        if self._stream is None:
            self._begin(columns)
        assert self._stream is not None  # noqa: S101 - begun just now
        for start in range(0, len(columns), BATCH_ROWS):
            self._stream.write_table(to_table(columns.take(slice(start, start + BATCH_ROWS))))
        if self._head is not None and isinstance(columns, Deltas):
            self._head.follow(columns)
        self.rows += len(columns)
        self._received += len(columns)

    def lose(self, rows: int) -> None:
        """So many rows were received here that will not be written; call it after `close`."""
        self._received += rows
        self._lost += rows
        if self._head is not None:
            self._head.forget()

    def flush(self) -> None:
        """Hand all to the operating system."""
        if self._file is not None:
            self._file.flush()

    def close(self) -> tuple[Path, int] | None:
        """Complete the file at hand: its path and its rows without the head; None where there is none."""
        if self._file is None:
            return None
        file, stream = self._file, self._stream
        self._file = self._stream = None
        with file:
            if stream is not None:  # the disk may have been full before its schema was written
                stream.close()
            file.flush()
            os.fsync(file.fileno())
        return self._path, self._received - self._first_row

    def _begin(self, columns: Columns) -> None:
        head = None if self._head is None or not self._received else self._head.rows(columns)
        self._number += 1
        self._path = self._folder / f"{self._kind}-{self._number:06d}.arrows"
        self._first_row = self._received
        counts = {
            "first_row": self._first_row,
            "lost_before": self._lost,
            "head_rows": 0 if head is None else len(head),
        }
        self._lost = 0
        schema = to_table(columns.take(slice(0, 0))).schema.with_metadata(
            {name: str(count) for name, count in counts.items()}
        )
        self._file = self._open_file(self._path)
        self._stream = pa.ipc.new_stream(self._file, schema, options=_OPTIONS)
        if head is not None:
            self._stream.write_table(to_table(head))


class _Head:
    """The book so far, as the rows that open a file of book updates."""

    def __init__(self) -> None:
        self._book = Book()
        self._last: Deltas | None = None

    def follow(self, deltas: Deltas) -> None:
        self._book.apply(deltas)
        self._last = deltas.take(slice(-1, None))

    def forget(self) -> None:
        self._book.clear()

    def rows(self, following: Columns) -> Deltas:
        """CLEAR and ADD rows at the time of the last update; where none is known, of the one that follows."""
        assert isinstance(following, Deltas)  # noqa: S101 - a head is of book updates
        at = self._last if self._last is not None else following.take(slice(0, 1))
        bids, asks = self._book.bids(), self._book.asks()
        levels = np.concatenate([np.zeros((1, 2), np.int64), bids, asks])
        count = len(levels)
        flags = np.full(count, Flag.SNAPSHOT if count > 1 else 0, np.uint8)
        flags[-1] |= Flag.LAST
        action = np.full(count, Action.ADD, np.uint8)
        action[0] = Action.CLEAR
        side = np.repeat(np.array([Side.NONE, Side.BUY, Side.SELL], np.uint8), (1, len(bids), len(asks)))
        return Deltas(
            ts_event=_times(at.ts_event, count),
            ts_init=_times(at.ts_init, count),
            action=action,
            side=side,
            price=levels[:, 0].copy(),
            size=levels[:, 1].copy(),
            flags=flags,
            sequence=_times(at.sequence, count),
            price_precision=at.price_precision,
            size_precision=at.size_precision,
        )


def _times(values: Int64, count: int) -> Int64:
    return np.repeat(values[:1], count)


def segments(folder: Path, kind: str) -> list[Segment]:
    """Files of one kind in a recording, oldest first; one that was cut off in its schema is left out."""
    found = []
    for path in sorted(folder.glob(f"{kind}-*.arrows")):
        segment = segment_of(path)
        if segment is not None:
            found.append(segment)
    return found


def segment_of(path: Path) -> Segment | None:
    """One file of market data; None where it is none, or was cut off in its schema."""
    named = _NAME.fullmatch(path.name)
    try:
        with pa.OSFile(str(path)) as file, pa.ipc.open_stream(file) as stream:
            schema = stream.schema
    except (OSError, pa.ArrowException):
        return None
    if named is None or not is_stored_schema(named[1], schema):
        return None
    counts = {name.decode(): int(count) for name, count in (schema.metadata or {}).items()}
    return Segment(
        path,
        named[1],
        int(named[2]),
        counts["first_row"],
        counts["lost_before"],
        counts["head_rows"],
    )


def read_segment(segment: Segment) -> Iterator[Columns]:
    """Rows of one file, a record batch at a time, its head among them; ends where the file was cut off.

    Raises
    ------
    FileNotFoundError
        It made room meanwhile.
    """
    with pa.OSFile(str(segment.path)) as file, pa.ipc.open_stream(file) as stream:
        while True:
            try:
                batch = stream.read_next_batch()
            except (StopIteration, pa.ArrowException, OSError):
                return
            yield from_table(segment.kind, pa.Table.from_batches([batch]))
