"""Features of headlines and calendar releases, as of the last one that was known.

Their stream has a row per headline, so a window of time ends at the last headline, not at the row of the
clock that the value stands in: with `window = "1h"` a burst of news is remembered until the next headline.
"""

# ruff: noqa: RUF009 - `window(…)` and its like declare a parameter; what they make is immutable

from dataclasses import dataclass
from typing import override

from ai.features.feature import Feature, Market, WarmUp, whole, window
from ai.features.sources import Source
from ai.features.values import Value, total, where_less
from ai.features.windows import Window

_NEWS = ("news",)


def _warm_up(window: Window) -> WarmUp:
    return WarmUp(max(window.rows - 1, 0), window.ns)


def _counted(of: Source, least: int, window: Window) -> Value:
    return total(where_less(of["importance"], float(least), 0.0, 1.0), window)


@dataclass(frozen=True)
class NewsSentiment(Feature):
    """Mean sentiment over a window of headlines, those without a sentiment counted as 0."""

    name = "news_sentiment"
    streams = _NEWS
    source = "definition"
    nan = "never"

    window: Window = window(1, "headlines or time up to the last one that are averaged")

    @property
    @override
    def warm_up(self) -> WarmUp:
        return _warm_up(self.window)

    @override
    def formula(self, of: Source, market: Market) -> tuple[Value, ...]:
        return (total(of["sentiment"], self.window) / _counted(of, 0, self.window),)


@dataclass(frozen=True)
class NewsCount(Feature):
    """Number of headlines of some importance among those of a window."""

    name = "news_count"
    streams = _NEWS
    source = "definition"
    nan = "never"

    window: Window = window("1h", "headlines or time up to the last one that are looked through")
    least: int = whole(0, 0, 3, "lowest importance that counts: 0 also unknown, 1 low, 2 medium, 3 high")

    @property
    @override
    def warm_up(self) -> WarmUp:
        return _warm_up(self.window)

    @override
    def formula(self, of: Source, market: Market) -> tuple[Value, ...]:
        return (_counted(of, self.least, self.window),)
