"""Value at risk by hand, beside the truth of a normal market, and silent where too little is known."""

from decimal import Decimal
from math import sqrt
from statistics import NormalDist

import numpy as np
import pytest

from engine.risk.tails import EWMA_RETURNS, LAMBDA, ReturnHistory, ewma, historical
from tests.engine.risk.markets import BTC, ETH, SECOND, D, Desk


def test_historical_is_the_loss_that_one_in_a_hundred_exceeds() -> None:
    profits = np.arange(-100.0, 100.0)
    np.random.default_rng(1).shuffle(profits)
    found = historical(profits, 0.99, 60)
    assert (found.value_at_risk, found.expected_shortfall) == (99, 99.5)
    assert (found.returns, found.level, found.horizon_s) == (200, 0.99, 60)


def test_too_few_returns_tell_nothing() -> None:
    assert historical(np.zeros(99), 0.99, 60).value_at_risk is None
    assert historical(np.zeros(100), 0.99, 60).value_at_risk == 0
    assert historical(np.zeros(19), 0.95, 60).expected_shortfall is None
    assert ewma(np.zeros(EWMA_RETURNS - 1), 0.99, 60).value_at_risk is None
    assert ewma(np.zeros(EWMA_RETURNS), 0.99, 60).value_at_risk == 0


def test_a_market_that_only_rose_has_no_value_at_risk() -> None:
    assert historical(np.arange(1.0, 201.0), 0.99, 60).value_at_risk == 0


def test_ewma_is_the_recursion_of_riskmetrics() -> None:
    profits = np.random.default_rng(2).normal(0, 1, 500)
    variance = profits[0] ** 2
    for profit in profits[1:]:
        variance = LAMBDA * variance + (1 - LAMBDA) * profit**2
    found = ewma(profits, 0.99, 60)
    assert found.value_at_risk == pytest.approx(sqrt(variance) * NormalDist().inv_cdf(0.99), rel=1e-9)


def test_both_find_the_truth_of_a_normal_market() -> None:
    profits = np.random.default_rng(3).normal(0, 100, 100_000)
    truth = 100 * NormalDist().inv_cdf(0.99)
    shortfall = 100 * NormalDist().pdf(NormalDist().inv_cdf(0.99)) / 0.01
    found = historical(profits, 0.99, 60)
    assert found.value_at_risk == pytest.approx(truth, rel=0.03)
    assert found.expected_shortfall == pytest.approx(shortfall, rel=0.03)
    found = ewma(profits, 0.99, 60)
    assert found.value_at_risk == pytest.approx(truth, rel=0.3)
    assert found.value_at_risk is not None
    assert found.expected_shortfall is not None
    assert found.expected_shortfall / found.value_at_risk == pytest.approx(shortfall / truth, rel=1e-6)


def test_a_hedge_is_worth_less_risk_than_its_parts() -> None:
    history = ReturnHistory(["A", "B"], step_s=1)
    rng = np.random.default_rng(4)
    price = 100.0
    for second in range(300):
        price *= 1 + rng.normal(0, 0.01)
        history.sample(second * SECOND, {"A": D(repr(price)), "B": D(repr(price * 2))}.get)
    alone = history.tails({"A": 1_000.0})[0].value_at_risk
    hedged = history.tails({"A": 1_000.0, "B": -1_000.0})[0].value_at_risk
    assert alone is not None
    assert hedged is not None
    assert alone > 10
    assert hedged < 1e-6


def test_mids_are_taken_once_a_step_and_none_over_a_gap() -> None:
    history = ReturnHistory(["A"], step_s=60)
    mids = iter(["100", "101", "102", "110", "111"])

    def mid(_name: str) -> Decimal:
        return D(next(mids))

    for second in (0, 10, 60, 119, 120, 600, 660):
        history.sample(second * SECOND, mid)
    assert history.profits({"A": 100.0}) == pytest.approx([1, 100 / 101, 100 / 110])


def test_the_account_tells_its_tails_of_what_it_holds() -> None:
    returns = ReturnHistory([BTC.id, ETH.id], step_s=1)
    desk = Desk(returns=returns)
    desk.hold("10")
    for step in range(150):
        price = "101" if step % 2 else "100"
        desk.quote(BTC.id, price, price)
        desk.now += SECOND
        returns.sample(desk.now, desk.book.mid)
    desk.gate.mark()
    first, second = desk.gate.risk().tails
    assert (first.method, second.method) == ("historical", "ewma")
    assert first.value_at_risk == pytest.approx(1_010 * 1 / 101, rel=0.02)
    assert second.value_at_risk is not None
