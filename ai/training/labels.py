"""What a model is to tell: where the price will be a fixed horizon later.

With a time as horizon the later price is that of the last row at or before `ts + horizon`, the price that
stood then. A row whose horizon ends after its stretch has no label.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from ai.features.windows import Window
from ai.training.stretches import Bool, Float64, Int64, Rows

CLASSES: Final = ("down", "flat", "up")
DOWN, FLAT, UP = range(3)
_BPS: Final = 10_000.0
_NO_CHANGE: Final = 1e-9
"""Share of a price below which a change is the rounding of its decimals."""


@dataclass(frozen=True, slots=True, eq=False)
class Moves:
    """How the price moves from each row over the horizon.

    Attributes
    ----------
    bps : float64 array `[R]`
        `(later / now - 1)` in basis points; NaN where it is not known.
    until_ns : int64 array `[R]`
        Last moment that the label of the row looks at.
    known : bool array `[R]`
    """

    bps: Float64
    until_ns: Int64
    known: Bool


def moves(rows: Rows, horizon: Window) -> Moves:
    """Look ahead from every row; 2 stretches do not see each other."""
    at = np.arange(len(rows))
    last = rows.end - 1
    if horizon.ns:
        until_ns = rows.ts + horizon.ns
        later = np.minimum(rows.ts.searchsorted(until_ns, side="right") - 1, last)
        known = until_ns <= rows.ts[last]
    else:
        later = np.minimum(at + horizon.rows, last)
        until_ns = rows.ts[later]
        known = at + horizon.rows <= last
    with np.errstate(divide="ignore", invalid="ignore"):
        bps = (rows.price[later] / rows.price - 1.0) * _BPS
    known &= np.isfinite(bps)
    return Moves(np.where(known, bps, np.nan), until_ns, known)


def directions(bps: Float64, threshold: float) -> Int64:
    """Class of each move: beyond `threshold` basis points down or up, else flat."""
    return np.where(bps > threshold, UP, np.where(bps < -threshold, DOWN, FLAT)).astype(np.int64)


def balanced_threshold(bps: Float64, price: Float64) -> float:
    """Threshold in basis points that makes about a third of these moves flat.

    It lies halfway between two moves that the price's own step allows: a threshold on one of them would part
    equal moves by the price level, and another level later would turn the classes around.

    Parameters
    ----------
    bps : float64 array `[n]`
    price : float64 array `[m]`
        Of successive rows, from which the step is told.
    """
    sizes = np.sort(np.abs(bps))
    middle = float(np.median(price))
    changes = np.abs(np.diff(price))
    changes = changes[changes > middle * _NO_CHANGE]
    if not len(changes):
        return 0.0
    step = float(changes.min()) / middle * _BPS
    nearest = np.rint(np.quantile(sizes, 1 / 3) / step)
    candidates = (np.clip(nearest + np.arange(-2, 2), 0, None) + 0.5) * step
    flat = sizes.searchsorted(candidates, side="right") / len(sizes)
    return float(f"{candidates[np.abs(flat - 1 / 3).argmin()]:.4g}")
