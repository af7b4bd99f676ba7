"""A session at a venue that ends with an order in whatever state, and the one that comes after it."""

from decimal import Decimal
from pathlib import Path

import pytest

import engine.nautilus.doubt as doubt
from engine.messages.commands import Cancel, Modify, SetPolicy
from engine.messages.events import Denied, OrderChanged, PositionChanged
from engine.messages.limits import Limits, RiskPolicy
from tests.engine.session.live_sessions import Driven
from tests.engine.session.test_live_venue import LIVE, Puppet, at, is_now, statuses
from tests.venue import ThreadVenue, levels

_WORKING = ("ACCEPTED", "PARTIALLY_FILLED")


def working(driven: Driven, puppet: Puppet) -> str:
    """A limit order of the strategy's, behind the market."""
    order_id = puppet.limit("BUY", "0.2", "1990.00")
    driven.until(lambda: is_now(driven, order_id, "ACCEPTED"))
    return order_id


def taken_over(driven: Driven) -> OrderChanged:
    (order,) = driven.told(OrderChanged)
    assert order.strategy == LIVE
    return order


def test_an_order_that_was_sent_and_not_answered_is_at_work_after_a_restart(
    venue: ThreadVenue, memory: Path
) -> None:
    with at(venue, memory=memory) as (driven, puppet):
        venue.inject("blind_ack")
        order_id = puppet.limit("BUY", "0.2", "1990.00")
        driven.until(lambda: venue.truth().orders)
        assert statuses(driven, order_id) == ["SUBMITTED"]
    with at(venue, memory=memory) as (driven, puppet):
        order = taken_over(driven)
        assert (order.order_id, order.status, order.price) == (order_id, "ACCEPTED", Decimal("1990.00"))
        driven.session.handle(Cancel(order_id))
        driven.until(lambda: is_now(driven, order_id, "CANCELED"))
        assert [each.status for each in venue.truth().orders] == ["CANCELED"]


def test_a_partly_filled_order_goes_on_filling_after_a_restart(venue: ThreadVenue, memory: Path) -> None:
    with at(venue, memory=memory) as (driven, puppet):
        venue.show(("SELL", "2000.10", "0.3"))
        order_id = puppet.limit("BUY", "0.5", "2000.10")
        driven.until(lambda: is_now(driven, order_id, "PARTIALLY_FILLED"))
    with at(venue, memory=memory) as (driven, puppet):
        order = taken_over(driven)
        assert (order.order_id, order.status) == (order_id, "PARTIALLY_FILLED")
        assert (order.filled, order.quantity) == (Decimal("0.300"), Decimal("0.500"))
        assert (puppet.held(), puppet.net_position()) == (Decimal("0.300"), Decimal("0.500"))
        venue.trade("2000.10", "1", "SELL")
        driven.until(lambda: is_now(driven, order_id, "FILLED"))
        driven.until(lambda: puppet.held() == Decimal("0.500"))
        assert {each.strategy for each in driven.told(PositionChanged)} == {LIVE}


def test_a_change_whose_answer_is_lost_has_been_made_after_a_restart(
    venue: ThreadVenue, memory: Path
) -> None:
    with at(venue, memory=memory) as (driven, puppet):
        order_id = working(driven, puppet)
        venue.inject("blind_ack")
        driven.session.handle(Modify(order_id=order_id, price=Decimal("1985.00")))
        driven.until(lambda: venue.truth().order(order_id).price == Decimal("1985.00"))
        assert is_now(driven, order_id, "PENDING_UPDATE")
    with at(venue, memory=memory) as (driven, puppet):
        order = taken_over(driven)
        assert (order.order_id, order.status, order.price) == (order_id, "ACCEPTED", Decimal("1985.00"))


def test_an_order_whose_cancellation_was_not_answered_is_gone_after_a_restart(
    venue: ThreadVenue, memory: Path
) -> None:
    with at(venue, memory=memory) as (driven, puppet):
        order_id = working(driven, puppet)
        venue.inject("blind_ack")
        driven.session.handle(Cancel(order_id))
        driven.until(lambda: venue.truth().order(order_id).status == "CANCELED")
        assert is_now(driven, order_id, "PENDING_CANCEL")
    with at(venue, memory=memory) as (driven, puppet):
        assert not [each for each in driven.told(OrderChanged) if each.status in _WORKING]
        assert driven.session.course.venue.desk.open_orders() == 0
        assert puppet.net_position() == 0


def test_an_order_in_doubt_that_filled_is_the_strategys_position_after_a_restart(
    venue: ThreadVenue, memory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doubt, "DOUBT_S", 0.2)
    with at(venue, memory=memory) as (driven, puppet):
        venue.inject("blind_ack")
        order_id = puppet.market("BUY", "0.3")
        driven.until(lambda: "IN_DOUBT" in statuses(driven, order_id))
    with at(venue, memory=memory) as (driven, puppet):
        assert puppet.held() == puppet.net_position() == Decimal("0.300")
        assert len(venue.truth().orders) == 1  # never sent again


def test_an_order_in_doubt_that_never_arrived_leaves_nothing_after_a_restart(
    venue: ThreadVenue, memory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doubt, "DOUBT_S", 0.2)
    with at(venue, memory=memory, ws_trading=False) as (driven, puppet):
        venue.inject("http_5xx")
        order_id = puppet.market("BUY", "0.3")
        driven.until(lambda: is_now(driven, order_id, "IN_DOUBT"))
    with at(venue, memory=memory) as (driven, puppet):
        assert driven.told(OrderChanged) == []
        assert puppet.net_position() == 0
        assert venue.truth().orders == ()


def test_what_was_lost_today_is_lost_after_a_restart_too(venue: ThreadVenue, tmp_path: Path) -> None:
    day = tmp_path / "memory" / "local-day.json"
    with at(venue, day=day) as (driven, puppet):
        bought = puppet.market("BUY", "1")
        driven.until(lambda: is_now(driven, bought, "FILLED"))
        venue.show(*levels("1990.00", "1990.10"))
        sold = puppet.market("SELL", "1")
        driven.until(lambda: is_now(driven, sold, "FILLED"))
        driven.until(lambda: day_profit(driven) < -10.0)
        lost = day_profit(driven)
    with at(venue, day=day) as (driven, puppet):
        driven.until(lambda: day_profit(driven) == lost)
        driven.session.handle(SetPolicy(RiskPolicy(account=Limits(day_loss=Decimal(10)))))
        refused = puppet.market("BUY", "0.1")
        driven.until(lambda: is_now(driven, refused, "DENIED"))
        (denied,) = driven.told(Denied)
        assert denied.denial.rule == "day_loss"
    day.write_bytes(day.read_bytes().replace(b'"day":', b'"day":1'))  # another day's
    with at(venue, day=day) as (driven, _):
        driven.until(lambda: day_profit(driven) == 0.0)


def day_profit(driven: Driven) -> float:
    risk = driven.session.take_picture().account_risk
    assert risk is not None
    return risk.day_profit
