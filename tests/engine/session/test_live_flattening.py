"""At a venue with one position for all traders, what they hold against each other is closed, too."""

from decimal import Decimal

import pytest

from engine.messages.commands import Flatten, Kill, Rearm, SetArmState, SetPolicy, Submit
from engine.messages.events import Denied, Filled, HaltChanged, HaltStep, Logged, OrderChanged
from engine.messages.limits import KillRules, Limits, RiskPolicy
from engine.messages.orders import HAND, Side
from engine.risk.kill import Holding
from engine.risk.netted import at_venue, cancelling_out
from tests.engine.session.live_sessions import Driven
from tests.engine.session.test_live_venue import ETH, LIVE, Puppet, at, by_hand
from tests.venue import ThreadVenue

D = Decimal
HELD = [("0.5", "-0.3"), ("-0.3", "0.5"), ("0.3", "-0.5"), ("0.3", "-0.3"), ("0.2", "0.3")]
TIGHT = Limits(position=D("0.1"), order_quantity=D("0.1"))


def side(size: str) -> Side:
    return "SELL" if size.startswith("-") else "BUY"


def hold(driven: Driven, puppet: Puppet, by_a_person: str, by_a_strategy: str) -> None:
    """Have both positions, and limits that neither keeps."""
    puppet.market(side(by_a_strategy), by_a_strategy.removeprefix("-"))
    order = by_hand(by_a_person.removeprefix("-"), side(by_a_person))
    driven.session.handle(Submit(request="r1", intents=(order,)))
    driven.until(lambda: len(driven.told(Filled)) == 2)
    policy = RiskPolicy(
        account=TIGHT,
        strategies={HAND: TIGHT, LIVE: TIGHT},
        instruments={ETH: TIGHT},
        kill=KillRules(flatten_by="limit"),
    )
    driven.session.handle(SetPolicy(policy))


def books(driven: Driven, puppet: Puppet) -> list[Decimal]:
    """What is open of both."""
    return [held for held in (driven.session.course.venue.desk.held(), puppet.held()) if held]


@pytest.mark.parametrize(("by_a_person", "by_a_strategy"), HELD)
def test_flatten_closes_both_at_the_venue_and_in_the_books(
    venue: ThreadVenue, by_a_person: str, by_a_strategy: str
) -> None:
    with at(venue) as (driven, puppet):
        hold(driven, puppet, by_a_person, by_a_strategy)
        driven.session.handle(SetArmState(state="view"))
        begun = len(driven.told(OrderChanged))
        driven.session.handle(Flatten())
        driven.until(lambda: not venue.truth().positions and not books(driven, puppet))
        assert driven.told(Denied) == []
        steps = [(each.reduce_only, each.status) for each in driven.told(OrderChanged)[begun:]]
        assert "REJECTED" not in {status for _, status in steps}
        # On the way together, one that crosses could overtake one that only reduces, which is refused then.
        if (True, "FILLED") in steps and (False, "SUBMITTED") in steps:
            assert steps.index((True, "FILLED")) < steps.index((False, "SUBMITTED"))


@pytest.mark.parametrize(("by_a_person", "by_a_strategy"), HELD)
def test_the_kill_switch_halts_with_nothing_at_the_venue_and_says_what_is_left_in_the_books(
    venue: ThreadVenue, by_a_person: str, by_a_strategy: str
) -> None:
    with at(venue) as (driven, puppet):
        hold(driven, puppet, by_a_person, by_a_strategy)
        driven.session.handle(Kill())
        driven.until(lambda: [e.step for e in driven.told(HaltChanged)][-1:] == [HaltStep.HALTED])
        assert not venue.truth().positions
        assert driven.told(Denied) == []
        left = books(driven, puppet)
        assert sum(left) == 0
        told = [event.text for event in driven.told(Logged) if "cancel out at the venue" in event.text]
        assert len(told) == (1 if left else 0)
        driven.session.handle(Rearm("local"))
        driven.session.handle(SetArmState(state="live", account="local"))
        driven.session.handle(Flatten())
        driven.until(lambda: not books(driven, puppet))
        assert not venue.truth().positions


def test_flattening_twice_before_the_venue_answers_opens_nothing(venue: ThreadVenue) -> None:
    with at(venue) as (driven, puppet):
        hold(driven, puppet, "0.5", "-0.3")
        driven.session.handle(SetPolicy(RiskPolicy()))
        for _ in range(3):
            driven.session.handle(Flatten())
        driven.until(lambda: not driven.session.course.venue.desk.open_orders())
        driven.until(lambda: not venue.truth().positions and not books(driven, puppet))
        assert sum(fill.quantity for fill in driven.told(Filled)) == 2 * (D("0.5") + D("0.3"))


def test_what_the_venue_holds_and_what_cancels_out_is_all_that_is_held() -> None:
    held = [Holding("A", "x", D(5)), Holding("A", "y", D(-3)), Holding("A", "z", D(1))]
    assert at_venue(held) == [Holding("A", "x", D(3))]
    assert cancelling_out(held) == [
        Holding("A", "x", D(2)),
        Holding("A", "y", D(-3)),
        Holding("A", "z", D(1)),
    ]
    assert at_venue([*held[:2], Holding("A", "z", D(-2))]) == []
    assert at_venue([held[0], held[2]]) == [held[0], held[2]]
    assert cancelling_out([held[0], held[2]]) == []
