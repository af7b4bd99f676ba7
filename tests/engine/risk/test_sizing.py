"""Sizes worked out by hand, in whole lots, never negative and never above the cap."""

from decimal import Decimal
from math import inf, nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.risk.sizing import Size, Sizer, kelly_share
from engine.strategies import AiSignalParameters
from tests.engine.session.markets import FX

EQUITY = Decimal(1_000_000)


def sized(
    parameters: AiSignalParameters,
    *,
    base: int = 100_000,
    price: float = 1.25,
    equity: Decimal = EQUITY,
    volatility: float = nan,
    win: float = nan,
    loss: float = nan,
) -> Size:
    return Sizer(parameters, FX).size(Decimal(base), price, equity, volatility=volatility, win=win, loss=loss)


def test_a_fixed_size_is_the_trade_size_whatever_the_equity() -> None:
    assert sized(AiSignalParameters(), equity=Decimal(-5)).quantity == 100_000


@pytest.mark.parametrize(
    ("volatility_bps", "expected"),
    [
        (5.0, 100_000),  # the target: all of it
        (10.0, 50_000),  # twice as wild: half
        (7.0, 71_000),  # 71,428 floored to lots of 1,000
        (2.0, 100_000),  # calmer: never more than the trade size
        (0.0, 100_000),
        (1_000.0, 0),  # 500 is less than a lot
    ],
)
def test_a_wilder_market_makes_a_smaller_position(volatility_bps: float, expected: int) -> None:
    parameters = AiSignalParameters(sizing="volatility", target_volatility_bps=5.0, cap_pct=100.0)
    size = sized(parameters, volatility=volatility_bps / 1e4)
    assert size.quantity == expected
    assert ("less than one lot" in size.text) == (expected == 0)


@pytest.mark.parametrize("volatility", [nan, inf])
def test_without_a_volatility_there_is_no_position(volatility: float) -> None:
    size = sized(AiSignalParameters(sizing="volatility"), volatility=volatility)
    assert size == Size(Decimal(0), "The volatility is not known yet.")


def test_a_volatility_scaled_position_is_capped() -> None:
    parameters = AiSignalParameters(sizing="volatility", cap_pct=10.0)
    size = sized(parameters, base=500_000, volatility=1e-4)
    assert size.quantity == 80_000  # 10 % of 1,000,000 at 1.25
    assert "capped at 10 % of equity" in size.text


@pytest.mark.parametrize(
    ("win", "loss", "payoff", "share"),
    [
        (0.6, 0.4, 1.0, 0.2),  # p - q
        (0.3, 0.2, 1.0, 0.2),  # the flat class takes no side: p = 0.6
        (0.5, 0.5, 2.0, 0.25),  # 0.5 - 0.5 / 2
        (0.4, 0.6, 1.0, 0.0),
        (1.0, 0.0, 3.0, 1.0),
        (0.0, 0.0, 1.0, 0.0),
        (nan, nan, 1.0, 0.0),
    ],
)
def test_kellys_share(win: float, loss: float, payoff: float, share: float) -> None:
    assert kelly_share(win, loss, payoff) == pytest.approx(share)


def test_a_fraction_of_kellys_stake_of_equity() -> None:
    parameters = AiSignalParameters(sizing="kelly", kelly_fraction=0.25, cap_pct=100.0)
    size = sized(parameters, win=0.6, loss=0.4)
    assert size.quantity == 40_000  # 0.25 x 0.2 of 1,000,000 is 50,000 at 1.25
    assert "5.00%" in size.text


def test_stop_and_take_profit_set_what_a_win_pays() -> None:
    even = AiSignalParameters(sizing="kelly", kelly_fraction=1.0, cap_pct=1_000.0)
    twice = AiSignalParameters(
        sizing="kelly", kelly_fraction=1.0, cap_pct=1_000.0, stop_bps=5.0, take_profit_bps=10.0
    )
    assert sized(even, win=0.5, loss=0.25).quantity == 266_000  # f = 1/3
    assert sized(twice, win=0.5, loss=0.25).quantity == 400_000  # f = 1/2


def test_kelly_stakes_nothing_on_bad_odds_or_without_equity() -> None:
    parameters = AiSignalParameters(sizing="kelly")
    assert sized(parameters, win=0.4, loss=0.6).quantity == 0
    assert sized(parameters, win=0.9, loss=0.1, equity=Decimal(0)).quantity == 0


probabilities = st.floats(0, 1)


@given(
    st.sampled_from(["volatility", "kelly"]),
    st.floats(0.1, 10_000),
    st.floats(0.01, 1),
    probabilities,
    probabilities,
    st.floats(0, 1) | st.just(nan),
    st.floats(1e-4, 1e5),
    st.decimals(-1_000, 10**9, places=2),
)
def test_a_size_is_whole_lots_from_nothing_to_the_cap(
    sizing: str,
    cap: float,
    fraction: float,
    win: float,
    loss: float,
    volatility: float,
    price: float,
    equity: Decimal,
) -> None:
    parameters = AiSignalParameters(sizing=sizing, cap_pct=cap, kelly_fraction=fraction)  # type: ignore[arg-type]
    size = sized(parameters, price=price, equity=equity, volatility=volatility, win=win, loss=loss)
    assert size.quantity >= 0
    assert size.quantity % FX.lot_size == 0
    assert float(size.quantity) * price <= max(0.0, float(equity) * cap / 100) * (1 + 1e-12)


@pytest.mark.parametrize("is_long", [True, False])
def test_a_size_by_risk_loses_that_part_of_equity_at_the_stop(*, is_long: bool) -> None:
    parameters = AiSignalParameters(sizing="risk", risk_pct=0.5, stop_bps=20.0, cap_pct=10_000.0)
    equity, price = Decimal(100_000), Decimal("1.25")
    found = Sizer(parameters, FX).size(
        Decimal(1), float(price), equity, volatility=nan, win=0.6, loss=0.2, is_long=is_long
    )
    stop = price * (1 - Decimal("0.002") if is_long else 1 + Decimal("0.002"))

    def lost(size: Decimal) -> Decimal:
        return size * (abs(price - stop) + FX.taker_fee * (price + stop))

    assert found.quantity % FX.lot_size == 0
    assert lost(found.quantity) <= 500 < lost(found.quantity + FX.lot_size)
    assert found.text == "0.5 % of equity at risk to the stop, fees included."


def test_a_size_by_risk_keeps_to_the_cap_and_needs_a_stop() -> None:
    parameters = AiSignalParameters(sizing="risk", risk_pct=0.5, stop_bps=20.0, cap_pct=10.0)
    found = Sizer(parameters, FX).size(Decimal(1), 1.25, Decimal(100_000), volatility=nan, win=0.6, loss=0.2)
    assert found.quantity == 8_000
    assert "capped at 10 % of equity" in found.text
    with pytest.raises(ValueError, match="needs a stop"):
        AiSignalParameters(sizing="risk")
