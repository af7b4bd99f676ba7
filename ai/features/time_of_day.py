"""The time of day as a point on a circle, so that midnight has no edge."""

from dataclasses import dataclass
from math import cos, pi, sin
from typing import override

import numpy as np
import polars as pl

from ai.features.feature import Feature, Market, Row, Takes, Update, kernel
from ai.features.windows import Floats, Int64

_DAY_NS = 86_400 * 10**9
_ANGLE = 2.0 * pi / _DAY_NS


@dataclass(frozen=True)
class TimeOfDay(Feature):
    """Sine and cosine of `2 pi * (time since midnight UTC) / day`."""

    name = "time_of_day"
    takes = Takes.TIME
    source = "definition"
    nan = "never"

    @property
    def outputs(self) -> tuple[str, ...]:
        """Sine, cosine."""
        return ("time_of_day_sin", "time_of_day_cos")

    def shared(self) -> dict[str, pl.Expr]:
        """The angle."""
        return {"_angle": kernel(_angles, "ts")}

    @override
    def exprs(self, market: Market) -> tuple[pl.Expr, ...]:
        return kernel(np.sin, "_angle"), kernel(np.cos, "_angle")

    @override
    def stream(self, market: Market, out: Row, at: int) -> Update:
        def update(ts: int) -> None:
            angle = ts % _DAY_NS * _ANGLE
            out[at] = sin(angle)
            out[at + 1] = cos(angle)

        return update


def _angles(ts: Int64) -> Floats:
    return (ts % _DAY_NS).astype(np.float64) * _ANGLE
