"""What a person does in a paper session: arm, order, limit, halt; all of it while the market goes on."""

from decimal import Decimal
from typing import Any

import pytest

from engine.messages.commands import (
    AnyCommand,
    Cancel,
    Flatten,
    Kill,
    Modify,
    Preview,
    Rearm,
    SetArmState,
    SetPolicy,
    Submit,
)
from engine.messages.events import (
    ArmStateChanged,
    Denied,
    Filled,
    HaltChanged,
    HaltStep,
    Logged,
    OrderChanged,
    Phase,
    PhaseChanged,
    PolicyChanged,
    PositionChanged,
    Refused,
)
from engine.messages.limits import KillRules, Limits, Protection, RiskPolicy
from engine.messages.orders import HAND, OrderIntent, Side
from engine.messages.run import ArmState
from engine.session.live_course import LiveCourse
from tests.engine.session.live_sessions import Driven, paper
from tests.engine.session.markets import CRYPTO, crypto, crypto_columns
from tests.engine.session.strategies import Market


def intent(side: Side, size: str, type_: str = "MARKET", **more: Any) -> OrderIntent:
    return OrderIntent(
        instrument=CRYPTO.id, strategy=HAND, side=side, type=type_, quantity=Decimal(size), **more
    )


def order(driven: Driven, request: str, *intents: OrderIntent) -> None:
    driven.session.handle(Submit(request=request, intents=intents))


def with_quotes(driven: Driven) -> None:
    driven.until(lambda: driven.session.course.venue.touch(CRYPTO.id) is not None)


def held(driven: Driven) -> Decimal:
    positions = {event.position_id: event.quantity for event in driven.told(PositionChanged)}
    return sum(positions.values(), Decimal(0))


def refused(driven: Driven, command: AnyCommand) -> str:
    driven.session.handle(command)
    return driven.told(Refused)[-1].text


def test_a_person_orders_changes_and_cancels() -> None:
    with paper(*crypto_columns()) as driven:
        with_quotes(driven)
        far = str(crypto().quotes.bid[0] / 10 - 1_000)
        order(driven, "r1", intent("BUY", "0.010"))
        order(driven, "r1", intent("BUY", "0.010"))  # asked twice, ordered once
        order(driven, "r2", intent("BUY", "0.010", "LIMIT", price=Decimal(far)))
        driven.until(lambda: held(driven) == Decimal("0.010"))
        assert [event.strategy for event in driven.told(Filled)] == [HAND]
        resting = next(event for event in driven.told(OrderChanged) if event.type == "LIMIT")
        assert resting.request == "r2"
        driven.until(lambda: _status(driven, resting.order_id) == "ACCEPTED")
        driven.session.handle(Modify(order_id=resting.order_id, quantity=Decimal("0.020")))
        driven.until(lambda: _newest(driven, resting.order_id).quantity == Decimal("0.020"))
        driven.session.handle(Cancel(resting.order_id))
        driven.until(lambda: _status(driven, resting.order_id) == "CANCELED")
        driven.session.handle(Flatten())
        driven.until(lambda: held(driven) == 0)
        assert "no order NONE" in refused(driven, Cancel("NONE"))


def _newest(driven: Driven, order_id: str) -> OrderChanged:
    return [event for event in driven.told(OrderChanged) if event.order_id == order_id][-1]


def _status(driven: Driven, order_id: str) -> str:
    return _newest(driven, order_id).status


def test_only_an_armed_session_lets_pass_what_opens() -> None:
    with paper(*crypto_columns()) as driven:
        with_quotes(driven)
        order(driven, "r1", intent("BUY", "0.010"))
        driven.until(lambda: held(driven) > 0)
        driven.session.handle(SetArmState(state="view"))
        assert [event.state for event in driven.told(ArmStateChanged)] == ["paper", "view"]
        assert driven.session.take_picture().control.arm == "view"
        order(driven, "r2", intent("BUY", "0.010"))
        assert [event.denial.rule for event in driven.told(Denied)] == ["view"]
        order(driven, "r3", intent("SELL", "0.010"))  # reduces
        driven.until(lambda: held(driven) == 0)


@pytest.mark.parametrize("state", ["live"])
def test_paper_money_is_never_armed_for_real(state: ArmState) -> None:
    with paper(*crypto_columns()) as driven:
        assert "cannot be armed Live" in refused(driven, SetArmState(state=state, account="paper"))


def test_limits_are_in_force_at_once_and_shown() -> None:
    with paper(*crypto_columns()) as driven:
        with_quotes(driven)
        policy = RiskPolicy(version=7, account=Limits(order_quantity=Decimal("0.005")))
        driven.session.handle(SetPolicy(policy))
        assert driven.told(PolicyChanged)[-1].policy == policy
        order(driven, "r1", intent("BUY", "0.010"))
        (denied,) = driven.told(Denied)
        assert (denied.denial.rule, denied.denial.limit) == ("order_quantity", Decimal("0.005"))
        risk = driven.session.take_picture().account_risk
        assert risk is not None
        assert (risk.policy_version, risk.equity) == (7, 1_000_000.0)


