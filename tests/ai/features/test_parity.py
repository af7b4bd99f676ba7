"""Batch and streaming agree to 1e-12 on recordings and on anything that may come."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ai.features import FeatureSet, Market, batch
from ai.features.memory import BLOCK
from ai.features.proof import TOLERANCE, look_ahead, parity, relative_difference, streamed
from ai.features.sources import Source as Stream
from app.feature_tables import market, tables_of
from app.paths import CONFIGS
from engine.feeds.importing import import_files
from engine.feeds.instruments import KnownInstruments
from engine.feeds.reader import Source
from engine.feeds.simulated import PROFILES, simulate
from engine.store import Store
from tests.ai.features.markets import TICK, everything, table
from tests.recordings import recording

STREAMS = ("quotes", "trades", "book", "bars")


def stored(tmp_path: Path, instrument: str, relative: str) -> Store:
    store = Store(tmp_path / "store")
    known = KnownInstruments.load(CONFIGS / "instruments.toml", tmp_path / "none.toml")
    import_files([recording(relative)], instrument, store, known, Source())
    return store


def proven(features: FeatureSet, tables: dict[str, pl.LazyFrame], facts: Market) -> dict[str, float]:
    differences = parity(features, tables, facts)
    assert differences == {name: pytest.approx(0.0, abs=TOLERANCE) for name in features.outputs}
    assert look_ahead(features, tables, facts) == {}
    return differences


def test_every_quote_feature_agrees_on_the_recorded_dukascopy_day(tmp_path: Path) -> None:
    store = stored(tmp_path, "EURUSD.DUKASCOPY", "fx/dukascopy/EURUSD/2019/01/04")
    features = everything("quotes")
    tables = tables_of(store, features, {"": "EURUSD.DUKASCOPY"}, rows=30_000)
    proven(features, tables, market(store.instrument("EURUSD.DUKASCOPY")))
    bars = tables_of(store, FeatureSet.load(CONFIGS / "features" / "bars.toml"), {"": "EURUSD.DUKASCOPY"})
    assert bars["bars"].collect().height == 1439
    proven(everything("bars"), bars, TICK)


def test_every_book_and_trade_feature_agrees_on_recorded_binance_spot(tmp_path: Path) -> None:
    store = stored(tmp_path, "ETHUSDT.BINANCE", "crypto/binance_raw/spot/ethusdt_20240808.gz")
    facts = market(store.instrument("ETHUSDT.BINANCE"))
    for clock in ("trades", "book"):
        features = everything(clock)
        proven(features, tables_of(store, features, {"": "ETHUSDT.BINANCE"}), facts)
    features = FeatureSet.load(CONFIGS / "features" / "book.toml")
    tables = tables_of(store, features, {"": "ETHUSDT.BINANCE"})
    assert set(tables) == {"book", "trades"}
    proven(features, tables, facts)


@pytest.mark.parametrize("name", ["tick", "book", "deeplob", "bars"])
def test_every_shipped_set_agrees_on_the_generated_market(name: str, tmp_path: Path) -> None:
    drawn = simulate(PROFILES["crypto"], seed=3, start_ns=1_700_000_000 * 10**9, seconds=62)
    store = Store(tmp_path / "store")
    kinds = {"quotes": drawn.quotes, "trades": drawn.trades, "deltas": drawn.deltas}
    store.add(drawn.instrument, kinds)
    features = FeatureSet.load(CONFIGS / "features" / f"{name}.toml")
    if name == "bars":
        features = FeatureSet.of(
            name, {"clock": "bars", "bars": "1-SECOND-MID", "feature": [{"name": "macd"}, {"name": "atr"}]}
        )
    tables = tables_of(store, features, {"": drawn.instrument.id})
    proven(features, tables, market(drawn.instrument))
    values = features.batch(tables, market(drawn.instrument)).collect()
    assert all(values[output].is_not_nan().any() for output in features.outputs)


@pytest.mark.parametrize("stream", STREAMS)
def test_blocks_leave_no_seam(stream: str) -> None:
    """More rows than a block of the batch form, and than the rings of the streaming form begin with."""
    proven(everything(stream), {stream: table(stream, BLOCK + 600)}, TICK)


def test_threads_share_the_work_and_change_no_bit(monkeypatch: pytest.MonkeyPatch) -> None:
    features, tables = everything("quotes"), {"quotes": table("quotes", 40_000)}
    alone = features.batch(tables, TICK).collect()
    monkeypatch.setattr(batch, "_PARALLEL_ROWS", 1_000)
    monkeypatch.setattr("os.cpu_count", lambda: 3)
    formulas = [v for entry in features for v in entry.feature.formula(Stream("quotes"), TICK)]
    assert len(batch._parted(formulas, 3)) == 3
    assert features.batch(tables, TICK).collect().equals(alone)
    other = {"clock": "quotes", "feature": [{"name": "trade_sign"}]}
    tables["trades"] = table("trades", 2_000)
    assert FeatureSet.of("other", other).batch(tables, TICK).collect().height == 40_000


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    stream=st.sampled_from(STREAMS),
    rows=st.integers(0, 80),
    seed=st.integers(0, 2**32 - 1),
    gaps=st.lists(st.integers(0, 79), max_size=6),
)
def test_any_table_agrees_with_missing_prices_too(stream: str, rows: int, seed: int, gaps: list[int]) -> None:
    frame = table(stream, rows, seed).collect()
    places = [gap for gap in gaps if gap < rows]
    price = next(name for name in frame.columns if name not in ("ts", "ts_open"))
    if places and stream != "bars":
        values = frame[price].to_numpy().copy()
        values[places] = np.nan
        frame = frame.with_columns(pl.Series(price, values))
    proven(everything(stream), {stream: frame.lazy()}, TICK)


@settings(max_examples=25, deadline=None)
@given(
    rows=st.tuples(st.integers(1, 60), st.integers(0, 60), st.integers(0, 60)),
    seed=st.integers(0, 2**32 - 1),
    coarse=st.sampled_from([1, 10**8, 10**9]),
)
def test_streams_of_two_instruments_agree_at_equal_times_too(
    rows: tuple[int, int, int], seed: int, coarse: int
) -> None:
    tables = {
        name: table(stream, count, seed + place).with_columns(pl.col("ts") // coarse * coarse)
        for place, (name, stream, count) in enumerate(
            zip(("quotes", "trades", "leader.quotes"), ("quotes", "trades", "quotes"), rows, strict=True)
        )
    }
    given = [
        {"name": "mid"},
        {"name": "signed_volume", "window": 3},
        {"name": "return", "window": "2s", "of": "leader"},
        {"name": "return", "window": "2s"},
    ]
    features = FeatureSet.of("pair", {"clock": "quotes", "feature": given})
    assert features.outputs == ("mid", "signed_volume_3_aggressor", "leader_return_2s", "return_2s")
    proven(features, tables, TICK)


def test_a_sum_does_not_depend_on_where_its_stream_began() -> None:
    """A plain running or prefix sum is off by 1e-10 here; the feature is what the window alone gives."""
    rows = 200_000
    random = np.random.default_rng(5)
    sizes = random.random(rows) * 10.0 ** random.integers(-3, 6, rows)
    frame = table("quotes", rows).collect().with_columns(bid_size=sizes, ask_size=pl.lit(0.0))
    features = FeatureSet.of("v", {"clock": "quotes", "feature": [{"name": "rolling_volume", "window": 50}]})
    whole = features.batch({"quotes": frame.lazy()}, TICK).collect()["rolling_volume_50"].to_numpy()
    late = (
        features.batch({"quotes": frame.tail(1_000).lazy()}, TICK).collect()["rolling_volume_50"].to_numpy()
    )
    exact = np.lib.stride_tricks.sliding_window_view(sizes[-1_000:].astype(np.longdouble), 50).sum(axis=1)
    assert relative_difference(whole[-951:], exact.astype(float)).max() < 1e-15
    assert relative_difference(late[49:], whole[-951:]).max() < 1e-15


def test_parity_sees_a_difference_and_a_value_that_only_one_form_has() -> None:
    a, b = np.array([1.0, np.nan, 2.0, 0.0]), np.array([1.0 + 1e-11, np.nan, np.nan, 0.0])
    assert relative_difference(a, b).tolist() == [pytest.approx(1e-11), 0.0, np.inf, 0.0]


def test_streaming_a_set_twice_gives_the_same_rows() -> None:
    features, tables = everything("quotes"), {"quotes": table("quotes", 300)}
    np.testing.assert_array_equal(streamed(features, tables, TICK), streamed(features, tables, TICK))
