"""Orders, fills, positions and money: the latest of each, and which rows changed."""

from decimal import Decimal

from app.state.orders import Latest, OrdersState
from engine.link.builders import account, fill, log, order, position
from engine.link.script import scripted_session
from engine.link.trading_builders import twap
from engine.messages.events import Filled


def test_an_order_keeps_its_row_and_leaves_the_ladder_when_it_is_done() -> None:
    state = OrdersState()
    state.apply([order("A"), order("B", price=Decimal("1.09340")), order("A", "PARTIALLY_FILLED")])
    assert [row.order_id for row in state.orders.rows] == ["A", "B"]
    assert state.orders["A"].status == "PARTIALLY_FILLED"
    assert [row.order_id for row in state.working("EURUSD.SIM")] == ["A", "B"]
    for status in ("FILLED", "CANCELED", "REJECTED", "EXPIRED", "DENIED"):
        state.apply([order(status, "ACCEPTED"), order(status, status)])
    assert [row.order_id for row in state.working("EURUSD.SIM")] == ["A", "B"]
    assert state.working("XAUUSD.SIM") == []


def test_a_twap_is_a_row_that_no_venue_has() -> None:
    state = OrdersState()
    state.apply([twap("r1"), order("H-1", "FILLED", request="r1"), twap("r1", "FILLED", left=0)])
    assert [(row.order_id, row.status) for row in state.orders.rows] == [("r1", "FILLED"), ("H-1", "FILLED")]
    assert [row.order_id for row in state.of_request("r1")] == ["r1", "H-1"]
    state.apply([twap("r2")])
    assert state.working("EURUSD.SIM") == []
    assert {name: told.left for name, told in state.twaps.items()} == {"r1": 0, "r2": 8}


def test_latest_names_the_rows_that_changed_since_a_version() -> None:
    latest: Latest[int] = Latest()
    latest.put("a", 1)
    latest.put("b", 2)
    seen = latest.version
    assert latest.changed_since(0) == [0, 1]
    latest.put("c", 3)
    latest.put("a", 4)
    latest.put("a", 5)
    assert latest.changed_since(seen) == [0, 2]
    assert latest.changed_since(latest.version) == []
    assert dict(latest) == {"a": 5, "b": 2, "c": 3}


def test_positions_and_balances_are_the_latest() -> None:
    state = OrdersState()
    state.apply([position(Decimal(5)), position(Decimal(0)), account(Decimal(10)), account(Decimal(9))])
    assert [row.quantity for row in state.positions.rows] == [Decimal(0)]
    assert [balance.total for _, balance in state.balances.rows] == [Decimal(9)]
    assert state.account is not None


def test_other_events_change_nothing() -> None:
    state = OrdersState()
    state.apply([log("hello")])
    assert state.version == 0


def test_a_whole_session_arrives() -> None:
    state = OrdersState()
    frames = scripted_session(frames=60)
    for frame in frames:
        state.apply(numbered.event for numbered in frame.events)
    fills = [n.event for frame in frames for n in frame.events if isinstance(n.event, Filled)]
    assert state.fills == fills
    assert len(fills) >= 5
    state.apply([fill("again")])
    assert state.fills[-1].trade_id == "again"
