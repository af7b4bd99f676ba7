"""The account's book agrees with what happened, whatever order and source the venue tells it in."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.messages.events import AnyEvent, Filled, PositionChanged
from engine.messages.instrument import Instrument
from engine.messages.orders import HAND
from engine.messages.run import VenueRules
from engine.nautilus.engine import SimulatedVenue
from engine.risk.book import AccountBook, Touch
from engine.strategies import parse_parameters
from tests.engine.risk.markets import BTC, ETH, D, Desk, buy, instrument, sell
from tests.engine.session.markets import FX, quotes

TINY = D("1e-15")
STEPS = st.lists(
    st.tuples(st.integers(-5, 5).filter(bool), st.integers(50, 150)).map(
        lambda pair: (D(pair[0]), D(pair[1]))
    ),
    max_size=30,
)


@given(STEPS)
def test_profit_is_what_the_trades_add_up_to(steps: list[tuple[Decimal, Decimal]]) -> None:
    desk = Desk(balance=0)
    for size, price in steps:
        desk.hold(str(size), str(price))
    line, net = desk.book.line(BTC.id, HAND), sum((size for size, _ in steps), D(0))
    assert line.net == net
    earned = sum((-size * price for size, price in steps), D(0)) + net * 100
    equity = desk.book.equity()
    assert equity is not None
    assert abs(equity - earned) < TINY
    assert desk.book.balance == line.realised


@given(st.lists(st.tuples(st.integers(-5, 5), st.integers(50, 150)), max_size=12))
def test_positions_that_stand_by_themselves_are_worth_what_each_of_them_is(
    steps: list[tuple[int, int]],
) -> None:
    desk, money, opened = Desk(balance=1_000), D(1_000), dict[str, tuple[Decimal, Decimal]]()
    for number, (lots, at) in enumerate(steps):
        size, price = D(lots), D(at)
        if size:
            name = f"P-{number}"
            opened[name] = size, price
            desk.hold(str(size), str(price))
            desk.position(str(size), str(price), position_id=name)
        elif opened:  # close the oldest
            name, (size, entry) = next(iter(opened.items()))
            del opened[name]
            money += size * (price - entry)
            desk.hold(str(-size), str(price))
            desk.position("0", str(entry), position_id=name, average_close=price)
        desk.money(str(money))
        line, equity = desk.book.line(BTC.id, HAND), desk.book.equity()
        assert equity is not None
        assert (
            abs(equity - money - sum((size * (100 - price) for size, price in opened.values()), D(0))) < TINY
        )
        assert abs(line.realised - (money - 1_000)) < TINY
        assert line.net == sum((size for size, _ in opened.values()), D(0))
        assert line.holds == bool(opened)


@given(STEPS)
def test_an_inverse_contract_earns_in_its_base(steps: list[tuple[Decimal, Decimal]]) -> None:
    inverse = instrument("BTCUSD.TEST", quote="USD", inverse=True, multiplier=D(100), lot_size=D(1))
    desk = Desk(instruments=(inverse,), currency="BTC", balance=0)
    for size, price in steps:
        desk.hold(str(size), str(price), instrument=inverse.id)
    net = sum((size for size, _ in steps), D(0))
    earned = sum((size * 100 / price for size, price in steps), D(0)) - net * 100 / 100
    equity = desk.book.equity()
    assert equity is not None
    assert abs(equity - earned) < TINY


def test_fees_are_lost_at_once_and_a_told_balance_wins() -> None:
    desk = Desk(balance=1_000)
    order = desk.order(buy("1", "100"))
    desk.fill(order, "1", fee="2")
    assert desk.book.balance == 998
    desk.money("997.5")
    assert desk.book.balance == D("997.5")


def test_an_execution_that_is_told_twice_counts_once() -> None:
    desk = Desk()
    order = desk.order(buy("2", "100"))
    event = Filled(
        ts=0,
        trade_id="T",
        order_id=order,
        instrument=BTC.id,
        strategy=HAND,
        side="BUY",
        quantity=D(1),
        price=D(100),
        fee=D(0),
        fee_currency="USDT",
        liquidity="",
    )
    desk.note(event)
    desk.note(event)
    assert desk.book.total(BTC.id).net == 1


def test_an_execution_that_is_taken_back_was_never_traded() -> None:
    desk = Desk()
    order = desk.order(buy("3", "100"))
    desk.fill(order, "3", fee="3")
    desk.fill(order, "-1", fee="-1")
    line = desk.book.line(BTC.id, HAND)
    assert [line.net, line.bought, line.sold, line.fees] == [2, 2, 0, 2]
    assert [line.total.bought, line.total.sold] == [2, 0]


def test_a_position_of_an_earlier_session_is_taken_over_and_one_that_fills_made_is_not_doubled() -> None:
    desk = Desk()
    desk.position("3", "90")
    assert desk.book.line(BTC.id, HAND).net == 3
    assert desk.book.line(BTC.id, HAND).average == 90
    order = desk.order(sell("5", "100"))
    desk.fill(order, "5")
    desk.position("0", "90")
    desk.position("-2", "100")
    assert desk.book.line(BTC.id, HAND).net == -2
    assert desk.book.line(BTC.id, HAND).realised == 30
    desk.position("0", "100", average_close=D(110))  # the venue liquidated it
    assert desk.book.line(BTC.id, HAND).net == 0
    assert desk.book.line(BTC.id, HAND).realised == 10


def test_an_order_that_was_placed_elsewhere_counts_and_one_told_after_its_end_does_not() -> None:
    desk = Desk()
    desk.sent["X"], desk.filled["X"] = buy("3", "90", strategy="EXTERNAL"), D(1)
    desk.tell("X", "ACCEPTED")
    assert desk.book.total(BTC.id).long == 2
    desk.tell("X", "CANCELED")
    desk.tell("X", "ACCEPTED")
    assert desk.book.total(BTC.id).long == 0
    assert not desk.book.orders


@pytest.mark.parametrize("status", ["SUBMITTED", "ACCEPTED", "TRIGGERED", "PENDING_CANCEL", "IN_DOUBT"])
def test_an_order_that_may_still_fill_counts(status: str) -> None:
    desk = Desk()
    order = desk.order(buy("3", "90"))
    desk.tell(order, status)
    assert desk.book.total(BTC.id).long == 3


def test_an_order_in_quote_currency_keeps_its_base_size_while_it_is_told_in_quote() -> None:
    desk = Desk()
    order = desk.order(buy("500", quote_quantity=True))
    assert desk.book.total(BTC.id).long == 5
    desk.tell(order, "ACCEPTED", quantity=D("4.98"))
    assert desk.book.total(BTC.id).long == D("4.98")


def test_the_picture_of_the_account_adds_up() -> None:
    desk = Desk(balance=10_000)
    desk.hold("10", strategy="A")
    desk.hold("-4", strategy="B", instrument=ETH.id)
    desk.quote(BTC.id, "110", "110")
    risk = desk.gate.risk()
    assert (risk.currency, risk.equity, risk.gross, risk.net) == ("USDT", 10_100, 1_500, 700)
    assert risk.leverage == pytest.approx(1_500 / 10_100)
    assert (risk.margin_used, risk.margin_free) == (150, 9_950)
    assert (risk.day_profit, risk.session_profit, risk.drawdown) == (100, 100, 0)
    assert {(each.name, each.quantity, each.value) for each in risk.instruments} == {
        (BTC.id, 10, 1_100),
        (ETH.id, -4, -400),
    }
    assert {(each.name, each.quantity) for each in risk.currencies} == {
        ("BTC", 10),
        ("ETH", -4),
        ("USDT", -700),
    }
    assert {(each.strategy, each.realised, each.unrealised) for each in risk.strategies} == {
        ("A", 0, 100),
        ("B", 0, 0),
    }
    desk.quote(BTC.id, "105", "105")
    assert desk.gate.risk().drawdown == -50


def test_it_agrees_with_the_engine_over_a_whole_run() -> None:
    """What NautilusTrader's own account and positions say after thousands of ticks and many fills."""
    data = quotes(4_000)
    events: list[AnyEvent] = []
    mid = (int(data.bid[-1]) + int(data.ask[-1])) / D(2) / 10**data.price_precision
    facts: dict[str, Instrument] = {FX.id: FX}
    book = AccountBook(facts, currency="USD", balance=D(1_000_000), touch=lambda _name: Touch(mid, mid, 0))
    venue = SimulatedVenue(
        FX,
        VenueRules(),
        kinds=frozenset({"quotes"}),
        strategy="ema_cross",
        parameters=parse_parameters("ema_cross", {"fast": 5, "slow": 12}),
        emit=lambda event: (events.append(event), book.note(event)),  # type: ignore[arg-type,func-returns-value]
    )
    try:
        venue.load({"quotes": data})
        venue.run_to(int(data.ts_init[-1]))
        told = venue.balance
    finally:
        venue.dispose()
    positions = [event for event in events if isinstance(event, PositionChanged)]
    assert len(positions) > 20
    assert book.total(FX.id).net == positions[-1].quantity
    assert book.balance == told
    line = book.lines_in(FX.id)[0]
    assert abs(D(1_000_000) + line.realised - line.fees - told) < D("0.01") * len(positions)
    assert not book.orders
