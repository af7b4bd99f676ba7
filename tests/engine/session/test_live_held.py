"""What a venue cannot is held by the station: exits, pairs, stops that move; at the local exchange.

Whatever happens there, the venue's own truth is asked what is left of it.
"""

from contextlib import nullcontext
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from engine.errors import UserError
from engine.messages.commands import (
    BreakEven,
    Cancel,
    CancelAll,
    Finish,
    Flatten,
    Kill,
    Modify,
    Preview,
    SetArmState,
    SetStop,
    Submit,
)
from engine.messages.connection import Connection
from engine.messages.events import Filled, HaltChanged, HaltStep, Logged, OrderChanged, Refused
from engine.messages.orders import HAND, OrderIntent
from engine.messages.run import Run, VenueRules
from engine.session.abilities import check_able
from engine.session.memory import SessionMemory
from tests.engine.session.live_sessions import Driven
from tests.engine.session.test_live_venue import ETH, LIVE, at, by_hand, is_now, orders, statuses
from tests.venue import Setup, ThreadVenue, levels
from tests.venue.caller import signed

D = Decimal
STOP = by_hand("0.5", "SELL", "STOP_MARKET", trigger=D(1990))
TARGET = by_hand("0.5", "SELL", "LIMIT", price=D(2010))


def submit(driven: Driven, *intents: OrderIntent, contingency: Any = "none", request: str = "r1") -> None:
    driven.session.handle(Submit(request=request, intents=intents, contingency=contingency))


def bracket(driven: Driven, entry: OrderIntent | None = None) -> list[str]:
    """Names of the entry, its stop and its target."""

    def named() -> list[str]:
        return sorted({event.order_id for event in driven.told(OrderChanged) if event.strategy == HAND})

    submit(driven, entry or by_hand("0.5"), STOP, TARGET, contingency="bracket")
    driven.until(lambda: len(named()) == 3)  # the entry is told when its turn comes
    return named()


def move(venue: ThreadVenue, bid: str, ask: str, *, trade: str = "") -> None:
    """Let the market be there, and trade there so that what waits sees it."""
    venue.show(*levels(bid, ask), clears=True)
    venue.trade(trade or bid, "0.001", "SELL")


def newest(driven: Driven, kind: str, *statuses_: str) -> OrderChanged | None:
    """Newest state of the newest order of this type that is in one of these."""
    last = {event.order_id: event for event in driven.told(OrderChanged) if event.type == kind}
    return next((event for event in reversed(last.values()) if event.status in statuses_), None)


def both_work(driven: Driven) -> bool:
    """Whether a limit order and a stop are accepted."""
    return all(newest(driven, kind, "ACCEPTED") for kind in ("LIMIT", "STOP_MARKET"))


def stop_is(driven: Driven, **facts: str) -> bool:
    """Whether the newest stop that is accepted is so."""
    stop = newest(driven, "STOP_MARKET", "ACCEPTED")
    return stop is not None and all(getattr(stop, name) == D(value) for name, value in facts.items())


def at_work(venue: ThreadVenue) -> list[tuple[str, str, Decimal]]:
    """Side, type and size of what works at the venue, without those that wait for a price."""
    return [
        (order.side, order.type, order.size - order.filled)
        for order in venue.truth().orders
        if order.status in ("NEW", "PARTIALLY_FILLED")
    ]


def is_quiet(driven: Driven, venue: ThreadVenue) -> bool:
    """Whether nothing is held here, and nothing works nor is held there."""
    truth = venue.truth()
    return (
        not (truth.waiting or truth.positions or at_work(venue))
        and not driven.session.course.venue.desk.holds
    )


