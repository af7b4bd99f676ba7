"""What passes whatever the limits, what never passes, and that every order counts once."""

from typing import Any

import pytest

from engine.errors import UserError
from engine.messages.events import EpochBegan
from engine.messages.limits import Limits, RiskPolicy
from engine.messages.orders import OrderIntent
from engine.messages.run import ArmState, Mode
from engine.risk.kill import KillSwitch
from tests.engine.risk.markets import BTC, SECOND, D, Desk, buy, sell

NOTHING = Limits(
    order_quantity=D(0),
    position=D(0),
    gross_exposure=D(0),
    open_orders=D(0),
    orders_per_second=D(0),
    feed_age_s=D(0),
    trading_hours="Sat 00:00-00:01",
    session_loss=D(0),
    trade_loss=D(0),
)


def rule(desk: Desk, intent: OrderIntent) -> str:
    denial = desk.gate.would(intent)
    return "" if denial is None else denial.rule


def halted_with(quantity: str) -> Desk:
    """A position in a halted account whose every limit is broken."""
    desk = Desk()
    desk.hold(quantity)
    desk.now += SECOND
    desk.quote(BTC.id, "50", "50")
    desk.gate.set_policy(RiskPolicy(account=NOTHING))
    desk.gate.halted = True
    return desk


# What reduces -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("held", "close", "flip"), [("5", sell("5"), sell("5.01")), ("-5", buy("5"), buy("5.01"))]
)
def test_what_truly_reduces_passes_a_halt_and_every_limit_and_a_flip_does_not(
    held: str, close: OrderIntent, flip: OrderIntent
) -> None:
    desk = halted_with(held)
    assert rule(desk, close) == ""
    assert rule(desk, flip) == "halted"
    desk.gate.halted = False
    assert rule(desk, flip) != ""
    more = buy("1") if close.side == "SELL" else sell("1")
    assert rule(desk, more) != ""


def test_two_orders_that_reduce_alone_but_flip_together_do_not_both_pass() -> None:
    desk = halted_with("5")
    assert desk.ask(sell("3", "60")) is None
    assert rule(desk, sell("2.01")) == "halted"
    assert rule(desk, sell("2")) == ""


def test_a_stop_and_a_target_that_only_reduce_both_pass_but_nothing_beside_them() -> None:
    desk = halted_with("5")
    assert desk.ask(sell("5", "60", reduce_only=True)) is None
    assert desk.ask(sell("5", type="STOP_MARKET", trigger=D(40), reduce_only=True)) is None
    assert rule(desk, sell("0.01")) == "halted"


@pytest.mark.parametrize(("held", "side"), [("5", sell), ("-5", buy)])
def test_who_flattens_need_not_wait_for_the_cancellation_of_a_stop(held: str, side: Any) -> None:
    desk = Desk()
    desk.hold(held)
    stop = desk.order(side("5", type="STOP_MARKET", trigger=D("90") if held == "5" else D("110")))
    desk.gate.halted = True
    close = side("5", reduce_only=True)
    assert rule(desk, close) == "halted"
    desk.tell(stop, "PENDING_CANCEL")
    assert rule(desk, close) == ""
    assert rule(desk, side("5")) == "halted"
    desk.tell(stop, "ACCEPTED", "Too late.")
    assert rule(desk, close) == "halted"


def test_several_orders_are_judged_together_and_none_of_them_counted() -> None:
    desk = Desk(account=Limits(position=D(8), open_orders=D(2)))
    assert desk.gate.would(buy("4"), buy("4")) is None
    beyond = desk.gate.would(buy("4"), buy("5"))
    assert beyond is not None
    assert beyond.value == D(9)
    three = desk.gate.would(buy("1"), buy("1"), buy("1"))
    assert three is not None
    assert three.rule == "open_orders"
    assert desk.gate.would(buy("8")) is None
    assert desk.book.orders == {}


def test_an_exit_is_not_let_pass_that_an_order_before_it_would_turn_into_a_flip() -> None:
    desk = halted_with("5")
    assert desk.ask(sell("3", "60")) is None
    assert rule(desk, sell("3", "61", reduce_only=True)) == "halted"
    assert rule(desk, sell("2", "61", reduce_only=True)) == ""


def test_a_reducing_order_still_keeps_to_the_venues_grid() -> None:
    desk = halted_with("5")
    assert rule(desk, sell("1.001")) == "venue"
    assert rule(desk, sell("1", "60.05")) == "venue"
    assert rule(desk, sell("1", type="STOP_MARKET")) == "venue"


