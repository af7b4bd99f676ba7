"""What the batch form can look back at: past values, and sums over windows as differences of prefix sums."""

from collections.abc import Sequence

import numpy as np

from ai.features.memory import Arena
from ai.features.past import Past
from ai.features.times import Int64
from ai.features.values import NAN, Floats
from ai.features.windows import Window


class Kept:
    """Past values of one series."""

    def __init__(self, past: Past) -> None:
        self._past, self._series = past, past.add(NAN)

    def extend(self, x: Floats) -> None:
        """Take in the series of this block."""
        self._past.block(self._series)[:] = x

    def fill(self, out: Floats, window: Window) -> None:
        """Fill `out` with the series just before each row's window."""
        missing = self._past.missing(window)
        out[:missing] = NAN
        before = self._past.before(self._series, window, out)
        if not window.ns:
            out[missing:] = before


class Sum:
    """Prefix sums of one series as complex numbers: the sum, and what rounding took from it.

    Attributes
    ----------
    broken : int64 array
        Last row up to each of the block whose value is not finite; one number where all are the same.
    """

    def __init__(self, past: Past, scratch: "Scratch") -> None:
        self._past, self._series, self._scratch = past, past.add(0j), scratch
        self.broken: Int64 = np.full(1, -1)

    @property
    def last(self) -> complex:
        """Prefix sum before this block."""
        return complex(self._past.last(self._series))

    def without_broken(self, x: Floats) -> Floats:
        """`x` with 0 for what is not finite, of which the rows are kept."""
        broken = ~np.isfinite(x)
        self.broken = np.maximum.accumulate(np.where(broken, self._past.rows, self.broken[-1]))
        return np.where(broken, 0.0, x)

    def put(self, sums: Floats, errors: Floats) -> None:
        """Take in the prefix sums of this block."""
        block = self._past.block(self._series)
        block.real, block.imag = sums, errors

    def fill(self, out: Floats, window: Window) -> None:
        """Fill `out` with sums over the window."""
        missing = self._past.missing(window)
        scratch = self._scratch.pairs
        before = self._past.before(self._series, window, scratch)
        pairs = scratch[: len(out) - missing]
        np.subtract(self._past.block(self._series)[missing:], before, out=pairs)
        np.add(pairs.real, pairs.imag, out=out[missing:])
        out[:missing] = NAN
        if not window.ns:
            if self.broken[-1] > self._past.start - window.rows:
                out[self._past.rows - window.rows < self.broken] = NAN
            return
        first = self._past.first(window)
        if first[0] < 1:
            out[: int(first.searchsorted(1))] = NAN
        if self.broken[-1] >= first[0]:
            out[first <= self.broken] = NAN


class Scratch:
    """Memory that sums use in turns."""

    def __init__(self, arena: Arena) -> None:
        self.pairs = arena.take(arena.block, np.complex128)
        self.x, self.high, self.low = (arena.take(2 * (1 + arena.block)) for _ in range(3))


def extend_sums(sums: Sequence[Sum], added: Sequence[Floats], scratch: Scratch) -> None:
    """Add the series of this block to one sum, or to two at once.

    A running sum waits for each addition before the next, so NumPy takes as long for complex numbers as for
    real ones: two series lie side by side and are added up as one of complex numbers.

    The error of each addition is that of Knuth's TwoSum, as in the streaming form; where nothing was rounded,
    as with whole numbers, there is none to add up.
    """
    lanes, size = len(sums), len(sums) * (1 + len(added[0]))
    kind = np.complex128 if lanes > 1 else np.float64
    x, high, low = scratch.x[:size], scratch.high[:size], scratch.low[:size]
    for lane, (each, values) in enumerate(zip(sums, added, strict=True)):
        x[lane], low[lane] = each.last.real, each.last.imag
        x[lanes + lane :: lanes] = values
        each.broken = each.broken[-1:]
    np.add.accumulate(x.view(kind), out=high.view(kind))
    if not np.isfinite(high[-lanes:]).all():
        for lane, (each, values) in enumerate(zip(sums, added, strict=True)):
            x[lanes + lane :: lanes] = each.without_broken(values)
        np.add.accumulate(x.view(kind), out=high.view(kind))
    x, errors, earlier, after = x[lanes:], low[lanes:], high[:-lanes], high[lanes:]
    np.subtract(after, earlier, out=errors)
    np.subtract(x, errors, out=x)
    np.subtract(after, errors, out=errors)
    np.subtract(earlier, errors, out=errors)
    np.add(errors, x, out=errors)
    if errors.any():
        np.add.accumulate(low.view(kind), out=low.view(kind))
    else:
        errors.view(kind)[:] = low.view(kind)[0]
    for lane, each in enumerate(sums):
        each.put(after[lane::lanes], errors[lane::lanes])
