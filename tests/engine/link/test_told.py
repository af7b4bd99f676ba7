"""What the kill window and `nexttick kill` are told of a session's positions."""

from decimal import Decimal

import pytest

from engine.link.scripted import position
from engine.link.told import UNKNOWN, Told


@pytest.mark.parametrize(
    ("mine", "other", "told"),
    [("-2", "EXTERNAL", []), ("1", "EXTERNAL", ["3"]), ("-2", "S-001", ["2", "-2"])],
)
def test_what_closes_a_foreign_position_leaves_the_account_flat(
    mine: str, other: str, told: list[str]
) -> None:
    found = Told(UNKNOWN)
    found.note(position(position_id="P-1", strategy=other, quantity=Decimal(2)))
    found.note(position(position_id="P-2", strategy="HAND-001", quantity=Decimal(mine)))
    assert [each.quantity for each in found.positions] == [Decimal(each) for each in told]
