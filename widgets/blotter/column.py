"""A table's columns as data: how a value reads, how it sorts, and how it is exported, exact."""

import csv
import io
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Context, Decimal
from typing import Any, Literal

from widgets.numbers import DASH, MINUS, date_time_text, price_text, sign_of, time_text
from widgets.order_words import origin_text

type Value = Decimal | int | str | None
type Tone = Literal["text", "quiet", "bid", "ask", "signal", "warning", "danger"]

_BY_SIGN: Mapping[int, Tone] = {-1: "ask", 0: "text", 1: "bid"}


@dataclass(frozen=True, slots=True)
class Column[T]:
    """One column.

    Attributes
    ----------
    name : str
        Heading in exported files.
    title : str
        Heading on the screen, translated.
    value : callable
        Exact value of a row: what is sorted and exported.
    text : callable
        What the cell shows.
    whole : callable, optional
        The text without anything left out, where the cell leaves something out: for its tip and for copies.
    tone : callable, optional
        Theme token that colours the cell; the text itself tells the same.
    numeric : bool
        Right-aligned in tabular digits, sorted by value.
    """

    name: str
    title: str
    value: Callable[[T], Value]
    text: Callable[[T], str]
    tone: Callable[[T], Tone] | None = None
    numeric: bool = False
    width: int = 90
    whole: Callable[[T], str] | None = None

    def whole_text(self, row: T) -> str:
        """Text of a row with nothing left out."""
        return (self.whole or self.text)(row)

    def key(self, row: T) -> Any:
        """Sort key; a missing number is below all others."""
        value = self.value(row)
        if not self.numeric:
            return "" if value is None else value
        return _LOWEST if value is None else value


_LOWEST = Decimal("-Infinity")


def digits_of(value: Decimal, most: int = 8) -> int:
    """Decimal digits that a value carries, at most `most`."""
    exponent = value.as_tuple().exponent
    return min(most, max(0, -exponent)) if isinstance(exponent, int) else 0


def decimal_text(value: Decimal | None) -> str:
    """Number with the digits that it carries."""
    return DASH if value is None else price_text(value, digits_of(value))


def signed_decimal_text(value: Decimal | None) -> str:
    """Number with the digits that it carries and its sign."""
    text = decimal_text(value)
    return f"+{text}" if value is not None and value > 0 and text[0] not in (DASH, MINUS) else text


def words[T](name: str, title: str, value: Callable[[T], str], width: int = 90) -> Column[T]:
    """Column of text."""
    return Column(name, title, value, value, width=width)


def count[T](name: str, title: str, value: Callable[[T], int], width: int = 70) -> Column[T]:
    """Column of whole numbers."""
    return Column(name, title, value, lambda row: f"{value(row):,}", numeric=True, width=width)


_EIGHT_FIGURES = Context(prec=8)


def number[T](name: str, title: str, value: Callable[[T], Decimal | None], width: int = 90) -> Column[T]:
    """Column of exact numbers."""
    return Column(name, title, value, lambda row: decimal_text(value(row)), numeric=True, width=width)


def average[T](name: str, title: str, value: Callable[[T], Decimal | None], width: int = 86) -> Column[T]:
    """Column of average prices: eight figures in the cell, all of them in copies and files."""

    def rounded(row: T) -> str:
        exact = value(row)
        return decimal_text(None if exact is None else _EIGHT_FIGURES.plus(exact))

    return Column(name, title, value, rounded, numeric=True, width=width)


def change[T](name: str, title: str, value: Callable[[T], Decimal | None], width: int = 96) -> Column[T]:
    """Column of exact numbers that are good or bad news: sign and colour together."""
    return Column(
        name,
        title,
        value,
        lambda row: signed_decimal_text(value(row)),
        lambda row: _BY_SIGN[sign_of(value(row), 8)],
        numeric=True,
        width=width,
    )


def side[T](name: str, title: str, value: Callable[[T], str]) -> Column[T]:
    """Column of BUY and SELL."""
    return Column(name, title, value, value, lambda row: "bid" if value(row) == "BUY" else "ask", width=46)


def origin[T](title: str, value: Callable[[T], str], width: int = 90) -> Column[T]:
    """Column of who wanted it: a hand, a strategy by its name, or somebody else at the account."""
    return Column("strategy", title, value, lambda row: origin_text(value(row)), width=width)


def traded_thing[T](title: str, value: Callable[[T], str], width: int = 92) -> Column[T]:
    """Column of instruments: the symbol in the cell, with its venue in the tip, in copies and files."""

    def symbol(row: T) -> str:
        return value(row).rpartition(".")[0] or value(row)

    return Column("instrument", title, value, symbol, width=width, whole=value)


def moment[T](name: str, title: str, value: Callable[[T], int | None]) -> Column[T]:
    """Column of market times: ns in files, milliseconds in the cell, the date in the tip and in copies."""

    def text(row: T) -> str:
        ts = value(row)
        return DASH if ts is None else time_text(ts)

    def whole(row: T) -> str:
        ts = value(row)
        return DASH if ts is None else date_time_text(ts)

    return Column(name, title, value, text, numeric=True, width=92, whole=whole)


def exact_text(value: Value) -> str:
    """Value for a file: all digits, no separators, empty where it is missing."""
    if value is None:
        return ""
    return f"{value:f}" if isinstance(value, Decimal) else str(value)


def csv_text[T](columns: Sequence[Column[T]], rows: Iterable[T]) -> str:
    """Rows as CSV with a heading; numbers are exact."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([column.name for column in columns])
    writer.writerows([exact_text(column.value(row)) for column in columns] for row in rows)
    return out.getvalue()
