"""Features of several levels of the book; a missing level has the price NaN and the size 0."""

from dataclasses import dataclass
from functools import reduce
from math import exp
from operator import add
from typing import override

from ai.features.feature import Feature, Market, real, whole
from ai.features.sources import Source
from ai.features.values import Value

MOST_LEVELS = 20
_DEPTH = "best levels of each side"


@dataclass(frozen=True)
class Imbalance(Feature):
    """`(B - A) / (B + A)`, B and A being the bid and ask sizes of the best levels; from -1 to 1."""

    name = "imbalance"
    streams = ("book",)
    source = "Cao, Hansch, Wang (2009), The information content of an open limit-order book"
    nan = "where both sides are empty"

    levels: int = whole(5, 1, MOST_LEVELS, _DEPTH)

    @override
    def formula(self, of: Source, market: Market) -> tuple[Value, ...]:
        return (_weighed(of, [1.0] * self.levels),)


def _weighed(of: Source, weights: list[float]) -> Value:
    """Imbalance of weighed sizes, summed from the best level outwards."""
    bids, asks = (
        reduce(
            add,
            [
                of[f"{side}_size_{level}"] if weight == 1.0 else of[f"{side}_size_{level}"] * weight
                for level, weight in enumerate(weights, start=1)
            ],
        )
        for side in ("bid", "ask")
    )
    return (bids - asks) / (bids + asks)


@dataclass(frozen=True)
class DepthScore(Feature):
    """Imbalance in which level k weighs `exp(-decay * (k - 1))`; from -1 to 1."""

    name = "depth_score"
    streams = ("book",)
    source = "definition: exponentially weighted book imbalance"
    nan = "where both sides are empty"

    levels: int = whole(10, 1, MOST_LEVELS, _DEPTH)
    decay: float = real(0.5, 0.0, 10.0, "how fast a level's weight falls with its distance from the best")

    @override
    def formula(self, of: Source, market: Market) -> tuple[Value, ...]:
        return (_weighed(of, [exp(-self.decay * level) for level in range(self.levels)]),)


@dataclass(frozen=True)
class DeepLob(Feature):
    """DeepLOB's raw columns: ask price, ask size, bid price, bid size of each level, best first.

    The model reads them z-scored on past days; that is the normaliser's work, not this feature's.
    """

    name = "deeplob"
    streams = ("book",)
    source = "Zhang, Zohren, Roberts (2019), DeepLOB, section III; order of columns as in LOBSTER and FI-2010"
    nan = "the price of a missing level"

    levels: int = whole(10, 1, MOST_LEVELS, _DEPTH)

    @property
    @override
    def outputs(self) -> tuple[str, ...]:
        return tuple(f"{self.name}_{column}" for column in self._columns)

    @property
    def _columns(self) -> list[str]:
        fields = ("ask_price", "ask_size", "bid_price", "bid_size")
        return [f"{each}_{level}" for level in range(1, self.levels + 1) for each in fields]

    @override
    def formula(self, of: Source, market: Market) -> tuple[Value, ...]:
        return tuple(of[column] for column in self._columns)
