"""The engine's own Binance adapter, as it is, connects to the venue, sees its market and trades there.

One node runs for all tests of this file, once with orders over the trading websocket and once over REST.
"""

from collections.abc import Iterator
from decimal import Decimal
from typing import NamedTuple

import pytest

from tests.venue import Setup, ThreadVenue, levels
from tests.venue.client import Client, name_of, sizes
from tests.venue.setup import TrueFill, TrueOrder

PERPETUAL = "ETHUSDT-PERP.BINANCE"


class Pair(NamedTuple):
    """A venue and the node that trades on it."""

    venue: ThreadVenue
    client: Client

    def order(self, name: str) -> TrueOrder:
        """The venue's view of an order that the client named."""
        return next(each for each in self.venue.truth().orders if name_of(each.client_id) == name)


@pytest.fixture(scope="module", params=["websocket", "rest"])
def running(request: pytest.FixtureRequest) -> Iterator[Pair]:
    with ThreadVenue(Setup()) as venue:
        venue.show(*levels("2000.00", "2000.10"))
        use_ws = request.param == "websocket"
        with Client.of(venue, use_ws_trading=use_ws, watch=("quotes", "trades", "deltas")) as client:
            for kind in ("quote", "trade", "deltas"):  # until all subscriptions are there
                client.nudge(lambda turn: _nudge(venue, turn), kind)
            yield Pair(venue, client)


@pytest.fixture
def pair(running: Pair) -> Pair:
    """The node, with the market where each test expects it."""
    running.venue.show(*levels("2000.00", "2000.10"), clears=True)
    running.venue.trade("2000.00", "0.001", "SELL")
    return running


def test_it_connects_and_sees_quotes_trades_and_the_book(pair: Pair) -> None:
    assert pair.client.events[0] == {"event": "started", "instrument": PERPETUAL}
    pair.venue.show(("BUY", "2000.07", "3"))
    pair.venue.trade("2000.07", "0.123", "SELL")
    pair.client.wait(lambda event: event.get("bid") == "2000.07" and event.get("bid_size") == "3.000")
    trade = pair.client.wait(lambda event: event.get("size") == "0.123")
    assert (trade["price"], trade["side"]) == ("2000.07", "SELL")
    pair.client.wait(lambda event: event["event"] == "deltas" and event["count"] > 10)


def test_a_market_order_fills_at_the_levels_that_it_takes(pair: Pair) -> None:
    pair.client.do("market", id="market", side="BUY", size="11")
    pair.client.wait(lambda event: event.get("last_qty") == "1.000" and event["id"] == "market")
    fills = [
        (fill["last_px"], fill["last_qty"], fill["liquidity_side"]) for fill in pair.client.fills("market")
    ]
    assert fills == [("2000.10", "10.000", "TAKER"), ("2000.11", "1.000", "TAKER")]
    assert pair.order("market").status == "FILLED"


def test_a_limit_order_rests_fills_in_parts_and_is_changed_on_the_way(pair: Pair) -> None:
    pair.client.do("limit", id="limit", side="BUY", size="2", price="1999.90")
    pair.client.order("OrderAccepted", "limit")
    pair.venue.trade("1999.90", "0.5", "SELL")
    first = pair.client.order("OrderFilled", "limit")
    assert (first["last_qty"], first["last_px"], first["liquidity_side"]) == ("0.500", "1999.90", "MAKER")
    assert first["commission"] == "0.19999000 USDT"
    pair.client.do("modify", id="limit", size="1.5", price="1999.80")
    changed = pair.client.order("OrderUpdated", "limit")
    assert (Decimal(changed["quantity"]), changed["price"]) == (Decimal("1.5"), "1999.80")
    pair.venue.trade("1999.70", "9", "SELL")
    pair.client.wait(lambda event: event.get("id") == "limit" and event.get("last_qty") == "1.000")
    assert pair.order("limit").filled == Decimal("1.5")


def test_a_limit_order_is_cancelled(pair: Pair) -> None:
    pair.client.do("limit", id="cancel", side="SELL", size="1", price="2001.00")
    pair.client.order("OrderAccepted", "cancel")
    pair.client.do("cancel", id="cancel")
    pair.client.order("OrderCanceled", "cancel")
    assert pair.order("cancel").status == "CANCELED"


def test_all_orders_are_cancelled_at_once(pair: Pair) -> None:
    for name, side, price in (("all-1", "BUY", "1990.00"), ("all-2", "SELL", "2010.00")):
        pair.client.do("limit", id=name, side=side, size="1", price=price)
        pair.client.order("OrderAccepted", name)
    pair.client.do("stop", id="all-3", side="SELL", size="1", trigger="1980.00")
    pair.client.order("OrderAccepted", "all-3")
    pair.client.do("cancel_all")
    for name in ("all-1", "all-2", "all-3"):
        pair.client.order("OrderCanceled", name)
    assert not pair.venue.truth().waiting


