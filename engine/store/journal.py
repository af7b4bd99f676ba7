"""What repairs took out of an instrument's files and put into them, kept so that each can be undone.

::

    STORE/INSTRUMENT/repairs/0001/repair.json                        the `Repair`
    STORE/INSTRUMENT/repairs/0001/removed/KIND/YYYY-MM-DD.parquet    rows that it took out of that file
    STORE/INSTRUMENT/repairs/0001/added/KIND/YYYY-MM-DD.parquet      rows that it put there
    STORE/INSTRUMENT/repairs/0001/pending/…                          only while it is being put in place

Kept rows have a column more, `ahead`: how many rows of the same `ts_event` and `ts_init` stood before theirs
and stayed, which is what puts them back into their very place.

A repair (and its undoing) is made whole beside the instrument's files, in `repairs/.0001`, with the new files
under `pending`. One rename makes it valid; then the new files are moved over the old ones. Killed before that
rename, nothing has happened; killed after it, `pending` is still there, and whoever writes this instrument
next moves the rest before anything else.
"""

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec
import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from engine.columns import Columns, Int64
from engine.errors import UserError
from engine.messages.data import Repair
from engine.messages.instrument import Instrument
from engine.store.flushing import flush, flush_folders
from engine.store.merging import Mask, joined
from engine.store.row_groups import open_parquet
from engine.store.schema import ROW_GROUP_ROWS, from_arrow, table_writer, to_arrow, to_table
from engine.store.seals import write_sealed_json

_FOLDER: Final = "repairs"
_PENDING: Final = "pending"
_RECORD: Final = "repair.json"
_FACTS: Final = "instrument.json"
_SIDES: Final = ("removed", "added")


@dataclass(frozen=True, slots=True)
class Kept:
    """Rows of one file that a repair took out or put in, in their order.

    `ahead` counts the rows of the same `ts_event` and `ts_init` that stood before each and were not the
    repair's.
    """

    rows: Columns
    ahead: Int64


# -- what was done ----------------------------------------------------------------------------------------


def records(folder: Path) -> list[Repair]:
    """All repairs of the instrument in `folder`, oldest first.

    Raises
    ------
    UserError
        A record is damaged.
    """
    return [_record(path) for path in _folders(folder)]


def record_files(folder: Path) -> list[Path]:
    """Files of the records of all repairs of the instrument in `folder`, oldest first."""
    return [_record_file(path) for path in _folders(folder)]


def is_unfinished(folder: Path) -> bool:
    """Whether a repair, or its undoing, was interrupted and waits to be finished."""
    return any((path / _PENDING).is_dir() for path in _folders(folder)) or any(_drafts(folder))


def _folders(folder: Path) -> list[Path]:
    return sorted(path for path in (folder / _FOLDER).glob("[0-9]*") if path.is_dir())


def _drafts(folder: Path) -> Iterator[Path]:
    return (folder / _FOLDER).glob(".[0-9]*")


def _record_file(path: Path) -> Path:
    pending = path / _PENDING / _RECORD
    return pending if pending.is_file() else path / _RECORD


def _record(path: Path) -> Repair:
    record = _record_file(path)
    try:
        return msgspec.json.decode(record.read_bytes(), type=Repair)
    except (OSError, msgspec.DecodeError) as error:
        raise UserError(
            f"The record {record} is damaged, so what this repair did cannot be told; restore it from a "
            f"copy, or delete the folder {path} and keep the rows as they are."
        ) from error


def files(folder: Path, number: int, side: str, kind: str) -> dict[str, Path]:
    """Files of kept rows by the day of the file that they belong to; `side` is removed or added."""
    return {path.stem: path for path in sorted((_numbered(folder, number) / side / kind).glob("*.parquet"))}


def repairs_of(folder: Path, kind: str, day: str) -> list[int]:
    """Numbers of the repairs in force that changed one stored file."""
    name = Path(kind) / f"{day}.parquet"
    changed = (repair for repair in _folders(folder) if (repair / "removed" / name).is_file())
    return [record.number for record in map(_record, changed) if not record.undone]


def all_kept(folder: Path, kind: str) -> list[Path]:
    """Files of the rows of one kind that all repairs keep."""
    return [path for repair in _folders(folder) for path in sorted(repair.glob(f"*/{kind}/*.parquet"))]


