"""However late, partially or unwillingly a venue answers, a fired switch ends flat and halted."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import UserError
from engine.messages.events import HaltChanged, HaltStep
from engine.messages.limits import KillRules
from engine.risk.kill import STILL_NS, HaltProcedure, Holding, KillSwitch
from engine.risk.kill_rules import KillFacts, KillRuleWatch
from tests.engine.risk.markets import SECOND, D

STEP = SECOND // 10
Answer = Literal["fill", "partial", "reject", "silent"]


@dataclass
class Order:
    instrument: str
    strategy: str
    quantity: Decimal
    reduce_only: bool = False
    cancelled: bool = False


class Venue:
    """Hands at a venue that answers one thing a step, as it is told."""

    def __init__(self, held: dict[tuple[str, str], Decimal], orders: Sequence[Order] = ()) -> None:
        self.held = dict(held)
        self.orders = list(orders)
        self.by: set[str] = set()
        self.closes = 0

    def cancel_all(self) -> None:
        for order in self.orders:
            order.cancelled = True

    def close(self, holding: Holding, by: Literal["market", "limit"]) -> None:
        self.by.add(by)
        self.closes += 1
        assert holding.quantity
        self.orders.append(Order(holding.instrument, holding.strategy, -holding.quantity, reduce_only=True))

    def open_orders(self) -> int:
        return len(self.orders)

    def positions(self) -> list[Holding]:
        return [Holding(*key, quantity) for key, quantity in self.held.items() if quantity]

    def answer(self, answer: Answer) -> None:
        if answer == "silent" or not self.orders:
            return
        order = self.orders[0]
        key = order.instrument, order.strategy
        held = self.held.get(key, D(0))
        size = order.quantity
        if order.reduce_only:  # cut to what is held
            size = max(min(size, -held), D(0)) if size > 0 else min(max(size, -held), D(0))
        if answer == "reject" or not size or (order.cancelled and answer == "partial"):
            self.orders.pop(0)
            return
        filled = size if answer == "fill" or abs(size) <= D(1) else size / abs(size)
        self.held[key] = held + filled
        order.quantity -= filled
        if answer == "fill" or not order.quantity:
            self.orders.pop(0)


def run(
    procedure: HaltProcedure, venue: Venue, answers: Sequence[Answer] = (), *, steps: int = 2_000
) -> list[HaltChanged]:
    """Let the venue answer as it is told, then well, until the account is halted."""
    told, waiting = [], list(answers)
    for number in range(steps):
        told += procedure.step(number * STEP, venue)
        if procedure.step_now is HaltStep.HALTED and not waiting:
            return told
        venue.answer(waiting.pop(0) if waiting else "fill")
    raise AssertionError(f"still {procedure.step_now} with {venue.held} and {venue.orders}")


def fired(by: Literal["market", "limit"] = "market") -> HaltProcedure:
    switch = KillSwitch()
    switch.fire("enough")
    return HaltProcedure(switch, "MY-ACCOUNT", flatten_by=by)


@given(
    st.lists(st.sampled_from(["fill", "partial", "reject", "silent", "silent"]), max_size=120),
    st.dictionaries(
        st.sampled_from([("BTC", "A"), ("BTC", "B"), ("ETH", "A")]),
        st.integers(-5, 5).map(Decimal),
    ),
    st.lists(st.tuples(st.sampled_from(["BTC", "ETH"]), st.sampled_from([D(3), D(-2)])), max_size=3),
    st.sampled_from(["market", "limit"]),
)
@settings(max_examples=200, deadline=None)
def test_it_always_ends_flat_and_halted(
    answers: list[Answer],
    held: dict[tuple[str, str], Decimal],
    orders: list[tuple[str, Decimal]],
    by: Literal["market", "limit"],
) -> None:
    venue = Venue(held, [Order(name, "A", quantity) for name, quantity in orders])
    told = run(fired(by), venue, answers)
    assert not venue.positions()
    assert not venue.open_orders()
    assert told[0].step is HaltStep.CANCELLING
    assert told[-1].step is HaltStep.HALTED
    assert venue.by <= {by}
    assert all(each.reason == "enough" and each.text.endswith(".") for each in told)


def test_the_steps_come_in_order() -> None:
    told = run(fired(), Venue({("BTC", "A"): D(2)}, [Order("BTC", "A", D(1))]), ["reject"])
    assert [each.step for each in told] == [
        HaltStep.CANCELLING,
        HaltStep.FLATTENING,
        HaltStep.VERIFYING,
        HaltStep.HALTED,
    ]


def test_an_account_is_called_flat_only_once_it_was_so_for_a_while() -> None:
    procedure, venue = fired(), Venue({})
    for _ in range(3):  # nothing to cancel, nothing to close: it waits for late fills
        procedure.step(0, venue)
    assert procedure.step(STILL_NS - 1, venue) == []
    assert procedure.step_now is HaltStep.VERIFYING
    assert [each.step for each in procedure.step(STILL_NS, venue)] == [HaltStep.HALTED]


def test_a_fill_that_comes_after_the_halt_is_closed_too() -> None:
    procedure, venue = fired(), Venue({})
    run(procedure, venue)
    venue.held["BTC", "A"] = D(3)
    told = run(procedure, venue)
    assert [each.step for each in told] == [HaltStep.FLATTENING, HaltStep.VERIFYING, HaltStep.HALTED]
    assert "late fill left +3 BTC" in told[0].text


def test_orders_that_cannot_be_cancelled_do_not_keep_a_position_open() -> None:
    procedure, venue = fired(), Venue({("BTC", "A"): D(2)}, [Order("ETH", "A", D(1))])
    for number in range(100):
        procedure.step(number * STEP, venue)
    assert venue.closes > 0


def test_a_position_that_cannot_be_closed_is_told() -> None:
    procedure, venue = fired(), Venue({("BTC", "A"): D(2)})
    told: list[HaltChanged] = []
    for number in range(100):
        told += procedure.step(number * STEP, venue)
        venue.answer("reject")
    assert procedure.step_now is HaltStep.FLATTENING
    assert "+2 BTC could not be closed in 3 attempts" in told[-2].text


def test_a_position_is_not_closed_twice_while_its_order_may_still_fill() -> None:
    procedure, venue = fired(), Venue({("BTC", "A"): D(2)})
    for number in range(25):  # 2.5 s without an answer
        procedure.step(number * STEP, venue)
    assert venue.closes == 1
    assert venue.orders[0].cancelled


def test_only_the_accounts_name_rearms_and_only_once_it_is_halted() -> None:
    switch = KillSwitch()
    procedure, venue = HaltProcedure(switch, "MY-ACCOUNT"), Venue({("BTC", "A"): D(2)})
    with pytest.raises(UserError, match="Nothing is halted"):
        procedure.rearm("MY-ACCOUNT", 0)
    switch.fire("enough", "rule")
    procedure.step(0, venue)
    with pytest.raises(UserError, match="not flat yet"):
        procedure.rearm("MY-ACCOUNT", 0)
    run(procedure, venue)
    with pytest.raises(UserError, match="MY-ACCOUNT"):
        procedure.rearm("my-account", 0)
    assert switch.wait(0)
    assert procedure.rearm("MY-ACCOUNT", 0).step is HaltStep.NONE
    assert not switch.wait(0)
    assert procedure.step(0, venue) == []


def test_it_is_fired_once_from_whichever_thread_comes_first() -> None:
    switch = KillSwitch()
    won: list[bool] = []
    threads = [threading.Thread(target=lambda: won.append(switch.fire("now", "channel"))) for _ in range(8)]
    for thread in threads:
        thread.start()
    assert switch.wait(10)
    for thread in threads:
        thread.join()
    assert sorted(won) == [False] * 7 + [True]
    assert not switch.fire("later")
    assert switch.pending is not None
    assert switch.pending.reason == "now"


# What fires by itself -------------------------------------------------------------------------------------

RULES = KillRules(
    orders_per_second=D(10), stale_feed_s=D(5), lost_window_s=D(60), memory_mb=D(1_000), on_sick_model=True
)


@pytest.mark.parametrize(
    ("edge", "beyond", "said"),
    [
        (KillFacts(), KillFacts(loss_broken="120 USDT were lost"), "120 USDT were lost."),
        (KillFacts(wanted_in_second=10), KillFacts(wanted_in_second=11), "order storm"),
        (KillFacts(holds=True, feed_age_s=5), KillFacts(holds=True, feed_age_s=5.1), "market data"),
        (KillFacts(sick_model="NaN"), KillFacts(holds=True, sick_model="NaN"), "sick: NaN."),
        (KillFacts(window_silent_s=60), KillFacts(window_silent_s=61), "window"),
        (KillFacts(memory_mb=1_000), KillFacts(memory_mb=1_001), "1,001 MB"),
        (KillFacts(feed_age_s=99), KillFacts(holds=True, feed_age_s=99), "99 s old"),
    ],
)
def test_a_kill_rule_fires_beyond_its_edge(edge: KillFacts, beyond: KillFacts, said: str) -> None:
    watch = KillRuleWatch(RULES)
    assert watch.check(edge) == ""
    assert said in watch.check(beyond)
    off = KillRules(on_loss_limit=False, orders_per_second=None, stale_feed_s=None, on_sick_model=False)
    assert KillRuleWatch(off).check(beyond) == ""


def test_a_reason_is_said_when_it_comes_up_and_not_again_while_it_lasts() -> None:
    watch = KillRuleWatch(RULES)
    lost = KillFacts(loss_broken="lost", holds=True)
    assert watch.check(lost) == "lost."
    assert watch.check(lost) == ""
    both = KillFacts(loss_broken="lost", holds=True, feed_age_s=9)
    assert "market data" in watch.check(both)
    assert watch.check(KillFacts()) == ""
    assert watch.check(lost) == "lost."
