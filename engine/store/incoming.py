"""Rows on their way into the store: in memory, or set aside on disk while an import reads its files.

An import stores nothing before its last file is read, so what it has read must wait somewhere. It waits on
the store's own disk, cut by kind and day into small batches, and comes back in the order of time.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Final

import numpy as np
import polars as pl
import pyarrow as pa

from engine.columns import KINDS, Columns
from engine.errors import UserError
from engine.store.merging import in_order, levels
from engine.store.schema import from_table, to_table
from engine.store.stretches import Batch

DAY_NS: Final = 86_400_000_000_000
_EPOCH: Final = date(1970, 1, 1)
_BATCH_ROWS: Final = 16_384
"""Small, because merging holds one batch of every file that reaches into the same time."""

type FileOf = tuple[str, date]
"""Kind and first UTC day of one file of the store."""


@dataclass(frozen=True, slots=True)
class Incoming:
    """New rows by the file that they belong to, each file's in batches in the order of arrival.

    Attributes
    ----------
    kinds : sequence of str
        All kinds that came, those without rows too.
    price_precision, size_precision : int
        The most decimals among the rows.
    tick_precision : int
        The most decimals among the prices of ticks: a dividend has more than any order can.
    """

    kinds: Sequence[str]
    files: Mapping[FileOf, Sequence[Batch]]
    price_precision: int
    size_precision: int
    tick_precision: int


def incoming(parts: Mapping[str, Columns]) -> Incoming:
    """Rows that are in memory, by kind."""
    return Incoming(
        list(parts),
        {
            (kind, day): [_batch(rows, partial(_itself, rows))]
            for kind, part in parts.items()
            for day, rows in _by_file(kind, part)
        },
        max((part.price_precision for part in parts.values()), default=0),
        max((part.size_precision for part in parts.values()), default=0),
        max((part.price_precision for kind, part in parts.items() if kind in KINDS), default=0),
    )


def _batch(rows: Columns, load: Callable[[], Columns]) -> Batch:
    return Batch(int(rows.ts_event[0]), len(rows), load, levels(rows))


def _itself(rows: Columns) -> Columns:
    return rows


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


class Spill:
    """Rows set aside in `folder`, in Arrow files of small record batches; the folder is the caller's.

    `writable` is a context in which every file is written.
    """

    def __init__(self, folder: Path, writable: Callable[[], AbstractContextManager[None]]) -> None:
        self._folder, self._writable = folder, writable
        self._files: dict[FileOf, list[Batch]] = {}
        self._series: dict[tuple[str, object], list[Path]] = {}
        self._schemas: dict[str, pl.Schema] = {}
        self._written = 0
        self._price_precision = self._size_precision = self._tick_precision = 0

    def add(self, kind: str, rows: Columns) -> None:
        """Set `rows` aside, after those of this kind that came before."""
        self._price_precision = max(self._price_precision, rows.price_precision)
        self._size_precision = max(self._size_precision, rows.size_precision)
        if kind in KINDS:
            self._tick_precision = max(self._tick_precision, rows.price_precision)
        path = self._next_path()
        batches = [
            (day, part.take(slice(start, start + _BATCH_ROWS)))
            for day, part in _by_file(kind, rows)
            for start in range(0, len(part), _BATCH_ROWS)
        ]
        options = pa.ipc.IpcWriteOptions(compression="lz4")
        with (
            self._writable(),
            pa.OSFile(str(path), "wb") as file,
            pa.ipc.new_file(file, to_table(rows.take(slice(0, 0))).schema, options=options) as out,
        ):
            for _, part in batches:
                out.write_table(to_table(part))
        for number, (day, part) in enumerate(batches):
            batch = _batch(part, partial(_read, kind, path, number))
            self._files.setdefault((kind, day), []).append(batch)

    def add_series(self, name: str, table: pa.Table) -> None:
        """Set rows of a series aside, as `Decoded.series` brings them.

        Raises
        ------
        UserError
            Rows of this series that came before have other columns.
        """
        rows = pl.DataFrame(table).select(sorted(table.column_names))
        schema = self._schemas.setdefault(name, rows.schema)
        if rows.schema != schema:
            raise UserError(
                f"The files bring the series {name} once with columns {_said(schema)} and once with "
                f"{_said(rows.schema)}; import them one by one under different names."
            )
        year = pl.from_epoch("ts_event", "ns").dt.year()
        for (of,), part in rows.group_by(year, maintain_order=True):
            path = self._next_path()
            with self._writable():
                part.write_ipc(path)
            self._series.setdefault((name, of), []).append(path)

    def series(self) -> Iterator[tuple[str, pa.Table]]:
        """Rows of each series set aside so far, a year at a time."""
        for (name, _), paths in sorted(self._series.items(), key=lambda item: item[0]):
            yield name, pl.concat([pl.read_ipc(path.read_bytes()) for path in paths]).to_arrow()

    def _next_path(self) -> Path:
        self._written += 1
        return self._folder / f"{self._written}.arrow"

    def incoming(self) -> Incoming:
        """All rows set aside so far, oldest file of each kind first."""
        return Incoming(
            list(dict.fromkeys(kind for kind, _ in self._files)),
            dict(sorted(self._files.items(), key=lambda item: item[0])),
            self._price_precision,
            self._size_precision,
            self._tick_precision,
        )


def _said(schema: pl.Schema) -> str:
    return ", ".join(f"{name} ({dtype})" for name, dtype in schema.items())


def _read(kind: str, path: Path, number: int) -> Columns:
    # Not memory-mapped: mapped pages count as this process's memory.
    with pa.OSFile(str(path)) as file:
        batch = pa.ipc.open_file(file).get_batch(number)
    return from_table(kind, pa.Table.from_batches([batch]))
