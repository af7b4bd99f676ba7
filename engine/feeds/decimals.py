"""Decimal text to exact scaled integers, a column at a time: no float lies between a file and an order."""

from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

import numpy as np
import polars as pl

from engine.columns import Int64
from engine.feeds.decoded import Undecodable
from engine.store.merging import Mask

_DIGITS = 18
_DOUBLE_DIGITS = 15
_LARGEST = 10**_DIGITS - 1
_TOO_LONG = f"a number has more than {_DIGITS} digits, more than can be kept exactly"
_SAMPLE_ROWS = 1_000


@dataclass(frozen=True, slots=True, eq=False)
class Scaled:
    """`value = integers / 10**precision`; rows that are no number have 0 and are not `valid`."""

    integers: Int64
    valid: Mask
    precision: int

    def at(self, precision: int) -> Int64:
        """Rescale the integers to a precision at least as fine.

        Raises
        ------
        Undecodable
            A number would need more than 18 digits.
        """
        factor = 10 ** (precision - self.precision)
        if factor > 1 and int(np.abs(self.integers).max(initial=0)) > _LARGEST // factor:
            raise Undecodable(_TOO_LONG)
        return self.integers * np.int64(factor)


def scaled(text: pl.Series) -> Scaled:
    """Integers of a text column at the fewest decimals that keep every value exactly.

    Zeros at the end are no digits: 2683.80000000 has one decimal. Exponents are understood. A column of
    doubles stands for the shortest decimals that read back as them.

    Raises
    ------
    Undecodable
        A number needs more than 18 digits.
    """
    if not len(text):
        return Scaled(np.zeros(0, np.int64), np.zeros(0, np.bool_), 0)
    if text.dtype.is_float():
        return _shortest(text.cast(pl.Float64)) or scaled(text.cast(pl.String))
    whole = text.cast(pl.Int64, strict=False)
    if not whole.null_count():
        return _within_digits(whole, np.ones(len(text), np.bool_), 0)
    return _by_doubles(text) or _by_digits(text)


def fewest_decimals(*prices: Int64, decimals: int) -> tuple[list[Int64], int]:
    """Integers scaled by `decimals` at the fewest that keep all of them exactly, and how many those are.

    Raises
    ------
    Undecodable
        One has more than the 18 digits that the store keeps.
    """
    step = int(np.gcd.reduce([int(np.gcd.reduce(each, axis=None)) for each in prices if each.size] or [0]))
    spare = 0
    while spare < decimals and step % 10 ** (spare + 1) == 0:
        spare += 1
    found = [each // 10**spare for each in prices]
    if any((np.abs(each) >= 10**_DIGITS).any() for each in found):
        raise Undecodable(f"a number has more than {_DIGITS} digits, more than can be kept exactly")
    return found, decimals - spare


def _by_doubles(text: pl.Series) -> Scaled | None:
    """Scale short numbers fast: each decimal of up to 15 digits has its own double, so that gives it back.

    None where a text is longer, or a number has more than 15 digits at the common precision.
    """
    longest = text.str.len_bytes().max()
    if not isinstance(longest, int) or longest > _DOUBLE_DIGITS + 1:
        return None
    doubles = text.cast(pl.Float64, strict=False)
    if doubles.null_count() > text.null_count():
        doubles = text.str.strip_chars().cast(pl.Float64, strict=False)
    return _shortest(doubles)


def _shortest(doubles: pl.Series) -> Scaled | None:
    """Scale doubles to their decimals of at most 15 digits; None where one has more."""
    values = doubles.fill_null(np.nan).to_numpy()
    valid = np.isfinite(values)
    values = np.where(valid, values, 0.0)
    for decimals in range(_DOUBLE_DIGITS + 1):
        power = 10.0**decimals
        if np.abs(values[:_SAMPLE_ROWS]).max() * power >= 10.0**_DOUBLE_DIGITS:
            return None
        head = np.rint(values[:_SAMPLE_ROWS] * power)
        if (head / power == values[:_SAMPLE_ROWS]).all():
            scaled_up = np.rint(values * power)
            if np.abs(scaled_up).max() >= 10.0**_DOUBLE_DIGITS:
                return None
            if (scaled_up / power == values).all():
                return Scaled(scaled_up.astype(np.int64), valid, decimals)
    return None


def _by_digits(text: pl.Series) -> Scaled:
    """Scale any number of up to 18 digits, by decimal arithmetic."""
    trimmed = text.str.strip_chars()
    if trimmed.str.contains_any(["e", "E"]).any():
        trimmed = _without_exponents(trimmed)
    trimmed = (
        pl.DataFrame({"text": trimmed})
        .select(
            pl.when(pl.col("text").str.contains(".", literal=True))
            .then(pl.col("text").str.strip_chars_end("0"))
            .otherwise(pl.col("text"))
        )
        .to_series()
    )
    decimals = trimmed.str.len_bytes().cast(pl.Int64) - 1 - trimmed.str.find(".", literal=True).cast(pl.Int64)
    most = decimals.max()
    precision = most if isinstance(most, int) else 0
    if precision > _DIGITS:
        raise Undecodable(f"a number has more than {_DIGITS} decimals, more than can be kept exactly")
    parsed = trimmed.str.to_decimal(scale=precision)
    return _within_digits(parsed.fill_null(0).to_physical(), parsed.is_not_null().to_numpy(), precision)


def _within_digits(integers: pl.Series, valid: Mask, precision: int) -> Scaled:
    if not integers.is_between(-_LARGEST, _LARGEST).all():
        raise Undecodable(_TOO_LONG)
    return Scaled(integers.cast(pl.Int64).to_numpy(), valid, precision)


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
