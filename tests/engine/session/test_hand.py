"""A replay traded by hand: orders work as time goes on, and a seek back does them again."""

import subprocess
import sys
from decimal import Decimal
from typing import Any

import numpy as np
import pytest

from engine.messages.commands import (
    AnyCommand,
    BreakEven,
    Cancel,
    CancelAll,
    CancelSeek,
    Finish,
    Flatten,
    Modify,
    Play,
    Preview,
    Reverse,
    Seek,
    SetArmState,
    SetPolicy,
    SetSpeed,
    SetStop,
    Step,
    StepTo,
)
from engine.messages.events import (
    ArmStateChanged,
    Denied,
    EpochBegan,
    Filled,
    Logged,
    OrderChanged,
    PhaseChanged,
    PolicyChanged,
    Refused,
    Results,
)
from engine.messages.limits import Limits, RiskPolicy
from engine.messages.orders import HAND, Sizing, Twap
from engine.session.replay import ReplaySession
from tests.engine.nautilus.desks import wanted
from tests.engine.session.hands import at, buy, go, of, order, play, price, sell, traded
from tests.engine.session.markets import (
    FX,
    START_NS,
    crypto_columns,
    obey,
    quotes,
    session,
)
from tests.engine.session.strategies import Bracket, Clumsy, Market, Timed

LAST = len(quotes()) - 1
ARMED: dict[str, Any] = {"arm": "paper"}

DEEDS: list[tuple[int, AnyCommand]] = [
    (300, buy("a")),
    (400, sell("b", type="LIMIT", price=price(400, 1))),
    (700, order(
        "c",
        wanted("BUY", 2_000),
        wanted("SELL", type="STOP_MARKET", trigger=price(700, -6)),
        wanted("SELL", type="LIMIT", price=price(700, 6)),
        contingency="bracket",
    )),
    (900, Modify(order_id="H-2", quantity=Decimal(5_000))),
    (1_200, buy("d", 6_000, twap=Twap(horizon_s=4.0, interval_s=0.7))),
    (1_500, sell("e", type="TRAILING_STOP_MARKET", trailing_offset="0.0005")),
    (2_000, Reverse(FX.id)),
    (2_600, order(
        "f",
        wanted("BUY", type="LIMIT", price=price(2_600, -2)),
        wanted("BUY", type="STOP_MARKET", trigger=price(2_600, 2)),
        contingency="oco",
    )),
    (3_300, BreakEven(FX.id)),
    (3_600, Flatten(FX.id)),
    (4_200, buy("g", 1_000_000_000)),
    (4_500, buy("h")),
]  # fmt: skip
"""Orders of every kind over the whole replay."""


def test_a_session_without_a_strategy_is_traded_by_hand() -> None:
    run = session(**ARMED)
    events = play(run, [(500, buy()), (900, sell(quantity=5_000))])
    fills = of(events, Filled)
    assert [(fill.ts, fill.strategy, fill.side) for fill in fills] == [
        (at(500), HAND, "BUY"), (at(900), HAND, "SELL"),
    ]  # fmt: skip
    assert fills[0].price == Decimal(int(quotes().ask[500])).scaleb(-5)
    picture = run.take_picture()
    assert picture.risks[0].position == -2_000
    assert picture.account_risk is not None
    assert picture.account_risk.instruments[0].quantity == -2_000
    assert picture.control.arm == "paper"
    [results] = of(obey(run, Finish()), Results)
    assert (results.fills, results.open_position) == (2, "-2000 EUR")
    run.close()


def test_a_paused_replay_takes_an_order_now_and_it_works_as_time_goes_on() -> None:
    run = session(latency_ms=800.0, **ARMED)
    events = play(run, [(500, buy())])
    assert [order.status for order in of(events, OrderChanged)] == ["SUBMITTED"]
    assert of(events, OrderChanged)[0].ts == at(500)
    events = obey(run, StepTo(Step.FILL))
    [fill] = of(events, Filled)
    assert at(500) + 800_000_000 <= fill.ts < at(500) + 1_500_000_000
    assert run.take_picture().transport.now == fill.ts
    run.close()


