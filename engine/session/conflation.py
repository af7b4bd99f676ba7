"""Fewer rows, same picture: keeps the first, last, lowest and highest price of each stretch of rows.

The rule is M4 (Jugel, Jerzak, Hackenbroich and Markl, "M4: A Visualization-Oriented Time Series Data
Aggregation", 2014): a line drawn through what is left covers the same pixels, as long as a stretch is no
wider than one of them. Conflating what was conflated keeps the extremes of all of it.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

from engine.messages.columns import Rows

ROWS_PER_PICTURE: Final = 20_000
"""Most rows of one kind in one picture."""


def conflate(rows: Rows, lines: tuple[str, ...], limit: int = ROWS_PER_PICTURE) -> Rows:
    """At most about `limit` of `rows`, in order; all of them where they are no more than that.

    Parameters
    ----------
    rows : structured array `[n]`
    lines : tuple of str
        Fields whose lines are drawn: `('bid', 'ask')` or `('price',)`.
    limit : int
        Rows wanted; at least a few per line.
    """
    if len(rows) <= limit:
        return rows
    stretches = max(1, limit // (2 + 2 * len(lines)))
    width = -(-len(rows) // stretches)
    starts = np.arange(0, len(rows), width)
    ends = np.minimum(starts + width, len(rows))
    kept = np.concatenate(
        [starts, ends - 1, *(extreme for line in lines for extreme in _extremes(rows[line], width))]
    )
    left: Rows = rows[np.unique(kept)]
    return left


def _extremes(
    values: npt.NDArray[np.float64], width: int
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """Index of the lowest and of the highest value of each stretch of `width` values."""
    whole = len(values) // width * width
    table = values[:whole].reshape(-1, width)
    first = np.arange(0, whole, width)
    lowest, highest = first + table.argmin(axis=1), first + table.argmax(axis=1)
    if whole == len(values):
        return lowest, highest
    rest = values[whole:]
    return np.append(lowest, whole + rest.argmin()), np.append(highest, whole + rest.argmax())
