"""Keeps at a venue what is held here: sees how orders stand, does what `engine.nautilus.held` says, tells it.

What waits here is not at the venue: while the station does not run nothing of it is sent, moved or cancelled.
"""

import sys
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec

from engine.errors import UserError
from engine.messages.orders import EXTERNAL, HAND, HELD, Contingency, OrderIntent
from engine.nautilus import events
from engine.nautilus.adapters import Capabilities
from engine.nautilus.gated import intent_of
from engine.nautilus.held import Held, HeldBook
from engine.nautilus.legs import Act, Change, Drop, Leg, Place, Said, Trace
from engine.risk.book import Touch
from engine.risk.venue_gate import VenueGate

if TYPE_CHECKING:
    from engine.nautilus.live_desk import LiveDesk


class Keeper:
    """What is held of the orders of one session.

    Parameters
    ----------
    trader : LiveDesk
        Through which orders go.
    can : Capabilities
        Of the venue.

    Attributes
    ----------
    is_changed : bool
        Something is to be written down before the node goes on; whoever does that sets it back.
    """

    def __init__(self, trader: "LiveDesk", can: Capabilities) -> None:
        self._trader, self._can = trader, can
        self._book = HeldBook()
        self._net_then = Decimal(0)
        self.is_changed = False

    def __bool__(self) -> bool:
        """Whether anything is held."""
        return bool(self._book.every)

    # What is asked for --------------------------------------------------------------------------------------

    def as_sent(self, intent: OrderIntent) -> OrderIntent:
        """The intent as the venue takes it: what trails is a stop that is moved."""
        if intent.type != "TRAILING_STOP_MARKET" or self._can.trails_by_price:
            return intent
        leg, now = self._leg("", intent), self._trader.touch_now()
        if now is not None and intent.trigger is None:
            leg.follow(now.bid, now.ask, self._trader.instrument.tick_size)
        if leg.intent.trigger is None:
            raise UserError("The market has no price yet to trail behind; wait for its first tick.")
        return msgspec.structs.replace(leg.intent, type="STOP_MARKET", trailing_offset=None)

    def take(
        self, request: str, order_ids: Sequence[str], intents: Sequence[OrderIntent], contingency: Contingency
    ) -> None:
        """Hold orders of which those were sent that do not wait: the entry of a bracket, or all of them."""
        legs = [self._leg(*each) for each in zip(order_ids, intents, strict=True)]
        entry = None
        if contingency == "bracket":
            entry, *legs = legs
        held = Held(contingency, request, legs, entry)
        for leg in held.legs if entry is None else [entry]:
            leg.intent = self.as_sent(leg.intent)
            leg.begin(leg.order_id, Trace(leg.intent.quantity))
        self._book.every.append(held)
        self.is_changed = True
        if entry is not None:
            for leg in legs:
                leg.size = None
                self._tell_waiting(held, leg)
        self._trader.say(held.said)

    def _leg(self, order_id: str, intent: OrderIntent) -> Leg:
        offset = None if self._can.trails_by_price else intent.trailing_offset
        return Leg(order_id, intent, size=intent.quantity, offset=offset)

    def alter(self, order: Any, changes: dict[str, Decimal]) -> bool:
        """Have an order at work changed by another in its place; False where the venue is to change it."""
        order_id, can_change = str(order.client_order_id), self._can_change(order.order_type.name)
        found = self._book.find(order_id)
        if found is None and not can_change and str(order.strategy_id) in (HAND, EXTERNAL):
            leg = self._leg(order_id, msgspec.structs.replace(intent_of(order), strategy=HAND))
            leg.begin(order_id, Trace(leg.intent.quantity))
            found = Held("none", "", [leg]), leg
        if found is None or found[1] is found[0].entry:
            return False
        held, leg = found
        if not can_change:
            if not self._trader.may_change(order, changes):
                return True
            if held not in self._book.every:
                self._book.every.append(held)
        if "quantity" in changes:
            more = changes["quantity"] - order.filled_qty.as_decimal()
            legs = held.legs if held.kind == "oco" else [leg]
            size = more + sum((each.filled for each in legs), Decimal(0))
            for each in legs:
                each.size = size
        leg.intent, leg.tries, leg.next_ns, self.is_changed = _changed(leg.intent, changes), 0, 0, True
        if not can_change:
            self._tend(held)
        return not can_change

    def alter_waiting(self, order_id: str, changes: dict[str, Decimal]) -> bool:
        """Change what waits here; False where nothing of this name does. Raises `UserError`."""
        found = self._book.find(order_id)
        if found is None or found[1].orders:
            return False
        held, leg = found
        if "quantity" in changes:
            raise UserError("It becomes as large as what the entry fills; change the entry's size.")
        wanted = _changed(leg.intent, changes)
        denial = VenueGate(self._trader.instrument).check(wanted)
        if denial is not None:
            raise UserError(denial.text)
        leg.intent, self.is_changed = wanted, True
        self._tell_waiting(held, leg)
        return True

    def cancel(self, order_id: str) -> bool:
        """End an order and what hangs together with it; False where it is none that is held."""
        found = self._book.find(order_id)
        if found is None or found[1] is found[0].entry:
            return False
        held, leg = found
        others = [each.order_id for each in held.legs if each is not leg]
        held.end("It was cancelled by hand.")
        if others:
            self._trader.say(f"{order_id} is cancelled by hand; {' and '.join(others)} ends with it.")
        self._tend(held)
        return True

    def drop(self, why: str) -> None:
        """End all that is held."""
        for held in self._book.every:
            held.end(why)
        self.tend()

    # What is done -------------------------------------------------------------------------------------------

    def tend(self) -> None:
        """Look at how the orders stand, and do what is due; between the node's turns."""
        for held in list(self._book.every):
            self._tend(held)

    def _tend(self, held: Held) -> None:
        self._observe(held)
        trader, net = self._trader, self._trader.net
        now = trader.touch_now()
        for leg in held.legs:
            if now is not None and held.wanted(leg, net):
                leg.follow(now.bid, now.ask, trader.instrument.tick_size)
        for act in held.acts(net, trader.now_ns, lambda leg: self._can_change(leg.intent.type)):
            self.is_changed = True
            self._do(held, act)
        for leg in held.legs:
            if leg.ended and not leg.orders:
                leg.begin(leg.order_id, Trace(Decimal(0), status="CANCELED"))
                self._tell(held, leg, "CANCELED", leg.ended)
        if held.is_over:
            self._book.every.remove(held)
            self.is_changed = True

    def _observe(self, held: Held) -> None:
        for leg in held.every:
            for name in leg.orders:
                order = self._trader.order_of(name)
                if order is not None:
                    _see(leg.orders[name], order)

    def _do(self, held: Held, act: Act) -> None:
        trader = self._trader
        match act:
            case Place(leg, size):
                self._place(held, leg, size)
            case Change(_, order_id, size, trigger):
                order: Any = trader.order_of(order_id)
                changes = {"quantity": size} if trigger is None else {"quantity": size, "trigger": trigger}
                now = {"quantity": order.quantity, "trigger": getattr(order, "trigger_price", None)}
                trader.change_order(
                    order, **{key: each for key, each in changes.items() if now[key].as_decimal() != each}
                )
            case Drop(order_id):
                trader.take_back(trader.order_of(order_id))
            case Said(text, is_warning):
                trader.say(text, is_warning=is_warning)

    def _place(self, held: Held, leg: Leg, size: Decimal) -> None:
        trader = self._trader
        order_id = trader.new_name() if leg.orders else leg.order_id
        leg.intent = self.as_sent(leg.intent)
        intent = msgspec.structs.replace(leg.intent, quantity=size)
        is_passed = leg.protects and _is_beyond(intent, trader.touch_now())
        if is_passed:
            trader.say(f"The market is beyond {intent.trigger:f} already: {size:f} are closed at market.")
            intent = msgspec.structs.replace(
                intent, type="MARKET", price=None, trigger=None, time_in_force="GTC", expire_ns=None
            )
        trace = Trace(size, price=intent.price, trigger=intent.trigger, is_market=is_passed)
        leg.begin(order_id, trace)
        trader.let_out(order_id, intent, held.request)
        if trader.order_of(order_id) is None:
            trace.status = "DENIED"

    def _can_change(self, kind: str) -> bool:
        return self._can.modify and (kind == "LIMIT" or self._can.moves_stops)

    # What is known of it ------------------------------------------------------------------------------------

    def order_of(self, order_id: str) -> Any | None:
        """The order that stands for this one now; None where nothing of it works any more."""
        found = self._book.find(order_id)
        names = [order_id] if found is None else found[1].alive[-1:]
        order = self._trader.order_of(names[0]) if names else None
        return None if order is None or order.is_closed else order

    def has(self, order_id: str) -> bool:
        """Whether this is an order of what is held."""
        return self._book.find(order_id) is not None

    def linked(self, order_id: str) -> tuple[str, ...]:
        """Orders that an order hangs together with."""
        return self._book.linked(order_id)

    def _tell_waiting(self, held: Held, leg: Leg) -> None:
        self._tell(held, leg, HELD, "The station sends it as the entry fills.")

    def _tell(self, held: Held, leg: Leg, status: str, reason: str) -> None:
        told = events.denied(
            leg.intent, leg.order_id, self._trader.now_ns, reason, held.request, self.linked(leg.order_id)
        )
        self._trader.tell(msgspec.structs.replace(told, status=status))

    # Over a restart -----------------------------------------------------------------------------------------

    def remember(self) -> dict[str, str]:
        """What is to be known again."""
        return {"held": self._book.encode(), "net": str(self._trader.net)}

    def recall(self, state: Mapping[str, str]) -> None:
        """Take what `remember` gave; before anything is asked for."""
        try:
            self._book.decode(state.get("held", "[]"))
            self._net_then = Decimal(state.get("net", "0"))
        except (msgspec.MsgspecError, ArithmeticError) as error:
            print(f"What was held cannot be read and is passed over: {error}", file=sys.stderr, flush=True)

    def take_up(self) -> None:
        """Go on with what was held before, now that the account is known."""
        change = self._trader.net - self._net_then
        for held in self._book.every:
            for leg in held.every:
                sign = 1 if leg.intent.side == "BUY" else -1
                for name, trace in leg.orders.items():
                    order = self._trader.order_of(name)
                    if order is None:
                        held.lost(name)
                    else:
                        before = trace.filled
                        _see(trace, order)
                        change -= sign * (trace.filled - before)
        self._book.explain(change)
        for held in self._book.every:
            self._trader.say(f"From before: {held.said}")
            for leg in held.legs:
                if not leg.orders and not leg.ended:
                    self._tell_waiting(held, leg)
        self.tend()


def _see(trace: Trace, order: Any) -> None:
    trace.status, trace.quantity = order.status.name, order.quantity.as_decimal()
    trace.filled = order.filled_qty.as_decimal()
    if not trace.is_market:
        trace.price = events.price_of(order, "price")
        trace.trigger = events.price_of(order, "trigger_price")


def _changed(intent: OrderIntent, changes: dict[str, Decimal]) -> OrderIntent:
    prices = {name: value for name, value in changes.items() if name != "quantity"}
    return msgspec.structs.replace(intent, **prices)


def _is_beyond(intent: OrderIntent, now: Touch | None) -> bool:
    if now is None or intent.trigger is None:
        return False
    return intent.trigger >= now.bid if intent.side == "SELL" else intent.trigger <= now.ask
