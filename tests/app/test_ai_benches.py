import json
import warnings
from typing import Any

import msgspec
import numpy as np
import pytest

from ai.features import Market
from ai.passport import FeatureUse
from ai.runtime.bench_rows import Measured, Row
from app.__main__ import main
from app.commands.features import find_set
from engine.feeds.simulated import PROFILES, simulate


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
