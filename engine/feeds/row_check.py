"""Which rows of a file can be taken, and why the others cannot: each row counts once, by its first fault."""

from collections.abc import Iterable

import numpy as np
import polars as pl

from engine.columns import Int64
from engine.feeds.decimals import Scaled, scaled
from engine.feeds.decoded import Rejected
from engine.store.merging import Mask


class RowCheck:
    """Collects faults of rows while their columns are built.

    Parameters
    ----------
    lines : int64 array
        Line (or record, from 1) of each row in its file.
    found : iterable of Rejected
        What was left out before there were rows.
    """

    def __init__(self, lines: Int64, found: Iterable[Rejected] = ()) -> None:
        self.lines = lines
        self.good: Mask = np.ones(len(lines), np.bool_)
        self._rejected = list(found)

    @property
    def rejected(self) -> tuple[Rejected, ...]:
        """Faults so far, in the order they were looked for."""
        return tuple(self._rejected)

    def reject(self, bad: Mask, reason: str) -> None:
        """Leave out rows that were good so far."""
        rows = np.flatnonzero(bad & self.good)
        if len(rows):
            self._rejected.append(Rejected(reason, len(rows), int(self.lines[rows[0]])))
            self.good[rows] = False

    def number(self, column: pl.Series, word: str, *, positive: bool) -> Scaled:
        """Scale a column of decimal text (or doubles), leaving out what is no number or too low.

        Raises
        ------
        Undecodable
            A number needs more than 18 digits.
        """
        found = scaled(column if column.dtype.is_float() else column.cast(pl.String))
        self.reject(~found.valid, f"the {word} is missing or no number")
        low = found.integers <= 0 if positive else found.integers < 0
        self.reject(low, f"the {word} is {'not above' if positive else 'below'} 0")
        return found
