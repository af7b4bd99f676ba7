"""The one gate that every order and every change of one passes before it leaves for a venue."""

from collections.abc import Callable, Mapping
from typing import Protocol

from engine.messages.instrument import Instrument
from engine.messages.limits import AccountRisk, LimitUse, RiskPolicy
from engine.messages.orders import Denial, OrderIntent
from engine.messages.run import ArmState, Mode
from engine.risk.book import AccountBook
from engine.risk.kill import KillSwitch


class Gate(Protocol):
    """Decides on every intent before it becomes an order."""

    def check(self, intent: OrderIntent, order_id: str = "") -> Denial | None:
        """None where it may pass, and from then on counts as sent under that id; must take no time."""

    def withdraw(self, order_id: str) -> None:
        """Forget an order (or a change of one) that passed and was not sent after all."""


class VenueGate:
    """Refuses what is impossible at the venue: sizes and prices off its grid, or missing.

    Parameters
    ----------
    instrument : Instrument
        Whose lot and tick size are the grid.
    """

    def __init__(self, instrument: Instrument) -> None:
        self._instrument = instrument

    def check(self, intent: OrderIntent, order_id: str = "") -> Denial | None:  # noqa: ARG002 - it keeps none
        """Deny where size or price is impossible."""
        facts = self._instrument
        if intent.instrument != facts.id:
            return _denied(f"There is no {intent.instrument} in this session; trade {facts.id}.")
        lot = facts.lot_size
        if intent.quantity < lot:
            return _denied(f"Size {intent.quantity} is below one lot; order at least {lot}.")
        if intent.quantity % lot:
            return _denied(f"Size {intent.quantity} is not a multiple of the lot; order multiples of {lot}.")
        if "LIMIT" in intent.type and intent.price is None:
            return _denied(f"A {intent.type.lower()} order needs a price; give one.")
        for price in (intent.price, intent.trigger):
            if price is not None and (price <= 0 or price % facts.tick_size):
                return _denied(f"Price {price} is not on the grid; use multiples of {facts.tick_size}.")
        return None

    def withdraw(self, order_id: str) -> None:
        """Nothing is kept of an order that passed."""


class RiskGate:
    """Every check that an order must pass: the venue's grid, arm state and halt, then all limits.

    Parameters
    ----------
    instruments : mapping
        By name, those that may be traded.
    policy : RiskPolicy
    book : AccountBook
    now_ns : callable
        The clock of the rules: market time in a replay, the wall clock in paper and live.
    kill_switch : KillSwitch, optional
        Nothing but reducing orders passes from the moment that it is fired.
    """

    def __init__(
        self,
        instruments: Mapping[str, Instrument],
        policy: RiskPolicy,
        book: AccountBook,
        now_ns: Callable[[], int],
        *,
        arm: ArmState = "view",
        mode: Mode = "replay",
        kill_switch: KillSwitch | None = None,
    ) -> None:
        self._instruments, self._policy, self._book, self._now_ns = instruments, policy, book, now_ns
        self.arm: ArmState = arm
        self.mode: Mode = mode
        self.halted = False
        self._kill_switch = kill_switch

    def check(self, intent: OrderIntent, order_id: str = "") -> Denial | None:
        """None where it may pass, and from then on counts as sent under that id."""
        raise NotImplementedError

    def would(self, intent: OrderIntent) -> Denial | None:
        """What `check` would say, counting nothing."""
        raise NotImplementedError

    def withdraw(self, order_id: str) -> None:
        """Forget an order (or a change of one) that passed and was not sent after all."""
        raise NotImplementedError

    def set_policy(self, policy: RiskPolicy) -> None:
        """Put these limits in force at once; `UserError` where one of them is none."""
        raise NotImplementedError

    def mark(self) -> None:
        """Take the equity of now into the day's loss, the session's and the drawdown; call it often."""
        raise NotImplementedError

    def uses(self) -> list[LimitUse]:
        """How much of every limit is used now."""
        raise NotImplementedError

    def risk(self) -> AccountRisk:
        """The account's risk now; marks it, too."""
        raise NotImplementedError


def _denied(text: str) -> Denial:
    return Denial(rule="venue", text=text)
