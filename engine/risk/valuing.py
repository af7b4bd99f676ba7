"""What a size of an instrument is worth in money, linear and inverse contracts alike.

A linear contract of size q at price p is worth q x multiplier x p in its quote currency, and is settled in
it. An inverse one is worth q x multiplier / p in its base currency, and is settled in that; as its profit is
q x multiplier x (1/entry - 1/exit), the same sums serve for both where -1/p takes the place of p.
"""

from decimal import Decimal
from typing import Final

from engine.messages.instrument import Instrument

ZERO: Final = Decimal(0)
ONE: Final = Decimal(1)
HALF: Final = Decimal("0.5")


class Valuing:
    """How one instrument is valued in an account of one currency.

    Attributes
    ----------
    settled_in : str
        Currency of values and profits.
    is_money : bool
        That is the account's currency; money is not converted yet, so of other instruments no value is known.
    """

    __slots__ = ("_inverse", "_multiplier", "_plain", "instrument", "is_money", "settled_in")

    def __init__(self, instrument: Instrument, currency: str) -> None:
        self.instrument = instrument
        self._multiplier, self._inverse = instrument.multiplier, instrument.inverse
        self._plain = not instrument.inverse and instrument.multiplier == ONE
        self.settled_in = instrument.base if instrument.inverse else instrument.quote
        self.is_money = self.settled_in == currency

    def unit(self, price: Decimal) -> Decimal:
        """Value of a size of 1."""
        if self._plain:
            return price
        return self._multiplier / price if self._inverse else self._multiplier * price

    def level(self, price: Decimal) -> Decimal:
        """What a size of 1 gains as this rises: profit is size x (level now - level at entry)."""
        return -self.unit(price) if self._inverse else self.unit(price)

    def loss(self, entry: Decimal, stop: Decimal) -> Decimal:
        """What a size of 1 loses from its entry to its stop, both fees of a taker included."""
        at_entry, at_stop = self.unit(entry), self.unit(stop)
        return abs(at_entry - at_stop) + (at_entry + at_stop) * self.instrument.taker_fee

    def price_at(self, level: Decimal) -> Decimal:
        """Price of a level, the inverse of `level`."""
        return -self._multiplier / level if self._inverse else level / self._multiplier
