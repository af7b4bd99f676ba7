"""A stream and a range give the same forecasts, whatever the model, the clock and the cutting."""

from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from ai.features.pieces import Piece
from ai.features.values import Floats
from ai.passport import Architecture, ColumnBins, Input, Output, Passport
from app.paths import CONFIGS
from engine.columns import Columns, Deltas, Flag, Quotes
from engine.feeds.importing import import_files
from engine.feeds.instruments import KnownInstruments
from engine.feeds.reader import Source
from engine.feeds.simulated import PROFILES, Simulation, random_quotes, simulate
from engine.messages.instrument import Instrument
from engine.messages.run import ModelUse
from engine.signals.protocols import Forecast, Model, Needs, Range
from engine.store import Store
from tests.ai.inference.models import (
    TICK,
    chunks,
    feature_set,
    fed_until_sick,
    logarithm,
    lstm,
    mlp,
    opened,
    passport,
    safetensors,
    written,
    zscore,
)
from tests.ai.loading.onnx_files import two_inputs_two_outputs
from tests.recordings import recording

FX, CRYPTO = PROFILES["fx"].instrument, PROFILES["crypto"].instrument
START_NS = 1_700_000_000 * 10**9
SECOND = 10**9
NAMES = ("down", "flat", "up", "score")


@pytest.fixture(autouse=True)
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let what passes from piece to piece matter in small markets, too."""
    monkeypatch.setattr("app.models._PIECE_ROWS", 700)


@cache
def crypto() -> Simulation:
    return simulate(PROFILES["crypto"], 5, START_NS, 6)


def quotes(rows: int = 6_000, seed: int = 3) -> Quotes:
    return random_quotes(rows, seed, FX, START_NS)


def same(
    model: Model, instrument: Instrument, needs: Needs, *columns: Columns, rows: int = 3_000
) -> tuple[list[Forecast], Range]:
    """Ask both forms of the model; they must agree in everything."""
    stream = model.stream(instrument, needs)
    told = fed_until_sick(stream, model, chunks(instrument, *columns, rows=777))
    found = model.over(instrument, chunks(instrument, *columns, rows=rows), needs)
    forecasts = [forecast for forecast, _ in told]
    assert found.rows["ts"].tolist() == [each.ts for each in forecasts]
    assert found.row.tolist() == [each.row for each in forecasts]
    alone = found.alone(np.arange(len(forecasts)))
    painted = stream.take_rows()
    for name in NAMES:
        asked = np.array([getattr(each, name) for each in forecasts])
        np.testing.assert_allclose(found.rows[name], asked, atol=1e-6)
        np.testing.assert_array_equal(alone[name], asked)
        np.testing.assert_array_equal(painted[name], asked)
    np.testing.assert_array_equal(painted["ts"], found.rows["ts"])
    np.testing.assert_array_equal(found.price, [each.price for each in forecasts])
    np.testing.assert_allclose(found.volatility, [each.volatility for each in forecasts], rtol=1e-9)
    sick = [reason for _, reason in told]
    assert found.sick == stream.sick
    assert found.sick_from == next((at for at, reason in enumerate(sick) if reason), len(sick))
    for one, other in zip(stream.health(2**62), found.health(2**62), strict=True):
        assert one.inputs == other.inputs
        assert (one.predictions, one.warm, one.in_sample) == (other.predictions, other.warm, other.in_sample)
    stream.close()
    return forecasts, found


def test_a_perceptron_on_quotes(tmp_path: Path) -> None:
    features = feature_set()
    model = opened(FX, written(tmp_path, mlp(1, len(features.outputs)), passport(features)))
    forecasts, found = same(model, FX, Needs(volatility_ns=SECOND), quotes(9_000))
    assert len(forecasts) > 8_000
    assert forecasts[0].row == found.row[0] > 50
    assert sum(forecasts[100][2:5]) == pytest.approx(1.0, abs=1e-6)
    assert np.isfinite(found.volatility).all()
    assert found.sick == ""
    model.close()


def test_a_recurrent_model_on_the_recorded_dukascopy_day(tmp_path: Path) -> None:
    instrument, columns = recorded(tmp_path, "EURUSD.DUKASCOPY", "fx/dukascopy/EURUSD/2019/01/04")
    features = feature_set()
    normaliser = zscore([1.0] * len(features.outputs), [2.0] * len(features.outputs))
    told = passport(features, 50, "probabilities", normaliser=normaliser)
    model = opened(instrument, written(tmp_path, lstm(50, len(features.outputs)), told))
    forecasts, _ = same(model, instrument, Needs(), *(each.take(slice(0, 9_000)) for each in columns))
    assert len(forecasts) > 8_000
    model.close()


@pytest.mark.parametrize(("batch", "updates"), [(1, 200), (32, 110)])
def test_deeplob_on_the_recorded_binance_book(batch: int, updates: int, tmp_path: Path) -> None:
    file = recording(f"models/deeplob_onnx/model_b{batch}.onnx")
    instrument, columns = recorded(tmp_path, "ETHUSDT.BINANCE", "crypto/binance_raw/spot/ethusdt_20240808.gz")
    deltas = next(each for each in columns if isinstance(each, Deltas))
    ends = np.flatnonzero(deltas.flags & Flag.LAST) + 1
    features = feature_set("book", [{"name": "deeplob", "levels": 10}])
    probe = opened(instrument, written(tmp_path, file.read_bytes(), deeplob_passport(file, features)))
    forecasts, found = same(probe, instrument, Needs(), deltas.take(slice(0, int(ends[updates]))), rows=4_000)
    assert len(forecasts) == updates + 1 - 99
    assert found.row[0] == 99
    np.testing.assert_allclose(found.rows["down"] + found.rows["flat"] + found.rows["up"], 1.0, atol=1e-5)
    probe.close()


def deeplob_passport(file: Path, features: Any) -> Passport:
    """Passport of the recorded model, its ports read from the file."""
    from ai.loading.onnx_model import read_onnx

    facts = read_onnx(file.read_bytes())
    told = passport(features, 100, "logits", normaliser=zscore([0.0] * 40, [1_000.0] * 40))
    (given,), (answer,) = facts.inputs, facts.outputs
    return msgspec.structs.replace(
        told,
        inputs=(Input(name=given.name, dtype="float32", shape=given.shape, columns=features.outputs),),
        outputs=(Output(name=answer.name, dtype="float32", shape=answer.shape, meaning="logits"),),
    )


def recorded(folder: Path, instrument: str, relative: str) -> tuple[Instrument, list[Columns]]:
    """All that is stored of a recording, by kind."""
    store = Store(folder / "store")
    known = KnownInstruments.load(CONFIGS / "instruments.toml", folder / "none.toml")
    import_files([recording(relative)], instrument, store, known, Source())
    parts: dict[str, list[Columns]] = {}
    for chunk in store.chunks(instrument):
        for kind, part in chunk.columns.items():
            parts.setdefault(kind, []).append(part)
    return store.instrument(instrument), [each[0].concat(each) for each in parts.values()]


# -- clocks and streams -----------------------------------------------------------------------------------


@pytest.mark.parametrize("clock", ["trades", "book", "quotes"])
def test_a_set_of_several_streams(clock: str, tmp_path: Path) -> None:
    features = feature_set(
        clock,
        [
            {"name": "imbalance", "levels": 3},
            {"name": "signed_volume", "window": 30},
            {"name": "return", "window": "2s", "on": "quotes"},
            {"name": "realised_volatility", "window": 5, "on": "trades"},
        ],
    )
    model = opened(CRYPTO, written(tmp_path, mlp(3, 4), passport(features, 3)))
    market = crypto()
    forecasts, _ = same(
        model, CRYPTO, Needs(volatility_ns=SECOND), market.quotes, market.trades, market.deltas, rows=500
    )
    assert len(forecasts) > 100
    assert model.facts.streams == {"quotes", "trades", "book"}
    assert model.facts.levels == 3
    model.close()


@pytest.mark.parametrize("bars", ["1-SECOND-MID", "20-TICK-BID"])
@pytest.mark.parametrize("clock", ["bars", "quotes"])
def test_bars(clock: str, bars: str, tmp_path: Path) -> None:
    features = feature_set(
        clock, [{"name": "atr", "period": 3}, {"name": "return", "window": 2, "on": "bars"}], bars
    )
    model = opened(FX, written(tmp_path, mlp(2, 2), passport(features, 2)))
    forecasts, _ = same(model, FX, Needs(), quotes(8_000))
    assert len(forecasts) > 50
    model.close()


@pytest.mark.parametrize(("window", "stride"), [(1, 7), (20, 3), (5, 5)])
def test_strides(window: int, stride: int, tmp_path: Path) -> None:
    features = feature_set()
    told = passport(features, window, stride=stride)
    model = opened(FX, written(tmp_path, mlp(window, len(features.outputs)), told))
    forecasts, found = same(model, FX, Needs(), quotes(2_500))
    assert set(np.diff(found.row).tolist()) == {stride}
    assert len(forecasts) > 300
    model.close()


def test_two_inputs_and_a_class_beside_an_output_that_is_not_used(tmp_path: Path) -> None:
    features = feature_set(
        "quotes",
        [{"name": "top_imbalance"}, {"name": "return", "window": 5}, {"name": "spread", "unit": "bps"}],
    )
    columns = features.outputs
    told = msgspec.structs.replace(
        passport(features, normaliser=zscore([0.0, 0.0, 0.2], [0.5, 1e-5, 0.1])),
        inputs=(
            Input(name="a", dtype="float32", shape=("batch", 2), columns=columns[:2]),
            Input(name="b", dtype="float32", shape=("batch", 1), columns=columns[2:]),
        ),
        outputs=(
            Output(name="label", dtype="int64", shape=("batch",), meaning="class"),
            Output(name="both", dtype="float32", shape=("batch", 3), meaning="unused"),
        ),
    )
    model = opened(FX, written(tmp_path, two_inputs_two_outputs(), told))
    forecasts, found = same(model, FX, Needs(), quotes(2_000))
    assert {forecast.score for forecast in forecasts} == {-1.0, 0.0, 1.0}
    assert found.explain(2**62).output in ([0.0], [1.0], [2.0])
    model.close()


def test_bare_weights_in_torch(tmp_path: Path) -> None:
    features = feature_set()
    inputs, hidden = len(features.outputs), 8
    shapes = {
        "lstm.weight_ih_l0": (4 * hidden, inputs),
        "lstm.weight_hh_l0": (4 * hidden, hidden),
        "lstm.bias_ih_l0": (4 * hidden,),
        "lstm.bias_hh_l0": (4 * hidden,),
        "fc.weight": (3, hidden),
        "fc.bias": (3,),
    }
    sizes = {"inputs": inputs, "hidden": hidden, "layers": 1, "outputs": 3}
    told = passport(features, 10, stride=5, architecture=Architecture(name="lstm", sizes=sizes))
    model = opened(FX, written(tmp_path, safetensors(shapes), told, "model.safetensors"))
    forecasts, found = same(model, FX, Needs(), quotes(2_500))
    assert len(forecasts) > 300
    assert len(set(found.rows["score"].tolist())) > 5
    assert found.health(2**62)[0].runtime == "torch"
    model.close()


def test_the_cutting_does_not_matter(tmp_path: Path) -> None:
    features = feature_set()
    model = opened(FX, written(tmp_path, mlp(30, len(features.outputs)), passport(features, 30)))
    told = [
        model.over(FX, chunks(FX, quotes(50_000), rows=rows), Needs()) for rows in (100_000, 20_001, 6_000)
    ]
    for other in told[1:]:
        np.testing.assert_allclose(other.rows["score"], told[0].rows["score"], atol=1e-6)
        assert other.row.tolist() == told[0].row.tolist()
    model.close()


def test_no_row_knows_what_came_after_it(tmp_path: Path) -> None:
    features = feature_set()
    model = opened(FX, written(tmp_path, mlp(20, len(features.outputs)), passport(features, 20)))
    market = quotes(5_000)
    whole = model.over(FX, chunks(FX, market), Needs())
    for end in (200, 1_777, 4_999):
        cut = model.over(FX, chunks(FX, market.take(slice(0, end))), Needs())
        known = int(np.searchsorted(whole.row, end))
        assert cut.row.tolist() == whole.row[:known].tolist()
        np.testing.assert_allclose(cut.rows["score"], whole.rows["score"][:known], atol=1e-6)
    model.close()


# -- news -------------------------------------------------------------------------------------------------

NEWS = [
    {"name": "return", "window": 5},
    {"name": "news_sentiment", "window": 2},
    {"name": "news_count", "window": "2s", "least": 1},
]


def headlines(ts: Any, seed: int = 1) -> Piece:
    random = np.random.default_rng(seed)
    sentiment: Floats = random.integers(-4, 5, len(ts)).astype(np.float64) * 0.25
    importance: Floats = random.integers(0, 4, len(ts)).astype(np.float64)
    return np.array(ts, np.int64), {"sentiment": sentiment, "importance": importance}


@pytest.mark.parametrize("rows", [3_000, 333])
def test_a_model_of_news(rows: int, tmp_path: Path) -> None:
    features, market = feature_set("quotes", NEWS), quotes()
    random = np.random.default_rng(4)
    moments = np.sort(np.concatenate([START_NS - SECOND * np.arange(5), random.choice(market.ts_init, 40)]))
    use = written(tmp_path, mlp(3, 3), passport(features, 3))
    model = opened(FX, use, news=headlines(moments))
    forecasts, _ = same(model, FX, Needs(), market, rows=rows)
    assert forecasts[0].row == 7, "headlines from before the start have warmed the model up"
    assert len(forecasts) == 6_000 - 7
    model.close()
    others = written(tmp_path, mlp(1, 2), passport(feature_set("quotes", TICK[:2]), name="other"))
    model = opened(FX, use, others, news=headlines(moments[20:]))
    forecasts, _ = same(model, FX, Needs(), market, rows=rows)
    assert forecasts[0].ts > moments[21], "two headlines are averaged"
    model.close()


def test_no_row_knows_a_headline_that_was_not_published_before_it(tmp_path: Path) -> None:
    market = quotes()
    use = written(tmp_path, mlp(1, 3), passport(feature_set("quotes", NEWS)))
    moments = [START_NS - 9 * SECOND, START_NS - SECOND, *market.ts_init[[1_000, 2_500, 4_000]].tolist()]
    ts, columns = headlines(moments)
    told = []
    for tone in (-1.0, 1.0):
        news = ts, {**columns, "sentiment": np.append(columns["sentiment"][:-1], tone)}
        model = opened(FX, use, news=news)
        told.append([(each.ts, each.score) for each in same(model, FX, Needs(), market)[0]])
        model.close()
    changed = [one[0] for one, other in zip(*told, strict=True) if one != other]
    assert changed == [at for at in market.ts_init.tolist() if at > moments[-1]]


def test_a_model_of_news_without_any_says_so_and_nothing_else(tmp_path: Path) -> None:
    model = opened(FX, written(tmp_path, mlp(1, 3), passport(feature_set("quotes", NEWS))))
    assert model.facts.warnings == (
        "tested reads news, and the run's series have none of EURUSD.SIM; it says nothing before the first.",
    )
    assert same(model, FX, Needs(), quotes())[0] == []
    model.close()


# -- sickness ---------------------------------------------------------------------------------------------


def _without_sizes(columns: Quotes, *rows: int) -> Quotes:
    sizes = {name: getattr(columns, name).copy() for name in ("bid_size", "ask_size")}
    for array in sizes.values():
        array[list(rows)] = 0
    return columns.with_arrays(sizes)


@pytest.mark.parametrize("stride", [1, 4])
def test_an_input_without_a_value_makes_both_sick_at_the_same_row(stride: int, tmp_path: Path) -> None:
    features = feature_set()
    told = passport(features, 3, stride=stride)
    model = opened(FX, written(tmp_path, mlp(3, len(features.outputs)), told))
    # Row 10 lies in the warm-up, where it counts for nothing.
    market = _without_sizes(quotes(3_000), 10, 1_500, 1_501, 2_200)
    forecasts, found = same(model, FX, Needs(), market)
    assert found.row[found.sick_from] in range(1_500, 1_500 + stride)
    assert found.sick == "tested got no value for its input microprice_bps."
    by_row = dict(zip(found.row.tolist(), forecasts, strict=True))
    broken = [row for row in by_row if row in {1_500, 1_501, 1_502, 1_503, 2_200, 2_201, 2_202}]
    assert broken
    for row, forecast in by_row.items():
        assert np.isnan(forecast.score) == (row in broken)
    nans = {each.column: each.nans for each in found.health(2**62)[0].inputs}
    assert (nans["microprice_bps"], nans["spread_ticks"]) == (3, 0)
    well, _ = same(model, FX, Needs(sick_on_nan=False), market)
    assert len(well) == len(forecasts)
    model.close()


def test_an_answer_that_is_no_number_makes_both_sick_at_the_same_row(tmp_path: Path) -> None:
    features = feature_set("quotes", [{"name": "spread", "unit": "ticks"}])
    market = quotes(3_000)
    ask = market.ask.copy()
    ask[[1_200, 2_000]] += 100
    told = passport(features, meaning="value", classes=())
    model = opened(FX, written(tmp_path, logarithm(50.0), told))
    _, found = same(model, FX, Needs(), market.with_arrays({"ask": ask}))
    assert found.row[found.sick_from] == 1_200
    assert found.sick == "tested answered with something that is no number."
    assert np.flatnonzero(np.isnan(found.rows["score"])).tolist() == [1_200, 2_000]
    assert np.isnan(found.rows["up"]).all()
    model.close()


@pytest.mark.parametrize("stride", [1, 3])
def test_drift_makes_both_sick_at_the_same_row(stride: int, tmp_path: Path) -> None:
    features = feature_set("quotes", [{"name": "spread", "unit": "ticks"}, {"name": "return", "window": 5}])
    market = quotes(6_000)
    # The spread is 1 to 4 ticks, each as often; from row 2,000 on it is 2 to 5.
    ask = market.ask + np.where(np.arange(6_000) < 2_000, 0, 1)
    bins = (ColumnBins(column="spread_ticks", edges=(1.5, 2.5, 3.5), shares=(0.25, 0.25, 0.25, 0.25)),)
    told = passport(features, 2, training_bins=bins, stride=stride)
    model = opened(FX, written(tmp_path, mlp(2, 2), told))
    shifted = market.with_arrays({"ask": ask})
    _, found = same(model, FX, Needs(max_psi=0.1), shifted)
    # Warm from row 5; a look at drift when 1,000, 2,000, … warm rows are there.
    first, second = found.row[found.sick_from], found.row[found.sick_from - 1]
    step = -(-(int(second) - 4) // 1_000)
    assert first >= 5 + 1_000 * step - 1 > second
    assert step in (3, 4)
    assert found.sick.startswith("The input spread_ticks of tested has drifted from its training: PSI 0.")
    psi = {each.column: each.psi for each in found.health(2**62)[0].inputs}
    assert psi["spread_ticks"] is not None
    assert psi["spread_ticks"] > 0.1
    assert psi["return_5"] is None
    well, _ = same(model, FX, Needs(max_psi=0.1), market)
    assert well
    assert model.over(FX, chunks(FX, market), Needs(max_psi=0.1)).sick == ""
    model.close()


# -- several models ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("combine", ["mean", "vote", "weighted"])
def test_an_ensemble_of_models_with_other_windows_and_strides(combine: str, tmp_path: Path) -> None:
    features = feature_set()
    other = feature_set("quotes", [{"name": "return", "window": 300}, {"name": "top_imbalance"}])
    uses = [
        written(tmp_path, mlp(10, len(features.outputs)), passport(features, 10, stride=2, name="one")),
        written(tmp_path, mlp(1, 2, seed=5), passport(other, 1, stride=3, name="two")),
    ]
    uses = [msgspec.structs.replace(use, weight=weight) for use, weight in zip(uses, (3.0, 1.0), strict=True)]
    model = opened(FX, *uses, combine=combine)
    market = _without_sizes(quotes(4_000), 2_000)
    forecasts, found = same(model, FX, Needs(volatility_ns=SECOND), market)
    assert set(np.diff(found.row).tolist()) == {6}
    assert len(forecasts) > 500
    assert model.facts.name == "one + two"
    assert found.sick.startswith("one got no value")
    assert found.row[found.sick_from] in range(2_000, 2_010)
    broken = (found.row >= 2_000) & (found.row < 2_010)
    assert np.isnan(found.rows["score"]).tolist() == broken.tolist()
    model.close()


def test_an_ensemble_is_what_its_members_say_together(tmp_path: Path) -> None:
    features = feature_set()
    uses = [
        written(tmp_path, mlp(1, len(features.outputs), seed=seed), passport(features, name=f"m{seed}"))
        for seed in (1, 2, 3)
    ]
    uses = [msgspec.structs.replace(use, weight=w) for use, w in zip(uses, (1.0, 2.0, 5.0), strict=True)]
    market = quotes(2_000)

    def asked(*models: ModelUse, combine: str = "mean") -> Any:
        model = opened(FX, *models, combine=combine)
        rows = model.over(FX, chunks(FX, market), Needs()).rows
        model.close()
        return np.stack([rows[name] for name in NAMES], axis=1)

    alone = np.stack([asked(use) for use in uses])
    np.testing.assert_allclose(asked(*uses), alone.mean(axis=0), atol=1e-6)
    weights = np.array([1.0, 2.0, 5.0])[:, None, None] / 8.0
    np.testing.assert_allclose(asked(*uses, combine="weighted"), (alone * weights).sum(axis=0), atol=1e-6)
    votes = alone[:, :, :3].argmax(axis=2)
    shares = np.stack([(votes == place).mean(axis=0) for place in range(3)], axis=1)
    voted = asked(*uses, combine="vote")
    np.testing.assert_allclose(voted[:, :3], shares, atol=1e-6)
    np.testing.assert_allclose(voted[:, 3], shares[:, 2] - shares[:, 0], atol=1e-6)