def ahead(path: Path) -> Int64:
    """Of each row of one file of the journal, how many of its times stood before it and stayed."""
    return _column(path, "ahead")


def times(path: Path) -> Int64:
    """`ts_event` of the rows of one file of the journal."""
    return _column(path, "ts_event")


def _column(path: Path, name: str) -> Int64:
    with open_parquet(path) as file:
        return from_arrow(file.read(columns=[name]).column(name))


def withheld_files(path: Path) -> list[Path]:
    """Files of the rows that repairs in force took out of the stored file `path`.

    An import counts those rows as stored: what was dropped does not come back with the same vendor's file.
    """
    kind = path.parent
    files = ((repair, repair / "removed" / kind.name / path.name) for repair in _folders(kind.parent))
    return [removed for repair, removed in files if removed.is_file() and not _record(repair).undone]


def _numbered(folder: Path, number: int) -> Path:
    return folder / _FOLDER / f"{number:04d}"


# -- taking rows out of a file, and putting rows in -------------------------------------------------------


def ahead_of(columns: Columns, removed: Mask) -> Int64:
    """Rows of the same times before each of the removed rows that stay: int64, one per removed row."""
    stays = np.cumsum(~removed)
    starts = _group_starts(columns)
    before_group = np.where(starts > 0, stays[starts - 1], 0)
    ahead: Int64 = (stays - before_group)[removed]
    return ahead


def exchanged(columns: Columns, out: Kept | None, into: Kept | None) -> tuple[Columns, int]:
    """One file's rows without the rows `out` and with the rows `into`, each in its place.

    Returns the rows, and how many of `out` are not there any more.
    """
    missing = 0
    if out is not None and len(out.rows):
        places, found = _places(columns, out)
        missing = len(out.rows) - int(found.sum())
        columns = columns.take(np.delete(np.arange(len(columns)), places[found]))
    if into is None or not len(into.rows):
        return columns, missing
    both = joined([into.rows, columns])
    rank = np.arange(len(columns)) - _group_starts(columns)
    ahead = np.concatenate([into.ahead, rank])
    stayed = np.arange(len(both)) >= len(into.rows)
    return both.take(np.lexsort((stayed, ahead, both.ts_init, both.ts_event))), missing


def _group_starts(columns: Columns) -> Int64:
    """Of each row, the first row that has its `ts_event` and `ts_init`."""
    if not len(columns):
        return np.zeros(0, np.int64)
    new = np.ones(len(columns), np.bool_)
    new[1:] = (np.diff(columns.ts_event) != 0) | (np.diff(columns.ts_init) != 0)
    starts: Int64 = np.maximum.accumulate(np.where(new, np.arange(len(columns)), 0))
    return starts


def _places(columns: Columns, out: Kept) -> tuple[Int64, Mask]:
    """Rows of `columns` that are the rows `out`, and which of those were found there."""
    there = pl.DataFrame(
        {"event": columns.ts_event, "init": columns.ts_init, "start": _group_starts(columns)}
    )
    sought = pl.DataFrame({"event": out.rows.ts_event, "init": out.rows.ts_init})
    starts = sought.join(
        there.unique(["event", "init"], keep="first"), on=["event", "init"], how="left", maintain_order="left"
    )["start"].fill_null(len(columns))
    among = np.arange(len(out.rows)) - _group_starts(out.rows)
    places: Int64 = starts.to_numpy() + out.ahead + among
    found: Mask = places < len(columns)
    at = np.where(found, places, 0)
    if len(columns):
        wide_columns, wide_out = (part for part in _equally_deep(columns, out.rows))
        for name, array in wide_columns.arrays().items():
            equal = array[at] == wide_out.arrays()[name]
            found &= equal if equal.ndim == 1 else equal.all(axis=1)
    return places, found


def _equally_deep(left: Columns, right: Columns) -> tuple[Columns, Columns]:
    """Both with the levels of the deeper one."""
    both = joined([left, right])
    return both.take(slice(0, len(left))), both.take(slice(len(left), None))


# -- doing and undoing ------------------------------------------------------------------------------------


