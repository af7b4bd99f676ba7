"""Features of several levels of the book; a missing level has the price NaN and the size 0.

Sums run from the best level outwards, one after the other, in both forms.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from math import exp
from operator import add
from typing import override

import polars as pl

from ai.features.feature import Feature, Market, Row, Takes, Update, real, whole
from ai.features.windows import NAN

type Side = Sequence[float]

MOST_LEVELS = 20


def _sizes(side: str, levels: int) -> list[pl.Expr]:
    return [pl.col(f"{side}_size_{level}") for level in range(1, levels + 1)]


@dataclass(frozen=True)
class Imbalance(Feature):
    """`(B - A) / (B + A)`, B and A being the bid and ask sizes of the best levels; from -1 to 1."""

    name = "imbalance"
    takes = Takes.LEVELS
    source = "Cao, Hansch, Wang (2009), The information content of an open limit-order book"
    nan = "where both sides are empty"

    levels: int = whole(5, 1, MOST_LEVELS, "best levels of each side")

    @property
    def level_count(self) -> int:
        """Levels a side that it reads."""
        return self.levels

    @override
    def exprs(self, market: Market) -> tuple[pl.Expr, ...]:
        bids = reduce(add, _sizes("bid", self.levels))
        asks = reduce(add, _sizes("ask", self.levels))
        return ((bids - asks) / (bids + asks),)

    @override
    def stream(self, market: Market, out: Row, at: int) -> Update:
        others = range(1, self.levels)

        def update(_ts: int, _bid: Side, bid_size: Side, _ask: Side, ask_size: Side) -> None:
            bids, asks = bid_size[0], ask_size[0]
            for level in others:
                bids += bid_size[level]
                asks += ask_size[level]
            both = bids + asks
            out[at] = (bids - asks) / both if both else NAN

        return update


@dataclass(frozen=True)
class DepthScore(Feature):
    """Imbalance in which level k weighs `exp(-decay * (k - 1))`; from -1 to 1."""

    name = "depth_score"
    takes = Takes.LEVELS
    source = "definition; exponentially weighted book imbalance"
    nan = "where both sides are empty"

    levels: int = whole(10, 1, MOST_LEVELS, "best levels of each side")
    decay: float = real(0.5, 0.0, 10.0, "how fast a level's weight falls with its distance from the best")

    @property
    def level_count(self) -> int:
        """Levels a side that it reads."""
        return self.levels

    @property
    def _weights(self) -> list[float]:
        return [exp(-self.decay * level) for level in range(self.levels)]

    @override
    def exprs(self, market: Market) -> tuple[pl.Expr, ...]:
        bids, asks = (
            reduce(add, [w * size for w, size in zip(self._weights, _sizes(side, self.levels), strict=True)])
            for side in ("bid", "ask")
        )
        return ((bids - asks) / (bids + asks),)

    @override
    def stream(self, market: Market, out: Row, at: int) -> Update:
        others = list(enumerate(self._weights))[1:]

        def update(_ts: int, _bid: Side, bid_size: Side, _ask: Side, ask_size: Side) -> None:
            bids, asks = bid_size[0], ask_size[0]
            for level, weight in others:
                bids += weight * bid_size[level]
                asks += weight * ask_size[level]
            both = bids + asks
            out[at] = (bids - asks) / both if both else NAN

        return update


@dataclass(frozen=True)
class DeepLob(Feature):
    """DeepLOB's raw columns: ask price, ask size, bid price, bid size of each level, best first.

    The model reads them z-scored on past days; that is the normaliser's work, not this feature's.
    """

    name = "deeplob"
    takes = Takes.LEVELS
    source = "Zhang, Zohren, Roberts (2019), DeepLOB, section III; order of columns as in LOBSTER, FI-2010"
    nan = "the price of a missing level"

    levels: int = whole(10, 1, MOST_LEVELS, "best levels of each side")

    @property
    def level_count(self) -> int:
        """Levels a side that it reads."""
        return self.levels

    @property
    def outputs(self) -> tuple[str, ...]:
        """`ask_price_1, ask_size_1, bid_price_1, bid_size_1, ask_price_2, …`, with the name before each."""
        return tuple(f"{self.name}_{column}" for column in self._columns)

    @property
    def _columns(self) -> list[str]:
        fields = ("ask_price", "ask_size", "bid_price", "bid_size")
        return [f"{each}_{level}" for level in range(1, self.levels + 1) for each in fields]

    @override
    def exprs(self, market: Market) -> tuple[pl.Expr, ...]:
        return tuple(pl.col(column) for column in self._columns)

    @override
    def stream(self, market: Market, out: Row, at: int) -> Update:
        places = [(level, at + 4 * level) for level in range(self.levels)]

        def update(_ts: int, bid: Side, bid_size: Side, ask: Side, ask_size: Side) -> None:
            for level, place in places:
                out[place] = ask[level]
                out[place + 1] = ask_size[level]
                out[place + 2] = bid[level]
                out[place + 3] = bid_size[level]

        return update
