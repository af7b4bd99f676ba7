"""Orders in doubt: sent, and no answer came. They are told as such, asked for, and never sent again.

NautilusTrader asks the venue for them and takes over what it tells. What it cannot tell apart is a venue that
knows no such order from one that does not answer: so each of our questions comes with one for the account,
and only a venue that answered that, again and again, and still told nothing of the order, has never got it.
The node learns of it through a client of ours (`engine.nautilus.resolver`).
"""

import math
import time
from collections.abc import Callable
from typing import Any, Final

import msgspec
from nautilus_trader.model import ClientOrderId, InstrumentId

from engine.messages.events import AnyEvent, OrderChanged
from engine.nautilus.resolver import Resolving

DOUBT_S: Final = 3.0
"""Time after which an answer that has not come is missed."""

IN_DOUBT: Final = "IN_DOUBT"

_ASK_EVERY_S: Final = 3.0
_ANSWERS: Final = 3
_SURELY_LOST_S: Final = 15.0
"""No venue takes an order that is older."""

_MOST_AT_ONCE: Final = 30
"""Orders asked for in one round, so that a long outage does not end in a ban for asking too often."""

_CALM_S: Final = 10.0
"""Time after a doubt or a lost connection in which the node's own checks find what was missed."""

_UNANSWERED: Final = frozenset({"SUBMITTED", "PENDING_UPDATE", "PENDING_CANCEL"})
_WHAT: Final = {
    "SUBMITTED": "the order",
    "PENDING_UPDATE": "the change",
    "PENDING_CANCEL": "the cancellation",
}


class _Doubt:
    """One order that waits for an answer."""

    def __init__(self, event: OrderChanged, now_s: float) -> None:
        self.event, self.since_s = event, now_s
        self.is_told = self.was_asked = False
        self.asked_s = 0.0
        self.answers = 0


class Doubts:
    """Watches the orders of one node for answers.

    Parameters
    ----------
    cache : Cache
    instrument_id : InstrumentId
        Of the venue that is asked.
    asker : Strategy
        Through which the venue is asked.
    resolving : Resolving
    emit : callable
        Takes the events that tell a doubt.
    now_s : callable
        Seconds, steadily rising.
    """

    def __init__(
        self,
        cache: Any,
        instrument_id: InstrumentId,
        asker: Any,
        resolving: Resolving,
        emit: Callable[[AnyEvent], None],
        now_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._cache, self._venue, self._asker = cache, instrument_id.venue, asker
        self._resolver, self._emit, self._now_s = resolving.made, emit, now_s
        self._waiting: dict[str, _Doubt] = {}
        self._round_s = 0.0
        self._known: Any = None
        """The account's newest event that was looked at."""
        self._tells_answers: bool | None = None
        """Whether the account's events say which of them are answers."""
        self._uneasy_s = -math.inf
        if self._resolver is not None:
            self._resolver.may_compare = self.is_calm

    def note(self, event: OrderChanged) -> None:
        """Take every step of an order of this session."""
        if event.status == IN_DOUBT:
            return
        if event.status not in _UNANSWERED:
            self._waiting.pop(event.order_id, None)
            return
        doubt = self._waiting.get(event.order_id)
        if doubt is None or event.venue_order_id:
            self._waiting[event.order_id] = _Doubt(event, self._now_s())
        else:
            # Asking to cancel what was never answered, and being refused, makes it no less doubtful.
            doubt.event, doubt.is_told = event, False

    def disturbed(self) -> None:
        """Take that a connection was lost, or came back."""
        self._uneasy_s = self._now_s()

    def is_calm(self) -> bool:
        """Whether every order has its answer, and what was missed of late has been found."""
        if any(not each.event.venue_order_id for each in self._waiting.values()):
            return False
        return self._now_s() - self._uneasy_s >= _CALM_S

    def look(self) -> None:
        """Tell what has become doubtful, and ask for it."""
        if self._tells_answers is None:  # now, while its first state is there, which was asked for
            first = self._cache.account_for_venue(self._venue).events[0]
            self._tells_answers = bool(first.info)
        now_s = self._now_s()
        doubtful = [each for each in self._waiting.values() if now_s - each.since_s >= DOUBT_S]
        if not doubtful:
            return
        self._uneasy_s = now_s
        for doubt in doubtful:
            if not doubt.is_told:
                doubt.is_told = True
                self._tell(doubt, now_s - doubt.since_s)
        if now_s - self._round_s >= _ASK_EVERY_S:
            self._round_s = now_s
            self._ask(doubtful, now_s)

    def _tell(self, doubt: _Doubt, age_s: float) -> None:
        what = _WHAT[doubt.event.status if doubt.event.venue_order_id else "SUBMITTED"]
        text = f"The venue has not answered {what} for {age_s:.0f} s; it may or may not be at work."
        self._emit(msgspec.structs.replace(doubt.event, ts=time.time_ns(), status=IN_DOUBT, reason=text))

    def _ask(self, doubtful: list[_Doubt], now_s: float) -> None:
        """Ask for those that have waited longest for it, and for the account."""
        account_id = self._cache.account_id(self._venue)
        answered = self._has_answered(self._cache.account(account_id))
        for doubt in doubtful:
            doubt.answers += answered and doubt.was_asked
            doubt.was_asked = False
        for doubt in sorted(doubtful, key=lambda each: each.asked_s)[:_MOST_AT_ONCE]:
            order = self._cache.order(ClientOrderId(doubt.event.order_id))
            is_lost = doubt.answers >= _ANSWERS and now_s - doubt.since_s >= _SURELY_LOST_S
            if is_lost and self._resolver is not None:
                if order.venue_order_id is None:
                    self._resolver.reject(order, "The venue answers, and knows no such order.")
                else:
                    # Had it been cancelled or changed, the answers would have said so.
                    self._resolver.refuse(order, "It never arrived; the order is at work as it was.")
                continue
            doubt.was_asked, doubt.asked_s = True, now_s
            self._asker.query_order(order)
        self._asker.query_account(account_id)

    def _has_answered(self, account: Any) -> bool:
        """Whether the venue answered for the account since the last round.

        What its stream tells unasked is no answer to a question; an adapter that tells the two apart fills
        in `info` only for answers, as it did for the first.
        """
        fresh = []
        for event in reversed(account.events):
            if event.event_id == self._known:
                break
            fresh.append(event)
        if not fresh:
            return False
        self._known = fresh[0].event_id
        return not self._tells_answers or any(bool(each.info) for each in fresh)
