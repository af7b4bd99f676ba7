"""What is traded: the facts that prices, sizes and fees are read with."""

from decimal import Decimal
from typing import Literal

import msgspec


class Instrument(msgspec.Struct, frozen=True, kw_only=True):
    """One tradable thing at one venue.

    Attributes
    ----------
    id : str
        `SYMBOL.VENUE`, for example `EURUSD.DUKASCOPY`.
    base, quote : str
        Currency codes (an equity's base is its symbol); prices are `quote` per `base`, fees and profit are
        in `quote`.
    price_precision, size_precision : int
        Decimal digits of every stored price and size.
    tick_size, lot_size : Decimal
        Smallest step of a price and of an order's size.
    multiplier : Decimal
        Units of `base` in a size of 1 (of `quote` where `inverse`); more than 1 for most futures.
    inverse : bool
        A contract that is sized in `quote` and settled in `base`, as Binance's COIN-M are.
    maker_fee, taker_fee : Decimal
        Fraction of the notional, 0.0002 is 2 bps; a negative maker fee is a rebate.
    """

    id: str
    kind: Literal["fx", "spot", "perpetual", "equity", "future"]
    base: str
    quote: str
    price_precision: int
    size_precision: int
    tick_size: Decimal
    lot_size: Decimal
    maker_fee: Decimal = Decimal(0)
    taker_fee: Decimal = Decimal(0)
    multiplier: Decimal = Decimal(1)
    inverse: bool = False

    @property
    def symbol(self) -> str:
        """Part before the last dot."""
        return self.id.rpartition(".")[0]

    @property
    def venue(self) -> str:
        """Part after the last dot."""
        return self.id.rpartition(".")[2]
