"""What the strategy makes of decisions: sizes, the gate, exits, races with the venue."""

from decimal import Decimal
from typing import Any

import numpy as np
import pytest

from engine.columns import Quotes
from engine.messages.events import AnyEvent, Filled, Logged, OrderChanged, PositionChanged, SignalActed
from engine.messages.orders import Denial, OrderIntent
from engine.messages.run import Arming, VenueRules
from engine.nautilus.engine import SimulatedVenue
from engine.signals.decisions import Decision, rules_of
from engine.signals.lead import Lead
from engine.signals.protocols import Forecast
from engine.strategies import AiSignalParameters
from tests.engine.session.markets import FX, START_NS
from tests.engine.signals.fakes import facts

SECOND = 1_000_000_000
LATENCY = 1_000_000


def quotes_at(mids: list[int]) -> Quotes:
    """Quotes one second apart, two ticks wide, around these prices in ticks."""
    mid = np.array(mids)
    ts = START_NS + np.arange(len(mid)) * SECOND
    size = np.full(len(mid), 1_000_000)
    return Quotes(
        ts_event=ts, ts_init=ts, bid=mid - 1, ask=mid + 1, bid_size=size, ask_size=size,
        price_precision=5, size_precision=0,
    )  # fmt: skip


def decisions(*wanted: tuple[int, int], up: float = 0.6, down: float = 0.2) -> list[Decision]:
    """Decisions at these seconds for these directions."""
    made, previous = [], 0
    for second, direction in wanted:
        cause: Any = "enter" if not previous else "reverse" if direction else "exit"
        forecast = Forecast(START_NS + second * SECOND, second, down, 1 - up - down, up, up - down, 1.1, 4e-4)
        made.append(Decision(forecast, direction, previous, cause, 0.5))  # type: ignore[arg-type]
        previous = direction
    return made


def run(
    mids: list[int],
    *wanted: tuple[int, int],
    gate: Any = None,
    latency_ms: float = 0.0,
    arming: Arming = "armed",
    up: float = 0.6,
    **parameters: Any,
) -> list[AnyEvent]:
    events: list[AnyEvent] = []
    given = AiSignalParameters(**{"trade_size": Decimal(2_000), **parameters})
    told = facts(latency_ns=LATENCY)
    lead = Lead(
        FX.id,
        told,
        rules_of(given, told),
        arming=arming,
        start_ns=START_NS,
        emit=events.append,
        decisions=decisions(*wanted, up=up),
    )
    columns = quotes_at(mids)
    venue = SimulatedVenue(
        FX,
        VenueRules(latency_ms=latency_ms),
        kinds=frozenset({"quotes"}),
        strategy="ai_signal",
        parameters=given,
        emit=events.append,
        gate=gate,
        lead=lead,
    )
    try:
        venue.load({"quotes": columns})
        venue.run_to(int(columns.ts_init[-1]))
        assert not venue.failure
    finally:
        venue.dispose()
    return events


def of[T](events: list[AnyEvent], kind: type[T]) -> list[T]:
    return [event for event in events if isinstance(event, kind)]


def positions(events: list[AnyEvent]) -> list[Decimal]:
    return [event.quantity for event in of(events, PositionChanged)]


def types(events: list[AnyEvent], status: str = "FILLED") -> list[str]:
    return [event.type for event in of(events, OrderChanged) if event.status == status]


CALM = [110_000] * 12


def test_it_holds_what_the_decision_wants() -> None:
    events = run(CALM, (1, 1), (3, -1), (5, 0))
    assert positions(events) == [2_000, 0, -2_000, 0]
    assert [(e.verdict, e.ts - START_NS) for e in of(events, SignalActed)] == [
        ("ordered", SECOND + LATENCY),
        ("ordered", 3 * SECOND + LATENCY),
        ("ordered", 5 * SECOND + LATENCY),
    ]
    assert [fill.order_id for fill in of(events, Filled)][-1] == of(events, SignalActed)[-1].order_id


@pytest.mark.parametrize(
    ("parameters", "sized", "words"),
    [
        ({"sizing": "kelly", "kelly_fraction": 1.0, "cap_pct": 1.0}, 9_000, "capped at 1 % of equity"),
        ({"sizing": "volatility", "target_volatility_bps": 2.0}, 1_000, "50% of the trade size"),
        ({"sizing": "fixed"}, 2_000, ""),
    ],
)
def test_the_size_and_why_are_told(parameters: dict[str, Any], sized: int, words: str) -> None:
    events = run(CALM, (1, 1), **parameters)
    assert positions(events) == [sized]
    assert words in of(events, SignalActed)[0].text


