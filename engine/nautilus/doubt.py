"""Orders in doubt: sent, and no answer came. They are told as such, asked for, and never sent again.

NautilusTrader asks the venue for them and takes over what it tells. What it cannot tell apart is a venue that
knows no such order from one that does not answer: so each of our questions comes with one for the account,
and only a venue that answered that, again and again, and still told nothing of the order, has never got it.
The node learns of it through an execution client that does nothing else.
"""

import time
from collections.abc import Callable
from typing import Any, Final

import msgspec
from nautilus_trader.config import ExecutionClientConfig
from nautilus_trader.live import ClientCache
from nautilus_trader.live.clients import ExecutionClient, ExecutionClientFactory
from nautilus_trader.model import (
    AccountId,
    AccountType,
    ClientOrderId,
    OmsType,
    OrderStatus,
    OrderStatusReport,
    Quantity,
    TraderId,
    Venue,
    VenueOrderId,
)

from engine.messages.events import AnyEvent, OrderChanged
from engine.nautilus.node import Client

DOUBT_S: Final = 3.0
"""Time after which an answer that has not come is missed."""

IN_DOUBT: Final = "IN_DOUBT"

_ASK_EVERY_S: Final = 3.0
_ANSWERS: Final = 3
_SURELY_LOST_S: Final = 15.0
"""No venue takes an order that is older."""

_UNANSWERED: Final = frozenset({"SUBMITTED", "PENDING_UPDATE", "PENDING_CANCEL"})
_WHAT: Final = {
    "SUBMITTED": "the order",
    "PENDING_UPDATE": "the change",
    "PENDING_CANCEL": "the cancellation",
}


class Resolver(ExecutionClient):
    """Hands in what the venue would say of an order that it never got."""

    async def _connect(self) -> None:
        pass

    async def _disconnect(self) -> None:
        pass

    async def _generate_mass_status(self, lookback_mins: int | None) -> None:  # noqa: ARG002
        return None

    async def _generate_order_status_report(self, command: Any) -> None:  # noqa: ARG002
        return None

    async def _generate_order_status_reports(self, command: Any) -> list[Any]:  # noqa: ARG002
        return []

    async def _generate_fill_reports(self, command: Any) -> list[Any]:  # noqa: ARG002
        return []

    async def _generate_position_status_reports(self, command: Any) -> list[Any]:  # noqa: ARG002
        return []

    def reject(self, order: Any, reason: str) -> None:
        """Have the node know that there is no such order at the venue."""
        now = time.time_ns()
        self._handle_report(
            OrderStatusReport(
                self.account_id,
                order.instrument_id,
                VenueOrderId("none"),
                order.side,
                order.order_type,
                order.time_in_force,
                OrderStatus.REJECTED,
                order.quantity,
                Quantity.zero(order.quantity.precision),
                now,
                now,
                now,
                client_order_id=order.client_order_id,
                cancel_reason=reason,
            )
        )


class Resolving:
    """Makes the resolver of one node, and has it once the node is built.

    Parameters
    ----------
    account_id : str
        The venue's account, as which it speaks.
    """

    def __init__(self, account_id: str) -> None:
        self.made: Resolver | None = None
        self._account_id = account_id

    @property
    def client(self) -> Client:
        """For the node's builder."""
        resolving = self

        class Factory(ExecutionClientFactory):
            @staticmethod
            def create(
                *,
                name: str,
                config: ExecutionClientConfig,
                cache: ClientCache,
                clock: Any,
                trader_id: TraderId,
            ) -> Resolver:
                resolving.made = Resolver(
                    name=name,
                    config=config,
                    cache=cache,
                    clock=clock,
                    trader_id=trader_id,
                    venue=Venue("RESOLVER"),
                    account_id=AccountId(resolving._account_id),
                    account_type=AccountType.MARGIN,
                    oms_type=OmsType.NETTING,
                )
                return resolving.made

        return Client("RESOLVER", Factory, ExecutionClientConfig())


class _Doubt:
    """One order that waits for an answer."""

    def __init__(self, event: OrderChanged, now_s: float) -> None:
        self.event, self.since_s = event, now_s
        self.is_told = False
        self.asked_s = 0.0
        self.known_events = self.answers = 0


class Doubts:
    """Watches the orders of one node for answers.

    Parameters
    ----------
    cache : Cache
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
        asker: Any,
        resolving: Resolving,
        emit: Callable[[AnyEvent], None],
        now_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._cache, self._asker, self._resolving = cache, asker, resolving
        self._emit, self._now_s = emit, now_s
        self._waiting: dict[str, _Doubt] = {}

    def note(self, event: OrderChanged) -> None:
        """Take every step of an order of this session."""
        if event.status in _UNANSWERED:
            self._waiting[event.order_id] = _Doubt(event, self._now_s())
        elif event.status != IN_DOUBT:
            self._waiting.pop(event.order_id, None)

    def look(self) -> None:
        """Tell what has become doubtful, and ask for it."""
        now_s = self._now_s()
        for doubt in list(self._waiting.values()):
            age_s = now_s - doubt.since_s
            if age_s < DOUBT_S:
                continue
            if not doubt.is_told:
                doubt.is_told = True
                what = _WHAT[doubt.event.status]
                text = f"The venue has not answered {what} for {age_s:.0f} s; it may or may not be at work."
                changed = msgspec.structs.replace(
                    doubt.event, ts=time.time_ns(), status=IN_DOUBT, reason=text
                )
                self._emit(changed)
            if now_s - doubt.asked_s >= _ASK_EVERY_S:
                self._ask(doubt, now_s)

    def _ask(self, doubt: _Doubt, now_s: float) -> None:
        order = self._cache.order(ClientOrderId(doubt.event.order_id))
        account_id = self._cache.account_id(order.instrument_id.venue)
        count = self._cache.account(account_id).event_count
        if doubt.asked_s and count > doubt.known_events:
            doubt.answers += 1
        lost = doubt.answers >= _ANSWERS and now_s - doubt.since_s >= _SURELY_LOST_S
        if lost and order.status == OrderStatus.SUBMITTED and self._resolving.made is not None:
            self._resolving.made.reject(order, "The venue answers, and knows no such order.")
            return
        doubt.asked_s, doubt.known_events = now_s, count
        self._asker.query_order(order)
        self._asker.query_account(account_id)
