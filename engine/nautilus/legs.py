"""One order that the station keeps as it is wanted where its venue cannot, by others that take its place.

Nothing here happens by itself, and nothing waits for an event: `Leg.acts` says of how its orders stand what
brings them to where they are to be. So an answer that is lost, an order that ended elsewhere and a restart
are no cases of their own. All of it is data that can be written down.
"""

from collections.abc import Iterator
from decimal import Decimal
from typing import Final, NamedTuple

import msgspec

from engine.messages.orders import ENDED, OrderIntent
from engine.risk.stops import on_grid, tightened

PACE_NS: Final = 500_000_000
"""Shortest time between two changes of what is at work for one leg."""

_MOST_TRIES: Final = 6
"""Each waits twice as long as the one before: half a minute in all."""

_AGAIN_NS: Final = (PACE_NS, 4 * PACE_NS, 60 * PACE_NS)
"""Time after which a cancellation is asked for again. Only what is left alone so long is compared with the
venue, where it may have ended unheard."""
_NONE: Final = Decimal(0)
_AT_WORK: Final = frozenset({"ACCEPTED", "TRIGGERED", "PARTIALLY_FILLED"})
_OVER: Final = ENDED | {"GONE", "LOST"}
_KEPT: Final = 8
"""Orders of one leg that are remembered; of an older one nothing is told any more."""
_STOPS: Final = frozenset({"STOP_MARKET", "STOP_LIMIT", "TRAILING_STOP_MARKET"})


class Trace(msgspec.Struct):
    """One order as it was seen last.

    Attributes
    ----------
    status : str
        NautilusTrader's; `SENT` before it told any. After a restart an order that is not found again is
        `GONE`, or `LOST` where nobody had ever answered for it.
    is_cancelled : bool
        By the station.
    drops : int
        How often it was asked for.
    asked : tuple or None
        Size and trigger that a change is to give it.
    """

    quantity: Decimal
    filled: Decimal = _NONE
    price: Decimal | None = None
    trigger: Decimal | None = None
    status: str = "SENT"
    is_market: bool = False
    is_cancelled: bool = False
    drops: int = 0
    asked: tuple[Decimal, Decimal | None] | None = None

    @property
    def is_over(self) -> bool:
        """Whether nothing of it works any more."""
        return self.status in _OVER

    @property
    def is_at_work(self) -> bool:
        """Whether the venue has it, and nothing is under way."""
        return self.status in _AT_WORK

    @property
    def leaves(self) -> Decimal:
        """What can still fill of it."""
        return _NONE if self.is_over else self.quantity - self.filled


