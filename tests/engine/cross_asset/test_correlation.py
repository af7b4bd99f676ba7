"""Correlations against their formulas spelled out, and lead-lag found where it was put."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.cross_asset.correlation import correlation, hayashi_yoshida, lead_lag
from engine.cross_asset.sampling import Prices

POINTS = st.lists(
    st.tuples(st.integers(0, 80), st.floats(0.5, 2.0)), min_size=2, max_size=20, unique_by=lambda p: p[0]
).map(sorted)


def path(points: list[tuple[int, float]]) -> Prices:
    return Prices(np.array([t for t, _ in points], np.int64), np.array([p for _, p in points]))


def slowly(first: Prices, second: Prices, shift: int) -> float:
    """Hayashi & Yoshida (2005), pair by pair: products of returns whose intervals (from, to] overlap."""

    def returns(of: Prices, by: int) -> list[tuple[int, int, float]]:
        ts, log = (of.ts + by).tolist(), np.log(of.price).tolist()
        return [(ts[k - 1], ts[k], log[k] - log[k - 1]) for k in range(1, len(ts))]

    ones, others = returns(first, shift), returns(second, 0)
    total = sum(r * q for a, b, r in ones for c, d, q in others if max(a, c) < min(b, d))
    variance = sum(r * r for *_, r in ones) * sum(q * q for *_, q in others)
    return total / math.sqrt(variance) if variance > 0 else math.nan


@given(POINTS, POINTS, st.integers(-30, 30))
def test_hayashi_yoshida_follows_its_definition(
    one: list[tuple[int, float]], two: list[tuple[int, float]], shift: int
) -> None:
    first, second = path(one), path(two)
    expected = slowly(first, second, shift)
    found = hayashi_yoshida(first, second, shift)
    assert math.isnan(found) if math.isnan(expected) else found == pytest.approx(expected, abs=1e-9)


def market(seed: int, ticks: int = 20_000) -> tuple[Prices, Prices]:
    """Two prices of one random walk; the second shows it 50 ms later, both at random times of their own."""
    random = np.random.default_rng(seed)
    fine = np.cumsum(random.normal(0, 1e-4, 100_000))  # every ms
    sides = []
    for delay in (0, 50):
        at = np.sort(random.choice(np.arange(100, 100_000), ticks, replace=False))
        noise = np.cumsum(random.normal(0, 3e-5, 100_000))
        sides.append(Prices(at * 1_000_000, np.exp(fine[at - delay] + noise[at])))
    return sides[0], sides[1]


def test_the_one_that_moves_first_leads() -> None:
    first, second = market(1)
    shifts = np.arange(-100, 101, 10, dtype=np.int64) * 1_000_000
    found = lead_lag(first, second, shifts)
    assert found.lead_ns == 50_000_000
    assert found.ratio > 1.5
    back = lead_lag(second, first, shifts)
    assert back.lead_ns == -50_000_000
    assert back.ratio == pytest.approx(1 / found.ratio)
    assert back.correlation[::-1] == pytest.approx(found.correlation)


def test_correlation_is_that_of_numpy_and_a_dead_price_has_none() -> None:
    random = np.random.default_rng(2)
    ts = np.arange(1_000, dtype=np.int64)
    several = [Prices(ts, np.exp(np.cumsum(random.normal(0, 0.01, 1_000)))) for _ in range(3)]
    several.append(Prices(ts, np.ones(1_000)))
    found, count = correlation(several, ts)
    expected = np.corrcoef(np.diff(np.log(np.stack([each.price for each in several[:3]])), axis=1))
    assert count == 999
    assert found[:3, :3] == pytest.approx(expected)
    assert np.isnan(found[3]).all()


def test_times_that_not_all_know_are_left_out() -> None:
    ts = np.arange(10, dtype=np.int64)
    price = np.array([1.0, 2.0, 1.5, 2.5, 2.0, 3.0, 1.0, 2.0, 3.0, 2.5])
    found, count = correlation([Prices(ts, price), Prices(ts[5:], price[5:])], ts)
    assert count == 4
    assert found[0, 1] == pytest.approx(1.0)
