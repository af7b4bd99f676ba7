"""Which instrument files are of, guessed from their path: a proposal for the person, never taken unasked."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final

_VENUES: Final = ("DUKASCOPY", "TRUEFX", "HISTDATA", "OANDA", "FXCM", "BINANCE", "BYBIT")
_LOBSTER: Final = re.compile(r"([A-Z]+)_\d{4}-\d{2}-\d{2}_\d+_\d+_(?:message|orderbook)_\d+\.csv")
"""LOBSTER's files are Nasdaq's."""

_PERPETUAL_FOLDERS: Final = {"usdm", "um", "futures", "perp", "perpetual"}
_PERPETUAL_NAME: Final = "binance-futures_"
"""Begins Tardis' files of Binance's perpetuals."""

_NO_SYMBOL: Final = {"quotes", "trades", "candles", "minute", "second", "binance", "bybit"}


def propose_instrument(paths: Sequence[Path]) -> str:
    """`SYMBOL.VENUE` for these files, or nothing where their names do not tell."""
    if not paths:
        return ""
    path = paths[0]
    if (lobster := _LOBSTER.match(path.name)) is not None:
        return f"{lobster[1]}.NASDAQ"
    words = [part.lower() for part in path.parts]
    venue = next((name for name in _VENUES if any(name.lower() in word for word in words)), "")
    if not venue and path.suffix.lower() == ".bi5":
        venue = "DUKASCOPY"
    if not venue and path.name.upper().startswith("DAT_ASCII"):
        venue = "HISTDATA"
    symbol = _symbol(path)
    if not symbol or not venue:
        return ""
    perpetual = venue == "BINANCE" and (
        bool(_PERPETUAL_FOLDERS & set(words)) or words[-1].startswith(_PERPETUAL_NAME)
    )
    return f"{symbol}{'-PERP' if perpetual else ''}.{venue}"


def _symbol(path: Path) -> str:
    """Currency pair in the file's name, else in the nearest folder's."""
    for part in reversed(path.parts):
        for word in re.split(r"[^A-Za-z]+", part):
            if 6 <= len(word) <= 10 and word.lower() not in _NO_SYMBOL and _is_pair(word):
                return word.upper()
    return ""


def _is_pair(word: str) -> bool:
    quotes = ("USDT", "USDC", "USD", "EUR", "JPY", "GBP", "CHF", "AUD", "NZD", "CAD", "BTC", "ETH")
    return word.isupper() and len(word) == 6 or word.upper().endswith(quotes)  # noqa: RUF021
