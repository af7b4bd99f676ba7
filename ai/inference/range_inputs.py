"""A model's inputs over a whole range, piece by piece: the same rows as `StreamInputs` makes one by one."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import sliding_window_view

from ai.features import Market
from ai.features.pieces import FeaturePieces, Piece
from ai.inference.counts import STEP, Counting, Counts
from ai.inference.recipe import Recipe
from ai.runtime.predictor import Floats

type Int64 = npt.NDArray[np.int64]
type Doubles = npt.NDArray[np.float64]

_END_OF_TIME: Final = 2**63 - 1


@dataclass(frozen=True, slots=True, eq=False)
class Stretch:
    """The rows that one piece of the market gave.

    Attributes
    ----------
    first : int
        Number of the first row.
    ts : int64 array `[rows]`
    x : float32 array `[rows, F]`
    volatility : float64 array `[rows]`
        NaN where it was not asked for.
    windows : float32 array `[rows, T, F]`
        View of normalised rows: the window that ends in each row.
    asked : int64 array
        Numbers of the rows that the model is asked at.
    """

    first: int
    ts: Int64
    x: Floats
    volatility: Doubles
    windows: Floats
    asked: Int64


class RangeInputs:
    """Rows of one model's inputs.

    Attributes
    ----------
    rows : int
        Rows so far.
    first_warm : int
        Number of the first warm row; -1 before it.
    counts : list of int64 arrays
        Counts of the warm rows up to each whole step, see `Counting`.
    """

    def __init__(self, recipe: Recipe, market: Market, *, volatility_ns: int = 0) -> None:
        self._recipe = recipe
        self._pieces = FeaturePieces(
            recipe.with_volatility(volatility_ns) if volatility_ns else recipe.features, market
        )
        normaliser = recipe.passport.normaliser
        self._mean = np.array(normaliser.mean, np.float32)
        # As `Signature` makes it, so that both forms round alike.
        self._factor = (1.0 / np.array(normaliser.std, np.float32).astype(np.float64)).astype(np.float32)
        self._before = np.zeros((recipe.window - 1, len(recipe.columns)), np.float32)
        self.rows, self.first_warm = 0, -1
        self.first_ts = 0
        self._last_missing = -1
        self._others = {stream: _Line(*of) for stream, of in recipe.warm_up.others.items()}
        self.counting = Counting(recipe)
        self.counts: list[Counts] = []
        self._uncounted = np.empty((0, len(recipe.columns)), np.float32)

    def extend(self, pieces: Mapping[str, Piece]) -> Stretch:
        """Rows of the next piece."""
        for stream, line in self._others.items():
            line.extend(pieces.get(stream))
        ts, values = self._pieces.extend(pieces)
        columns, first = len(self._recipe.columns), self.rows
        x = np.empty((len(ts), columns), np.float32)
        for place in range(columns):
            x[:, place] = values[place]
        if not first and len(ts):
            self.first_ts = int(ts[0])
        self.rows += len(ts)
        if self.first_warm < 0:
            self._warm(first, ts)
        if self.first_warm >= 0:
            self._count(x[max(self.first_warm - first, 0) :])
        return Stretch(
            first=first,
            ts=ts,
            x=x,
            volatility=values[columns] if len(values) > columns else np.full(len(ts), np.nan),
            windows=self._windows(x),
            asked=self._asked(first),
        )

    def _warm(self, first: int, ts: Int64) -> None:
        needed = self._recipe.warm_up
        at = max(needed.rows - first, int(ts.searchsorted(self.first_ts + needed.ns)))
        at = max([at, *(int(ts.searchsorted(line.warm_at, side="right")) for line in self._others.values())])
        if at < len(ts):
            self.first_warm = first + at

    def _windows(self, x: Floats) -> Floats:
        normalised = (x - self._mean) * self._factor if len(self._mean) else x
        rows = np.concatenate([self._before, normalised])
        self._before = rows[len(rows) - len(self._before) :].copy()
        if not len(x):
            return np.empty((0, self._recipe.window, x.shape[1]), np.float32)
        windows: Floats = sliding_window_view(rows, self._recipe.window, axis=0).transpose(0, 2, 1)
        return windows

    def _asked(self, first: int) -> Int64:
        if self.first_warm < 0:
            return np.empty(0, np.int64)
        stride, start = self._recipe.stride, self.first_warm + self._recipe.window - 1
        passed = max(-(-(first - start) // stride), 0)
        return np.arange(start + passed * stride, self.rows, stride)

    def _count(self, x: Floats) -> None:
        waiting = np.concatenate([self._uncounted, x]) if len(self._uncounted) else x
        whole = len(waiting) // STEP * STEP
        self._uncounted = waiting[whole:].copy()
        if whole:
            counts = self.counting.count(waiting[:whole], STEP)
            counts[0] += self.counts[-1] if self.counts else 0
            self.counts.extend(counts.cumsum(axis=0))

    def last_missing(self, stretch: Stretch) -> Int64:
        """Newest row without a value up to each row of the stretch; -1 before the first.

        Rows of the warm-up are among them, and in no window that is asked.
        """
        size = np.einsum("ij,ij->i", stretch.x, stretch.x)
        broken = ~np.isfinite(size)
        if broken.any():
            broken &= ~np.isfinite(stretch.x).all(axis=1)
        if not broken.any():
            return np.full(len(stretch.x), self._last_missing)
        rows = np.arange(stretch.first, stretch.first + len(stretch.x))
        last = np.maximum.accumulate(np.where(broken, rows, self._last_missing))
        self._last_missing = int(last[-1])
        return last


class _Line:
    """When a line that is not the clock is past its warm-up."""

    def __init__(self, rows: int, ns: int) -> None:
        self._rows, self._ns = rows, ns
        self._count, self._first_ts = 0, 0
        self.warm_at = _END_OF_TIME

    def extend(self, piece: Piece | None) -> None:
        if piece is None or not len(piece[0]) or self.warm_at < _END_OF_TIME:
            return
        ts = piece[0]
        if not self._count:
            self._first_ts = int(ts[0])
        at = max(self._rows - self._count, int(ts.searchsorted(self._first_ts + self._ns)))
        if at < len(ts):
            self.warm_at = int(ts[at])
        self._count += len(ts)
