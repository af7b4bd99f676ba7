"""Orders by hand at a simulated venue: every kind fills as its name says, and what hangs together does."""

from decimal import Decimal
from typing import Any

import msgspec
import pytest

from engine.errors import UserError
from engine.messages.commands import BreakEven, Cancel, CancelAll, Flatten, Modify, Reverse, Submit
from engine.messages.events import Denied, Logged, OrderChanged, TwapChanged
from engine.messages.orders import HAND, Denial, OrderIntent, Twap
from engine.nautilus.desk import HandCommand
from tests.engine.nautilus.desks import MIDS, SECOND, Rig, wanted
from tests.engine.session.markets import FX, START_NS
from tests.engine.session.strategies import Limit, Market

DAY_NS = 86_400 * SECOND


# Kinds of orders


def test_a_market_order_fills_at_the_present_touch_and_is_told_with_its_request() -> None:
    with Rig().to(3) as rig:
        rig.submit(wanted("BUY"))
        assert rig.fills() == [(3, "H-1", "BUY", 2_000, "1.10031")]
        order = rig.orders()["H-1"]
        assert (order.strategy, order.request, order.status) == (HAND, "r1", "FILLED")
        assert rig.positions() == {HAND: 2_000}


def test_before_the_first_tick_an_order_can_rest_but_not_fill() -> None:
    with Rig() as rig:
        rig.venue.settle(START_NS - 1)
        rig.desk.place("a", [wanted("BUY", type="LIMIT", price="1.10011")])
        rig.desk.place("b", [wanted("BUY")])
        rig.venue.settle(START_NS - 1)
        rig.to(5)
        rests, market = (rig.orders()[name] for name in ("H-1", "H-2"))
        assert (rests.status, market.status) == ("FILLED", "REJECTED")
        assert market.reason.startswith("The venue refused it: ")
        assert rig.fills() == [(0, "H-1", "BUY", 2_000, "1.10011")]


def test_between_two_ticks_an_order_happens_at_its_own_time() -> None:
    with Rig().to(3.5) as rig:
        rig.submit(wanted("BUY"))
        assert rig.fills() == [(3.5, "H-1", "BUY", 2_000, "1.10031")]


def test_an_order_arrives_after_the_venues_latency() -> None:
    with Rig(latency_ms=1_500).to(3) as rig:
        rig.submit(wanted("BUY"))
        assert rig.lives() == {"H-1": ["SUBMITTED"]}
        rig.to(4)
        assert not rig.fills()
        rig.to(5)
        assert rig.fills() == [(5, "H-1", "BUY", 2_000, "1.10051")]


@pytest.mark.parametrize(
    ("intent", "fill"),
    [
        (wanted("SELL", type="LIMIT", price="1.10059"), (6, "SELL", "1.10059")),
        (wanted("BUY", type="LIMIT", price="1.09991"), (19, "BUY", "1.09991")),
        (wanted("BUY", type="STOP_MARKET", trigger="1.10041"), (4, "BUY", "1.10041")),
        (wanted("SELL", type="STOP_MARKET", trigger="1.09985"), (20, "SELL", "1.09979")),
        (wanted("SELL", type="MARKET_IF_TOUCHED", trigger="1.10050"), (6, "SELL", "1.10059")),
        (wanted("BUY", type="STOP_LIMIT", trigger="1.10060", price="1.10051"), (13, "BUY", "1.10051")),
        (wanted("BUY", type="STOP_LIMIT", trigger="1.10060", price="1.10080"), (6, "BUY", "1.10061")),
        (wanted("SELL", type="TRAILING_STOP_MARKET", trailing_offset="0.00025"), (12, "SELL", "1.10059")),
    ],
)
def test_each_kind_fills_when_and_where_its_name_says(
    intent: OrderIntent, fill: tuple[float, str, str]
) -> None:
    with Rig().to(1) as rig:
        rig.submit(intent)
        assert not rig.fills()
        rig.to(27)
        second, side, price = fill
        assert rig.fills() == [(second, "H-1", side, 2_000, price)]


def test_a_limit_order_is_changed_while_it_works() -> None:
    with Rig().to(1) as rig:
        rig.submit(wanted("SELL", type="LIMIT", price="1.10079"))
        rig.do(Modify(order_id="H-1", price=Decimal("1.10049"), quantity=Decimal(5_000)))
        order = rig.orders()["H-1"]
        assert (str(order.price), int(order.quantity), order.status) == ("1.10049", 5_000, "ACCEPTED")
        rig.to(9)
        assert rig.fills() == [(5, "H-1", "SELL", 5_000, "1.10049")]


