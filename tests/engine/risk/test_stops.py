"""Stops worked out by hand; they follow the market and never give way."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import UserError
from engine.messages.limits import Protection
from engine.messages.orders import Side, Sizing
from engine.risk.hours import TradingHours
from engine.risk.protection import DrawdownGuard
from engine.risk.sizing import size_of
from engine.risk.stops import AtrStop, AverageTrueRange, ChandelierStop, break_even
from tests.engine.risk.markets import BTC, MONDAY_NOON, SECOND, D, Desk, instrument

TICK = D("0.1")


def bar(high: str, low: str, close: str) -> tuple[Decimal, Decimal, Decimal]:
    return D(high), D(low), D(close)


def test_wilders_average_begins_as_a_mean_and_remembers() -> None:
    average = AverageTrueRange(3)
    assert average.close(*bar("102", "100", "101")) is None  # 2
    assert average.close(*bar("105", "103", "104")) is None  # |105 - 101| = 4
    assert average.close(*bar("104", "98", "99")) == 4  # 6
    assert average.close(*bar("100", "99", "99")) == D(9) / 3  # (4 x 2 + 1) / 3


def test_an_atr_stop_hangs_from_the_close_and_a_chandelier_from_the_best_price() -> None:
    bars = [bar("102", "100", "101"), bar("103", "101", "102"), bar("104", "102", "102.5")]
    near, high = AtrStop("BUY", TICK, 2, D(2)), ChandelierStop("BUY", TICK, 2, D(2))
    assert [near.close(*each) for each in bars] == [None, D(98), D("98.5")]
    assert [high.close(*each) for each in bars] == [None, D(99), D(100)]
    short = ChandelierStop("SELL", TICK, 2, D(2))
    assert [short.close(*each) for each in bars] == [None, D(104), D(104)]


@given(
    st.lists(st.tuples(st.integers(1_000, 2_000), st.integers(0, 50), st.integers(0, 50)), min_size=1),
    st.sampled_from(["BUY", "SELL"]),
    st.sampled_from([AtrStop, ChandelierStop]),
)
def test_a_stop_never_gives_way_and_stays_on_the_grid(
    bars: list[tuple[int, int, int]], side: Side, kind: type[AtrStop]
) -> None:
    stop, before = kind(side, TICK, 3), None
    for low, above, reach in bars:
        trigger = stop.close(D(low + above + reach), D(low), D(low + above))
        if before is not None and trigger is not None:
            assert trigger >= before if side == "BUY" else trigger <= before
        assert trigger is None or not trigger % TICK
        before = trigger


@pytest.mark.parametrize("inverse", [False, True])
@pytest.mark.parametrize("held", ["3", "-3"])
def test_at_break_even_nothing_is_lost_and_a_tick_before_it_is(held: str, *, inverse: bool) -> None:
    taxed = instrument(taker_fee=D("0.001"), inverse=inverse, multiplier=D(10))

    def left(price: Decimal) -> Decimal:
        desk = Desk(instruments=(taxed,), currency="BTC" if inverse else "USDT", balance=0)
        desk.hold(held, "100", instrument=taxed.id)
        line = desk.book.lines_in(taxed.id)[0]
        exit_fee = abs(line.net) * line.valuing.unit(price) * taxed.taker_fee
        return line.unrealised(price) - fees - exit_fee

    fees = D("0.03") if inverse else D(3)
    price = break_even(taxed, D(held), D(100), fees)
    before = -TICK if D(held) > 0 else TICK
    assert not price % TICK
    assert left(price) >= 0 > left(price + before)


# Sizes ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("by", "value", "expected"),
    [
        ("quantity", "1.239", "1.23"),
        ("lots", "7", "0.07"),
        ("notional", "333", "3.33"),
        ("equity", "1", "10"),
        ("risk", "1", "100"),
        ("quantity", "0.009", "0"),
        ("quantity", "-1", "0"),
    ],
)
def test_a_size_is_what_a_person_meant_in_whole_lots(by: str, value: str, expected: str) -> None:
    found = size_of(
        Sizing(by, D(value)),  # type: ignore[arg-type]
        BTC,
        price=D(100),
        equity=D(100_000),
        stop=D(90),
    )
    assert found.quantity == D(expected)
    assert bool(found.text) == (found.quantity == 0)


def test_a_size_by_risk_loses_no_more_than_that_with_both_fees() -> None:
    taxed = instrument(taker_fee=D("0.001"))
    size = size_of(Sizing("risk", D(1)), taxed, price=D(100), equity=D(100_000), stop=D(90)).quantity
    lost = size * (10 + D("0.1") + D("0.09"))
    assert lost <= 1_000 < lost + D("0.01") * 11


@pytest.mark.parametrize("by", ["notional", "equity", "risk"])
def test_what_is_missing_for_a_size_is_told(by: str) -> None:
    sizing = Sizing(by, D(1))  # type: ignore[arg-type]
    assert "no price" in size_of(sizing, BTC, price=None, equity=D(1)).text
    if by != "notional":
        assert "no equity" in size_of(sizing, BTC, price=D(1), equity=None).text
    if by == "risk":
        assert "needs a stop" in size_of(sizing, BTC, price=D(1), equity=D(1)).text


# Drawdown protection --------------------------------------------------------------------------------

STEPS = Protection(scale_at=D(5), pause_at=D(10), flatten_at=D(15))


def test_sizes_shrink_then_nothing_is_opened_then_nothing_is_held() -> None:
    guard = DrawdownGuard(STEPS)
    stages = [(str(fall), guard.mark(D(fall)), guard.share) for fall in (0, 4, 5, "7.5", 10, 15)]
    assert stages == [
        ("0", "normal", 1),
        ("4", "normal", 1),
        ("5", "scaled", 1),
        ("7.5", "scaled", D("0.625")),
        ("10", "paused", 0),
        ("15", "flat", 0),
    ]


def test_a_stage_ends_only_once_much_of_it_is_won_back_and_flat_only_by_other_steps() -> None:
    guard = DrawdownGuard(STEPS)
    assert guard.mark(D(10)) == "paused"
    assert guard.mark(D(8)) == "paused"
    assert guard.mark(D("7.9")) == "scaled"
    assert guard.mark(D("3.9")) == "normal"
    assert guard.mark(D(15)) == "flat"
    assert guard.mark(D(1)) == "flat"
    guard.follow(STEPS)
    assert guard.stage == "flat"
    assert guard.mark(D(12)) == "flat"
    guard.follow(Protection(scale_at=D(5), pause_at=D(20)))
    assert (guard.stage, guard.said.partition("; ")[0]) == ("scaled", "Equity is 12 % below its peak")


def test_stages_must_come_one_after_the_other() -> None:
    with pytest.raises(ValueError, match="grow from stage to stage"):
        Protection(scale_at=D(10), pause_at=D(10))
    with pytest.raises(ValueError, match="smallest share"):
        Protection(scale_to=D(200))
    guard = DrawdownGuard(Protection(flatten_at=D(15)))
    assert guard.mark(D(14)) == "normal"
    assert guard.mark(D(15)) == "flat"


# Trading hours ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "hours_from_monday_noon", "is_open"),
    [
        ("Mon-Fri 07:00-21:00", 0, True),
        ("Mon-Fri 07:00-21:00", 9, False),
        ("Mon-Fri 07:00-21:00", 4 * 24, True),
        ("Mon-Fri 07:00-21:00", 5 * 24, False),
        ("Sun-Thu 22:00-21:00", 9, False),
        ("Sun-Thu 22:00-21:00", 10, True),
        ("Sun-Thu 22:00-21:00", 6 * 24 + 11, True),  # Sunday 23:00, into Monday
        ("Sun-Thu 22:00-21:00", -1, True),
        ("Sun-Thu 22:00-21:00", 4 * 24 + 8, True),
        ("Sun-Thu 22:00-21:00", 4 * 24 + 11, False),
        ("Fri-Mon 00:00-24:00", 0, True),
        ("Fri-Mon 00:00-24:00", 24, False),
        ("08:00-12:00, 13:00-17:00", 0, False),
        ("08:00-12:00, 13:00-17:00", 1, True),
        ("mon 12:00-12:01", 0, True),
    ],
)
def test_hours_are_read_as_written(text: str, hours_from_monday_noon: int, *, is_open: bool) -> None:
    at = MONDAY_NOON + hours_from_monday_noon * 3_600 * SECOND
    assert TradingHours(text).is_open(at) == is_open


@pytest.mark.parametrize("text", ["", "noon", "Mon-Fri", "Mon-Fry 07:00-08:00", "25:00-26:00", "07:61-08:00"])
def test_hours_that_are_none_are_told(text: str) -> None:
    with pytest.raises(UserError, match="Mon-Fri 07:00-21:00"):
        TradingHours(text)
