"""A stream and a range give the same forecasts, whatever the model, the clock and the cutting."""

from pathlib import Path

import numpy as np

from engine.columns import Columns
from engine.feeds.simulated import PROFILES, random_quotes
from engine.messages.instrument import Instrument
from engine.signals.protocols import Forecast, Model, Needs, Range
from tests.ai.inference.models import (
    chunks,
    feature_set,
    fed_until_sick,
    mlp,
    opened,
    passport,
    written,
)

FX = PROFILES["fx"].instrument
START_NS = 1_700_000_000 * 10**9
NAMES = ("down", "flat", "up", "score")


def same(
    model: Model, instrument: Instrument, needs: Needs, *columns: Columns, rows: int = 3_000
) -> tuple[list[Forecast], Range]:
    """Ask both forms; check that they agree in everything."""
    stream = model.stream(instrument, needs)
    told = fed_until_sick(stream, model, chunks(instrument, *columns, rows=777))
    found = model.over(instrument, chunks(instrument, *columns, rows=rows), needs)
    forecasts = [forecast for forecast, _ in told]
    assert found.rows["ts"].tolist() == [each.ts for each in forecasts]
    assert found.row.tolist() == [each.row for each in forecasts]
    for name in NAMES:
        np.testing.assert_allclose(found.rows[name], [getattr(each, name) for each in forecasts], atol=1e-6)
    np.testing.assert_array_equal(found.price, [each.price for each in forecasts])
    np.testing.assert_allclose(found.volatility, [each.volatility for each in forecasts], rtol=1e-9)
    alone = found.alone(np.arange(len(forecasts)))
    for name in NAMES:
        np.testing.assert_array_equal(alone[name], [getattr(each, name) for each in forecasts])
    painted = stream.take_rows()
    assert painted.tolist() == alone.tolist() or np.array_equal(painted["ts"], alone["ts"])
    sick = [reason for _, reason in told]
    assert found.sick == stream.sick
    assert found.sick_from == next((at for at, reason in enumerate(sick) if reason), len(sick))
    stream.close()
    return forecasts, found


def test_a_perceptron_on_quotes(tmp_path: Path) -> None:
    features = feature_set()
    told = passport(features, window=1)
    use = written(tmp_path, mlp(1, len(features.outputs)), told)
    model = opened(FX, use)
    forecasts, found = same(model, FX, Needs(volatility_ns=10**9), random_quotes(9_000, 3, FX, START_NS))
    assert len(forecasts) > 8_000
    assert forecasts[0].row == found.row[0] > 50
    assert abs(sum(forecasts[100][2:5]) - 1.0) < 1e-6
    assert found.seconds > 0
    model.close()
