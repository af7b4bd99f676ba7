"""How many orders were wanted in one second at most, whatever windows time is cut into."""

from engine.messages.orders import Denial, OrderIntent
from engine.risk.gate import RiskGate


class Gauge:
    """Stands before a gate and looks at every order that comes to it.

    Attributes
    ----------
    asked : int
        Orders and changes that came.
    """

    def __init__(self, gate: RiskGate) -> None:
        self._gate = gate
        self._most = 0
        self.asked = 0

    def check(self, intent: OrderIntent, order_id: str = "") -> Denial | None:
        """What the gate says."""
        denial = self._gate.check(intent, order_id)
        self.asked += 1
        self._most = max(self._most, self._gate.wanted_in_second())
        return denial

    def withdraw(self, order_id: str) -> None:
        """Tell the gate."""
        self._gate.withdraw(order_id)

    def take(self) -> int:
        """Most that were wanted in a second since the last call."""
        most, self._most = self._most, 0
        return most
