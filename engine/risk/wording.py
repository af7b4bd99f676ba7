"""Sizes, money and prices as a trader reads them in a sentence."""

from decimal import ROUND_FLOOR, Decimal
from typing import Final

from engine.messages.instrument import Instrument
from engine.risk.valuing import ONE, ZERO

_WHOLE_FROM: Final = 1_000
_CENTS_FROM: Final = 1


def plain(value: Decimal) -> str:
    """A number without trailing zeros or exponent, thousands apart."""
    rounded = round(value, 8)
    return f"{rounded:,f}".rstrip("0").rstrip(".") if rounded % 1 else f"{rounded:,.0f}"


def money(value: Decimal, currency: str) -> str:
    """An amount with as many digits as tell something, without trailing zeros."""
    size = abs(value)
    digits = 0 if size >= _WHOLE_FROM else 2 if size >= _CENTS_FROM else 8
    return f"{plain(round(value, digits))} {currency}"


def size(quantity: Decimal, instrument: Instrument) -> str:
    """A size in what the instrument trades in: its base, or contracts."""
    unit = instrument.base if instrument.multiplier == ONE and not instrument.inverse else "contracts"
    if instrument.kind == "equity":
        unit = "shares"
    return f"{plain(quantity)} {unit}"


def whole_lots(quantity: Decimal, instrument: Instrument) -> Decimal:
    """The next size below that can be ordered; 0 where it is less than a lot."""
    lot = instrument.lot_size
    return max(ZERO, (quantity / lot).to_integral_value(ROUND_FLOOR) * lot)


def at_most(quantity: Decimal, instrument: Instrument) -> str:
    """What to do instead of too large an order, of which so much would have passed."""
    most = whole_lots(quantity, instrument)
    return f"order at most {size(most, instrument)}" if most else "close a position or raise the limit first"
