"""A node forgets what ended long ago; nothing that is still true goes with it."""

import time
from collections.abc import Iterator
from decimal import Decimal

import pytest

from engine.messages.commands import Cancel
from engine.messages.events import Filled, Refused
from engine.nautilus import doubt, live, node
from tests.engine.session.test_live_comparing import comparing_first
from tests.engine.session.test_live_venue import at, is_now, other
from tests.venue import Setup, ThreadVenue, levels
from tests.venue.client import Client

KEPT_S = live._KEPT_S


@pytest.fixture
def venue() -> Iterator[ThreadVenue]:
    with ThreadVenue(Setup(pause_s=6.0)) as running:
        running.show(*levels("2000.00", "2000.10"))
        yield running


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "_FORGET_EVERY_S", 0.1)
    monkeypatch.setattr(live, "_KEPT_S", 1)


def test_an_order_is_known_for_longer_than_its_executions_are_asked_back_for() -> None:
    assert node._reconciling(on=True).position_check_lookback_mins * 60 < KEPT_S


def test_orders_that_ended_go_and_what_came_of_them_stays(
    venue: ThreadVenue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.nautilus.node._reconciling", comparing_first)
    with at(venue) as (driven, puppet), Client(other(venue)) as someone:
        someone.wait(lambda event: event["event"] == "quote")
        cache = driven.session.course.venue._cache
        working = puppet.limit("BUY", "0.2", "1990.00")
        first = puppet.market("BUY", "0.3")
        puppet.market("SELL", "0.1")
        driven.until(lambda: puppet.held() == Decimal("0.200"))
        driven.until(lambda: [str(each) for each in cache.client_order_ids()] == [working])
        account = cache.account_for_venue(driven.session.course.venue._venue)
        assert account.event_count == 1
        driven.session.handle(Cancel(first))
        driven.until(lambda: driven.told(Refused))
        # The venue's answers name them still; they are no stranger's, and his are found beside them.
        venue.inject("half_open")
        someone.do("market", id="TAKEN", side="BUY", size="0.7")
        driven.until(lambda: driven.session.course.venue.net_position == Decimal("0.900"))
        driven.until(lambda: len(driven.told(Filled)) == 3)
        assert driven.told(Filled)[-1].strategy == "EXTERNAL"
        assert puppet.held() == Decimal("0.200")
        driven.session.handle(Cancel(working))
        driven.until(lambda: is_now(driven, working, "CANCELED"))


def test_what_the_venue_says_unasked_is_no_answer_where_past_answers_are_forgotten(
    venue: ThreadVenue, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {"DOUBT_S": 0.5, "_ASK_EVERY_S": 0.3, "_SURELY_LOST_S": 2.0}.items():
        monkeypatch.setattr(doubt, name, value)
    with at(venue, ws_trading=False) as (driven, puppet):
        working = puppet.limit("BUY", "0.5", "2000.00")
        driven.until(lambda: is_now(driven, working, "ACCEPTED"))
        venue.inject("ban")
        lost = puppet.limit("BUY", "0.1", "1990.00")
        driven.until(lambda: is_now(driven, lost, "IN_DOUBT"))
        for size in ("10.1", "0.1", "0.1", "0.1"):
            venue.trade("2000.00", size, "SELL")
            next_s = time.monotonic() + 0.7
            driven.until(lambda: time.monotonic() > next_s)  # noqa: B023
        assert is_now(driven, lost, "IN_DOUBT")
        driven.until(lambda: is_now(driven, lost, "REJECTED"))