class Leg(msgspec.Struct):
    """What is wanted of one order, and the orders that stood for it in turn.

    Attributes
    ----------
    order_id : str
        Of the first of them; by it a person knows the leg.
    intent : OrderIntent
        With the price and trigger that are wanted now.
    size : Decimal or None
        Of all of it; None where it is what the entry has filled.
    offset : Decimal or None
        Distance that its trigger keeps from the touch.
    before : Decimal
        What was filled by orders that are no longer remembered.
    ended : str
        Why nothing of it is wanted any more; empty while something is.
    """

    order_id: str
    intent: OrderIntent
    size: Decimal | None = None
    offset: Decimal | None = None
    orders: dict[str, Trace] = {}
    before: Decimal = _NONE
    ended: str = ""
    tries: int = 0
    next_ns: int = 0

    @property
    def filled(self) -> Decimal:
        """What all of its orders have filled."""
        return sum((each.filled for each in self.orders.values()), self.before)

    @property
    def alive(self) -> list[str]:
        """Its orders that can still fill, oldest first."""
        return [name for name, each in self.orders.items() if not each.is_over]

    @property
    def last(self) -> Trace | None:
        """The newest of its orders."""
        return next(reversed(self.orders.values()), None)

    @property
    def protects(self) -> bool:
        """Whether it stands behind the market, and only reduces: without it there is no protection."""
        return self.intent.reduce_only and self.intent.type in _STOPS

    def begin(self, order_id: str, trace: Trace) -> None:
        """An order is sent for it."""
        self.orders[order_id] = trace
        for name in list(self.orders)[:-_KEPT]:
            if self.orders[name].is_over:
                self.before += self.orders.pop(name).filled

    def follow(self, bid: Decimal, ask: Decimal, tick: Decimal) -> None:
        """Take the trigger along with the touch, only ever towards the market."""
        if self.offset is not None:
            sells = self.intent.side == "SELL"
            wanted = on_grid(bid - self.offset if sells else ask + self.offset, tick, down=sells)
            if wanted > 0:
                wanted = tightened(self.intent.trigger, wanted, is_long=sells)
                self.intent = msgspec.structs.replace(self.intent, trigger=wanted)

    def _fits(self, order: Trace, leaves: Decimal, *, can_change: bool) -> bool:
        if order.leaves != leaves or order.is_market or self.intent.type == "TRAILING_STOP_MARKET":
            return order.leaves == leaves
        if order.status == "TRIGGERED" or (can_change and self.offset is None):
            return True  # by now it cannot be moved, or whoever wants that asks the venue
        return (order.price, order.trigger) == (self.intent.price, self.intent.trigger)

    # What is to be done -----------------------------------------------------------------------------------

    def acts(self, size: Decimal, now_ns: int, *, can_change: bool, sends_again: bool) -> "Iterator[Act]":
        """What brings it to so much at work.

        Parameters
        ----------
        can_change : bool
            Whether the venue changes it while it works.
        sends_again : bool
            Whether it is sent again where it was refused.
        """
        alive = self.alive
        if not size or (len(alive) > 1 and self.orders[alive[-1]].is_at_work):
            for name in alive if not size else alive[:-1]:
                yield from self._dropped(name, now_ns)
        if not size or not all(self.orders[name].is_at_work for name in alive):
            return
        if not alive:
            last = self.last
            if sends_again or last is None or last.is_cancelled or last.status == "FILLED":
                yield from self._tried(Place(self, size), now_ns)
        elif len(alive) == 1:
            yield from self._brought(alive[0], size, now_ns, can_change=can_change)

    def _brought(self, order_id: str, size: Decimal, now_ns: int, *, can_change: bool) -> "Iterator[Act]":
        order, trigger = self.orders[order_id], self.intent.trigger
        asked, order.asked = order.asked, None
        if order is self.last and asked in (None, (order.quantity, order.trigger)):
            self.tries = 0
        if self._fits(order, size, can_change=can_change):
            return
        if can_change:
            act: Act = Change(self, order_id, order.filled + size, None if self.offset is None else trigger)
        elif self.protects:
            act = Place(self, size)  # what stands for it stays until this works
        else:
            act = Drop(order_id)
        for each in self._tried(act, now_ns):
            order.is_cancelled = isinstance(each, Drop)
            if isinstance(each, Change):
                order.asked = (each.size, order.trigger if each.trigger is None else each.trigger)
            yield each

    def _tried(self, act: "Act", now_ns: int) -> "Iterator[Act]":
        if now_ns < self.next_ns or self.tries > _MOST_TRIES:
            return
        self.tries, self.next_ns = self.tries + 1, now_ns + (PACE_NS << self.tries)
        if self.tries > _MOST_TRIES:
            yield Said(
                f"Order {self.order_id} is not as it should be after {_MOST_TRIES} tries; see to it.", True
            )
        else:
            yield act

    def _dropped(self, order_id: str, now_ns: int) -> "Iterator[Act]":
        order = self.orders[order_id]
        if order.is_at_work and (not order.is_cancelled or now_ns >= self.next_ns):
            wait_ns = _AGAIN_NS[min(order.drops, len(_AGAIN_NS) - 1)]
            order.is_cancelled, order.drops, self.next_ns = True, order.drops + 1, now_ns + wait_ns
            yield Drop(order_id)


class Place(NamedTuple):
    """Send an order of a leg, of this size."""

    leg: Leg
    size: Decimal


class Change(NamedTuple):
    """Give an order of a leg this size and trigger; None leaves it where it is."""

    leg: Leg
    order_id: str
    size: Decimal
    trigger: Decimal | None


class Drop(NamedTuple):
    """Cancel an order."""

    order_id: str


class Said(NamedTuple):
    """Tell a person; a warning where something is not as they want it."""

    text: str
    is_warning: bool = False


type Act = Place | Change | Drop | Said
