"""The time of day as a point on a circle, so that midnight has no edge."""

from dataclasses import dataclass
from math import pi
from typing import override

from ai.features.feature import ANY_PRICE, Feature, Market
from ai.features.sources import DAY_NS, Source
from ai.features.values import Value, cosine, sine


@dataclass(frozen=True)
class TimeOfDay(Feature):
    """Sine and cosine of `2 pi * (time since midnight UTC) / day`."""

    name = "time_of_day"
    streams = ANY_PRICE
    source = "definition"
    nan = "never"

    @property
    @override
    def outputs(self) -> tuple[str, ...]:
        return ("time_of_day_sin", "time_of_day_cos")

    @override
    def formula(self, of: Source, market: Market) -> tuple[Value, ...]:
        angle = of["ns_of_day"] * (2.0 * pi / DAY_NS)
        return sine(angle), cosine(angle)
