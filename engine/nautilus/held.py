"""Orders that the station keeps as they are wanted where their venue cannot: exits, pairs, stops that move.

Nothing here happens by itself, and nothing waits for an event: `Held.acts` says of how the orders stand what
brings them to where they are to be. So an answer that is lost, an order that ended elsewhere and a restart
are no cases of their own. All of it is data that can be written down.
"""

from collections.abc import Callable, Iterable, Iterator
from decimal import Decimal
from typing import Final, NamedTuple

import msgspec

from engine.messages.orders import ENDED, Contingency, OrderIntent
from engine.risk.stops import on_grid, tightened

PACE_NS: Final = 500_000_000
"""Shortest time between two changes of what is at work for one leg."""

_MOST_TRIES: Final = 5
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
        self.tries, self.next_ns = self.tries + 1, now_ns + PACE_NS
        if self.tries > _MOST_TRIES:
            yield Said(
                f"Order {self.order_id} is not as it should be after {_MOST_TRIES} tries; see to it.", True
            )
        else:
            yield act

    def _dropped(self, order_id: str, now_ns: int) -> "Iterator[Act]":
        order = self.orders[order_id]
        if order.is_at_work and (not order.is_cancelled or now_ns >= self.next_ns):
            order.is_cancelled, self.next_ns = True, now_ns + PACE_NS
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


class Held(msgspec.Struct):
    """Orders of one request that hang together; of kind `none` one alone, which moves.

    Attributes
    ----------
    legs : list of Leg
        Exits of a bracket, the two of a pair, or the one.
    entry : Leg or None
        Of a bracket: what its exits are as large as. It is only looked at.
    """

    kind: Contingency
    request: str
    legs: list[Leg]
    entry: Leg | None = None

    @property
    def every(self) -> list[Leg]:
        """All of its legs, the entry first."""
        return self.legs if self.entry is None else [self.entry, *self.legs]

    @property
    def is_over(self) -> bool:
        """Whether nothing of it works, nor ever will."""
        return self._have_ended and not any(leg.alive for leg in self.every)

    @property
    def _have_ended(self) -> bool:
        return all(leg.ended for leg in self.legs)

    def wanted(self, leg: Leg, net: Decimal) -> Decimal:
        """Size of a leg that is to be at work where the account holds `net` (signed)."""
        if leg.ended:
            return _NONE
        done = sum((each.filled for each in self.legs), _NONE)
        if leg.size is None:
            assert self.entry is not None  # noqa: S101 - a bracket has one
            size = self.entry.filled - done
        else:
            size = leg.size - (done if self.kind == "oco" else leg.filled)
        if leg.intent.reduce_only:
            size = min(size, net if leg.intent.side == "SELL" else -net)
        return max(_NONE, size)

    def end(self, why: str) -> None:
        """Want nothing of it any more."""
        for leg in self.legs:
            leg.ended = leg.ended or why

    def acts(self, net: Decimal, now_ns: int, can_change: Callable[[Leg], bool]) -> Iterator[Act]:
        """What is to be done now; each is to be done before the next is asked for."""
        yield from self._settled(net)
        for leg in self.legs:
            size, again = self.wanted(leg, net), self.kind == "bracket"
            yield from leg.acts(size, now_ns, can_change=can_change(leg), sends_again=again)

    def _settled(self, net: Decimal) -> Iterator[Act]:
        """End what ends with another."""
        for leg in self.legs:
            yield from self._ended_with(leg)
        if self._have_ended or (self.entry is not None and self.entry.alive):
            return
        if self.entry is not None and not self.entry.filled:
            self.end("The entry ended unfilled.")
            yield Said(f"Entry {self.entry.order_id} ended unfilled; its exits are dropped.")
        elif not any(self.wanted(leg, net) for leg in self.legs):
            self.end("Nothing is left for it.")

    def _ended_with(self, leg: Leg) -> Iterator[Act]:
        last = leg.last
        if leg.ended or leg.alive or last is None or last.is_cancelled or last.status == "FILLED":
            return
        how = "is not at the venue any more" if last.status == "GONE" else f"was {last.status.lower()}"
        others = [each.order_id for each in self.legs if each is not leg and not each.ended]
        if self.kind == "bracket" and last.status != "CANCELED":
            of_time = last.status == "EXPIRED" and leg.intent.time_in_force in ("GTD", "DAY")
            if of_time or last.status == "GONE":
                # It may have been the one that fills: what else protects the position stays.
                leg.ended = f"It {how}."
                yield Said(f"Exit {leg.order_id} {how}.", is_warning=True)
            return
        self.end(f"Order {leg.order_id} {how}.")
        if others:
            yield Said(f"Order {leg.order_id} {how}; {' and '.join(others)} ends with it.")
        elif last.status == "GONE":
            yield Said(f"Order {leg.order_id} {how}.", is_warning=True)

    def lost(self, order_id: str) -> None:
        """An order was not found again after a restart."""
        for leg in self.every:
            order = leg.orders.get(order_id)
            if order is not None and not order.is_over:
                order.status = "LOST" if order.status in ("SENT", "INITIALIZED", "SUBMITTED") else "GONE"


def explain(held: Iterable[Held], change: Decimal) -> None:
    """Have orders that a restart did not find again account for a change of the position, as far as they can.

    A venue that is asked for what works says nothing of what filled meanwhile: what the position does not
    show was cancelled, or never arrived.
    """
    for leg in (leg for each in held for leg in each.every):
        sign = 1 if leg.intent.side == "BUY" else -1
        for order in leg.orders.values():
            if order.status in ("GONE", "LOST"):
                size = max(_NONE, min(order.quantity - order.filled, sign * change))
                order.filled += size
                change -= sign * size
                if order.filled == order.quantity:
                    order.status = "FILLED"
