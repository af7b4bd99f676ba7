"""The tick store: a folder of plain Parquet files, one per instrument, kind and UTC day.

Reading never needs this class (see the package's docstring for the schema); writing goes through it, because
a write merges, sorts, counts duplicates and replaces whole files.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Literal, overload

import msgspec
import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from engine.columns import ACTIONS, KINDS, Columns, Deltas, Quotes, Trades, columns_of, is_bars
from engine.errors import UserError, unknown_name
from engine.messages.instrument import Instrument
from engine.store import journal
from engine.store.incoming import Incoming, Spill, incoming
from engine.store.locking import exclusive, own_folder, remove_abandoned
from engine.store.merging import joined
from engine.store.row_groups import open_parquet, read_rows, row_groups
from engine.store.schema import PRICES, SIZES, empty, restated, to_table
from engine.store.stream import Chunk, KindStream, by_receipt, chunks
from engine.store.writing import Added, write

_ID = re.compile(r"[A-Z0-9][A-Z0-9_-]*\.[A-Z0-9][A-Z0-9_-]*")
_SPILLED = ".importing"
_ALL_TIME = (-(2**63), 2**63 - 1)


class KindInfo(msgspec.Struct, frozen=True):
    """What is stored of one kind; times are `ts_event` in ns, None where there are no rows."""

    rows: int
    first_ts_ns: int | None
    last_ts_ns: int | None
    days: int
    volume: Decimal | None = None
    """Sum of the sizes of all trades, exact; None for other kinds."""


def checked_id(instrument: str) -> str:
    """`instrument` itself if it can name a folder of the store.

    Raises
    ------
    UserError
        It is not SYMBOL.VENUE in capitals.
    """
    if _ID.fullmatch(instrument):
        return instrument
    example = instrument.upper() if _ID.fullmatch(instrument.upper()) else "EURUSD.DUKASCOPY"
    raise UserError(
        f"An instrument is named SYMBOL.VENUE in capitals, like {example}; {instrument!r} is not."
    )


class Store:
    """A tick store in folder `root`; the folder need not exist until something is written.

    Raises
    ------
    UserError
        `root` is a file.
    """

    def __init__(self, root: Path) -> None:
        if root.exists() and not root.is_dir():
            raise UserError(f"{root} is a file, not a tick store; give the folder of one.")
        self.root = root

    # -- what there is ------------------------------------------------------------------------------------

    def instruments(self) -> list[str]:
        """Identifiers of all stored instruments, sorted."""
        return sorted(path.parent.name for path in self.root.glob("*/instrument.json"))

    def instrument(self, instrument: str) -> Instrument:
        """The stored facts of one instrument.

        Raises
        ------
        UserError
            Nothing is stored under this name (the sentence names the nearest), or its file is damaged.
        """
        path = self.root / instrument / "instrument.json"
        if not _ID.fullmatch(instrument) or not path.is_file():
            raise unknown_name("instrument", instrument, self.instruments())
        try:
            return msgspec.json.decode(path.read_bytes(), type=Instrument)
        except (OSError, msgspec.DecodeError) as error:
            raise UserError(f"The store's file {path} is damaged; delete it and import again.") from error

    def files(self, instrument: str, kind: str) -> list[Path]:
        """Parquet files of one kind, oldest day first; empty where there are none."""
        return sorted((self.root / instrument / kind).glob("????-??-??.parquet"))

    def days(self, instrument: str, kind: str) -> list[date]:
        """UTC days (of `ts_event`) with rows of `kind`."""
        return [date.fromisoformat(path.stem) for path in self.files(instrument, kind)]

    def info(self, instrument: str) -> dict[str, KindInfo]:
        """Rows and first and last `ts_event` of every kind, from the footers alone; volume of the trades.

        Kinds of ticks come first and always; a vendor's bars and corporate actions where they are stored.
        """
        precision = self.instrument(instrument).size_precision
        return {kind: self._kind_info(instrument, kind, precision) for kind in self.kinds(instrument)}

    def kinds(self, instrument: str) -> list[str]:
        """All kinds of ticks, then the stored kinds of a vendor's bars and corporate actions."""
        folders = sorted(path.name for path in (self.root / instrument).glob("*") if path.is_dir())
        return [*KINDS, *(kind for kind in folders if is_bars(kind) or kind == ACTIONS)]

    def _kind_info(self, instrument: str, kind: str, size_precision: int) -> KindInfo:
        files = self.files(instrument, kind)
        groups = row_groups(files)
        volume = None
        if kind == "trades":
            volume = sum((_total_size(path) for path in files), Decimal(0)).quantize(
                Decimal(1).scaleb(-size_precision)
            )
        if not groups:
            return KindInfo(0, None, None, 0, volume)
        return KindInfo(
            sum(group.rows for group in groups),
            min(group.first_event_ns for group in groups),
            max(group.last_event_ns for group in groups),
            len(files),
            volume,
        )

    # -- reading ------------------------------------------------------------------------------------------

    def scan(self, instrument: str, kind: str) -> pl.LazyFrame:
        """Lazy view with prices and sizes as Float64, for looking and for features; never for orders."""
        facts = self.instrument(instrument)
        files = self.files(instrument, kind)
        if not files:
            table = to_table(empty(kind, facts.price_precision, facts.size_precision))
            frames = [pl.LazyFrame(table)]
        else:
            frames = [pl.scan_parquet(path) for path in files]
        floats = pl.List(pl.Float64) if kind == "depth" else pl.Float64
        names = sorted((PRICES | SIZES) & set(columns_of(kind).array_names()))
        return pl.concat([frame.with_columns(pl.col(names).cast(floats)) for frame in frames])

    @overload
    def read(
        self, instrument: str, kind: Literal["quotes"], start_ns: int | None = None, end_ns: int | None = None
    ) -> Quotes: ...
    @overload
    def read(
        self, instrument: str, kind: Literal["trades"], start_ns: int | None = None, end_ns: int | None = None
    ) -> Trades: ...
    @overload
    def read(
        self, instrument: str, kind: Literal["deltas"], start_ns: int | None = None, end_ns: int | None = None
    ) -> Deltas: ...
    @overload
    def read(
        self, instrument: str, kind: str, start_ns: int | None = None, end_ns: int | None = None
    ) -> Columns: ...
    def read(
        self, instrument: str, kind: str, start_ns: int | None = None, end_ns: int | None = None
    ) -> Columns:
        """Exact rows with `start_ns <= ts_init < end_ns`, in the order of `ts_init` (ties as stored).

        Reads only the row groups that the range touches. No limit means from the first or to the last row.
        """
        facts = self.instrument(instrument)
        precisions = (facts.price_precision, facts.size_precision)
        low, high = _range(start_ns, end_ns)
        groups = [
            group
            for group in row_groups(self.files(instrument, kind))
            if group.last_init_ns >= low and group.first_init_ns < high
        ]
        if not groups:
            return empty(kind, *precisions)
        rows = by_receipt(restated(joined([read_rows(kind, group) for group in groups]), *precisions))
        first, last = np.searchsorted(rows.ts_init, (low, high))
        return rows.take(slice(int(first), int(last)))

    def in_event_order(self, instrument: str, kind: str) -> Iterator[Columns]:
        """All rows by `ts_event`, a row group at a time: what bars are built from."""
        facts = self.instrument(instrument)
        for group in row_groups(self.files(instrument, kind)):
            yield restated(read_rows(kind, group), facts.price_precision, facts.size_precision)

    def chunks(
        self,
        instrument: str,
        kinds: Iterable[str] = tuple(KINDS),
        start_ns: int | None = None,
        end_ns: int | None = None,
        rows: int = 100_000,
    ) -> Iterator[Chunk]:
        """Stream `start_ns <= ts_init < end_ns` in the order of `ts_init`, cut at common times.

        Each chunk holds at most about `rows` rows of each kind and all rows of its stretch of time; memory is
        bounded by a few row groups of each kind, whatever the length.
        """
        facts = self.instrument(instrument)
        low, high = _range(start_ns, end_ns)
        precisions = (facts.price_precision, facts.size_precision)
        groups = {kind: row_groups(self.files(instrument, kind)) for kind in kinds}
        streams = {
            kind: KindStream(kind, part, precisions, low, high) for kind, part in groups.items() if part
        }
        first_ns = min((group.first_init_ns for part in groups.values() for group in part), default=high)
        last_ns = max((group.last_init_ns for part in groups.values() for group in part), default=low)
        return chunks(streams, max(low, first_ns), min(high, last_ns + 1), rows)

    def has_sequence(self, instrument: str, kind: str, sequence: int) -> bool:
        """Tell whether a row with the venue's number `sequence` is stored."""
        files = self.files(instrument, kind)
        if not files:
            return False
        try:
            found = (
                pl.scan_parquet(files)
                .filter(pl.col("sequence") == sequence)
                .select("sequence")
                .head(1)
                .collect()
            )
        except (pl.exceptions.PolarsError, OSError) as error:
            raise UserError(
                f"A file in {files[0].parent} cannot be read; delete it and import that day again."
            ) from error
        return not found.is_empty()

    # -- writing ------------------------------------------------------------------------------------------

    def add(
        self,
        instrument: Instrument,
        new: Mapping[str, Columns] | Incoming,
        progress: Callable[[float], None] = lambda _fraction: None,
        *,
        waiting: Callable[[], None] | None = None,
        begun: Callable[[], None] = lambda: None,
    ) -> Added:
        """Merge new rows into the stored days; rows that are there already are counted, not stored again.

        Everything is written beside the old files first and put in place by renaming, so a failure before
        that leaves the store as it was, and a crash between two renames leaves each day whole, old or new;
        the same import again completes it. Where the new rows need more decimals than are stored, the
        instrument's other days are restated, exactly.

        Parameters
        ----------
        new : mapping of kind to Columns, or Incoming
            Rows in memory, or those of `spill`.
        waiting : callable or None
            Called again and again while another process writes this instrument; None: refuse to wait.
        begun : callable
            Called once nobody else can write this instrument, before anything is; what it raises stops the
            write.

        Raises
        ------
        UserError
            Another process writes this instrument, a stored file is damaged, the disk is full or not
            writable, or a value needs more than 18 digits.
        """
        folder = self.root / checked_id(instrument.id)
        with self._unwritable_told():
            remove_abandoned(self.root / _SPILLED)
            with exclusive(folder, instrument.id, waiting):
                begun()
                journal.finish(folder)
                stored = self.instrument(instrument.id) if (folder / "instrument.json").is_file() else None
                rows = new if isinstance(new, Incoming) else incoming(new)
                return write(folder, stored, instrument, rows, progress)

    @contextmanager
    def writing(self, instrument: str) -> Iterator[None]:
        """Keep everybody else from writing a stored instrument; a repair that was killed is finished first.

        Raises
        ------
        UserError
            There is no such instrument, another process writes it, or the store cannot be written.
        """
        self.instrument(instrument)
        folder = self.root / instrument
        with self._unwritable_told(), exclusive(folder, instrument):
            journal.finish(folder)
            yield

    @contextmanager
    def spill(self, instrument: str) -> Iterator[Spill]:
        """Set rows of `instrument` aside on the store's disk; what is not added in the block is dropped.

        Raises
        ------
        UserError
            The disk is full or not writable.
        """
        with ExitStack() as stack:
            with self._unwritable_told():
                folder = stack.enter_context(own_folder(self.root / _SPILLED, checked_id(instrument)))
            yield Spill(folder, self._unwritable_told)

    @contextmanager
    def _unwritable_told(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
            raise UserError(
                f"The store {self.root} cannot be written ({reason}); it is as it was."
            ) from error


def _range(start_ns: int | None, end_ns: int | None) -> tuple[int, int]:
    return (_ALL_TIME[0] if start_ns is None else start_ns, _ALL_TIME[1] if end_ns is None else end_ns)


def _total_size(path: Path) -> Decimal:
    with open_parquet(path) as file:
        sizes = file.read(columns=["size"]).column("size")
        total = pc.sum(sizes.cast(pa.decimal128(38, sizes.type.scale))).as_py()
    return Decimal(0) if total is None else Decimal(total)
