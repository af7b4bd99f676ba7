"""Proves a stored book: rebuilt update by update, its best prices must be those that the venue quoted.

After each update the best bid and ask, with sizes, are compared with the quote that was in force then. Where
quotes and deltas carry the venue's update numbers, that is the last quote numbered no higher than the
update's last number; else the last quote whose `ts_event` is not later. A quote received more than a minute
away from the update proves nothing (one of the streams was interrupted) and is not compared. Nor are updates
before the first snapshot and between a break of the numbers and the next one: the book is not known then.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, cast

import msgspec
import numpy as np

from engine.book import Book
from engine.columns import Action, Deltas, Flag, Int64, Quotes
from engine.errors import UserError
from engine.store.row_groups import RowGroup, row_groups
from engine.store.schema import empty
from engine.store.store import Store
from engine.store.stream import END_OF_TIME, KindStream

_FAR_NS = 60_000_000_000


class BookCheck(msgspec.Struct, frozen=True, kw_only=True):
    """Outcome over all stored updates.

    Attributes
    ----------
    updates : int
        Book updates applied, snapshots included.
    bbo_compared, bbo_equal : int
        Updates after which a quote was in force, and those where it was the book's best, sizes too.
    crossed : int
        Updates after which the best bid was at or above the best ask.
    gaps : int
        Places where the venue's numbers broke, so that the importer cleared the book.
    final_bid, final_ask : (price, size) as exact decimals, or None for an empty side
    paired_by : str
        Whether quotes were found by update number or by time.
    """

    updates: int
    bbo_compared: int
    bbo_equal: int
    crossed: int
    gaps: int
    final_bid: tuple[str, str] | None
    final_ask: tuple[str, str] | None
    paired_by: Literal["update number", "time"]


class BookPlace(msgspec.Struct, frozen=True):
    """An update after which the book is not as it must be."""

    ts_event: int
    sequence: int
    wrong: Literal["differs", "crossed"]
    """Not what the quote in force says, or the best bid at or above the best ask."""


@dataclass(frozen=True, slots=True, eq=False)
class _QuotesInForce:
    """Finds the quote in force at an update; `keys` are update numbers or times, ascending."""

    keys: Int64
    received: Int64
    best: Int64
    numbered: bool

    @classmethod
    def of(cls, quotes: Quotes) -> "_QuotesInForce":
        numbered = bool(len(quotes)) and bool(quotes.sequence.all())
        keys = quotes.sequence if numbered else quotes.ts_event
        order = np.argsort(keys, kind="stable")
        best = np.stack([quotes.bid, quotes.bid_size, quotes.ask, quotes.ask_size], axis=1)
        return cls(keys[order], quotes.ts_init[order], best[order], numbered)

    def at(self, key: int, received: int) -> list[int] | None:
        """Bid, bid size, ask, ask size in force, or None where no quote tells."""
        place = int(np.searchsorted(self.keys, key, side="right")) - 1
        if place < 0 or abs(int(self.received[place]) - received) > _FAR_NS:
            return None
        found: list[int] = self.best[place].tolist()
        return found


def check_book(
    store: Store,
    instrument: str,
    found: Callable[[BookPlace], None] = lambda _place: None,
    walked: Callable[[int], None] = lambda _rows: None,
    start_ns: int | None = None,
    end_ns: int | None = None,
) -> BookCheck:
    """Rebuild the stored book of `instrument` and compare it with the stored quotes.

    `found` is told each update after which the book is wrong, in the order in which they apply; `walked` now
    and then how many more rows were applied. Only the quotes around the updates at hand are in memory. With
    `start_ns` or `end_ns` only updates with `start_ns <= ts_init < end_ns` are read.

    Raises
    ------
    UserError
        Unknown instrument, or no book updates are stored of it.
    """
    facts = store.instrument(instrument)
    if not store.files(instrument, "deltas"):
        raise UserError(f"No book updates of {instrument} are stored; import a recording that has them.")
    stored_quotes = row_groups(store.files(instrument, "quotes"))
    precisions = (facts.price_precision, facts.size_precision)
    book, counts = Book(), dict.fromkeys(("updates", "compared", "equal", "crossed", "gaps"), 0)
    numbered, known = bool(stored_quotes), False
    for chunk in store.chunks(instrument, ["deltas"], start_ns, end_ns):
        deltas = cast("Deltas", chunk.columns["deltas"])
        quotes = _quotes_around(deltas, stored_quotes, precisions)
        numbered &= quotes.numbered or not len(quotes.keys)
        known = _walk(book, deltas, quotes, counts, found, known=known)
        walked(len(deltas))
    bid, ask = (
        None
        if best is None
        else (exact(best[0], facts.price_precision), exact(best[1], facts.size_precision))
        for best in (book.best_bid(), book.best_ask())
    )
    return BookCheck(
        updates=counts["updates"],
        bbo_compared=counts["compared"],
        bbo_equal=counts["equal"],
        crossed=counts["crossed"],
        gaps=counts["gaps"],
        final_bid=bid,
        final_ask=ask,
        paired_by="update number" if numbered else "time",
    )


def _quotes_around(deltas: Deltas, stored: list[RowGroup], precisions: tuple[int, int]) -> _QuotesInForce:
    """Quotes near enough to prove anything of these updates."""
    low, high = int(deltas.ts_init[0]) - _FAR_NS, int(deltas.ts_init[-1]) + _FAR_NS + 1
    quotes = KindStream("quotes", stored, precisions, low, high).take_before(END_OF_TIME)
    return _QuotesInForce.of(cast("Quotes", empty("quotes", *precisions) if quotes is None else quotes))


def exact(value: int, precision: int) -> str:
    """Scaled integer as decimal text with all its digits."""
    if not precision:
        return str(value)
    whole, part = divmod(abs(value), 10**precision)
    return f"{'-' if value < 0 else ''}{whole}.{part:0{precision}d}"


def _walk(
    book: Book,
    deltas: Deltas,
    quotes: _QuotesInForce,
    counts: dict[str, int],
    found: Callable[[BookPlace], None],
    *,
    known: bool,
) -> bool:
    """Apply `deltas`; whether the book is known after them, as `known` says that it was before."""
    ends = np.flatnonzero(deltas.flags & Flag.LAST) + 1
    keys = deltas.sequence if quotes.numbered else deltas.ts_event
    start = 0
    for end in ends.tolist():
        update = deltas.take(slice(start, end))
        start = end
        book.apply(update)
        if update.action[0] == Action.CLEAR:
            known = bool(update.flags[0] & Flag.SNAPSHOT)
            if not known:
                counts["gaps"] += 1
                continue
        counts["updates"] += 1
        if not known:
            continue
        place = (int(update.ts_event[-1]), int(update.sequence[-1]))
        if book.crossed:
            counts["crossed"] += 1
            found(BookPlace(*place, "crossed"))
        quote = quotes.at(int(keys[end - 1]), int(update.ts_init[-1]))
        if quote is not None:
            counts["compared"] += 1
            if quote == [*(book.best_bid() or (0, 0)), *(book.best_ask() or (0, 0))]:
                counts["equal"] += 1
            else:
                found(BookPlace(*place, "differs"))
    if start < len(deltas):  # an update without its end mark, from another importer
        book.apply(deltas.take(slice(start, None)))
    return known
