"""What closes a position passes the gate like every order, and says what it closes."""

from typing import Any

import pytest

from engine.messages.commands import Flatten
from engine.messages.limits import Limits, RiskPolicy
from engine.messages.orders import Denial, OrderIntent
from engine.risk.gate import VenueGate
from tests.engine.nautilus.desks import Rig, wanted
from tests.engine.risk.markets import D, Desk
from tests.engine.session.markets import FX


class Watched(VenueGate):
    """Keeps what it was asked."""

    def __init__(self) -> None:
        super().__init__(FX)
        self.asked: dict[str, OrderIntent] = {}

    def check(self, intent: OrderIntent, order_id: str = "") -> Denial | None:
        self.asked[order_id] = intent
        return super().check(intent, order_id)


@pytest.mark.parametrize("oms", ["NETTING", "HEDGING"])
def test_no_order_leaves_that_the_gate_was_not_asked_for(oms: Any) -> None:
    gate = Watched()
    with Rig(oms=oms, gate=gate).to(1) as rig:
        rig.submit(wanted("BUY", 3_000))
        rig.submit(wanted("SELL", 1_000))
        before = set(gate.asked)
        held = {str(each.id): each.quantity.as_decimal() for each in rig.desk.own_positions()}
        rig.do(Flatten())
        assert not rig.desk.own_positions()
        assert set(gate.asked) == set(rig.orders())
        closing = [intent for order_id, intent in gate.asked.items() if order_id not in before]
        assert {each.closes: each.quantity for each in closing} == held
        assert all(each.reduce_only for each in closing)


@pytest.mark.parametrize("oms", ["NETTING", "HEDGING"])
def test_a_halted_account_beyond_every_limit_is_closed_by_the_gate_that_lets_nothing_else_pass(
    oms: Any,
) -> None:
    account = Desk(instruments=(FX,), currency="USD")
    with Rig(oms=oms, gate=account.gate).to(1) as rig:
        account.quote(FX.id, "1.1", "1.1")
        for intent in (wanted("BUY", 3_000), wanted("SELL", 3_000), wanted("BUY", 1_000)):
            for event in rig.submit(intent):
                account.note(event)
        account.gate.set_policy(RiskPolicy(account=Limits(order_quantity=D(0), position=D(0))))
        account.gate.halted = True
        assert {each.status for each in rig.submit(wanted("BUY")) if hasattr(each, "status")} == {"DENIED"}
        rig.do(Flatten())
        assert not rig.desk.own_positions()
