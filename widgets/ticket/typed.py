"""Numbers as a person types them: exact, and the same in every country.

`1.234` is one thousand two hundred to some and one and a quarter to others, so what could be read in two ways
is refused and never guessed. The point is always the decimal sign.
"""

import re
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Final

_PLAIN: Final = re.compile(r"\d+(\.\d*)?|\.\d+", re.ASCII)
_GROUPED: Final = re.compile(r"\d{1,3}(?:(,)\d{3}(?:,\d{3})*|([ _'’])\d{3}(?:\2\d{3})*)(\.\d*)?", re.ASCII)
_BLANKS: Final = re.compile(r"[\u00a0\u2007\u2009\u202f]")
_SCALES: Final = {"k": 3, "m": 6}
_MOST_DIGITS: Final = 20


class FieldError(ValueError):
    """What is wrong with something typed, in one sentence."""


def decimal_of(text: str, name: str, *, scaled: bool = False) -> Decimal:
    """Positive number typed for `name`; with `scaled` a trailing `k` or `m` is a thousand or a million.

    Raises
    ------
    FieldError
        It is no number, not above zero, or could be read in two ways.
    """
    text = _BLANKS.sub(" ", text.strip())
    if not text:
        raise FieldError(f"{name} is missing.")
    scale = _SCALES.get(text[-1].lower(), 0) if scaled else 0
    if scale:
        text = text[:-1].rstrip()
    if grouped := _GROUPED.fullmatch(text):
        if grouped[1] and text.count(",") == 1 and not grouped[3]:
            raise FieldError(
                f"{name}: a comma may mean two things; write {text.replace(',', '')} without it, or a point."
            )
        text = re.sub(r"[, _'’]", "", text)
    if not _PLAIN.fullmatch(text):
        raise FieldError(f"{name} must be a number such as 1234.5, with a point.")
    if len(text) > _MOST_DIGITS:
        raise FieldError(f"{name} has too many digits; at most {_MOST_DIGITS} fit.")
    value = Decimal(text).scaleb(scale)
    if value <= 0:
        raise FieldError(f"{name} must be above zero.")
    return value


def check_grid(value: Decimal, step: Decimal, name: str, unit: str = "") -> Decimal:
    """The value, where it is a multiple of `step`.

    Raises
    ------
    FieldError
        It is not; names the nearest two that are.
    """
    if value % step == 0:
        return value
    low, high = floor_to(value, step), ceil_to(value, step)
    nearest = f"{plain(high)}" if low <= 0 else f"{plain(low)} or {plain(high)}"
    raise FieldError(f"{name} goes in steps of {plain(step)}{unit and f' {unit}'}: {nearest}.")


def floor_to(value: Decimal, step: Decimal) -> Decimal:
    """Largest multiple of `step` that is not above the value."""
    return (value / step).to_integral_value(ROUND_FLOOR) * step


def ceil_to(value: Decimal, step: Decimal) -> Decimal:
    """Smallest multiple of `step` that is not below the value."""
    return (value / step).to_integral_value(ROUND_CEILING) * step


def stepped(value: Decimal, step: Decimal, count: int) -> Decimal:
    """`count` steps up or down the grid, at least one step; off the grid the first goes to its next line."""
    base = floor_to(value, step) if count >= 0 else ceil_to(value, step)
    return max(base + step * count, step)


def plain(value: Decimal) -> str:
    """Number as a person would type it: no exponent, no separators, no needless zeros."""
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
