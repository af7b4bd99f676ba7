"""Features of headlines: both forms agree, and a headline is used after its publication only."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ai.features import FEATURES, FeatureSet
from ai.features.proof import TOLERANCE, look_ahead, parity, streamed
from engine.errors import UserError
from tests.ai.features.markets import SECOND, TICK, VARIANTS, of_news, table


def news(*rows: tuple[int, float, float]) -> pl.LazyFrame:
    return pl.LazyFrame(rows, schema=["ts", "sentiment", "importance"], orient="row")


def on_quotes(*features: dict[str, object]) -> FeatureSet:
    return FeatureSet.of("on_quotes", {"clock": "quotes", "feature": list(features)})


def quotes_at(*ts: int) -> pl.LazyFrame:
    return table("quotes", len(ts)).with_columns(ts=np.array(ts, np.int64))


@settings(max_examples=25, deadline=None)
@given(
    rows=st.tuples(st.integers(1, 60), st.integers(0, 60)),
    seed=st.integers(0, 2**32 - 1),
    coarse=st.sampled_from([1, 10**8, 10**9]),
)
def test_both_forms_agree_and_look_at_nothing_later(rows: tuple[int, int], seed: int, coarse: int) -> None:
    features = of_news()
    tables = {
        stream: table(stream, count, seed + place).with_columns(pl.col("ts") // coarse * coarse)
        for place, (stream, count) in enumerate(zip(("quotes", "news"), rows, strict=True))
    }
    assert max(parity(features, tables, TICK).values()) <= TOLERANCE
    assert look_ahead(features, tables, TICK, rows=range(rows[0])) == {}


@pytest.mark.parametrize("published", [200, 201])
def test_a_headline_changes_only_rows_after_its_publication(published: int) -> None:
    features = on_quotes({"name": "news_sentiment"}, {"name": "news_count", "window": 1, "least": 2})
    quotes = quotes_at(100, 200, 201, 202, 300)
    first = (50, -0.5, 1.0)
    without = streamed(features, {"quotes": quotes, "news": news(first)}, TICK)
    tables = {"quotes": quotes, "news": news(first, (published, 1.0, 3.0))}
    batch = features.batch(tables, TICK).collect()
    told = batch.select(features.outputs).to_numpy()
    np.testing.assert_array_equal(told, streamed(features, tables, TICK))
    later = batch["ts"].to_numpy() > published
    np.testing.assert_array_equal(told[~later], without[~later])
    assert told[later].tolist() == [[1.0, 1.0]] * int(later.sum())


def test_what_is_averaged_and_counted() -> None:
    features = on_quotes(
        {"name": "news_sentiment", "window": 3},
        {"name": "news_sentiment", "window": "10s", "as": "of_time"},
        {"name": "news_count", "window": "10s"},
        {"name": "news_count", "window": "10s", "least": 2},
    )
    rows = [(1, 0.5, 3.0), (12, 0.0, 0.0), (15, -0.25, 2.0), (15, 1.0, 1.0)]
    table = news(*((second * SECOND, tone, importance) for second, tone, importance in rows))
    tables = {"quotes": quotes_at(16 * SECOND, 900 * SECOND), "news": table}
    now, much_later = features.batch(tables, TICK).collect().drop("ts").rows()
    assert now == (0.25, 0.25, 3.0, 1.0)
    assert much_later == now, "a window of time ends at the last headline"


@pytest.mark.parametrize("name", [name for name, kind in FEATURES.items() if kind.streams == ("news",)])
def test_the_first_value_follows_the_headline_that_ends_the_warm_up(name: str) -> None:
    for variant in VARIANTS[name]:
        features = on_quotes({"name": name, **variant})
        warm_up = features.entries[0].feature.warm_up
        told = table("news", 60, seed=7).collect().unique("ts", maintain_order=True)
        ts, rows = told["ts"].to_numpy(), np.arange(told.height)
        tables = {"quotes": quotes_at(*(ts + 1)), "news": told.lazy()}
        values = features.batch(tables, TICK).collect()[features.outputs[0]].to_numpy()
        warm = (rows >= warm_up.rows) & (ts - ts[0] >= warm_up.ns)
        assert (~np.isnan(values) == warm).all(), features.outputs
        assert warm.any()


def test_news_are_no_clock() -> None:
    with pytest.raises(UserError, match="clock of feature set x"):
        FeatureSet.of("x", {"clock": "news", "feature": [{"name": "news_sentiment"}]})
