"""The account as it is read: also while the venue has not told of it yet."""

from decimal import Decimal
from typing import Any

from nautilus_trader.model import Currency, Venue

from engine.nautilus.account import AccountReader


class Empty:
    """A cache and a portfolio of a node that is still connecting."""

    def __getattr__(self, name: str) -> Any:
        return lambda *_: None


def test_before_the_venue_has_told_of_it_there_is_no_account_and_nothing_to_tell() -> None:
    reader = AccountReader(Empty(), Empty(), Venue("SIM"), Currency.from_str("USDT"))
    assert reader.news(1) is None
    assert reader.total() == Decimal(0)
