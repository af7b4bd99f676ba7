"""Structured dtypes of the market data in a frame: floats, for painting and models, never for orders.

All are packed little-endian; `ts` is ns since the Unix epoch, UTC; prices and sizes are in the instrument's
own units.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

type Rows = npt.NDArray[np.void]
"""One-dimensional structured array of one of the dtypes below."""

DEPTH_LEVELS: Final = 40
"""Levels a side in one column of the depth heatmap."""

QUOTE: Final = np.dtype(
    [("ts", "<i8"), ("bid", "<f8"), ("ask", "<f8"), ("bid_size", "<f8"), ("ask_size", "<f8")]
)
TRADE: Final = np.dtype([("ts", "<i8"), ("price", "<f8"), ("size", "<f8"), ("aggressor", "<i1")])
"""`aggressor` is 1 for a buyer, 2 for a seller, 0 where the venue does not tell."""

LEVEL: Final = np.dtype([("price", "<f8"), ("size", "<f8")])
"""One price level of a book; arrays of it run from the best price outwards."""

DEPTH: Final = np.dtype(
    [("ts", "<i8"), ("price", "<f8", (2, DEPTH_LEVELS)), ("size", "<f4", (2, DEPTH_LEVELS))]
)
"""One closed heatmap column: `[0]` bids, `[1]` asks, best first; missing levels are NaN."""

EQUITY: Final = np.dtype([("ts", "<i8"), ("equity", "<f8"), ("drawdown", "<f8")])
"""Account value in the account's currency, and its distance below the highest value so far (<= 0)."""

PREDICTION: Final = np.dtype(
    [("ts", "<i8"), ("down", "<f4"), ("flat", "<f4"), ("up", "<f4"), ("score", "<f4")]
)
"""What the run's model (or ensemble) said of one row: probabilities, and `score` = up - down.

Of a regression the probabilities are NaN and `score` is the predicted value in the label's unit.
"""

BY_CODE: Final = {1: QUOTE, 2: TRADE, 3: LEVEL, 4: DEPTH, 5: EQUITY, 6: PREDICTION}
"""Numbers that name the dtypes on the wire."""


def empty(dtype: "np.dtype[np.void]") -> Rows:
    """No rows of this dtype."""
    return np.empty(0, dtype)
