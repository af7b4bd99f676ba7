"""Follow what a model says: enter and leave at its decisions, sized, protected, never before the latency.

`AiSignal` follows decisions that were found beforehand and asks for no market data, so nothing of it runs
between them. `AiSignalByTick` asks the model at every tick and follows what is then decided. Both act at the
decision's row plus the inference latency, through the same alert, so they make the same orders.
"""

from decimal import Decimal
from time import perf_counter_ns
from typing import Any, Final, Literal

from nautilus_trader.model import ClientOrderId, OrderCanceled, OrderFilled, OrderRejected, TriggerType

from engine.messages.events import Logged, SignalActed
from engine.nautilus.exits import Exits
from engine.nautilus.strategy import Context, StationStrategy
from engine.risk.sizing import Size, Sizer
from engine.signals.decisions import Decision
from engine.signals.lead import DISARMED, Act, ClosedBar
from engine.strategies import AiSignalParameters

_ALERT: Final = "due"


class AiSignal(StationStrategy):
    """Acts on what its lead has decided, when it is due."""

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        assert isinstance(context.parameters, AiSignalParameters)  # noqa: S101 - the registry pairs them
        assert context.lead is not None  # noqa: S101 - `check_run` sees to it
        self.parameters, self.lead = context.parameters, context.lead
        self.sizer = Sizer(self.parameters, context.instrument)
        self.exits = Exits(
            context.instrument,
            stop_bps=self.parameters.stop_bps,
            take_profit_bps=self.parameters.take_profit_bps,
            # Where there are only trades nothing else sets a stop off in time.
            trigger=TriggerType.LAST_PRICE if context.kinds == {"trades"} else TriggerType.BID_ASK,
        )
        self.target = Decimal(0)
        self.entry: ClientOrderId | None = None
        self.until: int | None = None
        """Market time after which nothing is to happen yet."""

    def on_start(self) -> None:
        """Wait for the first thing that is due."""
        if self.context.kinds == {"deltas"}:
            self.watch("deltas")  # without a managed book market orders have no price to be checked with
        self.schedule()

    def schedule(self) -> None:
        """Have an alert at the time of the next thing that is due."""
        due = self.lead.next_due
        if due is not None and (self.until is None or due <= self.until):
            self._clock.set_time_alert_ns(_ALERT, due, self.on_due)

    def on_closed_bar(self, bar: ClosedBar) -> None:
        """Ask about a bar; there are none where all was asked beforehand."""

    def is_due(self, ts: int) -> bool:
        """Whether anything is due by then."""
        due = self.lead.next_due
        return due is not None and due <= ts

    def on_due(self, _event: Any) -> None:
        """Act on what is due by now."""
        for what in self.lead.due(self._clock.timestamp_ns()):
            if isinstance(what, Act):
                started = perf_counter_ns()
                self._act(what.decision, what.signal)
                self.lead.acted_ns(perf_counter_ns() - started)
            elif isinstance(what, ClosedBar):
                self.on_closed_bar(what)
            elif self.lead.mode != "armed":
                self._stand_down(f"Switched to {self.lead.mode}")
        self.schedule()

    # Acting ----------------------------------------------------------------------------------------------

    def _act(self, decision: Decision, signal: int | None) -> None:
        if decision.cause == DISARMED:
            order = self._stand_down("Disarmed")
            if signal is not None:
                self._tell_act(signal, order, "" if order else "Nothing is held.")
        elif signal is None:
            pass  # it was made while the model was switched off
        elif self.lead.mode != "armed":
            text = f"The model is {'only shown' if self.lead.mode == 'shadow' else 'switched off'}."
            self._tell_act(signal, None, text, "shadow")
        elif decision.direction:
            size = self._size(decision)
            order = self._go(decision.direction * size.quantity)
            self._tell_act(signal, order, size.text)
        else:
            order = self._go(Decimal(0))
            self._tell_act(signal, order, "" if order else "Nothing is held.")

    def _size(self, decision: Decision) -> Size:
        forecast = decision.forecast
        sides = (forecast.up, forecast.down) if decision.direction > 0 else (forecast.down, forecast.up)
        return self.sizer.size(
            self.parameters.trade_size or self.default_size(forecast.price),
            forecast.price,
            self._account.equity(),
            volatility=forecast.volatility,
            win=sides[0],
            loss=sides[1],
            is_long=decision.direction > 0,
        )

    def _go(self, target: Decimal) -> Any | None:
        """Cancel the exits of what is held, and go to `target`."""
        self._cancel_exits()
        self.target, self.entry = target, None
        order = self.go_to(target)
        if order is not None and target and not self.refusal:
            self.entry = order.client_order_id
        return order

    def _stand_down(self, why: str) -> Any | None:
        """Close what is held, and say so."""
        held = self.net_position()
        order = self._go(Decimal(0))
        if order is not None:
            self._note("info", f"{why}: closing the open position of {held:+f} {self.instrument.base}.")
        return order

    def _tell_act(
        self, signal: int, order: Any | None, text: str, unordered: Literal["held", "shadow"] = "held"
    ) -> None:
        refused = order is not None and bool(self.refusal)
        self._tell(
            SignalActed(
                ts=self._clock.timestamp_ns(),
                signal=signal,
                instrument=self.instrument.id,
                verdict=unordered if order is None else "refused" if refused else "ordered",
                order_id=None if order is None else str(order.client_order_id),
                text=self.refusal if refused else text,
            )
        )

    def _note(self, level: Any, text: str) -> None:
        ts = self._clock.timestamp_ns()
        self._tell(Logged(ts=ts, level=level, source=self.context.name, text=text))

    # Exits -----------------------------------------------------------------------------------------------

    def on_order_filled(self, event: OrderFilled) -> None:
        """Protect what the entry opened; end what an exit closed."""
        if event.client_order_id in self.exits:
            self._exit_filled(event)
        else:
            self._protect(event.client_order_id)

    def on_order_canceled(self, event: OrderCanceled) -> None:
        """Protect what an entry got before the venue gave up on the rest."""
        self._protect(event.client_order_id)

    def on_order_rejected(self, event: OrderRejected) -> None:
        """Leave where the stop came too late to be placed."""
        if self.exits.is_stop(event.client_order_id):
            self._stand_down("The stop already lay in the market")

    def _protect(self, order_id: ClientOrderId) -> None:
        order = self._cache.order(order_id)
        if order_id != self.entry or not order.is_closed:
            return
        self.entry = None
        held = self.held()
        if not held or (held > 0) != order.is_buy:
            return
        for each in self.exits.place(self.order_factory, self.instrument_id, held, order.avg_px):
            if not self.submit(each) and self.exits.is_stop(each.client_order_id):
                self._stand_down("The stop was refused")
                return

    def _exit_filled(self, event: OrderFilled) -> None:
        if not self._cache.order(event.client_order_id).is_closed:
            return
        if self.exits.is_working(event.client_order_id):
            self.target = Decimal(0)  # and flat until the next decision
            self._cancel_exits()
        else:
            self.go_to(self.target)  # it was being cancelled: what was ordered meanwhile counted on its size

    def _cancel_exits(self) -> None:
        for order_id in self.exits.release():
            order = self._cache.order(order_id)  # None where the gate let it not even begin
            if order is not None and not order.is_closed:
                self.cancel_order(order_id)

    def _unfinished(self) -> list[Any]:
        """Orders on their way to a target; an exit is not, as only one of the two can ever fill."""
        return [order for order in super()._unfinished() if order.client_order_id not in self.exits]
