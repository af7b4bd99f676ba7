"""How numbers and times read, in one place: exact digits, thousands separators, sign always in the text.

Every panel formats through here, so a price looks the same in the ladder, the tape and the tables. A value
that is not known (None or NaN) is a dash, never a zero.
"""

import math
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from typing import Final

from PySide6.QtGui import QFont

type Number = Decimal | float
"""What can be shown; an int is a float here."""

DASH: Final = "–"
"""Stands for a value that is not known."""

MINUS: Final = "\N{MINUS SIGN}"
"""As wide as a plus and a digit in tabular fonts; a hyphen is not."""

_MONO_FAMILIES: Final = [
    "JetBrains Mono",
    "Cascadia Mono",
    "SF Mono",
    "Consolas",
    "DejaVu Sans Mono",
    "Liberation Mono",
    "Noto Sans Mono",
]
_NS_PER_S: Final = 1_000_000_000
_NS_PER_DAY: Final = 86_400 * _NS_PER_S
_PREFIXES: Final = ((1e12, "T"), (1e9, "B"), (1e6, "M"), (1e3, "k"))


@cache
def mono_font(px: int, *, bold: bool = False) -> QFont:
    """Font with digits of one width, `px` logical pixels high; needs a running `QGuiApplication`."""
    font = QFont(_MONO_FAMILIES)
    font.setStyleHint(QFont.StyleHint.Monospace)
    font.setPixelSize(px)
    font.setWeight(QFont.Weight.Bold if bold else QFont.Weight.Normal)
    return font


def _finite_text(value: Number, precision: int) -> str:
    """Digits of a finite number; a negative one that rounds to zero is zero."""
    text = f"{value:,.{precision}f}"
    if text[0] != "-":
        return text
    return MINUS + text[1:] if text.strip("-0.,") else text[1:]


def price_text(value: Number | None, precision: int) -> str:
    """Price with `precision` decimal digits: `1,234.50`; a dash where it is not known."""
    if value is None or math.isnan(value):
        return DASH
    if math.isinf(value):
        return "∞" if value > 0 else f"{MINUS}∞"
    return _finite_text(value, precision)


def size_text(value: Number | None, precision: int) -> str:
    """Size with `precision` decimal digits and thousands separators: `1,200,000`."""
    return price_text(value, precision)


def compact_text(value: Number | None, precision: int = 0, *, characters: int = 6) -> str:
    """Size in about `characters` signs: all digits while they fit, then `12.346`, `1,235`, `12.3k`, `1.25M`.

    Below a thousand, digits after the point are given up; above, the size is scaled. What would round to
    zero reads `<0.01`.
    """
    if value is None or not math.isfinite(value):
        return price_text(value, precision)
    for digits in range(precision, -1, -1):
        text = _finite_text(value, digits)
        if len(text) <= characters:
            return text if value == 0 or sign_of(value, digits) else f"<{10**-digits:.{digits}f}"
    if -1000 < value < 1000:
        return _finite_text(value, 0)
    for index, (scale, unit) in enumerate(_PREFIXES):
        scaled = float(value) / scale
        if abs(scaled) >= 1 or index == len(_PREFIXES) - 1:
            digits = max(0, min(2, 2 - int(math.log10(max(abs(scaled), 1)))))
            return _finite_text(scaled, digits) + unit
    raise AssertionError("the smallest prefix takes every size")


def digits_that_fit(largest: Number, precision: int, *, characters: int = 6) -> int:
    """Decimal digits with which every size up to `largest` fits, so that a column aligns at its point."""
    for digits in range(precision, 0, -1):
        if len(_finite_text(largest, digits)) <= characters:
            return digits
    return 0


def split_price(value: Number | None, precision: int) -> tuple[str, str, str]:
    """Price as `(head, pips, tail)`: the two digits that a trader reads stand in the middle.

    Prices of 3 or 5 digits are quoted in tenths of a pip, so the last digit is the tail: `1.09|35|2`. Others
    end with the pips: `2,481.|37|`. The parts joined are `price_text`.
    """
    text = price_text(value, precision)
    end = len(text) - 1 if precision in (3, 5) and text != DASH else len(text)
    start, digits = end, 0
    while start > 0 and digits < 2:
        start -= 1
        digits += text[start].isdigit()
    if digits < 2:
        return "", text[:end], text[end:]
    return text[:start], text[start:end], text[end:]


