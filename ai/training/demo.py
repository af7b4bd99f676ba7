"""The recipe of the model that ships: committed and seeded, so that anyone can make the same file again.

It is trained on markets drawn from seeds that the demo does not show, each on a day before the demo's, and
judged on seeds that it was not trained on.
"""

from collections.abc import Sequence
from typing import Final

import msgspec

from ai.training.plan import Plan

SHOWN_SEED: Final = 7
"""What the demo shows; no part of the recipe may use it."""


class Recipe(msgspec.Struct, frozen=True, kw_only=True):
    """A training run on generated markets.

    Attributes
    ----------
    features : str
        Name of the feature set.
    train, validation, test : tuple of int
        Seeds of the markets of each part; each is one stretch of `seconds`.
    start_ns, apart_ns : int
        When the first market begins, and how long after it the next.
    """

    name: str
    plan: Plan
    features: str
    market: str
    train: tuple[int, ...]
    validation: tuple[int, ...]
    test: tuple[int, ...]
    seconds: int
    start_ns: int
    apart_ns: int
    licence: str

    @property
    def draws(self) -> Sequence[tuple[int, int]]:
        """Seed and start of every market, in time order."""
        seeds = (*self.train, *self.validation, *self.test)
        return [(seed, self.start_ns + place * self.apart_ns) for place, seed in enumerate(seeds)]

    @property
    def borders_ns(self) -> tuple[int, int]:
        """When validation and test begin."""
        first = self.start_ns + len(self.train) * self.apart_ns
        return first, first + len(self.validation) * self.apart_ns


DEMO: Final = Recipe(
    name="demo-mlp",
    plan=Plan(
        architecture="mlp",
        window=1,
        hidden=32,
        layers=2,
        horizon="1s",
        epochs=40,
        patience=5,
        batch=1024,
        learning_rate=1e-3,
        epoch_windows=200_000,
        validated=200_000,
        seed=1,
        threads=1,
    ),
    features="demo",
    market="crypto",
    train=tuple(range(100, 116)),
    validation=(200, 201, 202),
    test=(300, 301, 302),
    seconds=900,
    start_ns=1_764_579_600_000_000_000,  # 2025-12-01 09:00 UTC
    apart_ns=86_400_000_000_000,
    licence="MIT; trained on NextTick Station's generated market, for demonstration only",
)

RECIPES: Final = {"demo": DEMO}
