"""How columns lie in Parquet: one place that knows the stored types, so files and `engine.columns` agree.

Prices and sizes are DECIMAL(18, precision) held as 64-bit integers, so a scaled int64 array is written and
read without touching its values. Times are plain int64 nanoseconds: DuckDB would cut a nanosecond timestamp
with a time zone to microseconds, and an integer means the same in every reader.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from engine.columns import Columns, Int64, columns_of
from engine.errors import UserError
from engine.store.seals import UNSEALED, seal

ROW_GROUP_ROWS = 131_072
"""Small enough that a time range skips most of a day, large enough to compress."""

LEVEL_KEY = "nexttick.zstd-level"
"""Footer's word for the level at which a file was compacted; absent where it was not."""

PRICES = frozenset({"bid", "ask", "price", "open", "high", "low", "close", "amount"})
SIZES = frozenset({"bid_size", "ask_size", "size", "volume"})
_BYTES = frozenset({"action", "side", "flags", "aggressor"})
_DICTIONARY = ("bid_size", "ask_size", "size", "action", "side", "flags", "aggressor")
_DECIMAL_DIGITS = 18
LARGEST = 10**_DECIMAL_DIGITS - 1


def restated(columns: Columns, price_precision: int, size_precision: int) -> Columns:
    """Return the same values with at least as many decimals; nothing is rounded.

    Raises
    ------
    UserError
        A value would need more than the 18 digits that the store keeps.
    ValueError
        A precision would shrink.
    """
    if (price_precision, size_precision) == (columns.price_precision, columns.size_precision):
        return columns
    powers = {
        **dict.fromkeys(PRICES, price_precision - columns.price_precision),
        **dict.fromkeys(SIZES, size_precision - columns.size_precision),
    }
    if min(powers.values()) < 0:
        raise ValueError("a precision can only grow")
    arrays: dict[str, npt.NDArray[np.generic]] = {}
    for name, array in columns.arrays().items():
        factor = 10 ** powers.get(name, 0)
        if factor == 1:
            arrays[name] = array
            continue
        if len(array) and int(np.abs(array).max()) > LARGEST // factor:
            digits = price_precision if name in PRICES else size_precision
            raise UserError(
                f"A {'price' if name in PRICES else 'size'} ({name.replace('_', ' ')}) would have more than "
                f"{_DECIMAL_DIGITS} digits at the {digits} decimals of its history, which the store cannot "
                "keep exactly; import it into another store, or delete the rows that have so many decimals."
            )
        arrays[name] = np.multiply(array, factor, dtype=np.int64)
    return type(columns)(
        **arrays,  # type: ignore[arg-type]
        price_precision=price_precision,
        size_precision=size_precision,
    )


def to_arrow(array: npt.NDArray[np.generic], kind: pa.DataType | None = None) -> pa.Array:
    """Column of these values without converting any; `[rows, levels]` becomes a list a row."""
    flat = np.ascontiguousarray(array).reshape(-1)
    stored = kind if kind is not None else pa.from_numpy_dtype(array.dtype)
    # From the buffer, because `pa.array` would import pandas to ask whether this is one of its arrays.
    values = pa.Array.from_buffers(stored, len(flat), [None, pa.py_buffer(flat)])
    if array.ndim == 1:
        return values
    rows, levels = array.shape
    offsets = pa.py_buffer(np.arange(rows + 1, dtype=np.int32) * levels)
    return pa.Array.from_buffers(pa.list_(stored), rows, [None, offsets], children=[values])


def to_table(columns: Columns) -> pa.Table:
    """Arrow table in the stored types; no value is converted."""
    price = pa.decimal64(_DECIMAL_DIGITS, columns.price_precision)
    size = pa.decimal64(_DECIMAL_DIGITS, columns.size_precision)
    types = {**dict.fromkeys(PRICES, price), **dict.fromkeys(SIZES, size)}
    return pa.table({name: to_arrow(array, types.get(name)) for name, array in columns.arrays().items()})


def write_parquet(columns: Columns, path: Path, level: int | None = None) -> None:
    """Write one file in the stored encoding, sealed: ZSTD, delta-packed integers, groups of 131,072 rows.

    Every page carries its checksum, and the whole file one (`engine.store.seals`), so that damage is found.
    `level` is ZSTD's, 1 where none is given; it is noted in the footer, so that it is known which files were
    compacted.
    """
    write_tables(iter([to_table(columns)]), path, level)


