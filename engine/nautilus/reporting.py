"""The part of every strategy that tells what happens, and survives its own mistakes.

NautilusTrader swallows an exception in a callback and goes on, and Python cannot tap its message bus; so what
the station must know passes through here.
"""

import functools
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Self

import msgspec
from nautilus_trader.model import (
    InstrumentId,
    OrderDenied,
    OrderFilled,
    OrderFillVoided,
    OrderInitialized,
    OrderRejected,
    StrategyId,
)
from nautilus_trader.trading import Strategy, StrategyConfig

from engine.callbacks import Shield, StrategyInterrupted, callbacks
from engine.messages.events import AnyEvent, Logged
from engine.messages.instrument import Instrument
from engine.nautilus import events
from engine.nautilus.account import AccountReader
from engine.risk.gate import Gate
from engine.risk.last_gate import LastGate
from engine.signals.lead import Lead

_REFUSALS_NAMED = 5


@dataclass(frozen=True, slots=True)
class Context:
    """What the station hands to a strategy.

    Attributes
    ----------
    kinds : frozenset of str
        Market data that the run has: `quotes`, `trades`, `deltas`.
    balance : Decimal
        Starting balance in the instrument's quote currency.
    emit : callable
        Takes every event that the strategy causes or sees.
    lead : Lead or None
        What a strategy follows that acts on a model.
    hedging : bool
        Whether each position stands by itself (`VenueRules.oms`).
    simulated : bool
        Whether orders are filled by the engine's own matching.
    last : LastGate or None
        Judges once more what is about to leave for a real venue; it is the gate, too, then.
    """

    name: str
    instrument: Instrument
    parameters: msgspec.Struct
    kinds: frozenset[str]
    balance: Decimal
    gate: Gate
    emit: Callable[[AnyEvent], None]
    lead: Lead | None = None
    hedging: bool = False
    simulated: bool = True
    last: LastGate | None = None


def unbroken[**P, R](method: Callable[P, R]) -> Callable[P, R]:
    """Method of ours that runs to its end also where the callback that called it is to be interrupted."""

    @functools.wraps(method)
    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        with Shield(callbacks()):
            return method(*args, **kwargs)

    return call


class ReportingStrategy(Strategy):
    """Tells every step of its orders and positions, and what went wrong."""

    def __new__(cls, context: Context) -> Self:
        """Make the Rust half, which wants to know nothing of ours."""
        make: Callable[..., Self] = Strategy.__new__  # its stub has `__init__` instead
        return make(cls, StrategyConfig(strategy_id=StrategyId(cls.identity(context))))

    def __init__(self, context: Context) -> None:
        self.context = context
        self.instrument = context.instrument
        self.instrument_id = InstrumentId.from_str(context.instrument.id)
        self.failure = ""
        """What went wrong, in one line; the strategy does nothing more."""
        self.refusal = ""
        """Why the gate or the venue refused the newest order; empty where they let it pass so far."""
        self._refused = 0
        self._callbacks = callbacks()

    @classmethod
    def identity(cls, context: Context) -> str:
        """Name of this trader in orders and positions; the hand is number 001, as no two may share one."""
        return f"{context.name.replace('_', '-')}-002"

    def connect(self, cache: Any, portfolio: Any, clock: Any, account: AccountReader) -> None:
        """Take what the engine gave at registration.

        An event can arrive while Nautilus still holds the strategy (as when its order is denied inside
        `submit_order`), and then the strategy's own `cache` and `clock` are out of reach; these are not.
        """
        self._cache, self._portfolio, self._clock = cache, portfolio, clock
        self._account = account

    @unbroken
    def on_order_event(self, event: Any) -> None:
        """Tell every step of an order's life, and the account after a fill."""
        if isinstance(event, OrderInitialized):
            return  # an order that was neither denied nor submitted yet; the next event follows at once
        with self._telling("on_order_event"):
            order = self._cache.order(event.client_order_id)
            reason = events.reason(event)
            if isinstance(event, OrderFillVoided):  # before the order, which may be at work again by it
                self._tell(events.taken_back(event, order.events()))
            self._tell(events.order_changed(order, event.ts_event, reason=reason))
            if isinstance(event, OrderDenied | OrderRejected):
                self.refusal = reason
                self._warn_of_refusal(str(event.client_order_id), reason)
            if isinstance(event, OrderFilled):
                self._tell(events.filled(event))

    @unbroken
    def on_position_event(self, event: Any) -> None:
        """Tell every step of a position's life and the balance that it left."""
        with self._telling("on_position_event"):
            position = self._cache.position(event.position_id)
            self._tell(events.position_changed(event, position))
            self._tell(self._account.changed(event.ts_event))

    @unbroken
    def fail(self, where: str, error: BaseException) -> None:
        """Stop working and say why; the traceback goes to the engine's log."""
        traceback.print_exception(error, file=sys.stderr)
        line = traceback.format_exception_only(error)[-1].strip()
        self.failure = f"{line} (in {where})"
        text = f"The strategy raised {self.failure}."
        if isinstance(error, StrategyInterrupted):
            text = self._callbacks.sentence
        self._tell(Logged(ts=self._clock.timestamp_ns(), level="error", source=self.context.name, text=text))

    @contextmanager
    def _telling(self, where: str) -> Iterator[None]:
        """Fail aloud: a callback that raises would be swallowed by Nautilus."""
        try:
            yield
        except Exception as error:  # noqa: BLE001 - whatever it is, the session must end over it
            self.fail(where, error)

    def _tell(self, event: AnyEvent) -> None:
        self.context.emit(event)

    def _warn(self, text: str) -> None:
        ts = self._clock.timestamp_ns()
        self._tell(Logged(ts=ts, level="warning", source=self.context.name, text=text))

    def _warn_of_refusal(self, order_id: str, reason: str) -> None:
        """Name the first refused orders; a strategy that is refused at every tick would bury the log."""
        self._refused += 1
        if self._refused > _REFUSALS_NAMED:
            return
        last = " Later refusals are only told beside the orders." if self._refused == _REFUSALS_NAMED else ""
        self._warn(f"Order {order_id} refused: {reason.rstrip('.')}.{last}")


def guarded(method: Callable[..., Any]) -> Callable[..., Any]:
    """A callback of a subclass: whatever it raises ends the strategy's work, and is told."""
    where = method.__name__

    @functools.wraps(method)
    def call(self: ReportingStrategy, *args: Any) -> None:
        if self.failure:
            return
        here = self._callbacks
        outer, interruptible = here.running, here.interruptible
        # Two blocks, as an interruption may also come while the inner one is left.
        try:
            try:
                here.entered += 1
                here.running, here.interruptible = where, True
                method(self, *args)
            finally:
                here.left(outer, interruptible)
        except StrategyInterrupted as error:
            here.left(outer, interruptible)
            self.fail(where, error)
        except Exception as error:  # noqa: BLE001 - it is the user's code; Nautilus would swallow it
            self.fail(where, error)

    return call
