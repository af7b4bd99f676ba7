"""Which of a crypto venue's markets a file is of, so that a spot file never ends up as a future's history.

Venues give one symbol to several markets: BTCUSDT is traded on Binance's spot market and as a USD-M
perpetual, at different prices. A file tells its market by folder, layout or exchange; each is evidence.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from engine.feeds.decoded import Undecodable
from engine.messages.instrument import Instrument


class Market(StrEnum):
    """A market of a venue, in the words in which a user is told of it."""

    SPOT = "the spot market"
    LINEAR = "linear futures (USD-M)"
    INVERSE = "inverse futures (COIN-M)"


SPOT = frozenset({Market.SPOT})
FUTURES = frozenset({Market.LINEAR, Market.INVERSE})


@dataclass(frozen=True, slots=True)
class Evidence:
    """Markets that one sign of a file leaves possible; `sign` begins a sentence: "its folder spot"."""

    sign: str
    markets: frozenset[Market]


def market_of(instrument: Instrument) -> Market:
    """Market that an instrument belongs to."""
    if instrument.inverse:
        return Market.INVERSE
    return Market.LINEAR if instrument.kind in {"perpetual", "future"} else Market.SPOT


def check_market(instrument: Instrument, evidence: tuple[Evidence, ...]) -> list[str]:
    """What a user should know of how the market was told: nothing where the evidence leaves only one.

    Raises
    ------
    Undecodable
        A sign rules the instrument's market out.
    """
    mine, possible = market_of(instrument), frozenset(Market)
    for each in evidence:
        if mine not in each.markets:
            told = " or ".join(market for market in Market if market in each.markets)
            raise Undecodable(
                f"{each.sign} tells that it is of {told}, but {instrument.id} is of {mine}; give the "
                "instrument of that market as --instrument"
            )
        possible &= each.markets
    if possible == {mine}:
        return []
    return [f"The file does not tell its market; it was taken as of {mine}, as {instrument.id} is."]


def folder_evidence(path: Path, markets: Mapping[str, Market]) -> tuple[Evidence, ...]:
    """What the names of the folders above a file tell, by a venue's words for its markets."""
    folders = [part.lower() for part in path.parts[:-1]]
    return tuple(
        Evidence(f"its folder {part}", frozenset({markets[part]})) for part in folders if part in markets
    )


def symbol_evidence(symbol: str, inverse: re.Pattern[str]) -> Evidence:
    """What a symbol tells where those of the inverse market, and no others, have a form of their own."""
    markets = frozenset({Market.INVERSE})
    return Evidence(
        f"its symbol {symbol}", markets if inverse.search(symbol) else frozenset(Market) - markets
    )