def write_tables(tables: Iterator[pa.Table], path: Path, level: int | None = None) -> None:
    """Write tables of one schema (at least one) one after another, each in row groups of its own."""
    first = next(tables)
    with table_writer(path, first.schema, level) as write:
        for table in chain([first], tables):
            write(table)


@contextmanager
def table_writer(
    path: Path, schema: pa.Schema, level: int | None = None
) -> Iterator[Callable[[pa.Table], None]]:
    """Write one sealed file in the stored encoding from the tables that the block hands over.

    A file that the block did not complete has no checksum.
    """
    plain = [name for name in schema.names if name not in _DICTIONARY]
    nested = any(pa.types.is_list(field.type) for field in schema)
    options: dict[str, Any] = {}
    if not nested:  # delta packing by column name reaches no list elements
        options = {
            "use_dictionary": [name for name in schema.names if name in _DICTIONARY],
            "column_encoding": dict.fromkeys(plain, "DELTA_BINARY_PACKED"),
        }
    with pq.ParquetWriter(
        path,
        schema,
        compression="zstd",
        compression_level=level,
        store_decimal_as_integer=True,
        write_page_index=True,
        write_page_checksum=True,
        **options,
    ) as writer:
        yield partial(writer.write_table, row_group_size=ROW_GROUP_ROWS)
        writer.add_key_value_metadata(UNSEALED if level is None else {**UNSEALED, LEVEL_KEY: str(level)})
    seal(path)


def from_arrow(column: pa.ChunkedArray) -> Int64:
    """Values of a stored column without copying: int64 or uint8, `[rows, levels]` where it holds lists."""
    array = column.combine_chunks()
    if isinstance(array, pa.ChunkedArray):  # no rows, no chunk
        array = pa.array([], column.type)
    if pa.types.is_list(array.type):
        rows = len(array)
        flat = from_arrow(pa.chunked_array([array.flatten()]))
        return flat.reshape(rows, len(flat) // rows if rows else 0)
    dtype = np.uint8 if pa.types.is_uint8(array.type) else np.int64
    values: Int64 = np.frombuffer(array.buffers()[1] or b"", dtype)  # `to_numpy` would import pandas
    return values[array.offset : array.offset + len(array)]


def from_table(kind: str, table: pa.Table) -> Columns:
    """Columns of a stored table, without copying; the precisions are those of its decimal types."""
    prices = next(name for name in table.column_names if name in PRICES)
    sizes = next((name for name in table.column_names if name in SIZES), None)
    return columns_of(kind)(
        **{name: from_arrow(table.column(name)) for name in columns_of(kind).array_names()},
        price_precision=decimal_type(table.schema, prices).scale,
        size_precision=0 if sizes is None else decimal_type(table.schema, sizes).scale,
    )


def is_stored_schema(kind: str, schema: pa.Schema) -> bool:
    """Whether a file of this schema can hold rows of `kind`; a foreign file put into the store cannot."""
    if not set(columns_of(kind).array_names()) <= set(schema.names):
        return False
    return all(
        pa.types.is_decimal(decimal_type(schema, name))
        if name in PRICES | SIZES
        else pa.types.is_integer(schema.field(name).type)
        for name in columns_of(kind).array_names()
    )


def decimal_type(schema: pa.Schema, name: str) -> Any:
    """Decimal type of a column, or of the elements of a list column."""
    stored = schema.field(name).type
    return stored.value_type if pa.types.is_list(stored) else stored


def empty(kind: str, price_precision: int, size_precision: int) -> Columns:
    """No rows of `kind`."""
    arrays = {
        name: np.zeros(0, np.uint8 if name in _BYTES else np.int64) for name in columns_of(kind).array_names()
    }
    if kind == "depth":
        arrays |= {name: np.zeros((0, 0), np.int64) for name in (*PRICES, *SIZES) if name in arrays}
    return columns_of(kind)(
        **arrays,  # type: ignore[arg-type]
        price_precision=price_precision,
        size_precision=size_precision,
    )