def test_an_order_that_is_dropped_where_it_was_stays_and_is_not_asked_for() -> None:
    with Rig() as rig:
        rig.to(1).submit(wanted("BUY", type="LIMIT", price="1.09000"))
        same = Modify(order_id="H-1", price=Decimal("1.09000"), quantity=Decimal(2_000))
        assert rig.do(same) == []
        told = rig.do(Modify(order_id="H-1", price=Decimal("1.09010"), quantity=Decimal(2_000)))
        assert [each.price for each in told if isinstance(each, OrderChanged)][-1] == Decimal("1.09010")


def test_a_stop_is_dragged_and_the_venue_says_why_where_it_cannot_be() -> None:
    with Rig().to(1) as rig:
        rig.submit(wanted("BUY", type="STOP_MARKET", trigger="1.10081"))
        rig.do(Modify(order_id="H-1", trigger=Decimal("1.10031")))
        told = rig.do(Modify(order_id="H-1", trigger=Decimal("1.09901")))
        rejected = [each for each in told if isinstance(each, OrderChanged) and each.reason]
        assert "in the market" in rejected[-1].reason
        rig.to(9)
        assert rig.fills() == [(3, "H-1", "BUY", 2_000, "1.10031")]


# How long, and how


def test_ioc_and_fok_never_rest() -> None:
    with Rig(size=3_000).to(1) as rig:
        rig.submit(wanted("BUY", 5_000, type="LIMIT", price="1.10011", time_in_force="IOC"))
        rig.submit(wanted("BUY", 5_000, type="LIMIT", price="1.10011", time_in_force="FOK"))
        rig.submit(wanted("BUY", 5_000, time_in_force="FOK"))
        orders = rig.orders()
        assert [(order.status, int(order.filled)) for order in orders.values()] == [
            ("CANCELED", 3_000), ("CANCELED", 0), ("CANCELED", 0),
        ]  # fmt: skip


def test_gtd_and_day_orders_expire() -> None:
    seconds_to_midnight = (DAY_NS - START_NS % DAY_NS) // SECOND
    with Rig([110_000] * (seconds_to_midnight + 5)).to(1) as rig:
        at: dict[str, Any] = {"type": "LIMIT", "price": "1.09"}
        rig.submit(wanted("BUY", time_in_force="GTD", expire_ns=START_NS + 4 * SECOND, **at))
        rig.submit(wanted("BUY", time_in_force="DAY", **at))
        rig.submit(wanted("BUY", **at))
        assert [order.time_in_force for order in rig.orders().values()] == ["GTD", "DAY", "GTC"]
        rig.to(5)
        assert [order.status for order in rig.orders().values()] == ["EXPIRED", "ACCEPTED", "ACCEPTED"]
        rig.to(seconds_to_midnight - 1)
        assert rig.orders()["H-2"].status == "ACCEPTED"
        rig.to(seconds_to_midnight + 1)
        expired = rig.orders()["H-2"]
        assert (expired.status, expired.time_in_force) == ("EXPIRED", "DAY")
        assert expired.ts - START_NS == pytest.approx(seconds_to_midnight * SECOND, abs=SECOND)
        assert rig.orders()["H-3"].status == "ACCEPTED"


def test_a_post_only_order_in_the_market_is_rejected_with_the_venues_reason() -> None:
    with Rig().to(1) as rig:
        rig.submit(wanted("BUY", type="LIMIT", price="1.10050", post_only=True))
        rig.submit(wanted("BUY", type="LIMIT", price="1.10009", post_only=True))
        rejected, resting = rig.orders().values()
        assert (rejected.status, rejected.post_only) == ("REJECTED", True)
        assert rejected.reason.startswith('The venue refused it: "POST_ONLY')
        assert "would have been a TAKER" in rejected.reason
        assert resting.status == "ACCEPTED"


def test_a_reduce_only_order_is_cut_to_what_is_held_and_never_opens() -> None:
    with Rig().to(1) as rig:
        rig.submit(wanted("SELL", reduce_only=True))
        assert rig.orders()["H-1"].status == "REJECTED"
        rig.submit(wanted("BUY", 3_000))
        rig.submit(wanted("SELL", 9_000, reduce_only=True))
        assert rig.orders()["H-3"].quantity == 3_000
        assert rig.positions() == {}


