"""Rows to train on: small, seeded, and with a known link between columns and the price to come."""

import numpy as np

from ai.features import FeatureSet
from ai.training.stretches import Stretch

START_NS = 1_700_000_000 * 10**9
SECOND_NS = 10**9


def features(count: int = 3) -> FeatureSet:
    """A set of this many columns without a warm-up in rows."""
    listed = [{"name": "return", "window": 1, "as": f"c{place}"} for place in range(count)]
    return FeatureSet.of("made", {"clock": "quotes", "feature": listed})


def stretch(
    rows: int = 2_000, columns: int = 3, seed: int = 5, start_ns: int = START_NS, strength: float = 1.0
) -> Stretch:
    """One row a second; column 0 tells, as strongly as asked, where the price goes in the next row."""
    random = np.random.default_rng(seed)
    x = random.standard_normal((rows, columns)).astype(np.float32)
    steps = np.zeros(rows)
    steps[1:] = strength * x[:-1, 0] + random.standard_normal(rows - 1)
    ts = start_ns + np.arange(rows) * SECOND_NS
    return Stretch(ts, x, np.round(100_000 + 10 * steps.cumsum()) / 100)
