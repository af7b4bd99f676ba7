"""Risk now and its bounded curve, which keeps the extremes."""

import numpy as np
import pytest

from app.state.risk import EquityHistory, RiskState
from engine.link.builders import risk


def test_the_latest_risk_of_each_instrument() -> None:
    state = RiskState()
    state.apply([risk(1.0, instrument="A.SIM"), risk(2.0, instrument="B.SIM")], now=1)
    state.apply([risk(3.0, instrument="A.SIM", equity=5.0)], now=2)
    assert [row.position for row in state.latest.values()] == [3.0, 2.0]
    assert state.history["A.SIM"].rows["equity"].tolist() == [1_000_001.0, 5.0]
    assert state.version == 3


def test_a_paused_session_does_not_stretch_the_curve() -> None:
    curve = EquityHistory()
    curve.append(1, 10.0, 0.0)
    curve.append(1, 12.0, 0.0)
    assert curve.rows.tolist() == [(1, 12.0, 0.0)]


def test_a_long_curve_stays_bounded_in_order_and_keeps_its_extremes() -> None:
    equity = np.cumsum(np.random.default_rng(3).normal(size=5_000))
    curve = EquityHistory(capacity=64)
    for ts, value in enumerate(equity):
        curve.append(ts, value, 0.0)
        assert len(curve.rows) <= 64
    rows = curve.rows
    assert (np.diff(rows["ts"]) > 0).all()
    assert rows["equity"].min() == equity.min()
    assert rows["equity"].max() == equity.max()
    assert rows["ts"][-1] == 4_999


def test_capacity_must_hold_groups_of_four() -> None:
    with pytest.raises(ValueError, match="multiple of 4"):
        EquityHistory(capacity=10)
