"""The wire of the venue: keys, signatures, clocks, limits, and the answers that a client reads."""

import http.client
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from websockets.sync.client import connect

from tests.venue import Setup, ThreadVenue, levels
from tests.venue.caller import call, signed

ORDER = "/fapi/v1/order"
LIMIT = {
    "symbol": "ETHUSDT",
    "side": "BUY",
    "type": "LIMIT",
    "timeInForce": "GTC",
    "quantity": "1",
    "price": "1999.00",
}


@pytest.fixture
def venue() -> Iterator[ThreadVenue]:
    with ThreadVenue(Setup(pause_s=0.3, orders_10s=5, weight_limit=40)) as venue:
        venue.show(*levels("2000.00", "2000.10"))
        yield venue


@pytest.mark.parametrize(
    ("code", "status", "how"),
    [
        (-1021, 400, {"late_ms": 6000}),
        (-1021, 400, {"late_ms": -2000}),
        (-1022, 400, {"secret": "another"}),
        (-2015, 401, {"key": "another"}),
        (-2014, 401, {"key": ""}),
    ],
)
def test_a_request_must_be_signed_in_time_with_the_right_key(
    venue: ThreadVenue, code: int, status: int, how: dict[str, Any]
) -> None:
    reply = signed(venue.at.http, "POST", ORDER, LIMIT, **how)
    assert (reply.status, reply.body["code"]) == (status, code)
    assert not venue.truth().orders
    assert signed(venue.at.http, "POST", ORDER, LIMIT).status == 200


def test_too_many_requests_are_refused_until_the_minute_is_over(venue: ThreadVenue) -> None:
    replies = [call(venue.at.http, "GET", "/fapi/v1/ping") for _ in range(41)]
    assert [reply.status for reply in replies] == [200] * 40 + [429]
    assert replies[9].headers["x-mbx-used-weight-1m"] == "10"
    assert replies[-1].body["code"] == -1003
    assert 50 <= int(replies[-1].headers["retry-after"]) <= 60


def test_too_many_orders_are_refused_without_being_looked_at(venue: ThreadVenue) -> None:
    replies = [signed(venue.at.http, "POST", ORDER, LIMIT) for _ in range(6)]
    assert [reply.body.get("code", 0) for reply in replies] == [0] * 5 + [-1015]
    assert replies[4].headers["x-mbx-order-count-10s"] == "5"
    assert len(venue.truth().orders) == 5


@pytest.mark.parametrize(("kind", "status"), [("rate_limit", 429), ("ban", 418)])
def test_a_ban_lasts_as_long_as_it_says(venue: ThreadVenue, kind: str, status: int) -> None:
    venue.inject("ban" if kind == "ban" else "rate_limit")
    reply = call(venue.at.http, "GET", "/fapi/v1/time")
    assert (reply.status, reply.headers["retry-after"]) == (status, "1")
    while call(venue.at.http, "GET", "/fapi/v1/time").status != 200:
        pass
    assert venue.faults() == {kind: 1}


def test_an_order_is_answered_and_found_again(venue: ThreadVenue) -> None:
    placed = signed(venue.at.http, "POST", ORDER, {**LIMIT, "newClientOrderId": "mine"}).body
    assert (placed["status"], placed["origQty"], placed["price"]) == ("NEW", "1.000", "1999.00")
    found = signed(venue.at.http, "GET", ORDER, {"symbol": "ETHUSDT", "origClientOrderId": "mine"}).body
    assert found == placed
    assert signed(venue.at.http, "GET", "/fapi/v1/openOrders", {"symbol": "ETHUSDT"}).body == [placed]
    named = {"symbol": "ETHUSDT", "orderId": str(placed["orderId"])}
    gone = signed(venue.at.http, "DELETE", ORDER, named).body
    assert gone["status"] == "CANCELED"
    again = signed(venue.at.http, "DELETE", ORDER, named)
    assert (again.status, again.body["code"]) == (400, -2011)
    unknown = signed(venue.at.http, "GET", ORDER, {"symbol": "ETHUSDT", "origClientOrderId": "nobody's"})
    assert unknown.body["code"] == -2013


def test_a_batch_says_of_each_order_what_became_of_it(venue: ThreadVenue) -> None:
    good = msgspec.json.encode(LIMIT).decode()
    bad = good.replace("1999.00", "1999.001")
    replies = signed(venue.at.http, "POST", "/fapi/v1/batchOrders", {"batchOrders": f"[{good},{bad}]"}).body
    assert [reply.get("status", reply.get("code")) for reply in replies] == ["NEW", -1111]


def test_the_account_adds_up(venue: ThreadVenue) -> None:
    market = {"symbol": "ETHUSDT", "side": "BUY", "type": "MARKET", "quantity": "2"}
    done = signed(venue.at.http, "POST", ORDER, {**market, "newOrderRespType": "RESULT"}).body
    assert (done["status"], done["executedQty"], done["avgPrice"]) == ("FILLED", "2.000", "2000.10000000")
    account = signed(venue.at.http, "GET", "/fapi/v2/account").body
    (asset,), (position,) = account["assets"], account["positions"]
    assert (asset["walletBalance"], position["positionAmt"]) == ("9997.99990000", "2.000")
    assert account["totalUnrealizedProfit"] == "-0.10000000"  # the mark price is the middle
    (risk,) = signed(venue.at.http, "GET", "/fapi/v2/positionRisk").body
    assert (risk["positionAmt"], risk["entryPrice"]) == ("2.000", "2000.10000000")
    (trade,) = signed(venue.at.http, "GET", "/fapi/v1/userTrades", {"symbol": "ETHUSDT"}).body
    assert (trade["price"], trade["commission"], trade["maker"]) == ("2000.10", "2.00010000", False)


def test_a_lost_answer_leaves_an_order_and_a_silent_connection(venue: ThreadVenue) -> None:
    venue.inject("lost_ack")
    with pytest.raises((http.client.RemoteDisconnected, ConnectionResetError)):
        signed(venue.at.http, "POST", ORDER, {**LIMIT, "newClientOrderId": "mine"})
    assert venue.truth().order("mine").status == "NEW"


def test_a_depth_stream_continues_its_snapshot(venue: ThreadVenue) -> None:
    with connect(f"{venue.at.ws}/ws/ethusdt@depth@100ms") as stream:
        snapshot = call(venue.at.http, "GET", "/fapi/v1/depth", symbol="ETHUSDT", limit="5").body
        assert snapshot["bids"][0] == ["2000.00", "10.000"]
        venue.show(("BUY", "2000.05", "1"), ("SELL", "2000.10", "0"))
        first = _json(stream.recv(timeout=5))
        assert (first["b"], first["a"]) == ([["2000.05", "1.000"]], [["2000.10", "0.000"]])
        assert first["pu"] == snapshot["lastUpdateId"]
        signed(venue.at.http, "POST", ORDER, LIMIT)
        second = _json(stream.recv(timeout=5))
        assert (second["b"], second["pu"]) == ([["1999.00", "1.000"]], first["u"])


def _json(text: str | bytes) -> dict[str, object]:
    return msgspec.json.decode(text, type=dict[str, object])
