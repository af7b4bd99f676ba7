"""Results of checks beside the store's files, so that a list of thousands of days opens at once.

`STORE/INSTRUMENT/quality.json` holds each checked file's result with the size and the modification time that
the file had: one that has changed since counts as unchecked. It is a copy of what a check would find again,
so one that cannot be read is as good as none.
"""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from engine.errors import UserError
from engine.messages.data import Finding, StoredDay
from engine.quality.results import CheckedDay
from engine.quality.rules import checked_kinds
from engine.store import Store

_NAME = "quality.json"
_VERSION = 2
"""Grows with the rules, whose older results then no longer count."""


class _File(msgspec.Struct, frozen=True):
    size: int
    mtime_ns: int
    checked: CheckedDay


class _Kept(msgspec.Struct):
    version: int = _VERSION
    files: dict[str, _File] = {}
    """By `KIND/DAY`."""


def keep(
    store: Store, instrument: str, days: Mapping[Path, CheckedDay], read: Mapping[Path, os.stat_result]
) -> None:
    """Keep results of files, in place of older ones of the same files; others stay.

    `read` is what the files were before the check, so one that changed meanwhile is not taken for checked.

    Raises
    ------
    UserError
        The store cannot be written.
    """
    folder = store.root / instrument
    kept = _read(folder)
    for path, day in days.items():
        kept.files[_key(path)] = _File(read[path].st_size, read[path].st_mtime_ns, day)
    kept.files = {key: file for key, file in kept.files.items() if (folder / f"{key}.parquet").exists()}
    beside = folder / f".{_NAME}.{os.getpid()}"
    try:
        beside.write_bytes(msgspec.json.encode(kept))
        beside.replace(folder / _NAME)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise UserError(
            f"The result cannot be kept in {folder} ({reason}); make that folder writable."
        ) from error
    finally:
        beside.unlink(missing_ok=True)


def checked_days(store: Store, instrument: str) -> list[CheckedDay]:
    """Results of all files that are as they were when they were checked, by kind and day."""
    return [file.checked for _, file in sorted(_current(store.root / instrument).items())]


def findings(store: Store, instrument: str) -> list[Finding]:
    """Kept findings of all files that are as they were when they were checked, by kind and time.

    Raises
    ------
    UserError
        Nothing is stored under this name.
    """
    store.instrument(instrument)
    return [finding for day in checked_days(store, instrument) for finding in day.findings]


def stored_days(store: Store) -> list[StoredDay]:
    """Every file of the store with its rows (from its footer), its size, and its score if it was checked.

    A damaged file is listed with 0 rows and a score of 0: a list that hides it would not be true, and one
    that fails would hide all others.
    """
    return [day for instrument in store.instruments() for day in _days_of(store, instrument)]


def _days_of(store: Store, instrument: str) -> Iterable[StoredDay]:
    current = _current(store.root / instrument)
    for kind in checked_kinds(store.kinds(instrument)):
        for path in store.files(instrument, kind):
            checked = current.get(_key(path))
            rows, score, found = (None, None, 0) if checked is None else _told(checked.checked)
            if rows is None:
                rows = _rows(path)
            yield StoredDay(
                instrument=instrument,
                kind=kind,
                day=path.stem,
                rows=rows or 0,
                size_bytes=path.stat().st_size,
                score=0.0 if rows is None else score,
                findings=found,
            )


def _told(day: CheckedDay) -> tuple[int, float, int]:
    return day.rows, day.score, sum(day.counts.values())


def _rows(path: Path) -> int | None:
    """Rows that the footer tells; None where the file is damaged."""
    try:
        return int(pq.read_metadata(path, memory_map=True).num_rows)
    except (OSError, pa.ArrowException):
        return None


def _key(path: Path) -> str:
    return f"{path.parent.name}/{path.stem}"


def _read(folder: Path) -> _Kept:
    try:
        kept = msgspec.json.decode((folder / _NAME).read_bytes(), type=_Kept)
    except (OSError, msgspec.DecodeError):
        return _Kept()
    return kept if kept.version == _VERSION else _Kept()


def _current(folder: Path) -> dict[str, _File]:
    current = {}
    for key, file in _read(folder).files.items():
        path = folder / f"{key}.parquet"
        if path.is_file():
            stat = path.stat()
            if (stat.st_size, stat.st_mtime_ns) == (file.size, file.mtime_ns):
                current[key] = file
    return current
