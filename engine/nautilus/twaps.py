"""The hand's orders that are spread over time: sends what is due, and tells each as the one that it is."""

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal

from engine.messages.events import AnyEvent, Logged, OrderChanged, TwapChanged
from engine.messages.instrument import Instrument
from engine.messages.orders import ENDED, OrderIntent
from engine.nautilus.twap import Schedule

_NS = 1_000_000_000


class _Twap:
    """One of them, with what became of its slices."""

    def __init__(self, schedule: Schedule) -> None:
        self.schedule = schedule
        self.asked = 0
        """Slices that were asked to be sent; each is told as an order, some later than that."""
        self.slices: dict[str, OrderChanged] = {}
        self.is_cancelled = self.is_over = False
        self.told: tuple[object, ...] = ()

    @property
    def filled(self) -> Decimal:
        return sum((each.filled for each in self.slices.values()), Decimal(0))

    @property
    def average_price(self) -> Decimal | None:
        parts = [(each.filled, each.average_price) for each in self.slices.values()]
        value = sum((size * price for size, price in parts if price is not None), Decimal(0))
        return value / self.filled if self.filled else None

    @property
    def sent(self) -> int:
        """Slices that were let out."""
        return self.asked - sum(each.status == "DENIED" for each in self.slices.values())

    @property
    def status(self) -> str:
        at_work = self.asked > len(self.slices) or any(
            each.status not in ENDED for each in self.slices.values()
        )
        if at_work or not self.is_over:
            return "PARTIALLY_FILLED" if self.filled else "ACCEPTED"
        if self.filled >= self.schedule.intent.quantity:
            return "FILLED"
        return "CANCELED" if self.is_cancelled else "EXPIRED"

    @property
    def next_ns(self) -> int | None:
        return None if self.is_over else self.schedule.next_ns

    @property
    def note(self) -> str:
        schedule, sent = self.schedule, f"{self.sent} of {self.schedule.count} slices sent"
        if self.next_ns is not None:
            at = datetime.fromtimestamp(self.next_ns / _NS, UTC).time().isoformat("milliseconds")
            return f"{sent}, the next at {at} UTC."
        unfilled = schedule.intent.quantity - self.filled
        if schedule.left:
            return f"{sent}, {schedule.left:f} not."
        return f"{sent}, {unfilled:f} not filled." if self.status == "EXPIRED" and unfilled else f"{sent}."


class Twaps:
    """What a person asked to be spread over time, each until its last slice has ended.

    Parameters
    ----------
    instrument : Instrument
    send : callable
        Sends a slice of a request through the gate; whether it passed.
    wake : callable
        Has `go_on` called for a request at this market time; None takes that back.
    emit : callable
        Takes what is told.
    """

    def __init__(
        self,
        instrument: Instrument,
        send: Callable[[str, OrderIntent], bool],
        wake: Callable[[str, int | None], None],
        emit: Callable[[AnyEvent], None],
    ) -> None:
        self._instrument, self._send, self._wake, self._emit = instrument, send, wake, emit
        self._twaps: dict[str, _Twap] = {}

    def begin(self, request: str, intent: OrderIntent, now_ns: int) -> None:
        """Send the first slice of an intent with a `twap`, and the others in their time."""
        twap = _Twap(Schedule(request, intent, now_ns, self._instrument.lot_size))
        self._twaps[request] = twap
        self._tell(twap, now_ns)
        self.go_on(request, now_ns)

    def go_on(self, request: str, now_ns: int) -> None:
        """Send what is due."""
        twap = self._twaps[request]
        if twap.is_over:
            return
        schedule = twap.schedule
        intent = schedule.take()
        try:
            if intent is not None:
                twap.asked += 1
                if self._send(request, intent):
                    schedule.sent += intent.quantity
        except BaseException:
            twap.asked -= 1  # it never became an order
            self._end(twap, "over", now_ns)
            raise
        if schedule.next_ns is None:
            self._end(twap, "over", now_ns)
        else:
            self._wake(request, schedule.next_ns)
            self._tell(twap, now_ns)

    def is_at_work(self, request: str) -> bool:
        """Whether this is one of them, and more of it is to be sent or may fill."""
        twap = self._twaps.get(request)
        return twap is not None and twap.status not in ENDED

    def cancel(self, request: str, now_ns: int) -> bool:
        """Send no more of it; whether more was to be sent. What was sent stays at work."""
        if not self.is_at_work(request):
            return False
        twap = self._twaps[request]
        twap.is_cancelled = True
        if twap.is_over:
            return False
        self._end(twap, "cancelled", now_ns)
        return True

    def cancel_all(self, now_ns: int) -> None:
        """Send no more of any."""
        for request in self._twaps:
            self.cancel(request, now_ns)

    def note(self, event: AnyEvent) -> None:
        """Take every event of the hand: what becomes of a slice becomes of the whole."""
        twap = self._twaps.get(event.request) if isinstance(event, OrderChanged) else None
        if twap is not None and isinstance(event, OrderChanged):
            twap.slices[event.order_id] = event
            self._tell(twap, event.ts)

    def _end(self, twap: _Twap, how: str, now_ns: int) -> None:
        twap.is_over, schedule = True, twap.schedule
        self._wake(schedule.request, None)
        what = f"{schedule.intent.side} {schedule.intent.quantity:f} {self._instrument.base}"
        left = f"; {schedule.left:f} were not sent" if schedule.left else ""
        text = f"The TWAP to {what} is {how}{left}."
        self._emit(Logged(ts=now_ns, level="info", source="hand", text=text))
        self._tell(twap, now_ns)

    def _tell(self, twap: _Twap, ts: int) -> None:
        """Tell it where something of it changed."""
        schedule, intent = twap.schedule, twap.schedule.intent
        said = (twap.filled, twap.average_price, twap.status, twap.note)
        if said == twap.told:
            return
        twap.told = said
        filled, average_price, status, note = said
        order = OrderChanged(
            ts=ts,
            order_id=schedule.request,
            instrument=intent.instrument,
            strategy=intent.strategy,
            side=intent.side,
            type="TWAP",
            quantity=intent.quantity,
            filled=filled,
            price=intent.price,
            trigger=None,
            average_price=average_price,
            status=status,
            reason=note,
            time_in_force=intent.time_in_force,
            post_only=intent.post_only,
            reduce_only=intent.reduce_only,
            request=schedule.request,
        )
        left = 0 if twap.is_over else schedule.slices_left
        self._emit(TwapChanged(ts=ts, order=order, sent=twap.sent, left=left, next_ns=twap.next_ns))
