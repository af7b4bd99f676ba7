"""Executions that the node guessed and that the venue's stream told afterwards: they count once.

NautilusTrader explains what an answer says is filled by an execution of its own making. Where the answer
overtakes the stream, it takes the stream's execution for another one, and the order has traded twice. And
where the stream then tells that the venue had cut the order to just that, it leaves it partially filled.
"""

import time
import uuid
from decimal import Decimal
from typing import Any, Final

from nautilus_trader.core import UUID4
from nautilus_trader.model import ClientOrderId, OrderFilled, OrderFillVoided, OrderUpdated, Quantity

from engine.messages.events import Filled, OrderChanged
from engine.nautilus.resolver import Resolving

_MADE_HERE: Final = 5
"""Version of the UUIDs by which the node names what it makes up; venues draw theirs at random, or count."""

_TOLD_WITHIN_NS: Final = 1_000_000_000
"""An execution carries the time at which it was told, an order that at which it traded.

What is taken back wrongly for being so close is asked for and found again; what is not counts twice for ever.
"""


class Guesses:
    """Takes back what was guessed once it is told.

    Parameters
    ----------
    cache : Cache
    resolving : Resolving
    """

    def __init__(self, cache: Any, resolving: Resolving) -> None:
        self._cache, self._resolver = cache, resolving.made
        self._told: list[Filled] = []
        self._cut: set[str] = set()
        """Orders that are filled whole and still at work."""
        self._known: dict[str, Decimal] = {}
        """How much of each guess was told."""

    def note(self, event: Filled) -> None:
        """Take every execution of the session."""
        if not event.corrects and not _is_made_up(event.trade_id):
            self._told.append(event)

    def note_order(self, event: OrderChanged) -> None:
        """Take every step of an order of the session."""
        if event.status == "PARTIALLY_FILLED" and event.filled >= event.quantity:
            self._cut.add(event.order_id)

    def look(self) -> None:
        """Have the node take back what was told since; not within its callbacks."""
        told, self._told = self._told, []
        for event in told:
            order = self._cache.order(ClientOrderId(event.order_id))
            if order is not None:  # else it ended long ago, and was forgotten
                self._take_back(event, order)
        cut, self._cut = self._cut, set()
        for order_id in cut:
            order = self._cache.order(ClientOrderId(order_id))
            if self._resolver is not None and order and order.is_open and order.filled_qty >= order.quantity:
                self._resolver.hand_in(_settled(order))

    def _take_back(self, event: Filled, order: Any) -> None:
        left = event.quantity
        for guess in order.events():
            # It was made from the order's state at that time, so it holds all that had happened by then.
            if not _is_guess(guess) or guess.ts_event + _TOLD_WITHIN_NS < event.ts:
                continue
            name = str(guess.trade_id)
            known = self._known.get(name, Decimal(0))
            size = min(left, guess.last_qty.as_decimal() - known)
            if size > 0 and self._resolver is not None:
                self._known[name], left = known + size, left - size
                self._resolver.hand_in(_void(guess, known + size, event.trade_id))


def _is_made_up(trade_id: str) -> bool:
    try:
        return uuid.UUID(trade_id).version == _MADE_HERE
    except ValueError:
        return False


def _is_guess(event: Any) -> bool:
    return isinstance(event, OrderFilled) and event.reconciliation and _is_made_up(str(event.trade_id))


def _void(guess: OrderFilled, size: Decimal, trade_id: str) -> OrderFillVoided:
    """Of this size in all, with what was taken back before."""
    now = time.time_ns()
    return OrderFillVoided(
        guess.trader_id,
        guess.strategy_id,
        guess.instrument_id,
        guess.client_order_id,
        guess.venue_order_id,
        guess.account_id,
        f"VOID-{guess.trade_id}-{trade_id}",
        guess.trade_id,
        Quantity.from_decimal_dp(size, guess.last_qty.precision),
        guess.order_side,
        guess.order_type,
        guess.last_px,
        guess.currency,
        guess.liquidity_side,
        UUID4(),
        now,
        now,
        reconciliation=True,
        is_reopened=True,  # of an order that it seemed to fill, the rest is at work after all
        position_id=guess.position_id,
        reason="It was a guess, and the venue told of the execution itself.",
    )


def _settled(order: Any) -> OrderUpdated:
    """Its size as it is: told by reconciliation, and not by the stream, it makes a whole order filled."""
    now = time.time_ns()
    return OrderUpdated(
        order.trader_id,
        order.strategy_id,
        order.instrument_id,
        order.client_order_id,
        order.quantity,
        UUID4(),
        now,
        now,
        reconciliation=True,
        venue_order_id=order.venue_order_id,
        account_id=order.account_id,
    )
