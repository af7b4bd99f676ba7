"""A simulated venue with the hand at it, over quotes made by hand."""

from collections.abc import Iterable
from decimal import Decimal
from itertools import count
from types import TracebackType
from typing import Any, Self

import numpy as np

from engine.columns import Quotes
from engine.messages.commands import Submit
from engine.messages.events import AnyEvent, Filled, OrderChanged, PositionChanged
from engine.messages.orders import HAND, Contingency, OrderIntent
from engine.messages.run import VenueRules
from engine.nautilus.desk import Desk, HandCommand
from engine.nautilus.engine import SimulatedVenue
from engine.nautilus.strategy import StationStrategy
from engine.risk.gate import Gate
from engine.strategies import parse_parameters
from tests.engine.session.markets import FX, START_NS

SECOND = 1_000_000_000
MIDS = tuple(110_000 + 10 * at for at in range(10)) + tuple(110_090 - 10 * at for at in range(1, 20))
"""Up 1 pip a second for ten seconds, then down again."""


def quotes_at(mids: Iterable[int], size: int = 1_000_000) -> Quotes:
    """Quotes one second apart, two ticks wide, around these prices in ticks."""
    mid = np.array(list(mids))
    ts = START_NS + np.arange(len(mid)) * SECOND
    sizes = np.full(len(mid), size)
    return Quotes(
        ts_event=ts, ts_init=ts, bid=mid - 1, ask=mid + 1, bid_size=sizes, ask_size=sizes,
        price_precision=5, size_precision=0,
    )  # fmt: skip


def wanted(side: str, quantity: int | Decimal = 2_000, **rest: Any) -> OrderIntent:
    """A market order, or what `rest` makes of it; prices may be texts."""
    for name in ("price", "trigger", "trailing_offset"):
        if rest.get(name) is not None:
            rest[name] = Decimal(rest[name])
    return OrderIntent(
        instrument=rest.pop("instrument", FX.id),
        strategy=rest.pop("strategy", HAND),
        side=side,  # type: ignore[arg-type]
        type=rest.pop("type", "MARKET"),
        quantity=Decimal(quantity),
        **rest,
    )


class Rig:
    """A venue that a test moves second by second."""

    def __init__(
        self,
        mids: Iterable[int] = MIDS,
        *,
        latency_ms: float = 0.0,
        taker_fee: Decimal | None = None,
        size: int = 1_000_000,
        gate: Gate | None = None,
        oms: Any = "NETTING",
        strategy: type[StationStrategy] | str = "none",
    ) -> None:
        self.events: list[AnyEvent] = []
        self._names = count(1)
        self.venue = SimulatedVenue(
            FX,
            VenueRules(latency_ms=latency_ms, taker_fee=taker_fee, oms=oms),
            kinds=frozenset({"quotes"}),
            strategy=strategy,
            parameters=parse_parameters("none", {}),
            emit=self.events.append,
            gate=gate,
        )
        self.venue.load({"quotes": quotes_at(mids, size)})
        self.now = -1.0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        failure = self.venue.failure
        self.venue.dispose()
        if error is None:
            assert not failure

    @property
    def desk(self) -> Desk:
        return self.venue.desk

    def to(self, second: float) -> Self:
        """Let everything up to this second happen."""
        self.now = second
        ts = START_NS + round(second * SECOND)
        self.venue.run_to(ts)
        self.venue.settle(ts)
        return self

    def do(self, command: HandCommand) -> list[AnyEvent]:
        """Events that a command causes at once."""
        before = len(self.events)
        self.desk.obey(command)
        self.venue.settle(START_NS + round(self.now * SECOND))
        return self.events[before:]

    def submit(self, *intents: OrderIntent, contingency: Contingency = "none") -> list[AnyEvent]:
        name = f"r{next(self._names)}"
        return self.do(Submit(request=name, intents=intents, contingency=contingency))

    # What came of it

    def orders(self) -> dict[str, OrderChanged]:
        """Last state of every order."""
        return {each.order_id: each for each in self.events if isinstance(each, OrderChanged)}

    def lives(self) -> dict[str, list[str]]:
        """States of every order in turn."""
        lives: dict[str, list[str]] = {}
        for each in self.events:
            if isinstance(each, OrderChanged):
                lives.setdefault(each.order_id, []).append(each.status)
        return lives

    def fills(self) -> list[tuple[float, str, str, int, str]]:
        """Second, order, side, size and price of every fill."""
        return [
            ((each.ts - START_NS) / SECOND, each.order_id, each.side, int(each.quantity), str(each.price))
            for each in self.events
            if isinstance(each, Filled)
        ]

    def positions(self) -> dict[str, Decimal]:
        """What each strategy holds."""
        held = {each.strategy: each.quantity for each in self.events if isinstance(each, PositionChanged)}
        return {strategy: size for strategy, size in held.items() if size}
