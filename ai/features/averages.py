"""Averages that remember: TA-Lib's exponential and Wilder averages, seeded with a simple one.

A recurrence has no vector form that rounds alike, and MACD is a small difference of two of them, where a last
bit shows. So both forms run the same step; over bars that costs a fraction of a microsecond a row.
"""

from collections.abc import Callable

from ai.features.windows import NAN


def exponential(period: int) -> Callable[[float], float]:
    """TA-Lib's EMA: the mean of the first `period` values, then `(x - y) * 2 / (period + 1) + y`."""
    share = 2.0 / (period + 1)
    total, seen, average = 0.0, 0, NAN

    def step(x: float) -> float:
        nonlocal total, seen, average
        if seen >= period:
            average = (x - average) * share + average
            return average
        total += x
        seen += 1
        if seen == period:
            average = total / period
        return average

    return step


def wilder(period: int) -> Callable[[float], float]:
    """TA-Lib's Wilder average: the mean of the first `period` values, then `(y * (period - 1) + x) / period`."""
    total, seen, average = 0.0, 0, NAN

    def step(x: float) -> float:
        nonlocal total, seen, average
        if seen >= period:
            average = (average * (period - 1) + x) / period
            return average
        total += x
        seen += 1
        if seen == period:
            average = total / period
        return average

    return step
