"""A session without a window: its state follows frames and events, its life survives ends and restarts."""

from decimal import Decimal

import msgspec
import pytest

from app.session import StationSession
from app.state.session import SessionState
from engine.link.protocols import LinkDown
from engine.link.scripted import (
    START_NS,
    ScriptedLink,
    account_risk,
    connection,
    control,
    denied,
    fill,
    frame,
    halted,
    intent,
    log,
    order,
    policy_changed,
    preview,
    results,
    risk,
    scripted_session,
)
from engine.messages.commands import (
    Attach,
    BreakEven,
    Cancel,
    CancelAll,
    Flatten,
    Kill,
    Modify,
    Preview,
    Rearm,
    Reverse,
    Seek,
    SetArmState,
    SetPolicy,
    Step,
    Submit,
)
from engine.messages.events import AnyEvent, EpochBegan, HaltStep, Phase, PhaseChanged, Refused
from engine.messages.limits import RiskPolicy
from engine.messages.orders import Sizing
from engine.messages.run import Mode, Run

RUN = Run(instrument="EURUSD.SIM", simulate="fx")
SECOND = 1_000_000_000


class _Links:
    def __init__(self) -> None:
        self.opened: list[ScriptedLink] = []

    def __call__(self, run: Run) -> ScriptedLink:
        self.opened.append(ScriptedLink())
        return self.opened[-1]


@pytest.fixture
def links() -> _Links:
    return _Links()


@pytest.fixture
def session(links: _Links) -> StationSession:
    return StationSession(RUN, links, wall_clock=lambda: 1_000.0)


def test_a_whole_session_adds_up() -> None:
    state = SessionState()
    frames = scripted_session(5, 120)
    for each in frames:
        state.apply(each)
    assert state.results is not None
    assert state.results.fills == len(state.orders.fills)
    assert frames[-1].transport.phase is Phase.FINISHED
    assert state.transport == frames[-1].transport
    assert state.last_event == sum(len(each.events) for each in frames)
    assert state.events_lost == 0
    market = state.markets["EURUSD.SIM"]
    assert len(market.quotes) == sum(len(m.quotes) for each in frames for m in each.markets)


def test_a_new_epoch_rebuilds_all_but_the_log() -> None:
    state = SessionState()
    quote = [(START_NS, 1.1, 1.2, 1.0, 1.0)]
    state.apply(frame(1, quotes=quote, events=[log("first"), fill("T-1", "O-1")], risks=[risk(1.0)]))
    begun = EpochBegan(ts=START_NS, epoch=2)
    before = state.markets["EURUSD.SIM"]
    state.apply(
        frame(2, epoch=2, quotes=quote, events=[begun], first_event=3, instruments=[before.instrument])
    )
    assert len(state.markets["EURUSD.SIM"].quotes) == 1
    assert state.markets["EURUSD.SIM"] is not before
    assert state.orders.fills == []
    assert state.risk.latest == {}
    assert [line.text for line in state.log.lines] == ["first"]


def test_events_of_the_old_run_that_come_late_do_not_enter_the_new_one() -> None:
    state = SessionState()
    old, new = fill("T-1", "O-1"), fill("T-1", "O-1")
    state.apply(frame(1, epoch=2, events=[old, EpochBegan(ts=START_NS, epoch=2), new]))
    assert len(state.orders.fills) == 1


def test_a_watch_that_joins_again_does_not_double_the_market() -> None:
    state = SessionState()
    quote = [(START_NS, 1.1, 1.2, 1.0, 1.0)]
    first = frame(1, quotes=quote, events=[log("once")])
    state.apply(first)
    state.apply(frame(2, quotes=quote, events=[log("once")], instruments=first.instruments))
    assert len(state.markets["EURUSD.SIM"].quotes) == 1
    assert len(state.log.lines) == 1


