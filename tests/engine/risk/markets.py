"""An account, its gate and a venue that fills as it is told, for tests of the rules."""

from decimal import Decimal
from typing import Any

from engine.messages.events import (
    AccountChanged,
    AnyEvent,
    Balance,
    Filled,
    OrderChanged,
    PositionChanged,
)
from engine.messages.instrument import Instrument
from engine.messages.limits import Limits, RiskPolicy
from engine.messages.orders import HAND, Denial, OrderIntent
from engine.risk.book import AccountBook, Touch
from engine.risk.gate import RiskGate

SECOND = 1_000_000_000
MONDAY_NOON = 1_699_833_600_000_000_000 + 12 * 3_600 * SECOND
"""Noon of 13 November 2023, a Monday."""

D = Decimal


def instrument(name: str = "BTCUSDT.TEST", **facts: Any) -> Instrument:
    return Instrument(
        **{
            "id": name,
            "kind": "perpetual",
            "base": name[:3],
            "quote": "USDT",
            "price_precision": 1,
            "size_precision": 2,
            "tick_size": D("0.1"),
            "lot_size": D("0.01"),
            **facts,
        }
    )


BTC = instrument()
ETH = instrument("ETHUSDT.TEST")


class Desk:
    """A gate, its account and the means to let things happen there."""

    def __init__(
        self,
        account: Limits | None = None,
        *,
        instruments: tuple[Instrument, ...] = (BTC, ETH),
        currency: str = "USDT",
        balance: int = 100_000,
        leverage: int = 10,
        policy: RiskPolicy | None = None,
        **gate: Any,
    ) -> None:
        self.now = MONDAY_NOON
        facts = {each.id: each for each in instruments}
        self.touches: dict[str, Touch] = {}
        for each in instruments:
            self.quote(each.id, "100", "100")
        self.book = AccountBook(
            facts, currency=currency, balance=D(balance), touch=self.touches.get, leverage=D(leverage)
        )
        self.gate = RiskGate(
            facts,
            policy or RiskPolicy(account=account or Limits()),
            self.book,
            lambda: self.now,
            **{"arm": "paper", "mode": "paper", **gate},
        )
        self.instruments = facts
        self.sent: dict[str, OrderIntent] = {}
        self.filled: dict[str, Decimal] = {}
        self._number = 0

    def quote(self, name: str, bid: str, ask: str) -> None:
        self.touches[name] = Touch(D(bid), D(ask), self.now)

    # Asking ------------------------------------------------------------------------------------------------

    def ask(self, intent: OrderIntent) -> Denial | None:
        """What the gate says; the order counts as sent where it passes."""
        self._number += 1
        order_id = f"O-{self._number}"
        denial = self.gate.check(intent, order_id)
        if denial is None:
            self.sent[intent.changes or order_id] = intent
            self.filled.setdefault(intent.changes or order_id, D(0))
        return denial

    def order(self, intent: OrderIntent) -> str:
        """Id of an order that must pass, at work at the venue."""
        denial = self.ask(intent)
        assert denial is None, denial
        order_id = list(self.sent)[-1]
        self.tell(order_id, "ACCEPTED")
        return order_id

    def hold(self, quantity: str, price: str = "100", **facts: Any) -> None:
        """Have a position, come by at a price."""
        signed = D(quantity)
        intent = an_order("BUY" if signed > 0 else "SELL", str(abs(signed)), type="MARKET", **facts)
        self._number += 1
        order_id = f"H-{self._number}"
        self.sent[order_id], self.filled[order_id] = intent, D(0)
        self.fill(order_id, abs(signed), price=price)

    # Happening ---------------------------------------------------------------------------------------------

    def note(self, event: AnyEvent) -> None:
        self.book.note(event)

    def tell(self, order_id: str, status: str, reason: str = "", quantity: Decimal | None = None) -> None:
        intent = self.sent[order_id]
        self.note(
            OrderChanged(
                ts=self.now,
                order_id=order_id,
                instrument=intent.instrument,
                strategy=intent.strategy,
                side=intent.side,
                type=intent.type,
                quantity=intent.quantity if quantity is None else quantity,
                filled=self.filled[order_id],
                price=intent.price,
                trigger=intent.trigger,
                average_price=None,
                status=status,
                reason=reason,
                reduce_only=intent.reduce_only,
            )
        )

    def fill(self, order_id: str, quantity: Decimal | str, price: str = "100", fee: str = "0") -> None:
        """Some of an order, told as the engine tells it: the order, then the execution."""
        intent = self.sent[order_id]
        self.filled[order_id] += D(quantity)
        done = self.filled[order_id] >= intent.quantity
        self.tell(order_id, "FILLED" if done else "PARTIALLY_FILLED")
        self._number += 1
        self.note(
            Filled(
                ts=self.now,
                trade_id=f"T-{self._number}",
                order_id=order_id,
                instrument=intent.instrument,
                strategy=intent.strategy,
                side=intent.side,
                quantity=D(quantity),
                price=D(price),
                fee=D(fee),
                fee_currency="USDT",
                liquidity="taker",
            )
        )

    def money(self, total: str) -> None:
        balance = Balance("USDT", D(total), D(total), D(0))
        self.note(AccountChanged(ts=self.now, account_id="TEST", balances=[balance]))

    def position(self, quantity: str, average_open: str, **facts: Any) -> None:
        self.note(
            PositionChanged(
                **{
                    "ts": self.now,
                    "position_id": "P",
                    "instrument": BTC.id,
                    "strategy": HAND,
                    "quantity": D(quantity),
                    "average_open": D(average_open),
                    "average_close": None,
                    "realised_pnl": D(0),
                    "currency": "USDT",
                    "opened_ns": self.now,
                    "closed_ns": None,
                    **facts,
                }
            )
        )


def an_order(side: str, quantity: str, price: str | None = None, **facts: Any) -> OrderIntent:
    """A limit order where it has a price, else one at market."""
    return OrderIntent(
        **{
            "instrument": BTC.id,
            "strategy": HAND,
            "side": side,
            "type": "MARKET" if price is None else "LIMIT",
            "quantity": D(quantity),
            "price": None if price is None else D(price),
            **facts,
        }
    )


def buy(quantity: str, price: str | None = None, **facts: Any) -> OrderIntent:
    return an_order("BUY", quantity, price, **facts)


def sell(quantity: str, price: str | None = None, **facts: Any) -> OrderIntent:
    return an_order("SELL", quantity, price, **facts)
