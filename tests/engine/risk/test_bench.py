"""The bench of the gate asks all twenty rules, and none of them is in the way."""

from engine.messages.limits import Limits
from engine.risk.bench import EVERY_LIMIT, gate_ns


def test_it_times_orders_that_pass_every_rule() -> None:
    assert all(getattr(EVERY_LIMIT, name) for name in Limits.__struct_fields__)
    assert len(Limits.__struct_fields__) == 20
    times = gate_ns(200)
    assert len(times) == 200
    assert min(times) > 0