@pytest.mark.parametrize(
    ("name", "what", "price"),
    [
        ("stop", {"do": "stop", "trigger": "1999.00"}, "1998.50"),
        ("stop-limit", {"do": "stop", "trigger": "1999.00", "price": "1990.00"}, "1998.90"),
        ("touch", {"do": "touch", "trigger": "2005.00"}, "2005.00"),
    ],
)
def test_a_conditional_order_waits_and_fills(pair: Pair, name: str, what: dict[str, str], price: str) -> None:
    more = {key: value for key, value in what.items() if key != "do"}
    pair.client.do(what["do"], id=name, side="SELL", size="0.5", **more)
    pair.client.order("OrderAccepted", name)
    assert len(pair.venue.truth().waiting) == 1
    pair.venue.trade(price, "0.001", "SELL")
    fill = pair.client.order("OrderFilled", name)
    assert (fill["last_px"], fill["last_qty"]) == ("2000.00", "0.500")
    assert not pair.venue.truth().waiting


def test_a_trailing_stop_follows_the_market(pair: Pair) -> None:
    pair.client.do("trail", id="trail", side="SELL", size="0.5", basis_points="100")
    pair.client.order("OrderAccepted", "trail")
    pair.venue.trade("2020.00", "0.001", "BUY")
    assert pair.client.names("trail")[-1] == "OrderAccepted"
    pair.venue.trade("1999.00", "0.001", "SELL")
    assert pair.client.order("OrderFilled", "trail")["last_qty"] == "0.500"


@pytest.mark.parametrize(
    ("name", "what", "code"),
    [
        ("maker", {"do": "limit", "price": "2000.20", "post_only": True}, "-5022"),
        ("far", {"do": "limit", "price": "2200.00"}, "-4016"),
        ("late", {"do": "stop", "side": "SELL", "trigger": "2100.00"}, "-2021"),
    ],
)
def test_the_strategy_hears_why_the_venue_refused(
    pair: Pair, name: str, what: dict[str, object], code: str
) -> None:
    more = {"side": "BUY", **what}
    do = str(more.pop("do"))
    pair.client.do(do, id=name, size="0.5", **more)
    refused = pair.client.order("OrderRejected", name)
    assert code in refused["reason"]


def test_an_immediate_order_expires_with_what_it_did_not_get(pair: Pair) -> None:
    pair.client.do("limit", id="ioc", side="BUY", size="12", price="2000.10", tif="IOC")
    pair.client.order("OrderExpired", "ioc")
    assert [fill["last_qty"] for fill in pair.client.fills("ioc")] == ["10.000"]


def test_a_reduce_only_order_is_cut_by_the_venue_and_both_know_it(pair: Pair) -> None:
    held = pair.venue.truth().positions["ETHUSDT"][0]
    pair.venue.show(("BUY", "2000.05", "1000"))
    pair.client.do("market", id="reduce", side="SELL", size="500", reduce_only=True)
    pair.client.wait(lambda event: event["event"] == "PositionClosed")
    assert pair.order("reduce").size == held
    assert not pair.venue.truth().positions


def test_the_strategy_saw_what_is_true(pair: Pair) -> None:
    """Last of all, so that it looks at everything that the tests before it did."""
    pair.client.do("market", id="last", side="BUY", size="0.25")
    pair.client.order("OrderFilled", "last")
    truth, state = pair.venue.truth(), pair.client.state()
    assert truth.imbalance == 0
    orders = {name_of(order.client_id): order for order in truth.orders}
    believed = {
        name: Decimal(filled) for name, (status, filled) in state["orders"].items() if status != "REJECTED"
    }
    assert {name: filled for name, filled in believed.items() if filled} == {
        name: order.filled for name, order in orders.items() if order.filled
    }
    seen = [
        (
            fill["id"],
            fill["trade_id"],
            Decimal(fill["last_px"]),
            Decimal(fill["last_qty"]),
            fill["commission"],
        )
        for name in orders
        for fill in pair.client.fills(name)
    ]
    assert sorted(seen) == sorted(_seen(fill) for fill in truth.fills)
    assert sizes(state) == {PERPETUAL: truth.positions["ETHUSDT"][0]}
    assert state["balances"] == {"USDT": f"{truth.wallet:.8f} USDT"}


def _nudge(venue: ThreadVenue, turn: int) -> None:
    venue.show(("BUY", "1990.00", str(1 + turn % 2)))
    venue.trade("2000.00", "0.001", "SELL")


def _seen(fill: TrueFill) -> tuple[str, str, Decimal, Decimal, str]:
    return (name_of(fill.client_id), str(fill.id), fill.price, fill.size, f"{fill.fee:.8f} USDT")
