"""Small generated markets and sessions over them."""

from collections.abc import Callable
from functools import cache
from typing import Any

from engine.columns import Columns, Quotes
from engine.feeds.simulated import PROFILES, Simulation, random_quotes, simulate
from engine.messages.commands import AnyCommand
from engine.messages.events import AnyEvent, Phase
from engine.messages.run import Run, VenueRules
from engine.nautilus.strategy import StationStrategy
from engine.session.replay import ReplaySession
from engine.session.source import ColumnsSource
from engine.signals.protocols import Model

START_NS = 1_700_000_000_000_000_000
FX = PROFILES["fx"].instrument
CRYPTO = PROFILES["crypto"].instrument


@cache
def quotes(n: int = 6_000, seed: int = 3) -> Quotes:
    return random_quotes(n, seed, FX, START_NS)


@cache
def crypto(seconds: float = 20.0, seed: int = 5) -> Simulation:
    return simulate(PROFILES["crypto"], seed, START_NS, seconds)


def crypto_columns() -> tuple[Columns, ...]:
    market = crypto()
    return market.quotes, market.trades, market.deltas


def session(
    *columns: Columns,
    strategy: type[StationStrategy] | str = "none",
    latency_ms: float = 0.0,
    rows: int = 2_000,
    window_events: Callable[[], int] = lambda: 1_000,
    watched: bool = True,
    venue_rules: VenueRules | None = None,
    model: Model | None = None,
    **run: Any,
) -> ReplaySession:
    """Session over columns in memory, of the FX or the crypto instrument by their precision."""
    columns = columns or (quotes(),)
    instrument = FX if columns[0].price_precision == FX.price_precision else CRYPTO
    named = strategy if isinstance(strategy, str) else "none"
    return ReplaySession(
        Run(
            instrument=instrument.id,
            strategy=named,
            venue=venue_rules or VenueRules(latency_ms=latency_ms),
            **run,
        ),
        ColumnsSource(instrument, *columns, rows=rows),
        model,
        strategy=None if isinstance(strategy, str) else strategy,
        window_events=window_events,
        watched=watched,
    )


def obey(session: ReplaySession, *commands: AnyCommand) -> list[AnyEvent]:
    """Events of the session until it has nothing to do after these commands."""
    for command in commands:
        session.handle(command)
    while session.advance(0.05):
        pass
    return session.take_events()


def phase_of(events: list[AnyEvent]) -> Phase | None:
    """Phase that the events ended in."""
    return next((event.phase for event in reversed(events) if hasattr(event, "phase")), None)