def test_a_bracket_waits_here_and_its_exits_are_sent_as_the_entry_fills(venue: ThreadVenue) -> None:
    with at(venue) as (driven, _):
        entry, stop, target = bracket(driven, by_hand("0.5", "BUY", "LIMIT", price=D(1999)))
        assert (statuses(driven, stop), statuses(driven, target)) == (["HELD"], ["HELD"])
        assert orders(driven, stop)[0].contingent == (entry, target)
        assert "not while the station does not run" in driven.told(Logged)[-1].text
        driven.until(lambda: is_now(driven, entry, "ACCEPTED"))
        assert venue.truth().waiting == {}
        venue.trade("1999.00", "0.2", "SELL")
        driven.until(lambda: is_now(driven, stop, "ACCEPTED") and is_now(driven, target, "ACCEPTED"))
        assert (orders(driven, stop)[-1].quantity, orders(driven, target)[-1].quantity) == (
            D("0.2"),
            D("0.2"),
        )
        assert orders(driven, stop)[-1].reduce_only
        venue.trade("1999.00", "0.3", "SELL")
        driven.until(lambda: at_work(venue) == [("SELL", "LIMIT", D("0.5"))])
        driven.until(lambda: stop_is(driven, quantity="0.5"))
        driven.until(
            lambda: len(venue.truth().waiting) == 1
        )  # the smaller one made room once the larger stood
        move(venue, "1985.00", "1985.10")
        driven.until(lambda: is_quiet(driven, venue))
        assert statuses(driven, target)[-1] in (
            "CANCELED",
            "EXPIRED",
        )  # a venue ends what has nothing to reduce
        assert sum(fill.quantity for fill in driven.told(Filled) if fill.side == "SELL") == D("0.5")


def test_a_bracket_takes_its_profit_and_its_stop_goes(venue: ThreadVenue) -> None:
    with at(venue) as (driven, _):
        _, stop, target = bracket(driven)
        driven.until(lambda: is_now(driven, stop, "ACCEPTED") and is_now(driven, target, "ACCEPTED"))
        venue.trade("2010.00", "0.2", "BUY")
        driven.until(lambda: stop_is(driven, quantity="0.3"))
        venue.trade("2010.00", "9", "BUY")
        driven.until(lambda: is_quiet(driven, venue))
        assert is_now(driven, target, "FILLED")


def test_exits_of_an_entry_that_ends_unfilled_are_dropped_and_it_is_told(venue: ThreadVenue) -> None:
    with at(venue) as (driven, _):
        entry, stop, target = bracket(driven, by_hand("0.5", "BUY", "LIMIT", price=D(1990)))
        driven.until(lambda: is_now(driven, entry, "ACCEPTED"))
        driven.session.handle(Cancel(entry))
        driven.until(lambda: is_now(driven, stop, "CANCELED") and is_now(driven, target, "CANCELED"))
        assert any("ended unfilled" in event.text for event in driven.told(Logged))
        assert is_quiet(driven, venue)


def test_what_an_entry_filled_before_it_was_cancelled_keeps_its_exits(venue: ThreadVenue) -> None:
    with at(venue) as (driven, _):
        entry, stop, _ = bracket(driven, by_hand("0.5", "BUY", "LIMIT", price=D(1999)))
        driven.until(lambda: is_now(driven, entry, "ACCEPTED"))
        venue.trade("1999.00", "0.2", "SELL")
        driven.until(lambda: is_now(driven, stop, "ACCEPTED"))
        driven.session.handle(Cancel(entry))
        driven.until(lambda: is_now(driven, entry, "CANCELED"))
        move(venue, "1985.00", "1985.10")
        driven.until(lambda: is_quiet(driven, venue))