@pytest.mark.parametrize("latency_ms", [0.0, 200.0])
@pytest.mark.parametrize("size", [5_000, 2_000])
def test_a_reduce_only_order_never_grows_with_the_position(size: int, latency_ms: float) -> None:
    target = wanted("SELL", size, type="LIMIT", price="1.2", reduce_only=True)
    stop = wanted("SELL", size, type="STOP_MARKET", trigger="1.0", reduce_only=True)
    trailing = wanted("SELL", size, type="TRAILING_STOP_MARKET", trailing_offset="0.1", reduce_only=True)
    with Rig(latency_ms=latency_ms) as rig:
        rig.to(0).submit(wanted("BUY", 5_000))
        rig.to(1).submit(target, stop, contingency="oco")
        rig.submit(trailing)
        sizes = []
        for second, side, change in ((3, "BUY", 3_000), (6, "SELL", 7_000), (9, "BUY", 9_000)):
            rig.to(second).submit(wanted(side, change))
            rig.to(second + 2.5)  # it fills with the next tick, and the sizes are answered with the one after
            sizes.append([int(rig.orders()[name].quantity) for name in ("H-2", "H-3", "H-4")])
        assert sizes == [[size] * 3, [1_000] * 3, [size] * 3]
        rig.do(Modify(order_id="H-2", quantity=Decimal(4_000)))
        rig.to(12).submit(wanted("BUY", 1_000))
        rig.to(15)
        assert [int(rig.orders()[name].quantity) for name in ("H-2", "H-3", "H-4")] == [4_000, 4_000, size]


def test_the_exits_of_a_bracket_are_as_large_as_what_of_it_is_open_and_as_its_changed_entry() -> None:
    entry = wanted("BUY", type="LIMIT", price="1.10030")
    target = wanted("SELL", type="LIMIT", price="1.2")
    stop = wanted("SELL", type="STOP_MARKET", trigger="1.0")
    with Rig() as rig:
        rig.to(5).submit(entry, target, stop, contingency="bracket")
        rig.do(Modify(order_id="H-1", quantity=Decimal(6_000)))
        rig.to(20).submit(wanted("BUY", 3_000))
        assert [int(rig.orders()[name].quantity) for name in ("H-2", "H-3")] == [6_000, 6_000]
        rig.do(Modify(order_id="H-3", quantity=Decimal(1_000)))
        rig.to(21).submit(wanted("BUY", 3_000))
        assert [int(rig.orders()[name].quantity) for name in ("H-2", "H-3")] == [1_000, 1_000]


def test_a_size_in_quote_currency_becomes_whole_lots() -> None:
    with Rig().to(1) as rig:
        rig.submit(wanted("BUY", 11_000, quote_quantity=True))
        rig.submit(wanted("BUY", 11_000, quote_quantity=True, type="LIMIT", price="1.00000"))
        assert [order.quantity for order in rig.orders().values()] == [9_000, 11_000]


# What hangs together


def bracket(rig: Rig, entry: OrderIntent, stop: str = "1.09951", target: str = "1.10059") -> None:
    rig.submit(
        entry,
        wanted("SELL", type="STOP_MARKET", trigger=stop),
        wanted("SELL", type="LIMIT", price=target),
        contingency="bracket",
    )


def test_the_entrys_fill_sets_the_exits_of_a_bracket_to_work_and_one_ends_the_other() -> None:
    with Rig().to(1) as rig:
        bracket(rig, wanted("BUY", 3_000, type="LIMIT", price="1.10001"))
        assert [order.status for order in rig.orders().values()] == ["ACCEPTED", "SUBMITTED", "SUBMITTED"]
        rig.to(17)
        assert rig.fills() == []
        rig.to(18)
        entry, stop, target = rig.orders().values()
        assert (entry.status, stop.status, target.status) == ("FILLED", "ACCEPTED", "ACCEPTED")
        assert stop.quantity == target.quantity == 3_000
        assert stop.reduce_only
        assert target.reduce_only
        assert entry.contingent == (stop.order_id, target.order_id)
        assert target.contingent == (entry.order_id, stop.order_id)
        rig.to(25)
        _, stop, target = rig.orders().values()
        assert (stop.status, target.status) == ("FILLED", "CANCELED")
        assert rig.positions() == {}


def test_a_bracket_takes_its_profit() -> None:
    with Rig().to(1) as rig:
        bracket(rig, wanted("BUY"))
        rig.to(9)
        assert [fill[1:] for fill in rig.fills()] == [
            ("H-1", "BUY", 2_000, "1.10011"), ("H-3", "SELL", 2_000, "1.10059"),
        ]  # fmt: skip
        assert rig.orders()["H-2"].status == "CANCELED"


def test_a_bracket_may_have_only_a_stop() -> None:
    with Rig().to(9) as rig:
        rig.submit(
            wanted("BUY"), wanted("SELL", type="STOP_MARKET", trigger="1.10050"), contingency="bracket"
        )
        assert rig.lives()["H-2"] == ["SUBMITTED", "ACCEPTED"]
        rig.to(20)
        assert rig.positions() == {}


