"""Timed rows that are no ticks: news, releases of the economic calendar, depth by distance.

Layout: `STORE/series/NAME/YYYY-01-01.parquet`, one plain file a year of `ts_event`, sorted by `ts_event`,
then `ts_init`, then arrival. Every table has `ts_event` (when it happened, or was to happen) and `ts_init`
(from when it could be known; nothing is shown or computed before), both int64, ns UTC; its other columns are
its own and the same in all its files.

A row that is equal in all columns but `ts_init` to a stored one is the same row; the first stored is kept.
"""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Final

import msgspec
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from engine.errors import UserError, unknown_name
from engine.store.flushing import flush
from engine.store.locking import exclusive
from engine.store.seals import UNSEALED, seal

FOLDER: Final = "series"
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_TIMES: Final = ("ts_event", "ts_init")
_YEAR_NS: Final = "year_of_file"


class SeriesAdded(msgspec.Struct, frozen=True):
    """Rows of one write that are newly stored, and those that were there already."""

    rows: int
    duplicates: int


class SeriesStore:
    """The series of the tick store in folder `root`."""

    def __init__(self, root: Path) -> None:
        self._folder = root / FOLDER

    def names(self) -> list[str]:
        """All series, sorted."""
        return sorted(path.name for path in self._folder.glob("*") if any(path.glob("*.parquet")))

    def columns(self, name: str) -> list[str]:
        """Columns of a series, the times first.

        Raises
        ------
        UserError
            There is no such series, or its file is damaged.
        """
        return _read(self._known_files(name)[0]).columns

    def read(self, name: str, start_ns: int | None = None, end_ns: int | None = None) -> pa.Table:
        """Rows with `start_ns <= ts_init < end_ns` in the order in which they could be known.

        Raises
        ------
        UserError
            There is no such series, or a file of it is damaged.
        """
        rows = pl.concat([_read(path) for path in self._known_files(name)])
        if start_ns is not None:
            rows = rows.filter(pl.col("ts_init") >= start_ns)
        if end_ns is not None:
            rows = rows.filter(pl.col("ts_init") < end_ns)
        return rows.sort("ts_init", maintain_order=True).to_arrow()

    def add(self, name: str, table: pa.Table, waiting: Callable[[], None] | None = None) -> SeriesAdded:
        """Merge rows into a series; its first rows say which columns it has.

        Parameters
        ----------
        waiting : callable or None
            Called again and again while another process writes this series; None: refuse to wait.

        Raises
        ------
        UserError
            A bad name, other columns than the stored ones, another process writes the series, or the store
            cannot be written; it is as it was.
        ValueError
            The table has no times.
        """
        if not set(_TIMES) <= set(table.column_names):
            raise ValueError(f"a series has columns {' and '.join(_TIMES)}")
        if not _NAME.fullmatch(name):
            raise UserError(f"{name!r} cannot name a series; use letters, digits, dots and dashes.")
        folder = self._folder / name
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with exclusive(folder, f"the series {name}", waiting):
                return _merge(folder, name, _frame(table))
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
            raise UserError(f"The series {name} cannot be written ({reason}); it is as it was.") from error

    def _known_files(self, name: str) -> list[Path]:
        files = sorted((self._folder / name).glob("????-01-01.parquet")) if _NAME.fullmatch(name) else []
        if not files:
            raise unknown_name("series", name, self.names())
        return files


def _frame(table: pa.Table) -> pl.DataFrame:
    frame = pl.DataFrame(table)
    return frame.select(*_TIMES, *sorted(set(frame.columns) - set(_TIMES)))


def _merge(folder: Path, name: str, new: pl.DataFrame) -> SeriesAdded:
    for path in folder.glob(".*.part"):
        path.unlink()  # a write that was killed left it
    years = new.with_columns(pl.from_epoch("ts_event", "ns").dt.year().alias(_YEAR_NS)).partition_by(
        _YEAR_NS, as_dict=True, include_key=False
    )
    identity = [column for column in new.columns if column != "ts_init"]
    staged: list[tuple[Path, Path]] = []
    added = 0
    for (year,), part in sorted(years.items()):
        path = folder / f"{year:04}-01-01.parquet"
        stored = _read(path) if path.exists() else part.clear()
        if stored.schema != part.schema:
            raise UserError(
                f"The series {name} has columns {_columns(stored)}, but the new rows have {_columns(part)}; "
                "store them under another name."
            )
        rows = pl.concat([stored, part]).unique(subset=identity, keep="first", maintain_order=True)
        if len(rows) > len(stored):
            added += len(rows) - len(stored)
            staged.append((_stage(path, rows.sort(_TIMES, maintain_order=True)), path))
    for beside, path in staged:
        beside.replace(path)
    return SeriesAdded(added, len(new) - added)


def _columns(frame: pl.DataFrame) -> str:
    return ", ".join(f"{name} ({dtype})" for name, dtype in frame.schema.items())


def _stage(path: Path, rows: pl.DataFrame) -> Path:
    beside = path.with_name(f".{path.name}.part")
    table = rows.to_arrow()
    with pq.ParquetWriter(beside, table.schema, compression="zstd", write_page_checksum=True) as writer:
        writer.write_table(table)
        writer.add_key_value_metadata(UNSEALED)
    seal(beside)
    flush(beside)
    return beside


def _read(path: Path) -> pl.DataFrame:
    try:
        return pl.read_parquet(path)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise UserError(
            f"The store's file {path} is damaged; delete it and import that year again."
        ) from error
