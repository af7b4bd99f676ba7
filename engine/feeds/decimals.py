"""Decimal text to exact scaled integers, a column at a time: no float lies between a file and an order."""

from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

import numpy as np
import polars as pl

from engine.columns import Int64
from engine.feeds.decoded import Undecodable
from engine.store.merging import Mask

_DIGITS = 18


@dataclass(frozen=True, slots=True, eq=False)
class Scaled:
    """`value = integers / 10**precision`; rows that are no number have 0 and are not `valid`."""

    integers: Int64
    valid: Mask
    precision: int

    def at(self, precision: int) -> Int64:
        """The integers at a precision at least as fine."""
        return self.integers * np.int64(10 ** (precision - self.precision))


def scaled(text: pl.Series) -> Scaled:
    """Integers of a text column at the fewest decimals that keep every value exactly.

    Zeros at the end are no digits: 2683.80000000 needs one decimal. Exponents are understood.

    Raises
    ------
    Undecodable
        A number needs more than 18 digits.
    """
    if not len(text):
        return Scaled(np.zeros(0, np.int64), np.zeros(0, np.bool_), 0)
    trimmed = text.str.strip_chars()
    if trimmed.str.contains_any(["e", "E"]).any():
        trimmed = _without_exponents(trimmed)
    point = trimmed.str.find(".", literal=True)
    written = (trimmed.str.len_bytes().cast(pl.Int64) - 1 - point.cast(pl.Int64)).max()
    decimals = int(written) if isinstance(written, int) else 0
    if decimals > _DIGITS:
        longest = trimmed.str.strip_chars_end("0").str.len_bytes().cast(pl.Int64) - 1 - point.cast(pl.Int64)
        decimals = max(0, int(longest.max() or 0))  # type: ignore[arg-type]
        if decimals > _DIGITS:
            raise Undecodable(f"a number has more than {_DIGITS} decimals, more than can be kept exactly")
    parsed = trimmed.str.to_decimal(scale=decimals)
    valid = parsed.is_not_null().to_numpy()
    wide = parsed.fill_null(0).to_physical()
    if not wide.is_between(-(10**_DIGITS) + 1, 10**_DIGITS - 1).all():
        raise Undecodable(f"a number has more than {_DIGITS} digits, more than can be kept exactly")
    integers = wide.cast(pl.Int64).to_numpy()
    while decimals and not (integers % 10).any():
        integers = integers // 10
        decimals -= 1
    return Scaled(integers, valid, decimals)


def _without_exponents(text: pl.Series) -> pl.Series:
    """Rows like 1e-05 written out; what is no number stays as it is, to be refused."""

    def plain(value: str) -> str:
        try:
            number = Decimal(value)
        except InvalidOperation:
            return value
        return f"{number:f}" if number.is_finite() and abs(number.adjusted()) < 2 * _DIGITS else value

    return pl.Series(
        [plain(each) if each and "e" in each.lower() else each for each in text.to_list()], dtype=pl.String
    )
