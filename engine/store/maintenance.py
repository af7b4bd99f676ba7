"""Upkeep of the store: how large it is, rewriting it smaller, and deleting what is no longer wanted."""

import shutil
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import date
from pathlib import Path
from typing import Final

import msgspec
import numpy as np
import pyarrow.parquet as pq

from engine.columns import KINDS, Columns
from engine.errors import UserError, unknown_name
from engine.progress import Progress, silent
from engine.store import journal
from engine.store.flushing import flush, flush_folders
from engine.store.merging import joined
from engine.store.row_groups import open_parquet, read_rows, row_groups
from engine.store.schema import LEVEL_KEY, ROW_GROUP_ROWS, to_table, write_tables
from engine.store.seals import Seal, check_seal
from engine.store.store import Store

COMPACT_LEVEL: Final = 15
"""ZSTD's level of compacted files: a day of EUR/USD takes a fifth less than at level 1, at 1 M rows/s."""


# -- sizes ------------------------------------------------------------------------------------------------


class KindSize(msgspec.Struct, frozen=True, kw_only=True):
    """What one kind of one instrument takes; kind `repairs` is what repairs keep."""

    instrument: str
    kind: str
    files: int
    rows: int
    size_bytes: int

    @property
    def bytes_per_million(self) -> int | None:
        """Bytes that a million rows take; None where there are no rows."""
        return round(self.size_bytes * 1_000_000 / self.rows) if self.rows else None


def sizes(store: Store, instrument: str) -> list[KindSize]:
    """Rows and bytes of each stored kind, from footers alone; kinds without files are left out.

    Raises
    ------
    UserError
        There is no such instrument, or a file is damaged.
    """
    store.instrument(instrument)
    folders = {kind: store.files(instrument, kind) for kind in store.kinds(instrument)}
    folders["repairs"] = sorted((store.root / instrument / "repairs").rglob("*.parquet"))
    return [
        KindSize(
            instrument=instrument,
            kind=kind,
            files=len(files),
            rows=sum(group.rows for group in row_groups(files)),
            size_bytes=sum(path.stat().st_size for path in files),
        )
        for kind, files in folders.items()
        if files
    ]


# -- compact ----------------------------------------------------------------------------------------------


class Compacted(msgspec.Struct, frozen=True, kw_only=True):
    """What `compact` did: files that it rewrote of all, and bytes of all before and after."""

    instrument: str
    files: int
    rewritten: int
    bytes_before: int
    bytes_after: int


def compact(
    store: Store,
    instrument: str,
    kinds: Sequence[str] | None = None,
    level: int = COMPACT_LEVEL,
    progress: Progress = silent,
) -> Compacted:
    """Rewrite files in full row groups at a stronger ZSTD level; no row changes.

    Each file is read back and compared before it takes the place of the old one, and stays as it is where it
    would not get smaller and has its checksum. A file that was compacted at this level is passed over until
    rows are added to it.

    Raises
    ------
    UserError
        There is no such instrument or kind, a file is damaged, or another process writes this instrument.
    """
    with store.writing(instrument):
        paths = [path for kind in _chosen(store, instrument, kinds) for path in store.files(instrument, kind)]
        before = sum(path.stat().st_size for path in paths)
        rewritten = 0
        for done, path in enumerate(paths):
            progress(done / len(paths), f"Compacting {path.parent.name} of {path.stem}")
            rewritten += _compacted(path, level)
        return Compacted(
            instrument=instrument,
            files=len(paths),
            rewritten=rewritten,
            bytes_before=before,
            bytes_after=sum(path.stat().st_size for path in paths),
        )


def _compacted(path: Path, level: int) -> bool:
    """Rewrite one file; whether it was replaced."""
    with open_parquet(path) as file:
        known = (file.metadata.metadata or {}).get(LEVEL_KEY.encode())
    if known is not None and int(known) >= level:
        return False
    beside = path.with_name(f".{path.name}.part")
    try:
        write_tables(map(to_table, _regrouped(path)), beside, level)
        if beside.stat().st_size >= path.stat().st_size and check_seal(path) is Seal.WHOLE:
            return False
        if not _same_rows(path, beside):
            raise UserError(f"{path} did not come back equal from compacting, so it was left; run verify.")
        flush(beside)
        beside.replace(path)
        flush_folders([path.parent])
        return True
    finally:
        beside.unlink(missing_ok=True)