def test_an_order_is_taken_before_the_first_tick_and_after_the_last() -> None:
    run = session(**ARMED)
    events = obey(run, buy("first", type="LIMIT", price="2"))
    assert [order.status for order in of(events, OrderChanged)] == ["SUBMITTED", "ACCEPTED"]
    events = obey(run, StepTo(Step.TICK))
    assert of(events, Filled)[0].ts == at(0)
    events = play(run, [(LAST, sell("last"))])
    assert of(events, Filled)[0].ts == at(LAST)
    run.close()


def test_orders_are_taken_while_the_replay_plays() -> None:
    run = session(**ARMED)
    obey(run, Seek(at(500)))
    run.handle(Play())
    run.advance(0.01)
    run.handle(buy())
    [fill] = of(run.take_events(), Filled)
    assert fill.ts >= at(500)
    run.close()


def test_in_view_the_hand_is_blocked_and_the_strategy_is_not() -> None:
    run = session(strategy=Market)
    events = play(run, [(500, buy())])
    [denied] = of(events, Denied)
    assert (denied.denial.rule, denied.intent.strategy) == ("view", HAND)
    assert {fill.strategy for fill in of(events, Filled)} == {"Market-002"}
    events = obey(run, SetArmState(state="paper"), buy("again"))
    assert [event.state for event in of(events, ArmStateChanged)] == ["paper"]
    assert [fill.strategy for fill in of(events, Filled)] == [HAND]
    [refused] = of(obey(run, SetArmState(state="live", account="SIM-001")), Refused)
    assert "cannot be armed Live" in refused.text
    assert run.take_picture().control.arm == "paper"
    run.close()


def test_the_account_is_told_by_the_name_that_the_venue_gives_it() -> None:
    from engine.messages.events import AccountChanged

    run = session(**ARMED)
    events = play(run, [(500, buy())])
    assert {event.account_id for event in of(events, AccountChanged)} == {"SIM-001"}
    assert run.take_picture().control.account == "SIM-001"
    run.close()


# Seeking


@pytest.mark.parametrize("strategy", ["none", Bracket, Timed])
@pytest.mark.parametrize("latency_ms", [0.0, 30.0])
def test_seeking_back_and_forth_does_the_same_again(strategy: object, latency_ms: float) -> None:
    straight = session(strategy=strategy, latency_ms=latency_ms, **ARMED)  # type: ignore[arg-type]
    expected = traded([*play(straight, DEEDS), *obey(straight, Seek(at(LAST)))])
    results = of(obey(straight, Finish()), Results)
    straight.close()
    assert len({event.order_id for event in expected if isinstance(event, OrderChanged)}) > 15

    run = session(strategy=strategy, latency_ms=latency_ms, **ARMED)  # type: ignore[arg-type]
    play(run, DEEDS)
    events = go(run, LAST, LAST - 1, LAST)
    again = of(obey(run, Finish()), Results)
    run.close()
    assert of(events, EpochBegan)
    assert traded(events) == expected
    assert again[0].fills_sha256 == results[0].fills_sha256
    assert again[0].stats == results[0].stats


def test_what_was_done_after_the_target_is_dropped_and_logged() -> None:
    run = session(**ARMED)
    play(run, [(500, buy("a")), (1_000, sell("b")), (1_500, buy("c"))])
    events = obey(run, Seek(at(700)))
    assert [fill.ts for fill in of(events, Filled)] == [at(500)]
    dropped = "2 orders and changes by hand after that time are dropped"
    assert any(dropped in event.text for event in of(events, Logged))
    events = obey(run, Seek(at(2_000)))
    assert not of(events, Filled)
    assert not of(obey(run, sell("b")), Filled)  # a request is known for the session's life
    assert [fill.ts for fill in of(obey(run, sell("new")), Filled)] == [at(2_000)]
    events = obey(run, Seek(at(1_999)))
    assert [fill.ts for fill in of(events, Filled)] == [at(500)]
    run.close()


def test_a_cancelled_seek_drops_what_lay_ahead_of_it() -> None:
    run = session(strategy=Market, window_events=lambda: 10, **ARMED)
    play(run, [(100, buy("a")), (5_990, sell("b"))])
    run.handle(Seek(at(LAST)))
    while run.advance(0.01):
        pass
    run.handle(Seek(at(5_995)))
    run.advance(0.002)
    events = obey(run, CancelSeek())
    now = run.take_picture().transport.now
    assert now < at(5_990)
    assert any("dropped" in event.text for event in of(events, Logged))
    hand = [fill for fill in of(obey(run, Seek(at(LAST))), Filled) if fill.strategy == HAND]
    assert hand == []
    run.close()


