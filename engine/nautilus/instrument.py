"""Our instrument as NautilusTrader's."""

from decimal import Decimal

from nautilus_trader.model import (
    CryptoPerpetual,
    Currency,
    CurrencyPair,
    Equity,
    InstrumentId,
    Price,
    Quantity,
    Symbol,
)

from engine.messages.instrument import Instrument

_MAINTENANCE_OF_INITIAL = Decimal("0.5")


def exact(value: Decimal, precision: int) -> str:
    """Text of `value` with exactly so many decimal digits; what Nautilus reads a precision from."""
    return f"{value:.{precision}f}"


def price(value: Decimal, instrument: Instrument) -> Price:
    """Price of this instrument; `value` must be on its grid."""
    return Price.from_str(exact(value, instrument.price_precision))


def quantity(value: Decimal, instrument: Instrument) -> Quantity:
    """Size of this instrument; `value` must be a multiple of its lot."""
    return Quantity.from_str(exact(value, instrument.size_precision))


def to_nautilus_instrument(instrument: Instrument) -> CurrencyPair | CryptoPerpetual | Equity:
    """Linear instrument whose initial margin is its notional over the account's leverage.

    Fees are left to the venue's fee model, which knows the run's own. Shares that trade in fractions, and
    futures (whose expiry is not in their data), are pairs of what is bought and what it is paid in.
    """
    facts = {
        "instrument_id": InstrumentId.from_str(instrument.id),
        "raw_symbol": Symbol(instrument.symbol),
        "price_precision": instrument.price_precision,
        "price_increment": price(instrument.tick_size, instrument),
        "lot_size": quantity(instrument.lot_size, instrument),
        "margin_init": Decimal(1),
        "margin_maint": _MAINTENANCE_OF_INITIAL,
        "ts_event": 0,
        "ts_init": 0,
    }
    quote = Currency.from_str(instrument.quote)
    if instrument.kind == "equity" and not instrument.size_precision:
        return Equity(**facts, currency=quote)  # type: ignore[arg-type]
    facts |= {
        "base_currency": Currency.from_str(instrument.base),
        "quote_currency": quote,
        "size_precision": instrument.size_precision,
        "size_increment": quantity(Decimal(1).scaleb(-instrument.size_precision), instrument),
    }
    if instrument.kind == "perpetual":
        return CryptoPerpetual(**facts, settlement_currency=quote, is_inverse=False)  # type: ignore[arg-type]
    return CurrencyPair(**facts)  # type: ignore[arg-type]