def test_a_bracket_whose_entry_is_cancelled_leaves_nothing() -> None:
    with Rig().to(1) as rig:
        bracket(rig, wanted("BUY", type="LIMIT", price="1.09001"))
        rig.do(Cancel("H-1"))
        assert {order.status for order in rig.orders().values()} == {"CANCELED"}
        assert rig.desk.open_orders() == 0


def test_the_exits_of_a_bracket_change_before_and_after_the_entry() -> None:
    with Rig().to(1) as rig:
        bracket(rig, wanted("BUY", type="LIMIT", price="1.10001"))
        rig.do(Modify(order_id="H-3", price=Decimal("1.10089")))
        rig.do(Modify(order_id="H-1", quantity=Decimal(4_000)))
        assert rig.orders()["H-2"].quantity == 4_000
        rig.to(19)
        rig.do(Modify(order_id="H-2", trigger=Decimal("1.09981")))
        rig.to(21)
        assert rig.fills()[-1][1:] == ("H-2", "SELL", 4_000, "1.09979")


def test_one_cancels_the_other() -> None:
    with Rig().to(1) as rig:
        rig.submit(
            wanted("BUY", type="LIMIT", price="1.09951"),
            wanted("BUY", type="STOP_MARKET", trigger="1.10041"),
            contingency="oco",
        )
        rig.to(4)
        limit, stop = rig.orders().values()
        assert (limit.status, stop.status) == ("CANCELED", "FILLED")
        assert (limit.contingent, stop.contingent) == (("H-2",), ("H-1",))


# The gate


class Few:
    """Lets orders up to 5,000 pass."""

    def __init__(self) -> None:
        self.sent: list[str] = []

    def check(self, intent: OrderIntent, order_id: str = "") -> Denial | None:
        if intent.quantity > 5_000 or intent.trigger == 2:
            return Denial(rule="order_quantity", text="Too large; order less.", value=intent.quantity)
        self.sent.append(order_id)
        return None

    def withdraw(self, order_id: str) -> None:
        self.sent.remove(order_id)


def test_what_the_gate_refuses_is_told_and_never_leaves() -> None:
    gate = Few()
    with Rig(gate=gate).to(1) as rig:
        told = rig.submit(wanted("BUY", 6_000))
        denied, order = told
        assert isinstance(denied, Denied)
        assert isinstance(order, OrderChanged)
        assert (denied.denial.rule, denied.denial.value) == ("order_quantity", Decimal(6_000))
        assert (order.status, order.order_id, order.request) == ("DENIED", denied.order_id, "r1")
        rig.submit(wanted("BUY", type="LIMIT", price="1.09"))
        told = rig.do(Modify(order_id="H-2", quantity=Decimal(7_000)))
        [denied] = [each for each in told if isinstance(each, Denied)]
        assert (denied.order_id, denied.intent.changes) == ("H-2", "H-2")
        assert rig.orders()["H-2"].quantity == 2_000
        assert gate.sent == ["H-2"]


def test_a_denied_bracket_leaves_no_half_order() -> None:
    gate = Few()
    with Rig(gate=gate).to(1) as rig:
        bracket(rig, wanted("BUY"), stop="2")
        assert [order.status for order in rig.orders().values()] == ["DENIED"] * 3
        assert gate.sent == []
        assert rig.orders()["H-3"].reason == "Not sent, as H-2 was refused."
        rig.to(9)
        assert rig.fills() == []


# Requests


def test_both_orders_of_an_oco_are_of_one_size() -> None:
    with Rig() as rig:
        high, low = (wanted("SELL", 1_000, type="LIMIT", price="1.2", quote_quantity=True) for _ in "ab")
        low = msgspec.structs.replace(low, side="BUY", price=Decimal("0.5"), quantity=Decimal(2_400))
        with pytest.raises(UserError, match="both have one size"):
            rig.to(1).submit(high, low, contingency="oco")
        both = [msgspec.structs.replace(each, quantity=Decimal(2_400)) for each in (high, low)]
        rig.submit(*both, contingency="oco")
        assert [int(order.quantity) for order in rig.orders().values()] == [2_000, 2_000]


def test_a_request_seen_before_does_nothing() -> None:
    with Rig().to(1) as rig:
        command = Submit(request="once", intents=(wanted("BUY"),))
        assert rig.do(command)
        assert rig.do(command) == []
        assert rig.positions() == {HAND: 2_000}