def test_what_waits_here_can_be_moved_and_cancelled(venue: ThreadVenue) -> None:
    with at(venue) as (driven, _):
        entry, stop, target = bracket(driven, by_hand("0.5", "BUY", "LIMIT", price=D(1999)))
        driven.until(lambda: is_now(driven, entry, "ACCEPTED"))
        driven.session.handle(Modify(order_id=stop, trigger=D("1980.005")))
        assert "not on the grid" in driven.told(Refused)[-1].text
        driven.session.handle(Modify(order_id=stop, trigger=D(1980)))
        assert orders(driven, stop)[-1].trigger == 1980
        venue.trade("1999.00", "0.5", "SELL")
        driven.until(lambda: is_now(driven, stop, "ACCEPTED") and is_now(driven, target, "ACCEPTED"))
        driven.session.handle(Modify(order_id=target, price=D(2020)))
        driven.until(lambda: [each.price for each in venue.truth().orders][-1] == 2020)
        driven.session.handle(Modify(order_id=stop, trigger=D(1985)))
        driven.until(lambda: stop_is(driven, trigger="1985"))
        driven.until(lambda: is_now(driven, stop, "CANCELED"))
        driven.session.handle(Cancel(target))
        driven.until(lambda: not venue.truth().waiting and not at_work(venue))
        assert venue.truth().positions


def test_a_stop_that_the_market_has_passed_when_the_entry_fills_closes_at_once(venue: ThreadVenue) -> None:
    with at(venue) as (driven, _):
        beyond = by_hand("0.5", "SELL", "STOP_MARKET", trigger=D(2005))
        submit(driven, by_hand("0.5"), beyond, contingency="bracket")
        driven.until(lambda: len(driven.told(Filled)) == 2)
        driven.until(lambda: is_quiet(driven, venue))


def test_one_cancels_the_other_whichever_ends(venue: ThreadVenue) -> None:
    low = by_hand("0.5", "BUY", "LIMIT", price=D(1995))
    high = by_hand("0.5", "BUY", "STOP_MARKET", trigger=D(2005))
    with at(venue) as (driven, _):
        submit(driven, low, high, contingency="oco")
        driven.until(lambda: both_work(driven))
        venue.trade("1995.00", "0.2", "SELL")  # cut
        driven.until(lambda: sum((fill.quantity for fill in driven.told(Filled)), D(0)) == D("0.2"))
        driven.until(lambda: stop_is(driven, quantity="0.3"))
        driven.until(lambda: len(venue.truth().waiting) == 1)
        venue.trade("1995.00", "0.3", "SELL")
        driven.until(lambda: not venue.truth().waiting and not at_work(venue))
        driven.session.handle(Flatten())
        driven.until(lambda: is_quiet(driven, venue))
        submit(driven, low, high, contingency="oco", request="r2")
        driven.until(lambda: both_work(driven))
        move(venue, "2004.90", "2005.00", trade="2005.00")
        driven.until(lambda: not venue.truth().waiting and not at_work(venue))
        driven.session.handle(Flatten())
        driven.until(lambda: is_quiet(driven, venue))
        move(venue, "2000.00", "2000.10")
        submit(driven, low, high, contingency="oco", request="r3")
        driven.until(lambda: both_work(driven))
        waiting = newest(driven, "LIMIT", "ACCEPTED")
        assert waiting is not None
        driven.session.handle(Cancel(waiting.order_id))
        driven.until(lambda: is_quiet(driven, venue))


def test_a_pair_of_which_the_venue_refuses_one_is_none(venue: ThreadVenue) -> None:
    with at(venue) as (driven, _):
        far = by_hand("0.5", "BUY", "LIMIT", price=D(2200))  # outside the venue's band
        submit(driven, far, by_hand("0.5", "BUY", "STOP_MARKET", trigger=D(2005)), contingency="oco")
        driven.until(lambda: newest(driven, "LIMIT", "REJECTED"))
        driven.until(lambda: newest(driven, "STOP_MARKET", "CANCELED"))
        assert any("was rejected" in event.text for event in driven.told(Logged))
        assert is_quiet(driven, venue)


