"""What a person does in a replay, and what came of it."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from engine.messages.commands import AnyCommand, Seek, Submit
from engine.messages.events import (
    AnyEvent,
    Denied,
    EpochBegan,
    Filled,
    OrderChanged,
    PositionChanged,
    TwapChanged,
)
from engine.messages.orders import Contingency, OrderIntent
from engine.session.replay import ReplaySession
from tests.engine.nautilus.desks import wanted
from tests.engine.session.markets import obey, quotes

type Step = tuple[int, AnyCommand]
"""Row of the quotes up to which all has happened, and what is done then."""


def at(row: int) -> int:
    """Market time of a row of the quotes."""
    return int(quotes().ts_init[row])


def order(request: str, *intents: OrderIntent, contingency: Contingency = "none") -> Submit:
    return Submit(request=request, intents=intents, contingency=contingency)


def buy(request: str = "buy", quantity: int = 3_000, **rest: Any) -> Submit:
    return order(request, wanted("BUY", quantity, **rest))


def sell(request: str = "sell", quantity: int = 3_000, **rest: Any) -> Submit:
    return order(request, wanted("SELL", quantity, **rest))


def price(row: int, pips: int = 0) -> Decimal:
    """Mid of a row, so many pips away, on the grid."""
    rows = quotes()
    return Decimal(int(rows.bid[row] + rows.ask[row]) // 20 * 10 + 10 * pips).scaleb(-5)


def play(run: ReplaySession, steps: Iterable[Step]) -> list[AnyEvent]:
    """Seek from step to step and do what each says."""
    events: list[AnyEvent] = []
    for row, command in steps:
        events += obey(run, Seek(at(row)))
        events += obey(run, command)
    return events


def go(run: ReplaySession, *rows: int) -> list[AnyEvent]:
    """Seek to one row after the other."""
    return [event for row in rows for event in obey(run, Seek(at(row)))]


def traded(events: list[AnyEvent]) -> list[AnyEvent]:
    """Orders, fills, denials and positions since the newest epoch began."""
    began = max((n for n, event in enumerate(events) if isinstance(event, EpochBegan)), default=-1)
    kinds = (OrderChanged, TwapChanged, Filled, PositionChanged, Denied)
    return [event for event in events[began + 1 :] if isinstance(event, kinds)]


def of[E: AnyEvent](events: list[AnyEvent], kind: type[E]) -> list[E]:
    return [event for event in events if isinstance(event, kind)]
