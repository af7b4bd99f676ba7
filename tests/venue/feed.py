"""The market that the venue shows, as timed updates: from any source of a session, or written by a test."""

import heapq
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from engine.columns import Action, Aggressor, Columns, Deltas, Flag, Quotes, Side, Trades
from engine.feeds.importing import import_files
from engine.feeds.instruments import KnownInstruments
from engine.messages.run import Run
from engine.session.source import Chunk, SimulatedSource, Source, StoredSource
from engine.store.store import Store
from tests.venue.symbol import BUY, SELL

_CONFIGS = Path(__file__).parents[2] / "configs"


@dataclass(frozen=True, slots=True)
class Update:
    """What changed at once: levels as (side, price, size), trades as (price, size, side of the aggressor)."""

    ts_ns: int
    levels: tuple[tuple[int, int, int], ...] = ()
    trades: tuple[tuple[int, int, int], ...] = ()
    clears: bool = False


def generated(profile: str = "crypto", seed: int = 1) -> Source:
    """A seeded market of the station's own."""
    return SimulatedSource(Run(instrument="", simulate=profile, seed=seed))


def recorded(path: Path, instrument: str, store: Path) -> Source:
    """A raw recording, read by the station's importer into `store`."""
    kept = Store(store)
    import_files([path], instrument, kept, KnownInstruments.load(_CONFIGS / "instruments.toml"))
    return StoredSource(Run(store=str(store), instrument=instrument))


def updates(source: Source) -> Iterator[Update]:
    """All updates of a source in the order in which they were received.

    The book is that of the deltas; where a source has none, of the quotes (one level a side).
    """
    book_kind = "deltas" if "deltas" in source.kinds else "quotes"
    for chunk in source.chunks():
        yield from heapq.merge(_book(chunk, book_kind), _trades(chunk), key=lambda update: update.ts_ns)


def _book(chunk: Chunk, kind: str) -> Iterator[Update]:
    rows = chunk.columns.get(kind)
    if isinstance(rows, Deltas):
        return _of_deltas(rows)
    return _of_quotes(rows) if isinstance(rows, Quotes) else iter(())


def _of_deltas(rows: Deltas) -> Iterator[Update]:
    levels: list[tuple[int, int, int]] = []
    clears = False
    for ts, action, side, price, size, flags in _rows(
        rows, "ts_init", "action", "side", "price", "size", "flags"
    ):
        if action == Action.CLEAR:
            clears, levels = True, []
        else:
            gone = action == Action.DELETE
            levels.append((BUY if side == Side.BUY else SELL, price, 0 if gone else size))
        if flags & Flag.LAST:
            yield Update(ts, tuple(levels), clears=clears)
            levels, clears = [], False


def _of_quotes(rows: Quotes) -> Iterator[Update]:
    for ts, bid, ask, bid_size, ask_size in _rows(rows, "ts_init", "bid", "ask", "bid_size", "ask_size"):
        yield Update(ts, ((BUY, bid, bid_size), (SELL, ask, ask_size)), clears=True)


def _trades(chunk: Chunk) -> Iterator[Update]:
    rows = chunk.columns.get("trades")
    if not isinstance(rows, Trades):
        return
    for ts, price, size, aggressor in _rows(rows, "ts_init", "price", "size", "aggressor"):
        yield Update(ts, trades=((price, size, SELL if aggressor == Aggressor.SELLER else BUY),))


def _rows(rows: Columns, *names: str) -> Iterator[tuple[int, ...]]:
    return zip(*(getattr(rows, name).tolist() for name in names), strict=True)
