"""Why a model said what it said, of models whose reasons are known."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ai.inference.history import BLOCK_ROWS
from engine.feeds.simulated import PROFILES, random_quotes
from engine.messages.frames import Explanation
from engine.signals.protocols import Model, Needs, Range, Stream
from tests.ai.inference.models import chunks, feature_set, fed, linear, mlp, opened, passport, written, zscore

FX = PROFILES["fx"].instrument
MARKET = random_quotes(3_000, 3, FX, 10**18)
ENTRIES: list[dict[str, Any]] = [
    {"name": "spread", "unit": "ticks"},
    {"name": "top_imbalance"},
    {"name": "return", "window": 40},
]
WEIGHTS = np.array([[0.5], [-2.0], [1_000.0]], np.float32)
MEAN, STD = [2.5, 0.1, 0.0], [1.0, 0.5, 1.0]


def both(model: Model) -> tuple[Stream, Range]:
    stream = model.stream(FX, Needs())
    assert fed(stream, model, chunks(FX, MARKET))
    return stream, model.over(FX, chunks(FX, MARKET), Needs())


def alike(one: Explanation, other: Explanation) -> bool:
    return (
        (one.ts, one.asked_ts, one.problem, one.model, one.class_names)
        == (other.ts, other.asked_ts, other.problem, other.model, other.class_names)
        and np.allclose(one.output, other.output, atol=1e-6)
        and [each.column for each in one.contributions] == [each.column for each in other.contributions]
        and np.allclose(
            [each.effect for each in one.contributions], [e.effect for e in other.contributions], atol=1e-5
        )
    )


def test_the_effect_of_a_linear_input_is_its_weight_times_its_distance_from_the_mean(tmp_path: Path) -> None:
    features = feature_set("quotes", ENTRIES)
    told = passport(features, meaning="value", classes=(), normaliser=zscore(MEAN, STD))
    model = opened(FX, written(tmp_path, linear(WEIGHTS, 3.0), told))
    stream, whole = both(model)
    at = 1_000
    ts = int(whole.rows["ts"][at])
    explained = stream.explain(ts)
    assert alike(explained, whole.explain(ts))
    assert (explained.ts, explained.asked_ts, explained.problem, explained.model) == (ts, ts, "", "tested")
    assert explained.output == [pytest.approx(explained.score)]
    assert explained.score == pytest.approx(float(whole.rows["score"][at]), abs=1e-5)
    row = int(whole.row[at])
    spread = (MARKET.ask - MARKET.bid)[row]
    sizes = MARKET.bid_size[row], MARKET.ask_size[row]
    values = [float(spread), (sizes[0] - sizes[1]) / (sizes[0] + sizes[1])]
    for place, contribution in enumerate(explained.contributions[:2]):
        assert contribution.column == features.outputs[place]
        assert contribution.value == pytest.approx(values[place])
        by_hand = float(WEIGHTS[place, 0]) * (values[place] - MEAN[place]) / STD[place]
        assert contribution.effect == pytest.approx(by_hand, abs=1e-4)
    # All effects and the answer to the mean of everything make up the score.
    assert sum(each.effect for each in explained.contributions) + 3.0 == pytest.approx(
        explained.score, abs=1e-3
    )
    model.close()


def test_the_newest_row_not_later_than_the_question_answers(tmp_path: Path) -> None:
    features = feature_set("quotes", ENTRIES)
    model = opened(FX, written(tmp_path, mlp(5, 3), passport(features, 5, stride=4)))
    stream, whole = both(model)
    ts = whole.rows["ts"]
    for asked, answered in (
        (int(ts[0]), int(ts[0])),
        (int(ts[100]) + 1, int(ts[100])),
        (int(ts[101]) - 1, int(ts[100])),
        (2**62, int(ts[-1])),
    ):
        assert stream.explain(asked).ts == answered
        assert alike(stream.explain(asked), whole.explain(asked))
    explained = stream.explain(2**62)
    assert explained.class_names == ("down", "flat", "up")
    assert len(explained.output) == 3
    early = stream.explain(int(ts[0]) - 1)
    assert (
        early.problem == "No row has been predicted up to that moment; the features may still be warming up."
    )
    assert alike(early, whole.explain(int(ts[0]) - 1))
    assert early.contributions == []
    model.close()


def test_a_moment_that_is_long_past_is_said_to_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ai.inference.history._MOST_ROWS", BLOCK_ROWS)
    features = feature_set("quotes", ENTRIES)
    model = opened(FX, written(tmp_path, mlp(5, 3), passport(features, 5)))
    stream = model.stream(FX, Needs())
    market = random_quotes(7 * BLOCK_ROWS, 3, FX, 10**18)
    forecasts = fed(stream, model, chunks(FX, market))
    # Three blocks are kept: 10,000 rows and a window take them.
    assert stream.explain(forecasts[2_000].ts).problem.startswith(
        "The inputs of that moment are not kept any more"
    )
    kept = stream.explain(forecasts[-8_000].ts)
    assert kept.ts == forecasts[-8_000].ts
    assert kept.score == pytest.approx(forecasts[-8_000].score, abs=1e-6)
    model.close()


def test_an_input_without_a_value_is_named(tmp_path: Path) -> None:
    features = feature_set("quotes", ENTRIES)
    model = opened(FX, written(tmp_path, mlp(5, 3), passport(features, 5)))
    sizes = MARKET.bid_size.copy()
    asks = MARKET.ask_size.copy()
    sizes[1_000] = asks[1_000] = 0
    market = MARKET.with_arrays({"bid_size": sizes, "ask_size": asks})
    stream = model.stream(FX, Needs())
    fed(stream, model, chunks(FX, market))
    whole = model.over(FX, chunks(FX, market), Needs())
    for asked in (stream, whole):
        explained = asked.explain(int(market.ts_init[1_003]))
        assert explained.problem == "The input top_imbalance had no value at that moment."
    model.close()


def test_an_ensemble_is_explained_by_the_inputs_of_all(tmp_path: Path) -> None:
    first, second = feature_set("quotes", ENTRIES), feature_set("quotes", [*ENTRIES[:1], {"name": "mid"}])
    uses = [
        written(tmp_path, linear(WEIGHTS), passport(first, meaning="value", classes=(), name="one")),
        written(
            tmp_path,
            linear(np.array([[3.0], [1.0]], np.float32)),
            passport(second, meaning="value", classes=(), name="two"),
        ),
    ]
    model = opened(FX, *uses)
    stream, whole = both(model)
    explained = stream.explain(2**62)
    assert alike(explained, whole.explain(2**62))
    effects = {each.column: each for each in explained.contributions}
    assert list(effects) == ["spread_ticks", "top_imbalance", "return_40", "mid"]
    spread = effects["spread_ticks"]
    assert spread.effect == pytest.approx((0.5 + 3.0) / 2 * spread.value, abs=1e-4)
    model.close()
