"""Real models in a session: asked beforehand or tick by tick, they cause the same orders."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.columns import Columns
from engine.feeds.simulated import PROFILES
from engine.messages.commands import Finish
from engine.messages.events import AnyEvent, Filled, Logged, Results, Signalled
from engine.messages.instrument import Instrument
from engine.messages.run import Inference, InferenceMode, ModelUse
from engine.signals.protocols import Needs
from tests.ai.inference.models import chunks, feature_set, linear, lstm, mlp, opened, passport, written
from tests.engine.session.markets import crypto, obey, quotes, session

FX, CRYPTO = PROFILES["fx"].instrument, PROFILES["crypto"].instrument


def ran(
    instrument: Instrument, uses: list[ModelUse], mode: InferenceMode, *columns: Columns, **parameters: Any
) -> list[AnyEvent]:
    """Events of a whole run that follows these models."""
    inference = Inference(models=tuple(uses), mode=mode, latency_us=200.0)
    run = session(
        *columns,
        strategy="ai_signal",
        model=opened(instrument, *uses, mode=mode, latency_us=200.0),
        inference=inference,
        parameters={"cool_down_s": 0.1, **parameters},
        watched=False,
    )
    events = obey(run, Finish())
    run.close()
    return events


def thresholds(instrument: Instrument, uses: list[ModelUse], *columns: Columns) -> dict[str, float]:
    model = opened(instrument, *uses)
    rows = model.over(instrument, chunks(instrument, *columns), Needs()).rows
    model.close()
    sides = np.abs(rows["score"]) if model.facts.is_regression else np.maximum(rows["up"], rows["down"])
    low, high = np.quantile(sides, [0.5, 0.9]).tolist()
    return {"enter": high, "exit": low}


def both(
    instrument: Instrument, uses: list[ModelUse], *columns: Columns, **parameters: Any
) -> list[AnyEvent]:
    """Run in both modes, at thresholds that are crossed often; they must tell the same signals and fills."""
    parameters = thresholds(instrument, uses, *columns) | parameters
    told = [ran(instrument, uses, mode, *columns, **parameters) for mode in ("batch", "per-tick")]
    for kind in (Signalled, Filled):
        one, other = ([event for event in events if isinstance(event, kind)] for events in told)
        assert one
        assert [event.ts for event in one] == [event.ts for event in other]
    results = [next(event for event in events if isinstance(event, Results)) for events in told]
    assert results[0].fills_sha256 == results[1].fills_sha256
    assert results[0].orders == results[1].orders > 5
    figures = [each.inference for each in results]
    assert figures[0] is not None
    assert figures[1] is not None
    assert figures[0].predictions == figures[1].predictions > 500
    assert figures[0].decisions == figures[1].decisions
    return told[0]


@pytest.mark.parametrize("sizing", ["fixed", "volatility", "kelly"])
def test_a_perceptron_on_quotes(sizing: str, tmp_path: Path) -> None:
    features = feature_set()
    use = written(tmp_path, mlp(1, len(features.outputs)), passport(features, instruments=("BTCUSDT.SIM",)))
    window = {"volatility_window_s": 1.0} if sizing == "volatility" else {}
    events = both(FX, [use], quotes(), sizing=sizing, **window)
    warnings = [event.text for event in events if isinstance(event, Logged) and event.level == "warning"]
    assert warnings == [
        "tested was made for BTCUSDT.SIM, not for EURUSD.SIM; what it says may mean nothing here."
    ]


def test_an_ensemble_on_quotes_and_a_book(tmp_path: Path) -> None:
    features = feature_set("quotes", [{"name": "imbalance", "levels": 5}, {"name": "return", "window": 20}])
    uses = [
        written(tmp_path, lstm(10, 2), passport(features, 10, "probabilities", name="one")),
        written(tmp_path, mlp(1, 2), passport(features, name="two")),
    ]
    market = crypto()
    both(CRYPTO, uses, market.quotes, market.trades, market.deltas)


def test_a_regression_on_trades_that_leaves_at_its_horizon(tmp_path: Path) -> None:
    features = feature_set("trades", [{"name": "return", "window": 5}])
    use = written(
        tmp_path,
        linear(np.array([[10_000.0]], np.float32)),
        passport(features, meaning="value", classes=()),
    )
    market = crypto()
    both(CRYPTO, [use], market.quotes, market.trades)


def test_bars(tmp_path: Path) -> None:
    features = feature_set("quotes", [{"name": "rsi", "period": 3, "on": "bars"}], "1-SECOND-MID")
    use = written(tmp_path, mlp(1, 1), passport(features))
    both(FX, [use], quotes())
