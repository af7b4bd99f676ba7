"""Stored rows for other programs: CSV with exact decimals, or one Arrow file; a row group at a time.

Rows come in the order of `ts_event`, as they are stored. The file appears under its name once it is complete.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Final

import msgspec
import polars as pl
import pyarrow as pa

from engine.columns import Action, Aggressor, Columns, CorporateAction, Side, is_bars
from engine.errors import UserError, unknown_name
from engine.progress import Progress, silent
from engine.store.merging import levels, padded
from engine.store.row_groups import RowGroup, read_rows, row_groups
from engine.store.schema import empty, restated, to_table
from engine.store.store import Store

WORDS: Final[Mapping[str, Mapping[str, Mapping[int, str]]]] = {
    "trades": {
        "aggressor": {Aggressor.NONE: "", Aggressor.BUYER: "buyer", Aggressor.SELLER: "seller"},
    },
    "deltas": {
        "action": {int(action): action.name.lower() for action in Action},
        "side": {Side.NONE: "", Side.BUY: "bid", Side.SELL: "ask"},
    },
    "actions": {"action": {int(action): action.name.lower() for action in CorporateAction}},
}
"""Codes that a CSV tells in words, by kind and column."""

BARS_COLUMN: Final = "kind"
"""Last column of a CSV of bars: what kind of bars each row is, which no other column tells."""


class Exported(msgspec.Struct, frozen=True, kw_only=True):
    """What an export wrote."""

    instrument: str
    kind: str
    path: str
    rows: int
    size_bytes: int


def to_csv(
    store: Store,
    instrument: str,
    kind: str,
    path: Path,
    start_ns: int | None = None,
    end_ns: int | None = None,
    progress: Progress = silent,
) -> Exported:
    """Write rows with `start_ns <= ts_event < end_ns` as CSV: times in ns UTC, prices and sizes exact.

    Levels of whole books become columns `bid_0`, `bid_1` and so on, best first; bars name their kind in a
    column of its own. `engine.feeds.exported` reads it back.

    Raises
    ------
    UserError
        Nothing of this kind is stored, a stored file is damaged, or `path` cannot be written.
    """
    rows = _StoredRows(store, instrument, kind, start_ns, end_ns)
    deepest = rows.deepest() if kind == "depth" else 0
    with _written(path) as file:
        _csv_part(kind, padded(rows.none(), deepest), file, header=True)
        for part in rows.parts(progress):
            _csv_part(kind, padded(part, deepest), file, header=False)
    return rows.exported(path)


def to_arrow(
    store: Store,
    instrument: str,
    kind: str,
    path: Path,
    start_ns: int | None = None,
    end_ns: int | None = None,
    progress: Progress = silent,
) -> Exported:
    """Write rows with `start_ns <= ts_event < end_ns` as an Arrow (Feather) file, in the stored columns.

    Decimals are decimal128, which every reader of Arrow knows.

    Raises
    ------
    UserError
        Nothing of this kind is stored, a stored file is damaged, or `path` cannot be written.
    """
    rows = _StoredRows(store, instrument, kind, start_ns, end_ns)
    schema = _widened(to_table(rows.none()).schema)
    options = pa.ipc.IpcWriteOptions(compression="zstd")
    with _written(path) as file, pa.ipc.new_file(file, schema, options=options) as writer:
        for part in rows.parts(progress):
            writer.write_table(to_table(part).cast(schema))
    return rows.exported(path)


class _StoredRows:
    """Rows of one kind in a range of `ts_event`, and how many there were."""

    def __init__(
        self, store: Store, instrument: str, kind: str, start_ns: int | None, end_ns: int | None
    ) -> None:
        self._instrument, self._kind = instrument, kind
        self._start_ns, self._end_ns = start_ns, end_ns
        facts = store.instrument(instrument)
        self._precisions = facts.price_precision, facts.size_precision
        files = store.files(instrument, kind) if kind in store.kinds(instrument) else []
        if not files:
            stored = [each for each in store.kinds(instrument) if store.files(instrument, each)]
            raise unknown_name(f"kind of {instrument}", kind, stored)
        self._groups = [group for group in row_groups(files) if self._touches(group)]
        self._rows = 0

    def _touches(self, group: RowGroup) -> bool:
        return (self._start_ns is None or group.last_event_ns >= self._start_ns) and (
            self._end_ns is None or group.first_event_ns < self._end_ns
        )

    def none(self) -> Columns:
        """No rows, in the columns and decimals of all."""
        return empty(self._kind, *self._precisions)

    def deepest(self) -> int:
        """Levels of the deepest book."""
        first_of_file = {group.path: group for group in reversed(self._groups)}
        return max((levels(read_rows(self._kind, group)) for group in first_of_file.values()), default=0)

    def parts(self, progress: Progress) -> Iterator[Columns]:
        """The rows, a row group at a time."""
        for done, group in enumerate(self._groups):
            progress(done / len(self._groups), f"Exporting {self._kind} of {group.path.stem}")
            rows = restated(read_rows(self._kind, group), *self._precisions)
            if self._start_ns is not None:
                rows = rows.take(rows.ts_event >= self._start_ns)
            if self._end_ns is not None:
                rows = rows.take(rows.ts_event < self._end_ns)
            self._rows += len(rows)
            yield rows

    def exported(self, path: Path) -> Exported:
        """What was written to `path`."""
        return Exported(
            instrument=self._instrument,
            kind=self._kind,
            path=str(path),
            rows=self._rows,
            size_bytes=path.stat().st_size,
        )


@contextmanager
def _written(path: Path) -> Iterator[BinaryIO]:
    """Open a file beside `path` that takes its name once the block is complete."""
    beside = path.with_name(f".{path.name}.part")
    try:
        with beside.open("wb") as file:
            yield file
        beside.replace(path)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise UserError(f"{path} cannot be written ({reason}); choose another place.") from error
    finally:
        beside.unlink(missing_ok=True)


def csv_names(kind: str, deepest: int) -> list[str]:
    """Header of a CSV of this kind; of whole books with so many levels."""
    table = to_table(empty(kind, 0, 0))
    flat = [field.name for field in table.schema if not pa.types.is_list(field.type)]
    deep = [field.name for field in table.schema if pa.types.is_list(field.type)]
    levelled = [f"{name}_{level}" for name in deep for level in range(deepest)]
    return [*flat, *levelled, *([BARS_COLUMN] if is_bars(kind) else [])]


def _csv_part(kind: str, rows: Columns, file: BinaryIO, *, header: bool) -> None:
    frame = pl.DataFrame(to_table(rows))
    for name, words in WORDS.get(kind, {}).items():
        frame = frame.with_columns(pl.col(name).replace_strict(words, return_dtype=pl.String))
    for name, dtype in frame.schema.items():
        if isinstance(dtype, pl.List):
            deep = [pl.col(name).list.get(level).alias(f"{name}_{level}") for level in range(levels(rows))]
            frame = frame.with_columns(deep).drop(name)
    if is_bars(kind):
        frame = frame.with_columns(pl.lit(kind).alias(BARS_COLUMN))
    frame.select(csv_names(kind, levels(rows))).write_csv(file, include_header=header)


def _widened(schema: pa.Schema) -> pa.Schema:
    """Decimals as decimal128."""

    def wide(kind: pa.DataType) -> pa.DataType:
        if pa.types.is_list(kind):
            return pa.list_(wide(kind.value_type))
        return pa.decimal128(kind.precision, kind.scale) if pa.types.is_decimal(kind) else kind

    return pa.schema([(field.name, wide(field.type)) for field in schema])