def test_a_stop_trails_the_market_at_a_distance_in_price_and_fills(venue: ThreadVenue) -> None:
    with at(venue) as (driven, _):
        submit(driven, by_hand("0.5"))
        driven.until(lambda: driven.told(Filled))
        trailing = by_hand("0.5", "SELL", "TRAILING_STOP_MARKET", trailing_offset=D(10))
        submit(driven, trailing, request="r2")
        driven.until(lambda: stop_is(driven, trigger="1990"))
        move(venue, "2020.00", "2020.10")
        driven.until(lambda: stop_is(driven, trigger="2010"))
        driven.until(lambda: len(venue.truth().waiting) == 1)
        move(venue, "2015.00", "2015.10")
        move(venue, "2009.00", "2009.10")
        driven.until(lambda: is_quiet(driven, venue))
        stops = {event.order_id for event in driven.told(OrderChanged) if event.type == "STOP_MARKET"}
        assert len(stops) == 2


def test_a_short_is_kept_the_other_way_round(venue: ThreadVenue) -> None:
    stop = by_hand("0.5", "BUY", "TRAILING_STOP_MARKET", trailing_offset=D(10))
    target = by_hand("0.5", "BUY", "LIMIT", price=D(1950))
    with at(venue) as (driven, _):
        submit(driven, by_hand("0.5", "SELL"), stop, target, contingency="bracket")
        driven.until(lambda: both_work(driven) and stop_is(driven, trigger="2010.10"))
        move(venue, "1980.00", "1980.10")
        driven.until(lambda: stop_is(driven, trigger="1990.10"))
        driven.until(lambda: len(venue.truth().waiting) == 1)
        move(venue, "1985.00", "1985.10")
        move(venue, "1990.10", "1990.20", trade="1990.10")
        driven.until(lambda: is_quiet(driven, venue))


def test_a_target_that_fills_while_the_venue_is_away_ends_its_stop() -> None:
    with ThreadVenue(Setup(pause_s=2.0)) as venue:
        venue.show(*levels("2000.00", "2000.10"))
        with at(venue) as (driven, _):
            bracket(driven)
            driven.until(lambda: both_work(driven))
            venue.inject("restart")
            venue.trade("2010.00", "9", "BUY")
            assert not venue.truth().positions
            driven.until(lambda: is_quiet(driven, venue))


def test_break_even_and_a_rule_move_a_stop_that_the_venue_would_leave_standing(venue: ThreadVenue) -> None:
    with at(venue) as (driven, _):
        _, stop, _ = bracket(driven)
        driven.until(lambda: is_now(driven, stop, "ACCEPTED"))
        move(venue, "2008.00", "2008.10")
        driven.until(lambda: driven.session.course.venue.touch(ETH).bid == 2008)  # type: ignore[union-attr]
        driven.session.handle(BreakEven(ETH))
        assert not driven.told(Refused)
        driven.until(lambda: is_now(driven, stop, "CANCELED") and len(venue.truth().waiting) == 1)
        moved = newest(driven, "STOP_MARKET", "ACCEPTED")
        assert moved is not None
        assert moved.trigger is not None
        assert 2000 < moved.trigger < 2008
        driven.session.handle(SetArmState(state="view"))  # what reduces passes however it is armed
        driven.session.handle(Modify(order_id=moved.order_id, trigger=D(2006)))
        driven.until(lambda: stop_is(driven, trigger="2006"))
        driven.session.handle(SetStop(instrument=ETH, kind="chandelier"))
        assert driven.session.take_picture().control.stop.startswith("chandelier")
        driven.session.course.venue.desk.position_stop.move_to(D("2006.50"))  # as a bar does
        driven.until(
            lambda: (one := newest(driven, "STOP_MARKET", "ACCEPTED")) and one.trigger == D("2006.5")
        )
        move(venue, "2005.00", "2005.10")
        driven.until(lambda: is_quiet(driven, venue))


