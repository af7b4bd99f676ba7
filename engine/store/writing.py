"""One write into one instrument's folder: merge, stage beside the old files, then rename into place."""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path

import msgspec

from engine.columns import Columns
from engine.messages.instrument import Instrument
from engine.store.flushing import flush, flush_folders
from engine.store.incoming import Incoming
from engine.store.journal import withheld_files
from engine.store.merging import joined, levels, merge, padded
from engine.store.resolutions import COARSE_NS
from engine.store.schema import ROW_GROUP_ROWS, empty, restated, to_table, write_tables
from engine.store.seals import write_sealed_json
from engine.store.stretches import Batch, stored_batches, stretches


class Added(msgspec.Struct, frozen=True):
    """What one write did, by kind: rows that are newly stored, and rows that were there already.

    Of the duplicates, `withheld` were left out because repairs had taken them out. `replaced` are rows,
    stored or of this write, that newer ones of the same time replaced. `interleaved` are new trades that lie
    among stored ones of which none came again: two sources that count trades differently look like that.
    """

    rows: dict[str, int]
    duplicates: dict[str, int]
    withheld: dict[str, int] = {}
    replaced: dict[str, int] = {}
    interleaved: dict[str, int] = {}


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
    files = {_file(folder, kind, day): (kind, batches) for (kind, day), batches in new.files.items()}
    if grown:  # days without new rows are restated too, so that all files have one schema
        for path in folder.glob("*/????-??-??.parquet"):
            files.setdefault(path, (path.parent.name, ()))
    added = Added(*(dict.fromkeys(new.kinds, 0) for _ in range(5)))
    staged: list[tuple[Path, Path]] = []
    try:
        if instrument != stored:
            staged.append(_stage_instrument(folder, instrument))
        for done, (path, (kind, batches)) in enumerate(files.items()):

            def told(part: float, done: int = done) -> None:
                progress((done + part) / len(files))

            merge_of_file = _FileMerge(path, kind, batches, precisions)
            if grown or merge_of_file.has_news():
                staged.append(merge_of_file.stage(told))
            if batches:
                added.rows[kind] += merge_of_file.added
                added.duplicates[kind] += sum(batch.rows for batch in batches) - merge_of_file.added
                added.withheld[kind] += merge_of_file.withheld
                added.replaced[kind] += merge_of_file.replaced
                added.interleaved[kind] += merge_of_file.interleaved
            told(1.0)
        _put_in_place(staged)
    except BaseException:
        _remove_staged(folder)
        raise
    return added


