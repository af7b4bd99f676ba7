"""What a session told of itself so far: what works, what is held, where a halt is.

The session's thread writes it and any other may read it, also while that thread hangs.
"""

from decimal import Decimal
from typing import Final

from engine.messages.events import (
    AnyEvent,
    ArmStateChanged,
    EpochBegan,
    HaltChanged,
    OrderChanged,
    PolicyChanged,
    PositionChanged,
)
from engine.messages.limits import KillRules
from engine.messages.orders import ENDED, EXTERNAL, HELD
from engine.messages.run import ArmState, Run
from engine.risk.kill import Holding

UNKNOWN: Final = Run(instrument="")
"""Of a session of which it is not said what it runs."""


class Told:
    """As of the newest event that was noted.

    Attributes
    ----------
    arm : ArmState
    halt : HaltChanged or None
        Newest word of the kill switch.
    rules : KillRules
        In force.
    account : str
        Name that a person knows the account by; empty until it was told.
    """

    def __init__(self, run: Run) -> None:
        self.arm: ArmState = run.arm
        self.halt: HaltChanged | None = None
        self.rules: KillRules = run.policy.kill
        self.account = ""
        self._working: set[str] = set()
        self._held: dict[str, Holding] = {}

    def note(self, event: AnyEvent) -> None:
        """Take every event, in order."""
        match event:
            case OrderChanged(order_id=order_id, status=status):
                if status in ENDED or status == HELD:
                    self._working.discard(order_id)
                else:
                    self._working.add(order_id)
            case PositionChanged(position_id=position_id, quantity=quantity):
                self._held[position_id] = Holding(event.instrument, event.strategy, quantity)
                if not quantity:
                    del self._held[position_id]
            case EpochBegan():
                self._working.clear()
                self._held.clear()
            case ArmStateChanged(state=state):
                self.arm = state
            case HaltChanged():
                self.halt = event
            case PolicyChanged(policy=policy):
                self.rules = policy.kill
            case _:
                pass

    @property
    def orders(self) -> int:
        """Orders at work or on their way."""
        return len(self._working)

    @property
    def positions(self) -> list[Holding]:
        """Positions that are open; of an instrument in which one is foreign, their sum.

        A foreign position is closed by an opposite one of the hand's: at the venue they are none, and in the
        books both stay.
        """
        held = list(self._held.copy().values())  # copied in one go, as the other thread may write
        mixed = {each.instrument for each in held if each.strategy == EXTERNAL}
        told = [each for each in held if each.instrument not in mixed]
        for name in sorted(mixed):
            net = sum((each.quantity for each in held if each.instrument == name), Decimal(0))
            if net:
                told.append(Holding(name, EXTERNAL, net))
        return told
