"""Orders that the station ties together where their venue cannot: exits to an entry, one to another.

As of a single one (`engine.nautilus.legs`), `Held.acts` says of how they stand what is to be done next.
"""

from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from typing import Final, Literal

import msgspec

from engine.messages.orders import Contingency, OrderIntent
from engine.nautilus.adapters import Capabilities
from engine.nautilus.legs import Act, Leg, Said

_NONE: Final = Decimal(0)


def held_of(
    can: Capabilities, intents: Sequence[OrderIntent], contingency: Contingency
) -> Literal["", "bracket", "oco", "trailing"]:
    """What of a request the station must hold, as its venue cannot; empty where that takes all of it."""
    if contingency == "bracket" and not can.bracket:
        return "bracket"
    if contingency == "oco" and not can.oco:
        return "oco"
    trails = any(each.type == "TRAILING_STOP_MARKET" for each in intents)
    return "trailing" if trails and not can.trails_by_price else ""


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
        size = self._due(leg)
        if leg.intent.reduce_only:
            size = min(size, net if leg.intent.side == "SELL" else -net)
        return max(_NONE, size)

    def _due(self, leg: Leg) -> Decimal:
        """What of a leg is not filled yet."""
        if leg.ended:
            return _NONE
        done = sum((each.filled for each in self.legs), _NONE)
        if leg.size is None:
            assert self.entry is not None  # noqa: S101 - a bracket has one
            return self.entry.filled - done
        return leg.size - (done if self.kind == "oco" else leg.filled)

    @property
    def said(self) -> str:
        """What the station does with it, in a sentence."""
        names = " and ".join(leg.order_id for leg in self.legs)
        if self.entry is not None:
            what = f"The exits of {self.entry.order_id} ({names}) wait here and are sent as it fills"
        elif self.kind == "oco":
            what = f"{names} are tied here: as one fills, the other is cut or cancelled"
        else:
            what = f"{names} is moved from here"
        return f"{what}; not while the station does not run."

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
            if any(self._due(leg) for leg in self.legs):
                names = " and ".join(leg.order_id for leg in self.legs if not leg.ended)
                yield Said(f"The account holds nothing that {names} would reduce; dropped.")
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


class HeldBook:
    """All that is held in a session.

    Attributes
    ----------
    every : list of Held
        In the order in which it was asked for.
    """

    def __init__(self) -> None:
        self.every: list[Held] = []

    def find(self, order_id: str) -> tuple[Held, Leg] | None:
        """What an order belongs to, by the name of any of a leg's orders; None where nothing is held."""
        for held in self.every:
            for leg in held.every:
                if order_id == leg.order_id or order_id in leg.orders:
                    return held, leg
        return None

    def linked(self, order_id: str) -> tuple[str, ...]:
        """Orders that an order hangs together with, as they are now."""
        found = self.find(order_id)
        if found is None:
            return ()
        held, own = found
        return tuple(next(reversed(leg.orders), leg.order_id) for leg in held.every if leg is not own)

    def encode(self) -> str:
        """All of it as JSON."""
        return msgspec.json.encode(self.every).decode()

    def decode(self, text: str) -> None:
        """Take what `encode` gave; raises `msgspec.MsgspecError`."""
        self.every = msgspec.json.decode(text, type=list[Held])

    def explain(self, change: Decimal) -> None:
        """Have orders that a restart did not find again account for a change of the position.

        A venue that is asked for what works says nothing of what filled meanwhile: what the position does not
        show was cancelled, or never arrived.
        """
        for leg in (leg for held in self.every for leg in held.every):
            sign = 1 if leg.intent.side == "BUY" else -1
            for order in leg.orders.values():
                if order.status in ("GONE", "LOST"):
                    size = max(_NONE, min(order.quantity - order.filled, sign * change))
                    order.filled += size
                    change -= sign * size
                    if order.filled == order.quantity:
                        order.status = "FILLED"
