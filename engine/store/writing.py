"""One write into one instrument's folder: merge, stage beside the old files, then rename into place."""

import contextlib
import os
from collections.abc import Callable, Iterator, Mapping
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

import msgspec
import numpy as np

from engine.columns import KINDS, Columns
from engine.messages.instrument import Instrument
from engine.store.merging import in_order, merge
from engine.store.row_groups import read_rows, row_groups
from engine.store.schema import empty, restated, write_parquet

DAY_NS = 86_400_000_000_000
_EPOCH = date(1970, 1, 1)


class Added(msgspec.Struct, frozen=True):
    """What one write did, by kind: rows that are newly stored, and rows that were there already."""

    rows: dict[str, int]
    duplicates: dict[str, int]


def write(
    folder: Path,
    stored: Instrument | None,
    instrument: Instrument,
    parts: Mapping[str, Columns],
    progress: Callable[[float], None],
) -> Added:
    """Merge `parts` into the days under `folder`; the caller holds its lock.

    `stored` is what `instrument.json` says now, None where there is none yet.
    """
    _remove_staged(folder)
    instrument = _with_precision(instrument, stored, parts)
    precisions = (instrument.price_precision, instrument.size_precision)
    grown = stored is not None and precisions != (stored.price_precision, stored.size_precision)
    new_days = {
        _day_file(folder, kind, day): (kind, restated(rows, *precisions))
        for kind, part in parts.items()
        for day, rows in _by_file(kind, part)
    }
    if grown:  # days without new rows are restated too, so that all files have one schema
        for path in folder.glob("*/????-??-??.parquet"):
            new_days.setdefault(path, (path.parent.name, empty(path.parent.name, *precisions)))
    added = Added(rows=dict.fromkeys(parts, 0), duplicates=dict.fromkeys(parts, 0))
    staged: list[tuple[Path, Path]] = []
    try:
        if instrument != stored:
            staged.append(_stage_instrument(folder, instrument))
        for done, (path, (kind, new)) in enumerate(new_days.items(), start=1):
            old = _stored_day(path, kind, precisions)
            merged, duplicates = merge(kind, old, new)
            if len(new):
                added.rows[kind] += len(new) - duplicates
                added.duplicates[kind] += duplicates
            if merged is not old or grown:
                staged.append(_stage_day(path, merged))
            progress(done / len(new_days))
        _put_in_place(staged)
    except BaseException:
        _remove_staged(folder)
        raise
    return added


def _with_precision(
    instrument: Instrument, stored: Instrument | None, parts: Mapping[str, Columns]
) -> Instrument:
    """Give the instrument the most decimals that it, its stored rows or its new rows have."""
    known: list[Instrument | Columns] = [instrument, *([stored] if stored else []), *parts.values()]
    price = max(each.price_precision for each in known)
    size = max(each.size_precision for each in known)
    if price > instrument.price_precision:
        finest = min(instrument.tick_size, Decimal(1).scaleb(-price))
        instrument = msgspec.structs.replace(instrument, price_precision=price, tick_size=finest)
    if size > instrument.size_precision:
        # Books show dust finer than the lot; the lot stays the step of an order, written with all decimals.
        lot = instrument.lot_size.quantize(Decimal(1).scaleb(-size))
        instrument = msgspec.structs.replace(instrument, size_precision=size, lot_size=lot)
    return instrument


def _by_file(kind: str, columns: Columns) -> Iterator[tuple[date, Columns]]:
    """Rows by the first UTC day of their file, oldest first: ticks have a file a day, all else one a year."""
    columns = in_order(columns)
    days = columns.ts_event // DAY_NS
    if kind not in KINDS:
        years = days.astype("datetime64[D]").astype("datetime64[Y]")
        days = years.astype("datetime64[D]").astype(np.int64)
    starts: list[int] = np.flatnonzero(np.diff(days, prepend=days[:1] - 1)).tolist()
    for start, end in pairwise([*starts, len(days)]):
        yield _EPOCH + timedelta(days=int(days[start])), columns.take(slice(start, end))


def _day_file(folder: Path, kind: str, day: date) -> Path:
    return folder / kind / f"{day.isoformat()}.parquet"


def _stored_day(path: Path, kind: str, precisions: tuple[int, int]) -> Columns:
    if not path.exists():
        return empty(kind, *precisions)
    parts = [restated(read_rows(kind, group), *precisions) for group in row_groups([path])]
    return type(parts[0]).concat(parts) if parts else empty(kind, *precisions)


def _staged_path(path: Path) -> Path:
    return path.with_name(f".{path.name}.part")


def _stage_day(path: Path, rows: Columns) -> tuple[Path, Path]:
    path.parent.mkdir(exist_ok=True)
    beside = _staged_path(path)
    write_parquet(rows, beside)
    _flush(beside)
    return beside, path


def _stage_instrument(folder: Path, instrument: Instrument) -> tuple[Path, Path]:
    path = folder / "instrument.json"
    beside = _staged_path(path)
    beside.write_bytes(msgspec.json.format(msgspec.json.encode(instrument), indent=2) + b"\n")
    _flush(beside)
    return beside, path


def _flush(path: Path) -> None:
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def _put_in_place(staged: list[tuple[Path, Path]]) -> None:
    """Rename in order: `instrument.json` first, because readers restate an older day up to its precision."""
    for beside, path in staged:
        beside.replace(path)
    if os.name == "posix":  # elsewhere a folder cannot be flushed, and need not be
        for folder in {path.parent for _, path in staged}:
            descriptor = os.open(folder, os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)


def _remove_staged(folder: Path) -> None:
    """Delete what an earlier write left behind when it was killed."""
    for path in folder.rglob(".*.part"):
        path.unlink(missing_ok=True)
    for kind in folder.iterdir():
        if kind.is_dir():
            with contextlib.suppress(OSError):  # not empty: it holds days
                kind.rmdir()