def test_an_order_is_refused_on_the_way_to_another_time() -> None:
    run = session(strategy=Market, window_events=lambda: 10, **ARMED)
    run.handle(Seek(at(LAST)))
    run.advance(0.001)
    run.handle(buy())
    [refused] = of(run.take_events(), Refused)
    assert refused.text.endswith("order when it has arrived.")
    run.close()


def test_limits_stand_through_a_seek_and_the_past_stays_as_it_was() -> None:
    policy = RiskPolicy(version=2, account=Limits(order_quantity=Decimal(2_000)))
    run = session(**ARMED)
    play(run, [(500, buy("a")), (1_000, SetPolicy(policy)), (1_100, buy("b"))])
    events = obey(run, Seek(at(600)))
    assert [fill.ts for fill in of(events, Filled)] == [at(500)]  # of before the limit
    assert [event.policy.version for event in of(events, PolicyChanged)] == [2]
    [denied] = of(obey(run, buy("c")), Denied)
    assert (denied.denial.rule, denied.denial.limit) == ("order_quantity", Decimal(2_000))
    events = obey(run, Seek(at(300)))
    assert of(obey(run, buy("d")), Denied)
    run.close()


def test_a_limit_that_is_none_is_refused_and_those_before_stay() -> None:
    run = session(**ARMED)
    wrong = RiskPolicy(account=Limits(trading_hours="whenever"))
    [refused] = of(obey(run, SetPolicy(wrong)), Refused)
    assert refused.text.endswith(".")
    assert of(play(run, [(500, buy())]), Filled)
    run.close()


# Windows and paces


def finished(run: ReplaySession, steps: list[tuple[int, AnyCommand]]) -> Results:
    play(run, steps)
    [results] = of(obey(run, Finish()), Results)
    run.close()
    return results


@pytest.mark.parametrize("strategy", ["none", Market, Bracket, Timed])
def test_any_windows_give_the_same_fills(strategy: object) -> None:
    expected = finished(session(strategy=strategy, latency_ms=20.0, **ARMED), DEEDS)  # type: ignore[arg-type]
    random = np.random.default_rng(7)
    for largest in (1, 7, 400):
        run = session(
            strategy=strategy,  # type: ignore[arg-type]
            latency_ms=20.0,
            rows=777,
            window_events=lambda: int(random.integers(1, largest, endpoint=True)),  # noqa: B023 - used at once
            **ARMED,
        )
        assert finished(run, DEEDS).fills_sha256 == expected.fills_sha256
    assert expected.fills > 10


def test_a_run_without_a_hand_is_as_it_was_before_there_was_one() -> None:
    for strategy in (Market, Bracket):
        hashes = set()
        for armed in ({}, ARMED):
            [results] = of(obey(session(strategy=strategy, **armed), Finish()), Results)
            hashes.add(results.fills_sha256)
        assert len(hashes) == 1


@pytest.mark.parametrize("kinds", [("deltas",), ("trades",), ("quotes", "trades", "deltas")])
def test_the_hand_trades_whatever_data_there_is(kinds: tuple[str, ...]) -> None:
    columns = [each for each in crypto_columns() if type(each).__name__.lower() in kinds]
    run = session(*columns, **ARMED)
    middle = START_NS + 10**10
    instrument = run.course.instrument
    obey(run, Seek(middle))
    intent = wanted("BUY", Decimal("0.010"), instrument=instrument.id)
    events = obey(run, order("a", intent))
    fills = of(events, Filled)
    assert {fill.ts for fill in fills} == {middle}
    assert sum(fill.quantity for fill in fills) == Decimal("0.010")
    last = fills[-1].price
    stop = wanted(
        "SELL",
        Decimal("0.010"),
        instrument=instrument.id,
        type="TRAILING_STOP_MARKET",
        trailing_offset=instrument.tick_size * 3,
    )
    obey(run, order("b", stop))
    events = obey(run, Seek(START_NS + 19 * 10**9))
    assert any(fill.side == "SELL" and abs(fill.price - last) < 1_000 for fill in of(events, Filled))
    run.close()