@pytest.mark.parametrize("command", [CancelAll(), Flatten(), Kill("enough")])
def test_nothing_is_held_any_more_once_all_is_cancelled(venue: ThreadVenue, command: Any) -> None:
    with at(venue) as (driven, _):
        entry, stop, target = bracket(driven, by_hand("0.5", "BUY", "LIMIT", price=D(1999)))
        driven.until(lambda: is_now(driven, entry, "ACCEPTED"))
        venue.trade("1999.00", "0.2", "SELL")
        driven.until(lambda: is_now(driven, stop, "ACCEPTED") and is_now(driven, target, "ACCEPTED"))
        driven.session.handle(command)
        driven.until(lambda: not venue.truth().waiting and not at_work(venue))
        driven.until(lambda: not driven.session.course.venue.desk.holds)
        if isinstance(command, Kill):
            driven.until(lambda: driven.told(HaltChanged)[-1].step == HaltStep.HALTED)
        if not isinstance(command, CancelAll):
            driven.until(lambda: is_quiet(driven, venue))


@pytest.mark.parametrize("fault", ["lost_ack", "blind_ack", "delayed_ack", "http_5xx_executed", "rate_limit"])
def test_an_exit_whose_answer_is_lost_is_there_once(venue: ThreadVenue, fault: Any) -> None:
    with at(venue, ws_trading=fault.endswith("ack")) as (driven, _):
        entry, stop, _ = bracket(driven, by_hand("0.5", "BUY", "LIMIT", price=D(1999)))
        driven.until(lambda: is_now(driven, entry, "ACCEPTED"))
        venue.inject(fault)
        venue.trade("1999.00", "0.5", "SELL")
        driven.until(lambda: both_work(driven))
        assert ("REJECTED" in statuses(driven, stop)) == (fault == "rate_limit")  # then it is sent again
        assert len(venue.truth().waiting) == 1
        assert at_work(venue) == [("SELL", "LIMIT", D("0.5"))]
        move(venue, "1985.00", "1985.10")
        driven.until(lambda: is_quiet(driven, venue))


def test_before_it_is_sent_a_person_reads_what_the_station_holds(venue: ThreadVenue) -> None:
    with at(venue) as (driven, _):
        asked = Preview(request="p", intents=(by_hand("0.5"), STOP, TARGET), contingency="bracket")
        driven.session.handle(asked)
        preview = driven.session.take_picture().preview
        assert preview is not None
        assert preview.problem == ""
        assert "not while it does not run" in preview.note


@pytest.mark.parametrize(
    ("adapter", "oms", "contingency", "said"),
    [
        ("binance_spot", "NETTING", "bracket", "knows no orders that only reduce"),
        ("binance_futures", "HEDGING", "oco", "stands by itself"),
        ("binance_futures", "NETTING", "bracket", ""),
        ("interactive_brokers", "HEDGING", "bracket", ""),  # takes it itself
    ],
)
def test_what_neither_venue_nor_station_can_hold_is_refused(
    adapter: str, oms: Any, contingency: Any, said: str
) -> None:
    connection = Connection(name="c", adapter=adapter)
    run = Run(instrument=ETH, mode="live", connection=connection, venue=VenueRules(oms=oms))
    with pytest.raises(UserError, match=said) if said else nullcontext():
        check_able(run, (by_hand("0.5"), STOP), contingency)


# Restarts


def test_an_entry_that_filled_meanwhile_has_its_exits_at_once(venue: ThreadVenue, memory: Path) -> None:
    with at(venue, memory=memory) as (driven, _):
        entry, stop, target = bracket(driven, by_hand("0.5", "BUY", "LIMIT", price=D(1999)))
        driven.until(lambda: is_now(driven, entry, "ACCEPTED"))
    venue.trade("1999.00", "0.5", "SELL")
    assert venue.truth().positions
    with at(venue, memory=memory, arm=False) as (driven, _):
        driven.until(lambda: is_now(driven, stop, "ACCEPTED") and is_now(driven, target, "ACCEPTED"))
        assert (len(venue.truth().waiting), at_work(venue)) == (1, [("SELL", "LIMIT", D("0.5"))])
        move(venue, "1985.00", "1985.10")
        driven.until(lambda: is_quiet(driven, venue))