@pytest.mark.parametrize(
    ("intents", "contingency", "words"),
    [
        ([], "none", "1 to 20 orders, not 0"),
        ([wanted("BUY")] * 21, "none", "1 to 20 orders, not 21"),
        ([wanted("BUY")], "bracket", "not 1 orders"),
        ([wanted("BUY")] * 3, "oco", "two orders, not 3"),
        ([wanted("BUY")] * 2, "oco", "two that rest"),
        ([wanted("BUY", instrument="GBPUSD.SIM")], "none", "trade EURUSD.SIM"),
        ([wanted("BUY", type="ICEBERG")], "none", "Unknown order type"),
        ([wanted("BUY", 0)], "none", "above 0"),
        ([wanted("BUY", Decimal("NaN"))], "none", "not possible"),
        ([wanted("BUY", Decimal("1e15"))], "none", "not possible"),
        ([wanted("BUY", type="LIMIT")], "none", "needs a price"),
        ([wanted("BUY", type="STOP_MARKET")], "none", "needs a trigger"),
        ([wanted("BUY", type="STOP_LIMIT", price="1.1")], "none", "needs a trigger"),
        ([wanted("BUY", type="TRAILING_STOP_MARKET")], "none", "needs a trailing offset"),
        ([wanted("BUY", type="TRAILING_STOP_MARKET", trailing_offset="-1")], "none", "above 0"),
        ([wanted("BUY", type="LIMIT", price="1.1", time_in_force="GTD")], "none", "lies ahead"),
        ([wanted("BUY", type="LIMIT", price="1", time_in_force="GTD", expire_ns=5)], "none", "lies ahead"),
        ([wanted("BUY", time_in_force="GTD", expire_ns=2**62)], "none", "needs no end"),
        ([wanted("BUY", type="STOP_MARKET", trigger="2", time_in_force="IOC")], "none", "cannot be IOC"),
        ([wanted("BUY", post_only=True)], "none", "cannot be post-only"),
        ([wanted("BUY", type="LIMIT", price="1", post_only=True, time_in_force="FOK")], "none", "choose one"),
        ([wanted("BUY", type="STOP_MARKET", trigger="2", quote_quantity=True)], "none", "in base units"),
        ([wanted("BUY"), wanted("BUY", type="LIMIT", price="2")], "bracket", "other side"),
        ([wanted("BUY"), wanted("SELL")], "bracket", "wait for the market"),
        ([wanted("BUY"), *[wanted("SELL", type="LIMIT", price="2")] * 2], "bracket", "one target, not two"),
        ([wanted("BUY", reduce_only=True), wanted("SELL", type="LIMIT", price="2")], "bracket", "opens"),
        ([wanted("BUY", twap=Twap(10.0, 0.0))], "none", "interval above 0"),
        ([wanted("BUY", twap=Twap(10.0, 1.0))], "none", "too few for 10 slices"),
        ([wanted("BUY", 10**9, twap=Twap(1e9, 1.0))], "none", "at most 10,000"),
        ([wanted("BUY", 5_000, twap=Twap(2.0, 1.0)), wanted("BUY")], "none", "without other orders"),
    ],
)  # fmt: skip
def test_what_no_order_could_be_is_refused_in_a_sentence(
    intents: list[OrderIntent], contingency: str, words: str
) -> None:
    with Rig().to(1) as rig:
        with pytest.raises(UserError, match=words) as refused:
            rig.submit(*intents, contingency=contingency)  # type: ignore[arg-type]
        assert str(refused.value).endswith(".")
        assert rig.events == []


def test_a_change_or_cancel_that_makes_no_sense_is_refused() -> None:
    with Rig().to(1) as rig:
        rig.submit(wanted("BUY", type="LIMIT", price="1.09"))
        rig.submit(wanted("BUY"))
        rig.submit(wanted("SELL", type="STOP_MARKET", trigger="1.09"))
        for command, words in (
            (Cancel("X-1"), "There is no order X-1"),
            (Cancel("\xfc"), "There is no order"),
            (Cancel(""), "There is no order"),
            (Cancel("H-2"), "H-2 is filled already"),
            (Modify(order_id="H-2", quantity=Decimal(1)), "H-2 is filled already"),
            (Modify(order_id="H-1", trigger=Decimal(1)), "no trigger"),
            (Modify(order_id="H-3", price=Decimal(1)), "no price"),
            (Modify(order_id="H-1", price=Decimal("NaN")), "above 0"),
            (Modify(order_id="H-1", quantity=Decimal(0)), "above 0"),
            (Flatten("GBPUSD.SIM"), "trade EURUSD.SIM"),
        ):
            with pytest.raises(UserError, match=words):
                rig.do(command)


# All at once


def test_flatten_cancels_all_and_closes_whoever_holds() -> None:
    with Rig([110_000 + at for at in range(120)], strategy=Market).to(60) as rig:
        rig.submit(wanted("BUY", 4_000))
        rig.submit(wanted("SELL", type="LIMIT", price="1.2"))
        assert set(rig.positions()) == {HAND, "Market-002"}
        assert {each.strategy: each.quantity for each in rig.desk.positions()} == rig.positions()
        rig.do(Flatten(FX.id))
        assert rig.positions() == {}
        assert rig.desk.open_orders() == 0
        assert rig.orders()["H-2"].status == "CANCELED"


