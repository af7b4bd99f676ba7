"""An order spread evenly over time: how much of it is to be sent when."""

from decimal import Decimal
from typing import Final

import msgspec

from engine.messages.orders import OrderIntent
from engine.nautilus.requests import slices

_NS: Final = 1_000_000_000


class Schedule:
    """One order in slices of whole lots, each sent an interval after the one before.

    What a slice should have sent and did not (the gate refused it) is for the next one.

    Parameters
    ----------
    request : str
    intent : OrderIntent
        With a `twap`; its size in base units.
    start_ns : int
        Market time of the first slice.
    lot : Decimal

    Attributes
    ----------
    count : int
        Slices in all.
    sent : Decimal
        Size that was sent.
    """

    def __init__(self, request: str, intent: OrderIntent, start_ns: int, lot: Decimal) -> None:
        assert intent.twap is not None  # noqa: S101 - who calls
        self.request = request
        self.intent = intent
        self._start_ns, self._interval_ns = start_ns, round(intent.twap.interval_s * _NS)
        self._lots, self._lot = intent.quantity // lot, lot
        self.count = slices(intent.twap.horizon_s, intent.twap.interval_s)
        self._due = 0
        self.sent = Decimal(0)

    @property
    def next_ns(self) -> int | None:
        """Market time of the next slice; None after the last."""
        if self._due == self.count:
            return None
        return self._start_ns + self._due * self._interval_ns

    @property
    def slices_left(self) -> int:
        """Slices that are not due yet."""
        return self.count - self._due

    @property
    def left(self) -> Decimal:
        """Size that was not sent."""
        return self._lots * self._lot - self.sent

    def take(self) -> OrderIntent | None:
        """The slice that is due; None where the ones before have sent as much."""
        self._due += 1
        size = self._lots * self._due // self.count * self._lot - self.sent
        return msgspec.structs.replace(self.intent, quantity=size, twap=None) if size else None
