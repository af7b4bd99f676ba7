"""Sums over the last rows or the last seconds, equal to the last bit in batch and in streaming.

Adding what enters and subtracting what leaves drifts, and so does the difference of two plain prefix sums; a
value would then depend on where its stream began. Here each prefix sum carries its own rounding error
(Knuth's TwoSum: the sum of two doubles is a double and an exact error), so a window's sum is correct to about
one unit in the last place however long the stream has run, and both forms do the same operations in order.

A value that is not finite counts as a gap: sums are NaN until it has left the window.
"""

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Self

import numpy as np
import numpy.typing as npt

type Floats = npt.NDArray[np.float64]
type Int64 = npt.NDArray[np.int64]

_UNITS_NS: Final = {"ms": 10**6, "s": 10**9, "m": 60 * 10**9, "h": 3_600 * 10**9}
_TIME: Final = re.compile(r"([1-9][0-9]{0,6})(ms|s|m|h)")
_MOST_ROWS: Final = 1_000_000
_BLOCK: Final = 8_192
"""Rows worked on at a time: a block and its intermediates stay in the processor's cache."""

NAN: Final = math.nan


@dataclass(frozen=True, slots=True)
class Window:
    """The last `rows` rows including this one, or the rows of the last `ns` nanoseconds, `(ts - ns, ts]`.

    Exactly one of the two is positive; `text` is how it was written.
    """

    text: int | str
    rows: int = 0
    ns: int = 0

    @classmethod
    def parse(cls, value: object) -> Self:
        """Read 100 or "100" (rows) or "60s" (time); raises `ValueError` for anything else."""
        if isinstance(value, str) and value.isascii() and value.isdigit():
            value = int(value)
        if isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= _MOST_ROWS:
            return cls(value, rows=value)
        found = _TIME.fullmatch(value) if isinstance(value, str) else None
        if found is None:
            raise ValueError(value)
        return cls(found[0], ns=int(found[1]) * _UNITS_NS[found[2]])

    @property
    def first_column(self) -> str:
        """Name of the shared column that `first_rows` fills, for a window of time."""
        return f"_first_{self.text}"


# -- batch ------------------------------------------------------------------------------------------------


def first_rows(ts: Int64, ns: int) -> Int64:
    """Index of the first row in each row's window `(ts - ns, ts]`.

    Parameters
    ----------
    ts : int64 array `[n]`, ascending
    ns : int
        Length of the window.
    """
    first = np.empty(len(ts), np.int64)
    low = 0
    for start in range(0, len(ts), _BLOCK):
        limits = ts[start : start + _BLOCK] - ns
        high = int(ts.searchsorted(limits[-1], side="right"))
        first[start : start + _BLOCK] = ts[low:high].searchsorted(limits, side="right") + low
        low = high
    return first


def sum_rows(x: Floats, rows: int) -> Floats:
    """Sum of each row and the `rows - 1` before it; NaN where there are fewer or one is not finite."""
    clean, broken = _finite(x)
    high, low = _prefix(clean)
    out = np.full(len(x), NAN)
    if len(x) >= rows:
        out[rows - 1 :] = (high[rows:] - high[:-rows]) + (low[rows:] - low[:-rows])
    if broken is not None:
        out[np.arange(len(x)) - _last_true(broken) < rows] = NAN
    return out


def sum_since(x: Floats, ts: Int64, first: Int64, ns: int) -> Floats:
    """Sum over each row's window of time, whose first row is `first`; NaN before `ns` have passed."""
    clean, broken = _finite(x)
    high, low = _prefix(clean)
    out = (high[1:] - high[first]) + (low[1:] - low[first])
    if len(x):
        out[: int(ts.searchsorted(ts[0] + ns))] = NAN
    if broken is not None:
        out[_last_true(broken) >= first] = NAN
    return out


def _finite(x: Floats) -> tuple[Floats, npt.NDArray[np.bool_] | None]:
    broken = ~np.isfinite(x)
    if not broken.any():
        return x, None
    return np.where(broken, 0.0, x), broken


def _last_true(mask: npt.NDArray[np.bool_]) -> Int64:
    """Index of the last true row up to each row, -1 before the first."""
    return np.maximum.accumulate(np.where(mask, np.arange(len(mask)), -1))


