"""The exchange without a wire: matching, queues, refusals, books that add up."""

import contextlib
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.venue.desk import DEPOSIT, SYMBOL, Desk
from tests.venue.refusal import Refusal
from tests.venue.symbol import BUY, SELL, SIDES
from tests.venue.telling import truth


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_a_market_order_takes_the_levels_best_first_and_only_once(desk: Desk) -> None:
    desk.place("a", "BUY", "12")
    assert desk.fills("a") == [("2000.10", "10.000", False), ("2000.11", "2.000", False)]
    desk.place("b", "BUY", "9")
    assert desk.fills("b") == [("2000.11", "8.000", False), ("2000.12", "1.000", False)]
    desk.show(("SELL", "2000.10", "3"))
    desk.place("c", "BUY", "1")
    assert desk.fills("c") == [("2000.10", "1.000", False)]


def test_a_limit_order_fills_after_the_size_that_was_there_before_it(desk: Desk) -> None:
    order = desk.place("a", "BUY", "1", "2000.00")
    desk.trade("2000.00", "9.5", "SELL")
    assert order.status == "NEW"
    desk.trade("2000.00", "0.8", "SELL")
    assert (order.status, desk.fills("a")) == ("PARTIALLY_FILLED", [("2000.00", "0.300", True)])
    desk.trade("2000.05", "5", "BUY")
    assert order.status == "PARTIALLY_FILLED"
    desk.trade("1999.99", "5", "SELL")
    assert desk.fills("a")[1:] == [("2000.00", "0.700", True)]
    assert order.status == "FILLED"


def test_a_level_that_shrinks_shortens_the_queue(desk: Desk) -> None:
    desk.place("a", "BUY", "1", "2000.00")
    desk.show(("BUY", "2000.00", "2"))
    desk.trade("2000.00", "2.4", "SELL")
    assert desk.fills("a") == [("2000.00", "0.400", True)]


def test_quotes_that_cross_a_resting_order_fill_it_by_their_size(desk: Desk) -> None:
    order = desk.place("a", "BUY", "1", "2000.05")
    desk.show(("SELL", "2000.04", "0.4"))
    assert desk.fills("a") == [("2000.05", "0.400", True)]
    desk.show(("SELL", "2000.03", "5"))
    assert (order.status, desk.fills("a")[1:]) == ("FILLED", [("2000.05", "0.600", True)])


def test_own_orders_show_in_the_book_and_fill_by_price_then_time(desk: Desk) -> None:
    desk.place("late", "BUY", "1", "2000.02")
    desk.place("first", "BUY", "1", "2000.05")
    desk.place("second", "BUY", "1", "2000.05")
    book = desk.exchange.markets["ETHUSDT"].book
    assert book.shown_best(BUY) == (200005, 2000)
    desk.trade("2000.05", "1.5", "SELL")
    assert [desk.fills(each) for each in ("first", "second", "late")] == [
        [("2000.05", "1.000", True)],
        [("2000.05", "0.500", True)],
        [],
    ]
    assert book.shown_best(BUY) == (200005, 500)


def test_an_own_order_in_the_way_expires_instead_of_trading(desk: Desk) -> None:
    mine = desk.place("mine", "SELL", "1", "2000.05")
    desk.place("taker", "BUY", "1", "2000.10")
    assert mine.status == "EXPIRED_IN_MATCH"
    assert desk.fills("taker") == [("2000.10", "1.000", False)]


def test_a_smaller_order_keeps_its_place_and_a_larger_one_loses_it(desk: Desk) -> None:
    order = desk.place("a", "BUY", "2", "2000.00")
    desk.trade("2000.00", "4", "SELL")

    def change(size: str) -> None:
        request = {"symbol": "ETHUSDT", "orderId": str(order.id), "side": "BUY", "price": "2000.00"}
        desk.exchange.modify({**request, "quantity": size})

    change("1")
    assert order.ahead == 6000
    change("3")
    assert order.ahead == 10_000
    assert [event["o"]["x"] for event in desk.events] == ["NEW", "AMENDMENT", "AMENDMENT"]


@pytest.mark.parametrize(
    ("time_in_force", "status", "filled"), [("IOC", "EXPIRED", 10_000), ("GTC", "PARTIALLY_FILLED", 10_000)]
)
def test_what_a_limit_order_cannot_take_at_once(
    desk: Desk, time_in_force: str, status: str, filled: int
) -> None:
    order = desk.place("a", "BUY", "12", "2000.10", timeInForce=time_in_force)
    assert (order.status, order.filled) == (status, filled)


@pytest.mark.parametrize(
    ("code", "request_"),
    [
        (-1111, {"price": "2000.001"}),
        (-4003, {"quantity": "0"}),
        (-1111, {"quantity": "0.0001"}),
        (-1102, {"quantity": "much"}),
        (-4005, {"quantity": "100000"}),
        (-4164, {"quantity": "0.001"}),
        (-4016, {"price": "2300"}),
        (-4024, {"price": "1800", "side": "SELL"}),
        (-5022, {"price": "2000.10", "timeInForce": "GTX"}),
        (-5021, {"price": "2000.10", "quantity": "11", "timeInForce": "FOK"}),
        (-2019, {"quantity": "200"}),
        (-2022, {"reduceOnly": "true"}),
        (-1121, {"symbol": "NOTHING"}),
        (-1116, {"type": "ICEBERG"}),
        (-4120, {"type": "STOP_MARKET", "stopPrice": "1990"}),
        (-1117, {"side": "UP"}),
        (-4061, {"positionSide": "LONG"}),
        (-4015, {"newClientOrderId": "x" * 37}),
        (-4116, {"newClientOrderId": "there"}),
    ],
)
def test_what_is_wrong_is_refused_with_binances_code(desk: Desk, code: int, request_: dict[str, str]) -> None:
    desk.place("there", "BUY", "1", "1990.00")
    good = {"symbol": "ETHUSDT", "side": "BUY", "type": "LIMIT", "quantity": "1", "price": "1999.00"}
    with pytest.raises(Refusal) as refused:
        desk.exchange.place({**good, "timeInForce": "GTC", "newClientOrderId": "new", **request_})
    assert refused.value.code == code
    assert len(desk.exchange.orders) == 1


