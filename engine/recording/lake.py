"""Recordings as Apache Iceberg tables in a local warehouse folder, through the optional package pyiceberg.

Each complete file is one append, marked with its name, so that sending it again adds nothing. A table holds
one kind of one instrument, `nexttick.EURUSD_SIM_quotes`, in the store's columns and the id of the recording;
`nexttick.events` holds all lines. Iceberg has no 64-bit decimals and no bytes: they widen, exactly.
"""

from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import pyarrow as pa

from engine.errors import UserError
from engine.recording import audit
from engine.recording.journal import read_lines
from engine.recording.manifest import Manifest
from engine.recording.segments import read_segment, segment_of
from engine.recording.tables import lines_table
from engine.store.schema import to_table

_NAMESPACE: Final = "nexttick"
_MARK: Final = "nexttick.file"


class Lake:
    """Appends to the tables of a warehouse; its catalog is an SQLite file in the same folder."""

    def __init__(self, folder: str) -> None:
        self.name = folder
        self._folder = Path(folder).expanduser()
        self._catalog: Any = None

    def send(self, path: Path, manifest: Manifest) -> None:
        """Append a file's rows.

        Raises
        ------
        UserError
            The package is not installed, or the file or the warehouse is damaged.
        OSError
            The warehouse cannot be written.
        """
        if path.suffix == ".json" or path.name == audit.NAME:
            return  # they describe and prove the rows; copies have them
        name = "events"
        if path.suffix == ".arrows":
            instrument = manifest.instrument.id.replace(".", "_").replace("-", "_")
            name = f"{instrument}_{path.name.partition('-')[0]}"
        rows = pa.concat_tables(_tables(path))
        try:
            self._append(name, rows, f"{path.parent.name}/{path.name}")
        except _failures() as error:
            raise OSError(str(error).partition("\n")[0]) from error

    def close(self) -> None:
        """Let go of the catalog."""
        if self._catalog is not None:
            self._catalog.close()
            self._catalog = None

    def _append(self, name: str, rows: pa.Table, mark: str) -> None:
        if self._catalog is None:
            self._catalog = _open_catalog(self._folder)
        table = self._catalog.create_table_if_not_exists((_NAMESPACE, name), schema=rows.schema)
        if not any(mark == _mark_of(snapshot) for snapshot in table.snapshots()):
            table.append(rows, snapshot_properties={_MARK: mark})


def _mark_of(snapshot: Any) -> str | None:
    return None if snapshot.summary is None else snapshot.summary.additional_properties.get(_MARK)


def _open_catalog(folder: Path) -> Any:
    from pyiceberg.catalog.sql import SqlCatalog  # noqa: PLC0415 - optional, and a second to import

    folder.mkdir(parents=True, exist_ok=True)
    where = folder.resolve()
    catalog = SqlCatalog(_NAMESPACE, uri=f"sqlite:///{where / 'catalog.db'}", warehouse=where.as_uri())
    catalog.create_namespace_if_not_exists(_NAMESPACE)
    return catalog


def _failures() -> tuple[type[Exception], ...]:
    if find_spec("pyiceberg") is None:
        raise UserError("pyiceberg is not installed; install it with: pip install 'nexttick-station[lake]'")
    from pyiceberg.exceptions import (  # noqa: PLC0415
        CommitFailedException,
        CommitStateUnknownException,
        RESTError,
    )
    from sqlalchemy.exc import SQLAlchemyError  # noqa: PLC0415

    return CommitFailedException, CommitStateUnknownException, RESTError, SQLAlchemyError, ValueError


def _tables(path: Path) -> Iterator[pa.Table]:
    recording = path.parent.name
    if path.suffix == ".jsonl":
        yield _of_recording(lines_table(read_lines([path])), recording)
        return
    segment = segment_of(path)
    if segment is None:
        raise FileNotFoundError(path)
    head = segment.head_rows
    for rows in read_segment(segment):
        table = _widened(to_table(rows.take(slice(min(head, len(rows)), None))))
        head = max(0, head - len(rows))
        yield _of_recording(table, recording)


def _of_recording(table: pa.Table, recording: str) -> pa.Table:
    return table.append_column("recording", pa.repeat(pa.scalar(recording), len(table)))


def _widened(table: pa.Table) -> pa.Table:
    wider = []
    for field in table.schema:
        kind = field.type
        if pa.types.is_decimal(kind):
            kind = pa.decimal128(kind.precision, kind.scale)
        elif pa.types.is_uint8(kind):
            kind = pa.int32()
        wider.append(pa.field(field.name, kind))
    return table.cast(pa.schema(wider))