def _prefix(x: Floats) -> tuple[Floats, Floats]:
    """Prefix sums `[n + 1]` and what rounding took from them, `high + low` being nearly exact."""
    high, low = np.zeros(len(x) + 1), np.zeros(len(x) + 1)
    for start in range(0, len(x), _BLOCK):
        block = x[start : start + _BLOCK]
        sums, errors = high[start : start + len(block) + 1], low[start : start + len(block) + 1]
        sums[1:] = block
        np.add.accumulate(sums, out=sums)
        after, before = sums[1:], sums[:-1]
        taken = after - before
        errors[1:] = (before - (after - taken)) + (block - taken)
        np.add.accumulate(errors, out=errors)
    return high, low


# -- streaming --------------------------------------------------------------------------------------------


def summing(window: Window) -> Callable[[int, float], float]:
    """Return a function that takes `(ts, x)` and answers the window's sum, as the batch forms do."""
    return _summing_time(window.ns) if window.ns else _summing_rows(window.rows)


def _summing_rows(rows: int) -> Callable[[int, float], float]:
    highs, lows = [0.0] * rows, [0.0] * rows
    high = low = 0.0
    at, missing = 0, rows

    def add(_ts: int, x: float) -> float:
        nonlocal high, low, at, missing
        if x - x != 0.0:
            x, missing = 0.0, rows
        elif missing:
            missing -= 1
        after = high + x
        taken = after - high
        low += (high - (after - taken)) + (x - taken)
        high = after
        total = (after - highs[at]) + (low - lows[at])
        highs[at], lows[at] = after, low
        at += 1
        if at == rows:
            at = 0
        return NAN if missing else total

    return add


def _summing_time(ns: int) -> Callable[[int, float], float]:
    stamps, highs, lows = [0] * 64, [0.0] * 64, [0.0] * 64
    size, head, count = 64, 0, 0
    high = low = left_high = left_low = 0.0
    whole_from = -1

    def add(ts: int, x: float) -> float:
        nonlocal size, head, count, high, low, left_high, left_low, whole_from
        if x - x != 0.0:
            x, whole_from = 0.0, ts + ns
        elif whole_from < 0:
            whole_from = ts + ns
        after = high + x
        taken = after - high
        low += (high - (after - taken)) + (x - taken)
        high = after
        limit = ts - ns
        while count and stamps[head] <= limit:
            left_high, left_low = highs[head], lows[head]
            head += 1
            if head == size:
                head = 0
            count -= 1
        if count == size:
            for ring in (stamps, highs, lows):
                _grow(ring, head)  # type: ignore[arg-type]
            head, size = 0, 2 * size
        at = head + count
        if at >= size:
            at -= size
        stamps[at], highs[at], lows[at] = ts, after, low
        count += 1
        return NAN if ts < whole_from else (after - left_high) + (low - left_low)

    return add


def delaying(window: Window) -> Callable[[int, float], float]:
    """Return a function that takes `(ts, x)` and answers `x` of a window ago, NaN where there is none.

    Of a window of rows that is the value `rows` rows before, of a window of time the last one at or before
    `ts - ns`.
    """
    return _delaying_time(window.ns) if window.ns else _delaying_rows(window.rows)


def _delaying_rows(rows: int) -> Callable[[int, float], float]:
    ring, at = [NAN] * rows, 0

    def pass_on(_ts: int, x: float) -> float:
        nonlocal at
        old = ring[at]
        ring[at] = x
        at += 1
        if at == rows:
            at = 0
        return old

    return pass_on


def _delaying_time(ns: int) -> Callable[[int, float], float]:
    stamps, values = [0] * 64, [0.0] * 64
    size, head, count = 64, 0, 0
    left = NAN

    def pass_on(ts: int, x: float) -> float:
        nonlocal size, head, count, left
        limit = ts - ns
        while count and stamps[head] <= limit:
            left = values[head]
            head += 1
            if head == size:
                head = 0
            count -= 1
        if count == size:
            for ring in (stamps, values):
                _grow(ring, head)  # type: ignore[arg-type]
            head, size = 0, 2 * size
        at = head + count
        if at >= size:
            at -= size
        stamps[at], values[at] = ts, x
        count += 1
        return left

    return pass_on


def _grow(ring: list[float], head: int) -> None:
    """Double a full ring, oldest first; this happens a few times in a stream's life, not per tick."""
    ring[:] = ring[head:] + ring[:head] + [0.0] * len(ring)
