"""Rows of a table becoming columns: exact values out of text, and why a row cannot be taken.

What the columns of a format mean is its own affair; that a bad row is left out as a whole, once and with its
line, is the same in all of them.
"""

import re
from collections.abc import Mapping
from datetime import date

import numpy as np
import polars as pl

from engine.columns import Columns, Int64, UInt8
from engine.feeds.decimals import Scaled, scaled
from engine.feeds.decoded import Decoded, Rejected
from engine.feeds.tables import Table
from engine.feeds.timestamps import AS_FOUND, TimeRule, Times, times
from engine.store.merging import Mask


class Rows:
    """Columns of a table by role, and which of its rows are good so far.

    Attributes
    ----------
    columns : dict of str to polars.Series
        Text (or a Parquet file's own numbers) by role.
    good : bool array
        Rows that no check has rejected; `taken` keeps these.
    rejected : list of Rejected
        Each rejected row counts once, for the first check that failed.
    notes : list of str
        Whole sentences about what a user should know of this table.
    """

    def __init__(self, table: Table, columns: Mapping[str, pl.Series]) -> None:
        self.columns = dict(columns)
        self.good: Mask = np.ones(len(table.lines), np.bool_)
        self.rejected: list[Rejected] = list(table.rejected)
        self.notes: list[str] = list(table.notes)
        self.lines = table.lines

    def reject(self, bad: Mask, reason: str) -> None:
        """Leave out rows that were good so far; each row is counted once."""
        rows = np.flatnonzero(bad & self.good)
        if len(rows):
            self.rejected.append(Rejected(reason, len(rows), int(self.lines[rows[0]])))
            self.good[rows] = False

    def text(self, role: str) -> pl.Series:
        """Text of a column without blanks around it."""
        return self.columns[role].cast(pl.String).str.strip_chars()

    def time(self, role: str, day: date | None = None, rule: TimeRule = AS_FOUND) -> Times:
        """Times of a column, written as `rule` says; `day` is the one that times since midnight belong to."""
        found = times(self.columns[role], day, rule)
        for bad, reason in found.refusals():
            self.reject(bad, reason)
        return found

    def number(self, role: str, *, positive: bool) -> Scaled:
        """Exact decimals of a column, which must be above 0 or (not `positive`) at least 0."""
        found = self.decimal(role)
        low = found.integers <= 0 if positive else found.integers < 0
        self.reject(low, f"the {_words(role)} is {'not above' if positive else 'below'} 0")
        return found

    def decimal(self, role: str) -> Scaled:
        """Exact decimals of a column, of either sign."""
        column = self.columns[role]
        found = scaled(column if column.dtype.is_float() else column.cast(pl.String))
        self.reject(~found.valid, f"the {_words(role)} is missing or no number")
        return found

    def numbers(self, *roles: str, positive: bool) -> tuple[list[Int64], int]:
        """Several columns at the one precision that keeps all of them: their integers, the precision."""
        found = [self.number(role, positive=positive) for role in roles]
        precision = max(each.precision for each in found)
        return [each.at(precision) for each in found], precision

    def whole(self, role: str) -> Int64:
        """Whole numbers of up to 19 digits, as venues number their messages."""
        numbers = self.text(role).str.to_integer(strict=False)
        self.reject(numbers.is_null().to_numpy(), f"the {_words(role)} is missing or no whole number")
        return numbers.fill_null(0).cast(pl.Int64).to_numpy()

    def flags(self, role: str) -> Mask:
        """Column of the words true and false, in any case."""
        text = self.text(role).str.to_lowercase()
        yes: Mask = text.eq_missing("true").to_numpy()
        self.reject(~(yes | text.eq_missing("false").to_numpy()), f"{_words(role)} is neither true nor false")
        return yes

    def words(self, role: str, meanings: Mapping[str, int]) -> UInt8:
        """Column of a few words, in any case, as what each means."""
        text = self.text(role).str.to_lowercase()
        found = text.replace_strict(meanings, default=None, return_dtype=pl.UInt8)
        self.reject(found.is_null().to_numpy(), f"the {_words(role)} is none of {', '.join(meanings)}")
        return found.fill_null(0).to_numpy()

    def taken[C: Columns](self, columns: C) -> C:
        """The good ones of `columns`, which has a row for each of the table's."""
        return columns if self.good.all() else columns.take(self.good)

    def decoded(self, kind: str, columns: Columns, timestamps: str) -> Decoded:
        """Wrap the good ones of `columns` up with all that was found on the way."""
        kept = self.taken(columns)
        return Decoded(
            columns={kind: kept} if len(kept) else {},
            timestamps=timestamps,
            rejected=tuple(self.rejected),
            notes=tuple(self.notes),
        )


def bare_symbol(symbol: str) -> str:
    """Symbol in capitals without the marks that vendors put into it, nor what names it a perpetual."""
    return re.sub(r"[^A-Z0-9]", "", re.sub(r"[-_]?(PERPETUAL|PERP|SWAP)$", "", symbol.upper()))


def _words(role: str) -> str:
    return role.replace("_", " ")
