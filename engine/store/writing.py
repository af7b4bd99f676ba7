"""One write into one instrument's folder: merge, stage beside the old files, then rename into place."""

import contextlib
import os
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from functools import partial
from pathlib import Path

import msgspec

from engine.columns import Columns
from engine.messages.instrument import Instrument
from engine.store.incoming import Incoming
from engine.store.merging import joined, merge
from engine.store.row_groups import read_rows, row_groups
from engine.store.schema import empty, restated, write_parquet


class Added(msgspec.Struct, frozen=True):
    """What one write did, by kind: rows that are newly stored, and rows that were there already."""

    rows: dict[str, int]
    duplicates: dict[str, int]


def write(
    folder: Path,
    stored: Instrument | None,
    instrument: Instrument,
    new: Incoming,
    progress: Callable[[float], None],
) -> Added:
    """Merge `new` into the files under `folder`, one after another; the caller holds its lock.

    `stored` is what `instrument.json` says now, None where there is none yet.
    """
    _remove_staged(folder)
    instrument = _with_precision(instrument, stored, new)
    precisions = (instrument.price_precision, instrument.size_precision)
    grown = stored is not None and precisions != (stored.price_precision, stored.size_precision)
    files = {_file(folder, kind, day): (kind, load) for (kind, day), load in new.files.items()}
    if grown:  # days without new rows are restated too, so that all files have one schema
        for path in folder.glob("*/????-??-??.parquet"):
            files.setdefault(path, (path.parent.name, partial(empty, path.parent.name, *precisions)))
    added = Added(rows=dict.fromkeys(new.kinds, 0), duplicates=dict.fromkeys(new.kinds, 0))
    staged: list[tuple[Path, Path]] = []
    try:
        if instrument != stored:
            staged.append(_stage_instrument(folder, instrument))
        for done, (path, (kind, load)) in enumerate(files.items(), start=1):
            rows = restated(load(), *precisions)
            old = _stored_day(path, kind, precisions)
            merged, duplicates = merge(kind, old, rows)
            if len(rows):
                added.rows[kind] += len(rows) - duplicates
                added.duplicates[kind] += duplicates
            if merged is not old or grown:
                staged.append(_stage_day(path, merged))
            progress(done / len(files))
        _put_in_place(staged)
    except BaseException:
        _remove_staged(folder)
        raise
    return added


def _with_precision(instrument: Instrument, stored: Instrument | None, new: Incoming) -> Instrument:
    """Give the instrument the most decimals that it, its stored rows or its new rows have."""
    known: list[Instrument | Incoming] = [instrument, new, *([stored] if stored else [])]
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


def _file(folder: Path, kind: str, day: date) -> Path:
    return folder / kind / f"{day.isoformat()}.parquet"


def _stored_day(path: Path, kind: str, precisions: tuple[int, int]) -> Columns:
    if not path.exists():
        return empty(kind, *precisions)
    groups = row_groups([path])
    if not groups:
        return empty(kind, *precisions)
    return restated(joined([read_rows(kind, group) for group in groups]), *precisions)


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
