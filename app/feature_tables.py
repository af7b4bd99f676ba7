"""The store's columns as the tables that features read, in the order in which they were received.

The recorder's time (`ts_init`) is a row's time here, so that no feature knows a row before it could have been
known. Bars and books are made from the stored ticks and deltas, a chunk at a time.
"""

from collections.abc import Iterator, Mapping
from typing import cast

import numpy as np
import polars as pl

from ai.features import FeatureSet, Market
from ai.features.sources import BOOK_FIELDS, columns_of
from ai.features.values import Floats
from engine.bars import Aggregation, BarBuilder, Bars, BarSpec, PricedTicks, PriceType, price_and_size
from engine.book import Book
from engine.columns import Columns, Deltas, Flag, Int64, Snapshots
from engine.errors import UserError
from engine.messages.instrument import Instrument
from engine.store import Store

type Frames = dict[str, pl.LazyFrame]

_CHUNK_ROWS = 100_000


def tables_of(
    store: Store, features: FeatureSet, instruments: Mapping[str, str], rows: int | None = None
) -> Frames:
    """Tables of every stream that a set reads.

    Parameters
    ----------
    store : Store
    features : FeatureSet
    instruments : mapping of role to instrument
        The set's own instrument has the role "".
    rows : int, optional
        Only the first rows of the clock, and of the other streams what was received by then.

    Raises
    ------
    UserError
        A role has no instrument, or a stream that the set reads is not stored.
    """
    frames: Frames = {}
    until: int | None = None
    for line in features.lines:
        if line.role not in instruments:
            raise UserError(
                f"Feature set {features.name!r} reads a second instrument as {line.role!r}; "
                f"say which with --of {line.role}=SYMBOL.VENUE."
            )
        instrument = instruments[line.role]
        if line.stream == "book":
            frame = _book(store, instrument, features.levels, rows)
        elif line.stream == "bars":
            frame = _bars(store, instrument, BarSpec.parse(features.bars))
        else:
            frame = _ticks(store, instrument, line.stream)
        if until is not None:
            frame = frame.filter(pl.col("ts") <= until)
        elif rows is not None:
            frame = frame.head(rows).collect().lazy()
            until = frame.select(pl.col("ts").max()).collect().item()
        frames[str(line)] = frame
    return frames


def market(instrument: Instrument) -> Market:
    """Facts of the instrument that features need."""
    return Market(tick_size=float(instrument.tick_size))


def _missing(instrument: str, what: str) -> UserError:
    return UserError(
        f"No {what} of {instrument} are stored, which these features read; choose another set or import them."
    )


def _ticks(store: Store, instrument: str, kind: str) -> pl.LazyFrame:
    store.instrument(instrument)
    if not store.files(instrument, kind):
        raise _missing(instrument, kind)
    numbers = [name for name in columns_of(kind, 0) if name != "ts"]
    frame = store.scan(instrument, kind).select(
        pl.col("ts_init").alias("ts"), *(pl.col(name).cast(pl.Float64) for name in numbers)
    )
    return frame.sort("ts", maintain_order=True)


# -- bars -------------------------------------------------------------------------------------------------


def _bars(store: Store, instrument: str, spec: BarSpec) -> pl.LazyFrame:
    kind = "trades" if spec.price_type == PriceType.LAST else "quotes"
    store.instrument(instrument)
    if not store.files(instrument, kind):
        raise _missing(instrument, kind)
    parts = [_bar_frame(bars, ts) for bars, ts in _closed(store, instrument, kind, spec)]
    return pl.concat(parts).lazy()


def _closed(store: Store, instrument: str, kind: str, spec: BarSpec) -> Iterator[tuple[Bars, Int64]]:
    """Closed bars, and when each was complete: its interval over and its last tick received."""
    builder: BarBuilder | None = None
    made: _Completion | None = None
    for chunk in store.chunks(instrument, [kind], rows=_CHUNK_ROWS):
        columns = chunk.columns[kind]
        ticks = price_and_size(spec, columns)
        if builder is None or made is None:
            precisions = {
                "price_precision": ticks.price_precision,
                "size_precision": ticks.size_precision,
            }
            builder, made = BarBuilder(spec, **precisions), _Completion(spec, ticks.size_precision)
        bars = builder.append(ticks.ts_event, ticks.price, ticks.size)
        yield bars, made.times(bars, ticks, columns)


