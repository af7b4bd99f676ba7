"""What the footers of the store's files say: which rows lie where in time, without reading a row."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from engine.columns import Columns
from engine.errors import UserError
from engine.store.schema import empty, from_table, is_stored_schema, restated


@dataclass(frozen=True, slots=True)
class RowGroup:
    """One row group of one file, with the ranges of its times (both ends included)."""

    path: Path
    number: int
    rows: int
    first_event_ns: int
    last_event_ns: int
    first_init_ns: int
    last_init_ns: int


def open_parquet(path: Path) -> pq.ParquetFile:
    """Open one file of the store.

    Raises
    ------
    UserError
        It is missing, unreadable or damaged, or was not written by this store.
    """
    try:
        file = pq.ParquetFile(path, memory_map=True, page_checksum_verification=True)
    except (OSError, pa.ArrowException) as error:
        raise UserError(
            f"The store's file {path} cannot be read; delete it and import that day again."
        ) from error
    if not is_stored_schema(path.parent.name, file.schema_arrow):
        file.close()
        raise UserError(
            f"The file {path} has not the columns of stored {path.parent.name}; move it out of the store and "
            "read it with 'nexttick import'."
        )
    return file


def row_groups(paths: Iterable[Path]) -> list[RowGroup]:
    """All row groups of `paths`, in the order of the files."""
    return [group for path in paths for group in _of_file(path)]


def _of_file(path: Path) -> list[RowGroup]:
    groups = []
    with open_parquet(path) as file:
        metadata = file.metadata
        event, init = (file.schema.names.index(name) for name in ("ts_event", "ts_init"))
        for number in range(metadata.num_row_groups):
            group = metadata.row_group(number)
            if not group.num_rows:
                continue
            events, inits = group.column(event).statistics, group.column(init).statistics
            groups.append(
                RowGroup(path, number, group.num_rows, events.min, events.max, inits.min, inits.max)
            )
    return groups


def read_rows(kind: str, group: RowGroup) -> Columns:
    """Rows of one group as they are stored, in the order of `ts_event`."""
    with open_parquet(group.path) as file:
        try:
            return from_table(kind, file.read_row_group(group.number, use_threads=True))
        except (OSError, pa.ArrowException) as error:
            raise UserError(
                f"The store's file {group.path} is damaged; delete it and import that day again."
            ) from error


def read_file(kind: str, path: Path, precisions: tuple[int, int]) -> Columns:
    """All rows of one file, with at least as many decimals as `precisions`; none where there is no file."""
    groups = row_groups([path]) if path.exists() else []
    parts = [restated(read_rows(kind, group), *precisions) for group in groups]
    return type(parts[0]).concat(parts) if parts else empty(kind, *precisions)
