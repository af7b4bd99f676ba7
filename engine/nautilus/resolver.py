"""A client of the node that trades nothing, and stands beside the venue's where that leaves something open.

It hands in what the venue would say of an order, a change or a cancellation that it never got. And it keeps
the node from comparing positions while an order has no answer: NautilusTrader asks for executions then, takes
one whose order it cannot name for a stranger's, and never gives it back to the order when that is found.
"""

import time
from collections.abc import Callable
from typing import Any

from nautilus_trader.config import ExecutionClientConfig
from nautilus_trader.live import ClientCache
from nautilus_trader.live.clients import ExecutionClient, ExecutionClientFactory
from nautilus_trader.model import (
    AccountId,
    AccountType,
    OmsType,
    OrderStatus,
    OrderStatusReport,
    Quantity,
    TraderId,
    Venue,
    VenueOrderId,
)

from engine.nautilus.node import Client


class Resolver(ExecutionClient):
    """Says what there is to say of the account, besides the venue."""

    may_compare: Callable[[], bool] | None = None
    """Whether positions may be compared now; always where nobody says."""

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
        return self._nothing_where_calm()

    async def _generate_position_status_reports(self, command: Any) -> list[Any]:  # noqa: ARG002
        return self._nothing_where_calm()

    def _nothing_where_calm(self) -> list[Any]:
        """No report; a client that fails has the node put the comparison off."""
        if self.may_compare is not None and not self.may_compare():
            raise RuntimeError("an order has no answer yet")
        return []

    def hand_in(self, event: Any) -> None:
        """Have the node apply an event of an order."""
        self._handle_event(event)

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

    def refuse(self, order: Any, reason: str) -> None:
        """Have the node know that a cancellation or a change was not carried out, and never will be."""
        now = time.time_ns()
        if order.is_pending_cancel:
            self.generate_order_cancel_rejected(order, order.venue_order_id, reason, now)
        else:
            self.generate_order_modify_rejected(order, order.venue_order_id, reason, now)


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