class FileDraft:
    """One stored file in a draft: its new rows, and those that are taken out and put in, as they come."""

    def __init__(self, folder: Path, name: Path, writers: ExitStack) -> None:
        self._files = {side: _RowsFile(folder / side / name, writers) for side in (_PENDING, *_SIDES)}

    def add(self, rows: Columns, removed: Kept | None = None, added: Kept | None = None) -> None:
        """Take the next rows that the file is to hold; no rows at all mean that it is to go."""
        self._files[_PENDING].add(to_table(rows))
        for side, part in zip(_SIDES, (removed, added), strict=True):
            if part is not None and len(part.rows):
                self._files[side].add(to_table(part.rows).append_column("ahead", to_arrow(part.ahead)))

    def complete(self) -> list[Path]:
        """Write what is left; the files that were written."""
        return [file.path for file in self._files.values() if file.complete()]


class _RowsFile:
    """Tables on their way into one file, in full row groups."""

    def __init__(self, path: Path, writers: ExitStack) -> None:
        self.path = path
        self._writers = writers
        self._write: Callable[[pa.Table], None] | None = None
        self._held: list[pa.Table] = []

    def add(self, table: pa.Table) -> None:
        if self._write is None:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._write = self._writers.enter_context(table_writer(self.path, table.schema))
        self._held.append(table)
        if sum(each.num_rows for each in self._held) >= ROW_GROUP_ROWS:
            rows = pa.concat_tables(self._held)
            whole = rows.num_rows // ROW_GROUP_ROWS * ROW_GROUP_ROWS
            self._write(rows.slice(0, whole))
            self._held = [rows.slice(whole)]

    def complete(self) -> bool:
        """Write what is left; whether there is a file at all."""
        if self._write is None:
            return False
        self._write(pa.concat_tables(self._held))
        return True


class Draft:
    """A repair, or its undoing, that is being made beside the instrument's files; nothing is valid yet."""

    def __init__(self, folder: Path, number: int) -> None:
        self._folder, self._number = folder, number
        self._path = folder / _FOLDER / f".{number:04d}"
        self._path.mkdir(parents=True)
        self._written: list[Path] = []

    @contextmanager
    def file(self, kind: str, day: str) -> Iterator["FileDraft"]:
        """What one stored file is to hold, and what is kept of it, as the block hands it over."""
        with ExitStack() as writers:
            made = FileDraft(self._path, Path(kind) / f"{day}.parquet", writers)
            yield made
            self._written += made.complete()

    def facts(self, instrument: Instrument) -> None:
        """Write what `instrument.json` is to say."""
        self._json(self._path / _PENDING / _FACTS, instrument)

    def commit(self, repair: Repair) -> None:
        """Make it valid and put the new files in place."""
        self._json(self._path / _PENDING / _RECORD, repair)
        for path in self._written:
            flush(path)
        flush_folders(path for path in self._path.rglob("*") if path.is_dir())
        valid = _numbered(self._folder, self._number)
        if valid.is_dir():
            (self._path / _PENDING).rename(valid / _PENDING)
            shutil.rmtree(self._path)
        else:
            self._path.rename(valid)
        flush_folders([valid, valid.parent])
        finish(self._folder)

    def discard(self) -> None:
        """Leave no trace."""
        shutil.rmtree(self._path, ignore_errors=True)
        if not any(self._path.parent.iterdir()):
            self._path.parent.rmdir()

    def _json(self, path: Path, said: msgspec.Struct) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_sealed_json(said, path)
        self._written.append(path)


def finish(folder: Path) -> None:
    """Complete repairs that were made valid but not put in place; the caller holds the instrument's lock.

    What was begun and never made valid is removed.
    """
    for draft in _drafts(folder):
        shutil.rmtree(draft)
    for repair in _folders(folder):
        pending = repair / _PENDING
        if pending.is_dir():
            _put_in_place(folder, repair, pending)


def _put_in_place(folder: Path, repair: Path, pending: Path) -> None:
    """Facts first, because readers restate an older file up to their precision; the record last."""
    facts = pending / _FACTS
    if facts.is_file():
        facts.replace(folder / _FACTS)
    for path in sorted(pending.glob("*/*.parquet")):
        file = folder / path.relative_to(pending)
        if pq.read_metadata(path).num_rows:
            file.parent.mkdir(exist_ok=True)
            path.replace(file)
        else:
            file.unlink(missing_ok=True)
            path.unlink()
    flush_folders(path for path in folder.iterdir() if path.is_dir())
    record = pending / _RECORD
    if record.is_file():
        record.replace(repair / _RECORD)
    shutil.rmtree(pending)
    flush_folders([repair])
