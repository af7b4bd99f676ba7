"""The kill switch: one way in from any thread, and the steps that leave an account flat and halted.

`KillSwitch` only remembers that it was fired, so it can be fired from wherever something is seen to go
wrong: from a watchdog's thread while the session's own is busy. The gate looks at it, so nothing new passes
from that very moment; `HaltProcedure`, driven by the session's thread, does the rest.
"""

import threading
from collections.abc import Sequence
from decimal import Decimal
from typing import Final, Literal, Protocol

import msgspec

from engine.errors import UserError
from engine.messages.events import HaltChanged, HaltStep

type Cause = Literal["person", "rule", "channel"]
"""Who fired: somebody, a kill rule, or the second channel past a window that hangs."""

RETRY_NS: Final = 1_000_000_000
"""Time after which what was not carried out is asked for again."""

PATIENCE_NS: Final = 3_000_000_000
"""Time after which an order that cannot be cancelled no longer keeps positions from being closed."""

STILL_NS: Final = 500_000_000
"""Time for which there must be neither order nor position before the account counts as flat."""

_NO_MORE_THAN: Final = 5
"""Instruments named in a sentence."""


class Fired(msgspec.Struct, frozen=True):
    """Why the switch was fired, and by whom."""

    reason: str
    by: Cause


class KillSwitch:
    """Fired once, from any thread; stays fired until it is cleared by re-arming."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._event = threading.Event()
        self._pending: Fired | None = None

    def fire(self, reason: str, by: Cause = "person") -> bool:
        """Fire; False where it was fired already, whose reason stays."""
        with self._lock:
            if self._pending is not None:
                return False
            self._pending = Fired(reason, by)
        self._event.set()
        return True

    @property
    def pending(self) -> Fired | None:
        """Why it was fired; None while it is not. Reading needs no lock, so the gate may at every order."""
        return self._pending

    def wait(self, timeout_s: float) -> bool:
        """Sleep until it is fired, or for so long; whether it is fired."""
        return self._event.wait(timeout_s)

    def clear(self) -> None:
        """Let it be fired anew; only re-arming does this."""
        with self._lock:
            self._pending = None
            self._event.clear()


class Holding(msgspec.Struct, frozen=True):
    """One open position of one strategy; `quantity` is signed, never 0.

    `position` names it where a strategy may hold several, as in a hedging account.
    """

    instrument: str
    strategy: str
    quantity: Decimal
    position: str = ""


class Hands(Protocol):
    """What the procedure can do and see in a session; none of it waits for an answer."""

    def cancel_all(self) -> None:
        """Ask for every working order of the account to be cancelled."""

    def close(self, holding: Holding, by: Literal["market", "limit"]) -> None:
        """Ask for a position to be closed, reduce-only: at market, or by a limit through the touch."""

    def open_orders(self) -> int:
        """Orders sent or at work, those in doubt included."""

    def positions(self) -> Sequence[Holding]:
        """Positions that are open now."""


class HaltProcedure:
    """Cancels all, flattens, sees that it is flat, and stays halted: a state machine without a clock.

    Steps are repeated until they are done. An account that was flat and is not any more (a fill that came
    late) is flattened again.

    Parameters
    ----------
    switch : KillSwitch
        What it waits for.
    account : str
        Name to be typed to re-arm.
    flatten_by : str
        `market` or `limit`.

    Attributes
    ----------
    step_now : HaltStep
        Where it is.
    """

    def __init__(
        self, switch: KillSwitch, account: str, *, flatten_by: Literal["market", "limit"] = "market"
    ) -> None:
        self._switch, self._account = switch, account
        self.flatten_by: Literal["market", "limit"] = flatten_by
        self.step_now = HaltStep.NONE
        self._fired = Fired("", "person")
        self._begun_ns = self._asked_ns = self._flat_ns = 0
        self._attempts = 0

    def step(self, now_ns: int, hands: Hands) -> list[HaltChanged]:
        """Do what is due, and tell what changed; call it often, with a clock that goes on while paused."""
        match self.step_now:
            case HaltStep.NONE:
                return self._begin(now_ns, hands)
            case HaltStep.CANCELLING:
                return self._cancel(now_ns, hands)
            case HaltStep.FLATTENING:
                return self._flatten(now_ns, hands)
            case HaltStep.VERIFYING:
                return self._verify(now_ns, hands)
            case HaltStep.HALTED:
                return self._watch(now_ns, hands)

    def rearm(self, confirmation: str, now_ns: int) -> HaltChanged:
        """Let orders pass again.

        Raises
        ------
        UserError
            It is not halted (yet), or what was typed is not the account's name.
        """
        if self.step_now is HaltStep.NONE:
            raise UserError("Nothing is halted, so there is nothing to re-arm.")
        if self.step_now is not HaltStep.HALTED:
            raise UserError("The account is not flat yet; wait until it is halted, then re-arm.")
        if confirmation != self._account:
            raise UserError(f"Type the account's name, {self._account}, to re-arm.")
        fired, self._fired = self._fired, Fired("", "person")
        self.step_now = HaltStep.NONE
        self._switch.clear()
        return HaltChanged(
            ts=now_ns, step=HaltStep.NONE, by="person", reason=fired.reason, text="Orders pass again."
        )

    def _begin(self, now_ns: int, hands: Hands) -> list[HaltChanged]:
        fired = self._switch.pending
        if fired is None:
            return []
        self._fired = fired
        return self._start_cancelling(now_ns, hands)

    def _start_cancelling(self, now_ns: int, hands: Hands) -> list[HaltChanged]:
        self._begun_ns = self._asked_ns = now_ns
        hands.cancel_all()
        return self._go(HaltStep.CANCELLING, now_ns, "Nothing new passes; all working orders are cancelled.")

    def _cancel(self, now_ns: int, hands: Hands) -> list[HaltChanged]:
        left = hands.open_orders()
        if not left:
            return self._start_flattening(now_ns, hands, "All orders are cancelled.")
        if now_ns - self._begun_ns >= PATIENCE_NS:
            return self._start_flattening(
                now_ns, hands, f"{_counted(left, 'order')} could not be cancelled yet; positions are closed."
            )
        if now_ns - self._asked_ns >= RETRY_NS:
            self._asked_ns = now_ns
            hands.cancel_all()
        return []

    def _start_flattening(self, now_ns: int, hands: Hands, text: str) -> list[HaltChanged]:
        self._attempts = 0
        self._begun_ns = now_ns
        told = self._go(HaltStep.FLATTENING, now_ns, text)
        return told + self._close(now_ns, hands)

    def _close(self, now_ns: int, hands: Hands) -> list[HaltChanged]:
        held = hands.positions()
        if not held:
            self._flat_ns = now_ns
            return self._go(HaltStep.VERIFYING, now_ns, "Nothing is held; waiting for late fills.")
        self._attempts += 1
        self._asked_ns = now_ns
        for holding in held:
            hands.close(holding, self.flatten_by)
        if self._attempts in (3, 10, 30) or self._attempts % 100 == 0:
            text = f"{_named(held)} could not be closed in {self._attempts} attempts; close it at the venue."
            return [self._told(now_ns, text)]
        return []

    def _flatten(self, now_ns: int, hands: Hands) -> list[HaltChanged]:
        if not hands.positions():
            return self._close(now_ns, hands)
        waited = now_ns - self._asked_ns
        if waited < RETRY_NS:
            return []
        # What closes must be gone before it is asked for again, or a late fill would turn the position round.
        if hands.open_orders() and waited < RETRY_NS + PATIENCE_NS:
            hands.cancel_all()
            return []
        return self._close(now_ns, hands)

    def _verify(self, now_ns: int, hands: Hands) -> list[HaltChanged]:
        changed = self._disturbed(now_ns, hands)
        if changed is not None:
            return changed
        if now_ns - self._flat_ns < STILL_NS:
            return []
        return self._go(HaltStep.HALTED, now_ns, f"Flat and halted; type {self._account} to re-arm.")

    def _watch(self, now_ns: int, hands: Hands) -> list[HaltChanged]:
        return self._disturbed(now_ns, hands) or []

    def _disturbed(self, now_ns: int, hands: Hands) -> list[HaltChanged] | None:
        """Begin again where an order or a position turned up; None where all is quiet."""
        if hands.open_orders():
            return self._start_cancelling(now_ns, hands)
        held = hands.positions()
        if held:
            return self._start_flattening(now_ns, hands, f"A late fill left {_named(held)}; it is closed.")
        return None

    def _go(self, step: HaltStep, now_ns: int, text: str) -> list[HaltChanged]:
        self.step_now = step
        return [self._told(now_ns, text)]

    def _told(self, now_ns: int, text: str) -> HaltChanged:
        return HaltChanged(
            ts=now_ns, step=self.step_now, by=self._fired.by, reason=self._fired.reason, text=text
        )


def _counted(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


def _named(held: Sequence[Holding]) -> str:
    named = ", ".join(f"{each.quantity:+f} {each.instrument}" for each in held[:_NO_MORE_THAN])
    left = len(held) - _NO_MORE_THAN
    return f"{named} and {left} more" if left > 0 else named
