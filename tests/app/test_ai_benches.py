import json
import warnings
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from ai.features import Market
from ai.passport import FeatureUse
from ai.runtime.architectures import expected_shapes
from ai.runtime.bench_rows import Measured, Row
from app.__main__ import main
from app.commands.bench_ai_backtest import WAYS, _in_child
from app.commands.bench_ai_models import DEMO, passport_of, weights_of
from app.commands.features import find_set
from engine.feeds.simulated import PROFILES, simulate
from tests.ai.loading.passports import softmax


def test_bench_inference_tells_what_the_runtimes_bench_measured(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    row = Row("lstm", "torch-cpu", "", 4096, 8.0, 9.0, 512e6, 64.0)
    measured = Measured("CPU", "3.13.0", None, "No CUDA device was found.", [row])

    def measure(report: Any) -> Measured:
        return measured

    monkeypatch.setattr("app.commands.bench_inference.measure", measure)
    assert main(["bench", "inference", "--json", "-"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["gpu_told"] == "No CUDA device was found."
    assert answer["rows"][0]["rows_per_s"] == 512e6
    assert answer["models"]["lstm"]["parameters"] == 19_139
    assert main(["bench", "inference"]) == 0
    assert "512,000,000" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["tick", "demo"])
def test_the_naive_peer_computes_the_same_features(name: str) -> None:
    features = find_set(name)
    # Here, as it imports torch; its warnings are not this test's.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from app.commands.bench_ai_naive import naive_features
    uses = [msgspec.convert(entry.facts(), FeatureUse) for entry in features]
    drawn = simulate(PROFILES["crypto"], seed=3, start_ns=1_700_000_000 * 10**9, seconds=75)
    tick = float(drawn.instrument.tick_size)
    stream, naive = features.stream(Market(tick_size=tick)), naive_features(uses, tick)
    price, size = 10.0**drawn.instrument.price_precision, 10.0**drawn.instrument.size_precision
    ours, theirs = [], []
    q = drawn.quotes
    for at in range(len(q)):
        quote = (
            int(q.ts_init[at]),
            float(q.bid[at] / price),
            float(q.ask[at] / price),
            float(q.bid_size[at] / size),
            float(q.ask_size[at] / size),
        )
        stream.on_quote(*quote)
        ours.append(list(stream.values))
        theirs.append([feature(quote) for feature in naive])
    assert np.isfinite(ours[-1]).all()
    assert np.allclose(theirs, ours, rtol=1e-6, atol=1e-9, equal_nan=True)


def test_the_naive_peer_of_the_demo_has_its_weights() -> None:
    weights, passport = weights_of(DEMO), passport_of(DEMO)
    assert weights is not None
    assert passport.architecture is not None
    expected = expected_shapes(passport.architecture.name, passport.architecture.sizes)
    assert {name: array.shape for name, array in weights.items()} == expected
    assert passport.golden is not None
    h = passport.golden.inputs["x"].array().reshape(-1, expected["layers.0.weight"][1])
    for layer in range(passport.architecture.sizes["layers"]):
        h = np.maximum(h @ weights[f"layers.{layer}.weight"].T + weights[f"layers.{layer}.bias"], 0)
    y = softmax(h @ weights["fc.weight"].T + weights["fc.bias"])
    (answer,) = passport.golden.outputs.values()
    assert np.allclose(y, answer.array(), atol=1e-4)


def test_the_ways_of_an_ai_backtest_run_and_make_the_same_orders(tmp_path: Path) -> None:
    drawn, count = 20_000, 10_000
    made = _in_child("make", "mlp", str(tmp_path), drawn, drawn, (0.0, 0.0))
    assert made["exit"] < made["enter"]
    found = {
        way: _in_child(way, "mlp", made["file"], drawn, count, (made["enter"], made["exit"])) for way in WAYS
    }
    batch, per_tick = found["batch"], found["per-tick"]
    assert batch["orders"] > 3
    assert batch["fills_sha256"] == per_tick["fills_sha256"]
    assert batch["orders"] == per_tick["orders"]
    assert 0 < batch["predictions"] == per_tick["predictions"] < count
    assert found["naive"]["orders"] > 0
    assert found["bare"]["orders"] == 0
    assert all(each["ticks_per_s"] > 0 for each in found.values())


def test_bench_ai_backtest_tells_ratios_and_whether_the_orders_are_the_same(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    rates = {"batch": 400_000.0, "per-tick": 50_000.0, "naive": 20_000.0, "bare": 500_000.0}
    orders = {"mlp": "same", "lstm": "same"}

    def in_child(way: str, kind: str, file: str, drawn: int, count: int, levels: Any) -> dict[str, Any]:
        if way == "make":
            return {"model": f"an untrained {kind}", "file": file, "enter": 0.6, "exit": 0.5}
        return {
            "ticks_per_s": rates[way],
            "us_of_processor": 1e6 / rates[way],
            "orders": 7,
            "fills": 7,
            "fills_sha256": orders[kind] if way == "per-tick" else "same",
            "predictions": count,
            "predictions_per_s": 1e6,
            "peak_mb": 100.0,
        }

    monkeypatch.setattr("app.commands.bench_ai_backtest._in_child", in_child)
    command = ["bench", "ai-backtest", "--quotes", "200000", "--rounds", "1"]
    assert main([*command, "--json", "-"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert set(answer) == {"mlp", "lstm"}
    assert answer["mlp"]["batch_over_naive"] == pytest.approx(20.0)
    assert answer["mlp"]["batch_over_bare"] == pytest.approx(0.8)
    assert answer["mlp"]["same_orders"] is True
    assert answer["mlp"]["quotes"] == {
        "batch": 200_000,
        "bare": 200_000,
        "per-tick": 200_000,
        "naive": 100_000,
    }
    assert answer["lstm"]["quotes"]["per-tick"] == answer["lstm"]["compared_quotes"] == 100_000
    orders["lstm"] = "others"
    assert main(command) == 0
    told = capsys.readouterr().out
    assert "batch over naive 20.0, over the bare engine 0.80" in told
    assert "OTHER ORDERS as per tick over 100,000 quotes" in told
    assert main(["bench", "ai-backtest", "--quotes", "100"]) == 2
    assert "at least 20,000 quotes" in capsys.readouterr().err
