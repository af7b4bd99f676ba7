"""What a session does as its account's equity falls: tells each stage of the protection, and flattens."""

from collections.abc import Callable
from typing import Final

from engine.messages.events import AnyEvent, Logged
from engine.messages.limits import Stage
from engine.risk.gate import RiskGate

_AGAIN_NS: Final = 2_000_000_000
"""Time that closing orders are given before they are sent again."""


class Protecting:
    """Looks at a gate's drawdown protection, and does what only a session can.

    Parameters
    ----------
    emit : callable
        Takes every event.
    """

    def __init__(self, emit: Callable[[AnyEvent], None]) -> None:
        self._emit = emit
        self.restart()

    def restart(self) -> None:
        """The run begins anew."""
        self._told: Stage = "normal"
        self._flattened_ns: int | None = None

    def look(self, gate: RiskGate, now_ns: int, *, is_flat: bool) -> bool:
        """Tell a stage that is new; whether all is to be cancelled and closed now.

        An account is flat that holds nothing and has no order at work, which would open something yet.
        """
        guard = gate.protection
        if guard.stage != self._told:
            self._told = guard.stage
            self._emit(Logged(ts=now_ns, level="warning", source="protection", text=guard.said))
        if guard.stage != "flat" or is_flat or gate.halted:  # a halt flattens by itself
            self._flattened_ns = None
            return False
        if self._flattened_ns is not None and now_ns - self._flattened_ns < _AGAIN_NS:
            return False
        self._flattened_ns = now_ns
        return True
