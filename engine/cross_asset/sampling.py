"""Prices of several instruments at common times: a correlation of ticks that never meet means nothing.

Two rules, both without look-ahead: *previous tick* takes each price as it last was at the times of a clock;
*refresh time* takes a time as soon as every instrument has traded or quoted anew (Barndorff-Nielsen, Hansen,
Lunde & Shephard 2011, "Multivariate realised kernels", Journal of Econometrics 162, section 2.2).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from engine.columns import Int64

type Float64 = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Prices:
    """Prices of one instrument as they changed.

    Attributes
    ----------
    ts : int64 array, ns UTC
        Strictly ascending: of several rows at one time the last counts.
    price : float64 array
        Above 0, in quote currency; for statistics, never for orders.
    """

    ts: Int64
    price: Float64

    def __len__(self) -> int:
        return len(self.ts)


def prices(ts: Int64, price: Float64) -> Prices:
    """Prices from rows in the order of `ts`; the last of each time."""
    last = np.append(np.diff(ts) != 0, True) if len(ts) else np.zeros(0, np.bool_)
    return Prices(ts[last], price[last])


def clock(start_ns: int, end_ns: int, step_ns: int) -> Int64:
    """Times every `step_ns` from the first whole multiple of it at or after `start_ns` to `end_ns`."""
    return np.arange(-(-start_ns // step_ns) * step_ns, end_ns + 1, step_ns, dtype=np.int64)


def previous_tick(of: Prices, at: Int64) -> Float64:
    """Price at or before each of the times `at` (ascending, ns UTC); NaN before the first."""
    if not len(of):
        return np.full(len(at), np.nan)
    place = np.searchsorted(of.ts, at, side="right") - 1
    return np.where(place >= 0, of.price[np.maximum(place, 0)], np.nan)


def refresh_times(times: Sequence[Int64]) -> Int64:
    """Times at which all instruments have changed since the last such time; each of `times` ascends strictly.

    The first is the latest of their first times; from one to the next, the latest of their next times.
    """
    if not times or not all(len(each) for each in times):
        return np.zeros(0, np.int64)
    every = np.unique(np.concatenate(times))
    # For each possible time, where the next refresh time lies: one step is then one look-up.
    following = np.zeros(len(every), np.int64)
    for each in times:
        place = np.searchsorted(each, every, side="right")
        beyond = place == len(each)
        after = np.searchsorted(every, each[np.minimum(place, len(each) - 1)])
        following = np.maximum(following, np.where(beyond, len(every), after))
    steps = following.tolist()
    at = int(np.searchsorted(every, max(int(each[0]) for each in times)))
    found = []
    while at < len(every):
        found.append(at)
        at = steps[at]
    return every[np.array(found, np.int64)]


def synchronised(several: Sequence[Prices], at: Int64) -> Float64:
    """Prices of all at common times: float64 `[times, instruments]`, NaN before an instrument's first."""
    return np.stack([previous_tick(each, at) for each in several], axis=1)
