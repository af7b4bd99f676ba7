"""A drawdown makes orders smaller, then pauses, then flattens: the same however time is cut or sought."""

from decimal import Decimal
from typing import Any

from engine.messages.commands import Seek, SetPolicy
from engine.messages.events import AnyEvent, Denied, Filled, Logged, OrderChanged
from engine.messages.limits import Limits, Protection, RiskPolicy
from engine.session.protecting import Protecting
from engine.session.replay import ReplaySession
from tests.engine.risk.markets import BTC, Desk
from tests.engine.session.hands import at, buy, go, of, play, traded
from tests.engine.session.markets import obey, quotes, session
from tests.engine.session.strategies import Market

D = Decimal
LAST = len(quotes()) - 1
STEPS = RiskPolicy(
    account=Limits(order_quantity=D(1_000_000)),
    protection=Protection(scale_at=D("0.004"), scale_to=D(10), pause_at=D("0.008"), flatten_at=D("0.012")),
)


def falling(window: int = 1_000, **rest: Any) -> ReplaySession:
    """Loses what spreads cost."""
    rules: dict[str, Any] = {"arm": "paper", "policy": STEPS, "strategy": Market, **rest}
    return session(window_events=lambda: window, **rules)


def stages(events: list[AnyEvent]) -> list[tuple[int, str]]:
    return [(event.ts, event.text) for event in of(events, Logged) if event.source == "protection"]


def test_each_stage_is_told_and_the_last_closes_what_every_trader_holds() -> None:
    run = falling()
    events = play(run, [(500, buy(quantity=900_000))])
    events += go(run, LAST)
    texts = [text for _, text in stages(events)]
    assert "nothing is held" in texts[-1]
    assert run.course.desk.positions() == []
    flat_ns = stages(events)[-1][0]
    closing = [fill.strategy for fill in of(events, Filled) if fill.ts >= flat_ns]
    assert set(closing) == {"HAND-001", "Market-002"}
    denied = [event.denial for event in of(events, Denied) if event.ts > flat_ns]
    assert {denial.rule for denial in denied} == {"protection"}
    assert (denied[0].unit, denied[0].limit) == ("%", D("0.012"))
    risk = run.take_picture().account_risk
    assert risk is not None
    assert (risk.stage, risk.share) == ("flat", 0.0)
    run.close()


def test_a_halt_flattens_by_itself_so_the_protection_sends_nothing_besides() -> None:
    desk = Desk(policy=RiskPolicy(protection=Protection(flatten_at=D(1))), balance=1_000)
    desk.hold("1")
    desk.quote(BTC.id, "80", "80")
    desk.gate.mark()
    told: list[AnyEvent] = []
    protecting = Protecting(told.append)
    desk.gate.halted = True
    assert not protecting.look(desk.gate, desk.now, is_flat=False)
    desk.gate.halted = False
    assert protecting.look(desk.gate, desk.now, is_flat=False)
    assert len(told) == 1


def test_it_happens_at_the_same_times_however_time_is_cut_and_in_every_seek_back() -> None:
    told = []
    for window in (1_000, 37):
        run = falling(window)
        events = play(run, [(500, buy(quantity=900_000))])
        events += go(run, LAST)
        told.append((traded(events), stages(events)))
        run.close()
    assert told[0] == told[1]
    run = falling()
    go(run, LAST // 2)
    play(run, [(500, buy(quantity=900_000))])
    go(run, LAST)
    for back in (510, 3_000, LAST - 1):
        again = [*obey(run, Seek(at(back))), *go(run, LAST)]
        assert traded(again) == told[0][0]
        assert stages(again) == told[0][1]
    run.close()


def test_other_thresholds_let_a_flat_account_trade_again() -> None:
    run = falling()
    play(run, [(500, buy(quantity=900_000))])
    go(run, 4_000)
    assert not of(obey(run, buy("refused")), Filled)
    assert of(obey(run, SetPolicy(RiskPolicy())), OrderChanged) == []
    assert of(obey(run, buy("again")), Filled)
    run.close()
