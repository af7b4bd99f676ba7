"""Orders of NautilusTrader made of what was asked for by hand, with names that a second run gives again."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from nautilus_trader.core import UUID4
from nautilus_trader.model import (
    ClientOrderId,
    ContingencyType,
    LimitOrder,
    MarketIfTouchedOrder,
    MarketOrder,
    OrderListId,
    OrderSide,
    StopLimitOrder,
    StopMarketOrder,
    TimeInForce,
    TrailingOffsetType,
    TrailingStopMarketOrder,
    TriggerType,
)

from engine.messages.instrument import Instrument
from engine.messages.orders import Contingency, OrderIntent
from engine.nautilus.instrument import price, quantity
from engine.nautilus.tags import DAY, request_tag

DAY_NS: Final = 86_400_000_000_000


@dataclass(frozen=True, slots=True)
class Ties:
    """How an order hangs together with others: as Nautilus' orders have it."""

    kind: ContingencyType | None = None
    linked: tuple[str, ...] = ()
    parent: str | None = None
    of: str | None = None
    """Name of the list."""

    def options(self) -> dict[str, Any]:
        """Arguments of an order's constructor."""
        return {
            "contingency_type": self.kind,
            "order_list_id": None if self.of is None else OrderListId(self.of),
            "linked_order_ids": [ClientOrderId(each) for each in self.linked] or None,
            "parent_order_id": None if self.parent is None else ClientOrderId(self.parent),
        }


def ties(contingency: Contingency, order_ids: list[str], name: str) -> list[Ties]:
    """Ties of the orders of a request, in their order; `name` is that of their list."""
    if contingency == "none":
        return [Ties()] * len(order_ids)
    if contingency == "oco":
        first, second = order_ids
        oco = ContingencyType.OCO
        return [Ties(oco, (second,), of=name), Ties(oco, (first,), of=name)]
    entry, *exits = order_ids
    both = len(exits) > 1
    return [
        Ties(ContingencyType.OTO, tuple(exits), of=name),
        *(
            Ties(
                ContingencyType.OUO if both else None,
                tuple(other for other in exits if other != each),
                entry,
                name,
            )
            for each in exits
        ),
    ]


class OrderMaker:
    """Makes the orders of one trader.

    Parameters
    ----------
    instrument : Instrument
    trigger : TriggerType
        Price that sets stops and touched orders off.
    native_day : bool
        Whether the venue ends a DAY order by itself; else it is told midnight UTC as its end.
    """

    def __init__(self, instrument: Instrument, *, trigger: TriggerType, native_day: bool = False) -> None:
        self._instrument, self._trigger, self._native_day = instrument, trigger, native_day

    def make(self, trader: Any, intent: OrderIntent, order_id: str, request: str, ts: int, tied: Ties) -> Any:
        """Order of a checked intent; `trader` is the strategy that will send it."""
        day = intent.time_in_force == "DAY" and intent.type != "MARKET" and not self._native_day
        options: dict[str, Any] = {
            "trader_id": trader.trader_id,
            "strategy_id": trader.strategy_id,
            "instrument_id": trader.instrument_id,
            "client_order_id": ClientOrderId(order_id),
            "order_side": OrderSide.BUY if intent.side == "BUY" else OrderSide.SELL,
            "quantity": quantity(intent.quantity, self._instrument),
            "time_in_force": TimeInForce.GTD if day else getattr(TimeInForce, intent.time_in_force),
            "reduce_only": intent.reduce_only,
            "quote_quantity": False,
            "init_id": UUID4(),
            "ts_init": ts,
            "tags": [request_tag(request), *([DAY] if day else [])],
            **tied.options(),
        }
        if intent.type == "MARKET":
            return MarketOrder(**options)
        options["expire_time"] = (ts // DAY_NS + 1) * DAY_NS if day else intent.expire_ns
        return self._resting(intent, options)

    def _resting(self, intent: OrderIntent, options: dict[str, Any]) -> Any:
        limit = {"price": self._price(intent.price), "post_only": intent.post_only}
        stop = {"trigger_price": self._price(intent.trigger), "trigger_type": self._trigger}
        match intent.type:
            case "LIMIT":
                return LimitOrder(**options, **limit)
            case "STOP_LIMIT":
                return StopLimitOrder(**options, **limit, **stop)
            case "STOP_MARKET":
                return StopMarketOrder(**options, **stop)
            case "MARKET_IF_TOUCHED":
                return MarketIfTouchedOrder(**options, **stop)
            case _:
                trailing = {**stop, "trailing_offset_type": TrailingOffsetType.PRICE}
                return TrailingStopMarketOrder(**options, **trailing, trailing_offset=_offset(intent))

    def _price(self, value: Decimal | None) -> Any:
        return None if value is None else price(value, self._instrument)


def _offset(intent: OrderIntent) -> Decimal:
    assert intent.trailing_offset is not None  # noqa: S101 - checked ones have it
    return intent.trailing_offset
