"""The store's columns as the tables that features read, in the order in which they were received.

The recorder's time (`ts_init`) is a row's time here, so that no feature knows a row before it could have been
known. Bars and books are made from the stored ticks and deltas, a chunk at a time.
"""

from collections.abc import Collection, Mapping
from typing import cast

import numpy as np
import polars as pl

from ai.features import FeatureSet, Market
from ai.features.pieces import Piece
from ai.features.sources import BOOK_FIELDS, NEWS, columns_of
from ai.features.values import Floats
from app.headlines import headlines
from engine.bars import Bars, BarSpec, PriceType
from engine.book import Book
from engine.columns import Columns, Deltas, Flag, Int64, Quotes, Snapshots, Trades
from engine.completed_bars import CompletedBars
from engine.errors import UserError
from engine.messages.instrument import Instrument
from engine.store import Store

type Frames = dict[str, pl.LazyFrame]

_CHUNK_ROWS = 100_000


def tables_of(
    store: Store,
    features: FeatureSet,
    instruments: Mapping[str, str],
    rows: int | None = None,
    series: Collection[str] | None = None,
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
    series : collection of str, optional
        Series whose news are read; without them all that hold news.

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
        elif line.stream == NEWS:
            frame = _news(store, instrument, series)
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


def _news(store: Store, instrument: str, series: Collection[str] | None) -> pl.LazyFrame:
    frame = headlines(store.root, store.instrument(instrument), series)
    if frame.is_empty():
        raise UserError(
            f"No news of {instrument} are stored, which these features read; choose another set, or import "
            "them with 'nexttick series import'."
        )
    return frame.lazy()


# -- bars -------------------------------------------------------------------------------------------------


def _bars(store: Store, instrument: str, spec: BarSpec) -> pl.LazyFrame:
    kind = bar_kind(str(spec))
    store.instrument(instrument)
    if not store.files(instrument, kind):
        raise _missing(instrument, kind)
    making = BarRows(spec)
    chunks = store.chunks(instrument, [kind], rows=_CHUNK_ROWS)
    return pl.concat([_bar_frame(*making.closed(chunk.columns[kind])) for chunk in chunks]).lazy()


class BarRows(CompletedBars):
    """Closed bars of ticks that come in chunks, as features read them."""

    def piece(self, columns: Columns) -> Piece:
        """Bars that these ticks closed."""
        bars, ts = self.closed(columns)
        return ts, _bar_columns(bars)


def _bar_columns(bars: Bars) -> dict[str, Floats]:
    price, size = 10.0**bars.price_precision, 10.0**bars.size_precision
    prices: dict[str, Floats] = {
        name: bars.arrays()[name] / price for name in ("open", "high", "low", "close")
    }
    return prices | {"volume": bars.volume / size}


def _bar_frame(bars: Bars, ts: Int64) -> pl.DataFrame:
    return pl.DataFrame({"ts": ts, "ts_open": bars.ts_open} | _bar_columns(bars))


# -- books ------------------------------------------------------------------------------------------------


def _book(store: Store, instrument: str, levels: int, rows: int | None) -> pl.LazyFrame:
    store.instrument(instrument)
    kind = "deltas" if store.files(instrument, "deltas") else "depth"
    if not store.files(instrument, kind):
        raise _missing(instrument, "book updates")
    making, frames, count = BookRows(levels), [], 0
    for chunk in store.chunks(instrument, [kind], rows=_CHUNK_ROWS):
        ts, columns = making.piece(chunk.columns[kind])
        frames.append(pl.DataFrame({"ts": ts} | dict(columns)))
        count += len(ts)
        if rows is not None and count >= rows:
            break
    return pl.concat(frames).lazy()


class BookRows:
    """One row per update of a book that comes in chunks, with the book as it then was.

    A row of deltas without an end is of the update that the next chunk ends.
    """

    def __init__(self, levels: int) -> None:
        self._levels = levels
        self._book, self._newest = Book(), -(2**63)

    def piece(self, columns: Columns) -> Piece:
        """Rows of a chunk of deltas or of snapshots."""
        if isinstance(columns, Snapshots):
            return columns.ts_init, _book_columns(self._shown(columns), columns)
        deltas = cast("Deltas", columns)
        ends = np.flatnonzero(deltas.flags & Flag.LAST) + 1
        table = self._empty(len(ends))
        start = 0
        for row, end in enumerate(ends.tolist()):
            self._book.apply(deltas.take(slice(start, end)))
            start = end
            for side, found in enumerate((self._book.bids(self._levels), self._book.asks(self._levels))):
                table[row, 2 * side : 2 * side + 2, : len(found)] = found.T
        if start < len(deltas):
            self._book.apply(deltas.take(slice(start, None)))
        ts = np.maximum(np.maximum.accumulate(deltas.ts_init)[ends - 1], self._newest)
        self._newest = int(ts[-1]) if len(ts) else self._newest
        return ts, _book_columns(table, deltas)

    def _empty(self, rows: int) -> Floats:
        table = np.full((rows, 4, self._levels), np.nan)
        table[:, 1::2] = 0.0
        return table

    def _shown(self, books: Snapshots) -> Floats:
        table = self._empty(len(books))
        for place, array in enumerate((books.bid, books.bid_size, books.ask, books.ask_size)):
            kept = array[:, : self._levels]
            table[:, place, : kept.shape[1]] = kept
        for side in (0, 2):
            table[:, side][table[:, side + 1] == 0.0] = np.nan
        return table


def _book_columns(table: Floats, of: Columns) -> dict[str, Floats]:
    """`table` is `[rows, 4, levels]` in the order of `BOOK_FIELDS`, scaled."""
    table[:, 0::2] /= 10.0**of.price_precision
    table[:, 1::2] /= 10.0**of.size_precision
    return {
        f"{field}_{level + 1}": table[:, place, level]
        for level in range(table.shape[2])
        for place, field in enumerate(BOOK_FIELDS)
    }


# -- a market that comes in chunks ------------------------------------------------------------------------


class MarketPieces:
    """Chunks of a session's market data as the pieces that features read.

    Parameters
    ----------
    streams : collection of str
        Streams that are read.
    levels : int
        Book levels a side.
    bars : str
        Specification of the bars; empty without.
    """

    def __init__(self, streams: Collection[str], levels: int, bars: str) -> None:
        self._streams = [stream for stream in ("quotes", "trades") if stream in streams]
        self._book = BookRows(levels) if "book" in streams else None
        self._bars = BarRows(BarSpec.parse(bars)) if "bars" in streams else None
        self._bars_of = bar_kind(bars) if "bars" in streams else ""

    def of(self, columns: Mapping[str, Columns]) -> dict[str, Piece]:
        """Pieces of one chunk, by stream."""
        pieces = {each: _tick_piece(columns[each]) for each in self._streams if each in columns}
        if self._book is not None and "deltas" in columns:
            pieces["book"] = self._book.piece(columns["deltas"])
        if self._bars is not None and self._bars_of in columns:
            pieces["bars"] = self._bars.piece(columns[self._bars_of])
        return pieces


def bar_kind(bars: str) -> str:
    """Kind of ticks that bars of this specification are made of."""
    return "trades" if BarSpec.parse(bars).price_type == PriceType.LAST else "quotes"


def _tick_piece(ticks: Columns) -> Piece:
    price, size = 10.0**ticks.price_precision, 10.0**ticks.size_precision
    match ticks:
        case Quotes():
            return ticks.ts_init, {
                "bid": ticks.bid / price,
                "ask": ticks.ask / price,
                "bid_size": ticks.bid_size / size,
                "ask_size": ticks.ask_size / size,
            }
        case Trades():
            return ticks.ts_init, {
                "price": ticks.price / price,
                "size": ticks.size / size,
                "aggressor": ticks.aggressor.astype(np.float64),
            }
        case _:
            raise TypeError(f"{type(ticks).__name__} are no ticks")
