"""What a live session trades on: where its market data come from and where its orders go."""

from collections.abc import Iterator
from dataclasses import dataclass

from engine.errors import UserError
from engine.messages.instrument import Instrument
from engine.messages.run import Run
from engine.nautilus.feed import Feed
from engine.nautilus.live import Client, sandbox
from engine.session.pace import FASTEST, SLOWEST
from engine.session.source import Chunk, Source


@dataclass(frozen=True, slots=True)
class LiveMarket:
    """One instrument live; a `Source` whose rows are still to come.

    Attributes
    ----------
    name : str
        Of the connection, for people.
    data : Client or Feed
    execution : Client
    start_ns, end_ns : int
        Range of recorded data, in the time in which they were recorded; of a venue's all time from now on.
    """

    name: str
    instrument: Instrument
    kinds: frozenset[str]
    data: Client | Feed
    execution: Client
    start_ns: int
    end_ns: int

    def chunks(self) -> Iterator[Chunk]:
        """Nothing: nobody knows yet what comes."""
        return iter(())


def recorded_as_live(run: Run, source: Source) -> LiveMarket:
    """Recorded or generated market data, served at the run's speed to simulated execution.

    Raises
    ------
    UserError
        The speed is not possible.
    """
    check_speed(run.speed)
    feed = Feed(
        source.instrument, (chunk.columns for chunk in source.chunks()), source.start_ns, speed=run.speed
    )
    return LiveMarket(
        name=f"recorded {source.instrument.id}",
        instrument=source.instrument,
        kinds=source.kinds,
        data=feed,
        execution=sandbox(source.instrument, run.venue, source.kinds),
        start_ns=source.start_ns,
        end_ns=source.end_ns,
    )


def check_speed(speed: float) -> None:
    """Refuse a speed at which nothing can be served.

    Raises
    ------
    UserError
        It is neither 0 nor one of a replay's.
    """
    if speed != 0 and not SLOWEST <= speed <= FASTEST:
        raise UserError(f"Speed {speed:g} is not possible; choose {SLOWEST:g} to {FASTEST:g}, or max.")
