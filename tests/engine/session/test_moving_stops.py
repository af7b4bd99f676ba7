"""A stop by rule follows the bars of the session, protects all that is held, and ends with the position."""

from decimal import Decimal
from typing import Any

import pytest

from engine.bars import BarSpec, bars_of
from engine.messages.commands import AnyCommand, Cancel, Flatten, Reverse, Seek, SetStop, Submit
from engine.messages.events import AnyEvent, Filled, Logged, OrderChanged, Refused
from engine.messages.orders import HAND, OrderIntent
from engine.messages.run import VenueRules
from engine.risk.stops import ChandelierStop
from engine.session.replay import ReplaySession
from tests.engine.nautilus.desks import SECOND, quotes_at
from tests.engine.session.hands import buy, of, sell, traded
from tests.engine.session.live_sessions import paper
from tests.engine.session.markets import CRYPTO, FX, START_NS, crypto_columns, obey, session

D = Decimal
UP = [110_000 + 10 * (at // 2) + 4 * (at % 2) for at in range(60)]
DOWN = [UP[-1] - 15 * at for at in range(1, 60)]
QUOTES = quotes_at([*UP, *DOWN])
LAST_S = len(UP) + len(DOWN) - 1
BAR = "4-SECOND-BID"


def replay(window: int = 1_000, **rest: Any) -> ReplaySession:
    rules: dict[str, Any] = {"arm": "paper", "bar": BAR, "latency_ms": 0.0, **rest}
    return session(QUOTES, window_events=lambda: window, **rules)


def to(run: ReplaySession, second: float) -> list[AnyEvent]:
    return obey(run, Seek(START_NS + round(second * SECOND)))


def play(run: ReplaySession, *steps: tuple[float, AnyCommand]) -> list[AnyEvent]:
    return [event for second, command in steps for event in [*to(run, second), *obey(run, command)]]


def stop(kind: Any = "chandelier", **rest: Any) -> SetStop:
    return SetStop(instrument=FX.id, kind=kind, **{"period": 3, "multiple": D(2), **rest})


def stops(events: list[AnyEvent]) -> list[OrderChanged]:
    return [event for event in of(events, OrderChanged) if event.type == "STOP_MARKET"]


def triggers(events: list[AnyEvent]) -> list[tuple[int, Decimal]]:
    """When the stop was put where, in seconds."""
    found = [
        ((event.ts - START_NS) // SECOND, event.trigger)
        for event in stops(events)
        if event.status in ("ACCEPTED", "PENDING_UPDATE") or event.status == "UPDATED"
    ]
    moved = [each for n, each in enumerate(found) if not n or found[n - 1][1] != each[1]]
    return [(second, trigger) for second, trigger in moved if trigger is not None]


def test_a_chandelier_hangs_from_the_best_price_moves_once_a_bar_and_closes_the_position() -> None:
    run = replay()
    events = [*play(run, (20, buy()), (20, stop())), *to(run, LAST_S)]
    by_hand, expected = ChandelierStop("BUY", FX.tick_size, 3, D(2)), list[tuple[int, Decimal]]()
    bars = bars_of(BarSpec.parse(BAR), QUOTES)
    for at in range(len(bars)):
        row = [D(int(array[at])).scaleb(-5) for array in (bars.high, bars.low, bars.close)]
        closes_s = (int(bars.ts_open[at]) - START_NS) // SECOND + 4
        before, trigger = by_hand.trigger, by_hand.close(*row)
        if closes_s < 20 or trigger is None:
            continue
        if not expected or trigger != before:
            expected.append((max(20, closes_s - 1), trigger))
    [filled] = [fill for fill in of(events, Filled) if fill.side == "SELL"]
    stopped_s = (filled.ts - START_NS) // SECOND
    assert triggers(events) == [each for each in expected if each[0] < stopped_s]
    assert len(triggers(events)) > 5
    assert filled.price <= triggers(events)[-1][1]
    assert run.course.desk.open_orders() == 0
    assert run.course.desk.positions() == []
    assert run.take_picture().control.stop == ""
    run.close()


@pytest.mark.parametrize("kind", ["atr", "chandelier", "break-even"])
@pytest.mark.parametrize("latency_ms", [0.0, 300.0])
def test_it_is_the_same_however_time_is_cut_and_in_every_seek_back(kind: str, latency_ms: float) -> None:
    steps = ((20, buy()), (21, stop(kind)), (30, buy("more", 2_000)), (41, sell("less", 1_000)))
    told = []
    for window in (1_000, 1):
        run = replay(window, latency_ms=latency_ms)
        told.append(traded([*play(run, *steps), *to(run, LAST_S)]))
        run.close()
    assert told[0] == told[1]
    run = replay(latency_ms=latency_ms)
    play(run, *steps)
    to(run, LAST_S)
    for back in (42, 60, 80):
        assert traded([*to(run, back), *to(run, LAST_S)]) == told[0]
    run.close()


def test_it_is_as_large_as_what_is_held_whatever_becomes_of_it() -> None:
    run = replay()
    play(run, (20, buy(quantity=3_000)), (20, stop("atr")))
    sizes = []
    for second, command in ((25, buy("more", 2_000)), (30, sell("less", 4_000))):
        events = play(run, (second, command))
        sizes.append([event.quantity for event in stops(events)][-1])
    assert sizes == [5_000, 1_000]
    events = play(run, (33, Flatten(FX.id)))
    assert stops(events)[-1].status == "CANCELED"
    assert run.course.desk.open_orders() == 0
    run.close()


def test_a_bracketless_stop_of_before_is_taken_over_and_never_given_away() -> None:
    run = replay()
    play(run, (20, buy()), (20, sell("mine", type="STOP_MARKET", trigger="1.09000", reduce_only=True)))
    events = [*play(run, (22, stop("atr"))), *to(run, 40)]
    assert {event.order_id for event in stops(events)} == {"H-2"}
    assert stops(events)[-1].trigger > D("1.09")  # type: ignore[operator]
    assert run.take_picture().control.stop == "ATR 3 x 2, 4-SECOND-BID"
    before = stops(events)[-1].trigger
    obey(run, stop("none"))
    assert not stops(to(run, 55))
    assert run.take_picture().control.stop == ""
    assert run.course.desk.open_orders() == 1
    assert before is not None
    run.close()


def test_break_even_waits_for_a_profit_and_moves_once() -> None:
    run = replay(venue_rules=VenueRules(taker_fee=D("0.00001")))
    events = [*play(run, (20, buy()), (20, stop("break-even", distance_bps=D(5)))), *to(run, 59)]
    [bought] = of(events, Filled)
    [(second, trigger)] = triggers(events)
    assert second > 24
    assert trigger == bought.price + D("0.00003")  # both fees are 2.2 ticks
    assert stops(events)[0].ts > bought.ts
    run.close()


def test_a_short_is_followed_downwards() -> None:
    run = replay()
    events = [*play(run, (70, sell()), (70, stop("atr"))), *to(run, LAST_S)]
    found = [trigger for _, trigger in triggers(events)]
    assert len(found) > 5
    assert found == sorted(found, reverse=True)
    run.close()


def test_one_that_somebody_cancelled_is_not_placed_again() -> None:
    run = replay()
    events = play(run, (20, buy()), (20, stop("atr")))
    events = [*play(run, (25, Cancel(stops(events)[-1].order_id))), *to(run, 50)]
    assert stops(events)[-1].status == "CANCELED"
    assert any("nothing moves it any more" in event.text for event in of(events, Logged))
    run.close()


def test_it_ends_with_a_reversal_and_does_not_touch_the_next_position() -> None:
    run = replay()
    play(run, (20, buy()), (20, stop("atr")))
    events = [*play(run, (30, Reverse(FX.id))), *to(run, 50)]
    assert [event.status for event in stops(events)][-1] == "CANCELED"
    assert run.course.desk.open_orders() == 0
    assert [each.strategy for each in run.course.desk.positions()] == [HAND]
    run.close()


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        (stop(period=0), "choose another period"),
        (stop(multiple=D(0)), "above 0"),
        (stop("break-even", distance_bps=D("NaN")), "above 0"),
    ],
)
def test_what_cannot_be_followed_is_said(rule: SetStop, said: str) -> None:
    run = replay()
    [refused] = of(play(run, (20, buy()), (20, rule)), Refused)
    assert said in refused.text
    run.close()


def test_without_a_position_or_bars_of_time_there_is_none() -> None:
    run = replay()
    [refused] = of(play(run, (20, stop())), Refused)
    assert "No position by hand" in refused.text
    run.close()
    run = replay(bar="10-TICK-BID")
    [refused] = of(play(run, (20, buy()), (20, stop())), Refused)
    assert "bars of time" in refused.text
    run.close()


def test_before_enough_bars_it_says_when_it_begins() -> None:
    run = replay()
    events = play(run, (5, buy()), (5, stop(period=5)))
    assert any("once 5 bars are complete (1 are)" in event.text for event in of(events, Logged))
    assert not stops(to(run, 18))
    assert [event.ts for event in stops(to(run, 22))][:1] == [START_NS + 19 * SECOND]
    run.close()


def test_a_paper_session_follows_the_bars_that_come() -> None:
    with paper(*crypto_columns(), bar="1-SECOND-BID") as driven:
        driven.until(lambda: driven.session.course.venue.touch(CRYPTO.id) is not None)
        bought = OrderIntent(
            instrument=CRYPTO.id, strategy=HAND, side="BUY", type="MARKET", quantity=D("0.010")
        )
        driven.session.handle(Submit(request="r1", intents=(bought,)))
        driven.until(lambda: driven.told(Filled))
        driven.session.handle(SetStop(instrument=CRYPTO.id, kind="atr", period=2, multiple=D(50)))
        driven.until(lambda: any(event.status == "ACCEPTED" for event in stops(driven.events)))
        assert stops(driven.events)[-1].reduce_only
        assert "begins once 2 bars" in driven.told(Logged)[-1].text
        assert driven.session.take_picture().control.stop == "ATR 2 x 50, 1-SECOND-BID"
        driven.session.handle(Flatten(CRYPTO.id))
        driven.until(lambda: stops(driven.events)[-1].status == "CANCELED")