class _Completion:
    """Finds the tick that completed each bar, over successive chunks."""

    def __init__(self, spec: BarSpec, size_precision: int) -> None:
        self._spec = spec
        self._step = spec.step * (10**size_precision if spec.aggregation == Aggregation.VOLUME else 1)
        self._filled = 0
        self._newest_start = self._last_received = -(2**63)

    def times(self, bars: Bars, ticks: PricedTicks, columns: Columns) -> Int64:
        """`ts` of the bars that these ticks closed."""
        interval = self._spec.interval_ns
        received = np.maximum.accumulate(columns.ts_init)
        if interval is None:
            amounts = ticks.size if self._spec.aggregation == Aggregation.VOLUME else np.ones_like(received)
            filled = self._filled + amounts.cumsum()
            done = np.arange(1, len(bars) + 1) * self._step
            self._filled = int(filled[-1]) - len(bars) * self._step
            return cast("Int64", received[filled.searchsorted(done)])
        starts = np.maximum.accumulate(ticks.ts_event // interval * interval)
        starts = np.maximum(starts, self._newest_start)
        before = np.concatenate([(self._last_received,), received])
        last = before[starts.searchsorted(bars.ts_open, side="right")]
        self._newest_start, self._last_received = int(starts[-1]), int(received[-1])
        return cast("Int64", np.maximum(last, bars.ts_open + interval))


def _bar_frame(bars: Bars, ts: Int64) -> pl.DataFrame:
    price, size = 10.0**bars.price_precision, 10.0**bars.size_precision
    prices = {name: bars.arrays()[name] / price for name in ("open", "high", "low", "close")}
    return pl.DataFrame({"ts": ts, "ts_open": bars.ts_open} | prices | {"volume": bars.volume / size})


# -- books ------------------------------------------------------------------------------------------------


def _book(store: Store, instrument: str, levels: int, rows: int | None) -> pl.LazyFrame:
    store.instrument(instrument)
    if store.files(instrument, "deltas"):
        parts = _rebuilt(store, instrument, levels)
    elif store.files(instrument, "depth"):
        parts = _snapshots(store, instrument, levels)
    else:
        raise _missing(instrument, "book updates")
    frames, count = [], 0
    for frame in parts:
        frames.append(frame)
        count += frame.height
        if rows is not None and count >= rows:
            break
    return pl.concat(frames).lazy()


def _rebuilt(store: Store, instrument: str, levels: int) -> Iterator[pl.DataFrame]:
    """One row per update, with the book as it then was."""
    book, newest = Book(), -(2**63)
    for chunk in store.chunks(instrument, ["deltas"], rows=_CHUNK_ROWS):
        deltas = cast("Deltas", chunk.columns["deltas"])
        ends = np.flatnonzero(deltas.flags & Flag.LAST) + 1
        table = np.full((len(ends), 4, levels), np.nan)
        table[:, 1::2] = 0.0
        start = 0
        for row, end in enumerate(ends.tolist()):
            book.apply(deltas.take(slice(start, end)))
            start = end
            for side, found in enumerate((book.bids(levels), book.asks(levels))):
                table[row, 2 * side : 2 * side + 2, : len(found)] = found.T
        if start < len(deltas):
            book.apply(deltas.take(slice(start, None)))
        ts = np.maximum(np.maximum.accumulate(deltas.ts_init)[ends - 1], newest)
        newest = int(ts[-1]) if len(ts) else newest
        yield _book_frame(ts, table, deltas)


def _snapshots(store: Store, instrument: str, levels: int) -> Iterator[pl.DataFrame]:
    for chunk in store.chunks(instrument, ["depth"], rows=_CHUNK_ROWS):
        books = cast("Snapshots", chunk.columns["depth"])
        table = np.full((len(books), 4, levels), np.nan)
        table[:, 1::2] = 0.0
        for place, array in enumerate((books.bid, books.bid_size, books.ask, books.ask_size)):
            kept = array[:, :levels]
            table[:, place, : kept.shape[1]] = kept
        for side in (0, 2):
            table[:, side][table[:, side + 1] == 0.0] = np.nan
        yield _book_frame(books.ts_init, table, books)


def _book_frame(ts: Int64, table: Floats, of: Columns) -> pl.DataFrame:
    """`table` is `[rows, 4, levels]` in the order of `BOOK_FIELDS`, scaled."""
    table[:, 0::2] /= 10.0**of.price_precision
    table[:, 1::2] /= 10.0**of.size_precision
    columns = {
        f"{field}_{level + 1}": table[:, place, level]
        for level in range(table.shape[2])
        for place, field in enumerate(BOOK_FIELDS)
    }
    return pl.DataFrame({"ts": ts} | columns)