@pytest.mark.parametrize("held", [0, 3_000])
def test_flatten_closes_what_an_order_fills_that_was_on_its_way(held: int) -> None:
    with Rig([110_000] * 20, latency_ms=500).to(0) as rig:
        if held:
            rig.submit(wanted("BUY", held))
        rig.to(2)
        rig.submit(wanted("BUY", type="LIMIT", price="1.09000"))
        rig.submit(wanted("BUY"))
        rig.do(Flatten(FX.id))
        rig.to(9)
        assert sum(fill[3] if fill[2] == "BUY" else -fill[3] for fill in rig.fills()) == 0
        assert len(rig.fills()) >= 2
        assert (rig.desk.positions(), rig.desk.open_orders()) == ([], 0)
        rig.submit(wanted("BUY", 1_000))  # what is bought afterwards stays
        rig.to(15)
        assert rig.positions() == {HAND: 1_000}


def test_an_order_by_hand_after_flatten_is_left_to_its_person() -> None:
    with Rig([110_000] * 20, latency_ms=500).to(0) as rig:
        rig.submit(wanted("BUY"))
        rig.do(Flatten(FX.id))
        rig.submit(wanted("BUY", 1_000))
        rig.to(9)
        assert rig.positions() == {HAND: 3_000}


def test_the_kill_switch_may_close_by_a_limit_through_the_touch() -> None:
    with Rig().to(1) as rig:
        for side, price in (("BUY", "1.10009"), ("SELL", "1.10011")):
            rig.submit(wanted(side))
            [holding] = rig.desk.positions()
            rig.desk.close(holding, "limit")
            rig.venue.settle(START_NS + SECOND)
            closing = list(rig.orders().values())[-1]
            assert (closing.type, closing.time_in_force, closing.status) == ("LIMIT", "IOC", "FILLED")
            assert closing.reduce_only
            assert rig.fills()[-1][4] == price
            assert rig.desk.positions() == []


def test_cancel_all_reaches_the_strategys_orders() -> None:
    with Rig([110_000] * 100, strategy=Limit).to(40) as rig:
        rig.submit(wanted("BUY", type="LIMIT", price="1.09"))
        working = {order.strategy for order in rig.orders().values() if order.status == "ACCEPTED"}
        assert working == {HAND, "Limit-002"}
        rig.do(CancelAll())
        assert {order.status for order in rig.orders().values()} == {"CANCELED"}


def test_a_strategys_own_order_is_changed_and_cancelled_by_hand() -> None:
    with Rig([110_000] * 100, strategy=Limit).to(25) as rig:
        [order] = rig.orders().values()
        rig.do(Modify(order_id=order.order_id, quantity=Decimal(7_000)))
        assert rig.orders()[order.order_id].quantity == 7_000
        rig.do(Cancel(order.order_id))
        assert rig.orders()[order.order_id].status == "CANCELED"


def test_reverse_holds_as_much_on_the_other_side() -> None:
    with Rig().to(1) as rig:
        rig.submit(wanted("BUY", 3_000))
        rig.submit(wanted("SELL", type="LIMIT", price="1.2"))
        rig.do(Reverse(FX.id))
        assert rig.positions() == {HAND: -3_000}
        assert rig.orders()["H-2"].status == "CANCELED"
    with Rig([110_000 + at for at in range(120)], strategy=Market).to(60) as rig:
        before = sum(rig.positions().values())
        assert before
        rig.do(Reverse(FX.id))
        assert rig.positions() == {HAND: -before}
    with Rig().to(1) as rig, pytest.raises(UserError, match="nothing to reverse"):
        rig.do(Reverse(FX.id))


def test_a_second_reverse_before_the_first_has_filled_is_refused() -> None:
    with Rig(latency_ms=500.0) as rig:
        rig.to(0).submit(wanted("BUY"))
        rig.to(2).do(Reverse(FX.id))
        with pytest.raises(UserError, match="on its way"):
            rig.do(Reverse(FX.id))
        rig.to(4)
        assert rig.positions() == {HAND: -2_000}
        rig.do(Reverse(FX.id))
        rig.to(6)
        assert rig.positions() == {HAND: 2_000}


def test_reverse_that_the_gate_refuses_changes_nothing() -> None:
    with Rig(gate=Few()).to(1) as rig:
        rig.submit(wanted("BUY", 3_000))
        rig.submit(wanted("SELL", type="LIMIT", price="1.2"))
        rig.do(Reverse(FX.id))
        assert rig.positions() == {HAND: 3_000}
        assert rig.orders()["H-2"].status == "ACCEPTED"


