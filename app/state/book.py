"""The ladder's read model: the latest book of one instrument, and what was traded at which price.

Where a source has quotes only, the best bid and ask stand in as a book of one level a side, and the model
says so. Volume at price is summed from the trades that arrive; those a frame left out are counted, so a
panel can say how much of the profile is missing.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from engine.columns import Aggressor
from engine.messages.columns import LEVEL, Rows, empty
from engine.messages.frames import Market
from engine.messages.instrument import Instrument

type Float64 = npt.NDArray[np.float64]
type Int64 = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class LastTrade:
    """The latest trade; `aggressor` is 1 for a buyer, 2 for a seller, 0 where the venue does not tell."""

    ts: int
    price: float
    size: float
    aggressor: int


class VolumeAtPrice:
    """Traded size by price and aggressor.

    Attributes
    ----------
    points : int64 array `[prices]`, ascending
        Prices in units of the last digit: `price = points / 10**price_precision`.
    volume : float64 array `[3, prices]`
        Size traded; the row is the `Aggressor`: unknown, buyers, sellers.
    left_out : int
        Trades that happened but are not in these sums, because frames conflated them.
    """

    def __init__(self, price_precision: int) -> None:
        self._scale = 10.0**price_precision
        self.points: Int64 = np.empty(0, np.int64)
        self.volume: Float64 = np.empty((3, 0), np.float64)
        self.left_out = 0

    @property
    def prices(self) -> Float64:
        """Prices that traded, ascending, float64 `[prices]`."""
        return self.points / self._scale

    @property
    def buy(self) -> Float64:
        """Size taken by buyers at each price, float64 `[prices]`."""
        side: Float64 = self.volume[Aggressor.BUYER]
        return side

    @property
    def sell(self) -> Float64:
        """Size taken by sellers at each price, float64 `[prices]`."""
        side: Float64 = self.volume[Aggressor.SELLER]
        return side

    def add(self, trades: Rows) -> None:
        """Add rows of dtype `TRADE`."""
        points = np.rint(trades["price"] * self._scale).astype(np.int64)
        batch, where = np.unique(points, return_inverse=True)
        self._make_room(batch)
        columns = np.searchsorted(self.points, batch)[where]
        np.add.at(self.volume, (trades["aggressor"], columns), trades["size"])

    def _make_room(self, batch: Int64) -> None:
        new = np.setdiff1d(batch, self.points, assume_unique=True)
        if len(new):
            at = np.searchsorted(self.points, new)
            self.points = np.insert(self.points, at, new)
            self.volume = np.insert(self.volume, at, 0.0, axis=1)


class BookState:
    """Latest book, last trade and volume at price of one instrument.

    Attributes
    ----------
    bids, asks : arrays of dtype `LEVEL`, best price first
        Empty until the first frame that has a book or a quote.
    quotes_only : bool
        Whether the levels are the best quote, for want of depth.
    last_trade : LastTrade or None
    traded : VolumeAtPrice
    version : int
        Grows with every change.
    """

    def __init__(self, instrument: Instrument) -> None:
        self.bids: Rows = empty(LEVEL)
        self.asks: Rows = empty(LEVEL)
        self.quotes_only = False
        self.last_trade: LastTrade | None = None
        self.traded = VolumeAtPrice(instrument.price_precision)
        self.version = 0
        self._has_depth = False

    def apply(self, market: Market) -> None:
        """Take one frame's news of this instrument."""
        if len(market.bids) or len(market.asks):
            self.bids, self.asks = market.bids, market.asks
            self._has_depth, self.quotes_only = True, False
            self.version += 1
        elif len(market.quotes) and not self._has_depth:
            self._take_quote(market.quotes[-1])
        if len(market.trades):
            self.traded.add(market.trades)
            last = market.trades[-1]
            self.last_trade = LastTrade(
                int(last["ts"]), float(last["price"]), float(last["size"]), int(last["aggressor"])
            )
            self.version += 1
        if market.trades_conflated:
            self.traded.left_out += market.trades_conflated
            self.version += 1

    def _take_quote(self, quote: np.void) -> None:
        self.bids = np.array([(quote["bid"], quote["bid_size"])], LEVEL)
        self.asks = np.array([(quote["ask"], quote["ask_size"])], LEVEL)
        self.quotes_only = True
        self.version += 1
