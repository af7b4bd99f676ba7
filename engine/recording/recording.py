"""A recorded session as a reader finds it: what it says of itself, its market data in order, its lines.

A recording can be read while it is written, and after its process was killed: files are read up to their last
whole record batch.
"""

import shutil
from collections.abc import Iterator, Mapping
from itertools import pairwise
from pathlib import Path

import msgspec

from engine.columns import KINDS, Columns
from engine.errors import UserError, unknown_name
from engine.messages.run import Run
from engine.recording.journal import Line, read_lines
from engine.recording.manifest import NAME, Manifest, read_manifest
from engine.recording.room import size_of
from engine.recording.segments import Segment, read_segment, segments
from engine.store.locking import exclusive


class KindRows:
    """Rows of one kind, as many as there were when this was made: the same at every reading.

    Attributes
    ----------
    rows : int
        Rows that are there, without heads.
    lost : int
        Rows that were received and are not there.
    first_ns, last_ns : int
        Times of receipt of the first and the last row, ns UTC; 0 where there is none.
    """

    def __init__(self, folder: Path, kind: str) -> None:
        self._segments = segments(folder, kind)
        self.last_ns = 0
        of_last = 0
        while self._segments and not (of_last := self._measure(self._segments[-1])):
            self._segments.pop()  # killed before its first row
        self._counts = [_known_rows(*pair) for pair in pairwise(self._segments)]
        if self._segments:
            self._counts.append(of_last)
        self.rows = sum(self._counts)
        ends = [0, *(s.first_row + rows for s, rows in zip(self._segments, self._counts, strict=True))]
        self.lost = sum(s.first_row - end for s, end in zip(self._segments, ends, strict=False))
        first = next(self.batches(), None)
        self.first_ns = 0 if first is None else int(first.ts_init[0])

    def batches(self) -> Iterator[Columns]:
        """All rows in the order of receipt, a record batch at a time.

        Where rows are missing before others, book updates begin with the book as it was then.

        Raises
        ------
        UserError
            A file is damaged, or made room for newer data meanwhile.
        """
        end = 0
        for segment, count in zip(self._segments, self._counts, strict=True):
            passed = segment.head_rows if segment.first_row == end else 0
            left = count + segment.head_rows
            for rows in _read(segment):
                taken = rows.take(slice(min(passed, len(rows)), left))
                passed, left = max(0, passed - len(rows)), left - len(rows)
                if len(taken):
                    yield taken
                if left <= 0:
                    break
            if left > 0:
                raise UserError(f"{segment.path} is damaged; delete it to replay the other rows.")
            end = segment.first_row + count

    def _measure(self, segment: Segment) -> int:
        """Rows of a file without its head; notes the time of its last row."""
        rows = 0
        for part in _read(segment):
            rows += len(part)
            self.last_ns = int(part.ts_init[-1])
        return max(0, rows - segment.head_rows)


def _known_rows(segment: Segment, following: Segment) -> int:
    """Rows of a file without its head, which the next one tells where it is the next that was written."""
    if following.number == segment.number + 1:
        return following.first_row - following.lost_before - segment.first_row
    return sum(map(len, _read(segment))) - segment.head_rows


def _read(segment: Segment) -> Iterator[Columns]:
    try:
        yield from read_segment(segment)
    except FileNotFoundError as error:
        raise UserError(
            f"{segment.path.name} made room for newer market data while it was read; "
            "open the recording again, or when its session has ended."
        ) from error


class Recording:
    """One recording.

    Raises
    ------
    UserError
        The folder is none, or it was made by a newer program.

    Attributes
    ----------
    folder : Path
    manifest : Manifest
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.manifest: Manifest = read_manifest(folder)

    @property
    def id(self) -> str:
        """Name of the folder."""
        return self.folder.name

    @property
    def is_live(self) -> bool:
        """Whether a session still writes it."""
        if self.manifest.ended_ns is not None:
            return False
        try:
            with exclusive(self.folder, self.id):
                return False
        except UserError:
            return True
        except OSError:  # who may not write here cannot tell; a session could
            return False

    @property
    def bytes(self) -> int:
        """Size of all files."""
        return size_of(self.folder)

    @property
    def ending(self) -> str:
        """How it ended, in few words; the sentence of what stopped it where something did."""
        if self.manifest.problem:
            return self.manifest.problem
        if self.manifest.ended_ns is not None:
            return "ended with its session"
        return "still recording" if self.is_live else "killed; at most its last second is missing"

    def replay(self) -> Run:
        """Run that replays it: the same strategy, models and rules over what was recorded."""
        return msgspec.structs.replace(
            self.manifest.run,
            instrument=self.manifest.instrument.id,
            recording=str(self.folder),
            simulate=None,
            start_ns=None,
            end_ns=None,
        )

    def market(self) -> Mapping[str, KindRows]:
        """Market data by kind, as they are now; kinds without rows are left out."""
        found = {kind: KindRows(self.folder, kind) for kind in KINDS if kind in self.manifest.kinds}
        return {kind: rows for kind, rows in found.items() if rows.rows}

    @property
    def rows_lost(self) -> int:
        """Rows of market data that were received and are not there; of a killed session as far as known."""
        found = [KindRows(self.folder, kind) for kind in self.manifest.kinds]
        known = sum(each.lost for each in found)
        return max(known, self.manifest.rows_received - sum(each.rows for each in found))

    def lines(self) -> Iterator[Line]:
        """Events and commands in order; raises `UserError` where a file is damaged."""
        return read_lines(sorted(self.folder.glob("events-*.jsonl")))

    def delete(self) -> None:
        """Remove it.

        Raises
        ------
        UserError
            A session still writes it, or its files cannot be removed.
        """
        if self.is_live:
            raise UserError(f"The recording {self.id} is still written; end its session first.")
        try:
            shutil.rmtree(self.folder)
        except OSError as error:
            raise UserError(f"{self.folder} cannot be removed: {error.strerror}.") from error


def recordings(root: Path) -> tuple[list[Recording], list[str]]:
    """All recordings, newest first, and a sentence on each folder that cannot be read."""
    found, problems = [], []
    for path in sorted(root.glob(f"*/{NAME}"), reverse=True):
        try:
            found.append(Recording(path.parent))
        except UserError as error:
            problems.append(str(error))
    return found, problems


def open_recording(root: Path, name: str) -> Recording:
    """Recording of this id.

    Raises
    ------
    UserError
        There is none (the sentence names the nearest), or it cannot be read.
    """
    names = {path.parent.name for path in root.glob(f"*/{NAME}")}
    if name not in names:
        raise unknown_name("recording", name, names)
    return Recording(root / name)
