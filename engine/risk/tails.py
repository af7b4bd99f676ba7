"""Value at risk and expected shortfall of what is held, from past returns of the mids at a fixed step.

Both methods apply today's values to past returns, so that each past step is one profit of today's positions.

- Historical simulation: value at risk is the loss that a share of 1 - level of these exceeds, and expected
  shortfall the mean of those that do (Acerbi & Tasche 2002, "On the coherence of expected shortfall", Journal
  of Banking & Finance 26).
- EWMA: variance s² = λ s² + (1 - λ) r² with λ = 0.94 and mean 0, losses normal (J.P. Morgan/Reuters 1996,
  "RiskMetrics - Technical Document", 4th edition, chapter 5). As the covariances are weighed alike, the
  variance of the positions' profits is that of the positions.
"""

from collections import deque
from collections.abc import Callable, Mapping
from decimal import Decimal
from math import ceil, exp, log, pi, sqrt
from statistics import NormalDist
from typing import Final

import numpy as np
import numpy.typing as npt

from engine.messages.limits import TailRisk

LAMBDA: Final = 0.94

EWMA_RETURNS: Final = 74
"""Fewest returns for EWMA: with 0.94, older ones weigh 1 % in all (RiskMetrics, table 5.8)."""

type Floats = npt.NDArray[np.float64]


class ReturnHistory:
    """Mids of an account's instruments at a fixed step.

    Parameters
    ----------
    instruments : sequence of str
    step_s : float
        Time between two mids, the horizon of what is told.
    longest : int
        Steps kept.

    Attributes
    ----------
    names : list of str
        The instruments.
    """

    def __init__(self, instruments: list[str], step_s: float = 60.0, longest: int = 1_440) -> None:
        self.step_s = step_s
        self.names = list(instruments)
        self._step_ns = round(step_s * 1e9)
        self._rows: deque[list[float]] = deque(maxlen=longest + 1)
        self._slot: int | None = None

    def sample(self, now_ns: int, mid: Callable[[str], Decimal | None]) -> None:
        """Take the mids where a step has passed; there is no return over steps that nobody called in."""
        slot = now_ns // self._step_ns
        if slot == self._slot:
            return
        if self._slot is not None and slot < self._slot:
            self._rows.clear()  # a replay went back
        elif self._slot is not None and slot > self._slot + 1:
            self._rows.append([float("nan")] * len(self.names))
        self._slot = slot
        mids = [mid(name) for name in self.names]
        self._rows.append([float("nan") if each is None else float(each) for each in mids])

    def profits(self, values: Mapping[str, float]) -> Floats:
        """Profits of holding these signed values over each past step; steps without a price are left out."""
        held = [at for at, name in enumerate(self.names) if values.get(name)]
        if len(self._rows) < 2 or not held:
            return np.empty(0)
        mids = np.array(self._rows)[:, held]
        returns = np.diff(mids, axis=0) / mids[:-1]
        weights = np.array([values[self.names[at]] for at in held])
        profits: Floats = returns @ weights
        return profits[np.isfinite(profits)]

    def tails(self, values: Mapping[str, float], level: float = 0.99) -> list[TailRisk]:
        """Value at risk and expected shortfall by both methods."""
        profits = self.profits(values)
        return [historical(profits, level, self.step_s), ewma(profits, level, self.step_s)]


def historical(profits: Floats, level: float, horizon_s: float) -> TailRisk:
    """By historical simulation; None with fewer returns than one beyond the level."""
    share = 1.0 - level
    count = len(profits)
    value = shortfall = None
    if count >= ceil(round(1.0 / share, 9)):
        losses = np.sort(-profits)[::-1]
        beyond = max(1, int(round(count * share, 9)))
        value, shortfall = max(0.0, float(losses[beyond - 1])), max(0.0, float(losses[:beyond].mean()))
    return TailRisk(
        method="historical",
        level=level,
        horizon_s=horizon_s,
        returns=count,
        value_at_risk=value,
        expected_shortfall=shortfall,
    )


def ewma(profits: Floats, level: float, horizon_s: float) -> TailRisk:
    """By exponentially weighted variance; None with fewer than 74 returns."""
    count = len(profits)
    value = shortfall = None
    if count >= EWMA_RETURNS:
        ages = np.arange(count - 1, -1, -1)
        weights = np.exp(ages * log(LAMBDA))
        deviation = sqrt(float(np.dot(weights, np.square(profits)) / weights.sum()))
        quantile = NormalDist().inv_cdf(level)
        density = exp(-quantile * quantile / 2) / sqrt(2 * pi)
        value, shortfall = deviation * quantile, deviation * density / (1.0 - level)
    return TailRisk(
        method="ewma",
        level=level,
        horizon_s=horizon_s,
        returns=count,
        value_at_risk=value,
        expected_shortfall=shortfall,
    )
