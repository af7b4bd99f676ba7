"""Live sessions over recorded data, driven as the link's server drives them."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from engine.columns import Columns
from engine.link.protocols import Picture
from engine.messages.events import AnyEvent
from engine.messages.run import Run, VenueRules
from engine.nautilus.strategy import StationStrategy
from engine.recording.recorder import SessionRecorder
from engine.session.live import LiveSession
from engine.session.live_market import recorded_as_live
from engine.session.memory import SessionMemory
from engine.session.source import ColumnsSource
from engine.signals.protocols import Model
from tests.engine.session.markets import CRYPTO, FX, quotes

_LONGEST_S = 20.0


class Driven:
    """A session and all that it has told."""

    def __init__(self, session: LiveSession) -> None:
        self.session = session
        self.events: list[AnyEvent] = []
        self.pictures: list[Picture] = []

    def until(self, condition: Callable[[], Any], *, watched: bool = False) -> None:
        """Drive on until it holds; fail after a while."""
        deadline = time.monotonic() + _LONGEST_S
        while not condition():
            assert time.monotonic() < deadline, self.events[-5:]
            self.session.advance(0.004)
            self.events += self.session.take_events()
            if watched:
                self.pictures.append(self.session.take_picture())

    def told[E](self, kind: type[E]) -> list[E]:
        """Events of this kind so far."""
        self.events += self.session.take_events()
        return [event for event in self.events if isinstance(event, kind)]


@contextmanager
def paper(
    *columns: Columns,
    strategy: type[StationStrategy] | str = "none",
    speed: float = 1.0,
    latency_ms: float = 0.0,
    venue_rules: VenueRules | None = None,
    model: Model | None = None,
    watched: bool = True,
    recorder: SessionRecorder | None = None,
    memory: SessionMemory | None = None,
    **run: Any,
) -> Iterator[Driven]:
    """Paper session over columns in memory, of the FX or the crypto instrument by their precision."""
    columns = columns or (quotes(),)
    instrument = FX if columns[0].price_precision == FX.price_precision else CRYPTO
    asked = Run(
        instrument=instrument.id,
        strategy=strategy if isinstance(strategy, str) else "none",
        venue=venue_rules or VenueRules(latency_ms=latency_ms),
        mode="paper",
        arm="paper",
        speed=speed,
        **run,
    )
    session = LiveSession(
        asked,
        recorded_as_live(asked, ColumnsSource(instrument, *columns)),
        model,
        strategy=None if isinstance(strategy, str) else strategy,
        watched=watched,
        recorder=recorder,
        memory=memory,
    )
    try:
        yield Driven(session)
    finally:
        session.close()