def test_phases_refusals_and_results_are_told_in_order() -> None:
    state = SessionState()
    state.apply(
        frame(
            1,
            events=[
                PhaseChanged(ts=0, phase=Phase.LOADING, text="Reading"),
                Refused(ts=0, command="seek", text="Outside the run."),
                results(),
            ],
        )
    )
    assert state.phase_text == "Reading"
    assert state.refusal is not None
    assert (state.refusal.text, state.refusals) == ("Outside the run.", 1)
    assert state.results is not None


def test_a_gap_is_asked_for_once_and_later_events_wait(links: _Links, session: StationSession) -> None:
    link = links.opened[0]
    link.push(frame(1, events=[log("a")]))
    link.push(frame(2, events=[log("d")], first_event=4))
    session.pump()
    session.pump()
    assert link.sent == [Attach(1)]
    assert [line.text for line in session.state.log.lines] == ["a"]
    assert session.state.events_lost == 2
    link.push(frame(3, events=[log("b"), log("c"), log("d")], first_event=2))
    session.pump()
    assert [line.text for line in session.state.log.lines] == ["a", "b", "c", "d"]
    assert not session.state.event_gap
    link.push(frame(4, events=[log("z")], first_event=9))
    session.pump()
    assert link.sent == [Attach(1), Attach(4)]


def cause(session: StationSession) -> str | None:
    """What the notice is about; None where there is none."""
    return session.notice.cause if session.notice is not None else None


def test_notices_tell_crash_end_and_silence_apart(links: _Links, session: StationSession) -> None:
    link = links.opened[0]
    assert cause(session) is None
    link.fall_silent(4.2)
    assert cause(session) == "silence"
    link.push()
    assert cause(session) is None
    link.break_with(LinkDown("The engine stopped: killed by signal 9.", ["tail"], expected=False))
    assert cause(session) == "crash"
    assert session.notice is not None
    assert session.notice.details == ["tail"]
    session.restart()
    assert cause(session) is None
    links.opened[1].break_with(LinkDown("The session ended.", [], expected=True))
    assert cause(session) == "end"
    session.close()
    assert cause(session) is None


@pytest.mark.parametrize(
    ("mode", "began", "warns"), [("live", True, True), ("live", False, False), ("paper", True, False)]
)
def test_an_engine_that_ended_at_a_venue_says_what_it_may_have_left_there(
    links: _Links, mode: Mode, began: bool, warns: bool
) -> None:
    session = StationSession(msgspec.structs.replace(RUN, mode=mode), links)
    if began:
        links.opened[0].push(frame(1))
        session.pump()
    links.opened[0].break_with(LinkDown("The engine stopped: killed by signal 9.", [], expected=False))
    assert session.notice is not None
    assert ("positions may be open: look at the venue" in session.notice.text) is warns


def test_restart_runs_the_same_again_and_keeps_the_log(links: _Links, session: StationSession) -> None:
    links.opened[0].push(frame(1, events=[log("before")]))
    session.pump()
    session.restart()
    links.opened[1].push(frame(1, events=[log("after")]))
    session.pump()
    assert [line.text for line in session.state.log.lines] == ["before", "after"]
    assert links.opened[0].closed
    assert session.run is RUN


@pytest.mark.parametrize(
    ("unit", "target"),
    [(Step.FILL, START_NS + SECOND), (Step.ORDER, START_NS + 2 * SECOND), (Step.TICK, START_NS + 3 * SECOND)],
)
def test_a_step_back_goes_to_the_thing_before(
    links: _Links, session: StationSession, unit: Step, target: int
) -> None:
    def quote(second: int) -> tuple[object, ...]:
        return (START_NS + second * SECOND, 1.1, 1.2, 1.0, 1.0)

    events: list[AnyEvent] = [
        fill("T-1", "O-1", ts=START_NS + SECOND),
        order("O-2", "ACCEPTED", ts=START_NS + 2 * SECOND),
    ]
    now = START_NS + 5 * SECOND
    links.opened[0].push(frame(1, quotes=[quote(3), quote(4)], events=events, now=now))
    session.pump()
    assert session.step_back(unit)
    assert links.opened[0].sent == [Seek(target)]