def test_a_person_may_reduce_what_a_strategy_holds_but_keeps_to_the_persons_limits() -> None:
    desk = Desk(policy=RiskPolicy(strategies={"HAND-001": Limits(position=D(2))}))
    desk.hold("5", strategy="ema")
    desk.gate.halted = True
    assert rule(desk, sell("2")) == ""
    assert rule(desk, sell("3")) == "position"
    assert rule(desk, sell("6")) == "halted"


def test_a_strategy_may_close_its_own_but_not_take_the_account_beyond_its_limits() -> None:
    desk = Desk(Limits(position=D(6)))
    desk.hold("5", strategy="ema")
    desk.hold("-2", strategy="other")
    desk.gate.halted = True
    assert rule(desk, buy("2", strategy="other")) == ""
    desk.gate.set_policy(RiskPolicy(account=Limits(position=D(4))))
    assert rule(desk, buy("2", strategy="other")) == "position"


def test_what_closes_one_strategys_position_passes_though_the_account_is_taken_farther_meanwhile() -> None:
    desk = Desk(Limits(position=D(1)))
    desk.hold("5")
    desk.hold("-3", strategy="ema")
    desk.gate.halted = True
    assert rule(desk, sell("5", reduce_only=True)) == "position"
    assert rule(desk, sell("5.01", closes="P")) == "closing"
    assert desk.ask(sell("5", closes="P", reduce_only=True)) is None
    assert desk.ask(buy("3", strategy="ema", closes="Q", reduce_only=True)) is None
    desk.gate.halted = False
    assert rule(desk, sell("0.01", closes="P")) == "closing"
    assert rule(desk, sell("1", strategy="other", closes="P")) == "closing"


def test_one_position_of_a_hedging_account_is_closed_whatever_stands_beside_it() -> None:
    desk = halted_with("5")
    desk.position("5", "100", position_id="LONG")
    desk.hold("-5")
    desk.position("-5", "100", position_id="SHORT")
    assert desk.book.holds
    assert rule(desk, sell("5", reduce_only=True)) == "halted"
    assert rule(desk, sell("5", closes="LONG", reduce_only=True)) == ""
    assert rule(desk, buy("5", closes="SHORT", reduce_only=True)) == ""
    assert rule(desk, buy("5", closes="LONG", reduce_only=True)) == "halted"
    assert rule(desk, sell("5.01", closes="LONG", reduce_only=True)) == "halted"
    assert rule(desk, sell("5", closes="NONE", reduce_only=True)) == "halted"


# States ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("mode", "arm", "by_hand", "by_strategy"),
    [
        ("replay", "view", "view", ""),
        ("replay", "paper", "", ""),
        ("paper", "view", "view", "view"),
        ("paper", "paper", "", ""),
        ("live", "view", "view", "view"),
        ("live", "paper", "view", "view"),
        ("live", "live", "", ""),
    ],
)
def test_orders_pass_where_the_session_is_armed_for_its_venue(
    mode: Mode, arm: ArmState, by_hand: str, by_strategy: str
) -> None:
    desk = Desk(mode=mode, arm=arm)
    assert rule(desk, buy("1")) == by_hand
    assert rule(desk, buy("1", strategy="ema")) == by_strategy
    desk.hold("1")
    assert rule(desk, sell("1")) == ""


@pytest.mark.parametrize("mode", ["replay", "paper"])
def test_real_money_cannot_be_reached_from_a_replay(mode: Mode) -> None:
    desk = Desk(mode=mode)
    with pytest.raises(UserError, match="cannot be armed Live"):
        desk.gate.arm = "live"
    assert desk.gate.arm == "paper"


def test_a_fired_switch_blocks_from_that_moment_on_and_a_cleared_one_no_more() -> None:
    switch = KillSwitch()
    desk = Desk(kill_switch=switch)
    assert rule(desk, buy("1")) == ""
    switch.fire("test")
    assert rule(desk, buy("1")) == "halted"
    switch.clear()
    assert rule(desk, buy("1")) == ""


def test_an_order_is_never_sent_twice() -> None:
    desk = Desk()
    assert desk.gate.check(buy("1"), "A") is None
    for status in ("", "ACCEPTED", "FILLED"):
        if status:
            desk.sent["A"], desk.filled["A"] = buy("1"), D(0)
            desk.tell("A", status)
        denial = desk.gate.check(buy("1"), "A")
        assert denial is not None
        assert denial.rule == "duplicate"


def test_what_is_not_traded_here_is_told_apart() -> None:
    denial = Desk().gate.would(buy("1", instrument="X.Y"))
    assert denial is not None
    assert denial.text == "There is no X.Y in this session; trade BTCUSDT.TEST or ETHUSDT.TEST."


