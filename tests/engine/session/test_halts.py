"""The kill switch in a replay: all is cancelled and closed, nothing new passes, and it stays so."""

import threading
from decimal import Decimal
from typing import Any

import pytest

from engine.messages.commands import Finish, Kill, Pause, Play, Rearm, Seek, SetPolicy, SetSpeed
from engine.messages.events import (
    AnyEvent,
    ArmingChanged,
    Denied,
    Filled,
    HaltChanged,
    HaltStep,
    OrderChanged,
    Refused,
    Results,
)
from engine.messages.limits import KillRules, Limits, RiskPolicy
from engine.messages.orders import HAND
from engine.messages.run import VenueRules
from engine.session.replay import ReplaySession
from tests.engine.session.hands import at, buy, go, of, play, price, sell, traded
from tests.engine.session.markets import obey, quotes, session
from tests.engine.session.strategies import Clumsy, Market

LAST = len(quotes()) - 1
ARMED: dict[str, Any] = {"arm": "paper"}
STEPS = [HaltStep.CANCELLING, HaltStep.FLATTENING, HaltStep.VERIFYING, HaltStep.HALTED]


def steps(events: list[AnyEvent]) -> list[HaltStep]:
    return [event.step for event in of(events, HaltChanged)]


def halted(run: ReplaySession) -> bool:
    return run.take_picture().control.halt is HaltStep.HALTED


def test_no_hedging_account_is_called_flat_that_holds_both_sides() -> None:
    run = session(venue_rules=VenueRules(oms="HEDGING"), **ARMED)
    play(run, [(560, buy()), (560, sell())])
    assert len(run.course.desk.positions()) == 2
    events = obey(run, Kill("enough"))
    assert sorted(each.side for each in of(events, Filled)) == ["BUY", "SELL"]
    assert halted(run)
    assert not run.course.desk._cache.positions_open()
    events = go(run, 600, 580)  # a seek back does the same again
    assert [each.ts for each in of(traded(events), Filled)] == [at(560)] * 4
    assert not run.course.desk._cache.positions_open()
    run.close()


def test_a_paused_replay_is_cancelled_and_flattened_at_once_and_stays_halted() -> None:
    run = session(strategy=Market, **ARMED)
    play(run, [(560, buy()), (561, buy("rest", type="LIMIT", price=price(561, -50)))])
    events = obey(run, Kill("enough"))
    assert steps(events) == STEPS
    told = of(events, HaltChanged)
    assert {(event.by, event.reason, event.ts) for event in told} == {("person", "enough", at(561))}
    assert all(event.text.endswith(".") for event in told)
    assert {fill.strategy for fill in of(events, Filled)} == {HAND, "Market-002"}
    assert run.course.desk.positions() == []
    assert run.course.desk.open_orders() == 0
    assert run.take_picture().risks[0].position == 0
    assert halted(run)

    events = [*obey(run, buy("more")), *go(run, 2_000)]
    denied = of(events, Denied)
    assert {event.denial.rule for event in denied} == {"halted"}
    assert {event.intent.strategy for event in denied} == {HAND, "Market-002"}
    assert not of(events, Filled)
    run.close()


def test_only_the_accounts_name_lets_orders_pass_again() -> None:
    run = session(strategy=Market, **ARMED)
    [refused] = of(obey(run, Rearm("SIM-001")), Refused)
    assert "nothing to re-arm" in refused.text
    play(run, [(500, Kill())])
    for wrong in ("", "sim-001", "EURUSD"):
        [refused] = of(obey(run, Rearm(wrong)), Refused)
        assert "SIM-001" in refused.text
    events = obey(run, Rearm("SIM-001"))
    assert steps(events) == [HaltStep.NONE]
    events = [*obey(run, buy()), *go(run, 1_000)]
    assert {fill.strategy for fill in of(events, Filled)} == {HAND, "Market-002"}
    run.close()


def test_with_latency_a_paused_replay_waits_for_market_time_and_says_so() -> None:
    run = session(latency_ms=500.0, **ARMED)
    play(run, [(500, buy())])
    go(run, 600)
    events = obey(run, Kill())
    assert steps(events)[:2] == STEPS[:2]
    waiting = of(events, HaltChanged)[-1]
    assert waiting.text.endswith("play on to flatten.")
    assert [order.status for order in of(events, OrderChanged)] == ["SUBMITTED"]
    assert not halted(run)
    events = go(run, 1_500)
    assert of(events, Filled)[0].side == "SELL"
    assert steps(events)[-2:] == STEPS[2:]
    assert halted(run)
    assert run.take_picture().risks[0].position == 0
    run.close()


def test_a_playing_replay_halts_and_plays_on() -> None:
    run = session(strategy=Market, **ARMED)
    go(run, 560)
    run.handle(SetSpeed(0))
    run.handle(Play())
    run.kill_switch.fire("a hand", "channel")
    events = obey(run)
    assert steps(events) == STEPS
    assert {event.by for event in of(events, HaltChanged)} == {"channel"}
    [results] = of(events, Results)
    assert results.open_position is None
    assert halted(run)
    run.close()


