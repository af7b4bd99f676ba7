"""Best prices as the engine has them now."""

from typing import Any

from nautilus_trader.model import InstrumentId

from engine.risk.book import Touch


def touch(cache: Any, instrument_id: InstrumentId) -> Touch | None:
    """Best bid and ask of the newest quote; the last price on both sides where there are only trades.

    None before the first of them.
    """
    quote = cache.quote(instrument_id)
    if quote is not None:
        return Touch(quote.bid_price.as_decimal(), quote.ask_price.as_decimal(), quote.ts_init)
    trade = cache.trade(instrument_id)
    if trade is None:
        return None
    last = trade.price.as_decimal()
    return Touch(last, last, trade.ts_init)