# Changes ----------------------------------------------------------------------------------------------------


def test_a_change_is_judged_as_replacing_its_order() -> None:
    desk = Desk(Limits(position=D(5), open_orders=D(1)))
    order = desk.order(buy("4", "99"))
    assert rule(desk, buy("5", "99", changes=order)) == ""
    assert rule(desk, buy("5.01", "99", changes=order)) == "position"


def test_until_a_change_is_answered_the_larger_size_counts() -> None:
    desk = Desk(Limits(position=D(5)))
    order = desk.order(buy("2", "99"))
    assert desk.ask(buy("4", "99", changes=order)) is None
    assert rule(desk, buy("1.01")) == "position"
    desk.sent[order] = buy("2", "99")
    desk.tell(order, "PENDING_UPDATE")
    assert rule(desk, buy("1.01")) == "position"
    desk.tell(order, "ACCEPTED", reason="too late")
    assert rule(desk, buy("3")) == ""
    assert desk.ask(buy("1", "99", changes=order)) is None  # smaller, but not answered yet
    assert rule(desk, buy("3.01")) == "position"
    desk.sent[order] = buy("1", "99")
    desk.tell(order, "ACCEPTED")
    assert rule(desk, buy("4")) == ""


def test_of_two_changes_under_way_the_refusal_of_one_says_nothing_of_the_other() -> None:
    desk = Desk(Limits(position=D(5)))
    order = desk.order(buy("1", "99"))
    assert desk.gate.check(buy("2", "99", changes=order)) is None
    assert desk.gate.check(buy("5", "99", changes=order)) is None
    desk.tell(order, "ACCEPTED", reason="too late")
    assert rule(desk, buy("0.01")) == "position"
    desk.tell(order, "ACCEPTED", reason="too late")
    assert rule(desk, buy("4")) == ""


def test_a_change_in_doubt_may_be_at_work_and_still_counts() -> None:
    desk = Desk(Limits(position=D(5)))
    order = desk.order(buy("2", "99"))
    assert desk.gate.check(buy("4", "99", changes=order)) is None
    desk.tell(order, "PENDING_UPDATE")
    desk.tell(order, "IN_DOUBT", reason="The venue has not answered the change for 3 s.")
    assert rule(desk, buy("1.01")) == "position"
    desk.tell(order, "ACCEPTED", reason="It never arrived.")
    assert rule(desk, buy("3")) == ""


def test_what_was_filled_of_a_changed_order_is_not_counted_twice() -> None:
    desk = Desk(Limits(position=D(5)))
    order = desk.order(buy("4", "99"))
    desk.fill(order, "3")
    assert rule(desk, buy("5", "99", changes=order)) == ""
    assert rule(desk, buy("5.01", "99", changes=order)) == "position"


def test_a_withdrawn_change_leaves_the_order_as_it_was() -> None:
    desk = Desk(Limits(position=D(5)))
    order = desk.order(buy("2", "99"))
    assert desk.ask(buy("5", "99", changes=order)) is None
    desk.gate.withdraw(order)
    assert rule(desk, buy("3")) == ""
    assert rule(desk, buy("3.01")) == "position"


def test_an_order_whose_end_was_none_counts_again() -> None:
    desk = Desk(Limits(position=D(5)))
    order = desk.order(buy("4"))
    desk.fill(order, "2")
    desk.fill(order, "2")  # the same once more: it seems filled, and is not
    desk.fill(order, "-2")
    desk.tell(order, "PARTIALLY_FILLED")
    assert rule(desk, buy("1")) == ""
    assert rule(desk, buy("1.01")) == "position"


def test_an_order_that_ended_cannot_be_changed() -> None:
    desk = Desk()
    order = desk.order(buy("2", "99"))
    desk.tell(order, "CANCELED")
    assert (
        "not at work any more"
        in (desk.gate.would(buy("3", "99", changes=order)) or pytest.fail("passed")).text
    )


# Epochs -----------------------------------------------------------------------------------------------------


def test_a_new_epoch_forgets_orders_counts_and_losses() -> None:
    desk = Desk(Limits(session_loss=D(10), orders_per_minute=D(1), position=D(1)))
    assert desk.gate.check(buy("1"), "A") is None
    desk.hold("1")
    desk.quote(BTC.id, "50", "50")
    desk.gate.mark()
    assert desk.gate.loss_broken() != ""
    desk.note(EpochBegan(ts=desk.now, epoch=1))
    desk.now -= 100 * SECOND
    assert desk.gate.check(buy("1"), "A") is None
    desk.gate.mark()
    assert desk.gate.loss_broken() == ""
