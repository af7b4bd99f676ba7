"""A gate that tells the audit log what it was asked and what it said."""

from collections.abc import Callable
from typing import Final

from engine.messages.orders import Denial, OrderIntent
from engine.risk.gate import Gate

type TakeVerdict = Callable[[OrderIntent, str, Denial | None, int], None]
"""Takes an intent, its order's id, what the gate said, and when; see `SessionRecorder.verdict`."""


def audited(gate: Gate, take: TakeVerdict | None, now_ns: Callable[[], int]) -> Gate:
    """`gate`, and an `AuditedGate` of it where somebody takes its verdicts."""
    return gate if take is None else AuditedGate(gate, take, now_ns)


class AuditedGate:
    """Says what `gate` says, and has it written down.

    Parameters
    ----------
    gate : Gate
    take : callable
    now_ns : callable
        The session's market time.
    """

    def __init__(self, gate: Gate, take: TakeVerdict, now_ns: Callable[[], int]) -> None:
        self._gate: Final = gate
        self._take, self._now_ns = take, now_ns

    def check(self, intent: OrderIntent, order_id: str = "") -> Denial | None:
        """None where it may pass, and from then on counts as sent under that id."""
        denial = self._gate.check(intent, order_id)
        self._take(intent, order_id, denial, self._now_ns())
        return denial

    def withdraw(self, order_id: str) -> None:
        """Forget an order (or a change of one) that passed and was not sent after all."""
        self._gate.withdraw(order_id)