def test_an_entry_that_still_waits_goes_on_with_its_exits(venue: ThreadVenue, memory: Path) -> None:
    with at(venue, memory=memory) as (driven, _):
        entry, stop, _ = bracket(driven, by_hand("0.5", "BUY", "LIMIT", price=D(1999)))
        driven.until(lambda: is_now(driven, entry, "ACCEPTED"))
    with at(venue, memory=memory) as (driven, _):
        assert is_now(driven, stop, "HELD")
        assert orders(driven, entry)[-1].strategy == "HAND-001"
        venue.trade("1999.00", "0.5", "SELL")
        driven.until(lambda: is_now(driven, stop, "ACCEPTED"))
        assert driven.session.course.venue.desk.held() == D("0.5")
        submit(driven, by_hand("0.5"), STOP, contingency="bracket")  # seen before the restart
        driven.session.handle(Flatten())
        driven.until(lambda: is_quiet(driven, venue))
        assert len([fill for fill in driven.told(Filled) if fill.side == "BUY"]) == 1


def test_an_exit_without_an_answer_is_there_once_after_a_restart(venue: ThreadVenue, memory: Path) -> None:
    with at(venue, memory=memory) as (driven, _):
        entry, stop, target = bracket(driven, by_hand("0.5", "BUY", "LIMIT", price=D(1999)))
        driven.until(lambda: is_now(driven, entry, "ACCEPTED"))
        venue.inject("blind_ack")
        venue.trade("1999.00", "0.5", "SELL")
        driven.until(lambda: all("SUBMITTED" in statuses(driven, each) for each in (stop, target)))
        assert not both_work(driven)
    with at(venue, memory=memory, arm=False) as (driven, _):
        driven.until(lambda: both_work(driven))
        assert (len(venue.truth().waiting), at_work(venue)) == (1, [("SELL", "LIMIT", D("0.5"))])
        move(venue, "1985.00", "1985.10")
        driven.until(lambda: is_quiet(driven, venue))


def test_an_entry_that_was_cancelled_meanwhile_leaves_no_exits(venue: ThreadVenue, memory: Path) -> None:
    with at(venue, memory=memory) as (driven, _):
        entry, stop, _ = bracket(driven, by_hand("0.5", "BUY", "LIMIT", price=D(1999)))
        driven.until(lambda: is_now(driven, entry, "ACCEPTED"))
    cancel_all_there(venue)
    with at(venue, memory=memory) as (driven, _):
        driven.until(lambda: is_now(driven, stop, "CANCELED"))
        assert is_quiet(driven, venue)


def test_exits_at_work_go_on_and_one_that_filled_meanwhile_ends_the_other(
    venue: ThreadVenue, memory: Path
) -> None:
    with at(venue, memory=memory) as (driven, _):
        _, stop, target = bracket(driven)
        driven.until(lambda: is_now(driven, stop, "ACCEPTED") and is_now(driven, target, "ACCEPTED"))
    with at(venue, memory=memory) as (driven, _):
        assert len(venue.truth().waiting) == 1
        venue.trade("2010.00", "0.2", "BUY")
        driven.until(lambda: stop_is(driven, quantity="0.3"))
        driven.until(lambda: len(venue.truth().waiting) == 1)
    venue.trade("2010.00", "9", "BUY")
    assert not venue.truth().positions
    with at(venue, memory=memory, arm=False) as (driven, _):
        driven.until(lambda: is_quiet(driven, venue))


def test_of_a_pair_one_that_filled_meanwhile_ends_the_other(venue: ThreadVenue, memory: Path) -> None:
    low = by_hand("0.5", "BUY", "LIMIT", price=D(1995))
    high = by_hand("0.5", "BUY", "STOP_MARKET", trigger=D(2005))
    with at(venue, memory=memory) as (driven, _):
        submit(driven, low, high, contingency="oco")
        driven.until(lambda: both_work(driven))
    venue.trade("1995.00", "0.5", "SELL")
    with at(venue, memory=memory) as (driven, _):
        driven.until(lambda: not venue.truth().waiting and not at_work(venue))
        assert venue.truth().positions["ETHUSDT"][0] == D("0.5")