@pytest.mark.parametrize(("side", "second", "trigger"), [("BUY", 9, "1.10016"), ("SELL", 27, "1.10004")])
def test_break_even_moves_the_stop_to_where_nothing_is_lost_fees_included(
    side: str, second: float, trigger: str
) -> None:
    other = "SELL" if side == "BUY" else "BUY"
    with Rig(taker_fee=Decimal("0.00002")).to(1) as rig:
        rig.submit(wanted(side))
        rig.submit(
            wanted(other, type="STOP_MARKET", trigger="1.09" if side == "BUY" else "1.11", reduce_only=True)
        )
        with pytest.raises(UserError, match="wait for it"):
            rig.do(BreakEven(FX.id))
        rig.to(second)
        rig.do(BreakEven(FX.id))
        assert rig.orders()["H-2"].trigger == Decimal(trigger)


def test_break_even_counts_no_fees_of_what_was_closed_before() -> None:
    with Rig(taker_fee=Decimal("0.00002")).to(1) as rig:
        rig.submit(wanted("BUY", 3_000))
        for _ in range(20):
            rig.submit(wanted("BUY", 1_000))
            rig.submit(wanted("SELL", 1_000))
        rig.to(9)
        rig.do(BreakEven(FX.id))
        [stop] = [order for order in rig.orders().values() if order.type == "STOP_MARKET"]
        assert stop.trigger == Decimal("1.10016")  # bought at 1.10011, and a fee of 2.2 ticks each way


def test_break_even_gives_a_position_without_a_stop_one() -> None:
    with Rig().to(1) as rig:
        rig.submit(wanted("BUY"))
        rig.to(9)
        rig.do(BreakEven(FX.id))
        stop = rig.orders()["H-2"]
        assert (stop.type, stop.side) == ("STOP_MARKET", "SELL")
        assert stop.reduce_only
        assert stop.quantity == 2_000
        rig.to(27)
        assert rig.positions() == {}


# TWAP


def test_a_twap_sends_whole_lots_evenly_in_market_time() -> None:
    with Rig().to(1) as rig:
        rig.submit(wanted("BUY", 11_000, twap=Twap(8.0, 2.0)))
        rig.to(27)
        assert [(fill[0], fill[3]) for fill in rig.fills()] == [
            (1, 2_000), (3, 3_000), (5, 3_000), (7, 3_000),
        ]  # fmt: skip
        assert {order.request for order in rig.orders().values()} == {"r1"}
        [ended] = [event.text for event in rig.events if isinstance(event, Logged)]
        assert ended == "The TWAP to BUY 11000 EUR is over."


def test_a_twap_ends_with_its_slices_cancel_or_with_all() -> None:
    for command in (Cancel("H-1"), CancelAll(), Flatten(FX.id)):
        with Rig().to(1) as rig:
            rig.submit(wanted("BUY", 12_000, twap=Twap(12.0, 2.0)))
            rig.to(4)
            rig.do(command)
            rig.to(27)
            assert [fill[0] for fill in rig.fills() if fill[2] == "BUY"] == [1, 3]
            assert "8000 were not sent" in next(e.text for e in rig.events if isinstance(e, Logged))


def told_of(rig: Rig) -> list[tuple[str, int, int, int]]:
    """Status, size filled, slices sent and to come of the TWAP, as often as it was told."""
    told = [event for event in rig.events if isinstance(event, TwapChanged)]
    assert {event.order.order_id for event in told} <= {"r1"}
    return [(event.order.status, int(event.order.filled), event.sent, event.left) for event in told]


def test_a_twap_is_told_as_the_one_order_that_it_is() -> None:
    with Rig(latency_ms=100.0).to(1) as rig:
        rig.submit(wanted("BUY", 6_000, twap=Twap(6.0, 2.0)))
        rig.to(4)
        assert told_of(rig) == [
            ("ACCEPTED", 0, 0, 3), ("ACCEPTED", 0, 1, 2), ("PARTIALLY_FILLED", 2_000, 1, 2),
            ("PARTIALLY_FILLED", 2_000, 2, 1), ("PARTIALLY_FILLED", 4_000, 2, 1),
        ]  # fmt: skip
        now = [event for event in rig.events if isinstance(event, TwapChanged)][-1]
        assert now.next_ns == START_NS + 5 * SECOND
        assert (now.order.type, now.order.side) == ("TWAP", "BUY")
        assert now.order.quantity == 6_000
        assert now.order.average_price == Decimal("1.10031")  # bought at 1.10021 and 1.10041
        assert now.order.reason == "2 of 3 slices sent, the next at 22:13:25.000 UTC."
        rig.to(5.05)
        assert told_of(rig)[-1] == ("PARTIALLY_FILLED", 4_000, 3, 0)  # all sent, and the last on its way
        rig.to(27)
        assert told_of(rig)[-1] == ("FILLED", 6_000, 3, 0)
        assert "r1" not in rig.orders()


