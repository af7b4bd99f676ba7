"""The base of every strategy: what it is handed, and what it asks for."""

from decimal import Decimal
from typing import Any

from nautilus_trader.model import BookType, OrderSide, TimeInForce

from engine.nautilus import events
from engine.nautilus.gated import STOPS, GatedStrategy
from engine.nautilus.instrument import price, quantity
from engine.nautilus.reporting import Context, guarded, unbroken

__all__ = ["STOPS", "Context", "StationStrategy"]

_SINKS = ("on_order_event", "on_position_event")


class StationStrategy(GatedStrategy):
    """Base of all strategies of the station.

    A subclass overrides Nautilus' own `on_start`, `on_quote`, `on_order_filled` and so on; an exception in
    one of them ends the strategy's work and is told as an event. It orders through `submit`, or through
    Nautilus' own methods, which pass the same gate.
    """

    def __init_subclass__(cls) -> None:
        for name, method in list(vars(cls).items()):
            if name in _SINKS:
                raise TypeError(f"{cls.__name__} must not override {name}; use on_order_filled and its like")
            if name.startswith("on_") and callable(method):
                setattr(cls, name, guarded(method))

    # What outlives a session ----------------------------------------------------------------------------

    def remember(self) -> dict[str, str]:
        """What it wants to know again when a live session is started anew.

        Its orders and its position are the venue's to know, and are taken over from there.
        """
        return {}

    def recall(self, state: dict[str, str]) -> None:
        """Take what `remember` gave at the end of an earlier session; before the first market data."""

    # What a strategy asks for ---------------------------------------------------------------------------

    def watch(self, *kinds: str) -> None:
        """Subscribe to those of `quotes`, `trades`, `deltas` that the run has."""
        for kind in kinds:
            if kind not in self.context.kinds:
                continue
            if kind == "quotes":
                self.subscribe_quotes(self.instrument_id)
            elif kind == "trades":
                self.subscribe_trades(self.instrument_id)
            else:
                # A managed book costs as much as the deltas themselves; only where it is the sole price does
                # the engine need one, to give market orders a price to be checked with.
                alone = self.context.kinds == {"deltas"}
                self.subscribe_book_deltas(self.instrument_id, BookType.L2_MBP, managed=alone)

    def default_size(self, price: float) -> Decimal:
        """Size of about one hundredth of the starting balance at this price, in whole lots, at least one."""
        lot = self.instrument.lot_size
        return max(lot, self.context.balance / 100 / Decimal(price) // lot * lot)

    def net_position(self) -> Decimal:
        """Signed size held, plus what is on its way to the venue or working there."""
        waiting = Decimal(0)
        for order in self._unfinished():
            leaves = order.leaves_qty.as_decimal()
            waiting += leaves if order.is_buy else -leaves
        return self.held() + waiting

    def held(self) -> Decimal:
        """Signed size of this strategy's own position."""
        return sum((events.signed_size(each) for each in self.own_positions()), Decimal(0))

    def own_positions(self) -> list[Any]:
        """Own open positions."""
        wanted = {"instrument_id": self.instrument_id, "strategy_id": self.strategy_id}
        positions: list[Any] = self._cache.positions_open(**wanted)
        return positions

    @unbroken
    def close_out(
        self,
        limit: Decimal | None = None,
        *,
        only: str = "",
        most: Decimal | None = None,
        crosses: bool = False,
    ) -> None:
        """Close what is held, and no more than that: at market, or at once at this price or better.

        `only` names the one position to close, of several, and `most` is as much of it as is to be closed.
        What `crosses` is no position at the venue, which would take no reduce-only order for it.
        """
        for position in self.own_positions():
            if only not in ("", str(position.id)):
                continue
            side = OrderSide.SELL if events.signed_size(position) > 0 else OrderSide.BUY
            lots = position.quantity if most is None else quantity(most, self.instrument)
            size = (self.instrument_id, side, lots)
            if limit is None:
                order = self.order_factory.market(*size, reduce_only=not crosses)
            else:
                at, at_once = price(limit, self.instrument), TimeInForce.IOC
                order = self.order_factory.limit(*size, at, time_in_force=at_once, reduce_only=not crosses)
            of_it = (position.id,) if self.context.hedging else ()
            self.submit(order, *of_it, closes=str(position.id))

    def go_to(self, target: Decimal) -> Any | None:
        """Trade at market to hold `target` (signed, in base currency) once all is filled.

        Returns the order, which may have been refused (see `refusal`); None where nothing is to be traded.
        """
        change = target - self.net_position()
        if not change:
            return None
        side = OrderSide.BUY if change > 0 else OrderSide.SELL
        order = self.order_factory.market(self.instrument_id, side, quantity(abs(change), self.instrument))
        self.submit(order)
        return order

    def _unfinished(self) -> list[Any]:
        wanted = {"instrument_id": self.instrument_id, "strategy_id": self.strategy_id}
        open_or_sent = [*self._cache.orders_open(**wanted), *self._cache.orders_inflight(**wanted)]
        return list({order.client_order_id: order for order in open_or_sent}.values())
