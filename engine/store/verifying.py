"""Proves that what is stored is what was written: every byte, every row, every file in its place.

A file is read twice, as bytes against its checksum (`engine.store.seals`) and as rows: pages against theirs,
the schema and precision against the instrument's, times against order, day and footer. Each problem names its
file and the next step; nothing is changed.
"""

import re
from collections.abc import Container, Iterator
from datetime import date
from pathlib import Path
from typing import Final

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from engine.columns import ACTIONS, KINDS, Columns, is_bars
from engine.errors import UserError
from engine.messages.instrument import Instrument
from engine.progress import Progress, silent
from engine.store import journal
from engine.store.incoming import DAY_NS
from engine.store.locking import exclusive
from engine.store.row_groups import RowGroup, read_rows, row_groups
from engine.store.seals import Seal, check_seal
from engine.store.series import FOLDER as SERIES
from engine.store.store import Store

_OURS: Final = ("instrument.json", "quality.json")
_DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}")
_EPOCH: Final = date(1970, 1, 1)


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that is not as it should be: the file, what is wrong and the next step."""

    path: str
    text: str


class Verified(msgspec.Struct, frozen=True, kw_only=True):
    """What was checked, and what was found.

    Attributes
    ----------
    files, rows, size_bytes : int
        Parquet files that were read, what repairs keep among them.
    without_checksum : int
        Files written before they had one, or by another program: only their rows were checked.
    records_without_checksum : int
        `instrument.json` and records of repairs from before they had one.
    problems : list of Problem
        Empty where all is well.
    """

    files: int
    rows: int
    size_bytes: int
    without_checksum: int
    records_without_checksum: int
    problems: list[Problem]


def verify(store: Store, instrument: str | None = None, progress: Progress = silent) -> Verified:
    """Check one instrument, or everything in the store.

    Raises
    ------
    UserError
        There is no such instrument.
    """
    if instrument is not None:
        store.instrument(instrument)
        folders = [store.root / instrument]
    else:
        folders = sorted(path for path in store.root.glob("[!.]*") if path.is_dir())
    files = [
        path for folder in folders for path in sorted(folder.rglob("*.parquet")) if _is_valid(store, path)
    ]
    problems = [problem for folder in folders for problem in _folder_problems(store, folder)]
    damaged = {Path(problem.path) for problem in problems}
    records = [seal for folder in folders for seal in _record_seals(folder)]
    rows = unsealed = 0
    for done, path in enumerate(files):
        progress(done / len(files), f"Verifying {path.relative_to(store.root)}")
        seal = check_seal(path)
        if seal is Seal.BROKEN:  # nothing it would say can be relied on, so its rows are not read
            text = f"Bytes of {path} have changed since it was written; {_next_step(store, path)}."
            problems.append(Problem(path=str(path), text=text))
            continue
        unsealed += seal is Seal.NONE
        try:
            rows += _checked_rows(store, path, damaged)
        except UserError as error:
            problems.append(Problem(path=str(path), text=str(error)))
    return Verified(
        files=len(files),
        rows=rows,
        size_bytes=sum(path.stat().st_size for path in files),
        without_checksum=unsealed,
        records_without_checksum=records.count(Seal.NONE),
        problems=problems,
    )


def _is_valid(store: Store, path: Path) -> bool:
    """Whether a file counts; names that begin with a dot are of what is not complete yet."""
    return not any(part.startswith(".") for part in path.relative_to(store.root).parts)


def _next_step(store: Store, path: Path) -> str:
    relative = path.relative_to(store.root)
    if "repairs" in relative.parts:
        return "restore it from a copy, or live without undoing that repair"
    if relative.parts[0] == SERIES:
        return "delete it and import that year again"
    folder = store.root / relative.parts[0]
    repaired = journal.repairs_of(folder, relative.parts[1], path.stem)
    if repaired:
        numbers = ", ".join(map(str, repaired))
        return f"delete it, import that day again, then undo and repeat what it was repaired by ({numbers})"
    return "delete it and import that day again"


# -- folders ----------------------------------------------------------------------------------------------


def _folder_problems(store: Store, folder: Path) -> Iterator[Problem]:
    """What stands in an instrument's folder that should not, or does not and should."""
    if folder.name == SERIES:
        return
    yield from _facts_problems(store, folder)
    yield from _record_problems(folder)
    leftovers = list(_leftovers(folder))
    if leftovers and not _is_written(folder):
        yield from leftovers
    for path in sorted(folder.glob("*")):
        if path.is_file() and path.name not in _OURS and not path.name.startswith("."):
            yield Problem(path=str(path), text=f"{path} is not the store's; move it out of the store.")


