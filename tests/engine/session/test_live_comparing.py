"""Positions compared with the venue's where its stream is silent: nothing is missed, and nothing mistaken."""

from decimal import Decimal

import pytest
from nautilus_trader.live import LiveExecutionEngineConfig, SubmissionRecoveryPolicy

from engine.messages.events import Filled, OrderChanged, PositionChanged
from engine.nautilus import node
from tests.engine.session.test_live_venue import LIVE, at, is_now, other
from tests.venue import ThreadVenue
from tests.venue.client import Client


def comparing_first(*, on: bool) -> LiveExecutionEngineConfig:
    """A node that compares positions long before it asks for orders without an answer."""
    return LiveExecutionEngineConfig(
        reconciliation=on,
        reconciliation_startup_delay_secs=0.0,
        submission_recovery_policy=SubmissionRecoveryPolicy.RETAIN_UNRESOLVED,
        inflight_check_threshold_ms=60_000,
        position_check_interval_secs=0.5,
        position_check_threshold_ms=500,
    )


def test_what_others_trade_unheard_is_found(venue: ThreadVenue, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(node, "_reconciling", comparing_first)
    with at(venue) as (driven, puppet), Client(other(venue)) as someone:
        someone.wait(lambda event: event["event"] == "quote")
        venue.inject("half_open")
        someone.do("market", id="TAKEN", side="BUY", size="0.7")
        driven.until(lambda: driven.session.course.venue.net_position == Decimal("0.700"))
        driven.until(lambda: driven.told(Filled))
        assert [(each.strategy, each.quantity) for each in driven.told(Filled)] == [
            ("EXTERNAL", Decimal("0.700"))
        ]
        assert puppet.held() == 0


def test_an_own_execution_that_nobody_told_is_never_given_to_a_stranger(
    venue: ThreadVenue, monkeypatch: pytest.MonkeyPatch
) -> None:
    """WORKAROUND(2.0.0rc7): the node names the order of an execution that it cannot place by the venue's
    number, and then refuses that number to the order that is its own."""
    monkeypatch.setattr(node, "_reconciling", comparing_first)
    with at(venue) as (driven, puppet):
        venue.inject("half_open")
        order_id = puppet.market("BUY", "0.3")
        driven.until(lambda: is_now(driven, order_id, "FILLED"))
        assert {each.order_id for each in driven.told(OrderChanged)} == {order_id}
        assert [each.order_id for each in driven.told(Filled)] == [order_id]
        assert {each.strategy for each in driven.told(PositionChanged)} == {LIVE}
        assert puppet.held() == Decimal("0.300")
