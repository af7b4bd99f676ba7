"""Quotes and books that no venue can show: bid above ask (crossed), or equal to it (locked)."""

from dataclasses import dataclass

import numpy as np

from engine.columns import Columns, Int64, Quotes, Snapshots
from engine.quality.rows import Piece
from engine.quality.stretches import MarkedRows, Stretch
from engine.store.book_check import exact
from engine.store.merging import Mask


@dataclass(frozen=True, slots=True, eq=False)
class Best:
    """Best bid and ask of each row, scaled int64, and in which rows both are there."""

    bid: Int64
    ask: Int64
    both: Mask

    @property
    def prices(self) -> tuple[Int64, Int64]:
        """Bid and ask, whether there or not."""
        return self.bid, self.ask


def best(columns: Columns) -> Best:
    """Best prices of quotes or whole books; in a book a level of size 0 is missing, in quotes it is not.

    Raises
    ------
    TypeError
        Columns of another kind.
    """
    if isinstance(columns, Quotes):
        return Best(columns.bid, columns.ask, np.ones(len(columns), np.bool_))
    if not isinstance(columns, Snapshots):
        raise TypeError(f"{type(columns).__name__} have no bid and ask")
    if not columns.bid.shape[1]:
        none = np.zeros(len(columns), np.int64)
        return Best(none, none, np.zeros(len(columns), np.bool_))
    both = (columns.bid_size[:, 0] > 0) & (columns.ask_size[:, 0] > 0)
    return Best(columns.bid[:, 0], columns.ask[:, 0], both)


class Crossed(MarkedRows):
    """Rows whose best bid lies above the best ask."""

    def take(self, piece: Piece) -> None:
        """Find crossed rows; how far they cross is the measure."""
        sides = best(piece.columns)
        at = np.flatnonzero((sides.bid > sides.ask) & sides.both)
        self._mark(piece, at, (sides.bid - sides.ask)[at])


class Locked(MarkedRows):
    """Rows whose best bid and ask are the same price."""

    def take(self, piece: Piece) -> None:
        """Find locked rows."""
        sides = best(piece.columns)
        at = np.flatnonzero((sides.bid == sides.ask) & sides.both)
        self._mark(piece, at)


def crossed_words(stretch: Stretch, price_precision: int) -> tuple[float, str]:
    """How far the bid lies above the ask at most, in the quote currency, and the sentence."""
    by = int(stretch.worst)
    rows = "1 row has" if stretch.count == 1 else f"{stretch.count:,} rows have"
    return by / 10**price_precision, f"{rows} the bid above the ask, by up to {exact(by, price_precision)}."


def locked_words(stretch: Stretch) -> tuple[None, str]:
    """Return the sentence of a locked stretch; there is nothing to measure."""
    rows = "1 row has" if stretch.count == 1 else f"{stretch.count:,} rows have"
    return None, f"{rows} the same bid and ask."