class _FileMerge:
    """New rows and one file of the store, merged a stretch of time at a time.

    Attributes
    ----------
    added : int
        New rows that were not stored, once `stage` has written them.
    withheld, replaced : int
        New rows that repairs had taken out, and rows that newer ones of the same time replaced, once
        `has_news` or `stage` has seen all.
    """

    def __init__(self, path: Path, kind: str, new: Sequence[Batch], precisions: tuple[int, int]) -> None:
        self.added = self.withheld = self.replaced = 0
        self._overlaps = False
        self._path, self._kind, self._new, self._precisions = path, kind, new, precisions
        self._stored = stored_batches(kind, [path] if path.exists() else [])
        self._withheld = stored_batches(kind, withheld_files(path) if new else [])

    @property
    def interleaved(self) -> int:
        """Trades that lie among stored ones of which none came again, once `stage` has written them."""
        is_foreign = self._overlaps and self.added == sum(batch.rows for batch in self._new)
        return self.added if is_foreign and self._kind == "trades" else 0

    def has_news(self) -> bool:
        """Whether any new row is not stored; ends at the first one."""
        is_first = not self._stored and not self._withheld
        return bool(self._new) and (is_first or any(added for _, added in self._stretches()))

    def stage(self, progress: Callable[[float], None]) -> tuple[Path, Path]:
        """Write the merged file beside the stored one, and answer both names."""
        self._path.parent.mkdir(exist_ok=True)
        beside = _staged_path(self._path)
        write_tables(map(to_table, self._row_groups(progress)), beside)
        flush(beside)
        return beside, self._path

    def _row_groups(self, progress: Callable[[float], None]) -> Iterator[Columns]:
        """Merged rows as a file keeps them: `ROW_GROUP_ROWS` at a time, and what is left."""
        read, total = 0, sum(batch.rows for batch in (*self._stored, *self._new))
        left = empty(self._kind, *self._precisions)
        is_empty = True
        for rows, added in self._stretches():
            self.added += added
            left = joined([left, rows])
            while len(left) >= ROW_GROUP_ROWS:
                yield left.take(slice(0, ROW_GROUP_ROWS))
                left, is_empty = left.take(slice(ROW_GROUP_ROWS, None)), False
            read += len(rows)
            progress(read / total)
        if len(left) or is_empty:
            yield left

    def _stretches(self) -> Iterator[tuple[Columns, int]]:
        """Merged rows of each stretch of time, and how many of the new ones in it were not stored."""
        self.withheld = self.replaced = 0
        depths = [batch.levels for batch in self._new]
        if self._kind == "depth":
            depths += [levels(batch.load()) for batch in (*self._stored[:1], *self._withheld)]
        together_ns = COARSE_NS if self._kind == "trades" else 1
        for parts in stretches([self._stored, self._new, self._withheld], ROW_GROUP_ROWS, together_ns):
            old, fresh, out = (self._joined(part, max(depths, default=0)) for part in parts)
            merged = merge(self._kind, old, fresh, out)
            if len(old) and len(fresh):
                first, last = fresh.ts_event.min(), fresh.ts_event.max()
                self._overlaps |= bool(old.ts_event[0] < last and first < old.ts_event[-1])
            self.withheld += merged.withheld
            self.replaced += merged.replaced
            yield merged.rows, len(fresh) - merged.duplicates

    def _joined(self, parts: list[Columns], deepest: int) -> Columns:
        rows = joined(parts) if parts else empty(self._kind, *self._precisions)
        return padded(restated(rows, *self._precisions), deepest)


def _with_precision(instrument: Instrument, stored: Instrument | None, new: Incoming) -> Instrument:
    """Give the instrument the most decimals that it, its stored rows or its new rows have."""
    known: list[Instrument | Incoming] = [instrument, new, *([stored] if stored else [])]
    price = max(each.price_precision for each in known)
    size = max(each.size_precision for each in known)
    ticks = [instrument.tick_size, Decimal(1).scaleb(-new.tick_precision)]
    if stored is not None and price > instrument.price_precision:
        ticks.append(stored.tick_size)  # what is stored already may have finer prices than these facts know
    return with_decimals(instrument, price, size, min(ticks))


def with_decimals(instrument: Instrument, price: int, size: int, tick: Decimal) -> Instrument:
    """The instrument at these precisions, no coarser than its own; its tick is `tick`, where they grow.

    Books show dust finer than the lot; the lot stays the step of an order, written with all decimals.
    """
    if price > instrument.price_precision:
        tick = tick.quantize(Decimal(1).scaleb(-price))
        instrument = msgspec.structs.replace(instrument, price_precision=price, tick_size=tick)
    if size > instrument.size_precision:
        lot = instrument.lot_size.quantize(Decimal(1).scaleb(-size))
        instrument = msgspec.structs.replace(instrument, size_precision=size, lot_size=lot)
    return instrument


def _file(folder: Path, kind: str, day: date) -> Path:
    return folder / kind / f"{day.isoformat()}.parquet"


def _staged_path(path: Path) -> Path:
    return path.with_name(f".{path.name}.part")


def _stage_instrument(folder: Path, instrument: Instrument) -> tuple[Path, Path]:
    path = folder / "instrument.json"
    beside = _staged_path(path)
    write_sealed_json(instrument, beside)
    flush(beside)
    return beside, path


def _put_in_place(staged: list[tuple[Path, Path]]) -> None:
    """Rename in order: `instrument.json` first, because readers restate an older day up to its precision."""
    for beside, path in staged:
        beside.replace(path)
    flush_folders(path.parent for _, path in staged)


def _remove_staged(folder: Path) -> None:
    """Delete what an earlier write left behind when it was killed."""
    for path in folder.rglob(".*.part"):
        path.unlink(missing_ok=True)
    for kind in folder.iterdir():
        if kind.is_dir():
            with contextlib.suppress(OSError):  # not empty: it holds days
                kind.rmdir()
