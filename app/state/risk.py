"""Risk per instrument now, and its equity over time for the sparkline.

The history is bounded: when it is full, each four samples become their lowest and highest, so the curve
keeps its extremes however long the session runs.
"""

from collections.abc import Iterable
from typing import Final

import numpy as np

from engine.messages.columns import EQUITY, Rows
from engine.messages.frames import Risk

_CAPACITY: Final = 4096


class EquityHistory:
    """Bounded curve of equity and drawdown; `rows` has dtype `EQUITY`, oldest first."""

    def __init__(self, capacity: int = _CAPACITY) -> None:
        if capacity < 8 or capacity % 4:
            raise ValueError("the capacity must be a multiple of 4, at least 8")
        self._rows = np.empty(capacity, EQUITY)
        self._count = 0

    @property
    def rows(self) -> Rows:
        """A view, valid until the next `append`."""
        return self._rows[: self._count]

    def append(self, ts: int, equity: float, drawdown: float) -> None:
        """Add one sample, not older than the last; a sample of the same time replaces it."""
        if self._count and self._rows["ts"][self._count - 1] == ts:
            self._count -= 1
        if self._count == len(self._rows):
            self._thin()
        self._rows[self._count] = (ts, equity, drawdown)
        self._count += 1

    def _thin(self) -> None:
        groups = self._rows.reshape(-1, 4)
        extremes = np.stack([groups["equity"].argmin(axis=1), groups["equity"].argmax(axis=1)], axis=1)
        # A flat group has its lowest and highest at one place; its last sample keeps the curve's length.
        extremes[extremes[:, 0] == extremes[:, 1], 1] = 3
        extremes.sort(axis=1)
        kept = np.take_along_axis(groups, extremes, axis=1).ravel()
        self._rows[: len(kept)] = kept
        self._count = len(kept)


class RiskState:
    """Latest risk of each instrument.

    Attributes
    ----------
    latest : dict
        `Risk` by instrument id, in order of first appearance.
    history : dict
        `EquityHistory` by instrument id.
    version : int
        Grows with every change.
    """

    def __init__(self) -> None:
        self.latest: dict[str, Risk] = {}
        self.history: dict[str, EquityHistory] = {}
        self.version = 0

    def apply(self, risks: Iterable[Risk], now: int) -> None:
        """Take one frame's risks; `now` is its market time in ns."""
        for risk in risks:
            self.latest[risk.instrument] = risk
            curve = self.history.setdefault(risk.instrument, EquityHistory())
            curve.append(now, risk.equity, risk.drawdown)
            self.version += 1
