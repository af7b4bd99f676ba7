"""Averages that remember: TA-Lib's exponential and Wilder averages, seeded with a simple one.

A recurrence has no vector form that rounds alike, and MACD is a small difference of two of them, where a last
bit shows. So both forms run these very steps. Leading NaN (an input's own warm-up) are passed over.
"""

from collections.abc import Callable
from math import nan


def exponential(period: int, skipped: int = 0) -> Callable[[float], float]:
    """TA-Lib's EMA: the mean of `period` values, then `(x - y) * 2 / (period + 1) + y`.

    `skipped` values before the seed are left out.
    """
    share = 2.0 / (period + 1)
    total, missing, average = 0.0, period, nan

    def step(x: float) -> float:
        nonlocal total, missing, average, skipped
        if not missing:
            average = (x - average) * share + average
        elif skipped:
            skipped -= 1
        elif x == x or missing < period:  # noqa: PLR0124 - NaN is not itself
            total += x
            missing -= 1
            if not missing:
                average = total / period
        return average

    return step


def wilder(period: int) -> Callable[[float], float]:
    """TA-Lib's Wilder average: the mean of `period` values, then `(y * (period - 1) + x) / period`."""
    total, missing, average = 0.0, period, nan

    def step(x: float) -> float:
        nonlocal total, missing, average
        if not missing:
            average = (average * (period - 1) + x) / period
        elif x == x or missing < period:  # noqa: PLR0124 - NaN is not itself
            total += x
            missing -= 1
            if not missing:
                average = total / period
        return average

    return step
