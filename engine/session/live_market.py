"""What a live session trades on: where its market data come from and where its orders go."""

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import msgspec

from engine.errors import UserError
from engine.messages.instrument import Instrument
from engine.messages.run import Run
from engine.nautilus.adapters import Client as AdapterClient
from engine.nautilus.adapters import adapter_named, clients_of
from engine.nautilus.feed import Feed
from engine.nautilus.looking import look_up
from engine.nautilus.node import Client, sandbox
from engine.session.pace import check_speed
from engine.session.source import KINDS, Chunk, Source

_EVER: Final = 2**63 - 1


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
    account_id : str
        The account at the venue; empty where execution is simulated.
    account : str
        Its name for a person, to be typed where that is asked for.
    """

    name: str
    instrument: Instrument
    kinds: frozenset[str]
    data: Client | Feed
    execution: Client
    start_ns: int
    end_ns: int
    account_id: str = ""
    account: str = "paper"

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


def market_at(run: Run, secrets: Mapping[str, str]) -> LiveMarket:
    """A venue's market by the run's connection: for paper to simulated execution, else to the venue itself.

    Raises
    ------
    UserError
        The connection cannot be used (see `clients_of`), or the venue has no such instrument or is silent.
    """
    assert run.connection is not None  # noqa: S101 - who calls
    # Only what is traded: a venue has thousands of instruments.
    parameters = run.connection.parameters | {"instruments": run.instrument}
    connection = msgspec.structs.replace(run.connection, parameters=parameters)
    trading = run.mode == "live"
    venue = adapter_named(connection.adapter).venue
    if venue and not run.instrument.endswith(f".{venue}"):
        raise UserError(
            f"{connection.name} trades at {venue}, where there is no {run.instrument}; name an instrument as "
            f"SYMBOL.{venue}."
        )
    clients = clients_of(connection, secrets, trading=trading)
    instrument = look_up(clients, run.instrument)
    kinds, now = frozenset(KINDS), time.time_ns()
    simulated = sandbox(instrument, run.venue, kinds)
    return LiveMarket(
        name=connection.name,
        instrument=instrument,
        kinds=kinds,
        data=_named(clients.data),
        execution=simulated if clients.execution is None else _named(clients.execution),
        start_ns=now,
        end_ns=_EVER,
        account_id=clients.account_id,
        account=connection.account if trading else "paper",
    )


def _named(client: AdapterClient) -> Client:
    return Client(None, client.factory, client.config)
