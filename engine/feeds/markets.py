"""Which of a crypto venue's markets a file is of, so that a spot file never ends up as a future's history.

Venues give one symbol to several markets: BTCUSDT is traded on Binance's spot market and as a USD-M
perpetual, at different prices. A file tells its market by folder, layout or exchange; each is evidence.
"""

from dataclasses import dataclass
from enum import StrEnum

from engine.feeds.decoded import Undecodable
from engine.messages.instrument import Instrument


class Market(StrEnum):
    """A market of a venue, in the words in which a user is told of it."""

    SPOT = "the spot market"
    LINEAR = "linear futures (USD-M)"
    INVERSE = "inverse futures (COIN-M)"


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


def check_market(instrument: Instrument, evidence: tuple[Evidence, ...]) -> bool:
    """Whether the evidence leaves the instrument's market as the only one.

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
    return possible == {mine}
