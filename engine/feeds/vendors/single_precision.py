"""Single-precision floats back to the decimals that a vendor wrote them from."""

import numpy as np
import numpy.typing as npt

from engine.columns import Int64
from engine.feeds.decimals import Scaled

_MOST_DECIMALS = 9
LARGEST = 1e9
"""Values must lie below this, so that they fit with all decimals."""


def shortest_decimals(values: npt.NDArray[np.float32]) -> Scaled:
    """Shortest decimals that read back as these float32, at one common number of decimals, at most nine.

    A vendor that keeps 2.06 as the nearest float32 means 2.06: taking that float's exact value
    (2.059999943…) would invent digits, and rounding to a fixed number of decimals would drop some. Values
    that are not finite or not below `LARGEST` are not valid.
    """
    with np.errstate(invalid="ignore"):
        valid = np.isfinite(values) & (np.abs(values) < LARGEST)
    wide = np.where(valid, values, 0).astype(np.float64)
    single = wide.astype(np.float32)
    exact = np.zeros(len(values), np.int64)
    decimals = np.zeros(len(values), np.int64)
    open_rows: Int64 = np.arange(len(values))
    for digits in range(_MOST_DECIMALS + 1):
        rounded = np.rint(wide[open_rows] * 10.0**digits)
        found = (rounded / 10.0**digits).astype(np.float32) == single[open_rows]
        if digits == _MOST_DECIMALS:
            found[:] = True
        exact[open_rows[found]] = rounded[found].astype(np.int64)
        decimals[open_rows[found]] = digits
        open_rows = open_rows[~found]
        if not len(open_rows):
            break
    common = int(decimals.max(initial=0))
    return Scaled(exact * 10 ** (common - decimals), valid, common)