def test_a_size_of_nothing_closes_what_stands_the_other_way_and_opens_nothing() -> None:
    events = run(CALM, (1, 1), (3, -1), sizing="kelly", kelly_fraction=1.0, cap_pct=1.0)
    assert positions(events) == [9_000, 0]  # short, the odds are against it
    assert of(events, SignalActed)[1].text == "Kelly stakes nothing at these odds."
    events = run(CALM, (1, -1), sizing="kelly")
    assert [event.verdict for event in of(events, SignalActed)] == ["held"]


class NoShorts:
    """Lets only buys pass."""

    def check(self, intent: OrderIntent, order_id: str = "") -> Denial | None:
        return None if intent.side == "BUY" else Denial(rule="no-shorts", text="No sales today.")


def test_what_the_gate_refuses_is_told_with_its_reason() -> None:
    events = run(CALM, (1, -1), (3, 1), gate=NoShorts())
    refused, ordered = of(events, SignalActed)
    assert (refused.verdict, refused.text) == ("refused", "No sales today.")
    assert ordered.verdict == "ordered"
    assert [event.status for event in of(events, OrderChanged) if event.order_id == refused.order_id] == [
        "DENIED"
    ]


@pytest.mark.parametrize(
    ("direction", "stop", "profit"), [(1, "1.09891", "1.10221"), (-1, "1.10109", "1.09779")]
)
def test_exits_stand_on_the_grid_around_the_fill(direction: int, stop: str, profit: str) -> None:
    events = run(CALM, (1, direction), stop_bps=10.0, take_profit_bps=20.0)
    placed = {e.type: e for e in of(events, OrderChanged) if e.status == "ACCEPTED"}
    assert placed["STOP_MARKET"].trigger == Decimal(stop)
    assert placed["LIMIT"].price == Decimal(profit)
    assert {order.quantity for order in placed.values()} == {2_000}


def test_exits_are_at_least_a_tick_away() -> None:
    events = run(CALM, (1, 1), take_profit_bps=0.001)
    prices = [order.price for order in of(events, OrderChanged) if order.type == "LIMIT"]
    assert prices[0] == Decimal("1.10002")


def test_the_next_decision_takes_the_exits_away() -> None:
    events = run(CALM, (1, 1), (3, -1), (5, 0), stop_bps=10.0, take_profit_bps=20.0)
    assert types(events, "CANCELED").count("STOP_MARKET") == 2
    assert types(events, "CANCELED").count("LIMIT") == 2
    assert positions(events)[-1] == 0


def test_after_a_stop_it_stays_flat_until_the_next_decision() -> None:
    falling = [110_000, 110_000, 110_000, 109_800, *[109_800] * 8]
    events = run(falling, (1, 1), (6, 0), (8, 1), stop_bps=10.0)
    assert positions(events) == [2_000, 0, 2_000]
    assert [event.verdict for event in of(events, SignalActed)] == ["ordered", "held", "ordered"]
    assert of(events, SignalActed)[1].text == "Nothing is held."
    assert types(events) == ["MARKET", "STOP_MARKET", "MARKET"]


@pytest.mark.parametrize(("wanted", "left"), [(-1, -2_000), (0, 0)])
def test_a_stop_that_fills_while_another_order_is_on_its_way_leaves_what_was_wanted(
    wanted: int, left: int
) -> None:
    # Long at 2 s, the stop at the venue from 4 s on; decided at 5 s, at the venue at 7 s; stopped at 6 s.
    mids = [*[110_000] * 6, *[109_800] * 8]
    events = run(mids, (0, 1), (5, wanted), stop_bps=10.0, latency_ms=1_500.0)
    assert types(events)[:2] == ["MARKET", "STOP_MARKET"]
    assert positions(events)[:2] == [2_000, 0]
    assert positions(events)[-1] == left


def test_a_stop_that_the_gate_refuses_closes_the_position() -> None:
    class NoStops:
        def check(self, intent: OrderIntent, order_id: str = "") -> Denial | None:
            return Denial(rule="no-stops", text="No stops here.") if "STOP" in intent.type else None

    events = run(CALM, (1, 1), gate=NoStops(), stop_bps=10.0, take_profit_bps=20.0)
    assert positions(events) == [2_000, 0]
    assert any("The stop was refused: closing" in event.text for event in of(events, Logged))
    assert "LIMIT" not in types(events, "ACCEPTED")
