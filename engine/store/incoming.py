"""Rows on their way into the store: in memory, or set aside on disk while an import reads its files.

An import stores nothing before its last file is read, so what it has read must wait somewhere. It waits on
the store's own disk, cut by kind and day, and comes back a day at a time: memory holds the largest file and
the largest day, however many files there are.
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
import pyarrow as pa

from engine.columns import KINDS, Columns
from engine.store.merging import in_order, joined
from engine.store.schema import from_table, to_table

DAY_NS: Final = 86_400_000_000_000
_EPOCH: Final = date(1970, 1, 1)

type FileOf = tuple[str, date]
"""Kind and first UTC day of one file of the store."""


@dataclass(frozen=True, slots=True)
class Incoming:
    """New rows by the file that they belong to; each part is loaded when its turn comes, in `ts_event` order.

    Attributes
    ----------
    kinds : sequence of str
        All kinds that came, those without rows too.
    price_precision, size_precision : int
        The most decimals among the rows.
    """

    kinds: Sequence[str]
    files: Mapping[FileOf, Callable[[], Columns]]
    price_precision: int
    size_precision: int


def incoming(parts: Mapping[str, Columns]) -> Incoming:
    """Rows that are in memory, by kind."""
    return Incoming(
        list(parts),
        {
            (kind, day): partial(_itself, rows)
            for kind, part in parts.items()
            for day, rows in _by_file(kind, part)
        },
        max((part.price_precision for part in parts.values()), default=0),
        max((part.size_precision for part in parts.values()), default=0),
    )


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


@dataclass(frozen=True, slots=True)
class _Place:
    """One record batch of one spilled file."""

    path: Path
    batch: int


class Spill:
    """Rows set aside in `folder`, in Arrow files of one record batch a day; the folder is the caller's.

    `writable` is a context in which every file is written.
    """

    def __init__(self, folder: Path, writable: Callable[[], AbstractContextManager[None]]) -> None:
        self._folder, self._writable = folder, writable
        self._places: dict[FileOf, list[_Place]] = {}
        self._written = 0
        self._price_precision = self._size_precision = 0

    def add(self, kind: str, rows: Columns) -> None:
        """Set `rows` aside, after those of this kind that came before."""
        self._price_precision = max(self._price_precision, rows.price_precision)
        self._size_precision = max(self._size_precision, rows.size_precision)
        path = self._folder / f"{self._written}.arrow"
        self._written += 1
        options = pa.ipc.IpcWriteOptions(compression="lz4")
        with (
            self._writable(),
            pa.OSFile(str(path), "wb") as file,
            pa.ipc.new_file(file, to_table(rows.take(slice(0, 0))).schema, options=options) as out,
        ):
            for batch, (day, part) in enumerate(_by_file(kind, rows)):
                out.write_table(to_table(part))
                self._places.setdefault((kind, day), []).append(_Place(path, batch))

    def incoming(self) -> Incoming:
        """All rows set aside so far, oldest file of each kind first."""
        return Incoming(
            list(dict.fromkeys(kind for kind, _ in self._places)),
            {
                (kind, day): partial(_loaded, kind, places)
                for (kind, day), places in sorted(self._places.items(), key=lambda item: item[0])
            },
            self._price_precision,
            self._size_precision,
        )


def _loaded(kind: str, places: Sequence[_Place]) -> Columns:
    return in_order(joined([_read(kind, place) for place in places]))


def _read(kind: str, place: _Place) -> Columns:
    # Not memory-mapped: mapped pages count as this process's memory.
    with pa.OSFile(str(place.path)) as file:
        batch = pa.ipc.open_file(file).get_batch(place.batch)
    return from_table(kind, pa.Table.from_batches([batch]))
