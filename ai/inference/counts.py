"""Inputs beside those of training: rows without a value, rows out of range, and drift.

Drift is the population stability index of each input, `sum((a - e) * ln(a / e))` over the training bins with
the expected share e and the actual share a (Siddiqi, Credit risk scorecards, 2006); a share below 1e-4 counts
as that. Rows are counted from the first warm row in steps of `STEP`, so that row by row and at once tell the
same at the same row.
"""
# ruff: noqa: N803 - tensors are named by their shape

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from ai.inference.recipe import Recipe
from ai.runtime.predictor import Floats
from engine.messages.frames import InputHealth

type Counts = npt.NDArray[np.int64]

STEP: Final = 1_000
"""Rows between two looks at drift, and the fewest rows that tell any."""

_LEAST_SHARE: Final = 1e-4


class Counting:
    """How a recipe's inputs are counted; one row of counts is `[width]` whole numbers.

    First the rows without a value by column, then those out of range, then the bins of each column that has
    some (255 at most), one after the other.
    """

    def __init__(self, recipe: Recipe) -> None:
        self._columns = recipe.columns
        low, high = recipe.usual
        self._low, self._high = low.astype(np.float32), high.astype(np.float32)
        self._edges = recipe.edges
        self._shares = recipe.shares
        self._starts = np.cumsum([2 * len(self._columns), *(len(each) for each in self._shares)]).tolist()
        self.width: int = self._starts[-1]

    def count(self, x_RF: Floats, step: int) -> Counts:
        """Counts of each `step` rows: int64 `[R / step, width]`."""
        groups, columns = len(x_RF) // step, len(self._columns)
        counts = np.zeros((groups, self.width), np.int64)
        missing = ~np.isfinite(x_RF)
        strange = ((x_RF < self._low) | (x_RF > self._high)) & ~missing
        for start, found in ((0, missing), (columns, strange)):
            if found.any():
                counts[:, start : start + columns] = found.reshape(groups, step, columns).sum(axis=1)
        group = np.repeat(np.arange(groups), step)
        for at, edges in enumerate(self._edges):
            if len(edges):
                x, bins = np.ascontiguousarray(x_RF[:, at]), len(edges) + 1
                # Comparing with each border is three times as fast as a search in so few.
                place = np.zeros(len(x), np.uint8)
                for edge in edges:
                    place += x >= edge
                cell = (group * bins + place)[~missing[:, at]]
                found = np.bincount(cell, minlength=groups * bins).reshape(groups, bins)
                counts[:, self._starts[at] : self._starts[at + 1]] = found
        return counts

    def drift(self, counts: Counts) -> list[float | None]:
        """Population stability index of each column; None without bins, or of fewer than `STEP` rows."""
        return [
            _psi(counts[start:end], shares) if len(shares) else None
            for start, end, shares in zip(self._starts, self._starts[1:], self._shares, strict=False)
        ]

    def drifted(self, counts: Counts, most: float) -> tuple[str, float] | None:
        """Column that drifted most, and how far, where that is more than `most`."""
        found = [(psi, name) for psi, name in zip(self.drift(counts), self._columns, strict=True) if psi]
        psi, name = max(found, default=(0.0, ""))
        return (name, psi) if psi > most else None

    def told(self, counts: Counts, rest: Floats | None = None) -> list[InputHealth]:
        """Counts as a person reads them; `rest` are rows that are not in them, drift being without these."""
        columns = len(self._columns)
        marked = counts[: 2 * columns]
        if rest is not None and len(rest):
            marked = marked + self.count(rest, len(rest))[0, : 2 * columns]
        return [
            InputHealth(name, int(marked[at]), int(marked[columns + at]), psi)
            for at, (name, psi) in enumerate(zip(self._columns, self.drift(counts), strict=True))
        ]


def _psi(counted: Counts, expected: Sequence[float] | npt.NDArray[np.float64]) -> float | None:
    rows = int(counted.sum())
    if rows < STEP:
        return None
    a, e = np.maximum(counted / rows, _LEAST_SHARE), np.maximum(expected, _LEAST_SHARE)
    return float(((a - e) * np.log(a / e)).sum())