def _facts_problems(store: Store, folder: Path) -> Iterator[Problem]:
    facts = folder / "instrument.json"
    try:
        found = store.instrument(folder.name)
    except UserError as error:
        text = str(error) if facts.is_file() else f"{folder} holds no instrument.json; import into it again."
        yield Problem(path=str(facts), text=text)
        return
    if found.id != folder.name:
        text = f"{facts} is of {found.id}; put the folder under that name."
        yield Problem(path=str(facts), text=text)
    elif check_seal(facts) is Seal.BROKEN:
        text = f"{facts} has changed since it was written; restore it, or delete it and import again."
        yield Problem(path=str(facts), text=text)


def _record_problems(folder: Path) -> Iterator[Problem]:
    try:
        journal.records(folder)
    except UserError as error:
        yield Problem(path=str(folder / "repairs"), text=str(error))
        return
    for record in journal.record_files(folder):
        if check_seal(record) is Seal.BROKEN:
            text = f"{record} has changed since it was written; restore it from a copy."
            yield Problem(path=str(record), text=text)


def _record_seals(folder: Path) -> Iterator[Seal]:
    for path in (folder / "instrument.json", *journal.record_files(folder)):
        if path.is_file():
            yield check_seal(path)


def _leftovers(folder: Path) -> Iterator[Problem]:
    """What is not complete: left by somebody who was killed, unless somebody writes there now."""
    if journal.is_unfinished(folder):
        text = f"A repair was interrupted; 'nexttick data repairs {folder.name}' completes it."
        yield Problem(path=str(folder / "repairs"), text=text)
    for path in sorted(folder.rglob("*.part")):
        text = f"{path} was left by a write that was killed; the next import of {folder.name} removes it."
        yield Problem(path=str(path), text=text)


def _is_written(folder: Path) -> bool:
    try:
        with exclusive(folder, folder.name):
            return False
    except UserError:
        return True


# -- files ------------------------------------------------------------------------------------------------


def _checked_rows(store: Store, path: Path, damaged: Container[Path]) -> int:
    """Rows of one file, once all of them were read and found as they should be.

    Where the instrument's facts are `damaged`, which has been told, no decimals are compared with them.
    """
    relative = path.relative_to(store.root)
    if relative.parts[0] == SERIES:
        return _read_series(path)
    if not _DAY.fullmatch(path.stem) or not _is_kind(path.parent.name):
        raise UserError(f"{path} is not the store's; move it out of the store.")
    if len(relative.parts) > 3:  # what repairs keep: rows of any times, in their own order
        return sum(len(read_rows(path.parent.name, group)) for group in row_groups([path]))
    facts_file = store.root / relative.parts[0] / "instrument.json"
    facts = None if facts_file in damaged else store.instrument(relative.parts[0])
    total, before = 0, None
    for group in row_groups([path]):
        rows = read_rows(path.parent.name, group)
        if facts is not None and _precisions(rows) != _precisions(facts):
            _complain(path, "has other decimals than instrument.json tells")
        before = _check_times(path, group, rows, before)
        total += len(rows)
    return total


def _precisions(of: Columns | Instrument) -> tuple[int, int]:
    return of.price_precision, of.size_precision


def _is_kind(name: str) -> bool:
    return name in KINDS or name == ACTIONS or is_bars(name)


def _read_series(path: Path) -> int:
    try:
        with pq.ParquetFile(path, page_checksum_verification=True) as file:
            return sum(batch.num_rows for batch in file.iter_batches())
    except (OSError, pa.ArrowException) as error:
        raise UserError(
            f"The store's file {path} is damaged; delete it and import that year again."
        ) from error


def _check_times(
    path: Path, group: RowGroup, rows: Columns, before: tuple[int, int] | None
) -> tuple[int, int]:
    """The last row's times, once the rows follow those before them, lie in the file's days and its footer."""
    event, init = rows.ts_event, rows.ts_init
    if before is not None:
        event, init = np.concatenate([[before[0]], event]), np.concatenate([[before[1]], init])
    steps = np.diff(event)
    if (steps < 0).any() or ((steps == 0) & (np.diff(init) < 0)).any():
        _complain(path, "is not in the order of its times")
    first, last = _days(path)
    if rows.ts_event[0] < first or rows.ts_event[-1] > last:
        _complain(path, "holds rows of other days than its name says")
    footer = (group.first_event_ns, group.last_event_ns, group.first_init_ns, group.last_init_ns)
    if footer != (rows.ts_event[0], rows.ts_event[-1], rows.ts_init.min(), rows.ts_init.max()):
        _complain(path, "has a footer that does not tell the times of its rows")
    return int(event[-1]), int(init[-1])


def _complain(path: Path, what: str) -> None:
    raise UserError(f"{path} {what}; delete it and import that day again.")


def _days(path: Path) -> tuple[int, int]:
    """First and last nanosecond of the days that the file's name stands for."""
    day = date.fromisoformat(path.stem)
    end = day if path.parent.name in KINDS else date(day.year, 12, 31)
    first, last = ((each - _EPOCH).days * DAY_NS for each in (day, end))
    return first, last + DAY_NS - 1
