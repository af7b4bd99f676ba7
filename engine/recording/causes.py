"""What led to an event of the audit log, as far as it can be told from what came before it."""

from collections.abc import Iterable
from typing import Final

from engine.messages.commands import (
    AnyCommand,
    BreakEven,
    Cancel,
    CancelAll,
    Command,
    Flatten,
    Kill,
    Modify,
    Rearm,
    Reverse,
    SetArming,
    SetArmState,
    SetPolicy,
    SetStop,
    Submit,
)
from engine.messages.events import (
    AnyEvent,
    ArmingChanged,
    ArmStateChanged,
    Denied,
    EpochBegan,
    Filled,
    HaltChanged,
    HaltStep,
    OrderChanged,
    PolicyChanged,
    PositionChanged,
    Refused,
    SignalActed,
    TwapChanged,
)
from engine.messages.orders import ENDED, EXTERNAL, HAND, OrderIntent

_OF_HAND: Final = (Submit, Modify, Flatten, Reverse, BreakEven, SetStop)
_ASKED_BY: Final[dict[type[AnyEvent], tuple[type[Command], ...]]] = {
    ArmStateChanged: (SetArmState, Kill),
    ArmingChanged: (SetArming,),
    PolicyChanged: (SetPolicy,),
}


class Causes:
    """Follows commands and events in their order; `command N` names line N."""

    def __init__(self) -> None:
        self._newest: dict[type[Command], int] = {}
        self._newest_of_tag: dict[str, int] = {}
        self._of_request: dict[str, int] = {}
        self._of_order: dict[str, str] = {}
        self._working: dict[str, OrderChanged] = {}
        self._halts = False

    def take(self, command: AnyCommand, number: int) -> None:
        """A command that stands in line `number`."""
        self._newest[type(command)] = number
        self._newest_of_tag[str(type(command).__struct_config__.tag)] = number
        match command:
            case Submit(request=request):
                # One that is sent twice is carried out once, for its first line.
                self._of_request.setdefault(request, number)
            case Cancel(order_id=order_id) | Modify(order_id=order_id):
                # A TWAP goes by its request, and its slices with it.
                slices = [order for order, at in self._working.items() if at.request == order_id]
                self._of_order.update(dict.fromkeys([order_id, *slices], _line(number)))
            case CancelAll(instrument=name) | Flatten(instrument=name) | Reverse(instrument=name):
                orders = [order for order, at in self._working.items() if name in ("", at.instrument)]
                self._of_order.update(dict.fromkeys(orders, _line(number)))
            case _:
                pass

    def of_intent(self, intent: OrderIntent, order_id: str) -> str:
        """Who wanted an order."""
        if self._halts:
            return "halt"
        if intent.strategy != HAND:
            return f"strategy {intent.strategy}"
        return self._of_order.get(intent.changes or order_id, "") or self._latest(_OF_HAND)

    def of_event(self, event: AnyEvent) -> str:
        """What led to it; empty where that is not known."""
        cause = ""
        match event:
            case OrderChanged() | TwapChanged():
                cause = self._of_change(event)
            case Filled(order_id=order_id):
                cause = f"order {order_id}"
            case PositionChanged(strategy=strategy):
                cause = f"strategy {strategy}"
            case SignalActed(signal=signal):
                cause = f"signal {signal}"
            case Denied(intent=intent, order_id=order_id):
                cause = self.of_intent(intent, order_id)
            case Refused(command=tag):
                number = self._newest_of_tag.get(tag)
                cause = "" if number is None else _line(number)
            case HaltChanged():
                cause = self._of_halt(event)
            case EpochBegan():
                self._of_order.clear()
                self._working.clear()
            case ArmStateChanged(by=by) | ArmingChanged(by=by) | PolicyChanged(by=by):
                cause = self._latest(_ASKED_BY[type(event)]) if by == "person" else by
            case _:
                pass
        return cause

    def _of_change(self, event: OrderChanged | TwapChanged) -> str:
        if isinstance(event, TwapChanged):
            return self._of_order.get(event.order.order_id, "") or self._of_new(event.order)
        known = self._of_order.get(event.order_id)
        if known is None:
            known = self._of_new(event)
            self._of_order[event.order_id] = known
        if event.status in ENDED:
            self._working.pop(event.order_id, None)
            self._of_order.pop(event.order_id, None)
        else:
            self._working[event.order_id] = event
        return known

    def _of_new(self, event: OrderChanged) -> str:
        if event.request in self._of_request:
            return _line(self._of_request[event.request])
        if self._halts:
            return "halt"
        if event.strategy == HAND:
            return self._latest(_OF_HAND)
        return "venue" if event.strategy == EXTERNAL else f"strategy {event.strategy}"

    def _of_halt(self, event: HaltChanged) -> str:
        begins = not self._halts and event.step is not HaltStep.NONE
        self._halts = event.step is not HaltStep.NONE
        if begins:
            self._of_order.update(dict.fromkeys(self._working, "halt"))
        if event.by != "person":
            return event.by
        return self._latest((Rearm,) if event.step is HaltStep.NONE else (Kill,))

    def _latest(self, kinds: Iterable[type[Command]]) -> str:
        number = max((self._newest.get(kind, 0) for kind in kinds), default=0)
        return _line(number) if number else ""


def _line(number: int) -> str:
    return f"command {number}"