def test_a_step_back_by_bar_goes_to_the_last_bar_that_opened(links: _Links, session: StationSession) -> None:
    minute = 60 * SECOND
    quotes = [(START_NS + k * 10 * SECOND, 1.1, 1.2, 1.0, 1.0) for k in range(20)]
    links.opened[0].push(frame(1, quotes=quotes, now=START_NS + 190 * SECOND))
    session.pump()
    assert session.step_back(Step.BAR)
    assert links.opened[0].sent == [Seek(START_NS + 3 * minute)]


def test_nothing_before_now_is_no_step(links: _Links, session: StationSession) -> None:
    links.opened[0].push(frame(1))
    session.pump()
    assert not any(session.step_back(unit) for unit in Step)
    assert links.opened[0].sent == []


def test_a_seek_stays_inside_the_run(links: _Links, session: StationSession) -> None:
    links.opened[0].push(frame(1))
    session.pump()
    transport = session.state.transport
    assert transport is not None
    session.seek(0)
    session.seek(2**62)
    assert links.opened[0].sent == [Seek(transport.start), Seek(transport.end)]


def test_orders_by_hand_carry_a_request_of_their_own(links: _Links, session: StationSession) -> None:
    wanted = intent()
    first, second = session.submit([wanted]), session.submit([wanted, wanted], "oco")
    assert first != second
    assert links.opened[0].sent == [
        Submit(request=first, intents=(wanted,)),
        Submit(request=second, intents=(wanted, wanted), contingency="oco"),
    ]


def test_every_deed_of_trading_reaches_the_engine(links: _Links, session: StationSession) -> None:
    sizing = Sizing("risk", Decimal(1))
    request = session.preview([intent()], sizing=sizing)
    session.modify("O-1", price=Decimal("1.0934"))
    session.cancel("O-1")
    session.cancel_all("EURUSD.SIM")
    session.flatten()
    session.reverse("EURUSD.SIM")
    session.break_even("EURUSD.SIM")
    session.arm("live", "SIM-001")
    session.set_policy(RiskPolicy(version=2))
    session.kill("enough")
    session.rearm("SIM-001")
    assert links.opened[0].sent == [
        Preview(request=request, intents=(intent(),), sizing=sizing),
        Modify(order_id="O-1", price=Decimal("1.0934")),
        Cancel("O-1"),
        CancelAll("EURUSD.SIM"),
        Flatten(""),
        Reverse("EURUSD.SIM"),
        BreakEven("EURUSD.SIM"),
        SetArmState(state="live", account="SIM-001"),
        SetPolicy(RiskPolicy(version=2)),
        Kill("enough"),
        Rearm("SIM-001"),
    ]


def test_trading_is_told_by_frames_and_events() -> None:
    state = SessionState()
    risk_now, answer, policy = account_risk(), preview("R-1"), RiskPolicy(version=4)
    events = (
        policy_changed(policy),
        connection("feed", "reconnecting", attempt=2),
        connection("feed", "connected"),
        halted(HaltStep.CANCELLING),
        denied(order_id="O-9"),
        order("O-1", request="R-1"),
        order("O-2", "REJECTED", request="R-1", reason="no money"),
        order("O-3"),
    )
    state.apply(frame(1, control=control("paper"), account_risk=risk_now, preview=answer, events=events))
    assert state.control == control("paper")
    assert state.account_risk == risk_now
    assert state.policy == policy
    assert state.connections == {"feed": connection("feed", "connected")}
    assert state.halt == halted(HaltStep.CANCELLING)
    assert [each.order_id for each in state.denials] == ["O-9"]
    assert [each.order_id for each in state.orders.of_request("R-1")] == ["O-1", "O-2"]
    assert state.orders.of_request("R-2") == []
    state.apply(frame(2, events=[EpochBegan(ts=START_NS, epoch=2)], first_event=len(events) + 1))
    assert state.preview == answer  # told once, kept until the next
    assert state.denials == []
    assert state.orders.of_request("R-1") == []
    assert state.policy == policy