# Ends


def test_a_finished_or_failed_session_refuses_orders(capfd: pytest.CaptureFixture[str]) -> None:
    run = session(**ARMED)
    obey(run, Finish())
    for command in (buy(), Cancel("H-1"), Flatten(), Preview(request="p", intents=buy().intents)):
        [refused] = of(obey(run, command), Refused)
        assert "has finished" in refused.text
    assert of(play(run, [(500, buy())]), Filled)
    run.close()
    run = session(strategy=Clumsy, **ARMED)
    obey(run, Finish())
    [refused] = of(obey(run, buy()), Refused)
    assert "failed" in refused.text
    run.close()
    assert "ZeroDivisionError" in capfd.readouterr().err


@pytest.mark.parametrize("text", ["NaN", "sNaN", "Infinity", "-1", "0", "1e30", "1E+999999"])
def test_a_number_that_no_market_has_is_refused_and_the_replay_goes_on(text: str) -> None:
    run, number = session(**ARMED), Decimal(text)
    events = go(run, 300)
    events += obey(run, buy("rests", type="LIMIT", price=price(300, pips=-50)))
    (resting,) = of(events, OrderChanged)[-1:]
    for change in ({"quantity": number}, {"price": number}):
        (refused,) = of(obey(run, Modify(order_id=resting.order_id, **change)), Refused)
        assert "is not possible" in refused.text
    for rule in (
        SetStop(instrument=FX.id, kind="atr", multiple=number),
        SetStop(instrument=FX.id, kind="break-even", distance_bps=number),
    ):
        assert of(obey(run, rule), Refused)
    for by in ("quantity", "lots", "notional", "equity", "risk"):
        stop = wanted("SELL", type="STOP_MARKET", trigger=price(300, pips=-20))
        both = (wanted("BUY", 1_000), stop)
        sizing = Sizing(by, number)
        obey(run, Preview(request="p", intents=both, contingency="bracket", sizing=sizing))
        answer = run.take_picture().preview
        assert answer is not None
        assert "not possible" in answer.problem
    assert of(obey(run, buy("after")), OrderChanged)


