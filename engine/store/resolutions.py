"""One trade that two sources date at different resolution: to the millisecond, and more finely.

Binance's streams tell a trade's time in milliseconds and its archives since 2025 in microseconds, so that the
exact rule of `engine.store.merging` would take one trade for two.
"""

from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

from engine.columns import Trades

COARSE_NS: Final = 1_000_000
"""A coarse time is a finer one cut to whole milliseconds."""

_SAME: Final = ("trade_id", "price", "size", "aggressor")


def dated_otherwise(stored: Trades, new: Trades) -> npt.NDArray[np.bool_]:
    """Which numbered rows of `new` are trades that came before, stored or new, at the other resolution.

    All rows of one millisecond must be here. Returns bool, one for each row of `new`.
    """
    rows = Trades.concat([stored, new])
    again = np.zeros(len(rows), np.bool_)
    coarse = rows.ts_event % COARSE_NS == 0
    if coarse.any() and not coarse.all():
        ms = rows.ts_event // COARSE_NS
        numbered = rows.trade_id != 0
        cut = np.flatnonzero(coarse & numbered)
        fine = np.flatnonzero(~coarse & numbered & np.isin(ms, ms[cut]))
        one, other = (
            pl.DataFrame({"ms": ms[at], "row": at, **{name: getattr(rows, name)[at] for name in _SAME}})
            for at in (cut, fine)
        )
        pairs = one.join(other, on=["ms", *_SAME], suffix="_of_other")
        later = np.maximum(pairs["row"].to_numpy(), pairs["row_of_other"].to_numpy())
        again[later] = True
    return again[len(stored) :]
