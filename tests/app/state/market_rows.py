"""Rows for the tests of the market's read models: small whole numbers, so that sums are exact."""

import numpy as np

from engine.messages.columns import QUOTE, TRADE, Rows

SECOND = 1_000_000_000


def quotes(times: "list[int] | np.ndarray", bids: "list[float] | np.ndarray", spread: float = 2.0) -> Rows:
    rows = np.zeros(len(times), QUOTE)
    rows["ts"], rows["bid"] = times, bids
    rows["ask"] = rows["bid"] + spread
    rows["bid_size"], rows["ask_size"] = 1.0, 2.0
    return rows


def trades(times: "list[int] | np.ndarray", prices: object, sizes: object, aggressors: object) -> Rows:
    rows = np.zeros(len(times), TRADE)
    rows["ts"], rows["price"], rows["size"], rows["aggressor"] = times, prices, sizes, aggressors
    return rows