def _regrouped(path: Path) -> Iterator[Columns]:
    """Rows of a file in groups of `ROW_GROUP_ROWS`, the last one shorter."""
    kind, waiting = path.parent.name, list[Columns]()
    for group in row_groups([path]):
        waiting.append(read_rows(kind, group))
        if sum(map(len, waiting)) >= ROW_GROUP_ROWS:
            rows = joined(waiting)
            whole = len(rows) // ROW_GROUP_ROWS * ROW_GROUP_ROWS
            for start in range(0, whole, ROW_GROUP_ROWS):
                yield rows.take(slice(start, start + ROW_GROUP_ROWS))
            waiting = [rows.take(slice(whole, None))]
    if waiting and len(waiting[-1]):
        yield joined(waiting)


def _same_rows(path: Path, other: Path) -> bool:
    written = (read_rows(path.parent.name, group) for group in row_groups([other]))
    return all(_equal(left, right) for left, right in zip(_regrouped(path), written, strict=True))


def _equal(left: Columns, right: Columns) -> bool:
    scales = (left.price_precision, left.size_precision), (right.price_precision, right.size_precision)
    return scales[0] == scales[1] and all(
        np.array_equal(array, right.arrays()[name]) for name, array in left.arrays().items()
    )


# -- prune ------------------------------------------------------------------------------------------------


class Pruned(msgspec.Struct, frozen=True, kw_only=True):
    """Files that `prune` deleted, or would delete; `whole_instrument` where nothing else of it is stored."""

    instrument: str
    files: int
    rows: int
    size_bytes: int
    first_day: str | None
    last_day: str | None
    whole_instrument: bool
    deleted: bool


def prune(
    store: Store,
    instrument: str,
    kinds: Sequence[str] | None = None,
    before: date | None = None,
    *,
    delete: bool = False,
) -> Pruned:
    """Tell which files lie wholly before a day; with `delete` delete them, and what repairs kept of them.

    Parameters
    ----------
    kinds : sequence of str or None
        Only these; None is all.
    before : date or None
        UTC day of which, and after which, everything stays; None: nothing stays. A file of bars holds a year
        and goes only as a whole.
    delete : bool
        False only tells.

    Raises
    ------
    UserError
        There is no such instrument or kind, or another process writes this instrument.
    """
    if not delete:
        return _pruned(store, instrument, kinds, before, delete=False)
    with store.writing(instrument):
        return _pruned(store, instrument, kinds, before, delete=True)


def _pruned(
    store: Store, instrument: str, kinds: Sequence[str] | None, before: date | None, *, delete: bool
) -> Pruned:
    folder = store.root / instrument
    chosen = _chosen(store, instrument, kinds)
    days = [path for kind in chosen for path in store.files(instrument, kind) if _lies_before(path, before)]
    kept = [path for kind in chosen for path in journal.all_kept(folder, kind) if _lies_before(path, before)]
    whole = set(days) >= {path for kind in store.kinds(instrument) for path in store.files(instrument, kind)}
    pruned = Pruned(
        instrument=instrument,
        files=len(days),
        rows=sum(_rows(path) for path in days),
        size_bytes=sum(path.stat().st_size for path in (*days, *kept)),
        first_day=min((path.stem for path in days), default=None),
        last_day=max((path.stem for path in days), default=None),
        whole_instrument=whole,
        deleted=delete,
    )
    if delete:
        _delete(folder, [*days, *kept], whole=whole)
    return pruned


def _lies_before(path: Path, before: date | None) -> bool:
    """Whether all days that a file can hold lie before `before`."""
    if before is None:
        return True
    first = date.fromisoformat(path.stem)
    last = first if path.parent.name in KINDS else date(first.year, 12, 31)
    return last < before


def _rows(path: Path) -> int:
    """Rows by the footer; 0 of a damaged file, which may be deleted too."""
    try:
        return int(pq.read_metadata(path).num_rows)
    except (OSError, ValueError):
        return 0


def _delete(folder: Path, files: Sequence[Path], *, whole: bool) -> None:
    for path in files:
        path.unlink(missing_ok=True)
        with suppress(OSError):  # it holds other days
            path.parent.rmdir()
    if whole:
        _delete_all(folder)


def _delete_all(folder: Path) -> None:
    """Delete what is left of an instrument but its lock; its facts last, because they make it one."""
    facts = folder / "instrument.json"
    for path in folder.iterdir():
        if path.is_dir():
            shutil.rmtree(path)
        elif path not in (facts, folder / ".lock"):
            path.unlink()
    facts.unlink()


def _chosen(store: Store, instrument: str, kinds: Sequence[str] | None) -> list[str]:
    store.instrument(instrument)
    stored = [kind for kind in store.kinds(instrument) if store.files(instrument, kind)]
    for kind in kinds or ():
        if kind not in stored:
            raise unknown_name(f"kind of {instrument}", kind, stored)
    return stored if kinds is None else list(dict.fromkeys(kinds))