def test_any_thread_may_fire_while_the_session_seeks() -> None:
    run = session(strategy=Market, window_events=lambda: 10, **ARMED)
    run.handle(Seek(at(LAST)))
    run.advance(0.005)
    thread = threading.Thread(target=run.kill_switch.fire, args=("elsewhere", "channel"))
    thread.start()
    thread.join()
    events = obey(run)
    assert steps(events) == STEPS
    assert run.take_picture().transport.now < at(LAST)
    run.close()


def test_a_finished_or_failed_session_can_be_halted_too(capfd: pytest.CaptureFixture[str]) -> None:
    run = session(strategy=Market, **ARMED)
    obey(run, Finish())
    assert steps(obey(run, Kill())) == STEPS
    run.close()
    run = session(strategy=Clumsy, **ARMED)
    play(run, [(20, buy())])
    obey(run, Finish())
    assert run.course.desk.positions()
    assert steps(obey(run, Kill())) == STEPS
    assert run.course.desk.positions() == []
    run.close()
    assert "ZeroDivisionError" in capfd.readouterr().err


def test_a_halt_after_the_end_does_not_call_flat_what_is_still_held() -> None:
    run = session(**ARMED)
    play(run, [(560, buy())])
    obey(run, Finish())
    assert run.course.desk.positions()
    told = of(obey(run, Kill()), HaltChanged)
    assert [event.step for event in told] == STEPS
    assert told[-1].text == (
        "The replay has ended, and what it held at its end stays; seek back to close it. "
        f"Halted; type {run.take_picture().control.account} to re-arm."
    )
    assert not any("Flat" in event.text or "Nothing is held" in event.text for event in told)
    run.close()


def test_a_halt_stands_through_a_seek_and_the_past_stays_as_it_was() -> None:
    run = session(strategy=Market, **ARMED)
    before = play(run, [(560, buy())])
    obey(run, Kill())
    again = go(run, 559)
    assert of(again, Filled) == [fill for fill in of(before, Filled) if fill.ts <= at(559)] + [
        fill for fill in of(again, Filled) if fill.ts == at(559)
    ]
    assert halted(run)
    assert run.course.desk.positions() == []
    run.close()

    run = session(strategy=Market, **ARMED)
    first = play(run, [(560, buy()), (700, Kill()), (900, Rearm("SIM-001")), (1_000, sell())])
    expected = traded([*first, *go(run, 3_000)])
    assert traded(go(run, 3_001, 3_000)) == expected
    run.close()


# By itself


def policy(limits: Limits, **rules: Any) -> RiskPolicy:
    return RiskPolicy(account=limits, kill=KillRules(**rules))


def test_a_loss_limit_fires_at_the_same_market_time_in_any_windows() -> None:
    limits = policy(Limits(session_loss=Decimal(2)))
    outcomes = set()
    for size, rows in ((1_000, 2_000), (1, 2_000), (37, 500)):
        run = session(strategy=Market, window_events=lambda: size, rows=rows, policy=limits)  # noqa: B023
        events = obey(run, Finish())
        told = of(events, HaltChanged)
        assert steps(events) == STEPS
        assert told[0].by == "rule"
        assert "lost in this session" in told[0].reason
        [results] = of(events, Results)
        assert results.open_position is None
        outcomes.add((told[0].ts, told[-1].ts, results.fills_sha256))
        run.close()
    assert len(outcomes) == 1


def test_a_loss_limit_that_is_set_on_the_way_is_watched() -> None:
    run = session(strategy=Market, **ARMED)
    go(run, 3_000)
    obey(run, SetPolicy(policy(Limits(session_loss=Decimal(1)))))
    events = go(run, LAST)
    assert steps(events) == STEPS
    run.close()


def test_a_rule_that_is_switched_off_does_not_fire() -> None:
    run = session(strategy=Market, policy=policy(Limits(session_loss=Decimal(2)), on_loss_limit=False))
    events = obey(run, Finish())
    assert steps(events) == []
    assert "session_loss" in {event.denial.rule for event in of(events, Denied)}
    run.close()


def test_an_order_storm_fires() -> None:
    class Storm(Market):
        every = 1

    calm = session(strategy=Storm)
    assert steps(obey(calm, Finish())) == []
    calm.close()
    run = session(strategy=Storm, policy=policy(Limits(), orders_per_second=Decimal(30)))
    events = obey(run, Finish())
    [*_, last] = of(events, HaltChanged)
    assert steps(events) == STEPS
    assert "order storm" in last.reason
    run.close()


def test_a_halt_goes_on_while_paused_in_its_middle() -> None:
    run = session(latency_ms=200.0, strategy=Market, **ARMED)
    go(run, 560)
    run.handle(Kill())
    run.handle(SetSpeed(0.1))
    run.handle(Play())
    run.advance(0.005)
    run.handle(Pause())
    obey(run)
    go(run, 1_500)
    assert halted(run)
    run.close()


def test_a_sick_model_of_an_open_position_fires() -> None:
    run = session(policy=policy(Limits(session_loss=Decimal(10_000))), **ARMED)
    play(run, [(500, buy())])
    run._events_of_course(ArmingChanged(ts=at(500), mode="off", by="rule", reason="An input has no value."))
    events = go(run, 600)
    assert steps(events) == STEPS
    assert "sick: An input has no value" in of(events, HaltChanged)[0].reason
    run.close()