@pytest.mark.parametrize("command", [Cancel("r1"), CancelAll(), Cancel("H-2")])
def test_a_twap_is_cancelled_by_its_own_name_by_a_slices_or_with_all(command: HandCommand) -> None:
    with Rig().to(1) as rig:
        rig.submit(wanted("BUY", 12_000, type="LIMIT", price="1.05", twap=Twap(12.0, 2.0)))
        rig.to(4)
        rig.do(command)
        slices = {name: order.status for name, order in rig.orders().items()}
        if command == Cancel("H-2"):  # what was sent before rests on, and the whole with it
            assert slices == {"H-1": "ACCEPTED", "H-2": "CANCELED"}
            assert told_of(rig)[-1] == ("ACCEPTED", 0, 2, 0)
            rig.do(Cancel("r1"))
        assert {order.status for order in rig.orders().values()} == {"CANCELED"}
        assert told_of(rig)[-1] == ("CANCELED", 0, 2, 0)
        rig.to(27)
        assert len(rig.orders()) == 2
        with pytest.raises(UserError, match="no order r1"):
            rig.do(Cancel("r1"))


def test_a_twap_whose_slices_do_not_all_fill_expires() -> None:
    with Rig(size=1_000).to(1) as rig:
        rig.submit(wanted("BUY", 4_000, type="LIMIT", price="1.2", time_in_force="IOC", twap=Twap(2.0, 1.0)))
        rig.to(27)
        assert {order.status for order in rig.orders().values()} == {"CANCELED"}
        assert told_of(rig)[-1] == ("EXPIRED", 2_000, 2, 0)
        assert [each for each in rig.events if isinstance(each, TwapChanged)][-1].order.reason == (
            "2 of 2 slices sent, 2000 not filled."
        )


class Rare(Few):
    """Refuses every second order."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = 0

    def check(self, intent: OrderIntent, order_id: str = "") -> Denial | None:
        self.asked += 1
        return None if self.asked % 2 else Denial(rule="orders_per_second", text="Too fast.")


def test_each_slice_passes_the_gate_and_what_it_refuses_is_for_the_next() -> None:
    with Rig(gate=Rare()).to(1) as rig:
        rig.submit(wanted("BUY", 4_000, twap=Twap(4.0, 1.0)))
        rig.to(9)
        assert [(fill[0], fill[3]) for fill in rig.fills()] == [(1, 1_000), (3, 2_000)]
        assert sum(isinstance(event, Denied) for event in rig.events) == 2
        assert told_of(rig)[-1] == ("EXPIRED", 3_000, 2, 0)
        assert "1000 were not sent" in next(e.text for e in rig.events if isinstance(e, Logged))


# Hedging


def test_under_hedging_every_position_is_closed_by_itself() -> None:
    with Rig(oms="HEDGING").to(1) as rig:
        rig.submit(wanted("BUY", 3_000))
        rig.submit(wanted("SELL", 1_000))
        assert sorted(each.quantity for each in rig.desk.positions()) == [-1_000, 3_000]
        rig.do(Flatten())
        assert rig.desk.positions() == []
        assert not rig.venue._running.cache.positions_open()


def test_under_hedging_what_cancels_out_is_open_and_is_closed() -> None:
    with Rig(oms="HEDGING").to(1) as rig:
        rig.submit(wanted("BUY"))
        rig.submit(wanted("SELL"))
        assert sorted(each.quantity for each in rig.desk.positions()) == [-2_000, 2_000]
        with pytest.raises(UserError, match="cancels out"):
            rig.do(Reverse(FX.id))
        rig.desk.close(rig.desk.positions()[0], "market")
        rig.to(2)
        assert len(rig.desk.positions()) == 1
        rig.do(Flatten())
        assert rig.desk.positions() == []
        assert not rig.venue._running.cache.positions_open()


def test_under_hedging_reversing_closes_every_position_and_opens_one() -> None:
    with Rig(oms="HEDGING").to(1) as rig:
        rig.submit(wanted("BUY", 3_000))
        rig.submit(wanted("SELL", 1_000))
        rig.do(Reverse(FX.id))
        [left] = rig.desk.positions()
        assert (left.strategy, left.quantity) == (HAND, Decimal(-2_000))


def test_the_market_of_these_tests_rises_and_falls() -> None:
    assert (MIDS[0], MIDS[9], MIDS[-1]) == (110_000, 110_090, 109_900)
