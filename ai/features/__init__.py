"""Features, each defined once: a batch form (polars, lazy) and a streaming form (O(1) per event).

`FeatureSet.load(path)` reads a named list; `.batch(tables, market)` answers a LazyFrame, `.stream(market)` an
object with `on_quote`, `on_trade`, `on_book`, `on_bar`, `on_news` and the row `values`. `ai.features.sources`
says what the tables are, `ai.features.proof` proves that the two forms agree and look at no later row.
"""

from ai.features.catalogue import FEATURES
from ai.features.feature import Feature, Market
from ai.features.sets import Entry, FeatureSet, Line
from ai.features.streaming import FeatureStream

__all__ = ["FEATURES", "Entry", "Feature", "FeatureSet", "FeatureStream", "Line", "Market"]