def test_a_preview_says_what_an_order_would_come_to_and_sends_nothing() -> None:
    with paper(*crypto_columns()) as driven:
        with_quotes(driven)
        driven.session.handle(Preview(request="p1", intents=(intent("BUY", "0.010"),)))
        driven.session.handle(Preview(request="p2", intents=(intent("SELL", "0.020"),)))
        answer = driven.session.take_picture().preview
        assert answer is not None
        assert (answer.request, answer.position_after, answer.denial) == ("p2", Decimal("-0.020"), None)
        assert answer.fee is not None
        assert answer.fee > 0
        assert driven.session.take_picture().preview is None
        assert not driven.told(OrderChanged)


def test_the_kill_switch_leaves_a_strategy_flat_and_halted_until_it_is_re_armed() -> None:
    with paper(*crypto_columns(), strategy=Market, speed=4.0) as driven:
        driven.until(lambda: held(driven))
        driven.session.handle(Kill("enough"))
        driven.until(lambda: driven.told(HaltChanged)[-1:] and _step(driven) == HaltStep.HALTED)
        steps = [event.step for event in driven.told(HaltChanged)]
        assert steps[0] == HaltStep.CANCELLING
        assert steps[-1] == HaltStep.HALTED
        assert held(driven) == 0
        assert driven.session.take_picture().control.halt == HaltStep.HALTED
        driven.until(lambda: any(event.denial.rule == "halted" for event in driven.told(Denied)))
        assert held(driven) == 0
        assert "paper" in refused(driven, Rearm("something else"))
        driven.session.handle(Rearm("paper"))
        assert _step(driven) == HaltStep.NONE
        driven.until(lambda: held(driven))  # the strategy trades again


def _step(driven: Driven) -> HaltStep:
    return driven.told(HaltChanged)[-1].step


@pytest.mark.expects_log
def test_a_session_that_breaks_opens_nothing_more_and_still_closes_what_is_open(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def broken() -> None:
        raise RuntimeError("out of order")

    with paper(*crypto_columns(), strategy=Market, speed=4.0) as driven:
        driven.until(lambda: held(driven))
        with monkeypatch.context() as patched:
            patched.setattr(driven.session.course, "absorb", broken)
            driven.until(lambda: driven.session.phase == Phase.FAILED)
            assert driven.session.take_picture().transport.phase == Phase.FAILED
        assert "out of order" in driven.told(PhaseChanged)[-1].text
        assert driven.told(ArmStateChanged)[-1].state == "view"
        driven.session.handle(Flatten())
        driven.until(lambda: held(driven) == 0)
        sent = len(driven.told(OrderChanged))
        driven.until(lambda: driven.told(Denied))
        assert {event.status for event in driven.told(OrderChanged)[sent:]} <= {"DENIED"}
    assert "out of order" in capfd.readouterr().err


@pytest.mark.expects_log
def test_a_fault_of_a_command_leaves_orders_attended_to(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("out of order")

    with paper(*crypto_columns(), strategy=Market, speed=4.0) as driven:
        driven.until(lambda: held(driven))
        with monkeypatch.context() as patched:
            patched.setattr(driven.session, "_obey", broken)
            driven.session.handle(Flatten())
        assert driven.session.phase == Phase.FAILED
        driven.session.handle(Flatten())
        driven.until(lambda: held(driven) == 0)
    assert "out of order" in capfd.readouterr().err


def test_a_drawdown_flattens_by_itself_and_nothing_is_opened_after() -> None:
    steps = RiskPolicy(protection=Protection(flatten_at=Decimal("0.00001")))
    with paper(*crypto_columns(), policy=steps) as driven:
        with_quotes(driven)
        order(driven, "r1", intent("BUY", "0.010"))
        driven.until(lambda: driven.told(Filled))
        driven.until(lambda: "nothing is held" in driven.told(Logged)[-1].text)
        driven.until(lambda: held(driven) == 0)
        order(driven, "r2", intent("BUY", "0.010"))
        assert driven.told(Denied)[-1].denial.rule == "protection"


def test_a_kill_rule_fires_by_itself() -> None:
    rules = RiskPolicy(kill=KillRules(stale_feed_s=Decimal("0.3")))
    with paper(crypto().quotes, policy=rules) as driven:
        with_quotes(driven)
        order(driven, "r1", intent("BUY", "0.010"))
        driven.until(lambda: held(driven))
        assert driven.session.course.feed is not None
        driven.session.course.feed.set_speed(0.1)  # nothing comes for a while
        driven.until(lambda: driven.told(HaltChanged))
        first = driven.told(HaltChanged)[0]
        assert first.by == "rule"
        assert "market data are" in first.reason


def test_a_feed_that_never_comes_to_an_open_position_is_stale_too(monkeypatch: pytest.MonkeyPatch) -> None:
    rules = RiskPolicy(kill=KillRules(stale_feed_s=Decimal("0.3")))
    with paper(crypto().quotes, policy=rules) as driven:
        with_quotes(driven)
        order(driven, "r1", intent("BUY", "0.010"))
        driven.until(lambda: held(driven))
        monkeypatch.setattr(LiveCourse, "newest_ns", 0)  # as after a restart with a position, at a dead venue
        driven.until(lambda: driven.told(HaltChanged))
        assert "market data are" in driven.told(HaltChanged)[0].reason