def test_a_reduce_only_order_reduces_and_never_turns(desk: Desk) -> None:
    desk.place("long", "BUY", "2")
    resting = desk.place("rest", "SELL", "2", "2000.20", reduceOnly="true")
    closing = desk.place("close", "SELL", "5", reduceOnly="true")
    assert (closing.size, closing.status) == (2000, "FILLED")
    assert resting.status == "EXPIRED"
    assert desk.exchange.ledger.position("ETHUSDT") == 0


def test_a_position_that_flips_realises_only_what_it_closed(desk: Desk) -> None:
    desk.place("long", "BUY", "1", "2000.10")
    desk.place("turn", "SELL", "3")
    ledger = desk.exchange.ledger
    assert ledger.position("ETHUSDT") == -2
    assert ledger.entry_price("ETHUSDT") == Decimal("2000.00")
    assert ledger.realised["ETHUSDT"] == Decimal("-0.10")
    assert ledger.wallet == DEPOSIT - Decimal("0.10") - ledger.fees


def test_a_part_that_is_closed_realises_its_share_and_leaves_the_entry(desk: Desk) -> None:
    desk.place("long", "BUY", "3", "2000.10")
    desk.place("part", "SELL", "1")
    ledger = desk.exchange.ledger
    assert ledger.realised["ETHUSDT"] == Decimal("-0.10")
    assert ledger.entry_price("ETHUSDT") == Decimal("2000.10")


_SIDE = st.sampled_from(SIDES)
_PRICE = st.integers(199_900, 200_100).map(lambda ticks: f"{ticks / 100:.2f}")
_SIZE = st.integers(3, 4000).map(lambda lots: f"{lots / 1000:.3f}")
_STEP = st.one_of(
    st.tuples(st.just("market"), _SIDE, _PRICE, _SIZE),
    st.tuples(st.just("limit"), _SIDE, _PRICE, _SIZE),
    st.tuples(st.just("reduce"), _SIDE, _PRICE, _SIZE),
    st.tuples(st.just("stop"), _SIDE, _PRICE, _SIZE),
    st.tuples(st.just("cancel"), _SIDE, _PRICE, _SIZE),
    st.tuples(st.just("modify"), _SIDE, _PRICE, _SIZE),
    st.tuples(st.just("trade"), _SIDE, _PRICE, _SIZE),
    st.tuples(st.just("show"), _SIDE, _PRICE, _SIZE),
)


@settings(max_examples=120, deadline=None)
@given(st.lists(_STEP, max_size=40))
def test_whatever_happens_the_books_add_up(steps: list[tuple[str, str, str, str]]) -> None:
    desk = Desk()
    for number, (what, side, price, size) in enumerate(steps):
        with contextlib.suppress(Refusal):
            _do(desk, f"o{number}", what, side, price, size)
        _check_books(desk)


def _do(desk: Desk, name: str, what: str, side: str, price: str, size: str) -> None:
    newest = {"symbol": "ETHUSDT", "orderId": str(next(reversed(desk.exchange.orders), 0)), "side": side}
    match what:
        case "market":
            desk.place(name, side, size)
        case "limit":
            desk.place(name, side, size, price)
        case "reduce":
            desk.place(name, side, size, price, reduceOnly="true")
        case "stop":
            desk.stop(name, side, size, "STOP_MARKET", triggerPrice=price)
        case "cancel":
            desk.exchange.cancel(newest)
        case "modify":
            desk.exchange.modify({**newest, "price": price, "quantity": size})
        case "trade":
            desk.trade(price, size, side)
        case "show":
            desk.show((side, price, size))


def _check_books(desk: Desk) -> None:
    exchange = desk.exchange
    ledger, market, told = exchange.ledger, exchange.markets["ETHUSDT"], truth(desk.exchange)
    assert told.imbalance == 0
    cash = sum(
        (fill.price * fill.size * (-1 if fill.side == "BUY" else 1) for fill in told.fills), Decimal(0)
    )
    mark = SYMBOL.price_value(market.mark)
    equity = ledger.wallet + exchange.margin.profit("ETHUSDT")
    assert equity == DEPOSIT - told.fees + cash + ledger.position("ETHUSDT") * mark
    for order in exchange.orders.values():
        assert 0 <= order.filled <= order.size
        assert order.is_open == (order in market.resting[order.side])
    for side in (BUY, SELL):
        assert all(size > 0 for size in market.book.market[side].values())
        shown: dict[int, int] = {}
        for order in market.resting[side]:
            shown[order.price] = shown.get(order.price, 0) + order.left
        assert shown == market.book.own[side]
    bid, ask = market.book.shown_best(BUY)[0], market.book.shown_best(SELL)[0]
    assert not (bid and ask) or bid < ask
    seen = [event["o"] for event in desk.events if event["e"] == "ORDER_TRADE_UPDATE"]
    for order in exchange.orders.values():
        last = [each for each in seen if each["i"] == order.id][-1]
        assert (last["X"], last["z"]) == (order.status, SYMBOL.size_text(order.filled))