def signed_text(value: Number | None, precision: int) -> str:
    """Number with its sign: `+1,234.50`, `−12.00`, `0.00`."""
    text = price_text(value, precision)
    return f"+{text}" if sign_of(value, precision) > 0 else text


def money_digits(currency: str) -> int:
    """Decimal digits in which amounts of a currency are read: cents, whole yen, eight for coins."""
    if currency in {"JPY", "KRW", "HUF", "CLP"}:
        return 0
    return 8 if currency in {"BTC", "ETH", "BNB", "SOL", "XRP", "LTC"} else 2


def signed_money(value: Number | None, currency: str = "", precision: int = 2) -> str:
    """Money with its sign and currency: `+1,234.50 USD`."""
    text = signed_text(value, precision)
    return f"{text} {currency}" if currency and text != DASH else text


def money_text(value: Number | None, currency: str = "", precision: int = 2) -> str:
    """Money that is a level rather than a change, so without a plus: `1,000,000.00 USD`."""
    text = price_text(value, precision)
    return f"{text} {currency}" if currency and text != DASH else text


def percent_text(fraction: Number | None, precision: int = 2, *, signed: bool = False) -> str:
    """Fraction in percent: 0.0123 is `1.23 %`."""
    scaled = None if fraction is None else fraction * 100
    text = signed_text(scaled, precision) if signed else price_text(scaled, precision)
    return text if text == DASH else f"{text} %"


def sign_of(value: Number | None, precision: int) -> int:
    """-1, 0 or 1: the sign of what is shown, so that a colour never contradicts a `0.00`."""
    if value is None or math.isnan(value):
        return 0
    if math.isfinite(value) and not f"{value:.{precision}f}".strip("-0."):
        return 0
    return 1 if value > 0 else -1


def time_text(ns: int, precision: int = 3) -> str:
    """Time of day, UTC, with `precision` digits of the second (0 to 9, cut not rounded): `12:31:07.412`."""
    seconds, rest = divmod(ns % _NS_PER_DAY, _NS_PER_S)
    minutes, second = divmod(seconds, 60)
    hour, minute = divmod(minutes, 60)
    text = f"{hour:02d}:{minute:02d}:{second:02d}"
    return f"{text}.{rest:09d}"[: 9 + precision] if precision > 0 else text


def date_text(ns: int) -> str:
    """Date, UTC: `2024-08-08`."""
    return datetime.fromtimestamp(ns // _NS_PER_S, UTC).strftime("%Y-%m-%d")


def date_time_text(ns: int, precision: int = 3) -> str:
    """Date and time of day, UTC: `2024-08-08 12:31:07.412`."""
    return f"{date_text(ns)} {time_text(ns, precision)}"


def duration_text(ns: int) -> str:
    """Length of time in its two largest units: `2d 03h`, `1h 05m`, `4m 09s`, `1.250 s`."""
    seconds = ns // _NS_PER_S
    if seconds >= 86_400:
        return f"{seconds // 86_400}d {seconds % 86_400 // 3600:02d}h"
    if seconds >= 3_600:
        return f"{seconds // 3_600}h {seconds % 3_600 // 60:02d}m"
    if seconds >= 60:
        return f"{seconds // 60}m {seconds % 60:02d}s"
    return f"{ns / _NS_PER_S:.3f} s"


def micros_text(value: float) -> str:
    """Length of time given in µs, in the unit that reads best: `8.3 µs`, `250 µs`, `1.25 ms`, `2.00 s`."""
    if math.isnan(value):
        return DASH
    if abs(value) >= 1_000_000:
        return f"{_finite_text(value / 1e6, 2)} s"
    if abs(value) >= 1_000:
        return f"{_finite_text(value / 1e3, 2)} ms"
    return f"{_finite_text(value, 1 if abs(value) < 100 else 0)} µs"


def figure_text(value: float, digits: int = 6) -> str:
    """Number of no known precision, with so many significant digits: `1.0935`, `64,123.4`, `2.5e−7`."""
    if not math.isfinite(value):
        return price_text(value, 0)
    if value == 0:
        return "0"
    exponent = math.floor(math.log10(abs(value)))
    if -5 <= exponent < 12:
        text = _finite_text(value, max(0, digits - 1 - exponent))
        return text.rstrip("0").rstrip(".") if "." in text else text
    mantissa, _, power = f"{value:.{digits - 1}e}".partition("e")
    if "." in mantissa:
        mantissa = mantissa.rstrip("0").rstrip(".")
    return f"{mantissa}e{int(power)}".replace("-", MINUS)