def test_a_fault_of_a_command_ends_the_run_and_not_the_engine(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("out of order")

    run = session(**ARMED)
    go(run, 300)
    monkeypatch.setattr(run, "_obey", broken)
    run.handle(Flatten())
    assert "out of order" in of(run.take_events(), PhaseChanged)[-1].text
    assert "out of order" in capfd.readouterr().err


# Previews


def preview(run: ReplaySession, question: Preview) -> object:
    obey(run, question)
    return run.take_picture().preview


def test_a_preview_tells_fees_margin_position_and_the_gates_verdict_and_sends_nothing() -> None:
    policy = RiskPolicy(account=Limits(order_quantity=Decimal(50_000)))
    from engine.messages.run import VenueRules

    rules = VenueRules(taker_fee=Decimal("0.0001"), maker_fee=Decimal(0), leverage=Decimal(10))
    run = session(venue_rules=rules, policy=policy, **ARMED)
    play(run, [(500, sell(quantity=2_000))])
    ask = Decimal(int(quotes().ask[500])).scaleb(-5)
    stop = ask - Decimal("0.0010")
    question = Preview(
        request="p",
        intents=(wanted("BUY", 10_000), wanted("SELL", type="STOP_MARKET", trigger=stop)),
        contingency="bracket",
    )
    obey(run, question)
    answer = run.take_picture().preview
    assert answer is not None
    assert answer.request == "p"
    assert answer.price == ask
    assert answer.notional == 10_000 * ask
    assert answer.fee == 10_000 * ask * Decimal("0.0001")
    assert answer.margin == 1_000 * ask
    assert answer.loss_at_stop == 10_000 * (Decimal("0.0010") + (ask + stop) * Decimal("0.0001"))
    assert [int(answer.position_before), int(answer.position_after)] == [-2_000, 8_000]
    assert answer.denial is None
    assert run.take_picture().preview is None

    for sizing, quantity in (
        (Sizing("lots", Decimal(60)), 60_000),
        (Sizing("notional", Decimal(20_000)), 18_000),
        (Sizing("equity", Decimal(1)), 9_000),
    ):
        obey(run, Preview(request="q", intents=(wanted("BUY", 1_000),), sizing=sizing))
        answer = run.take_picture().preview
        assert answer is not None
        assert answer.quantity == quantity
        assert (answer.denial is not None) == (quantity > 50_000)
    obey(run, Preview(request="r", intents=(wanted("BUY", type="LIMIT"),)))
    answer = run.take_picture().preview
    assert answer is not None
    assert "needs a price" in answer.problem
    assert not of(run.take_events(), OrderChanged)
    run.close()


def test_a_preview_judges_the_orders_of_a_request_together() -> None:
    run = session(policy=RiskPolicy(account=Limits(position=Decimal(8_000))), **ARMED)
    play(run, [(500, buy(quantity=1_000))])
    both = (wanted("BUY", 5_000), wanted("BUY", 3_000))
    obey(run, Preview(request="p", intents=both))
    answer = run.take_picture().preview
    assert answer is not None
    assert answer.denial == of(obey(run, order("both", *both)), Denied)[0].denial
    run.close()


@pytest.mark.parametrize("latency_ms", [0.0, 30.0])
def test_a_position_with_a_stop_is_flattened_in_view(latency_ms: float) -> None:
    run = session(latency_ms=latency_ms, **ARMED)
    play(run, [(500, buy()), (510, sell(type="STOP_MARKET", trigger=price(510, -40)))])
    play(run, [(600, SetArmState(state="view")), (600, Flatten(FX.id)), (700, CancelAll())])
    assert (run.course.desk.positions(), run.course.desk.open_orders()) == ([], 0)
    run.close()


# What the account can carry


def test_what_the_account_cannot_carry_is_denied_by_the_gate_in_words() -> None:
    run = session(**ARMED)  # a million, twenty times
    [denied] = of(play(run, [(500, buy(quantity=100_000_000))]), Denied)
    assert (denied.denial.rule, denied.denial.limit) == ("margin", Decimal(100))
    assert "times" not in denied.denial.text
    mid = Decimal(int(quotes().bid[500] + quotes().ask[500])).scaleb(-5) / 2
    most = int(Decimal(20_000_000) / mid // 1_000 * 1_000)
    assert denied.denial.text.endswith(f"order at most {most:,} EUR.")
    assert of(obey(run, buy("one lot more", most + 1_000)), Denied)
    assert of(obey(run, buy("most", most)), Filled)
    [denied] = of(obey(run, buy("more", 1_000)), Denied)
    assert denied.denial.text.endswith("close a position or raise the limit first.")
    assert of(obey(run, sell("reduce", 1_000_000)), Filled)
    run.close()


def test_a_position_of_nearly_all_that_the_account_carries_is_turned_round() -> None:
    run = session(**ARMED)
    play(run, [(500, buy(quantity=15_000_000))])
    events = obey(run, Reverse(FX.id))
    assert sum(fill.quantity for fill in of(events, Filled)) == 30_000_000
    assert run.take_picture().risks[0].position == -15_000_000
    run.close()


def test_a_hundred_orders_a_second_are_no_matter_but_of_the_limits() -> None:
    run = session(**ARMED)
    play(run, [(500, buy("first", 1_000))])
    events = [event for n in range(150) for event in obey(run, buy(f"r{n}", 1_000))]
    assert {event.status for event in of(events, OrderChanged)} == {"SUBMITTED", "FILLED"}
    run.close()


# Anything at all


def test_no_sequence_of_commands_breaks_the_engine_or_runs_otherwise_the_second_time() -> None:
    # A panic of the engine would take the tests' own process with it.
    command = [sys.executable, "-m", "tests.engine.session.hand_fuzz"]
    child = subprocess.run(command, capture_output=True, text=True, check=False)
    assert child.returncode == 0, child.stderr[-4_000:]
    assert "25 sequences" in child.stdout


def test_speed_and_loops_keep_what_the_hand_did() -> None:
    run = session(**ARMED)
    play(run, [(500, buy("a"))])
    events = obey(run, SetSpeed(0), Play())
    assert of(events, Results)[0].open_position == "+3000 EUR"
    run.close()
