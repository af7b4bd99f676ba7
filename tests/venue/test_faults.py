"""Every kind of fault strikes the engine's adapter once, and at the end both sides agree on every order.

One node runs through all of them; it looks for orders in doubt every fifth of a second, so that a test need
not wait for the engine's usual half a minute.
"""

import itertools
import time
from collections.abc import Iterator
from decimal import Decimal
from typing import NamedTuple

import pytest

from tests.venue import Setup, ThreadVenue, levels
from tests.venue.caller import call
from tests.venue.client import Client, name_of, sizes
from tests.venue.faults import KINDS, Kind

_SOON_S = 20.0
_DONE = ("OrderFilled", "OrderRejected")
_SPOILT = ("delayed_ack", "lost_ack", "http_5xx_executed", "duplicate_event", "out_of_order")
_QUICK = {"inflight_check_ms": 200, "inflight_threshold_ms": 500}


class Pair(NamedTuple):
    """A venue and the node that trades on it."""

    venue: ThreadVenue
    client: Client
    numbers: Iterator[int]

    def buy(self) -> str:
        """Send an order that fills at once, and return its name."""
        name = f"o{next(self.numbers)}"
        self.client.do("limit", id=name, side="BUY", size="0.1", price="2000.10")
        return name

    def venue_has(self, name: str) -> bool:
        """Whether the order reached the venue."""
        return any(name_of(order.client_id) == name for order in self.venue.truth().orders)

    def check_agreement(self) -> None:
        """Wait until venue and engine say the same of every order and of the position."""
        deadline = time.monotonic() + _SOON_S
        while (believed := self._believed()) != (true := self._true()):
            assert time.monotonic() < deadline, f"the engine has {believed}, the venue {true}"
        assert self.venue.truth().imbalance == 0

    def _believed(self) -> tuple[dict[str, Decimal], Decimal]:
        state = self.client.state()
        filled = {name: Decimal(size) for name, (_, size) in state["orders"].items() if Decimal(size)}
        return filled, sum(sizes(state).values(), Decimal(0))

    def _true(self) -> tuple[dict[str, Decimal], Decimal]:
        truth = self.venue.truth()
        filled = {name_of(order.client_id): order.filled for order in truth.orders if order.filled}
        return filled, sum((size for size, _ in truth.positions.values()), Decimal(0))


def _pair(**more: float) -> Iterator[Pair]:
    with ThreadVenue(Setup(pause_s=0.4)) as venue:
        venue.show(*levels("2000.00", "2000.10"))
        with Client.of(venue, **_QUICK, **more) as client:
            client.wait(lambda event: event["event"] == "quote")
            pair = Pair(venue, client, itertools.count(1))
            client.order("OrderFilled", pair.buy())
            yield pair


@pytest.fixture(scope="module")
def running() -> Iterator[Pair]:
    yield from _pair()


@pytest.fixture
def pair(running: Pair) -> Pair:
    """The node, with enough to buy for each test."""
    running.venue.show(*levels("2000.00", "2000.10"))
    return running


def _strikes(pair: Pair, kind: Kind) -> None:
    """Let a fault strike, or wait for the next order."""
    before = pair.venue.faults().get(kind, 0)
    pair.venue.inject(kind)
    assert pair.venue.faults().get(kind, 0) in (before, before + 1)


@pytest.mark.parametrize("kind", _SPOILT)
def test_an_order_whose_answer_or_event_is_spoilt_fills_once(pair: Pair, kind: Kind) -> None:
    _strikes(pair, kind)
    name = pair.buy()
    fill = pair.client.order("OrderFilled", name)
    assert fill["reconciliation"] == "False"
    pair.check_agreement()
    assert len(pair.client.fills(name)) == 1
    assert pair.venue.faults()[kind] == 1


def test_an_order_of_which_nothing_is_heard_is_found_by_asking(pair: Pair) -> None:
    """The engine infers the fill from the order's state: it has neither the trade's number nor its fee."""
    _strikes(pair, "blind_ack")
    name = pair.buy()
    fill = pair.client.order("OrderFilled", name)
    assert fill["reconciliation"] == "True"
    pair.check_agreement()
    assert len(pair.client.fills(name)) == 1


@pytest.mark.parametrize("kind", ["http_5xx", "rate_limit", "ban"])
def test_an_order_that_the_venue_did_not_look_at_is_in_doubt_and_then_rejected(
    pair: Pair, kind: Kind
) -> None:
    _strikes(pair, kind)
    name = pair.buy()
    pair.client.order("OrderSubmitted", name)
    assert pair.client.order("OrderRejected", name, _SOON_S)["reason"] == "INFLIGHT_TIMEOUT"
    assert not pair.venue_has(name)
    pair.client.order("OrderFilled", pair.buy())
    pair.check_agreement()


def test_a_clock_that_is_off_refuses_orders_until_it_is_right(pair: Pair) -> None:
    _strikes(pair, "clock_skew")
    assert "-1021" in pair.client.order("OrderRejected", pair.buy())["reason"]
    while call(pair.venue.at.http, "GET", "/fapi/v1/time").body["serverTime"] > time.time() * 1000 + 1000:
        pass
    pair.client.order("OrderFilled", pair.buy())
    pair.check_agreement()


@pytest.mark.parametrize("kind", ["drop_user", "drop_trading", "drop_market", "listen_key", "restart"])
def test_a_connection_that_breaks_comes_back(pair: Pair, kind: Kind) -> None:
    _strikes(pair, kind)
    first = pair.buy()
    pair.client.wait(lambda event: event.get("id") == first and event["event"] in _DONE, _SOON_S)
    pair.client.order("OrderFilled", pair.buy(), _SOON_S)
    before = len(pair.client.events)
    deadline = time.monotonic() + _SOON_S
    while not any(event["event"] == "quote" for event in pair.client.events[before:]):
        pair.venue.show(("BUY", "2000.00", str(5 + time.monotonic_ns() % 5)))
        assert time.monotonic() < deadline, "quotes did not come back"
        time.sleep(0.05)
    pair.check_agreement()


def test_a_connection_that_only_seems_open_hides_fills_until_someone_asks() -> None:
    pairs = _pair()
    pair = next(pairs)
    _strikes(pair, "half_open")
    name = pair.buy()
    assert pair.client.order("OrderFilled", name)["reconciliation"] == "True"
    pair.check_agreement()
    assert next(pairs, None) is None


def test_every_kind_was_tried(pair: Pair) -> None:
    """Last of all; the half-open connection had a venue of its own."""
    assert set(pair.venue.faults()) | {"half_open"} == set(KINDS)
