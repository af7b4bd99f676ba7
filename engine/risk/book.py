"""What the account holds, has working and has earned, exact and as of the newest event."""

from collections.abc import Callable, Mapping
from decimal import Decimal

import msgspec

from engine.messages.events import AnyEvent
from engine.messages.instrument import Instrument


class Touch(msgspec.Struct, frozen=True):
    """Best prices of an instrument and when they were last heard of (of the clock that rules read)."""

    bid: Decimal
    ask: Decimal
    ts_ns: int


class AccountBook:
    """Positions per instrument and strategy, working orders, money and profit.

    Parameters
    ----------
    instruments : mapping
        By name.
    currency : str
        Of the account. What an instrument is settled in must be this currency; others are not converted yet.
    balance : Decimal
        Money at the start.
    touch : callable
        Best prices of an instrument now; None where they are not known.
    leverage : Decimal
        What a position's value is divided by for its margin.
    """

    def __init__(
        self,
        instruments: Mapping[str, Instrument],
        *,
        currency: str,
        balance: Decimal,
        touch: Callable[[str], Touch | None],
        leverage: Decimal = Decimal(1),
    ) -> None:
        self._instruments, self.currency, self._balance = instruments, currency, balance
        self._touch, self._leverage = touch, leverage

    def note(self, event: AnyEvent) -> None:
        """Take every event of the session, in order."""
        raise NotImplementedError
