"""The hand at a live venue, where an account may hold what no strategy of the session has opened."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Final, Literal

import msgspec
from nautilus_trader.model import OrderSide, TimeInForce

from engine.errors import UserError
from engine.messages.commands import Modify
from engine.messages.events import AnyEvent, OrderChanged
from engine.messages.orders import HAND, Contingency, OrderIntent
from engine.nautilus import events
from engine.nautilus.desk import LATE_NS, Desk
from engine.nautilus.held import held_of
from engine.nautilus.instrument import price, quantity
from engine.nautilus.keeper import Keeper
from engine.nautilus.orders import Ties, ties
from engine.nautilus.requests import check_number
from engine.nautilus.strategy import Context
from engine.risk.kill import Holding
from engine.risk.netted import at_venue, cancelling_out

_REQUESTS: Final = 500
"""Newest requests that are known again after a restart."""


class LiveDesk(Desk):
    """Closes foreign positions, too, asks the venue how things stand, and holds what the venue cannot."""

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._keeper = Keeper(self, self._settings.can)
        self._is_untended = False
        self._crossing_ns = 0
        """Until when a flattening still closes what cancels out; 0 where there is none."""

    def positions(self) -> list[Holding]:
        """Open positions of all traders; of those that cancel out at the venue, what does not.

        A foreign position is only closed by an opposite one of the hand's: they cancel out at the venue, and
        both stay in the engine's books. So where there is one, the account's own is told as the hand's.
        """
        held = super().positions()
        if all(each.strategy in self._traders for each in held):
            return at_venue(held) if self._is_netted else held
        net = sum((each.quantity for each in held), Decimal(0))
        return [Holding(self.instrument.id, HAND, net)] if net else []

    @property
    def _is_netted(self) -> bool:
        """Whether the venue holds one position for all traders, as simulated ones do not."""
        return not (self.context.simulated or self.context.hedging)

    @property
    def _cancelling_out(self) -> list[Holding]:
        held = super().positions()
        is_ours = all(each.strategy in self._traders for each in held)
        return cancelling_out(held) if self._is_netted and is_ours else []

    def flatten(self) -> None:
        """As the hand's; what cancels out is closed, too, or who closes one of both later opens the other."""
        self._crossing_ns = self.now_ns + LATE_NS if self._cancelling_out else 0
        super().flatten()
        self._cross()

    def _cross(self) -> None:
        """Close what cancels out, once the rest is: one that overtook a reduce-only order had it refused."""
        if not self._crossing_ns or any(self._unfinished_of(each) for each in self._traders.values()):
            return
        in_time, self._crossing_ns = self.now_ns <= self._crossing_ns, 0
        for each in self._cancelling_out if in_time else []:
            self._traders[each.strategy].close_out(most=abs(each.quantity), crosses=True)

    def say_what_cancels_out(self) -> None:
        """Tell of positions that a halt leaves alone, as the venue holds nothing of them."""
        left = [f"{each.quantity:+f} of {each.strategy}" for each in self._cancelling_out]
        if left:
            self.say(
                f"{' and '.join(left)} cancel out at the venue, which holds nothing. They stay in the books; "
                "flatten to close each, once orders pass again."
            )

    def close(self, holding: Holding, by: Literal["market", "limit"]) -> None:
        """Have a position closed by whoever holds it, or by an opposite one of the hand's."""
        held = super().positions()
        if holding.strategy in self._traders and holding in held:
            super().close(holding, by)
            return
        if any(_is_part(holding, each) for each in held):
            limit = self.limit_through(holding.quantity) if by == "limit" else None
            self._traders[holding.strategy].close_out(limit, most=abs(holding.quantity))
            return
        side = OrderSide.SELL if holding.quantity > 0 else OrderSide.BUY
        size = (self.instrument_id, side, quantity(abs(holding.quantity), self.instrument))
        if by == "market":
            order = self.order_factory.market(*size)
        else:
            at = price(self.limit_through(holding.quantity), self.instrument)
            order = self.order_factory.limit(*size, at, time_in_force=TimeInForce.IOC)
        self.submit(order, closes=self.instrument.id)

    def ask_account(self) -> None:
        """Have the venue tell the account's balances, as a lost connection may have swallowed a change."""
        account_id = self._cache.account_id(self.instrument_id.venue)
        if account_id is not None:
            self.query_account(account_id)

    # What is held here --------------------------------------------------------------------------------------

    def tend(self, *, looks: bool) -> None:
        """Do what is due of what is held, and of a flattening; `looks` where all orders were looked at."""
        self._cross()
        if self._keeper and (looks or self._is_untended):
            self._is_untended = False
            self._keeper.tend()

    @property
    def holds(self) -> bool:
        """Whether the station holds anything for the venue."""
        return bool(self._keeper)

    @property
    def is_unwritten(self) -> bool:
        """Whether there is something to remember before the node goes on; asking sets it back."""
        unwritten, self._keeper.is_changed = self._keeper.is_changed, False
        return unwritten

    def remember(self) -> dict[str, str]:
        """Requests that were seen, what is held, and whether anything at the venue is the hand's."""
        if not (self._requests or self._keeper or self.own_positions()):
            return {}
        is_involved = bool(self._keeper or self.own_positions() or self._unfinished_of(self))
        return {
            "requests": "\n".join(list(self._requests)[-_REQUESTS:]),
            "involved": "yes" if is_involved else "",
            **self._keeper.remember(),
        }

    def recall(self, state: Mapping[str, str]) -> None:
        """Take what `remember` gave."""
        self._requests = dict.fromkeys(filter(None, state.get("requests", "").split("\n")))
        self._keeper.recall(state)

    def take_up(self) -> None:
        """Go on with what was held before, now that the venue has told how things stand."""
        self._keeper.take_up()

    def place(self, request: str, intents: Sequence[OrderIntent], contingency: Contingency = "none") -> None:
        """As the hand's; what was seen is remembered before anything leaves."""
        super().place(request, intents, contingency)
        self._keeper.is_changed = True

    def modify(self, command: Modify) -> None:
        """As the hand's; also what waits here."""
        given = {"quantity": command.quantity, "price": command.price, "trigger": command.trigger}
        exact = {name: value for name, value in given.items() if value is not None}
        for name, value in exact.items():
            check_number(name, value)
        if not self._keeper.alter_waiting(command.order_id, exact):
            super().modify(command)

    def alter(self, order: Any, **changes: Decimal) -> None:
        """Change a working order, by another in its place where the venue changes none."""
        if not self._keeper.alter(order, changes):
            super().alter(order, **changes)

    def standing(self, order_id: str) -> Any | None:
        """The order that stands for this one now; None where nothing of it works any more."""
        return self._keeper.order_of(order_id)

    def drop_stop(self, order: Any) -> None:
        """Cancel the stop of a position that is closed; one that is held is ended with what it was for."""
        if not self._keeper.has(str(order.client_order_id)):
            super().drop_stop(order)

    def cancel(self, order_id: str) -> None:
        """As the hand's, with what hangs together with it."""
        if not self._keeper.cancel(order_id):
            super().cancel(order_id)

    def cancel_all(self) -> None:
        """As the hand's; nothing is held any more either."""
        self._keeper.drop("All orders are cancelled.")
        super().cancel_all()

    def _send_through_gate(
        self, request: str, intents: Sequence[OrderIntent], contingency: Contingency
    ) -> bool:
        keeper = self._keeper
        if not held_of(self._settings.can, intents, contingency):
            return super()._send_through_gate(request, intents, contingency)
        order_ids, sent = [self._next_id() for _ in intents], [keeper.as_sent(each) for each in intents]
        if not self._pass(order_ids, sent, ties(contingency, order_ids, ""), request):
            return False
        now = 1 if contingency == "bracket" else len(sent)
        for order_id in order_ids[now:]:
            self.context.gate.withdraw(order_id)
        if not self._dispatch(request, order_ids[:now], sent[:now], [Ties()] * now):
            why = f"Not sent, as {order_ids[0]} was refused."
            for order_id, intent in zip(order_ids[now:], sent[now:], strict=True):
                self._tell(events.denied(intent, order_id, self.now_ns, why, request, ()))
            return False
        keeper.take(request, order_ids, intents, contingency)
        return True

    def let_out(self, order_id: str, intent: OrderIntent, request: str) -> None:
        """Send one order through the gate; there is none of this name after it was refused."""
        if not self._pass([order_id], [intent], [Ties()], request):
            return
        try:
            self._dispatch(request, [order_id], [intent], [Ties()])
        except UserError as error:
            self._tell(events.denied(intent, order_id, self.now_ns, str(error), request, ()))

    def new_name(self) -> str:
        """Name for another order."""
        return self._next_id()

    def may_change(self, order: Any, changes: dict[str, Decimal]) -> bool:
        """Ask the gate whether an order may become so; a denial is told."""
        may = self._may_change(order.client_order_id, changes)
        if may:  # another takes its place, which is asked for by itself
            self.context.gate.withdraw(str(order.client_order_id))
        return may

    def change_order(self, order: Any, **changes: Decimal) -> None:
        """Change an order at the venue, whoever placed it."""
        super().alter(order, **changes)

    @property
    def net(self) -> Decimal:
        """What the account holds, signed."""
        found = self._cache.positions_open(instrument_id=self.instrument_id)
        return sum((events.signed_size(each) for each in found), Decimal(0))

    def tell(self, event: AnyEvent) -> None:
        """Tell an event."""
        self._tell(event)

    def _tell(self, event: AnyEvent) -> None:
        if isinstance(event, OrderChanged):
            self._is_untended = True
            linked = self._keeper.linked(event.order_id)
            if linked:
                event = msgspec.structs.replace(event, contingent=linked)
        super()._tell(event)


def _is_part(holding: Holding, whole: Holding) -> bool:
    same_side = (holding.quantity > 0) == (whole.quantity > 0)
    return same_side and holding.strategy == whole.strategy and abs(holding.quantity) <= abs(whole.quantity)
