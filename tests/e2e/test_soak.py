"""A short soak: the real engine trades through every kind of trouble, and all agree at the end."""

import pytest

from app.commands.bench_soak import Progress, soak
from tests.venue.faults import KINDS

_ORDERS = 100
_FILLS = 40
_LONGEST_S = 120.0
"""Of trading, on a machine that is busy with everything else; it takes 20 s."""


def is_enough(now: Progress) -> bool:
    """So much was traded in spite of every kind of fault; or it never will be."""
    done = now.orders >= _ORDERS and now.fills >= _FILLS and now.faults.keys() == set(KINDS)
    return done or now.seconds > _LONGEST_S


@pytest.mark.timeout(300)  # it may settle for a minute and a half
def test_all_agree_after_every_kind_of_fault() -> None:
    said: list[str] = []
    figures = soak(7, is_enough, said.append, fault_every_s=0.5, pause_s=0.5)
    assert figures["disagree"] == []
    assert (figures["disagreements"], figures["events_lost"]) == (0, 0)
    assert figures["faults"].keys() == set(KINDS)
    assert {kind: each["count"] for kind, each in figures["recovery_ms"].items()} == figures["faults"]
    assert figures["fills"] >= _FILLS
    # Some are lost on the way, or refused there; hardly one is refused here.
    assert figures["asked"] >= figures["orders"] > _ORDERS // 2
    assert figures["denied"] < _ORDERS // 10
    assert figures["events"] > figures["orders"] + figures["fills"]