def test_a_rule_goes_on_moving_the_stop(venue: ThreadVenue, memory: Path) -> None:
    with at(venue, memory=memory) as (driven, _):
        bracket(driven)
        driven.until(lambda: both_work(driven))
        driven.session.handle(SetStop(instrument=ETH, kind="atr"))
        assert not driven.told(Refused)
    with at(venue, memory=memory) as (driven, _):
        assert driven.session.take_picture().control.stop.startswith("ATR 14")
        driven.session.course.venue.desk.position_stop.move_to(D(1995))  # as a bar does
        driven.until(lambda: stop_is(driven, trigger="1995"))
        driven.until(lambda: len(venue.truth().waiting) == 1)
        driven.session.handle(Flatten())
        driven.until(lambda: is_quiet(driven, venue))
    with at(venue, memory=memory) as (driven, _):
        assert driven.session.take_picture().control.stop == ""


def test_what_is_held_works_on_where_the_strategy_takes_over_what_was_the_hands(
    venue: ThreadVenue, memory: Path
) -> None:
    with at(venue, memory=memory) as (driven, puppet):
        bought = puppet.market("BUY", "0.2")
        driven.until(lambda: is_now(driven, bought, "FILLED"))
        entry, _, _ = bracket(driven, by_hand("0.5", "BUY", "LIMIT", price=D(1999)))
        driven.until(lambda: is_now(driven, entry, "ACCEPTED"))
        venue.trade("1999.00", "0.2", "SELL")
        driven.until(lambda: both_work(driven))
    with at(venue, memory=memory) as (driven, _):
        assert orders(driven, entry)[-1].strategy == LIVE
        venue.trade("1999.00", "0.3", "SELL")
        driven.until(lambda: stop_is(driven, quantity="0.5"))
        driven.until(
            lambda: len(venue.truth().waiting) == 1 and at_work(venue) == [("SELL", "LIMIT", D("0.5"))]
        )
        move(venue, "1985.00", "1985.10")
        driven.until(lambda: not venue.truth().waiting and not at_work(venue))
        assert venue.truth().positions["ETHUSDT"][0] == D("0.2")  # what the strategy holds


def test_what_is_asked_for_is_written_down_before_it_leaves(venue: ThreadVenue, memory: Path) -> None:
    with at(venue, memory=memory) as (driven, _):
        submit(driven, by_hand("0.5", "BUY", "LIMIT", price=D(1999)), STOP, contingency="bracket")
        written = SessionMemory(memory).read("Puppet", ETH)
        assert written is not None
        assert written.hand["requests"] == "r1"
        assert '"STOP_MARKET"' in written.hand["held"]
        assert not venue.truth().orders
        driven.until(lambda: newest(driven, "LIMIT", "ACCEPTED"))
        driven.session.handle(Finish())
        assert "until the next session" in [event.text for event in driven.told(Logged)][-2]


def test_a_stop_goes_on_trailing(venue: ThreadVenue, memory: Path) -> None:
    with at(venue, memory=memory) as (driven, _):
        submit(driven, by_hand("0.5"))
        driven.until(lambda: driven.told(Filled))
        trailing = by_hand("0.5", "SELL", "TRAILING_STOP_MARKET", trailing_offset=D(10))
        submit(driven, trailing, request="r2")
        driven.until(lambda: newest(driven, "STOP_MARKET", "ACCEPTED"))
    with at(venue, memory=memory) as (driven, _):
        move(venue, "2020.00", "2020.10")
        driven.until(lambda: stop_is(driven, trigger="2010"))
        driven.until(lambda: len(venue.truth().waiting) == 1)
        move(venue, "2009.00", "2009.10")
        driven.until(lambda: is_quiet(driven, venue))


def cancel_all_there(venue: ThreadVenue) -> None:
    """Somebody cancels all orders of the account elsewhere."""
    assert signed(venue.at.http, "DELETE", "/fapi/v1/allOpenOrders", {"symbol": "ETHUSDT"}).status == 200
