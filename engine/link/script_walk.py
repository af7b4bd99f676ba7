"""The scripted session's market: a random walk with quotes, trades, a book and its depth."""

from typing import Final

import numpy as np

from engine.link.builders import depth_column, market
from engine.messages.columns import DEPTH, LEVEL, QUOTE, TRADE, Rows, empty
from engine.messages.frames import Market

LEVELS: Final = 30
FRAME_NS: Final = 250_000_000
QUOTES_PER_FRAME: Final = 20


class Walk:
    """The market: a random walk in ticks, with a spread of 1 to 3 ticks and a book of `LEVELS` a side."""

    def __init__(self, seed: int) -> None:
        self._rng = np.random.default_rng(seed)
        self.bid = 109_350
        self.ask = 109_352
        self.ticks = 0

    def advance(self, start_ns: int, *, close_column: bool) -> Market:
        """News of one frame, from `start_ns` on."""
        rng = self._rng
        quotes = np.empty(QUOTES_PER_FRAME, QUOTE)
        quotes["ts"] = start_ns + np.sort(rng.integers(0, FRAME_NS, QUOTES_PER_FRAME))
        bid = self.bid + np.cumsum(rng.integers(-1, 2, QUOTES_PER_FRAME))
        ask = bid + rng.integers(1, 4, QUOTES_PER_FRAME)
        quotes["bid"], quotes["ask"] = bid / 1e5, ask / 1e5
        quotes["bid_size"] = rng.integers(1, 20, QUOTES_PER_FRAME) * 100_000.0
        quotes["ask_size"] = rng.integers(1, 20, QUOTES_PER_FRAME) * 100_000.0
        self.bid, self.ask = int(bid[-1]), int(ask[-1])
        trades = self._trades(quotes)
        bids, asks = self._book(quotes[-1])
        self.ticks += len(quotes) + len(trades)
        depth = depth_column(start_ns + FRAME_NS, bids, asks) if close_column else empty(DEPTH)
        return market(quotes=quotes, trades=trades, bids=bids, asks=asks, depth=depth)

    def _trades(self, quotes: Rows) -> Rows:
        at = quotes[np.sort(self._rng.choice(len(quotes), 4, replace=False))]
        trades = np.empty(len(at), TRADE)
        trades["ts"] = at["ts"]
        trades["aggressor"] = self._rng.integers(1, 3, len(at))
        trades["price"] = np.where(trades["aggressor"] == 1, at["ask"], at["bid"])
        trades["size"] = np.ceil(self._rng.exponential(5, len(at))) * 10_000
        return trades

    def _book(self, best: np.void) -> tuple[Rows, Rows]:
        steps = np.arange(LEVELS)
        profile = 200_000 * (1 + np.minimum(steps, 12) / 3)
        sides = []
        for points, size in (
            (self.bid - steps, best["bid_size"]),
            (self.ask + steps, best["ask_size"]),
        ):
            levels = np.empty(LEVELS, LEVEL)
            levels["price"] = points / 1e5
            levels["size"] = np.round(profile * self._rng.lognormal(0, 0.4, LEVELS), -3)
            levels["size"][0] = size
            sides.append(levels)
        return sides[0], sides[1]
