"""Orders that wait for a price, and orders that wait for an end."""

import pytest

from tests.venue.desk import Desk
from tests.venue.refusal import Refusal


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.mark.parametrize(
    ("kind", "side", "trigger", "before", "at"),
    [
        ("STOP_MARKET", "SELL", "1999.50", "1999.51", "1999.50"),
        ("STOP_MARKET", "BUY", "2001.00", "2000.99", "2001.00"),
        ("TAKE_PROFIT_MARKET", "SELL", "2001.00", "2000.99", "2001.00"),
        ("TAKE_PROFIT_MARKET", "BUY", "1999.50", "1999.51", "1999.40"),
        ("STOP", "SELL", "1999.50", "1999.51", "1999.50"),
    ],
)
def test_a_conditional_order_becomes_one_at_its_trigger(
    desk: Desk, kind: str, side: str, trigger: str, before: str, at: str
) -> None:
    more = {"price": "1990.00"} if kind == "STOP" else {}
    algo = desk.stop("s", side, "1", kind, triggerPrice=trigger, **more)
    desk.trade(before, "0.1", "BUY")
    assert (algo.status, desk.fills("s")) == ("NEW", [])
    desk.trade(at, "0.1", "SELL")
    assert (algo.status, len(desk.fills("s"))) == ("FINISHED", 1)
    states = [event["o"]["X"] for event in desk.events if event["e"] == "ALGO_UPDATE"]
    assert states == ["NEW", "TRIGGERING", "TRIGGERED", "FINISHED"]


def test_a_conditional_order_that_would_trigger_at_once_is_refused(desk: Desk) -> None:
    desk.trade("2000.00", "1", "SELL")
    with pytest.raises(Refusal, match="-2021"):
        desk.stop("s", "SELL", "1", "STOP_MARKET", triggerPrice="2000.00")


def test_a_trailing_stop_follows_and_fires_on_the_turn(desk: Desk) -> None:
    desk.trade("2000.00", "1", "BUY")
    algo = desk.stop("t", "SELL", "1", "TRAILING_STOP_MARKET", callbackRate="1")
    for price in ("2010.00", "2020.00", "2000.00"):
        desk.trade(price, "0.1", "BUY")
        assert algo.status == "NEW"
    desk.trade("1999.80", "0.1", "SELL")
    assert algo.status == "FINISHED"


def test_orders_with_an_end_expire_at_it(desk: Desk) -> None:
    end = str(desk.exchange.now_ms() + 700_000)
    order = desk.place("order", "BUY", "1", "1999.00", timeInForce="GTD", goodTillDate=end)
    algo = desk.stop("stop", "SELL", "1", "STOP_MARKET", triggerPrice="1990.00", goodTillDate=end)
    desk.exchange.expire_due()
    assert (order.status, algo.status) == ("NEW", "NEW")
    desk.exchange.skew_ms = 700_001
    desk.exchange.expire_due()
    assert (order.status, algo.status) == ("EXPIRED", "EXPIRED")
    with pytest.raises(Refusal, match="-4171"):
        desk.place("late", "BUY", "1", "1999.00", timeInForce="GTD", goodTillDate=end)
